package eval

// Decide judges a request. It allocates nothing, save for the rare operators
// BinaryEquals and StringEqualsIgnoreCase with a variable.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (l *Layers) Decide(r *Request) Decision {
	t := l.tally(r, nil, false)
	decision, _ := l.combine(r, t)
	return decision
}

// MightAllow reports whether a request could be allowed, as far as can be
// known: doubt counts as an allow. It is for who must prove that something is
// impossible, for whom Decide's denying in doubt would be no proof. Where
// nothing is in doubt it is true exactly if Decide allows.
func (l *Layers) MightAllow(r *Request) bool {
	t := l.tally(r, nil, true)
	decision, _ := l.combine(r, t)
	return decision == Allowed
}

// Explain is Decide with reasons. Its Decision is always that of Decide.
func (l *Layers) Explain(r *Request) Explanation {
	var found findings
	t := l.tally(r, &found, false)
	decision, blocked := l.combine(r, t)
	out := Explanation{Decision: decision, Reasons: found.allows, BlockedBy: blocked.kinds()}
	if decision == ExplicitDeny {
		out.Reasons = found.denies
		for _, reason := range found.denies {
			blocked = blocked.with(reason.Kind)
		}
		out.BlockedBy = blocked.kinds()
	}
	return out
}

// findings collects the statements that match.
type findings struct{ denies, allows []Reason }

// tally is what each layer says about a request.
type tally struct {
	denied   bool
	identity bool // allows
	boundary bool
	session  bool
	resource grant
}

// tally asks every layer. Without findings to collect it stops at a deny, and
// does not look for a second allow.
func (l *Layers) tally(r *Request, found *findings, lenient bool) tally {
	q := query{Request: r, bounded: len(l.Boundary) > 0, lenient: lenient, found: found}
	var t tally
	t.identity = q.layer(l.Identity)
	t.boundary = q.layer(l.Boundary)
	t.session = q.layer(l.Session)
	if l.Resource != nil {
		t.resource = q.policy(l.Resource, direct)
	}
	t.denied = q.denied
	return t
}

// combine weighs the layers. The set holds those that withheld an allow.
func (l *Layers) combine(r *Request, t tally) (Decision, kindSet) {
	if t.denied {
		return ExplicitDeny, 0
	}
	var withheld kindSet
	if l.needsResource(r) && t.resource == noGrant {
		withheld = withheld.with(l.resourceKind())
	}
	if r.Principal.Kind.isAWS() {
		withheld |= l.ownSide(r, t)
	}
	if withheld != 0 {
		return ImplicitDeny, withheld
	}
	return Allowed, 0
}

// needsResource says whether the resource's side must allow: a trust policy
// always, any other across accounts, and for who has no policies of its own.
func (l *Layers) needsResource(r *Request) bool {
	return !r.Principal.Kind.isAWS() || crossAccount(r) || l.resourceKind() == Trust
}

func crossAccount(r *Request) bool {
	return r.ResourceAccount != "" && r.ResourceAccount != r.Principal.Account
}

func (l *Layers) resourceKind() Kind {
	if l.Resource == nil {
		return Resource
	}
	return l.Resource.kind
}

// ownSide is what the principal's own policies withhold. Within an account the
// resource's policy makes up for some of them, the more the more directly it
// names the principal.
func (l *Layers) ownSide(r *Request, t tally) kindSet {
	var withheld kindSet
	excused := t.resource
	if crossAccount(r) {
		excused = noGrant
	}
	if !t.identity && excused < limited && r.Principal.Kind != Root {
		withheld = withheld.with(Identity)
	}
	if len(l.Boundary) > 0 && !t.boundary && excused < direct {
		withheld = withheld.with(Boundary)
	}
	hasSession := len(l.Session) > 0 || r.Principal.Kind == FederatedUser
	if hasSession && !t.session && excused < direct {
		withheld = withheld.with(Session)
	}
	return withheld
}

// kindSet is a set of kinds, one bit each.
type kindSet uint8

func (s kindSet) with(k Kind) kindSet { return s | 1<<k }

func (s kindSet) kinds() []Kind {
	var out []Kind
	for k := Identity; k <= Trust; k++ {
		if s&(1<<k) != 0 {
			out = append(out, k)
		}
	}
	return out
}

// query is one request on its way through the policies.
type query struct {
	*Request
	bounded bool // a permissions boundary applies
	lenient bool // doubt allows
	denied  bool // a Deny matched
	found   *findings
}

// layer reports whether one of the policies allows.
func (q *query) layer(policies []*Policy) bool {
	best := noGrant
	for _, p := range policies {
		if q.denied && q.found == nil {
			return false
		}
		if best == direct && q.found == nil {
			q.policy(p, noGrant)
			continue
		}
		best = max(best, q.policy(p, direct))
	}
	return best != noGrant
}

// policy asks one policy: it notes a deny and returns the best grant, looking
// no further than for want.
func (q *query) policy(p *Policy, want grant) grant {
	if p == nil { // there is one, but it is not known
		return directIf(q.lenient)
	}
	for i := range p.denies {
		s := &p.denies[i]
		t := s.matchesDeny(q)
		if t == no || t == maybe && q.lenient {
			continue
		}
		q.denied = true
		if q.found == nil {
			return noGrant
		}
		reason := p.reason(s)
		reason.Doubt = t == maybe
		q.found.denies = append(q.found.denies, reason)
	}
	best := noGrant
	for i := range p.allows {
		if best >= want && q.found == nil {
			break
		}
		s := &p.allows[i]
		if g := s.matchesAllow(q); g != noGrant {
			best = max(best, g)
			if q.found != nil {
				q.found.allows = append(q.found.allows, p.reason(s))
			}
		}
	}
	return best
}

func (p *Policy) reason(s *statement) Reason {
	return Reason{Kind: p.kind, Policy: p.name, Statement: s.index, SID: s.sid, Effect: s.effect, Pos: s.pos}
}

// matchesDeny is maybe in doubt, which denies.
func (s *statement) matchesDeny(q *query) truth {
	t := s.names(q)
	if t == no {
		return no
	}
	if t = min(t, s.deniesPrincipal(q)); t == no {
		return no
	}
	if s.doubtful {
		t = maybe
	}
	return min(t, s.holds(q))
}

func (s *statement) deniesPrincipal(q *query) truth {
	switch {
	case s.principals == nil:
		return yes
	case s.notPrincipal:
		return truthOf(!s.principals.exempts(&q.Principal, q.bounded))
	}
	return s.principals.denies(&q.Principal)
}

// matchesAllow is noGrant in doubt, unless the query is lenient.
func (s *statement) matchesAllow(q *query) grant {
	enough := yes
	if q.lenient {
		enough = maybe
	} else if s.doubtful {
		return noGrant
	}
	if s.names(q) < enough {
		return noGrant
	}
	g := s.grant(q)
	if g == noGrant || s.holds(q) < enough {
		return noGrant
	}
	return g
}

func (s *statement) grant(q *query) grant {
	if s.principals == nil {
		return direct
	}
	if g := s.principals.grant(&q.Principal); g != noGrant || !q.lenient {
		return g
	}
	return directIf(s.deniesPrincipal(q) != no)
}

// names says whether the statement is about the request's action and resource.
func (s *statement) names(q *query) truth {
	if matchAction(s.actions, q.Action) == s.notActions {
		return no
	}
	if s.anyResource {
		return yes
	}
	on := matchAny(s.resources, q.Resource, q.Context)
	if s.notResources {
		on = on.not()
	}
	return on
}

// holds says whether all conditions are met.
func (s *statement) holds(q *query) truth {
	t := yes
	for i := range s.conditions {
		if t = min(t, s.conditions[i].eval(q.Context)); t == no {
			return no
		}
	}
	return t
}
