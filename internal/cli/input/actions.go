package input

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

// Misfit says why no request for an action is about a resource, or about one
// that matches a pattern; empty if some may be.
func Misfit(act *action.Action, resource string) string {
	types := act.ResourceTypes()
	switch {
	case len(types) == 0 && resource != "*":
		return act.String() + " knows no resources: its requests are for *, whatever they are about"
	case len(types) == 0, resource == "*" && !slices.ContainsFunc(act.Resources, isRequired):
		return ""
	case resource != "*" && slices.ContainsFunc(types, func(t *action.ResourceType) bool { return t.Overlaps(resource) }):
		return ""
	}
	return "no request for " + act.String() + " is about " + resource + ": its resources are " + ResourcesOf(act)
}

func isRequired(r action.ActionResource) bool { return r.Required }

// ResourcesOf lists the types of an action's resources with their ARNs.
func ResourcesOf(act *action.Action) string {
	var out []string
	for _, t := range act.ResourceTypes() {
		out = append(out, t.Name+" ("+strings.Join(t.ARNs, ", ")+")")
	}
	return ui.Few(out)
}

// CheckAction takes actions that AWS has, and patterns that match any.
func CheckAction(name string) error {
	if strings.ContainsAny(name, "*?") {
		if len(action.Expand(name)) == 0 {
			return UnknownAction(name)
		}
		return nil
	}
	if _, known := action.Lookup(name); !known {
		return UnknownAction(name)
	}
	return nil
}

// UnknownAction is the error about a name or pattern of no action. It suggests the nearest action of the service, or the service.
func UnknownAction(name string) error {
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
		return UnknownService(prefix)
	}
	var names []string
	for _, a := range s.Actions {
		names = append(names, a.Name)
	}
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("%s has no action %q, as of %s", s.Name, short, action.Date()),
		Hint: cmp.Or(command.DidYouMean(short, "postern data "+s.Prefix+":", names), "run `postern data "+s.Prefix+"` to list them"),
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
		e.Hint = "did you mean " + ui.Few(same) + "?"
	}
	return e
}

// UnknownService is the error about the prefix of no service.
func UnknownService(prefix string) error {
	return &fault.Error{
		Code: fault.Usage,
		What: fmt.Sprintf("AWS has no service %q, as of %s", prefix, action.Date()),
		Hint: cmp.Or(command.DidYouMean(strings.ToLower(prefix), "postern data ", action.Services()), "a service is named by the prefix of its actions, such as s3"),
	}
}
