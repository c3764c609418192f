package eval

// query is one request on its way through the policies.
type query struct {
	*Request
	service uint64 // the bit of the action's service
	level   int    // of the organisation, while its policies are asked
	bound   bounds // what limits the request
	lenient bool   // doubt allows
	denied  bool   // a Deny matched
	found   *findings
}

// bounds are the limits that apply to a request.
type bounds struct {
	boundary bool // the principal has a permissions boundary
	scp, rcp bool // the organisation's policies bind the principal, the resource
}

func (l *Layers) query(r *Request) query {
	return query{
		Request: r, service: serviceBit(r.Action),
		bound: bounds{boundary: len(l.Boundary) > 0, scp: l.boundBySCP(&r.Principal), rcp: l.boundByRCP(r)},
	}
}

// layer reports whether one of the policies allows.
func (q *query) layer(policies []*Policy) bool {
	best := noGrant
	for _, p := range policies {
		switch {
		case q.found != nil:
			best = max(best, q.policy(p, direct))
		case q.denied:
			return false
		case best == direct:
			q.policy(p, noGrant)
		default:
			best = max(best, q.policy(p, direct))
		}
	}
	return best != noGrant
}

// levels reports whether every level of the organisation allows.
func (q *query) levels(levels [][]*Policy) bool {
	all := true
	for i, policies := range levels {
		q.level = i
		all = q.layer(policies) && all
	}
	q.level = 0
	return all
}

// limits asks policies that can only deny, and reports whether all of them are
// known.
func (q *query) limits(levels [][]*Policy) bool {
	known := true
	for i, policies := range levels {
		q.level = i
		for _, p := range policies {
			if p == nil {
				known = known && q.lenient
			} else {
				q.denies(p)
			}
		}
	}
	q.level = 0
	return known
}

// policy asks one policy: it notes a deny and returns the best grant, looking
// no further than for want.
func (q *query) policy(p *Policy, want grant) grant {
	if p == nil { // there is one, but it is not known
		return directIf(q.lenient)
	}
	q.denies(p)
	if q.denied && q.found == nil {
		return noGrant
	}
	best := noGrant
	for i, services := range p.allows.services {
		if services&q.service == 0 {
			continue
		}
		if best >= want && q.found == nil {
			break
		}
		s := &p.allows.statements[i]
		if g := s.matchesAllow(q); g != noGrant {
			best = max(best, g)
			if q.found != nil {
				q.found.allows.add(match{policy: p, statement: s, level: q.level})
			}
		}
	}
	return best
}

func (q *query) denies(p *Policy) {
	for i, services := range p.denies.services {
		if services&q.service == 0 {
			continue
		}
		s := &p.denies.statements[i]
		t := s.matchesDeny(q)
		if t == no || t == maybe && q.lenient {
			continue
		}
		q.denied = true
		if q.found == nil {
			return
		}
		q.found.denies.add(match{policy: p, statement: s, level: q.level, doubt: t == maybe})
	}
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
	return min(t, s.holds(q.Context))
}

func (s *statement) deniesPrincipal(q *query) truth {
	switch {
	case s.principals == nil:
		return yes
	case s.notPrincipal:
		return s.principals.exempts(&q.Principal, q.bound.boundary).not()
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
	if g == noGrant || len(s.conditions) > 0 && s.holds(q.Context) < enough {
		return noGrant
	}
	return g
}

func (s *statement) grant(q *query) grant {
	switch {
	case s.principals == nil:
		return direct
	case s.notPrincipal:
		if !s.doubtful || q.lenient {
			return directIf(s.deniesPrincipal(q) != no)
		}
		return noGrant
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
	return s.resource(q)
}

// resource says whether the statement is about the request's resource.
func (s *statement) resource(q *query) truth {
	if s.anyResource {
		return yes
	}
	on := matchAny(s.resources, q.Resource, q.Context)
	if s.notResources {
		return on.not()
	}
	return on
}

// holds says whether all conditions are met.
func (s *statement) holds(ctx Context) truth {
	t := yes
	for i := range s.conditions {
		if t = min(t, s.conditions[i].eval(ctx)); t == no {
			return no
		}
	}
	return t
}

// block is the statements of one effect, each with the bits of the services
// that it can be about: most statements are passed by at the cost of an "and".
type block struct {
	services   []uint64
	statements []statement
}

func (b *block) add(s statement) {
	b.services = append(b.services, s.services())
	b.statements = append(b.statements, s)
}

// services are the bits of the services that the statement's actions name; all
// bits if it does not name them.
func (s *statement) services() uint64 {
	if s.notActions {
		return everyService
	}
	var out uint64
	for i := range s.actions {
		out |= s.actions[i].serviceBit()
	}
	return out
}

const everyService = ^uint64(0)

// serviceBit is one of 64 bits for an action's service, all of them if the
// action names none.
func serviceBit(action string) uint64 {
	hash := uint32(2166136261)
	for i := range len(action) {
		c := action[i]
		switch {
		case c == ':':
			return 1 << (hash >> 26)
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		hash = (hash ^ uint32(c)) * 16777619
	}
	return everyService
}

// serviceBit is that of the actions that the pattern matches.
func (p *pattern) serviceBit() uint64 {
	for i := range len(p.text) {
		switch p.text[i] {
		case ':':
			return serviceBit(p.text)
		case '*', '?':
			return everyService
		}
	}
	return everyService
}
