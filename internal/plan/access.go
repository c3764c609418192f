package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// Access is what a plan gives to and takes from one role or group.
type Access struct {
	Account string       `json:"account"`
	Entity  string       `json:"entity"` // ARN of the role or group
	Gained  []Permission `json:"gained,omitempty"`
	Lost    []Permission `json:"lost,omitempty"`
	Joins   []string     `json:"joins,omitempty"` // who may newly become the role: principals with their conditions
	Leaves  []string     `json:"leaves,omitempty"`
	New     bool         `json:"new,omitempty"`  // it does not stand yet
	Gone    bool         `json:"gone,omitempty"` // it is deleted
	// Boundary says how the permissions boundary changes: "set", "changed",
	// "removed", or empty.
	Boundary string `json:"boundary,omitempty"`
	// Widens is true if anybody ends up with more: an Allow gained, a Deny or
	// a boundary lost or changed, a principal joined.
	Widens bool `json:"widens"`
}

// Permission is one action on one resource, as a statement gives or denies it.
type Permission struct {
	Effect    iam.Effect `json:"effect"`
	Action    string     `json:"action,omitempty"`    // a pattern; "all but …" for NotAction; empty for Policy
	Resource  string     `json:"resource,omitempty"`  // a pattern; "all but …" for NotResource
	Condition string     `json:"condition,omitempty"` // empty: none
	Policy    string     `json:"policy,omitempty"`    // ARN of a managed policy whose content is not known
}

func (a *accountPlan) access() []Access {
	var out []Access
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		want, have := cmp.Or(p.want, &estate.Role{}), cmp.Or(p.have, &estate.Role{})
		name := cmp.Or(want.Name, have.Name)
		acc := compare(a.rolePermissions(a.want, want), a.rolePermissions(a.have, have))
		acc.Account, acc.Entity = a.want.ID, a.want.RoleARN(a.path(), name)
		acc.New, acc.Gone = p.have == nil, p.want == nil
		if p.want == nil || p.have == nil || !sameTrust(want.Trust, have.Trust) {
			acc.Joins = missing(admitted(want.Trust), admitted(have.Trust))
			acc.Leaves = missing(admitted(have.Trust), admitted(want.Trust))
		}
		if p.want != nil && p.have != nil {
			acc.Boundary = boundaryChange(want.Boundary, have.Boundary)
		}
		acc.Widens = acc.Widens || len(acc.Joins) > 0 || acc.Boundary == "removed" || acc.Boundary == "changed"
		out = appendIfAny(out, acc)
	}
	for _, p := range match(a.want.Groups, a.have.Groups, groupKey, a.path()) {
		want, have := cmp.Or(p.want, &estate.Group{}), cmp.Or(p.have, &estate.Group{})
		acc := compare(a.permissions(a.want, want.Inline, want.Attached), a.permissions(a.have, have.Inline, have.Attached))
		acc.New, acc.Gone = p.have == nil, p.want == nil
		acc.Account, acc.Entity = a.want.ID, a.want.GroupARN(a.path(), cmp.Or(want.Name, have.Name))
		out = appendIfAny(out, acc)
	}
	return out
}

func appendIfAny(list []Access, a Access) []Access {
	if len(a.Gained)+len(a.Lost)+len(a.Joins)+len(a.Leaves) == 0 && a.Boundary == "" {
		return list
	}
	return append(list, a)
}

func boundaryChange(want, have string) string {
	switch {
	case want == have:
		return ""
	case have == "":
		return "set"
	case want == "":
		return "removed"
	}
	return "changed"
}

func (a *accountPlan) rolePermissions(account *estate.Account, r *estate.Role) []Permission {
	return a.permissions(account, r.Inline, r.Attached)
}

func (a *accountPlan) permissions(account *estate.Account, inline []estate.InlinePolicy, attached []string) []Permission {
	var out []Permission
	for _, p := range inline {
		out = append(out, documentPermissions(p.Document)...)
	}
	for _, arn := range attached {
		doc := account.PolicyDocument(arn)
		if doc == nil {
			out = append(out, Permission{Effect: iam.Allow, Policy: arn})
			continue
		}
		out = append(out, documentPermissions(doc)...)
	}
	return out
}

func documentPermissions(d *iam.Document) []Permission {
	var out []Permission
	for _, s := range d.Statements {
		condition := conditionText(s.Conditions)
		for _, action := range listOrComplement(s.Actions, s.NotActions) {
			for _, resource := range listOrComplement(s.Resources, s.NotResources) {
				out = append(out, Permission{Effect: s.Effect, Action: action, Resource: resource, Condition: condition})
			}
		}
	}
	return out
}

const complement = "all but "

func listOrComplement(list, not []string) []string {
	if len(not) > 0 {
		return []string{complement + strings.Join(slices.Sorted(slices.Values(not)), ", ")}
	}
	return list
}

func conditionText(conditions []iam.Condition) string {
	var parts []string
	for _, c := range conditions {
		parts = append(parts, c.Key+" "+c.Operator+" "+strings.Join(slices.Sorted(slices.Values(c.Values)), "|"))
	}
	slices.Sort(parts)
	return strings.Join(parts, " and ")
}

// compare lists what one set of permissions has that the other does not
// already contain.
func compare(want, have []Permission) Access {
	a := Access{Gained: uncovered(want, have), Lost: uncovered(have, want)}
	a.Widens = slices.ContainsFunc(a.Gained, func(p Permission) bool { return p.Effect == iam.Allow }) ||
		slices.ContainsFunc(a.Lost, func(p Permission) bool { return p.Effect == iam.Deny })
	return a
}

func uncovered(list, by []Permission) []Permission {
	exact := map[Permission]bool{}
	var wide []Permission // only patterns can cover what they do not equal
	for _, p := range by {
		exact[p] = true
		if p.Condition == "" || strings.ContainsAny(p.Action+p.Resource, "*?") {
			wide = append(wide, p)
		}
	}
	seen := map[Permission]bool{}
	for _, p := range list {
		if exact[p] || slices.ContainsFunc(wide, func(w Permission) bool { return w.contains(p) }) {
			continue
		}
		seen[p] = true
	}
	return slices.SortedFunc(maps.Keys(seen), comparePermissions)
}

// contains reports whether whatever the other permission covers, p covers too.
func (p Permission) contains(other Permission) bool {
	if p.Policy != "" || other.Policy != "" || p.Effect != other.Effect {
		return false
	}
	if p.Condition != "" && p.Condition != other.Condition {
		return false
	}
	return patternContains(p.Action, other.Action, iam.CoversFold) && patternContains(p.Resource, other.Resource, iam.Covers)
}

func patternContains(wide, narrow string, covers func(wide, narrow string) bool) bool {
	if wide == "*" || wide == narrow {
		return true
	}
	if strings.HasPrefix(wide, complement) || strings.HasPrefix(narrow, complement) {
		return false
	}
	return covers(wide, narrow)
}

func comparePermissions(a, b Permission) int {
	return cmp.Or(
		cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Condition, b.Condition), cmp.Compare(a.Policy, b.Policy),
	)
}

// admitted lists whom a trust policy lets in, each with its conditions.
func admitted(d *iam.Document) []string {
	var out []string
	if d == nil {
		return nil
	}
	for _, s := range d.Statements {
		if s.Effect != iam.Allow {
			continue
		}
		for _, who := range principalNames(s) {
			if condition := conditionText(s.Conditions); condition != "" {
				who += " if " + condition
			}
			out = append(out, who)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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
