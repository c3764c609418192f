package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/suggest"
)

type dataOptions struct {
	name string // empty: the reference itself
	json bool
}

func newData(a *app) *cobra.Command {
	var o dataOptions
	cmd := &cobra.Command{
		Use:   "data [SERVICE|ACTION]",
		Short: "Explain AWS's services and actions, and say how old the data is",
		Long: "Postern knows AWS's service authorization reference: actions with their levels, resource types and condition keys. " +
			"It is part of the program; no network is asked. A pattern lists the actions that it stands for, and a condition key is explained too.",
		Args: atMost("SERVICE|ACTION"),
		Example: `
postern data
postern data s3
postern data s3:GetObject
postern data 's3:Get*Acl'
postern data aws:SourceIp`,
		ValidArgsFunction: completeData,
		RunE: func(_ *cobra.Command, args []string) error {
			o.name = first(args, "")
			return runData(a, o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runData(a *app, o dataOptions) error {
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
			return unknownService(o.name)
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
func explainName(a *app, o dataOptions) error {
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
		return unknownAction(o.name)
	}
	if o.json {
		return out.JSON(describeKey(key))
	}
	keyText(out, key)
	return nil
}

// expandPattern gives the actions that a pattern stands for.
func expandPattern(pattern string) ([]actionBrief, error) {
	names := action.Expand(pattern)
	if len(names) == 0 {
		return nil, unknownAction(pattern)
	}
	list := make([]actionBrief, len(names))
	for i, name := range names {
		act, _ := action.Lookup(name)
		list[i] = actionBrief{name, act.Level}
	}
	return list, nil
}

func unknownService(prefix string) error {
	e := &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("AWS has no service %q, as of %s", prefix, action.Date()),
		Hint: "a service is named by the prefix of its actions, such as s3",
	}
	if near := suggest.Nearest(strings.ToLower(prefix), action.Services()); near != "" {
		e.Hint = "did you mean `postern data " + near + "`?"
	}
	return e
}

// unknownAction suggests the nearest action of the service, or the service.
func unknownAction(name string) error {
	prefix, short, _ := strings.Cut(name, ":")
	if strings.ContainsAny(name, "*?") {
		return &fault.Error{
			Code: fault.Usage,
			What: fmt.Sprintf("no action of AWS matches %q, as of %s", name, action.Date()),
			Hint: "a pattern names a service and its actions, such as 's3:Get*'",
		}
	}
	s, ok := action.ServiceByPrefix(prefix)
	if !ok {
		return unknownService(prefix)
	}
	e := &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("%s has no action %q, as of %s", s.Name, short, action.Date()),
		Hint: "run `postern data " + s.Prefix + "` to list them",
	}
	var names []string
	for _, a := range s.Actions {
		names = append(names, a.Name)
	}
	if near := suggest.Nearest(short, names); near != "" {
		e.Hint = "did you mean `postern data " + s.Prefix + ":" + near + "`?"
	}
	return e
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
