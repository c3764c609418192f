// Package reach answers what a principal could ever do, and who could ever
// become a role: not for one request but for all that match a pattern, as far
// as what is known of them goes. Its answers lean to "could": what it cannot
// rule out counts as possible, and a policy whose content is not known is
// reported, never taken for harmless.
//
// Never and Always are proofs; Sometimes may be said where a proof exists that
// is not looked for. It does not join what two statements cover together: an
// Allow or a Deny of "a*" beside one of "b*" is not one of both. It settles each
// condition apart, so that two which exclude each other may both hold. It takes
// a variable in a resource for anything, wherever it stands, unless what is known
// of who asks tells its value: see Principal.Filled. It lets every action be asked
// for with every resource, also those that AWS does not pair.
package reach

import (
	"iter"
	"slices"

	"github.com/postern-dev/postern/iam"
)

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
	// SCP are the service control policies that bind it, a list for each level
	// of the organisation that has any. Each level must allow.
	SCP [][]Policy
}

// Question is a set of requests: those whose action and resource match and of
// which the facts are true.
type Question struct {
	Action   string   // pattern
	Resource string   // pattern; in one with all six parts of an ARN, a wildcard of the first five stays within its part
	Except   []string // resource patterns that are left out of Resource
	Facts    Facts
	// Bare says that the requests are for no resource at all, which policies
	// match as "*". Resource is then "*" too.
	Bare bool
}

// with is the question to somebody of whom more is known.
func (q Question) with(f Facts) Question {
	q.Facts = f
	return q
}

// Finding is why something is possible.
type Finding struct {
	Policy    string
	Unknown   bool // the policy's content is not known; the fields below are empty
	Index     int  // of the statement in the policy, from 0
	Statement iam.Statement
	Actions   []string // of the statement: those that overlap what was asked
	Resources []string
	Open      []iam.Condition // of the statement: those that the facts leave open
}

// Conditional reports whether the statement allows under conditions only.
func (f Finding) Conditional() bool { return len(f.Open) > 0 }

// Could reports whether some request of the question might be allowed, and by
// which statement first. Conditions that the facts leave open are taken to hold
// in Allow statements and not to in Deny statements.
func (p *Principal) Could(q Question) (Finding, bool) {
	for f := range p.Findings(q) {
		return f, true
	}
	return Finding{}, false
}

// Findings are all the statements that might allow a request of the question,
// in the order of the policies.
func (p *Principal) Findings(q Question) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, policy := range p.Identity {
			if policy.Document == nil {
				if p.remains(q, q.Action, q.Resource) && !yield(Finding{Policy: policy.Name, Unknown: true}) {
					return
				}
				continue
			}
			for i, s := range policy.Document.Statements {
				f, ok := p.statementCould(policy.Document.Version, s, q)
				if !ok {
					continue
				}
				f.Policy, f.Index = policy.Name, i
				if !yield(f) {
					return
				}
			}
		}
	}
}

// statementCould tries each action and resource of an Allow statement against
// the question, the denials and the boundary.
func (p *Principal) statementCould(version string, s iam.Statement, q Question) (Finding, bool) {
	if s.Effect != iam.Allow {
		return Finding{}, false
	}
	found := Finding{Statement: s}
	for _, a := range positive(s.Actions, s.NotActions, q.Action, iam.CoversFold) {
		if !overlapsAction(a, q.Action) {
			continue
		}
		for _, r := range positive(s.Resources, s.NotResources, q.Resource, iam.Covers) {
			r = freeVariables(r)
			if !q.about(r) || !p.remains(q, a, r) {
				continue
			}
			found.Actions = appendNew(found.Actions, a)
			found.Resources = appendNew(found.Resources, r)
		}
	}
	if len(found.Actions) == 0 {
		return Finding{}, false
	}
	open, alive := q.Facts.settle(version, s.Conditions)
	found.Open = open
	return found, alive
}

// about reports whether a resource pattern of a policy has anything in common
// with the question.
func (q *Question) about(resource string) bool {
	if q.Bare {
		return iam.Match(resource, "*")
	}
	return overlapsARN(q.Resource, resource) && !coversAny(q.Except, resource)
}

// remains reports whether anything is left of what a statement allows of the
// question: some action and resource that nothing denies and every limit
// admits.
func (p *Principal) remains(q Question, action, resource string) bool {
	if p.denied(q, action, resource) {
		return false
	}
	for limit := range p.limits {
		if !admits(limit, q, action, resource) {
			return false
		}
	}
	return true
}

// limits gives what must allow beside the identity policies: the boundary and
// each level of SCPs.
func (p *Principal) limits(yield func([]Policy) bool) {
	if p.Boundary != nil && !yield([]Policy{*p.Boundary}) {
		return
	}
	for _, level := range p.SCP {
		if !yield(level) {
			return
		}
	}
}

// layers gives the identity policies and the limits: all whose denials count.
func (p *Principal) layers(yield func([]Policy) bool) {
	if yield(p.Identity) {
		p.limits(yield)
	}
}

// barred reports whether the principal is kept from a question though a
// resource's policy lets it in by name: by what denies, or by SCPs.
func (p *Principal) barred(q Question) bool {
	_, could := p.standIn(Policy{Document: anything}, nil).Could(q)
	return !could
}

// standIn is the principal with a policy that makes up for its own and for its
// boundary. What these deny stays denied.
func (p *Principal) standIn(policy Policy, limits [][]Policy) *Principal {
	out := &Principal{Identity: []Policy{policy}, SCP: append(slices.Concat(p.SCP, limits), only(p.Identity...))}
	if p.Boundary != nil {
		out.SCP = append(out.SCP, only(*p.Boundary))
	}
	return out
}

// positive is what a list allows of the question: the list itself, or for a
// complement the question, unless the complement leaves nothing of it.
func positive(list, not []string, question string, covers func(wide, narrow string) bool) []string {
	if len(not) == 0 {
		return list
	}
	for _, n := range not {
		if !hasVariables(n) && covers(n, question) {
			return nil
		}
	}
	return []string{question}
}

// denied reports whether one Deny statement that surely holds covers all that
// the statement and the question have in common. It is enough to cover either.
func (p *Principal) denied(q Question, action, resource string) bool {
	for layer := range p.layers {
		for _, policy := range layer {
			if policy.Document != nil && denied(policy.Document, q, action, resource) {
				return true
			}
		}
	}
	return false
}

func denied(doc *iam.Document, q Question, action, resource string) bool {
	for _, s := range doc.Statements {
		if s.Effect == iam.Deny && denies(s, q, action, resource) && q.Facts.surely(doc.Version, s.Conditions) {
			return true
		}
	}
	return false
}

func denies(s iam.Statement, q Question, action, resource string) bool {
	actions := func(pattern string) bool {
		return coversAll(s.Actions, s.NotActions, pattern, iam.CoversFold, overlapsAction)
	}
	var not []string // what of NotResource the question does not leave out anyway
	for _, n := range s.NotResources {
		if !coversAny(q.Except, freeVariables(n)) {
			not = append(not, n)
		}
	}
	all := len(s.NotResources) > 0 && len(not) == 0
	resources := func(pattern string, overlaps func(a, b string) bool) bool {
		return all || coversAll(s.Resources, not, pattern, iam.Covers, overlaps)
	}
	asked := func(n, pattern string) bool { return overlapsARN(pattern, n) }
	return (actions(q.Action) || actions(action)) && (resources(q.Resource, asked) || resources(resource, iam.Overlaps))
}

func coversAny(list []string, pattern string) bool {
	for _, wide := range list {
		if iam.Covers(wide, pattern) {
			return true
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

// admits reports whether some Allow statement of a limit overlaps both the
// statement and the question.
func admits(limit []Policy, q Question, action, resource string) bool {
	for _, policy := range limit {
		if policy.Document == nil || admittedBy(policy.Document, q, action, resource) {
			return true
		}
	}
	return false
}

func admittedBy(doc *iam.Document, q Question, action, resource string) bool {
	for _, s := range doc.Statements {
		if s.Effect != iam.Allow {
			continue
		}
		actions, resources := false, false
		for _, a := range positive(s.Actions, s.NotActions, q.Action, iam.CoversFold) {
			actions = actions || overlapsAction(a, action) && overlapsAction(a, q.Action)
		}
		for _, r := range positive(s.Resources, s.NotResources, q.Resource, iam.Covers) {
			r = freeVariables(r)
			resources = resources || iam.Overlaps(r, resource) && q.about(r)
		}
		if !actions || !resources {
			continue
		}
		if _, alive := q.Facts.settle(doc.Version, s.Conditions); alive {
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
