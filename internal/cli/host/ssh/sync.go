package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/osusers"
)

type syncOptions struct {
	settings
	once     bool
	force    int // how many users may lose something in this round
	asJSON   bool
	snapshot string
}

func newSync(a *command.App) *cobra.Command {
	var o syncOptions
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Bring this host's accounts and the snapshot of keys in line with IAM",
		Long: "Reads the members of the groups and their active SSH public keys, makes, locks and restores accounts, and writes the snapshot. " +
			"Nobody is removed for an answer that is throttled, cut off or empty: a user must be missing from two complete answers in a row. Within 24 hours " +
			"no more than two users or 30 %, whichever is more, lose their account, sudo or last key; a round that would go beyond holds all of it back, says so, and gives the " +
			"command that lets it happen. Who is removed loses sudo, sessions and processes, and keeps home and uid. " +
			"Without --once it goes on, every --interval, until it is stopped. What concerns single users is told and logged, and is no failure.",
		Args: command.AtMost(),
		Example: `
sudo postern host ssh sync --once --group engineers --sudo-group operators
# as a daemon, with users from another account
sudo postern host ssh sync --group engineers --role-arn arn:aws:iam::111122223333:role/ssh-keys --interval 10m
# status says that 12 users are held back, and that is what is meant
sudo postern host ssh sync --once --group engineers --force 12`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSync(cmd.Context(), a, o, cmd.Flags()) },
	}
	f := cmd.Flags()
	o.flags(f)
	o.intervalFlag(f)
	f.BoolVar(&o.once, "once", false, "one round, rather than one every --interval")
	f.IntVar(&o.force, "force", 0, "`N` is how many users may lose something in this round: the number that is held back; an answer without anybody takes nothing all the same")
	f.BoolVar(&o.asJSON, "json", false, "print what the round did as JSON; with --once")
	f.StringVar(&o.snapshot, "snapshot", sshd.Snapshot, "`PATH` of the snapshot")
	return cmd
}

// checkOnce refuses what makes sense for one round alone: a daemon that was let
// remove many would be let for ever.
func (o syncOptions) checkOnce(given *pflag.FlagSet) error {
	for _, flag := range []string{"force", "json"} {
		if given.Changed(flag) && !o.once {
			return &fault.Error{Code: fault.Usage, What: "--" + flag + " is for one round", Hint: "add --once"}
		}
	}
	if given.Changed("force") && o.force < 1 {
		return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("--force %d lets nobody lose anything", o.force), Hint: "`postern host ssh status` tells how many are held back"}
	}
	return nil
}

// readers is how many users' keys are asked for at once. IAM answers from one
// region of the world: one at a time, thousands of users would take an hour.
const readers = 4

func runSync(ctx context.Context, a *command.App, o syncOptions, given *pflag.FlagSet) error {
	if err := o.checkOnce(given); err != nil {
		return err
	}
	if err := o.settle(given); err != nil {
		return err
	}
	s, log, err := o.sync(ctx, a)
	if err != nil {
		return err
	}
	show := shower{ctx: ctx, app: a, log: log, asJSON: o.asJSON, args: o.args(given)}
	if o.once {
		r, err := s.Once(ctx)
		return errors.Join(err, show.round(r, err))
	}
	_ = s.Run(ctx, o.Interval, func(r *sshkeys.Report, err error) { // it ends when it is stopped, and that is no error
		_ = show.round(r, err) // text cannot fail
		if err != nil {
			log.ErrorContext(ctx, "sync", "problem", err.Error())
			a.Talk().Mark(ui.Failed, ui.Plain(err.Error()))
		}
	})
	return nil
}

// sync puts together what one round needs.
func (o syncOptions) sync(ctx context.Context, a *command.App) (*sshkeys.Sync, *slog.Logger, error) {
	if os.Geteuid() != 0 {
		return nil, nil, &fault.Error{What: "sync needs root: it makes accounts", Hint: "run it with sudo"}
	}
	if err := o.trust(); err != nil {
		return nil, nil, err
	}
	dir := filepath.Dir(o.snapshot)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, nil, fmt.Errorf("make the folder of the snapshot: %w", err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, nil, fmt.Errorf("make the folder of the snapshot: %w", err)
	}
	gid := -1
	if g, err := user.LookupGroup(o.account); err == nil {
		gid, _ = strconv.Atoi(g.Gid) // a number on every Unix
	} else {
		a.Talk().Mark(ui.Warning, ui.Plain("there is no group "+o.account+", so sshd cannot look keys up: run postern host ssh install"))
	}
	host, _ := os.Hostname() // it goes into CloudTrail; unknown is good enough
	policy := sshkeys.Policy{
		Names: sshkeys.Names{Domains: o.Domains}, LocalGroups: o.LocalGroups, MaxStale: o.MaxStale,
		Login: sshkeys.LoginOptions{Allow: o.Allow, From: o.From}, Brake: sshkeys.DefaultBrake(),
	}
	policy.Brake.Confirmed = o.force
	sources := sshkeys.GroupSources{sshkeys.Groups{Login: o.Groups, Sudo: o.SudoGroups}}
	if o.InstanceTags {
		sources = append(sources, aws.InstanceTags{})
	}
	log := systemLog(a.Err)
	return &sshkeys.Sync{
		IAM:  aws.NewSSHKeys(aws.SSHOptions{RoleARN: o.RoleARN, ExternalID: o.ExternalID, Host: host}),
		Host: thisMachine(a), Groups: sources, TagKey: o.TagKey, Readers: readers, Path: o.snapshot, GID: gid, Policy: policy, Now: time.Now,
		Audit: func(e sshkeys.Event) { log.LogAttrs(ctx, slog.LevelInfo, "ssh", eventAttrs(e)...) },
	}, log, nil
}

// thisMachine is the host, and tells who has to wait for another sync.
func thisMachine(a *command.App) osusers.Host {
	host := osusers.Default()
	host.Waiting = func() { a.Talk().Mark(ui.Point, ui.Plain("another sync is under way: waiting for it")) }
	return host
}
