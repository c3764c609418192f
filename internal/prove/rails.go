package prove

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/spec"
)

// never tries each action on everything that the named identities and roles
// can use.
func (m *model) never(n spec.Never, identities []identity) Verdict {
	v := Verdict{Rail: neverSentence(n), Where: n.Pos.String()}
	for _, id := range identities {
		if !matchesAny(n.Identities, id.Identity) {
			continue
		}
		if id.own != nil {
			m.tryNever(n, Violation{Identity: id.Identity, Principal: id.own.who.ARN}, id.own, &v)
		}
		m.tryReached(n, id.Identity, id.Roles, &v)
	}
	for _, r := range m.roles {
		if r.name != "" && matchesAny(n.Roles, r.name) {
			m.tryReached(n, "", m.reached([]*role{r}), &v)
		}
	}
	v.settle()
	return v
}

func (m *model) tryReached(n spec.Never, identity string, reached []Reached, v *Verdict) {
	for _, to := range reached {
		bad := Violation{Identity: identity, Principal: to.ARN, Via: to.Via, PassedTo: to.PassedTo}
		m.tryNever(n, bad, &m.byARN[to.ARN].subject, v)
	}
}

// tryNever tries a guard rail on one principal. What the principal's policies
// do not bound counts as possible too, unless they violate the guard rail
// themselves.
func (m *model) tryNever(n spec.Never, bad Violation, s *subject, v *Verdict) {
	v.Checked++
	var found []Violation
	for _, action := range n.Actions {
		found = append(found, m.tryAction(bad, s, action, n.On)...)
	}
	if len(found) == 0 {
		found = m.tryEscape(n, bad, s)
	}
	v.Violations = append(v.Violations, found...)
}

// tryAction returns how the principal might do the action on any of these.
func (m *model) tryAction(bad Violation, s *subject, action string, on []string) []Violation {
	var out []Violation
	for _, r := range m.patterns(on) {
		f, could := s.permissions.Could(reach.Question{Action: action, Resource: r.resource, Facts: s.facts})
		if !could {
			continue
		}
		bad.Action, bad.Resource = action, r.short
		out = append(out, bad.because("", f))
	}
	return out
}

// tryEscape returns how the principal might get at permissions that nothing
// here bounds: by giving them to itself, or in an account that is not looked
// at. The latter does not matter to a guard rail about resources of the
// accounts that are: it would take a policy of the resource, or a way back in,
// which identities of their own stand for.
func (m *model) tryEscape(n spec.Never, bad Violation, s *subject) []Violation {
	bad.Action, bad.Resource = strings.Join(n.Actions, ", "), "*"
	if len(n.On) > 0 {
		bad.Resource = strings.Join(n.On, ", ")
	}
	if action, f, could := s.permissions.Empowers(s.facts); could {
		return []Violation{bad.because("it might give itself anything by "+action+": ", f)}
	}
	if !m.beyond(n.On) {
		return nil
	}
	if f, could := s.permissions.Leaves(m.Spec.Partition, m.accountIDs(), s.facts); could {
		return []Violation{bad.because("it might become a role of an account that is not looked at: ", f)}
	}
	return nil
}

// because fills in what is to blame.
func (v Violation) because(how string, f reach.Finding) Violation {
	v.Policy = f.Policy
	if f.Unknown {
		v.Reason = how + "the content of " + f.Policy + " is not known, so nothing can be ruled out"
		return v
	}
	v.Blame = blame(f.Statement)
	v.Reason = fmt.Sprintf("%s%s allows %s", how, f.Policy, strings.Join(f.Actions, ", "))
	if f.Conditional() {
		v.Reason += " under conditions"
	}
	return v
}

func neverSentence(n spec.Never) string {
	s := neverWho(n) + " do " + strings.Join(n.Actions, ", ")
	if len(n.On) > 0 {
		s += " on " + strings.Join(n.On, ", ")
	}
	return s
}

// neverWho is the subject and the verb: "no identity can ever", "role deploy
// can never".
func neverWho(n spec.Never) string {
	switch all := []string{"*"}; {
	case slices.Equal(n.Identities, all) && len(n.Roles) == 0:
		return "no identity can ever"
	case slices.Equal(n.Roles, all) && len(n.Identities) == 0:
		return "no role can ever"
	}
	var who []string
	if len(n.Identities) > 0 {
		who = append(who, naming("identity", "identities", n.Identities))
	}
	if len(n.Roles) > 0 {
		who = append(who, naming("role", "roles", n.Roles))
	}
	return strings.Join(who, " and ") + " can never"
}

func naming(one, many string, names []string) string {
	if len(names) == 1 {
		return one + " " + names[0]
	}
	return many + " " + strings.Join(names, ", ")
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if iam.Match(p, name) {
			return true
		}
	}
	return false
}

// blame is a document with the one statement.
func blame(s iam.Statement) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}
}
