package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/fault"
)

type dataOptions struct {
	name string // empty: the reference itself
	json bool
}

// NewData makes the command data.
func NewData(a *command.App) *cobra.Command {
	var o dataOptions
	cmd := &cobra.Command{
		Use:   "data [SERVICE|ACTION]",
		Short: "Explain AWS's services and actions, and say how old the data is",
		Long: "Postern knows AWS's service authorization reference: actions with their levels, resource types and condition keys. " +
			"It is part of the program; no network is asked. A pattern lists the actions that it stands for, and a condition key is explained too.",
		Args: command.AtMost("SERVICE|ACTION"),
		Example: `
postern data
postern data s3
postern data s3:GetObject
postern data 's3:Get*Acl'
postern data aws:SourceIp`,
		ValidArgsFunction: completeData,
		RunE: func(_ *cobra.Command, args []string) error {
			o.name = command.First(args, "")
			return runData(a, o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runData(a *command.App, o dataOptions) error {
	out := a.Result()
	switch {
	case o.name == "":
		if o.json {
			return out.JSON(action.About())
		}
		aboutText(out, action.About())
	case strings.ContainsAny(o.name, "*?"):
		matches, err := expandPattern(o.name)
		if err != nil {
			return err
		}
		if o.json {
			return out.JSON(matches)
		}
		matchesText(out, matches)
	case strings.Contains(o.name, ":"):
		return explainName(a, o)
	default:
		s, ok := action.ServiceByPrefix(o.name)
		if !ok {
			return input.UnknownService(o.name)
		}
		if o.json {
			return out.JSON(describeService(s))
		}
		serviceText(out, describeService(s))
	}
	return nil
}

// explainName explains an action, or else a condition key: both have the form
// of a service's prefix, a colon and a name.
func explainName(a *command.App, o dataOptions) error {
	out := a.Result()
	if act, ok := action.Lookup(o.name); ok {
		if o.json {
			return out.JSON(describeAction(act))
		}
		actionText(out, describeAction(act))
		return nil
	}
	key, ok := action.ConditionKey("", o.name)
	if !ok {
		return unknownName(o.name)
	}
	if o.json {
		return out.JSON(describeKey(key))
	}
	keyText(out, key)
	return nil
}

// unknownName is about what is neither an action nor a condition key.
func unknownName(name string) error {
	prefix, _, _ := strings.Cut(name, ":")
	if !strings.EqualFold(prefix, "aws") {
		return input.UnknownAction(name)
	}
	var keys []string
	for _, k := range action.GlobalKeys() {
		keys = append(keys, k.Name)
	}
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("AWS has no condition key %q for all services, as of %s", name, action.Date()),
		Hint: cmp.Or(command.DidYouMean(name, "postern data ", keys), "such keys are named as aws:SourceIp"),
	}
}

// expandPattern gives the actions that a pattern stands for.
func expandPattern(pattern string) ([]actionBrief, error) {
	names := action.Expand(pattern)
	if len(names) == 0 {
		return nil, input.UnknownAction(pattern)
	}
	list := make([]actionBrief, len(names))
	for i, name := range names {
		act, _ := action.Lookup(name)
		list[i] = actionBrief{name, act.Level}
	}
	return list, nil
}

// completeData completes prefixes of services and, behind a colon, actions.
func completeData(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, directive
	}
	prefix, _, inAction := strings.Cut(word, ":")
	if !inAction {
		names := slices.DeleteFunc(action.Services(), func(s string) bool { return !strings.HasPrefix(s, word) })
		return names, directive
	}
	s, ok := action.ServiceByPrefix(prefix)
	if !ok {
		return nil, directive
	}
	var names []cobra.Completion
	for i := range s.Actions {
		names = append(names, s.Actions[i].String())
	}
	return names, directive
}
