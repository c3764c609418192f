package eval

import "github.com/postern-dev/postern/iam"

// Outlook is what can be said of a request whose context is not fully known.
type Outlook uint8

// The three outlooks.
const (
	Never   Outlook = iota // denied, whatever the rest of the context
	Depends                // on what Judgement.When says
	Always                 // allowed, whatever the rest of the context
)

// Judgement is what can be said of a request whose context is not fully known.
type Judgement struct {
	Outlook Outlook
	// When is the condition under which the request is allowed. It names only what
	// is open; All without terms if nothing is, Any without terms if it can never
	// be.
	When Expr
}

// Judge says whether the request is always, never or sometimes allowed, where
// the context's unknown keys (see Context.Open and Context.Unknown) and all else
// in doubt are left open. It is sound but takes no account of what terms say
// about one another: of "x is a" and "x is b" it does not know that both cannot be.
func (l *Layers) Judge(r *Request) Judgement {
	when := l.when(r)
	switch {
	case when.isTrue():
		return Judgement{Always, when}
	case when.isFalse():
		return Judgement{Never, when}
	}
	return Judgement{Depends, when}
}

// when follows judge, with expressions in place of truth.
func (l *Layers) when(r *Request) Expr {
	if r.asksWhoItIs() || r.asksForSession() {
		return all()
	}
	if isImmutable(r.Action, r.Resource) || r.unwelcome() {
		return anyOf()
	}
	j := judge{layers: l, query: l.query(r)}
	j.lenient = true
	var buffer [lastKind + 1]need
	terms := []Expr{j.noDenies()}
	for _, n := range l.needs(&j.query, buffer[:0]) {
		terms = append(terms, anyOf(j.allows(n.kind), j.granted(n.excuse)))
	}
	return all(terms...)
}

// judge is one Judge under way.
type judge struct {
	layers *Layers
	query
}

// allows is when a layer allows.
func (j *judge) allows(k Kind) Expr {
	switch k {
	case Identity:
		return j.layerAllows(j.layers.Identity)
	case Boundary:
		return j.layerAllows(j.layers.Boundary)
	case Session:
		return j.layerAllows(j.layers.Session)
	case Endpoint:
		return j.layerAllows(j.layers.Endpoint)
	case Resource, Trust:
		return j.granted(delegated)
	case SCP:
		terms := make([]Expr, 0, len(j.layers.SCP))
		for i, level := range j.layers.SCP {
			j.level = i
			terms = append(terms, j.layerAllows(level))
		}
		return all(terms...)
	}
	return all() // an RCP needs no allow
}

func (j *judge) layerAllows(policies []*Policy) Expr {
	terms := make([]Expr, 0, len(policies))
	for _, p := range policies {
		terms = append(terms, j.policyAllows(p, delegated))
	}
	return anyOf(terms...)
}

// granted is when the resource's side grants at least want.
func (j *judge) granted(want grant) Expr {
	if want <= limited && j.Request.granted() {
		return all()
	}
	if j.layers.Resource == nil {
		return anyOf()
	}
	return j.policyAllows(j.layers.Resource, want)
}

func (j *judge) policyAllows(p *Policy, want grant) Expr {
	if p == nil {
		return leaf(Open{Element: ElementPolicy, Effect: iam.Allow})
	}
	var terms []Expr
	for i := range p.allows.statements {
		s := &p.allows.statements[i]
		switch {
		case s.grant(&j.query) < want:
		case j.firmGrant(s) < want:
			terms = append(terms, j.matches(p, s, maybe))
		default:
			terms = append(terms, j.matches(p, s, yes))
		}
	}
	return anyOf(terms...)
}

// firmGrant is the grant that is beyond doubt.
func (j *judge) firmGrant(s *statement) grant {
	q := j.query
	q.lenient = false
	return s.grant(&q)
}

// noDenies is when no statement denies.
func (j *judge) noDenies() Expr {
	var terms []Expr
	deny := func(level int, policies ...*Policy) {
		j.level = level
		for _, p := range policies {
			terms = append(terms, j.policyAbstains(p))
		}
	}
	deny(0, j.layers.Identity...)
	deny(0, j.layers.Boundary...)
	deny(0, j.layers.Session...)
	if j.layers.Resource != nil && !j.keepsBucketPolicy() {
		deny(0, j.layers.Resource)
	}
	deny(0, j.layers.Endpoint...)
	if j.bound.scp {
		for i, level := range j.layers.SCP {
			deny(i, level...)
		}
	}
	if j.bound.rcp {
		for i, level := range j.layers.RCP {
			deny(i, level...)
		}
	}
	j.level = 0
	return all(terms...)
}

func (j *judge) policyAbstains(p *Policy) Expr {
	if p == nil {
		return leaf(Open{Element: ElementPolicy, Effect: iam.Deny, Negated: true})
	}
	var terms []Expr
	for i := range p.denies.statements {
		s := &p.denies.statements[i]
		terms = append(terms, j.matches(p, s, s.deniesPrincipal(&j.query)).not())
	}
	return all(terms...)
}

// matches is when a statement matches, given what is known of its principals.
func (j *judge) matches(p *Policy, s *statement, principal truth) Expr {
	open := Open{Kind: p.kind, Level: j.level, Policy: p.name, Statement: s.index, SID: s.sid, Effect: s.effect, Pos: s.pos}
	element := func(name string, t truth) Expr {
		if t == maybe {
			o := open
			o.Element = name
			return leaf(o)
		}
		return constant(t == yes)
	}
	terms := []Expr{element(ElementResource, s.names(&j.query)), element(ElementPrincipal, principal)}
	if s.doubtful {
		terms = append(terms, element(ElementStatement, maybe))
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		term := constant(true)
		switch c.eval(j.Context) {
		case no:
			term = constant(false)
		case maybe:
			o := open
			o.Element, o.Condition = ElementCondition, s.source.Conditions[c.source]
			term = leaf(o)
		}
		terms = append(terms, term)
	}
	return all(terms...)
}
