package cli

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
)

// misfit says why no request for an action is about a resource, or about one
// that matches a pattern; empty if some may be.
func misfit(act *action.Action, resource string) string {
	types := act.ResourceTypes()
	switch {
	case len(types) == 0 && resource != "*":
		return act.String() + " knows no resources: its requests are for *, whatever they are about"
	case len(types) == 0, resource == "*" && !slices.ContainsFunc(act.Resources, isRequired):
		return ""
	case resource != "*" && slices.ContainsFunc(types, func(t *action.ResourceType) bool { return t.Overlaps(resource) }):
		return ""
	}
	return "no request for " + act.String() + " is about " + resource + ": its resources are " + resourcesOf(act)
}

func isRequired(r action.ActionResource) bool { return r.Required }

// resourcesOf lists the types of an action's resources with their ARNs.
func resourcesOf(act *action.Action) string {
	var out []string
	for _, t := range act.ResourceTypes() {
		out = append(out, t.Name+" ("+strings.Join(t.ARNs, ", ")+")")
	}
	return few(out)
}
