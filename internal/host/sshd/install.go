package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/fault"
)

// InstallOptions are what only the moment of installing needs.
type InstallOptions struct {
	AddInclude  bool // put the Include that is missing into the main file
	NoEmergency bool // go without any way in for the time when IAM is away
}

// include is what install adds to a main file without it, before everything
// else: sshd goes by the first line. It names our file alone: on Amazon Linux
// 2023, others are in that folder which sshd does not read, and they stay
// unread.
//
// https://github.com/amazonlinux/amazon-linux-2023/issues/1016
const include = "# Added by postern host ssh install.\nInclude " + DropIn + "\n"

// installation is an install under way.
type installation struct {
	host   Host
	server Server
	opt    InstallOptions
	now    Effective // before
	lines  []Line    // before
	rec    *record
	change          // to files
	made   bool     // the account
	timed  bool     // systemd has heard of the units
	done   []string // what was done, for the user
}

func (i *installation) say(format string, args ...any) {
	i.done = append(i.done, fmt.Sprintf(format, args...))
}

// Install makes sshd ask for keys, and returns what it has done, in words. If
// anything fails, or sshd does not do then what it was told, everything is put
// back and sshd has reloaded what it knew. A second time changes what is
// different.
func Install(ctx context.Context, h Host, s Settings, opt InstallOptions) (done []string, err error) {
	i, err := prepare(ctx, h, s, opt)
	if err != nil {
		return nil, err
	}
	if err := i.run(ctx); err != nil {
		return nil, i.giveUp(ctx, err)
	}
	return i.done, nil
}

// prepare looks at everything that can be refused before anything changes.
func prepare(ctx context.Context, h Host, s Settings, opt InstallOptions) (*installation, error) {
	if err := needRoot("install"); err != nil {
		return nil, err
	}
	i := &installation{host: h, opt: opt}
	var err error
	if i.server, err = find(); err != nil {
		return nil, err
	}
	if i.now, err = i.server.effective(ctx, h); err != nil {
		return nil, err
	}
	if i.lines, err = (files{os.ReadFile, filepath.Glob}).parse(MainConfig); err != nil {
		return nil, err
	}
	if i.rec, err = readRecord(); err != nil {
		return nil, err
	}
	if i.rec == nil {
		i.rec = &record{Version: recordVersion, Before: map[string]before{}}
	}
	i.rec.Settings = s
	return i, errors.Join(i.refuse()...)
}

// refuse is every reason against, at once.
func (i *installation) refuse() []error {
	var wrong []error
	wrong = append(wrong, checkProgram(i.rec.Settings.Program))
	_, err := checkAccount(i.rec.Settings.Account)
	wrong = append(wrong, err, i.checkInclude(), i.checkOverride(), i.checkEmergency())
	for _, l := range overrides(i.lines, Directives(i.rec.Settings, i.now)) {
		wrong = append(wrong, matchOverride(l))
	}
	return slices.DeleteFunc(wrong, func(err error) bool { return err == nil })
}

func matchOverride(l Line) error {
	return &fault.Error{
		Where: l.At(), What: fmt.Sprintf("Match %s sets %s %s, against what Postern sets", l.Match, l.Keyword, strings.Join(l.Args, " ")),
		Hint: "remove the line, or the users it is for will not log in with their keys from IAM alone",
	}
}

func (i *installation) checkInclude() error {
	if includesDropIn(i.lines) || i.opt.AddInclude {
		return nil
	}
	return &fault.Error{
		Where: MainConfig, What: "it does not include " + filepath.Dir(DropIn) + ", where our file would go",
		Hint: "run install with --add-include, which puts `Include " + DropIn + "` before the first line (OpenSSH 8.2 and newer)",
	}
}

// checkOverride finds an AuthorizedKeysCommand on sshd's command line, which no
// file can override. EC2 Instance Connect puts it there on Debian, Ubuntu and
// RHEL 8, in a drop-in below /usr/lib/systemd. On Amazon Linux and RHEL 9 it
// stands in sshd's files, of which ours comes first.
//
// https://github.com/aws/aws-ec2-instance-connect-config/issues/19
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-connect-set-up.html
func (i *installation) checkOverride() error { return commandLineOverride(i.server) }

func commandLineOverride(s Server) error {
	at := slices.IndexFunc(s.Options, isKeysCommand)
	if at < 0 {
		return nil
	}
	err := &fault.Error{
		Where: s.Source, What: "it gives sshd an AuthorizedKeysCommand on its command line, which wins over every file",
		Hint: "take it out of the unit, then systemctl daemon-reload && systemctl restart " + s.Unit,
	}
	if filepath.Base(s.Source) == "ec2-instance-connect.conf" || strings.Contains(s.Options[at], instanceConnect) {
		err.What = "EC2 Instance Connect gives sshd its own AuthorizedKeysCommand on the command line, which wins over every file"
		err.Hint = strings.Join(shellLines(maskConnect(s)), " && ")
	}
	return err
}

// instanceConnect is the program by which sshd asks EC2 Instance Connect.
const instanceConnect = "eic_run_authorized_keys"

func isKeysCommand(option string) bool {
	w := split(option)
	return len(w) > 1 && strings.EqualFold(w[0], "AuthorizedKeysCommand")
}

// maskConnect switches EC2 Instance Connect's drop-in off and leaves its
// package, whose file it would bring back: a link to /dev/null by the same name
// below /etc counts before it. A file that is below /etc is nobody's package's.
func maskConnect(s Server) [][]string {
	dir := serviceDir + s.Unit + ".d"
	mask := dir + "/" + filepath.Base(s.Source)
	off := [][]string{{"mkdir", "-p", dir}, {"ln", "-s", "/dev/null", mask}}
	if s.Source == mask {
		off = [][]string{{"mv", mask, mask + ".disabled"}}
	}
	return append(off, []string{"systemctl", "daemon-reload"}, []string{"systemctl", "restart", s.Unit})
}

// replaced says whose keys sshd will no longer ask for; empty for nobody's.
func (i *installation) replaced() string {
	was := i.now["authorizedkeyscommand"]
	switch {
	case was == "" || was == "none" || was == i.rec.Settings.command():
		return ""
	case strings.Contains(was, instanceConnect):
		return "EC2 Instance Connect (" + was + ")"
	}
	return was
}

// checkEmergency refuses to leave nobody with a way in that needs no IAM: the
// keys in homes stop working with the install.
func (i *installation) checkEmergency() error {
	var wrong fault.List
	for _, name := range i.rec.Settings.Emergency {
		if _, err := ownKeys(name); err != nil {
			wrong = append(wrong, err)
		}
	}
	there, _ := filepath.Glob(BreakGlass + "/*") // the pattern is ours
	if len(i.rec.Settings.Emergency)+len(there) == 0 && !i.opt.NoEmergency {
		wrong = append(wrong, &fault.Error{
			What: "nobody could log in while IAM has not answered: sshd will not read ~/.ssh/authorized_keys any more",
			Hint: "keep an account's keys with --break-glass USER (on EC2, ec2-user, ubuntu or admin), or go without: --no-break-glass",
		})
	}
	return wrong.Err()
}

// ownKeys are the keys that an account has for emergencies, or else in its home.
func ownKeys(name string) ([]byte, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, &fault.Error{Code: fault.Usage, What: fmt.Sprintf("--break-glass %s: there is no such account", name)}
	}
	if text, err := os.ReadFile(filepath.Join(BreakGlass, u.Username)); err == nil {
		return text, nil
	}
	text, err := readOwn(filepath.Join(u.HomeDir, ".ssh", "authorized_keys"), u.Uid)
	if err != nil {
		return nil, &fault.Error{What: fmt.Sprintf("--break-glass %s: the account has no keys to keep", name), Cause: err, Hint: "write its keys to " + BreakGlass + "/" + name}
	}
	return text, nil
}

// readOwn reads a file in a home, where its user could have put a link to any
// file of root's: what is read here, everybody may read afterwards.
func readOwn(path, uid string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a link", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	stat := info.Sys().(*syscall.Stat_t) //nolint:forcetypeassert // so it is on every Unix
	theirs := strconv.FormatUint(uint64(stat.Uid), 10) == uid || stat.Uid == 0 && stat.Nlink == 1
	if !info.Mode().IsRegular() || !theirs {
		return nil, fmt.Errorf("%s is not a file of the account's", path)
	}
	return io.ReadAll(f)
}

func readable(path string) bool { _, err := os.Stat(path); return err == nil }

// run makes the changes, in an order in which each step can be undone by what
// is on the disk before it.
func (i *installation) run(ctx context.Context) error {
	i.rec.Directives = Directives(i.rec.Settings, i.now)
	steps := []func(context.Context) error{i.state, i.account, i.emergency, i.configure, i.reload, i.schedule}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// state makes the folder of the snapshot, and writes down what is about to be
// done before it is: a machine that loses power half-way can be put back.
func (i *installation) state(context.Context) error {
	if err := i.dir(StateDir, 0o750); err != nil {
		return err
	}
	paths := append(slices.Collect(maps.Keys(i.units())), DropIn)
	for _, name := range i.rec.Settings.Emergency {
		paths = append(paths, filepath.Join(BreakGlass, name))
	}
	for _, path := range paths {
		if err := i.rec.remember(path); err != nil {
			return err
		}
	}
	i.rec.Include = i.rec.Include || !includesDropIn(i.lines)
	missing, _ := checkAccount(i.rec.Settings.Account) // prepare has refused what is unfit
	i.rec.MadeAccount = i.rec.MadeAccount || missing
	return i.rec.write(&i.change)
}

// account makes the account if it is missing, and lets it read the snapshot.
func (i *installation) account(ctx context.Context) error {
	name := i.rec.Settings.Account
	if missing, _ := checkAccount(name); missing {
		if err := makeAccount(ctx, i.host, name); err != nil {
			return err
		}
		i.made = true
		i.say("made the account %s, for the look-up of keys", name)
	}
	gid, err := groupOf(name)
	if err != nil {
		return err
	}
	// A sync before the install, or a strict umask, may have made the folders.
	above, err := os.Stat(filepath.Dir(StateDir))
	if err != nil {
		return err
	}
	return errors.Join(os.Chmod(filepath.Dir(StateDir), above.Mode().Perm()|0o011), os.Chown(StateDir, 0, gid), os.Chmod(StateDir, 0o750))
}

// emergency keeps the keys of accounts that must get in without IAM.
func (i *installation) emergency(context.Context) error {
	if err := i.dir(BreakGlass, 0o755); err != nil {
		return err
	}
	for _, name := range i.rec.Settings.Emergency {
		path := filepath.Join(BreakGlass, name)
		if readable(path) {
			continue
		}
		keys, err := ownKeys(name)
		if err != nil {
			return err
		}
		if err := i.write(path, keys, 0o644); err != nil {
			return err
		}
		i.say("kept the keys of %s in %s", name, path)
	}
	return nil
}

// configure writes sshd's configuration and has sshd itself confirm that it
// does what it says.
func (i *installation) configure(ctx context.Context) error {
	if !includesDropIn(i.lines) {
		main, err := look(MainConfig)
		if err != nil {
			return err
		}
		if err := i.write(MainConfig, append([]byte(include), main.Content...), main.Mode); err != nil {
			return err
		}
		i.say("put an Include before the first line of %s", MainConfig)
	}
	if err := i.dir(filepath.Dir(DropIn), 0o755); err != nil {
		return err
	}
	if err := i.write(DropIn, render(i.rec.Directives), 0o644); err != nil {
		return err
	}
	i.say("wrote %s", DropIn)
	if other := i.replaced(); other != "" {
		i.say("sshd no longer asks %s for keys", other)
	}
	return i.confirm(ctx)
}

func (i *installation) confirm(ctx context.Context) error {
	if _, err := i.server.ask(ctx, i.host, "-t"); err != nil {
		return fmt.Errorf("sshd refuses its new configuration: %w", err)
	}
	e, err := i.server.effective(ctx, i.host)
	if err != nil {
		return err
	}
	lines, err := files{os.ReadFile, filepath.Glob}.parse(MainConfig)
	if err != nil {
		return err
	}
	return e.unlike(i.rec.Directives, lines).Err()
}

func (i *installation) reload(ctx context.Context) error {
	what, err := i.server.reload(ctx, i.host, i.now)
	if err == nil {
		i.say("%s", what)
	}
	return err
}

func (i *installation) units() map[string][]byte {
	if !booted() {
		return nil
	}
	return units(i.rec.Settings)
}

func (i *installation) schedule(ctx context.Context) error {
	list := i.units()
	if list == nil {
		daemon := append([]string{i.rec.Settings.Program, "host", "ssh", "sync"}, i.rec.Settings.Sync...)
		i.say("there is no systemd: have your own supervisor run `%s`", ShellLine(daemon...))
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(list)) {
		if err := i.write(path, list[path], 0o644); err != nil {
			return err
		}
	}
	i.timed = true
	if err := startTimer(ctx, i.host); err != nil {
		return err
	}
	i.say("started %s, about every %v", Timer, i.rec.Settings.Interval)
	return nil
}

// giveUp puts back what stood, also when the user has lost patience, and says
// so.
func (i *installation) giveUp(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	if i.timed {
		_ = stopTimer(ctx, i.host) // it may never have started
	}
	errs = append(errs, i.back())
	if i.timed {
		errs = append(errs, i.resumeTimer(ctx))
	}
	if _, err := i.server.reload(ctx, i.host, i.now); err != nil {
		errs = append(errs, err)
	}
	if i.made {
		_, err := i.host.Run(ctx, "userdel", "--", i.rec.Settings.Account)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &fault.Error{
			Code: fault.ExitCode(cause), What: "install has failed, and not everything could be put back", Cause: errors.Join(cause, err),
			Hint: "before you log out, look at `sshd -t` and at " + DropIn,
		}
	}
	return fault.List{cause, &fault.Error{Code: fault.ExitCode(cause), What: "install has failed; everything was put back as it stood"}}
}

// resumeTimer starts the timer of an earlier install again.
func (i *installation) resumeTimer(ctx context.Context) error {
	if readable(serviceDir + Timer) {
		return startTimer(ctx, i.host)
	}
	_, err := i.host.Run(ctx, "systemctl", "daemon-reload")
	return err
}
