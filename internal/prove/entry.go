package prove

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// identity is one identity, what it can become, and what it may do before it
// becomes anything.
type identity struct {
	Entry
	own *subject // nil: it has no permissions of its own here
}

// identities finds the roles that each identity can become: those whose trust
// policy admits it, in whatever path they lie, and from there those that these
// may use.
func (m *model) identities() []identity {
	var out []identity
	for i := range m.Spec.Identities {
		id := &m.Spec.Identities[i]
		proof := compile.Proof(m.Spec, id)
		out = append(out, identity{
			Entry: Entry{
				Identity: id.Name, Describe: proof.Describe(), RedFlag: id.AccessKey != nil,
				Roles: m.reached(m.direct(proof)),
			},
			own: m.own(proof),
		})
	}
	for i := range m.Spec.Roles {
		r := &m.Spec.Roles[i]
		for _, t := range r.Trust {
			if t.Proof != nil {
				out = append(out, m.inline(r, t.Proof))
			}
		}
	}
	return out
}

// inline is an identity that a role names itself. It is taken for that role
// alone: a service may enter many roles of an account, each for another
// purpose.
func (m *model) inline(r *spec.Role, proof trust.Identity) identity {
	id := identity{
		Entry: Entry{Identity: proof.Describe() + " (role " + r.Name + ")", Describe: proof.Describe()},
		own:   m.own(proof),
	}
	if one := m.byARN[compile.RoleARN(m.Spec, r)]; one != nil && m.entrance(proof)(one) {
		id.Roles = m.reached([]*role{one})
	}
	return id
}

// own are the permissions that an identity has by itself, if it stands in the
// estate.
func (m *model) own(proof trust.Identity) *subject {
	switch id := proof.(type) {
	case trust.AWSRole:
		if r := m.byARN[id.ARN]; r != nil {
			return &r.subject
		}
	case trust.AWSUser:
		if s, ok := m.user(id.ARN); ok {
			return &s
		}
	}
	return nil
}

func (m *model) direct(proof trust.Identity) []*role {
	service := proof.Caller(trust.Scope{}).Principal.Kind == eval.Service
	enters := m.entrance(proof)
	var out []*role
	for _, r := range m.roles {
		if (r.name != "" || !service) && enters(r) {
			out = append(out, r)
		}
	}
	return out
}

// entrance returns whether the identity can become a role directly. Who asks
// chooses the external id, so that none keeps it out.
func (m *model) entrance(proof trust.Identity) func(*role) bool {
	switch id := proof.(type) {
	case trust.AWSRole:
		if own := m.byARN[id.ARN]; own != nil {
			return func(r *role) bool { return r.Reachable(own.who, &own.permissions, m.from()) }
		}
		who := eval.Principal{Kind: eval.Role, ARN: id.ARN, Account: accountOf(id.ARN)}
		return func(r *role) bool { return r.Admits(reach.Caller{Principal: who, MayAsk: true, Facts: m.from()}) }
	case trust.AWSAccount:
		facts := m.from()
		if id.OrgID != "" {
			facts = facts.With(map[string][]string{"aws:PrincipalOrgID": {id.OrgID}})
		}
		return func(r *role) bool { return r.AdmitsAccount(id.ID, facts) }
	case trust.AWSUser:
		user, ok := m.user(id.ARN)
		return func(r *role) bool { return ok && r.Reachable(user.who, &user.permissions, m.from()) }
	}
	return m.callerEntrance(proof)
}

func (m *model) scope(r *role) trust.Scope {
	return trust.Scope{Partition: r.account.Partition, Region: m.Spec.Region, Account: r.account.ID}
}

// callerEntrance tries every form that the requests of a token, or of a service
// on the identity's behalf, may have. They are made once for each account.
func (m *model) callerEntrance(proof trust.Identity) func(*role) bool {
	made := map[trust.Scope][]reach.Caller{}
	return func(r *role) bool {
		s := m.scope(r)
		callers, ok := made[s]
		if !ok {
			callers = m.callers(proof, s)
			made[s] = callers
		}
		return slices.ContainsFunc(callers, r.Admits)
	}
}

func (m *model) callers(proof trust.Identity, s trust.Scope) []reach.Caller {
	who, known := proof.Caller(s).Principal, trust.KnownOf(proof, s)
	var callers []reach.Caller
	for _, form := range known.Forms {
		facts := m.from()
		facts.Keys, facts.Like = map[string][]string{}, map[string]reach.Pattern{}
		for key, value := range form {
			if strings.ContainsAny(value, "*?") {
				facts.Like[key] = reach.Pattern{Text: value, Wild: known.Wild}
			} else {
				facts.Keys[key] = []string{value}
			}
		}
		callers = append(callers, reach.Caller{Principal: who, Facts: facts})
	}
	return callers
}
