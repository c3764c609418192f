package stack

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trial"
)

type upOptions struct {
	path    string
	sandbox bool
	yes     bool
	json    bool
}

// NewUp makes the command up.
func NewUp(a *command.App) *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up [FILE|DIR]",
		Short: "Check, plan, apply and prove in one go",
		Long: "Checks the spec, proves its guard rails before anything is made, plans, asks, applies, and proves the guard rails " +
			"again on what then stands in AWS. With --sandbox all of it happens in an AWS of its own inside this process, and the " +
			"access is used: machines come in with real tokens, strangers are refused, calls are made.",
		Args: command.AtMost("FILE|DIR"),
		Example: `
postern up --sandbox --yes examples/shop
postern up examples/shop`,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runUp(cmd.Context(), a, o)
		},
	}
	cmd.Flags().BoolVar(&o.sandbox, "sandbox", false, "do it in an embedded AWS that ends with the command")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// upResult is what up --json prints.
type upResult struct {
	Stack   string          `json:"stack"`
	Changes []appliedChange `json:"changes"`
	Proof   *prove.Report   `json:"proof"`
	Trial   *trial.Report   `json:"trial,omitempty"` // --sandbox only
}

func runUp(ctx context.Context, a *command.App, o upOptions) (err error) {
	s, err := loadSpec(o.path)
	if err != nil {
		return err
	}
	if err := proveBefore(a, s); err != nil {
		return err
	}
	var options aws.Options
	var play *playground
	if o.sandbox {
		if play, err = openPlayground(s); err != nil {
			return err
		}
		defer play.close(ctx)
		for _, arn := range play.standIns {
			a.Talk().Item(0, ui.Warning, "the sandbox does not know "+arn+": in it, a policy that allows everything stands in its place")
		}
		options = play.options()
	}
	t, err := connectSpec(ctx, a, s, options)
	if err != nil {
		return err
	}
	p, err := t.propose(ctx, s)
	if err != nil {
		return err
	}
	report, err := t.confirmAndRun(ctx, p.plan, runOptions{yes: o.yes, talk: o.json, question: "Apply this plan?", goal: goalSpec})
	if err != nil {
		return err
	}
	result := upResult{Stack: s.Stack, Changes: applied(s.Stack, report).Changes}
	if err := t.proveAfter(ctx, s, play, &result); err != nil {
		return err
	}
	return t.showUp(s, o, result)
}

// proveBefore refuses a spec that breaks its own guard rails, while nothing
// stands yet.
func proveBefore(a *command.App, s *spec.Spec) error {
	report, err := proveSpec(s)
	if err != nil || report.Holds() {
		return err
	}
	railsText(a.Talk(), report)
	return &fault.Error{Code: fault.Findings, What: "the spec breaks its own guard rails: nothing was changed", Hint: "narrow the grant that is blamed, or the guard rail"}
}

func (t *target) proveAfter(ctx context.Context, s *spec.Spec, play *playground, result *upResult) error {
	observed, err := t.awaitShown(ctx, s)
	if err != nil {
		return err
	}
	result.Proof = prove.Run(prove.Input{Spec: s, Estate: observed, Observed: true, Now: time.Now()})
	if play == nil {
		return nil
	}
	progress := t.Progress()
	defer progress.Close()
	progress.Step("use the access")
	result.Trial, err = trial.Run(ctx, s, play.gate(t.cloud))
	return err
}

func (t *target) showUp(s *spec.Spec, o upOptions, result upResult) error {
	if o.json {
		if err := t.Result().JSON(result); err != nil {
			return err
		}
	} else {
		out := t.Result()
		proofText(out, s, result.Proof)
		if result.Trial != nil {
			trialText(out, result.Trial)
		}
		out.Blank()
	}
	if !result.Proof.Holds() || result.Trial != nil && result.Trial.Wrong() {
		return command.Status(fault.Findings)
	}
	if !o.json {
		says := " is up, proved and as the spec says"
		if len(result.Proof.Rails) == 0 { // the spec has no guard rails
			says = " is up and as the spec says"
		}
		t.Result().Mark(ui.OK, ui.Plain("stack "), ui.Name(s.Stack), ui.Plain(says))
	}
	return nil
}
