package cli

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

type checkOptions struct {
	path string // a spec file, or a folder of them
	json bool
}

func newCheck(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [FILE|DIR]",
		Short: "Check a spec and say what it declares",
		Long: "Reads postern.yaml in the current folder, or the file or folder named, and reports every mistake with its line. " +
			"Policies are made and measured against AWS's default quotas, and the guard rails are held against them. No account is needed. " +
			"Exits with 3 if a guard rail does not hold.",
		Args: atMost("FILE|DIR"),
		Example: `
postern check
postern check examples/shop
postern check --json examples/shop`,
		ValidArgsFunction: completeSpec,
		RunE: func(_ *cobra.Command, args []string) error {
			o.path = specPath(args)
			return runCheck(a, o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runCheck(a *app, o checkOptions) error {
	s, err := spec.Load(o.path)
	if err != nil {
		return err
	}
	proof, err := proveSpec(s)
	if err != nil {
		return err
	}
	result := describeSpec(s)
	result.Rails = proof.Rails
	if o.json {
		err = a.Result().JSON(result)
	} else {
		checkText(a.Result(), result)
	}
	if err == nil && !proof.Holds() {
		return status(fault.Findings)
	}
	return err
}

// proveSpec holds the guard rails against what the spec would make, measured
// against AWS's default quotas.
func proveSpec(s *spec.Spec) (*prove.Report, error) {
	e, err := compile.Estate(s, nil)
	if err != nil {
		return nil, err
	}
	return prove.Run(prove.Input{Spec: s, Estate: e, Now: time.Now()})
}

// specPath is the spec that a command line names, or else postern.yaml in the
// current folder, or else that folder with all its YAML files.
func specPath(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	if _, err := os.Stat("postern.yaml"); err == nil {
		return "postern.yaml"
	}
	return "."
}

// completeSpec completes files that may be specs, and folders.
func completeSpec(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
