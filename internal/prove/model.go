package prove

import (
	"cmp"
	"slices"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/estate"
)

// model is the estate, ready to be asked.
type model struct {
	Input
	roles []*role // by ARN
	byARN map[string]*role
}

// role is one role of the estate, the stack's or another's.
type role struct {
	*reach.Role
	subject
	name    string // in the spec; empty if it is not the stack's
	estate  *estate.Role
	account *estate.Account

	next   []edge // the roles that it can use
	walked bool   // next is filled in
}

// subject is one principal that has permissions of its own.
type subject struct {
	who         eval.Principal
	permissions reach.Principal
	facts       reach.Facts // of its requests
}

func newModel(in Input) *model {
	m := &model{Input: in, byARN: map[string]*role{}}
	specNames := map[string]string{}
	for i := range in.Spec.Roles {
		r := &in.Spec.Roles[i]
		specNames[compile.RoleARN(in.Spec, r)] = r.Name
	}
	for i := range in.Estate.Accounts {
		account := &in.Estate.Accounts[i]
		permissions := account.Permissions()
		for j := range account.Roles {
			r := m.newRole(account, permissions, &account.Roles[j])
			r.name = specNames[r.ARN]
			m.roles = append(m.roles, r)
			m.byARN[r.ARN] = r
		}
	}
	slices.SortFunc(m.roles, func(a, b *role) int { return cmp.Compare(a.ARN, b.ARN) })
	return m
}

func (m *model) newRole(account *estate.Account, permissions *estate.Permissions, r *estate.Role) *role {
	arn := account.RoleARN(r.Path, r.Name)
	return &role{
		Role: reach.NewRole(arn, account.ID, r.Trust), account: account, estate: r,
		subject: m.newSubject(eval.Principal{Kind: eval.Role, ARN: arn, Account: account.ID}, permissions.Role(r)),
	}
}

func (m *model) newSubject(who eval.Principal, permissions reach.Principal) subject {
	return subject{who: who, permissions: permissions, facts: m.from().With(eval.PrincipalContext(who))}
}

// from is what is known of every request: it is not made before now.
func (m *model) from() reach.Facts { return reach.Facts{Now: m.Now} }

// user finds a user of the estate.
func (m *model) user(arn string) (subject, bool) {
	for i := range m.Estate.Accounts {
		account := &m.Estate.Accounts[i]
		for j := range account.Users {
			u := &account.Users[j]
			if account.UserARN(u.Path, u.Name) == arn {
				return m.newSubject(eval.Principal{Kind: eval.User, ARN: arn, Account: account.ID}, account.Permissions().User(u)), true
			}
		}
	}
	return subject{}, false
}

// accountIDs are those of the accounts that are looked at.
func (m *model) accountIDs() []string {
	var ids []string
	for _, a := range m.Estate.Accounts {
		ids = append(ids, a.ID)
	}
	return ids
}
