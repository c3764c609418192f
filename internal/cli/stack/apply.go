package stack

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

type applyOptions struct {
	path string // a spec file, a folder of them, or a plan file
	yes  bool
	json bool
}

// NewApply makes the command apply.
func NewApply(a *command.App) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply [FILE|DIR|PLAN]",
		Short: "Make AWS as the spec says",
		Long: "Plans, shows the plan, asks, and carries it out. A file written by plan -o is carried out exactly as it was shown, " +
			"or refused if AWS has changed since. Interrupted, it can be run again: the next plan sees what is left.",
		Args: command.AtMost("FILE|DIR|PLAN"),
		Example: `
postern apply examples/shop
postern apply --yes shop.plan`,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runApply(cmd.Context(), a, o)
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runApply(ctx context.Context, a *command.App, o applyOptions) error {
	file, err := readPlanFile(o.path)
	if err != nil {
		return err
	}
	if file != nil {
		return applyFile(ctx, a, o, file)
	}
	s, err := loadSpec(o.path)
	if err != nil {
		return err
	}
	t, err := connectSpec(ctx, a, s, aws.Options{})
	if err != nil {
		return err
	}
	p, err := t.propose(ctx, s)
	if err != nil {
		return err
	}
	return t.carryOut(ctx, p.plan, runOptions{yes: o.yes, talk: o.json, question: "Apply this plan?", goal: goalSpec})
}

// applyFile carries out a saved plan if AWS still stands as it did when the
// plan was made.
func applyFile(ctx context.Context, a *command.App, o applyOptions, file *plan.File) error {
	t := &target{App: a, stack: file.Stack, region: file.Region, accounts: file.Accounts}
	if err := t.connect(ctx, aws.Options{Region: file.Region, Partition: file.Partition()}); err != nil {
		return err
	}
	observed, err := t.observe(ctx)
	if err != nil {
		return err
	}
	digest, err := plan.Digest(t.stack, observed)
	if err != nil {
		return err
	}
	if digest != file.Digest {
		return &fault.Error{
			Where: o.path,
			What:  "the plan is stale: what it was made from has changed in AWS since",
			Hint:  "make and read a new one: postern plan -o " + o.path,
		}
	}
	question := "Apply this plan?"
	if file.Destroy {
		question = "Destroy all this?"
	}
	return t.carryOut(ctx, file.Plan(), runOptions{yes: o.yes, talk: o.json, question: question, goal: goalOf(file)})
}

// runOptions say how a plan is shown and agreed to.
type runOptions struct {
	yes      bool
	talk     bool // show the plan on stderr: stdout is for JSON
	question string
	goal     string
}

// carryOut is confirmAndRun for commands whose result is what was done.
func (t *target) carryOut(ctx context.Context, p *plan.Plan, o runOptions) error {
	report, err := t.confirmAndRun(ctx, p, o)
	if o.talk && (err == nil || len(report.Results) > 0) {
		return errors.Join(t.Result().JSON(applied(p.Stack, report)), err)
	}
	return err
}

// confirmAndRun shows a plan, asks, carries it out and says what was done.
func (t *target) confirmAndRun(ctx context.Context, p *plan.Plan, o runOptions) (apply.Report, error) {
	show := t.Result()
	if o.talk {
		show = t.Talk()
	}
	t.planText(show, p, o.goal)
	if p.Empty() {
		return apply.Report{}, nil
	}
	if !o.yes {
		t.Talk().Blank()
		agreed, err := t.Confirm(ctx, o.question)
		if err != nil {
			return apply.Report{}, err
		}
		if !agreed {
			return apply.Report{}, &fault.Error{What: "not applied: nothing was changed", Hint: "answer y, or run with --yes"}
		}
	}
	report, err := t.run(ctx, p)
	t.reportText(report, err)
	return report, err
}

// run carries out a plan and tells of its progress.
func (t *target) run(ctx context.Context, p *plan.Plan) (apply.Report, error) {
	progress := t.Progress()
	defer progress.Close()
	done := 0
	return apply.Run(ctx, p.Changes, t.cloud, apply.Options{Progress: func(e apply.Event) {
		kind, name := kindAndName(e.Change.Entity)
		step := string(e.Change.Verb) + " " + kind + " " + name
		switch e.Step {
		case apply.Began:
			progress.Count(done, len(p.Changes))
			progress.Step(step)
		case apply.Waiting:
			progress.Step(step + ": waits " + e.Wait.Round(100_000_000).String() + ", " + e.Err.Error())
		case apply.Made:
			done++
		case apply.Gave:
			progress.Mark(ui.Failed, ui.Plain(step))
		}
	}})
}

// reportText says on stderr what was and was not done. The errors themselves
// are printed by Main.
func (t *target) reportText(r apply.Report, err error) {
	done, failed, untried := len(r.Of(apply.Done)), r.Of(apply.Failed), r.Of(apply.NotTried)
	out := t.Talk()
	if err == nil {
		out.Mark(ui.OK, ui.Plain(ui.Plural(done, "call", "calls")+" made"))
		return
	}
	out.Mark(ui.Failed, ui.Plain(ui.Plural(done, "call", "calls")+" made, "+ui.Plural(len(failed), "failed", "failed")+", "+ui.Plural(len(untried), "not tried", "not tried")))
	for _, res := range untried {
		kind, name := kindAndName(res.Change.Entity)
		out.Line(ui.Dim("    not tried: " + string(res.Change.Verb) + " " + kind + " " + name + " " + changeObject(res.Change)))
	}
}

// applyResult is what apply --json prints.
type applyResult struct {
	Stack   string          `json:"stack"`
	Changes []appliedChange `json:"changes"`
}

type appliedChange struct {
	plan.Change
	State string `json:"state"` // "done", "failed" or "not tried"
	Error string `json:"error,omitempty"`
}

func applied(stack string, r apply.Report) applyResult {
	out := applyResult{Stack: stack, Changes: []appliedChange{}}
	for _, res := range r.Results {
		c := appliedChange{Change: res.Change, State: res.State.String()}
		if res.Err != nil {
			c.Error = res.Err.Error()
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}
