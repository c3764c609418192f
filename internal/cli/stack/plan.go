package stack

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

type planOptions struct {
	path     string // a spec file, or a folder of them
	out      string // file to write the plan to; empty: none
	detailed bool   // exit with 2 if there are changes
	destroy  bool   // plan the removal of the stack
	json     bool
}

// NewPlan makes the command plan.
func NewPlan(a *command.App) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [FILE|DIR]",
		Short: "Show what apply would change, and who gains and loses which permissions",
		Long: "Compares the spec with what stands in AWS and lists the IAM calls that lead from the one to the other, " +
			"in their order and each with its reason. Nothing is changed. A file written by plan -o is shown again.",
		Args: command.AtMost("FILE|DIR"),
		Example: `
postern plan examples/shop
postern plan -o shop.plan examples/shop && postern apply shop.plan
postern plan --detailed-exitcode examples/shop`,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runPlan(cmd.Context(), a, o)
		},
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "write the plan to `FILE`, for apply")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 if there are changes, with 0 if there are none")
	cmd.Flags().BoolVar(&o.destroy, "destroy", false, "plan the removal of everything that the stack owns")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runPlan(ctx context.Context, a *command.App, o planOptions) error {
	file, err := readPlanFile(o.path)
	if err != nil {
		return err
	}
	if file == nil {
		if file, err = makePlan(ctx, a, o); err != nil {
			return err
		}
	}
	if o.out != "" {
		if err := writePlan(o.out, file); err != nil {
			return err
		}
	}
	if err := showPlan(a, file, o); err != nil {
		return err
	}
	if o.detailed && len(file.Changes) > 0 {
		return command.Status(fault.Changes)
	}
	return nil
}

func makePlan(ctx context.Context, a *command.App, o planOptions) (*plan.File, error) {
	s, err := loadSpec(o.path)
	if err != nil {
		return nil, err
	}
	t, err := connectSpec(ctx, a, s, aws.Options{})
	if err != nil {
		return nil, err
	}
	var p *proposal
	if o.destroy {
		p, err = t.proposeEmpty(ctx)
	} else {
		p, err = t.propose(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	return t.file(p, o.destroy), nil
}

func writePlan(name string, file *plan.File) error {
	data, err := file.Encode()
	if err != nil {
		return err
	}
	return command.WriteRecord(name, data, 0o600)
}

func showPlan(a *command.App, file *plan.File, o planOptions) error {
	if o.json {
		data, err := file.Encode()
		if err != nil {
			return err
		}
		a.Result().Printf("%s", data)
		return nil
	}
	t := &target{App: a, stack: file.Stack, accounts: file.Accounts}
	t.planText(a.Result(), file.Plan(), goalOf(file))
	if o.out != "" {
		a.Talk().Blank()
		a.Talk().Mark(ui.OK, ui.Plain("plan written to "), ui.Name(o.out), ui.Dim("; carry it out with: postern apply "+o.out))
	}
	return nil
}

// goalOf is what a saved plan is to reach.
func goalOf(file *plan.File) string {
	if file.Destroy {
		return goalNothing
	}
	return goalSpec
}

// accountName is an account's name in the spec with its id.
func (t *target) accountName(id string) string {
	for _, a := range t.accounts {
		if a.ID == id {
			return a.Name + " " + id
		}
	}
	return id
}
