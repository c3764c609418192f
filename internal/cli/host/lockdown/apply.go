package lockdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/hostfile"
	"github.com/postern-dev/postern/internal/host/lockdown"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/units"
	"github.com/postern-dev/postern/internal/spec"
)

type applyOptions struct {
	policyOptions
	within     time.Duration
	noSelfTest bool
	ifNeeded   bool
	orLast     bool
	changed    changed
}

func newApply(a *command.App) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Apply the firewall, prove it, roll back if it does not hold",
		Long: "Replaces the table in one transaction, then tries it: allowed users must get a token, a user who is not allowed must be refused at once. " +
			"If not, what stood before is restored. With --confirm-within that also happens unless `postern host lockdown confirm` is run in time. " +
			"Unknown names are refused before anything changes; names are resolved to uids now, so apply again when accounts change.",
		Args: command.AtMost(),
		Example: `
postern host lockdown apply --allow root,cwagent --allow-group ops
postern host lockdown apply --confirm-within 60s
# containers of this network may use the instance's role
postern host lockdown apply --allow root --forward-from 172.17.0.0/16`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed = cmd.Flags().Changed
			return runApply(cmd.Context(), a, o)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.DurationVar(&o.within, "confirm-within", 0, "`TIME` after which it is rolled back unless confirmed, such as 60s")
	f.BoolVar(&o.ifNeeded, "if-needed", false, "do nothing if it stands as asked, or a change waits to be confirmed")
	f.BoolVar(&o.orLast, "or-last", false, "if the settings cannot be used, put back what was applied with this flag last, and fail: for services")
	f.BoolVar(&o.noSelfTest, "no-self-test", false, "do not try it: where images are built there is no metadata service")
	return cmd
}

// Bounds of --confirm-within: enough to type the command, and no longer than
// anybody remembers it.
const (
	leastWithin = time.Second
	mostWithin  = 24 * time.Hour
)

func runApply(ctx context.Context, a *command.App, o applyOptions) error {
	if o.within != 0 && (o.within < leastWithin || o.within > mostWithin) {
		return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("--confirm-within %v is out of bounds", o.within), Hint: "between 1s and 24h, such as 60s"}
	}
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	if o.ifNeeded {
		if waits, err := host.Hold(ctx); err != nil || waits {
			return err
		}
	}
	w, err := o.promptWish(ctx)
	if err != nil && o.orLast {
		return fallBack(ctx, a, host, err)
	}
	if err != nil {
		return err
	}
	if err := o.put(ctx, a, host, w); err != nil || !o.orLast {
		return err
	}
	return last.Keep(w.policy)
}

// put makes the change and tells about it, unless it is not needed.
func (o applyOptions) put(ctx context.Context, a *command.App, host *lockdown.Host, w wish) error {
	pending, err := host.Pending()
	if err != nil {
		return err
	}
	if o.ifNeeded && pending == nil {
		if good, err := standsAs(host, w.policy); err != nil || good {
			return err
		}
	}
	talk := a.Talk()
	if pending != nil && pending.Orphaned {
		talk.Mark(ui.Warning, ui.Plain("the last change was not confirmed, and the process that was to roll it back is gone: this one takes its place"))
	}
	for _, m := range w.missing {
		talk.Mark(ui.Warning, ui.Plain("this host has no "+m+": left out"))
	}
	change := lockdown.Change{Policy: &w.policy, Within: o.within, Watch: watch}
	if !o.noSelfTest {
		change.Test = func(ctx context.Context) error { return proved(ctx, a, host, w.policy) }
	}
	if err := host.Make(ctx, change); err != nil {
		return err
	}
	o.tell(ctx, a, w.policy)
	return nil
}

// tell says what stands now, and what to think of.
func (o applyOptions) tell(ctx context.Context, a *command.App, p lockdown.Policy) {
	names := userNames(ctx, p.Allow...)
	for _, s := range unserved(p, names) {
		a.Talk().Mark(ui.Warning, ui.Plain(s))
	}
	a.Result().Mark(ui.OK, ui.Plain(standingText(p, names)))
	if o.changed == nil || slices.ContainsFunc(policyFlags, o.changed) {
		warnInstalled(a)
	}
	if o.within > 0 {
		a.Result().Mark(ui.Warning, ui.Plain(fmt.Sprintf("rolled back in %s unless you run `postern host lockdown confirm`", spec.FormatDuration(o.within))))
	}
}

// standsAs reports whether the policy stands already.
func standsAs(host *lockdown.Host, p lockdown.Policy) (bool, error) {
	state, err := host.Read()
	return state != nil && len(state.Drift(p)) == 0, err
}

// patience is how long a service waits for names to be resolved: it keeps the
// network waiting at boot, and the directory with the names may be behind it.
const patience = 5 * time.Second

// promptWish is wish, which for services ends in time.
func (o applyOptions) promptWish(ctx context.Context) (wish, error) {
	if !o.orLast {
		return o.wish(ctx, o.changed)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w, err := o.wish(ctx, o.changed)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &fault.Error{What: fmt.Sprintf("names of users were not resolved within %v", patience), Cause: err, Hint: "does `getent passwd` end? see /etc/nsswitch.conf"}
	}
	return w, err
}

// fallBack puts back what stood last, for settings that cannot be used: at the
// next boot there would be nothing else. cause is why, and the error.
func fallBack(ctx context.Context, a *command.App, host *lockdown.Host, cause error) error {
	p, err := last.Policy()
	if err != nil || p == nil {
		return errors.Join(cause, err)
	}
	good, err := standsAs(host, *p)
	if err == nil && !good {
		err = host.Make(ctx, lockdown.Change{Policy: p})
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	a.Talk().Mark(ui.Warning, ui.Plain("the settings cannot be used, so what they said last stands: "+standingText(*p, nil)))
	return cause
}

// watch starts the process that rolls back.
func watch(ctx context.Context, id string, within time.Duration) error {
	return lockdown.Outlive(ctx, "host", "lockdown", "await", id, within.String())
}

// warnInstalled tells that units will undo what is done by hand.
func warnInstalled(a *command.App) {
	if _, err := os.Stat(units.Dir + "/postern-lockdown.service"); err == nil {
		a.Talk().Mark(ui.Warning, ui.Plain("systemd puts back within a minute what "+hostfile.Path+" says: change that file, or run `postern host uninstall` first"))
	}
}

// customary are users that are not root and are known to need the instance's
// role.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/install-CloudWatch-Agent-on-EC2-Instance.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-connect-set-up.html
var customary = []struct{ user, what string }{
	{"root", "what the SSM agent, cloud-init and `postern host ssh sync` run as"},
	{"cwagent", "the CloudWatch agent"},
	{"ec2-instance-connect", "EC2 Instance Connect, which reads the keys of a login there"},
}

// selfServed is the user that looks keys up for sshd. It is no customary one: it
// reads a file, and has neither network nor metadata.
const selfServed = sshd.Account

// unserved warns of users that this host has and the policy does not allow,
// although they usually need it.
func unserved(p lockdown.Policy, names map[uint32]string) []string {
	var out []string
	for _, c := range customary {
		for uid, name := range names {
			if name == c.user && !slices.Contains(p.Allow, uid) {
				out = append(out, fmt.Sprintf("%s is not allowed: that is %s; if this host uses it, add it to --allow", c.user, c.what))
			}
		}
	}
	return out
}
