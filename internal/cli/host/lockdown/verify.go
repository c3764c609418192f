package lockdown

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

func newVerify(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Try the firewall that stands, changing nothing",
		Long: "Makes requests as the allowed users and as a user who is not, and exits with 3 if one of them fares otherwise than it should. " +
			"It also tells whether the instance still answers without a token, and how many hops a token may go.",
		Args: command.AtMost(), Example: "\npostern host lockdown verify",
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), a) },
	}
}

func runVerify(ctx context.Context, a *command.App) error {
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	state, err := host.Read()
	if err != nil {
		return err
	}
	if state == nil {
		return noFirewall()
	}
	if err := selfTest(ctx, a, host, state.Policy); err != nil {
		return err
	}
	metadataOptions(ctx, a, state.Policy)
	a.Result().Mark(ui.OK, ui.Plain("holds: "+standingText(state.Policy, userNames(ctx))))
	return nil
}

// metadataOptions tells what the instance's metadata options are, as far as its
// answers show them. The firewall does not depend on them: they are a second
// line, for requests that an allowed program is tricked into.
func metadataOptions(ctx context.Context, a *command.App, p lockdown.Policy) {
	imds := netip.MustParseAddr("169.254.169.254")
	if len(p.Allow) == 0 || !slices.Contains(p.Endpoints, imds) {
		return
	}
	probe := lockdown.Probe{UID: p.Allow[0], Addr: imds}
	const fix = "aws ec2 modify-instance-metadata-options --instance-id ID "
	r, err := lockdown.AskAs("host", "lockdown", "ask", "--without-token")(ctx, probe)
	switch {
	case err != nil || r.Outcome != lockdown.Answered:
		a.Talk().Mark(ui.Point, ui.Plain("whether IMDSv2 is required could not be seen"))
	case r.Status == http.StatusUnauthorized:
		a.Talk().Mark(ui.OK, ui.Plain("IMDSv2 is required"))
	default:
		a.Talk().Mark(ui.Warning, ui.Plain("IMDSv1 is on: a server that can be made to fetch a URL gives the credentials away. Run `"+fix+"--http-tokens required`"))
	}
	limit, err := lockdown.HopLimit(ctx, imds, func(ctx context.Context) error {
		_, err := lockdown.AskAs("host", "lockdown", "ask")(ctx, probe)
		return err
	})
	switch {
	case err != nil || limit == 0:
		a.Talk().Mark(ui.Point, ui.Plain("the hop limit of tokens could not be seen"))
	case limit == 1:
		a.Talk().Mark(ui.OK, ui.Plain("tokens go one hop: not into bridged containers"))
	case len(p.ForwardFrom) == 0:
		a.Talk().Mark(ui.Warning, ui.Plain(fmt.Sprintf("tokens go %d hops, and no container may have one: run `%s--http-put-response-hop-limit 1`", limit, fix)))
	}
}

// selfTest tries a policy that stands, tells about it, and fails if it does not hold.
func selfTest(ctx context.Context, a *command.App, host *lockdown.Host, p lockdown.Policy) error {
	names := userNames(ctx)
	stranger := lockdown.Stranger(p, names)
	checks, err := lockdown.SelfTest(ctx, p, stranger, lockdown.AskAs("host", "lockdown", "ask"))
	if err == nil {
		err = host.Forget(stranger) // it was us
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
