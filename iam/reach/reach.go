// Package reach answers what a principal could ever do: not for one request
// but for all that match a pattern, whatever their context. Its answers lean to
// "could": what it cannot rule out counts as possible, and a policy whose
// content is not known is reported, never taken for harmless.
package reach

import "github.com/postern-dev/postern/iam"

// Policy is a named document. A nil Document means that the content is not
// known.
type Policy struct {
	Name     string
	Document *iam.Document
}

// Principal is what bounds a user's or role's permissions.
type Principal struct {
	Identity []Policy // attached to it or to its groups
	Boundary *Policy  // nil: none
}

// Finding is why something is possible.
type Finding struct {
	Policy    string
	Unknown   bool // the policy's content is not known; the fields below are empty
	Index     int  // of the statement in the policy, from 0
	Statement iam.Statement
	Actions   []string // of the statement: those that overlap what was asked
	Resources []string
}

// Conditional reports whether the statement allows under conditions only.
func (f Finding) Conditional() bool { return len(f.Statement.Conditions) > 0 }

// Could reports whether some request whose action matches the pattern action
// and whose resource matches the pattern resource might be allowed, and by
// which statement. Conditions of Allow statements are taken to hold and those
// of Deny statements not to.
func (p *Principal) Could(action, resource string) (Finding, bool) {
	for _, policy := range p.Identity {
		if policy.Document == nil {
			if p.boundaryAdmits(action, resource, action, resource) {
				return Finding{Policy: policy.Name, Unknown: true}, true
			}
			continue
		}
		for i, s := range policy.Document.Statements {
			if f, ok := p.statementCould(s, action, resource); ok {
				f.Policy, f.Index = policy.Name, i
				return f, true
			}
		}
	}
	return Finding{}, false
}

// statementCould tries each action and resource of an Allow statement against
// the question, the denials and the boundary.
func (p *Principal) statementCould(s iam.Statement, action, resource string) (Finding, bool) {
	if s.Effect != iam.Allow {
		return Finding{}, false
	}
	found := Finding{Statement: s}
	for _, a := range positive(s.Actions, s.NotActions, action, iam.CoversFold) {
		if !iam.OverlapsFold(a, action) {
			continue
		}
		for _, r := range positive(s.Resources, s.NotResources, resource, iam.Covers) {
			r = freeVariables(r)
			if !iam.Overlaps(r, resource) || p.denied(a, action, r, resource) || !p.boundaryAdmits(a, action, r, resource) {
				continue
			}
			found.Actions = appendNew(found.Actions, a)
			found.Resources = appendNew(found.Resources, r)
		}
	}
	return found, len(found.Actions) > 0
}

// positive is what a list allows of the question: the list itself, or for a
// complement the question, unless the complement leaves nothing of it.
func positive(list, not []string, question string, covers func(wide, narrow string) bool) []string {
	if len(not) == 0 {
		return list
	}
	for _, n := range not {
		if covers(n, question) {
			return nil
		}
	}
	return []string{question}
}

// denied reports whether one unconditional Deny statement covers all that the
// statement and the question have in common. It is enough to cover either.
func (p *Principal) denied(allowAction, action, allowResource, resource string) bool {
	policies := p.Identity
	if p.Boundary != nil {
		policies = append(policies[:len(policies):len(policies)], *p.Boundary)
	}
	for _, policy := range policies {
		if policy.Document == nil {
			continue
		}
		for _, s := range policy.Document.Statements {
			if s.Effect == iam.Deny && len(s.Conditions) == 0 &&
				(coversAll(s.Actions, s.NotActions, action, iam.CoversFold, iam.OverlapsFold) || coversAll(s.Actions, s.NotActions, allowAction, iam.CoversFold, iam.OverlapsFold)) &&
				(coversAll(s.Resources, s.NotResources, resource, iam.Covers, iam.Overlaps) || coversAll(s.Resources, s.NotResources, allowResource, iam.Covers, iam.Overlaps)) {
				return true
			}
		}
	}
	return false
}

func coversAll(list, not []string, pattern string, covers, overlaps func(a, b string) bool) bool {
	if len(not) > 0 {
		for _, n := range not {
			if overlaps(freeVariables(n), pattern) {
				return false
			}
		}
		return true
	}
	for _, w := range list {
		if !hasVariables(w) && covers(w, pattern) {
			return true
		}
	}
	return false
}

// boundaryAdmits reports whether some Allow statement of the boundary overlaps
// both the statement and the question.
func (p *Principal) boundaryAdmits(allowAction, action, allowResource, resource string) bool {
	if p.Boundary == nil || p.Boundary.Document == nil {
		return true
	}
	for _, s := range p.Boundary.Document.Statements {
		if s.Effect != iam.Allow {
			continue
		}
		if overlapsBoth(positive(s.Actions, s.NotActions, action, iam.CoversFold), allowAction, action, iam.OverlapsFold) &&
			overlapsBoth(positive(s.Resources, s.NotResources, resource, iam.Covers), allowResource, resource, iam.Overlaps) {
			return true
		}
	}
	return false
}

func overlapsBoth(list []string, a, b string, overlaps func(x, y string) bool) bool {
	for _, p := range list {
		p = freeVariables(p)
		if overlaps(p, a) && overlaps(p, b) {
			return true
		}
	}
	return false
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
