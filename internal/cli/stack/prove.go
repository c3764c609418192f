package stack

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

type proveOptions struct {
	path      string
	offline   bool // prove the compiled spec, not what stands in AWS
	attackers bool // try the trust policies on strangers instead of the guard rails
	json      bool
}

// NewProve makes the command prove.
func NewProve(a *command.App) *cobra.Command {
	var o proveOptions
	cmd := &cobra.Command{
		Use:   "prove [FILE|DIR]",
		Short: "Hold the guard rails against what stands in AWS",
		Long: "Finds every role that each identity can become, directly or through other roles, and tries each guard rail on it. " +
			"What cannot be ruled out counts as possible. Exits with 3 if a guard rail does not hold; offline, one that only AWS can decide is shown and counts as held.\n\n" +
			"With --attackers it tries the trust policy of each role on those who come close to its identities: tokens that somebody else can have from the same issuer, " +
			"services on behalf of others, principals with names alike. It says who has such a token, and exits with 3 if one is admitted.",
		Args: command.AtMost("FILE|DIR"),
		Example: `
postern prove examples/shop
postern prove --offline examples/shop
postern prove --attackers --offline examples/identities`,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runProve(cmd.Context(), a, o)
		},
	}
	cmd.Flags().BoolVar(&o.offline, "offline", false, "prove what the spec asks for, without asking AWS")
	cmd.Flags().BoolVar(&o.attackers, "attackers", false, "try the trust policies on those who must not pass")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runProve(ctx context.Context, a *command.App, o proveOptions) error {
	s, err := loadSpec(o.path)
	if err != nil {
		return err
	}
	e, err := estateToProve(ctx, a, s, o.offline)
	if err != nil {
		return err
	}
	in := prove.Input{Spec: s, Estate: e, Observed: !o.offline, Now: time.Now()}
	if o.attackers {
		return proveAttackers(a, in, o.json)
	}
	report := prove.Run(in)
	if o.json {
		err = a.Result().JSON(report)
	} else {
		proofText(a.Result(), s, report)
	}
	if err == nil && !report.Holds() {
		return command.Status(fault.Findings)
	}
	return err
}

func proveAttackers(a *command.App, in prove.Input, json bool) error {
	attacks := prove.RunAttacks(in)
	if json {
		if err := a.Result().JSON(attacks); err != nil {
			return err
		}
	} else {
		attacksText(a.Result(), attacks)
	}
	if !attacks.Refused() {
		return command.Status(fault.Findings)
	}
	return nil
}

func estateToProve(ctx context.Context, a *command.App, s *spec.Spec, offline bool) (*estate.Estate, error) {
	if offline {
		return compile.Estate(s, nil)
	}
	t, err := connectSpec(ctx, a, s, aws.Options{})
	if err != nil {
		return nil, offerOffline(err)
	}
	return t.observe(ctx)
}

// offerOffline adds to the hint of an error about credentials that a spec can be
// proved without any.
func offerOffline(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Auth {
		return err
	}
	offered := *e
	offered.Hint += "; to prove what the spec asks for: postern prove --offline"
	return &offered
}
