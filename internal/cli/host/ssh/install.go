package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

type installOptions struct {
	settings
	addInclude bool
}

func newInstall(a *command.App) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make sshd ask for the keys of IAM users, and keep them fresh",
		Long: "Writes one file of sshd's configuration, has sshd check it, reloads sshd and makes sure that it does what the file says; otherwise everything " +
			"is put back. Adds an account for the look-up that nobody can log in to, and a systemd timer for sync, which is given the flags of sync and reads /etc/postern/host.yaml by itself. " +
			"Passwords and the keys in home folders stop working; the keys of --break-glass accounts are kept for when IAM is away. Sessions go on.",
		Args: command.AtMost(),
		Example: `
sudo postern host ssh install --group engineers --sudo-group operators --break-glass ec2-user
# all of it is in /etc/postern/host.yaml
sudo postern host ssh install
# the users are in another account
sudo postern host ssh install --group engineers --role-arn arn:aws:iam::111122223333:role/ssh-keys --break-glass ec2-user`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInstall(cmd.Context(), a, o, cmd.Flags()) },
	}
	f := cmd.Flags()
	o.flags(f)
	o.intervalFlag(f)
	f.StringSliceVar(&o.BreakGlass, "break-glass", nil, "`USER` whose own authorized_keys go on working, without IAM; repeatable")
	f.BoolVar(&o.NoBreakGlass, "no-break-glass", false, "go without: while IAM is away for longer than --max-stale, nobody logs in")
	f.BoolVar(&o.KeepPasswords, "keep-passwords", false, "leave password logins as they are")
	f.BoolVar(&o.addInclude, "add-include", false, "put an Include of our file before the first line of sshd_config if it reads none of that folder")
	return cmd
}

func runInstall(ctx context.Context, a *command.App, o installOptions, given *pflag.FlagSet) error {
	if err := o.settle(given); err != nil {
		return err
	}
	if err := o.trust(); err != nil {
		return err
	}
	program, err := ownPath()
	if err != nil {
		return err
	}
	done, err := sshd.Install(ctx, sshd.System(), sshd.Settings{
		Program: program, Account: o.account, Sync: o.args(given), Interval: o.Interval, KeepPasswords: o.KeepPasswords, Emergency: o.BreakGlass,
	}, sshd.InstallOptions{AddInclude: o.addInclude, NoEmergency: o.NoBreakGlass})
	if err != nil {
		return err
	}
	out := a.Result()
	for _, d := range done {
		out.Mark(ui.OK, ui.Plain(d))
	}
	a.Talk().Text(0, ui.StylePlain, "Before you log out, open a second session. `postern host ssh status` tells what stands.")
	return nil
}

// ownPath is the program that runs, not a link to it, as sshd wants it.
func ownPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program's own path: %w", err)
	}
	return filepath.EvalSymlinks(self)
}

func newUninstall(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Put back what stood before install",
		Long: "sshd's configuration is as it was before, and the timer is gone. The accounts and homes of people stay, without sudo, and so does the snapshot; " +
			"keys of --break-glass accounts stay if they were changed since.",
		Args:    command.AtMost(),
		Example: "\nsudo postern host ssh uninstall",
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := sshd.Uninstall(cmd.Context(), sshd.System())
			if err == nil && len(done) > 0 {
				done, err = withoutSudo(cmd.Context(), a, done)
			}
			if err != nil {
				return err
			}
			if len(done) == 0 {
				done = []string{"nothing is installed"}
			}
			for _, d := range done {
				a.Result().Mark(ui.OK, ui.Plain(d))
			}
			return nil
		},
	}
}

// withoutSudo takes sudo from IAM's users: nobody would take it from those who
// leave. A sync that somebody has started by hand would give it back, so it waits
// for that. It adds what it did to the list.
func withoutSudo(ctx context.Context, a *command.App, done []string) (_ []string, err error) {
	host := thisMachine(a)
	release, err := host.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if _, err := os.Stat(host.Sudoers); errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err := host.Do(ctx, sshkeys.Step{Kind: sshkeys.Sudoers}); err != nil {
		return nil, &fault.Error{What: "all is uninstalled but the right of IAM's users to sudo", Cause: err, Hint: "remove " + host.Sudoers}
	}
	return append(done, "removed "+host.Sudoers), nil
}
