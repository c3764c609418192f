package reach

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Change is access that somebody gained.
type Change struct {
	// Principal is who: the ARN of a member, or a name from a policy that lets
	// others in; Everyone for all of the world.
	Principal string
	// Into is the role whose trust policy lets it in; empty if its own policies
	// allow it.
	Into string
	New  bool // the principal, or the role, was not there before
	Gain
}

// Gains lists what members may do that they could not be proven to be allowed
// before, and who may become a role who could not before; by ARN.
func (w *World) Gains(before *World) []Change {
	var out []Change
	for i := range w.members {
		m := &w.members[i]
		was, existed := before.Member(m.Who.ARN)
		for _, g := range m.Permissions.Gains(&was.Permissions, m.facts) {
			out = append(out, Change{Principal: m.Who.ARN, New: !existed, Gain: g})
		}
		if m.Who.Kind != eval.Role {
			continue
		}
		for _, c := range trustGains(m.Trust, was.Trust, existed, w.facts) {
			c.Into, c.New, c.Resources = m.Who.ARN, !existed, []string{m.Who.ARN}
			c.Via.Policy = "trust policy of " + m.Who.ARN
			out = append(out, c)
		}
	}
	return out
}

func trustGains(after, before *iam.Document, existed bool, facts Facts) []Change {
	switch {
	case after == nil && existed && before == nil:
		return nil
	case after == nil:
		return []Change{{Principal: Everyone, Gain: Gain{Via: Finding{Unknown: true}}}}
	case before == nil: // nothing is proven of it
		before = &iam.Document{}
	}
	return PolicyGains(Policy{Document: after}, Policy{Document: before}, facts)
}

// PolicyGains compares two versions of one policy. That of a resource is
// compared for each party that it names; an identity policy has none, and
// Principal is empty.
func PolicyGains(after, before Policy, facts Facts) []Change {
	names := parties(after.Document)
	if len(names) == 0 && !slices.ContainsFunc(after.Document.Statements, hasPrincipal) {
		now := Principal{Identity: []Policy{after}}
		var out []Change
		for _, g := range now.Gains(&Principal{Identity: []Policy{before}}, facts) {
			out = append(out, Change{Gain: g})
		}
		return out
	}
	if iam.Equal(after.Document, before.Document) {
		return nil
	}
	var out []Change
	for _, party := range names {
		doc, places := granted(after.Document, party, false)
		old, _ := granted(before.Document, party, true)
		now, was := Principal{Identity: []Policy{{after.Name, doc}}}, Principal{Identity: []Policy{{before.Name, old}}}
		for _, g := range now.Gains(&was, facts) {
			g.Via.Index = places[g.Via.Index]
			out = append(out, Change{Principal: party, Gain: g})
		}
	}
	return out
}

func hasPrincipal(s iam.Statement) bool { return s.Principal != nil || s.NotPrincipal != nil }
