package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/cli/command"
)

// flagError says in our words what pflag found.
func flagError(cmd *cobra.Command, err error) error {
	if positional := cmd.Flags().Args(); !cmd.HasParent() && len(positional) > 0 {
		return command.UnknownCommand(cmd, positional) // its flags are unknown because it is
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return command.UsageError(cmd, "flag --"+bare.GetFlag().Name+" needs a value", "")
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		cause := invalid.Unwrap()
		if number, ok := errors.AsType[*strconv.NumError](cause); ok {
			cause = number.Err // without "strconv.ParseBool: parsing …"
		}
		what := fmt.Sprintf("invalid value %q for --%s: %v", invalid.GetValue(), invalid.GetFlag().Name, cause)
		return command.UsageError(cmd, what, "")
	}
	return command.UsageError(cmd, err.Error(), "")
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	if err.GetSpecifiedShortnames() != "" {
		return command.UsageError(cmd, "unknown flag -"+err.GetSpecifiedName(), "")
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return command.UsageError(cmd, "unknown flag --"+err.GetSpecifiedName(),
		command.DidYouMean(err.GetSpecifiedName(), "--", names))
}
