package stack

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

type checkOptions struct {
	path string // a spec file, or a folder of them
	json bool
}

// NewCheck makes the command check.
func NewCheck(a *command.App) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [FILE|DIR]",
		Short: "Check a spec and say what it declares",
		Long: "Reads postern.yaml in the current folder, or the file or folder named, and reports every mistake with its line. " +
			"Policies are made and measured against AWS's default quotas, and the guard rails are held against them. No account is needed. " +
			"With - the spec is read from the standard input. Exits with 3 if a guard rail does not hold.",
		Args: command.AtMost("FILE|DIR"),
		Example: `
postern check
postern check examples/shop
# also the mistakes as JSON, with file, line and column
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

func runCheck(a *command.App, o checkOptions) error {
	result, err := check(a, o.path, time.Now())
	switch {
	case err != nil && o.json:
		return mistakesJSON(a, err)
	case err != nil:
		return err
	case o.json:
		err = a.Result().JSON(result)
	default:
		checkText(a.Result(), result)
	}
	if err == nil && !result.proof.Holds() {
		return command.Status(fault.Findings)
	}
	return err
}

func check(a *command.App, path string, now time.Time) (checkResult, error) {
	s, err := readSpec(a, path)
	if err != nil {
		return checkResult{}, err
	}
	proof, err := proveSpec(s)
	if err != nil {
		return checkResult{}, err
	}
	result := describeSpec(s)
	result.markEnded(now)
	result.proof, result.Rails, result.Notes, result.Unseen = proof, proof.Rails, proof.Notes, proof.Unseen
	return result, nil
}

// readSpec reads a file, a folder, or the standard input.
func readSpec(a *command.App, path string) (*spec.Spec, error) {
	if path != command.Stdin {
		return loadSpec(path)
	}
	data, err := io.ReadAll(io.LimitReader(a.In, spec.MaxBytes+1))
	if err != nil {
		return nil, &fault.Error{Where: "standard input", What: "read spec", Cause: err}
	}
	return spec.Parse(spec.Source{Name: "stdin", Data: data})
}

// mistakeJSON is one thing that is wrong with a spec, for tools that annotate
// files.
type mistakeJSON struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // from 1
	Column  int    `json:"column,omitempty"` // from 1, in characters
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// mistakesJSON prints what is wrong as the result, and leaves only the exit
// code to say.
func mistakesJSON(a *command.App, err error) error {
	result := struct {
		Errors []mistakeJSON `json:"errors"`
	}{}
	for _, f := range ui.Failures(err) {
		m := mistakeJSON{File: f.Where, Message: f.What, Hint: f.Hint}
		if at := place().FindStringSubmatch(f.Where); at != nil {
			m.File = at[1]
			m.Line, _ = strconv.Atoi(at[2]) // digits that we wrote
			m.Column, _ = strconv.Atoi(at[3])
		}
		result.Errors = append(result.Errors, m)
	}
	if lost := a.Result().JSON(result); lost != nil {
		return lost
	}
	return command.Status(fault.ExitCode(err))
}

// place is "file:line:column".
var place = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.*):([0-9]+):([0-9]+)$`) })

// proveSpec holds the guard rails against what the spec would make, measured
// against AWS's default quotas.
func proveSpec(s *spec.Spec) (*prove.Report, error) {
	e, err := compile.Estate(s, nil)
	if err != nil {
		return nil, err
	}
	return prove.Run(prove.Input{Spec: s, Estate: e, Now: time.Now()}), nil
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
