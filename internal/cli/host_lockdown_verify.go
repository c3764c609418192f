package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

func newLockdownVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Try the firewall that stands, changing nothing",
		Long: "Makes requests as the allowed users and as a user who is not, and exits with 3 if one of them fares otherwise than it should. " +
			"It also tells whether the instance still answers without a token, and how many hops a token may go.",
		Args: atMost(), Example: "\npostern host lockdown verify",
		RunE: func(cmd *cobra.Command, _ []string) error { return runLockdownVerify(cmd.Context(), a) },
	}
}

func runLockdownVerify(ctx context.Context, a *app) error {
	state, err := lockdown.Read()
	if err != nil {
		return err
	}
	if state == nil {
		return noFirewall()
	}
	if err := a.selfTest(ctx, state.Policy); err != nil {
		return err
	}
	a.metadataOptions(ctx, state.Policy)
	a.Result().Mark(ui.OK, ui.Plain("holds: "+standingText(state.Policy, userNames(ctx))))
	return nil
}

// metadataOptions tells what the instance's metadata options are, as far as its
// answers show them. The firewall does not depend on them: they are a second
// line, for requests that an allowed program is tricked into.
func (a *app) metadataOptions(ctx context.Context, p lockdown.Policy) {
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
