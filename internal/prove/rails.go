package prove

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
)

// never tries each action on everything that the named identities and roles
// can become.
func (m *model) never(n spec.Never, entries []Entry) Verdict {
	v := Verdict{Rail: neverSentence(n), Where: n.Pos.String()}
	for _, e := range entries {
		if !matchesAny(n.Identities, e.Identity) {
			continue
		}
		m.neverOwn(n, e, &v)
		for _, reached := range e.Roles {
			r := m.byARN[reached.ARN]
			m.tryNever(n, subject{identity: e.Identity, arn: r.arn, via: reached.Via, account: r.account.ID, principal: &r.principal}, &v)
		}
	}
	for _, r := range m.roles {
		if r.name != "" && matchesAny(n.Roles, r.name) {
			m.tryNever(n, subject{arn: r.arn, account: r.account.ID, principal: &r.principal}, &v)
		}
	}
	v.Holds = len(v.Violations) == 0
	return v
}

// neverOwn tries what a machine user may do by itself, before it becomes
// anything.
func (m *model) neverOwn(n spec.Never, e Entry, v *Verdict) {
	i := slices.IndexFunc(m.Spec.Identities, func(id spec.Identity) bool { return id.Name == e.Identity && id.AccessKey != nil })
	if i < 0 {
		return
	}
	arn := compile.UserARN(m.Spec, &m.Spec.Identities[i])
	if p, ok := m.user(arn); ok {
		m.tryNever(n, subject{identity: e.Identity, arn: arn, account: accountOf(arn), principal: &p}, v)
	}
}

// subject is one principal that a guard rail is tried on.
type subject struct {
	identity, arn, account string
	via                    []string
	principal              *reach.Principal
}

func (m *model) tryNever(n spec.Never, s subject, v *Verdict) {
	v.Checked++
	for _, action := range n.Actions {
		for _, resource := range m.resources(n.On, action, s.account) {
			f, could := s.principal.Could(action, resource)
			if !could {
				continue
			}
			v.Violations = append(v.Violations, violation(s, action, resource, f))
		}
	}
}

func violation(s subject, action, resource string, f reach.Finding) Violation {
	out := Violation{Identity: s.identity, Principal: s.arn, Via: s.via, Action: action, Resource: resource, Policy: f.Policy}
	if f.Unknown {
		out.Reason = "the content of " + f.Policy + " is not known, so nothing can be ruled out"
		return out
	}
	out.Blame = blame(f.Statement)
	out.Reason = fmt.Sprintf("%s allows %s", f.Policy, strings.Join(f.Actions, ", "))
	if f.Conditional() {
		out.Reason += " under conditions"
	}
	return out
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
