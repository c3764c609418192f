package stack

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
)

type destroyOptions struct {
	path string
	yes  bool
	json bool
}

// NewDestroy makes the command destroy.
func NewDestroy(a *command.App) *cobra.Command {
	var o destroyOptions
	cmd := &cobra.Command{
		Use:   "destroy [FILE|DIR]",
		Short: "Remove everything that the stack owns, and nothing else",
		Long: "Removes what lies under the stack's IAM path in the accounts of the spec. OIDC providers are shared: " +
			"one goes only if Postern made it and no role of the account trusts it any more.",
		Args: command.AtMost("FILE|DIR"),
		Example: `
postern destroy examples/shop
postern plan --destroy examples/shop`,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runDestroy(cmd.Context(), a, o)
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runDestroy(ctx context.Context, a *command.App, o destroyOptions) error {
	s, err := loadSpec(o.path)
	if err != nil {
		return err
	}
	t, err := connectSpec(ctx, a, s, aws.Options{})
	if err != nil {
		return err
	}
	p, err := t.proposeEmpty(ctx)
	if err != nil {
		return err
	}
	return t.carryOut(ctx, p.plan, runOptions{yes: o.yes, talk: o.json, question: "Destroy all this?", goal: goalNothing})
}
