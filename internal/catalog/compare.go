package catalog

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/reach"
)

// Access is actions on resources, if the conditions hold.
type Access struct {
	Actions    []string // exact, sorted
	Resources  []string // patterns
	Conditions []iam.Condition
}

// Gained lists what one policy allows that another does not surely allow: by
// proof over all requests, not by comparing words. It leaves nothing out that
// is new; what it cannot prove to be old counts as new.
func Gained(after, before *iam.Document) []Access {
	var out []Access
	for _, gain := range alone(after).Gains(alone(before), reach.Facts{}) {
		var actions []string
		for _, pattern := range gain.Actions { // few patterns that stand for exactly what is new
			actions = append(actions, action.Expand(pattern)...)
		}
		out = append(out, Access{Actions: set(actions), Resources: slices.Clone(gain.Resources), Conditions: gain.Via.Statement.Conditions})
	}
	return out
}

// alone is a principal with one policy.
func alone(doc *iam.Document) *reach.Principal {
	return &reach.Principal{Identity: []reach.Policy{{Document: doc}}}
}

// At returns those of the arguments that a level takes.
func (g *Grant) At(level string, args Args) Args {
	l, _ := g.level(level)
	out := Args{}
	for _, p := range g.Params {
		if given, ok := args[p.Name]; ok && p.at(l.Name) {
			out[p.Name] = given
		}
	}
	return out
}
