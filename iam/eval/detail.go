package eval

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// Detail is what one statement made of a request, and what in it decided.
type Detail struct {
	Reason
	Outcome Outcome
	// Element is the first one that kept the statement from matching, or that
	// left it open; empty if it matched.
	Element string
	// Action, Resource and Principal are the entries of the statement that speak
	// of the request; empty if none does, as where a Not… element matched.
	Action, Resource, Principal string
	Conditions                  []ConditionDetail // of the statement, as far as its other elements matched
}

// ConditionDetail is what became of one condition.
type ConditionDetail struct {
	iam.Condition
	Outcome Outcome
	Present bool     // the request has the key
	Got     []string // its values
	Open    bool     // whether the request has the key is not known
	// Value is the policy's value that the request's one value matched; empty if
	// none did or there are several.
	Value string
}

// Outcome is the answer of one part of a statement.
type Outcome uint8

// The outcomes.
const (
	No    Outcome = iota // does not match
	Maybe                // cannot be known; a Deny counts it, an Allow does not
	Yes                  // matches
)

func (t truth) outcome() Outcome { return Outcome(t) }

// Details tells of every statement that takes part in the decision what it
// made of the request, in the order of the layers. It is for people who ask
// why: it takes many times as long as Explain.
func (l *Layers) Details(r *Request) []Detail {
	d := details{query: l.query(r)}
	d.policies(0, l.Identity)
	d.policies(0, l.Boundary)
	d.policies(0, l.Session)
	if l.Resource != nil && !r.keepsBucketPolicy() {
		d.policies(0, []*Policy{l.Resource})
	}
	d.policies(0, l.Endpoint)
	if d.bound.scp {
		for i, level := range l.SCP {
			d.policies(i, level)
		}
	}
	if d.bound.rcp {
		for i, level := range l.RCP {
			d.policies(i, level)
		}
	}
	return d.out
}

type details struct {
	query
	out []Detail
}

func (d *details) policies(level int, policies []*Policy) {
	d.level = level
	for _, p := range policies {
		if p == nil {
			continue
		}
		var statements []*statement
		for _, b := range []*block{&p.denies, &p.allows} {
			for i := range b.statements {
				statements = append(statements, &b.statements[i])
			}
		}
		slices.SortFunc(statements, func(a, b *statement) int { return a.index - b.index })
		for _, s := range statements {
			d.out = append(d.out, d.statement(p, s))
		}
	}
}

func (d *details) statement(p *Policy, s *statement) Detail {
	q := &d.query
	found := match{policy: p, statement: s, level: q.level}
	out := Detail{Reason: found.reason(), Action: s.actionEntry(q), Resource: s.resourceEntry(p, q), Principal: s.principalEntry(q)}
	matched := yes
	note := func(element string, t truth) {
		if t < matched {
			matched, out.Element = t, element
		}
	}
	note(ElementPrincipal, s.principal(q))
	note(ElementAction, truthOf(matchAction(s.actions, q.Action) != s.notActions))
	note(ElementResource, s.resource(q))
	if matched != no {
		out.Conditions = s.conditionDetails(p, q)
		note(ElementCondition, s.holds(q.Context))
	}
	if s.doubtful {
		note(ElementStatement, maybe)
	}
	out.Outcome = matched.outcome()
	out.Doubt = s.effect == iam.Deny && matched == maybe
	return out
}

// principal says whether the statement is for the request's principal.
func (s *statement) principal(q *query) truth {
	if s.effect == iam.Deny {
		return s.deniesPrincipal(q)
	}
	switch lenient := *q; {
	case s.grant(q) != noGrant:
		return yes
	default:
		lenient.lenient = true
		return min(maybe, truthOf(s.grant(&lenient) != noGrant))
	}
}

// actionEntry is the pattern of Action or NotAction that the action matches.
func (s *statement) actionEntry(q *query) string {
	return firstMatch(slices.Concat(s.source.Actions, s.source.NotActions), func(entry string) bool {
		return iam.MatchFold(entry, q.Action)
	})
}

func (s *statement) resourceEntry(p *Policy, q *query) string {
	return firstMatch(slices.Concat(s.source.Resources, s.source.NotResources), func(entry string) bool {
		compiled, err := compilePattern(entry, style{wild: true, vars: p.vars})
		return err == nil && compiled.match(q.Resource, q.Context) == yes
	})
}

// principalEntry is the entry that names the principal most directly.
func (s *statement) principalEntry(q *query) string {
	element := s.source.Principal
	if element == nil {
		element = s.source.NotPrincipal
	}
	if element == nil {
		return ""
	}
	best, name := noGrant, ""
	for _, one := range principalEntries(element) {
		compiled, err := compilePrincipals(&one.element)
		if g := compiled.grant(&q.Principal); err == nil && g > best {
			best, name = g, one.name
		}
	}
	return name
}

type principalName struct {
	name    string
	element iam.Principal
}

// principalEntries takes a Principal element apart.
func principalEntries(p *iam.Principal) []principalName {
	if p.Everyone {
		return []principalName{{"*", iam.Principal{Everyone: true}}}
	}
	var out []principalName
	for _, s := range p.AWS {
		out = append(out, principalName{s, iam.Principal{AWS: []string{s}}})
	}
	for _, s := range p.Service {
		out = append(out, principalName{s, iam.Principal{Service: []string{s}}})
	}
	for _, s := range p.Federated {
		out = append(out, principalName{s, iam.Principal{Federated: []string{s}}})
	}
	return out
}

func (s *statement) conditionDetails(p *Policy, q *query) []ConditionDetail {
	out := make([]ConditionDetail, 0, len(s.conditions))
	for i := range s.conditions {
		c := &s.conditions[i]
		d := ConditionDetail{Condition: s.source.Conditions[c.source], Outcome: c.eval(q.Context).outcome()}
		e := q.Context.find(c.key)
		switch {
		case e == nil:
			d.Open = q.Context.open()
		case e.unknown:
			d.Open = true
		default:
			d.Present, d.Got = len(e.values) > 0, slices.Clone(e.values)
		}
		if len(d.Got) == 1 && !c.null {
			d.Value = c.valueOf(d.Condition, p, d.Got[0], q.Context)
		}
		out = append(out, d)
	}
	return out
}

// valueOf is the policy's value that a request's value matches: for a negated
// operator the one that keeps it from holding.
func (c *condition) valueOf(source iam.Condition, p *Policy, got string, ctx Context) string {
	op, _ := iam.ParseOperator(source.Operator)
	name := op.Name
	if c.negated {
		name = positive[name]
	}
	return firstMatch(source.Values, func(value string) bool {
		one, err := compileRelation(name, []string{value}, style{vars: p.vars})
		return err == nil && one.holds(got, ctx) == yes
	})
}

func firstMatch(entries []string, matches func(string) bool) string {
	if i := slices.IndexFunc(entries, matches); i >= 0 {
		return entries[i]
	}
	return ""
}
