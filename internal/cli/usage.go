package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/suggest"
)

// usageError is a mistake in the command line. Without a hint of its own it
// points to the command's help.
func usageError(cmd *cobra.Command, what, hint string) error {
	if hint == "" {
		hint = "run `" + cmd.CommandPath() + " --help`"
	}
	return &fault.Error{Code: fault.Usage, What: what, Hint: hint}
}

// didYouMean is the hint that names the candidate nearest to word, each of
// them written after prefix; empty if none is near.
func didYouMean(word, prefix string, candidates []string) string {
	near := suggest.Nearest(word, candidates)
	if near == "" {
		return ""
	}
	return "did you mean `" + prefix + near + "`?"
}

// unknownCommand is the Args of the root command: what it takes for arguments
// are commands that do not exist.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return usageError(cmd, fmt.Sprintf("unknown command %q", args[0]),
		didYouMean(args[0], cmd.CommandPath()+" ", names))
}

// atMost is the Args of a command that takes up to len(names) arguments.
func atMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= len(names) {
			return nil
		}
		what := fmt.Sprintf("unexpected argument %q", args[len(names)])
		if len(names) > 0 {
			what += " after " + strings.Join(names, " ")
		}
		return usageError(cmd, what, "")
	}
}

// first returns the first argument, or otherwise if there is none.
func first(args []string, otherwise string) string {
	if len(args) == 0 {
		return otherwise
	}
	return args[0]
}

// flagError says in our words what pflag found.
func flagError(cmd *cobra.Command, err error) error {
	if positional := cmd.Flags().Args(); !cmd.HasParent() && len(positional) > 0 {
		return unknownCommand(cmd, positional) // its flags are unknown because it is
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usageError(cmd, "flag --"+bare.GetFlag().Name+" needs a value", "")
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		cause := invalid.Unwrap()
		if number, ok := errors.AsType[*strconv.NumError](cause); ok {
			cause = number.Err // without "strconv.ParseBool: parsing …"
		}
		what := fmt.Sprintf("invalid value %q for --%s: %v", invalid.GetValue(), invalid.GetFlag().Name, cause)
		return usageError(cmd, what, "")
	}
	return usageError(cmd, err.Error(), "")
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	if err.GetSpecifiedShortnames() != "" {
		return usageError(cmd, "unknown flag -"+err.GetSpecifiedName(), "")
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return usageError(cmd, "unknown flag --"+err.GetSpecifiedName(),
		didYouMean(err.GetSpecifiedName(), "--", names))
}
