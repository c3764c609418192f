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
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/osusers"
)

// syncOptions say who may log in. install takes the same ones and hands them
// to the unit that runs sync.
type syncOptions struct {
	groups      []string
	sudoGroups  []string
	roleARN     string
	externalID  string
	domains     []string
	localGroups []string
	tagKey      string
	instance    bool   // groups stand in tags of the instance too
	account     string // that reads the snapshot for sshd
	maxStale    time.Duration
	login       sshkeys.LoginOptions
}

// defaultStale is how long logins go on without IAM.
const defaultStale = 24 * time.Hour

func (o *syncOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.groups, "group", nil, "`GROUP` of IAM whose members may log in; repeatable")
	f.StringArrayVar(&o.sudoGroups, "sudo-group", nil, "`GROUP` of IAM whose members may log in and use sudo; repeatable")
	f.BoolVar(&o.instance, "instance-tags", false, "read names of groups from this instance's tags postern:ssh-groups and postern:ssh-sudo-groups too")
	f.StringVar(&o.roleARN, "role-arn", "", "`ARN` of the role to assume, in the account that the users are in")
	f.StringVar(&o.externalID, "external-id", "", "`ID` that the role asks for")
	f.StringSliceVar(&o.domains, "domain", nil, "`DOMAIN` to cut off IAM user names: with example.com, alice@example.com logs in as alice")
	f.StringSliceVar(&o.localGroups, "local-group", nil, "`GROUP` of this host that every user is put into; repeatable")
	f.StringVar(&o.tagKey, "ed25519-tag", "", "`KEY` of the IAM users' tag that holds an ed25519 key, beside the keys in IAM: who may tag users then decides who logs in")
	f.StringVar(&o.account, "account", sshd.Account, "`NAME` of the account that looks keys up for sshd")
	f.DurationVar(&o.maxStale, "max-stale", defaultStale, "`TIME` for which logins go on while IAM is away")
	f.StringSliceVar(&o.login.Allow, "allow", nil, "`OPTION` that sessions may use beside a terminal: agent-forwarding, port-forwarding, user-rc, X11-forwarding")
	f.StringSliceVar(&o.login.From, "from", nil, "`ADDRESS` or CIDR block that logins may come from; repeatable (default: all)")
}

// check finds what can be known to be wrong before anything is asked or done.
func (o *syncOptions) check() error {
	var wrong fault.List
	if len(o.groups)+len(o.sudoGroups) == 0 && !o.instance {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "no IAM group is named", Hint: "name who may log in: --group engineers, or --instance-tags"})
	}
	if slices.Contains(slices.Concat(o.groups, o.sudoGroups), "") {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "the name of an IAM group is empty", Hint: "is a variable of your script unset?"})
	}
	if o.externalID != "" && o.roleARN == "" {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "--external-id without --role-arn", Hint: "name the role that asks for it"})
	}
	if o.maxStale < time.Hour {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "--max-stale " + o.maxStale.String() + " is shorter than an hour", Hint: "a short outage of IAM would lock everybody out"})
	}
	if err := o.login.Check(); err != nil {
		wrong = append(wrong, err)
	}
	return wrong.Err()
}

// args are the flags that give the same options.
func (o *syncOptions) args() []string {
	var out []string
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				out = append(out, "--"+flag+"="+v)
			}
		}
	}
	add("group", o.groups...)
	add("sudo-group", o.sudoGroups...)
	if o.instance {
		out = append(out, "--instance-tags")
	}
	if o.account != sshd.Account {
		add("account", o.account)
	}
	add("role-arn", o.roleARN)
	add("external-id", o.externalID)
	add("domain", o.domains...)
	add("local-group", o.localGroups...)
	add("ed25519-tag", o.tagKey)
	if o.maxStale != defaultStale {
		add("max-stale", o.maxStale.String())
	}
	add("allow", o.login.Allow...)
	add("from", o.login.From...)
	return out
}

type syncRun struct {
	syncOptions
	once     bool
	force    bool
	interval time.Duration
	snapshot string
}

func newSync(a *command.App) *cobra.Command {
	var o syncRun
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Bring this host's accounts and the snapshot of keys in line with IAM",
		Long: "Reads the members of the groups and their active SSH public keys, makes, locks and restores accounts, and writes the snapshot. " +
			"Nobody is removed for an answer that is throttled, cut off or empty: a user must be missing from two complete answers in a row, and no round removes " +
			"more than two users or 30 %, whichever is more. Who is removed loses sudo, sessions and processes, and keeps home and uid. " +
			"Without --once it goes on, every --interval, until it is stopped. What concerns single users is told and logged, and is no failure.",
		Args: command.AtMost(),
		Example: `
sudo postern host ssh sync --once --group engineers --sudo-group operators
# as a daemon, with users from another account
sudo postern host ssh sync --group engineers --role-arn arn:aws:iam::111122223333:role/ssh-keys --interval 10m
# half of the team has left, and that is right
sudo postern host ssh sync --once --group engineers --force`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSync(cmd.Context(), a, o) },
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.once, "once", false, "one round, rather than one every --interval")
	f.BoolVar(&o.force, "force", false, "remove as many users as IAM says")
	f.DurationVar(&o.interval, "interval", sshd.DefaultInterval, "`TIME` between two rounds, give or take half of it")
	f.StringVar(&o.snapshot, "snapshot", sshd.Snapshot, "`PATH` of the snapshot")
	return cmd
}

func runSync(ctx context.Context, a *command.App, o syncRun) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.interval < sshd.MinInterval {
		return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("an interval of %v is shorter than %v", o.interval, sshd.MinInterval)}
	}
	s, log, err := o.sync(ctx, a)
	if err != nil {
		return err
	}
	if o.once {
		r, err := s.Once(ctx)
		syncText(ctx, a, log, r)
		return err
	}
	_ = s.Run(ctx, o.interval, func(r *sshkeys.Report, err error) { // it ends when it is stopped, and that is no error
		syncText(ctx, a, log, r)
		if err != nil {
			log.ErrorContext(ctx, "sync", "problem", err.Error())
			a.Talk().Mark(ui.Failed, ui.Plain(err.Error()))
		}
	})
	return nil
}

// sync puts together what one round needs.
func (o syncRun) sync(ctx context.Context, a *command.App) (*sshkeys.Sync, *slog.Logger, error) {
	if os.Geteuid() != 0 {
		return nil, nil, &fault.Error{What: "sync needs root: it makes accounts", Hint: "run it with sudo"}
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
		Names: sshkeys.Names{Domains: o.domains}, LocalGroups: o.localGroups, MaxStale: o.maxStale, Login: o.login, Brake: sshkeys.DefaultBrake(),
	}
	policy.Brake.Off = o.force
	sources := sshkeys.GroupSources{sshkeys.Groups{Login: o.groups, Sudo: o.sudoGroups}}
	if o.instance {
		sources = append(sources, aws.InstanceTags{})
	}
	log := systemLog(a.Err)
	return &sshkeys.Sync{
		IAM:  aws.NewSSHKeys(aws.SSHOptions{RoleARN: o.roleARN, ExternalID: o.externalID, Host: host}),
		Host: osusers.Default(), Groups: sources, TagKey: o.tagKey, Path: o.snapshot, GID: gid, Policy: policy, Now: time.Now,
		Audit: func(e sshkeys.Event) { log.LogAttrs(ctx, slog.LevelInfo, "ssh", eventAttrs(e)...) },
	}, log, nil
}

// syncText tells what a round did; r is nil if there was none.
func syncText(ctx context.Context, a *command.App, log *slog.Logger, r *sshkeys.Report) {
	if r == nil {
		return
	}
	for _, step := range r.Done {
		what := string(step.Kind)
		if step.Name != "" {
			what += " " + step.Name
		}
		a.Result().Mark(ui.OK, ui.Plain(what))
	}
	for _, problem := range r.Problems {
		log.WarnContext(ctx, "sync", "problem", problem.Error())
		a.Talk().Mark(ui.Warning, ui.Plain(problem.Error()))
	}
	answer := "IAM answered completely"
	if !r.Complete {
		answer = "IAM's answer has gaps: nobody is removed"
	}
	a.Result().Line(ui.Plain(fmt.Sprintf("%s may log in, %s removed; %s, %s",
		ui.Plural(r.Users, "user", "users"), ui.Plural(r.Removed, "user", "users"), ui.Plural(r.Calls, "call", "calls"), answer)))
}
