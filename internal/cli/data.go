package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/fault"
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
		return unknownAction(name)
	}
	var keys []string
	for _, k := range action.GlobalKeys() {
		keys = append(keys, k.Name)
	}
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("AWS has no condition key %q for all services, as of %s", name, action.Date()),
		Hint: cmp.Or(didYouMean(name, "postern data ", keys), "such keys are named as aws:SourceIp"),
	}
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
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("AWS has no service %q, as of %s", prefix, action.Date()),
		Hint: cmp.Or(didYouMean(strings.ToLower(prefix), "postern data ", action.Services()), "a service is named by the prefix of its actions, such as s3"),
	}
}

// unknownAction suggests the nearest action of the service, or the service.
func unknownAction(name string) error {
	prefix, short, whole := strings.Cut(name, ":")
	switch {
	case strings.ContainsAny(name, "*?"):
		return &fault.Error{
			Code: fault.Usage,
			What: fmt.Sprintf("no action of AWS matches %q, as of %s", name, action.Date()),
			Hint: "a pattern names a service and its actions, such as 's3:Get*'",
		}
	case !whole || prefix == "" || short == "":
		return noAction(name, strings.Trim(name, ":"))
	}
	s, ok := action.ServiceByPrefix(prefix)
	if !ok {
		return unknownService(prefix)
	}
	var names []string
	for _, a := range s.Actions {
		names = append(names, a.Name)
	}
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("%s has no action %q, as of %s", s.Name, short, action.Date()),
		Hint: cmp.Or(didYouMean(short, "postern data "+s.Prefix+":", names), "run `postern data "+s.Prefix+"` to list them"),
	}
}

// noAction is about a name without a service or without an action; word is
// what there is of it.
func noAction(name, word string) error {
	e := &fault.Error{
		Code: fault.Usage, What: fmt.Sprintf("%q is no action: those are named SERVICE:ACTION", name),
		Hint: "such as s3:GetObject, or 's3:Get*' for many",
	}
	if s, ok := action.ServiceByPrefix(word); ok {
		e.Hint = "'" + s.Prefix + ":*' is all of " + s.Name + "; run `postern data " + s.Prefix + "` to list its actions"
	} else if same := action.Expand("*:" + word); len(same) > 0 {
		slices.SortStableFunc(same, func(a, b string) int { return len(a) - len(b) }) // s3 before s3-object-lambda
		e.Hint = "did you mean " + few(same) + "?"
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
