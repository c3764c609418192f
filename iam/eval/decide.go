package eval

import (
	"math/bits"
	"slices"
)

// Decide judges a request. It allocates nothing, save for the rare operators
// BinaryEquals and StringEqualsIgnoreCase with a variable, and for texts of which
// thousands of characters match a pattern in vain.
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
	var out Explanation
	l.ExplainInto(r, &out)
	return out
}

// ExplainInto is Explain for who explains many requests: it reuses the memory
// of the lists that out holds.
func (l *Layers) ExplainInto(r *Request, out *Explanation) {
	var found findings
	var blocked kindSet
	out.Decision, out.Rule, blocked = l.judge(r, &found, false)
	if out.Decision == ExplicitDeny {
		out.Reasons = found.denies.reasons(out.Reasons[:0])
		for i := range out.Reasons {
			blocked = blocked.with(out.Reasons[i].Kind)
		}
	} else {
		out.Reasons = found.allows.reasons(out.Reasons[:0])
	}
	out.BlockedBy = blocked.kinds(out.BlockedBy[:0])
}

// judge asks all layers and weighs them. The set holds the layers that
// withheld an allow.
func (l *Layers) judge(r *Request, found *findings, lenient bool) (Decision, string, kindSet) {
	if r.asksWhoItIs() {
		return Allowed, ruleCallerIdentity, 0
	}
	if r.asksForSession() {
		return Allowed, ruleSessionToken, 0
	}
	q := l.query(r)
	q.lenient, q.found = lenient, found
	t := q.ask(l)
	if q.denied {
		return ExplicitDeny, "", 0
	}
	var buffer [lastKind + 1]need
	var withheld kindSet
	for _, n := range l.needs(&q, buffer[:0]) {
		if !t.allows[n.kind] && t.resource < n.excuse {
			withheld = withheld.with(n.kind)
		}
	}
	switch {
	case withheld != 0:
		return ImplicitDeny, "", withheld
	case isImmutable(r.Action, r.Resource):
		return ImplicitDeny, ruleOwned, kindSet(0).with(Resource)
	case r.unwelcome():
		return ImplicitDeny, ruleCaller, 0
	}
	return Allowed, l.standIn(r, &t), 0
}

// standIn names what allowed in place of the policies.
func (l *Layers) standIn(r *Request, t *tally) string {
	switch {
	case t.allows[Identity] || t.allows[l.resourceKind()]:
		return ""
	case r.granted():
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
	if len(l.Boundary) > 0 {
		t.allows[Boundary] = q.layer(l.Boundary)
	}
	if len(l.Session) > 0 {
		t.allows[Session] = q.layer(l.Session)
	}
	if l.Resource != nil && !q.keepsBucketPolicy() {
		t.resource = q.policy(l.Resource, direct)
		t.allows[l.Resource.kind] = t.resource != noGrant
	}
	if len(l.Endpoint) > 0 {
		t.allows[Endpoint] = q.layer(l.Endpoint)
	}
	if q.bound.scp {
		t.allows[SCP] = q.levels(l.SCP)
	}
	if q.bound.rcp {
		t.allows[RCP] = q.limits(l.RCP)
	}
	if q.granted() {
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
func (l *Layers) needs(q *query, to []need) []need {
	r := q.Request
	if l.needsResource(r) {
		to = append(to, need{l.resourceKind(), never})
	}
	if r.Principal.Kind.isAWS() {
		to = l.ownNeeds(r, to)
	}
	if len(l.Endpoint) > 0 {
		to = append(to, need{Endpoint, never})
	}
	if q.bound.scp {
		to = append(to, need{SCP, never})
	}
	if q.bound.rcp {
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
	return l.Resource != nil && (isKMSKey(r.Resource) || assumesRole(r.Action, r.Resource))
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

// kinds appends the kinds of the set; without any the result is empty.
func (s kindSet) kinds(to []Kind) []Kind {
	to = slices.Grow(to, bits.OnesCount8(uint8(s)))
	for k := Identity; k <= lastKind; k++ {
		if s&(1<<k) != 0 {
			to = append(to, k)
		}
	}
	return to
}
