package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// Gain is access that was not there before.
type Gain struct {
	// Actions are names or patterns, few of them: where a pattern stands for more
	// than is new, what is new.
	Actions   []string
	Resources []string // patterns of the statement, with its variables
	// Later says that all actions that AWS has today were allowed before: new are
	// those that it may add and that the patterns match.
	Later bool
	Via   Finding // the statement that allows it now
}

// Gains lists what a principal may do after a change that it could not be
// proven to be allowed before: nothing that is new is left out. Reported beside
// it is what only several statements together allowed before. A policy that is
// not known before and after is taken to be the same.
func (p *Principal) Gains(before *Principal, facts Facts) []Gain {
	if samePolicies(p.Identity, before.Identity) && sameLimits(p, before) {
		return nil
	}
	c := comparison{after: p, before: before, facts: facts, patterns: patternsOfActions(patternsOfActions(nil, p), before)}
	var out []Gain
	for _, policy := range p.Identity {
		if policy.Document == nil {
			if !hasUnknown(before.Identity, policy.Name) {
				out = append(out, Gain{Via: Finding{Policy: policy.Name, Unknown: true}})
			}
			continue
		}
		for i, s := range policy.Document.Statements {
			f, could := p.statementCould(policy.Document.Version, s, Question{Action: "*", Resource: "*", Facts: facts})
			if could {
				f.Policy, f.Index = policy.Name, i
				out = append(out, c.gains(f, literal(policy.Document.Version, &s))...)
			}
		}
	}
	return out
}

func hasUnknown(policies []Policy, name string) bool {
	return slices.ContainsFunc(policies, func(p Policy) bool { return p.Document == nil && p.Name == name })
}

func samePolicies(a, b []Policy) bool {
	return slices.EqualFunc(a, b, func(x, y Policy) bool {
		if x.Document == nil {
			return y.Document == nil && x.Name == y.Name
		}
		return x.Document == y.Document || iam.Equal(x.Document, y.Document)
	})
}

func sameLimits(a, b *Principal) bool {
	var ours, theirs [][]Policy
	for limit := range a.limits {
		ours = append(ours, limit)
	}
	for limit := range b.limits {
		theirs = append(theirs, limit)
	}
	return slices.EqualFunc(ours, theirs, samePolicies)
}

// comparison holds what may be done after a change against before.
type comparison struct {
	after, before *Principal
	facts         Facts
	patterns      []string // of actions, in both
}

// scope is what a statement allows: one of its actions on one of its
// resources, under its conditions.
type scope struct {
	action, resource         string // the resource with its variables
	notActions, notResources []string
	conditions               []iam.Condition
	literal                  bool // see literal
}

// literal reports whether a statement has what looks like variables and, by its
// version, are none. Such statements are compared with no other.
func literal(version string, s *iam.Statement) bool {
	if version == iam.Version2012 {
		return false
	}
	found := slices.ContainsFunc(s.Resources, hasVariables) || slices.ContainsFunc(s.NotResources, hasVariables)
	for _, c := range s.Conditions {
		found = found || slices.ContainsFunc(c.Values, hasVariables)
	}
	return found
}

// question asks for all of the scope.
func (s *scope) question(facts Facts) Question {
	return Question{Action: s.action, Resource: freeVariables(s.resource), Facts: facts}
}

// gains are those of one statement, an entry for each set of resources.
func (c *comparison) gains(f Finding, literal bool) []Gain {
	s := &f.Statement
	resources := s.Resources
	if len(s.NotResources) > 0 {
		resources = []string{"*"}
	}
	var out []Gain
	for _, resource := range resources {
		var found []string
		for _, a := range f.Actions {
			actions, later := c.new(scope{
				action: a, resource: resource, notActions: s.NotActions, notResources: s.NotResources, conditions: f.Open, literal: literal,
			})
			if later {
				out = mergeGain(out, Gain{Actions: actions, Resources: []string{resource}, Later: true, Via: f})
			} else {
				found = append(found, actions...)
			}
		}
		if len(found) > 0 {
			out = mergeGain(out, Gain{Actions: action.Shrink(found), Resources: []string{resource}, Via: f})
		}
	}
	return out
}

// mergeGain joins gains of one statement that differ in their resources only.
func mergeGain(list []Gain, g Gain) []Gain {
	for i := range list {
		if list[i].Later == g.Later && slices.Equal(list[i].Actions, g.Actions) {
			list[i].Resources = append(list[i].Resources, g.Resources...)
			return list
		}
	}
	return append(list, g)
}

// new returns the actions of a scope that are new: it tries a pattern as a
// whole, then service by service, then the actions that it stands for.
func (c *comparison) new(s scope) (actions []string, later bool) {
	q := s.question(c.facts)
	switch {
	case !c.after.remains(q, q.Action, q.Resource) || c.allowedBefore(&s):
		return nil, false
	case !c.splits(s.action):
		return []string{s.action}, false
	}
	parts := s.narrower()
	isNew := map[string]bool{} // by what tells actions apart
	for _, narrow := range parts {
		if iam.HasWildcard(narrow.action) {
			found, onlyLater := c.new(narrow)
			if !onlyLater {
				actions = append(actions, found...)
			}
			continue
		}
		mark := c.mark(narrow.action)
		one, done := isNew[mark]
		if !done {
			found, _ := c.new(narrow)
			one = len(found) > 0
			isNew[mark] = one
		}
		if one {
			actions = append(actions, narrow.action)
		}
	}
	if len(actions) == 0 {
		return []string{s.action}, len(parts) > 0
	}
	return actions, false
}

// mark says which of the patterns an action matches. Actions of one mark are
// all allowed or all not.
func (c *comparison) mark(action string) string {
	mark := make([]byte, len(c.patterns))
	for i, pattern := range c.patterns {
		if iam.MatchFold(pattern, action) {
			mark[i] = 1
		}
	}
	return string(mark)
}

// splits reports whether some statement is about a part of an action pattern
// and not about the rest. What none splits is new or not as a whole.
func (c *comparison) splits(action string) bool {
	return iam.HasWildcard(action) && slices.ContainsFunc(c.patterns, func(pattern string) bool {
		return overlapsAction(pattern, action) && !iam.CoversFold(pattern, action)
	})
}

// patternsOfActions are all that the policies of a principal name, once each.
func patternsOfActions(list []string, p *Principal) []string {
	for layer := range p.layers {
		for _, policy := range layer {
			if policy.Document == nil {
				continue
			}
			for _, s := range policy.Document.Statements {
				list = append(append(list, s.Actions...), s.NotActions...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// narrower are the parts of a scope whose action is a pattern: of one service
// each, or of one action.
func (s *scope) narrower() []scope {
	service, name, ok := strings.Cut(s.action, ":")
	if !ok {
		service, name = "*", "*"
	}
	var names []string
	if iam.HasWildcard(service) {
		for _, prefix := range action.Services() {
			if iam.MatchFold(service, prefix) {
				names = append(names, prefix+":"+name)
			}
		}
	} else {
		names = action.Expand(s.action)
	}
	var out []scope
	for _, name := range names {
		if slices.ContainsFunc(s.notActions, func(not string) bool { return iam.CoversFold(not, name) }) {
			continue
		}
		narrow := *s
		narrow.action = name
		narrow.notActions = slices.DeleteFunc(slices.Clone(s.notActions), func(not string) bool { return !overlapsAction(not, name) })
		out = append(out, narrow)
	}
	return out
}

// allowedBefore reports whether all of a scope was surely allowed: one statement
// allowed it, every limit did or limits still, and whatever was denied of it
// still is.
func (c *comparison) allowedBefore(s *scope) bool {
	if s.literal || !c.grants(c.before.Identity, s) {
		return false
	}
	for limit := range c.before.limits {
		if !c.stillLimits(limit) && !c.grants(limit, s) {
			return false
		}
	}
	for layer := range c.before.layers {
		for _, policy := range layer {
			if policy.Document == nil {
				if !c.stillUnknown(policy.Name) {
					return false
				}
			} else if !c.stillDenies(policy.Document, s) {
				return false
			}
		}
	}
	return true
}

// grants reports whether one Allow statement of the policies allows the scope.
func (c *comparison) grants(policies []Policy, s *scope) bool {
	for _, policy := range policies {
		if policy.Document == nil {
			continue
		}
		for i := range policy.Document.Statements {
			have := &policy.Document.Statements[i]
			if have.Effect != iam.Allow || literal(policy.Document.Version, have) || !s.within(have) {
				continue
			}
			open, alive := c.facts.settle(policy.Document.Version, have.Conditions)
			if alive && implied(open, s.conditions) {
				return true
			}
		}
	}
	return false
}

// within reports whether a statement is about all of the scope.
func (s *scope) within(have *iam.Statement) bool {
	return partWithin(s.action, s.notActions, have.Actions, have.NotActions, iam.CoversFold, overlapsAction) &&
		partWithin(s.resource, s.notResources, have.Resources, have.NotResources, iam.Covers, iam.Overlaps)
}

// partWithin reports whether a pattern, but for what not takes out, lies within
// a list or a complement.
func partWithin(pattern string, not, list, notList []string, covers, overlaps func(a, b string) bool) bool {
	free := freeVariables(pattern)
	if len(notList) > 0 {
		return !slices.ContainsFunc(notList, func(n string) bool {
			return overlaps(freeVariables(n), free) && !slices.ContainsFunc(not, func(out string) bool {
				return out == n || !hasVariables(out) && covers(out, freeVariables(n))
			})
		})
	}
	return slices.ContainsFunc(list, func(wide string) bool {
		return wide == pattern || !hasVariables(wide) && covers(wide, free)
	})
}

// stillLimits reports whether the same limit bounds the principal now.
func (c *comparison) stillLimits(limit []Policy) bool {
	for now := range c.after.limits {
		if samePolicies(limit, now) {
			return true
		}
	}
	return false
}

// stillUnknown reports whether a policy that is not known is there now too.
func (c *comparison) stillUnknown(name string) bool {
	for layer := range c.after.layers {
		if hasUnknown(layer, name) {
			return true
		}
	}
	return false
}

// stillDenies reports whether all that a document denied of the scope is denied
// now.
func (c *comparison) stillDenies(doc *iam.Document, s *scope) bool {
	q := s.question(c.facts)
	for i := range doc.Statements {
		deny := &doc.Statements[i]
		if deny.Effect != iam.Deny || !touches(*deny, q) || s.leavesOut(deny) {
			continue
		}
		if open, alive := c.facts.settle(doc.Version, deny.Conditions); alive && (literal(doc.Version, deny) || !c.denied(deny, open, s)) {
			return false
		}
	}
	return true
}

// leavesOut reports whether a statement is about nothing but what the scope
// leaves out.
func (s *scope) leavesOut(deny *iam.Statement) bool {
	return len(deny.Actions) > 0 && listWithin(deny.Actions, nil, s.notActions, nil, iam.CoversFold, overlapsAction) ||
		len(deny.Resources) > 0 && listWithin(deny.Resources, nil, s.notResources, nil, iam.Covers, iam.Overlaps)
}

// denied reports whether a statement denies now what another denied of a scope.
func (c *comparison) denied(before *iam.Statement, open []iam.Condition, s *scope) bool {
	for layer := range c.after.layers {
		for _, policy := range layer {
			if policy.Document == nil {
				continue
			}
			for i := range policy.Document.Statements {
				now := &policy.Document.Statements[i]
				if now.Effect != iam.Deny || literal(policy.Document.Version, now) || !deniesAll(now, before, s) {
					continue
				}
				still, alive := c.facts.settle(policy.Document.Version, now.Conditions)
				if alive && implied(still, slices.Concat(open, s.conditions)) {
					return true
				}
			}
		}
	}
	return false
}

// deniesAll reports whether a statement is about all that another has in
// common with a scope.
func deniesAll(now, before *iam.Statement, s *scope) bool {
	actions := partWithin(s.action, s.notActions, now.Actions, now.NotActions, iam.CoversFold, overlapsAction) ||
		listWithin(before.Actions, before.NotActions, now.Actions, now.NotActions, iam.CoversFold, overlapsAction)
	resources := partWithin(s.resource, s.notResources, now.Resources, now.NotResources, iam.Covers, iam.Overlaps) ||
		listWithin(before.Resources, before.NotResources, now.Resources, now.NotResources, iam.Covers, iam.Overlaps)
	return actions && resources
}

func listWithin(list, not, now, notNow []string, covers, overlaps func(a, b string) bool) bool {
	if len(not) > 0 {
		return partWithin("*", not, now, notNow, covers, overlaps)
	}
	return !slices.ContainsFunc(list, func(pattern string) bool {
		return !partWithin(pattern, nil, now, notNow, covers, overlaps)
	})
}
