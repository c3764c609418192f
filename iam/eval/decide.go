package eval

// Decide judges a request. It allocates nothing, save for the rare operators
// BinaryEquals and StringEqualsIgnoreCase with a variable.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (l *Layers) Decide(r *Request) Decision {
	decision, _, _ := l.judge(r, nil, false)
	return decision
}

// MightAllow reports whether a request could be allowed, as far as can be
// known: doubt counts as an allow. It is for who must prove that something is
// impossible, for whom Decide's denying in doubt would be no proof. Where
// nothing is in doubt it is true exactly if Decide allows.
func (l *Layers) MightAllow(r *Request) bool {
	decision, _, _ := l.judge(r, nil, true)
	return decision == Allowed
}

// Explain is Decide with reasons. Its Decision is always that of Decide.
func (l *Layers) Explain(r *Request) Explanation {
	var found findings
	decision, rule, blocked := l.judge(r, &found, false)
	out := Explanation{Decision: decision, Rule: rule, Reasons: found.allows}
	if decision == ExplicitDeny {
		out.Reasons = found.denies
		for i := range found.denies {
			blocked = blocked.with(found.denies[i].Kind)
		}
	}
	out.BlockedBy = blocked.kinds()
	return out
}

// findings collects the statements that match.
type findings struct{ denies, allows []Reason }

// judge asks all layers and weighs them. The set holds the layers that
// withheld an allow.
func (l *Layers) judge(r *Request, found *findings, lenient bool) (Decision, string, kindSet) {
	if r.asksWhoItIs() {
		return Allowed, ruleCallerIdentity, 0
	}
	q := query{Request: r, service: serviceBit(r.Action), bounded: len(l.Boundary) > 0, lenient: lenient, found: found}
	t := q.ask(l)
	if q.denied {
		return ExplicitDeny, "", 0
	}
	var buffer [lastKind + 1]need
	var withheld kindSet
	for _, n := range l.needs(r, buffer[:0]) {
		if !t.allows[n.kind] && t.resource < n.excuse {
			withheld = withheld.with(n.kind)
		}
	}
	switch {
	case withheld != 0:
		return ImplicitDeny, "", withheld
	case isImmutable(r.Action, r.Resource):
		return ImplicitDeny, ruleOwned, kindSet(0).with(Resource)
	}
	return Allowed, l.standIn(r, &t), 0
}

// standIn names what allowed in place of the policies.
func (l *Layers) standIn(r *Request, t *tally) string {
	switch {
	case t.allows[Identity] || t.allows[l.resourceKind()]:
		return ""
	case r.Granted:
		return ruleGrant
	case r.Principal.Kind == Root:
		return ruleRoot
	}
	return ""
}

// tally is what each layer says about a request.
type tally struct {
	allows   [lastKind + 1]bool
	resource grant
}

// ask asks every layer that applies. Without findings to collect it stops at a
// deny, and does not look for a second allow.
func (q *query) ask(l *Layers) tally {
	var t tally
	t.allows[Identity] = q.layer(l.Identity)
	t.allows[Boundary] = q.layer(l.Boundary)
	t.allows[Session] = q.layer(l.Session)
	if l.Resource != nil {
		t.resource = q.policy(l.Resource, direct)
		t.allows[l.Resource.kind] = t.resource != noGrant
	}
	t.allows[Endpoint] = q.layer(l.Endpoint)
	if l.boundBySCP(&q.Principal) {
		t.allows[SCP] = q.levels(l.SCP)
	}
	if l.boundByRCP(q.Request) {
		t.allows[RCP] = q.limits(l.RCP)
	}
	if q.Granted {
		t.allows[l.resourceKind()], t.resource = true, max(t.resource, limited)
	}
	return t
}

// need is a layer that must allow, unless the resource's policy grants at
// least excuse: within an account that makes up for some layers, the more the
// more directly it names the principal.
type need struct {
	kind   Kind
	excuse grant
}

// needs appends the layers that must allow the request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (l *Layers) needs(r *Request, to []need) []need {
	if l.needsResource(r) {
		to = append(to, need{l.resourceKind(), never})
	}
	if r.Principal.Kind.isAWS() {
		to = l.ownNeeds(r, to)
	}
	if len(l.Endpoint) > 0 {
		to = append(to, need{Endpoint, never})
	}
	if l.boundBySCP(&r.Principal) {
		to = append(to, need{SCP, never})
	}
	if l.boundByRCP(r) {
		to = append(to, need{RCP, never})
	}
	return to
}

// needsResource says whether the resource's side must allow: a trust policy
// and a key policy always, any other across accounts, and for who has no
// policies of its own.
func (l *Layers) needsResource(r *Request) bool {
	if !r.Principal.Kind.isAWS() || crossAccount(r) || l.resourceKind() == Trust {
		return true
	}
	return l.Resource != nil && (isKMSKey(r.Resource) || assumesRole(r.Action))
}

// ownNeeds are the principal's own policies.
func (l *Layers) ownNeeds(r *Request, to []need) []need {
	forIdentity, forLimits := limited, direct
	if crossAccount(r) {
		forIdentity, forLimits = never, never
	}
	if r.Principal.Kind != Root {
		to = append(to, need{Identity, forIdentity})
	}
	if len(l.Boundary) > 0 {
		to = append(to, need{Boundary, forLimits})
	}
	if len(l.Session) > 0 || r.Principal.Kind == FederatedUser {
		to = append(to, need{Session, forLimits})
	}
	return to
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

// kindSet is a set of kinds, one bit each.
type kindSet uint8

func (s kindSet) with(k Kind) kindSet { return s | 1<<k }

func (s kindSet) kinds() []Kind {
	if s == 0 {
		return nil
	}
	var out []Kind
	for k := Identity; k <= lastKind; k++ {
		if s&(1<<k) != 0 {
			out = append(out, k)
		}
	}
	return out
}
