package sshd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Uninstall puts back what stood before the first install and returns what it
// has done, in words; nothing if nothing is installed. Accounts of people, the
// snapshot and emergency keys that were changed since stay. If sshd does not
// accept what stood, all is left as it is.
func Uninstall(ctx context.Context, h Host) (done []string, err error) {
	if err := needRoot("uninstall"); err != nil {
		return nil, err
	}
	rec, err := readRecord()
	if err != nil || rec == nil {
		return nil, err
	}
	s, err := find()
	if err != nil {
		return nil, err
	}
	u := &removal{host: h, server: s, rec: rec}
	if err := u.run(ctx); err != nil {
		return nil, errors.Join(err, u.back())
	}
	return u.done, u.finish(ctx)
}

// removal is an uninstall under way.
type removal struct {
	host   Host
	server Server
	rec    *record
	change
	done []string
}

func (u *removal) say(format string, args ...any) {
	u.done = append(u.done, fmt.Sprintf(format, args...))
}

// run puts sshd's configuration back, and nothing else: until sshd accepts it,
// all of it can be undone.
func (u *removal) run(ctx context.Context) error {
	if err := u.to(DropIn, u.rec.Before[DropIn]); err != nil {
		return err
	}
	u.say("%s", backText(DropIn, u.rec.Before[DropIn]))
	if u.rec.Include {
		if err := u.dropInclude(); err != nil {
			return err
		}
	}
	e, err := u.server.effective(ctx, u.host)
	if err != nil {
		return &fault.Error{
			Where: MainConfig, What: "sshd does not accept its configuration without Postern's file; all was left as it is", Cause: err,
			Hint: "correct it until `sshd -t` succeeds, and run uninstall again",
		}
	}
	what, err := u.server.reload(ctx, u.host, e)
	if err != nil {
		return err
	}
	u.say("%s", what)
	return nil
}

func backText(path string, was before) string {
	if was.Absent {
		return "removed " + path
	}
	return "put back " + path
}

// dropInclude takes our lines out of the main file, whatever else has changed.
func (u *removal) dropInclude() error {
	main, err := look(MainConfig)
	if err != nil {
		return err
	}
	rest := bytes.Replace(main.Content, []byte(include), nil, 1)
	if len(rest) == len(main.Content) {
		return nil
	}
	u.say("took the Include out of %s", MainConfig)
	return u.write(MainConfig, rest, main.Mode)
}

// finish removes what sshd no longer looks at. It goes on after an error: the
// record stays until all of it is gone.
func (u *removal) finish(ctx context.Context) error {
	errs := []error{u.unschedule(ctx)}
	for _, path := range slices.Sorted(maps.Keys(u.rec.Before)) {
		if path == DropIn || strings.HasPrefix(path, BreakGlass) && !u.unchanged(path) {
			continue
		}
		errs = append(errs, u.to(path, u.rec.Before[path]))
	}
	_ = os.Remove(BreakGlass) // it stays while keys are in it
	if booted() {
		_, err := u.host.Run(ctx, "systemctl", "daemon-reload")
		errs = append(errs, err)
	}
	if u.rec.MadeAccount {
		errs = append(errs, u.dropAccount(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return &fault.Error{What: "sshd is as it was, but not all could be removed", Cause: err, Hint: "run uninstall again"}
	}
	return absent(os.Remove(recordFile))
}

func (u *removal) unschedule(ctx context.Context) error {
	if !booted() || !readable(serviceDir+Timer) {
		return nil
	}
	u.say("stopped %s", Timer)
	return stopTimer(ctx, u.host)
}

// unchanged says whether emergency keys are still those of the account's home.
func (u *removal) unchanged(path string) bool {
	keys, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	account, err := user.Lookup(filepath.Base(path))
	if err != nil {
		return false
	}
	own, err := os.ReadFile(filepath.Join(account.HomeDir, ".ssh", "authorized_keys"))
	return err == nil && bytes.Equal(keys, own)
}

func (u *removal) dropAccount(ctx context.Context) error {
	if missing, _ := checkAccount(u.rec.Settings.Account); missing {
		return nil
	}
	if err := os.Chown(StateDir, 0, 0); absent(err) != nil {
		return err
	}
	u.say("removed the account %s", u.rec.Settings.Account)
	_, err := u.host.Run(ctx, "userdel", "--", u.rec.Settings.Account)
	return err
}
