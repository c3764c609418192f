package cli

import (
	"context"
	"fmt"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/spec"
)

type planOptions struct {
	path     string // a spec file, or a folder of them
	out      string // file to write the plan to; empty: none
	detailed bool   // exit with 2 if there are changes
	destroy  bool   // plan the removal of the stack
	json     bool
}

func newPlan(a *app) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [FILE|DIR]",
		Short: "Show what apply would change, and who gains and loses which permissions",
		Long: "Compares the spec with what stands in AWS and lists the IAM calls that lead from the one to the other, " +
			"in their order and each with its reason. Nothing is changed.",
		Args: atMost("FILE|DIR"),
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

func runPlan(ctx context.Context, a *app, o planOptions) error {
	s, err := spec.Load(o.path)
	if err != nil {
		return err
	}
	t, err := a.connectSpec(ctx, s, aws.Options{})
	if err != nil {
		return err
	}
	var p *proposal
	if o.destroy {
		p, err = t.proposeEmpty(ctx)
	} else {
		p, err = t.propose(ctx, s)
	}
	if err != nil {
		return err
	}
	if err := t.showPlan(p, o); err != nil {
		return err
	}
	if o.detailed && !p.plan.Empty() {
		return status(fault.Changes)
	}
	return nil
}

func (t *target) showPlan(p *proposal, o planOptions) error {
	file := t.file(p)
	if o.out != "" {
		data, err := file.Encode()
		if err != nil {
			return err
		}
		if err := renameio.WriteFile(o.out, data, 0o600); err != nil {
			return fmt.Errorf("write plan: %w", err)
		}
	}
	if o.json {
		file.Format = plan.FileFormat
		return t.Result().JSON(file)
	}
	goal := goalSpec
	if o.destroy {
		goal = goalNothing
	}
	t.planText(t.Result(), p.plan, goal)
	if o.out != "" {
		t.Talk().Blank()
		t.Talk().Mark(ui.OK, ui.Plain("plan written to "), ui.Name(o.out), ui.Dim("; carry it out with: postern apply "+o.out))
	}
	return nil
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

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
