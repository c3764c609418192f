package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/suggest"
)

// UsageError is a mistake in the command line. Without a hint of its own it
// points to the command's help.
func UsageError(cmd *cobra.Command, what, hint string) error {
	if hint == "" {
		hint = "run `" + cmd.CommandPath() + " --help`"
	}
	return &fault.Error{Code: fault.Usage, What: what, Hint: hint}
}

// DidYouMean is the hint that names the candidate nearest to word, each of
// them written after prefix; empty if none is near.
func DidYouMean(word, prefix string, candidates []string) string {
	near := suggest.Nearest(word, candidates)
	if near == "" {
		return ""
	}
	return "did you mean `" + prefix + near + "`?"
}

// UnknownCommand is the Args of a command that only has others below it: what it
// takes for arguments are commands that do not exist.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return UsageError(cmd, fmt.Sprintf("unknown command %q", args[0]),
		DidYouMean(args[0], cmd.CommandPath()+" ", names))
}

// AtMost is the Args of a command that takes up to len(names) arguments.
func AtMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= len(names) {
			return nil
		}
		what := fmt.Sprintf("unexpected argument %q", args[len(names)])
		if len(names) > 0 {
			what += " after " + strings.Join(names, " ")
		}
		return UsageError(cmd, what, "")
	}
}

// First returns the first argument, or otherwise if there is none.
func First(args []string, otherwise string) string {
	if len(args) == 0 {
		return otherwise
	}
	return args[0]
}
