package reach

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// Extent says how many requests of a question are allowed.
type Extent uint8

// The extents. Between Never and Always, which are proofs, lies all that
// depends on the request, or on what is not known.
const (
	Never     Extent = iota // none of them, in whatever context
	Sometimes               // some may be, others may not
	Always                  // all of them, in whatever context
)

// String is "never", "sometimes" or "always".
func (e Extent) String() string {
	switch e {
	case Never:
		return "never"
	case Always:
		return "always"
	}
	return "sometimes"
}

// MarshalText writes the extent as String does.
func (e Extent) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Extent says how many requests of the question the principal's policies
// allow. What is beside them is left out: policies of resources, which may
// allow or deny more, and what AWS lets nobody do, such as to change its own
// roles and policies. For sts:AssumeRole, what goes with it, and KMS keys, where
// the other side must allow too, Always means that the principal's side always does.
func (p *Principal) Extent(q Question) Extent {
	_, could := p.Could(q)
	switch {
	case !could:
		return Never
	case p.always(q):
		return Always
	}
	return Sometimes
}

// Over is the Extent over every one of the actions on every one of the
// resources.
func (p *Principal) Over(actions, resources []string, facts Facts) Extent {
	var all extents
	for _, action := range actions {
		for _, resource := range resources {
			all.add(p.Extent(Question{Action: action, Resource: resource, Facts: facts}))
		}
	}
	return all.sum()
}

// extents adds up those of several questions.
type extents struct{ never, always, all int }

func (e *extents) add(one Extent) {
	e.all++
	switch one {
	case Never:
		e.never++
	case Always:
		e.always++
	}
}

func (e *extents) sum() Extent {
	switch e.all {
	case e.never:
		return Never
	case e.always:
		return Always
	}
	return Sometimes
}

// always reports whether every layer surely allows every request of the
// question, and nothing might deny one.
func (p *Principal) always(q Question) bool {
	for layer := range p.layers {
		if !covered(layer, q) {
			return false
		}
		for _, policy := range layer {
			if policy.Document == nil || mightDeny(policy.Document, q) {
				return false
			}
		}
	}
	return true
}

// covered reports whether one statement of a layer allows the whole question.
func covered(layer []Policy, q Question) bool {
	for _, policy := range layer {
		if policy.Document == nil {
			continue
		}
		for _, s := range policy.Document.Statements {
			if s.Effect == iam.Allow && covers(s, q.Action, q.Resource) && q.Facts.surely(policy.Document.Version, s.Conditions) {
				return true
			}
		}
	}
	return false
}

// covers reports whether the statement is surely about every request for the
// actions and resources, as far as its conditions hold. What variables take out
// is open: see mightDeny.
func covers(s iam.Statement, action, resource string) bool {
	return !slices.ContainsFunc(s.NotResources, hasVariables) && coversAll(s.Actions, s.NotActions, action, iam.CoversFold, overlapsAction) &&
		coversAll(s.Resources, s.NotResources, resource, iam.Covers, iam.Overlaps)
}

// mightDeny reports whether some statement denies some request of the question.
// One whose resources have variables might be about any: a key that has several
// values leaves open what a variable stands for.
func mightDeny(doc *iam.Document, q Question) bool {
	for i := range doc.Statements {
		s := &doc.Statements[i]
		if s.Effect != iam.Deny || !mightTouch(s, q) {
			continue
		}
		if _, alive := q.Facts.settle(doc.Version, s.Conditions); alive {
			return true
		}
	}
	return false
}

func mightTouch(deny *iam.Statement, q Question) bool {
	if slices.ContainsFunc(deny.Resources, hasVariables) {
		return touches(withoutResource(*deny), q)
	}
	return touches(*deny, q)
}

// touches reports whether the statement might be about some request of the
// question, as far as its conditions hold.
func touches(s iam.Statement, q Question) bool {
	actions, resources := false, false
	for _, a := range positive(s.Actions, s.NotActions, q.Action, iam.CoversFold) {
		actions = actions || overlapsAction(a, q.Action)
	}
	for _, r := range positive(s.Resources, s.NotResources, q.Resource, iam.Covers) {
		resources = resources || q.about(freeVariables(r))
	}
	return actions && resources
}
