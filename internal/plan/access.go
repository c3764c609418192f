package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/trust"
)

// Access is what a plan gives to and takes from one role, user or group.
type Access struct {
	Account string       `json:"account"`
	Entity  string       `json:"entity"` // ARN of the role, user or group
	Gained  []Permission `json:"gained,omitempty"`
	Lost    []Permission `json:"lost,omitempty"`
	Remains []Permission `json:"remains,omitempty"` // what is left of wider permissions that are lost
	Joins   []string     `json:"joins,omitempty"`   // who may newly become the role: principals with their conditions
	Leaves  []string     `json:"leaves,omitempty"`
	// Unbarred lists whom a Deny of the trust policy no longer keeps out,
	// Barred whom one newly does.
	Unbarred []string `json:"unbarred,omitempty"`
	Barred   []string `json:"barred,omitempty"`
	New      bool     `json:"new,omitempty"`  // it does not stand yet
	Gone     bool     `json:"gone,omitempty"` // it is deleted
	// Boundary says how the permissions boundary changes: "set", "changed",
	// "removed", or empty.
	Boundary string `json:"boundary,omitempty"`
	// Widens is true if anybody ends up with more: an Allow gained, a Deny or
	// a boundary lost or changed, a principal joined.
	Widens bool `json:"widens"`
}

func (a *accountPlan) access() []Access {
	var out []Access
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		out = appendIfAny(out, a.roleAccess(p))
	}
	for _, p := range match(a.want.Users, a.have.Users, userKey, a.path()) {
		out = appendIfAny(out, a.userAccess(p))
	}
	for _, p := range match(a.want.Groups, a.have.Groups, groupKey, a.path()) {
		out = appendIfAny(out, a.groupAccess(p))
	}
	return out
}

func (a *accountPlan) roleAccess(p pair[estate.Role]) Access {
	want, have := cmp.Or(p.want, &estate.Role{}), cmp.Or(p.have, &estate.Role{})
	if p.want != nil && p.have != nil {
		have = standing(have)
	}
	acc := compare(a.permissions(a.want, want.Inline, want.Attached), a.permissions(a.have, have.Inline, have.Attached))
	acc.Account, acc.Entity = a.want.ID, a.want.RoleARN(a.path(), cmp.Or(want.Name, have.Name))
	acc.New, acc.Gone = p.have == nil, p.want == nil
	acc.Joins = missing(whom(want.Trust, iam.Allow), whom(have.Trust, iam.Allow))
	acc.Leaves = missing(whom(have.Trust, iam.Allow), whom(want.Trust, iam.Allow))
	acc.Unbarred = missing(whom(have.Trust, iam.Deny), whom(want.Trust, iam.Deny))
	acc.Barred = missing(whom(want.Trust, iam.Deny), whom(have.Trust, iam.Deny))
	acc.bound(want.Boundary, have.Boundary)
	acc.Widens = acc.Widens || len(acc.Joins)+len(acc.Unbarred) > 0
	return acc
}

func (a *accountPlan) userAccess(p pair[estate.User]) Access {
	want, have := cmp.Or(p.want, &estate.User{}), cmp.Or(p.have, &estate.User{})
	if p.want != nil && p.have != nil {
		have = standingUser(have)
	}
	acc := compare(a.permissions(a.want, want.Inline, want.Attached), a.permissions(a.have, have.Inline, have.Attached))
	acc.Account, acc.Entity = a.want.ID, a.want.UserARN(a.path(), cmp.Or(want.Name, have.Name))
	acc.New, acc.Gone = p.have == nil, p.want == nil
	acc.bound(want.Boundary, have.Boundary)
	return acc
}

func (a *accountPlan) groupAccess(p pair[estate.Group]) Access {
	want, have := cmp.Or(p.want, &estate.Group{}), cmp.Or(p.have, &estate.Group{})
	acc := compare(a.permissions(a.want, want.Inline, want.Attached), a.permissions(a.have, have.Inline, have.Attached))
	acc.Account, acc.Entity = a.want.ID, a.want.GroupARN(a.path(), cmp.Or(want.Name, have.Name))
	acc.New, acc.Gone = p.have == nil, p.want == nil
	return acc
}

func appendIfAny(list []Access, a Access) []Access {
	if len(a.Gained)+len(a.Lost)+len(a.Joins)+len(a.Leaves)+len(a.Barred)+len(a.Unbarred) == 0 && a.Boundary == "" {
		return list
	}
	return append(list, a)
}

// bound says how the boundary of something that stands and stays changes.
func (a *Access) bound(want, have string) {
	switch {
	case want == have || a.New || a.Gone:
	case have == "":
		a.Boundary = "set"
	case want == "":
		a.Boundary, a.Widens = "removed", true
	default:
		a.Boundary, a.Widens = "changed", true
	}
}

// whom lists the principals of a trust policy's statements of one effect, each
// with what it needs beside assuming the role, and its conditions; subjects that
// share a statement one by one.
func whom(d *iam.Document, effect iam.Effect) []string {
	if d == nil {
		return nil
	}
	var out []string
	for _, s := range trust.Split(d).Statements {
		if s.Effect != effect {
			continue
		}
		for _, who := range principalNames(s) {
			out = append(out, who+trustedActions(s)+ifText(s.Conditions))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// trustedActions names actions that are not the assuming itself.
func trustedActions(s iam.Statement) string {
	var more []string
	for _, action := range listOrComplement(s.Actions, s.NotActions) {
		if !iam.MatchFold("sts:AssumeRole*", action) || strings.ContainsAny(action, "*?") {
			more = append(more, action)
		}
	}
	if len(more) == 0 {
		return ""
	}
	slices.Sort(more)
	return " for " + strings.Join(more, ", ")
}

func ifText(conditions []iam.Condition) string {
	if len(conditions) == 0 {
		return ""
	}
	return " if " + conditionText(conditions)
}

func principalNames(s iam.Statement) []string {
	switch {
	case s.NotPrincipal != nil:
		return []string{"everyone but those in NotPrincipal"}
	case s.Principal == nil:
		return nil
	case s.Principal.Everyone:
		return []string{"everyone (*)"}
	}
	return slices.Concat(s.Principal.AWS, s.Principal.Service, s.Principal.Federated, s.Principal.CanonicalUser)
}
