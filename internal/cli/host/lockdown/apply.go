package lockdown

import (
	"context"
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
	"github.com/postern-dev/postern/internal/host/units"
	"github.com/postern-dev/postern/internal/spec"
)

type applyOptions struct {
	policyOptions
	within     time.Duration
	noSelfTest bool
	ifNeeded   bool
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
	w, err := o.wish(ctx, o.changed)
	if err != nil {
		return err
	}
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	pending, err := host.Pending()
	if err != nil {
		return err
	}
	if o.ifNeeded {
		if good, err := standsAs(host, w.policy, pending); err != nil || good {
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
	names := userNames(ctx)
	for _, s := range unserved(w.policy, names) {
		talk.Mark(ui.Warning, ui.Plain(s))
	}
	a.Result().Mark(ui.OK, ui.Plain(standingText(w.policy, names)))
	if o.changed == nil || slices.ContainsFunc(policyFlags, o.changed) {
		warnInstalled(a)
	}
	if o.within > 0 {
		a.Result().Mark(ui.Warning, ui.Plain(fmt.Sprintf("rolled back in %s unless you run `postern host lockdown confirm`", spec.FormatDuration(o.within))))
	}
	return nil
}

// standsAs reports whether there is nothing to do: the policy stands already, or
// somebody is trying another and will say whether it is to stay.
func standsAs(host *lockdown.Host, p lockdown.Policy, pending *lockdown.Pending) (bool, error) {
	if pending != nil {
		return !pending.Orphaned, nil
	}
	state, err := host.Read()
	return state != nil && len(state.Drift(p)) == 0, err
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
