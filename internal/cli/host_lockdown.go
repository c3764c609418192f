package cli

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
	"github.com/postern-dev/postern/internal/spec"
)

// runDir holds what must not survive a reboot, as the firewall itself does not.
const runDir = "/run/postern"

func newLockdown(a *app) *cobra.Command {
	var o lockdownApplyOptions
	cmd := &cobra.Command{
		Use:   "lockdown COMMAND | ADDRESS USER...",
		Short: "Let only chosen OS users reach the instance role's credentials",
		Long: "One nftables table of its own refuses everybody but the users you name at the instance metadata service, over IPv4 and IPv6, " +
			"and what containers send there too. Nothing else is touched, and no nft program is needed. With an address and users it is short for apply.\n\n" +
			"It does not bind users who are root or can become root, sockets that an allowed user has opened and handed on, and tools such as sudo. " +
			"Pair it with IMDSv2 required.",
		Example: `
postern host lockdown observe --allow root,cwagent --for 10m
postern host lockdown apply --allow root,cwagent --allow-group ops --confirm-within 60s
postern host lockdown 169.254.169.254 root app
postern host lockdown status`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if _, err := netip.ParseAddr(args[0]); err != nil {
				return unknownCommand(cmd, args)
			}
			o.endpoints, o.allow = args[:1], args[1:]
			return runLockdownApply(cmd.Context(), a, o)
		},
	}
	cmd.AddCommand(
		newLockdownObserve(a), newLockdownApply(a), newLockdownStatus(a), newLockdownVerify(a), newLockdownConfirm(a), newLockdownRemove(a),
		newLockdownLog(a), newLockdownPrint(a), newLockdownAsk(a), newLockdownAwait(a),
	)
	return cmd
}

type lockdownApplyOptions struct {
	lockdownOptions
	within     time.Duration
	noSelfTest bool
	ifNeeded   bool
	changed    changed
}

func newLockdownApply(a *app) *cobra.Command {
	var o lockdownApplyOptions
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Apply the firewall, prove it, roll back if it does not hold",
		Long: "Replaces the table in one transaction, then tries it: allowed users must get a token, a user who is not allowed must be refused at once. " +
			"If not, what stood before is restored. With --confirm-within that also happens unless `postern host lockdown confirm` is run in time. " +
			"Unknown names are refused before anything changes; names are resolved to uids now, so apply again when accounts change.",
		Args: atMost(),
		Example: `
postern host lockdown apply --allow root,cwagent --allow-group ops
postern host lockdown apply --confirm-within 60s
# containers of this network may use the instance's role
postern host lockdown apply --allow root --forward-from 172.17.0.0/16`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed = cmd.Flags().Changed
			return runLockdownApply(cmd.Context(), a, o)
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

func runLockdownApply(ctx context.Context, a *app, o lockdownApplyOptions) error {
	if o.within != 0 && (o.within < leastWithin || o.within > mostWithin) {
		return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("--confirm-within %v is out of bounds", o.within), Hint: "between 1s and 24h, such as 60s"}
	}
	w, err := o.wish(ctx, o.changed)
	if err != nil {
		return err
	}
	if o.ifNeeded {
		if good, err := standsAs(w.policy); err != nil || good {
			return err
		}
	}
	talk := a.Talk()
	for _, m := range w.missing {
		talk.Mark(ui.Warning, ui.Plain("this host has no "+m+": left out"))
	}
	change := lockdown.Change{Policy: &w.policy, Within: o.within, Watch: watch}
	if !o.noSelfTest {
		change.Test = func(ctx context.Context) error { return a.selfTest(ctx, w.policy) }
	}
	if err := (lockdown.Host{Dir: runDir}).Make(ctx, change); err != nil {
		return err
	}
	names := userNames(ctx)
	for _, s := range unserved(w.policy, names) {
		talk.Mark(ui.Warning, ui.Plain(s))
	}
	a.Result().Mark(ui.OK, ui.Plain(standingText(w.policy, names)))
	if o.changed == nil || slices.ContainsFunc(policyFlags, o.changed) {
		a.warnInstalled()
	}
	if o.within > 0 {
		a.Result().Mark(ui.Warning, ui.Plain(fmt.Sprintf("rolled back in %s unless you run `postern host lockdown confirm`", spec.FormatDuration(o.within))))
	}
	return nil
}

// standsAs reports whether there is nothing to do: the policy stands already, or
// somebody is trying another and will say whether it is to stay.
func standsAs(p lockdown.Policy) (bool, error) {
	until, err := lockdown.Host{Dir: runDir}.Pending()
	if err != nil || !until.IsZero() {
		return err == nil, err
	}
	state, err := lockdown.Read()
	return state != nil && len(state.Drift(p)) == 0, err
}

// watch starts the process that rolls back.
func watch(ctx context.Context, id string, within time.Duration) error {
	return lockdown.Outlive(ctx, "host", "lockdown", "await", id, within.String())
}

func newLockdownAwait(*app) *cobra.Command {
	return &cobra.Command{
		Use: "await ID TIME", Short: "Roll back an unconfirmed change", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			within, err := time.ParseDuration(args[1])
			if err != nil {
				return usageError(cmd, err.Error(), "")
			}
			return lockdown.Host{Dir: runDir}.Await(cmd.Context(), args[0], within)
		},
	}
}

func newLockdownAsk(a *app) *cobra.Command {
	var withoutToken bool
	cmd := &cobra.Command{
		Use: "ask ADDRESS", Short: "Make one request to an endpoint", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[0])
			if err != nil {
				return usageError(cmd, err.Error(), "")
			}
			if withoutToken {
				return a.Result().JSON(lockdown.AskWithoutToken(cmd.Context(), addr))
			}
			return a.Result().JSON(lockdown.Ask(cmd.Context(), addr))
		},
	}
	cmd.Flags().BoolVar(&withoutToken, "without-token", false, "as IMDSv1 did")
	return cmd
}

func newLockdownConfirm(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "confirm", Short: "Make the change that waits stand for good", Args: atMost(),
		Example: "\npostern host lockdown apply --confirm-within 60s\npostern host lockdown confirm",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := (lockdown.Host{Dir: runDir}).Confirm(cmd.Context()); err != nil {
				return err
			}
			a.Result().Mark(ui.OK, ui.Plain("confirmed: the firewall stands"))
			return nil
		},
	}
}

func newLockdownRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove", Short: "Remove the firewall: everybody reaches the credentials again", Args: atMost(),
		Example: "\npostern host lockdown remove",
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := lockdown.Read()
			if err != nil {
				return err
			}
			if err := (lockdown.Host{Dir: runDir}).Make(cmd.Context(), lockdown.Change{}); err != nil {
				return err
			}
			if state == nil {
				a.Result().Mark(ui.OK, ui.Plain("nothing to remove"))
				return nil
			}
			a.warnInstalled()
			a.Result().Mark(ui.Removed, ui.Plain("removed: every user of this host reaches "+addressText(state.Policy.Endpoints)))
			return nil
		},
	}
}

func newLockdownPrint(a *app) *cobra.Command {
	var o lockdownOptions
	cmd := &cobra.Command{
		Use: "print", Short: "Print the firewall in nft's syntax, for review",
		Long:    "Prints what apply would put into the kernel. `nft -f` of it makes the same table, and `nft -c -f` checks it. Changes nothing.",
		Args:    atMost(),
		Example: "\npostern host lockdown print --allow root,cwagent\npostern host lockdown print --allow root >/etc/nftables.d/postern.nft",
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := o.wish(cmd.Context(), cmd.Flags().Changed)
			if err != nil {
				return err
			}
			out := a.Result()
			names := userNames(cmd.Context())
			out.Printf("# %s\n", standingText(w.policy, names))
			out.Printf("%s", lockdown.Print(w.policy))
			return nil
		},
	}
	o.flags(cmd)
	return cmd
}

// selfTest tries a policy that stands, tells about it, and fails if it does not hold.
func (a *app) selfTest(ctx context.Context, p lockdown.Policy) error {
	names := userNames(ctx)
	stranger := lockdown.Stranger(p, names)
	checks, err := lockdown.SelfTest(ctx, p, stranger, lockdown.AskAs("host", "lockdown", "ask"))
	if err == nil {
		err = lockdown.Forget(stranger) // it was us
	}
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	talk := a.Talk()
	var wrong fault.List
	for _, c := range checks {
		mark, text := probeText(c, names)
		talk.Mark(mark, ui.Plain(text))
		if c.Problem != "" {
			wrong = append(wrong, &fault.Error{
				Code: fault.Findings, Where: c.Probe.Addr.String(), What: "self-test: " + c.Problem,
				Hint: selfTestHint(c),
			})
		}
	}
	return wrong.Err()
}

func selfTestHint(c lockdown.Check) string {
	if c.Allowed && c.Result.Outcome != lockdown.Answered && c.Result.Outcome != lockdown.Refused {
		return "is this an EC2 instance whose metadata service is on? Where it is not, apply with --no-self-test"
	}
	return "run `nft list ruleset` to see which other rules decide"
}

func probeText(c lockdown.Check, names map[uint32]string) (ui.Mark, string) {
	who := userText(c.Probe.UID, names)
	if !c.Allowed {
		who = fmt.Sprintf("a stranger (uid %d)", c.Probe.UID)
	}
	text := fmt.Sprintf("%s at %s: %s", who, c.Probe.Addr, c.Result.Outcome)
	if c.Result.Outcome != lockdown.NoRoute {
		text += fmt.Sprintf(" after %v", c.Result.After.Round(100*time.Microsecond))
	}
	switch {
	case c.Problem != "":
		return ui.Failed, text + ": " + c.Problem
	case c.Note != "":
		return ui.Point, text + ": " + c.Note
	}
	return ui.OK, text
}

// standingText says in one line what a policy means.
func standingText(p lockdown.Policy, names map[uint32]string) string {
	p = p.Normalised()
	var who []string
	for _, uid := range p.Allow {
		who = append(who, userText(uid, names))
	}
	text := "nobody reaches "
	if len(who) > 0 {
		text = "only " + several(who) + " may reach "
	}
	text += addressText(p.Endpoints)
	for i, f := range p.ForwardFrom {
		text += []string{", and containers of ", ", "}[min(i, 1)] + f.String()
	}
	if p.Observe {
		text = "observing, nothing is refused: " + text
	}
	return text
}

// several lists words, and of very many the first.
func several(words []string) string {
	const most = 10
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

func userText(uid uint32, names map[uint32]string) string {
	if name := names[uid]; name != "" {
		return name
	}
	return fmt.Sprintf("uid %d", uid)
}

func addressText(addrs []netip.Addr) string {
	var out []string
	for _, addr := range addrs {
		out = append(out, addr.String())
	}
	if n := len(out); n > 1 {
		out = append(out[:n-2], out[n-2]+" and "+out[n-1])
	}
	return strings.Join(out, ", ")
}

// userNames names the users of this host; none if they cannot be read, since
// they are only to be shown.
func userNames(ctx context.Context) map[uint32]string {
	names, err := lockdown.UserNames(ctx, lockdown.Getent)
	if err != nil {
		return nil
	}
	return names
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
