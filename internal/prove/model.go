package prove

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/estate"
)

// model is the estate, ready to be asked.
type model struct {
	Input
	roles []*role
	byARN map[string]*role
}

// role is one role of the estate, the stack's or another's.
type role struct {
	arn       string
	account   *estate.Account
	role      *estate.Role
	name      string // in the spec; empty if it is not the stack's
	principal reach.Principal
}

func newModel(in Input) (*model, error) {
	m := &model{Input: in, byARN: map[string]*role{}}
	specNames := map[string]string{}
	for i := range in.Spec.Roles {
		r := &in.Spec.Roles[i]
		specNames[compile.RoleARN(in.Spec, r)] = r.Name
	}
	for i := range in.Estate.Accounts {
		account := &in.Estate.Accounts[i]
		for j := range account.Roles {
			r := &account.Roles[j]
			arn := account.RoleARN(r.Path, r.Name)
			one := &role{arn: arn, account: account, role: r, name: specNames[arn], principal: rolePrincipal(account, r)}
			m.roles = append(m.roles, one)
			m.byARN[arn] = one
		}
	}
	slices.SortFunc(m.roles, func(a, b *role) int { return cmp.Compare(a.arn, b.arn) })
	return m, nil
}

func rolePrincipal(account *estate.Account, r *estate.Role) reach.Principal {
	p := reach.Principal{Identity: policies(account, r.Inline, r.Attached)}
	if r.Boundary != "" {
		p.Boundary = &reach.Policy{Name: r.Boundary, Document: account.PolicyDocument(r.Boundary)}
	}
	return p
}

func userPrincipal(account *estate.Account, u *estate.User) reach.Principal {
	p := reach.Principal{Identity: policies(account, u.Inline, u.Attached)}
	for _, g := range account.Groups {
		if slices.Contains(u.Groups, g.Name) {
			p.Identity = append(p.Identity, policies(account, g.Inline, g.Attached)...)
		}
	}
	if u.Boundary != "" {
		p.Boundary = &reach.Policy{Name: u.Boundary, Document: account.PolicyDocument(u.Boundary)}
	}
	return p
}

func policies(account *estate.Account, inline []estate.InlinePolicy, attached []string) []reach.Policy {
	var out []reach.Policy
	for _, p := range inline {
		out = append(out, reach.Policy{Name: "inline policy " + p.Name, Document: p.Document})
	}
	for _, arn := range attached {
		out = append(out, reach.Policy{Name: arn, Document: account.PolicyDocument(arn)})
	}
	return out
}

// everything stands for the permissions of a principal whose own policies are
// not in the estate.
func everything() *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"},
	}}}
}

// admits reports whether a role's trust policy lets the request in, with every
// condition key that the request does not carry left free. A policy that
// cannot be read or judged admits.
func (r *role) admits(req eval.Request, known map[string][]string, identity []*eval.Policy) bool {
	if r.role.Trust == nil {
		return true
	}
	context := eval.NewContext(known)
	free := reach.Free(r.role.Trust, func(key string) bool {
		_, carried := context.Get(key)
		return carried
	})
	trust, err := eval.Compile(r.arn, eval.Trust, free)
	if err != nil {
		return true
	}
	req.Resource, req.ResourceAccount, req.Context = r.arn, r.account.ID, context
	layers := eval.Layers{Identity: identity, Resource: trust}
	return layers.MightAllow(&req)
}

func compileAll(kind eval.Kind, list []reach.Policy) ([]*eval.Policy, error) {
	var out []*eval.Policy
	for _, p := range list {
		if p.Document == nil {
			continue
		}
		compiled, err := eval.Compile(p.Name, kind, p.Document)
		if err != nil {
			return nil, fmt.Errorf("judge %s: %w", p.Name, err)
		}
		out = append(out, compiled)
	}
	return out, nil
}
