package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// Permission is one action on one resource, as a statement gives or denies it.
type Permission struct {
	Effect    iam.Effect `json:"effect"`
	Action    string     `json:"action,omitempty"`    // a pattern; "all but …" for NotAction; empty for Policy
	Resource  string     `json:"resource,omitempty"`  // a pattern; "all but …" for NotResource
	Condition string     `json:"condition,omitempty"` // empty: none
	Policy    string     `json:"policy,omitempty"`    // ARN of a managed policy whose content is not known
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
		parts = append(parts, c.Key+" "+c.Operator+" "+valuesText(c.Values))
	}
	slices.Sort(parts)
	return strings.Join(parts, " and ")
}

// valuesText joins the values of a condition. One that could be taken for
// several is quoted.
func valuesText(values []string) string {
	var out []string
	for _, v := range slices.Sorted(slices.Values(values)) {
		if v == "" || strings.ContainsAny(v, " \"\n") {
			v = strconv.Quote(v)
		}
		out = append(out, v)
	}
	return strings.Join(out, " or ")
}

// compare lists what one set of permissions has that the other does not
// already contain.
func compare(want, have []Permission) Access {
	a := Access{Gained: uncovered(want, have), Lost: uncovered(have, want)}
	a.Remains = remains(want, have, a.Lost)
	a.Widens = slices.ContainsFunc(a.Gained, func(p Permission) bool { return p.Effect == iam.Allow }) ||
		slices.ContainsFunc(a.Lost, func(p Permission) bool { return p.Effect == iam.Deny })
	return a
}

// remains lists what of the lost permissions stays in a narrower form.
func remains(want, have, lost []Permission) []Permission {
	var out []Permission
	for _, p := range want {
		left := func(l Permission) bool { return l.contains(p) }
		if !slices.Contains(have, p) && !slices.Contains(out, p) && slices.ContainsFunc(lost, left) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, comparePermissions)
	return out
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
