package lockdown

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

func newVerify(a *command.App) *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Try the firewall that stands, changing nothing",
		Long: "Makes requests as the allowed users and as a user who is not, and exits with 3 if one of them fares otherwise than it should. " +
			"It also tells whether the instance still answers without a token, and how many hops a token may go: by what its requests show, and by what EC2 " +
			"says where the instance's role may ec2:DescribeInstances. What is wrong there is a warning, with the command that changes it.",
		Args: command.AtMost(), Example: "\npostern host lockdown verify\npostern host lockdown verify --json",
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), a, json) },
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON")
	return cmd
}

// verdict is what verify tells.
type verdict struct {
	Holds  bool    `json:"holds"`
	Checks []check `json:"checks"`
	// Options are the instance's metadata options; null: not looked at, since
	// the firewall does not hold or does not guard the service's IPv4 address.
	Options *optionsReport `json:"metadata_options"`
}

type check struct {
	user
	Address string           `json:"address"`
	Allowed bool             `json:"allowed"`
	Outcome lockdown.Outcome `json:"outcome"`
	Status  int              `json:"status,omitempty"` // of HTTP
	Millis  float64          `json:"milliseconds"`
	Problem string           `json:"problem,omitempty"`
	Note    string           `json:"note,omitempty"`
}

func runVerify(ctx context.Context, a *command.App, json bool) error {
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	state, err := host.Read()
	if err != nil {
		return err
	}
	switch {
	case state == nil:
		return noFirewall()
	case state.Policy.Observe:
		return &fault.Error{Code: fault.Findings, What: "the firewall only observes: it refuses nobody", Hint: "run `postern host lockdown apply`"}
	}
	names := userNames(ctx, state.Policy.Allow...)
	checks, err := selfTest(ctx, host, state.Policy, names)
	if err != nil {
		return err
	}
	wrong := problems(checks)
	var options *optionsReport
	if wrong == nil {
		options = lookAtOptions(ctx, state.Policy, checks)
	}
	if json {
		return verdictJSON(a, verdict{wrong == nil, checkRows(checks, names), options})
	}
	tellChecks(a, checks, names)
	if wrong != nil {
		return wrong
	}
	if options != nil {
		options.text(a.Talk())
	}
	a.Result().Mark(ui.OK, ui.Plain("holds: "+standingText(state.Policy, names)))
	return nil
}

func verdictJSON(a *command.App, v verdict) error {
	if err := a.Result().JSON(v); err != nil {
		return err
	}
	if !v.Holds {
		return command.Status(fault.Findings)
	}
	return nil
}

func checkRows(checks []lockdown.Check, names map[uint32]string) []check {
	rows := []check{}
	for _, c := range checks {
		rows = append(rows, check{
			user{c.Probe.UID, names[c.Probe.UID]},
			c.Probe.Addr.String(), c.Allowed, c.Result.Outcome, c.Result.Status,
			float64(c.Result.After.Round(10*time.Microsecond)) / float64(time.Millisecond), c.Problem, c.Note,
		})
	}
	return rows
}

// proved tries a policy that stands, tells about it, and fails if it does not hold.
func proved(ctx context.Context, a *command.App, host *lockdown.Host, p lockdown.Policy) error {
	names := userNames(ctx, p.Allow...)
	checks, err := selfTest(ctx, host, p, names)
	if err != nil {
		return err
	}
	tellChecks(a, checks, names)
	return problems(checks)
}

func selfTest(ctx context.Context, host *lockdown.Host, p lockdown.Policy, names map[uint32]string) ([]lockdown.Check, error) {
	stranger := lockdown.Stranger(p, names)
	checks, err := lockdown.SelfTest(ctx, p, stranger, lockdown.AskAs("host", "lockdown", "ask"))
	if err == nil {
		err = host.Forget(stranger) // it was us
	}
	if err != nil {
		return nil, fmt.Errorf("self-test: %w", err)
	}
	return checks, nil
}

func tellChecks(a *command.App, checks []lockdown.Check, names map[uint32]string) {
	for _, c := range checks {
		mark, text := probeText(c, names)
		a.Talk().Mark(mark, ui.Plain(text))
	}
}

func problems(checks []lockdown.Check) error {
	var wrong fault.List
	for _, c := range checks {
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
