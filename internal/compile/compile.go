// Package compile turns a spec into the estate it asks for: roles with their
// trust and policies, machine users with their groups, providers. It fits
// policies into AWS's quotas by joining and splitting statements, never by
// widening; what does not fit is an error that says what to split.
package compile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// Quotas are what each account takes, by account id. An account that is not
// in the map has AWS's defaults.
type Quotas map[string]estate.Quotas

func (q Quotas) of(account string) estate.Quotas {
	if have, ok := q[account]; ok {
		return have
	}
	return estate.DefaultQuotas()
}

// Estate compiles the whole stack. The error is a fault.List of everything
// that does not fit, each with its place in the spec.
func Estate(s *spec.Spec, quotas Quotas) (*estate.Estate, error) {
	c := &compiler{spec: s, quotas: quotas, accounts: map[string]*estate.Account{}}
	out := &estate.Estate{}
	byID := slices.SortedFunc(slices.Values(s.Accounts), func(a, b spec.Account) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range byID {
		out.Accounts = append(out.Accounts, estate.Account{ID: a.ID, Partition: s.Partition, Quotas: quotas.of(a.ID)})
	}
	for _, a := range s.Accounts {
		c.accounts[a.Name] = out.Account(a.ID)
	}
	for _, r := range s.Roles {
		c.role(r)
	}
	for _, id := range s.Identities {
		if id.AccessKey != nil {
			c.machineUser(id)
		}
	}
	for i := range out.Accounts {
		out.Accounts[i].Sort()
	}
	c.refuseCircles()
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// RoleName is the name in AWS of a role of the spec. Role names are unique in
// an account whatever their path, so the stack's name is part of it.
func RoleName(stack, role string) string { return stack + "-" + role }

// RoleARN is the ARN that a role of the spec has in AWS.
func RoleARN(s *spec.Spec, r *spec.Role) string {
	a := estate.Account{Partition: s.Partition}
	for _, account := range s.Accounts {
		if account.Name == r.Account {
			a.ID = account.ID
		}
	}
	return a.RoleARN(estate.PathOf(s.Stack), RoleName(s.Stack, r.Name))
}

// UserARN is the ARN that the machine user of an access_key identity has.
func UserARN(s *spec.Spec, id *spec.Identity) string {
	a := estate.Account{Partition: s.Partition}
	for _, account := range s.Accounts {
		if account.Name == id.AccessKey.Account {
			a.ID = account.ID
		}
	}
	return a.UserARN(estate.PathOf(s.Stack), RoleName(s.Stack, id.Name))
}

// Proof is what a trust policy names for an identity: what it declares, or the
// machine user of an access_key.
func Proof(s *spec.Spec, id *spec.Identity) trust.Identity {
	if id.AccessKey != nil {
		return trust.AWSUser{ARN: UserARN(s, id)}
	}
	return id.Proof
}

type compiler struct {
	spec     *spec.Spec
	quotas   Quotas
	accounts map[string]*estate.Account // by name in the spec
	errs     fault.List
}

func (c *compiler) fail(pos spec.Pos, hint, format string, args ...any) {
	c.errs = append(c.errs, &fault.Error{Where: pos.String(), What: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *compiler) path() string { return estate.PathOf(c.spec.Stack) }

func (c *compiler) tags(extra map[string]string) map[string]string {
	tags := map[string]string{estate.TagStack: c.spec.Stack}
	maps.Copy(tags, extra)
	return tags
}

func inlinePolicies(docs []named) []estate.InlinePolicy {
	var out []estate.InlinePolicy
	for _, d := range docs {
		out = append(out, estate.InlinePolicy{Name: d.name, Document: d.doc})
	}
	return out
}

// named is a policy document on its way into a role.
type named struct {
	name string
	doc  *iam.Document
}
