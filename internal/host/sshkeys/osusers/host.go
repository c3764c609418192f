// Package osusers is the host that sshkeys asks for, on Linux: accounts through
// useradd and its siblings, sudo through a file of its own that visudo has
// checked, processes through /proc. No shell comes between, and no step
// touches an account or group whose number is not in Postern's range.
package osusers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// Host is this machine.
type Host struct {
	Etc      string        // "/etc"
	Homes    string        // "/home"
	Shell    string        // of new accounts
	Sudoers  string        // Postern's own file; sudo reads none with a . or ~ in its name
	LockFile string        // "/run/postern-ssh.lock"
	Grace    time.Duration // between SIGTERM and SIGKILL
	Patience time.Duration // with one program of the system
	Waiting  func()        // is called once where another sync has the lock; nil: nobody is told
}

// Default is a machine as distributions set it up.
func Default() Host {
	return Host{
		Etc: "/etc", Homes: "/home", Shell: "/bin/bash", Sudoers: "/etc/sudoers.d/postern-ssh",
		LockFile: "/run/postern-ssh.lock", Grace: 5 * time.Second, Patience: time.Minute,
	}
}

// Lock waits until no other sync runs on this machine.
func (h Host) Lock(ctx context.Context) (func() error, error) {
	f, err := os.OpenFile(h.LockFile, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &fault.Error{What: "open lock file", Cause: err, Hint: "run it as root"}
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for told := h.Waiting == nil; ; {
		taken, err := tryLock(f)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if taken {
			return f.Close, nil // which releases it
		}
		if !told {
			h.Waiting()
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-again.C:
		}
	}
}

// Do takes a step.
func (h Host) Do(ctx context.Context, s sshkeys.Step) error {
	if s.Kind == sshkeys.Sudoers {
		return h.setSudoers(ctx, s.Members)
	}
	if !sshkeys.OwnUID(s.UID) {
		return fmt.Errorf("%d is not a uid of Postern's", s.UID)
	}
	switch s.Kind {
	case sshkeys.AddGroup:
		return h.addGroup(ctx, s)
	case sshkeys.AddUser:
		return h.addUser(ctx, s)
	case sshkeys.RenameGroup:
		if err := h.check("group", s); err != nil {
			return err
		}
		return h.run(ctx, "groupmod", "--new-name", s.To, "--", s.Name)
	}
	if err := h.check("passwd", s); err != nil {
		return err
	}
	switch s.Kind {
	case sshkeys.RenameUser:
		return h.run(ctx, "usermod", "--login", s.To, "--", s.Name)
	case sshkeys.Restore:
		return h.restore(ctx, s.Name)
	case sshkeys.MakeHome: // of PAM, which copies /etc/skel and labels for SELinux; one that is there it leaves
		return h.run(ctx, "mkhomedir_helper", s.Name)
	case sshkeys.SetGroups:
		return h.run(ctx, "usermod", "--groups", strings.Join(s.Members, ","), "--", s.Name)
	case sshkeys.Lock:
		// One call, so that a lock is never half done. An expired account is
		// what sshd, cron and sudo all refuse, a locked password is not.
		return h.run(ctx, "usermod", "--lock", "--expiredate", expired, "--shell", nologin(), "--", s.Name)
	case sshkeys.EndSessions:
		return h.endSessions(ctx, s)
	case sshkeys.Terminate:
		return signal(s.UID, terminate)
	case sshkeys.Kill:
		return h.kill(ctx, s.UID)
	}
	return fmt.Errorf("no step %q", s.Kind)
}

// expired is a day long past, in days since 1970. Administrators write 0 or 1,
// so that this one tells our lock from theirs, which is not ours to undo.
const expired = "2"

// check makes sure, right before a change, that a name still is the number's
// that the step is about.
func (h Host) check(file string, s sshkeys.Step) error {
	id, ok, err := h.number(file, s.Name)
	if err != nil {
		return err
	}
	if !ok || id != s.UID {
		return fmt.Errorf("%s has no %s with number %d", filepath.Join(h.Etc, file), s.Name, s.UID)
	}
	return nil
}

func (h Host) number(file, name string) (uint32, bool, error) {
	entries, err := h.entries(file)
	if err != nil {
		return 0, false, err
	}
	i := slices.IndexFunc(entries, func(e []string) bool { return e[0] == name })
	if i < 0 {
		return 0, false, nil
	}
	id, err := strconv.ParseUint(entries[i][2], 10, 32)
	return uint32(id), err == nil, nil
}

func (h Host) addGroup(ctx context.Context, s sshkeys.Step) error {
	if gid, ok, err := h.number("group", s.Name); err != nil || ok && gid == s.UID {
		return err
	}
	return h.run(ctx, "groupadd", "--gid", id(s.UID), "--", s.Name)
}

// addUser makes the account with the password *, which is none but not locked:
// sshd without PAM refuses every key of an account whose password is. Nor does
// it age, whatever the defaults of the host are: with PAM, sshd would turn away
// every key once a password that nobody has were too old. The account is not put
// into lastlog, which would grow to 500 GB of holes for uids as high.
func (h Host) addUser(ctx context.Context, s sshkeys.Step) error {
	if uid, ok, err := h.number("passwd", s.Name); err != nil || ok && uid == s.UID {
		return err
	}
	home := filepath.Join(h.Homes, s.Name)
	if err := mayBeHome(home, s.UID); err != nil {
		return err
	}
	return h.run(ctx, "useradd", "--uid", id(s.UID), "--gid", id(s.UID), "--comment", s.Comment,
		"--home-dir", home, "--create-home", "--shell", h.Shell, "--password", "*",
		"--key", "PASS_MAX_DAYS=-1", "--inactive", "-1", "--expiredate", "", "--no-log-init", "--", s.Name)
}

// mayBeHome refuses to give a user what somebody else left there.
func mayBeHome(home string, uid uint32) error {
	info, err := os.Lstat(home)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if owner, ok := owner(info); !info.IsDir() || !ok || owner != uid {
		return &fault.Error{
			Where: home, What: "is there and is not the user's", Hint: fmt.Sprintf("move it away, or give it to the user: chown -R %d:%d %s", uid, uid, home),
		}
	}
	return nil
}

// restore undoes a lock. The password is that of before; one that was nothing
// but locked becomes *.
func (h Host) restore(ctx context.Context, name string) error {
	entries, err := h.entries("shadow")
	if err != nil {
		return err
	}
	args := []string{"--expiredate", "", "--shell", h.Shell}
	i := slices.IndexFunc(entries, func(e []string) bool { return e[0] == name })
	switch {
	case i >= 0 && entries[i][1] == "!" || i < 0:
		args = append(args, "--password", "*")
	case strings.HasPrefix(entries[i][1], "!"):
		args = append(args, "--unlock")
	}
	return h.run(ctx, "usermod", append(args, "--", name)...)
}

// endSessions asks logind to end sessions and the user's own services, and not
// to start these at boot. It fails if there are none, and what it leaves is
// killed next, so its failure is not one of the step.
func (h Host) endSessions(ctx context.Context, s sshkeys.Step) error {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil //nolint:nilerr // no logind without systemd
	}
	_ = h.run(ctx, "loginctl", "disable-linger", s.Name)
	_ = h.run(ctx, "loginctl", "terminate-user", id(s.UID))
	return ctx.Err()
}

func id(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
