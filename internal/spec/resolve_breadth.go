package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// becoming are the actions that give whoever may do them what a role may do.
// Where their resource is open, so is every role that could be meant.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
var becoming = []string{"iam:PassRole", "sts:AssumeRole"}

// checkBreadth refuses what no reason can justify: every action of a service on
// every resource, and roles that are not named where roles are handed on.
func (r *resolver) checkBreadth(raw rawCustom) {
	everywhere := slices.ContainsFunc(values(raw.Resources), isEverywhere)
	for _, a := range raw.Actions {
		service, _, _ := strings.Cut(a.V, ":")
		if everywhere && actionPattern().MatchString(a.V) && isWholeService(a.V) {
			r.add(a.Pos, fmt.Sprintf("every action of %s on every resource is administration, not least privilege", service), "name the actions or the resources")
			continue
		}
		for _, become := range becoming {
			if actionPattern().MatchString(a.V) && iam.OverlapsFold(a.V, become) {
				r.checkRolesNamed(a, become, raw.Resources)
			}
		}
	}
}

// checkRolesNamed reports the resources that may be a role and do not name it.
func (r *resolver) checkRolesNamed(a item[string], become string, resources []item[string]) {
	for _, res := range resources {
		if !strings.ContainsAny(res.V, "*?$") || !iam.Overlaps(iam.ReplaceVariables(res.V, "*"), "arn:*:iam::*:role/*") {
			continue
		}
		what := fmt.Sprintf("%s on %q is to hold the permissions of roles that are not named", become, res.V)
		if a.V != become {
			what = fmt.Sprintf("%q includes %s, and on %q that is to hold the permissions of roles that are not named", a.V, become, res.V)
		}
		hint := "name each role: arn:PARTITION:iam::ACCOUNT:role/NAME"
		if a.V != become {
			hint += "; or name the actions"
		}
		r.add(res.Pos, what, hint)
	}
}

// isWholeService reports whether a pattern covers every action of its service,
// however it is written: "iam:*", "iam:?*", "iam:*e*".
func isWholeService(pattern string) bool {
	prefix, name, _ := strings.Cut(pattern, ":")
	if strings.Contains(name, "*") && strings.Trim(name, "*?") == "" {
		return true
	}
	if !strings.ContainsAny(name, "*?") {
		return false
	}
	service, ok := action.ServiceByPrefix(prefix)
	return ok && !slices.ContainsFunc(service.Actions, func(a action.Action) bool { return !iam.MatchFold(name, a.Name) })
}

// isEverywhere reports whether a resource leaves open whatever tells one
// resource from another: "*", "arn:aws:*:*:*:*", "arn:aws:s3:::*/*". The
// account does not: a role reaches into its own whatever stands there.
func isEverywhere(resource string) bool {
	if strings.Trim(resource, "*?") == "" {
		return true
	}
	arn, err := iam.ParseARN(resource)
	return err == nil && strings.Trim(arn.Region, "*?") == "" && strings.Trim(arn.Resource, "*?/:") == ""
}

// maxNamed bounds the actions that Broad names one by one.
const maxNamed = 4

// Broad says what of an Allow is wider than it looks, for a reader to weigh:
// whole services, and writing actions on every resource. It returns nil for a
// Deny and for a statement that keeps to named things.
func (c Custom) Broad() []string {
	st := c.Statement
	if st.Effect != iam.Allow {
		return nil
	}
	var broad, writing []string
	everywhere := slices.ContainsFunc(st.Resources, isEverywhere)
	for _, a := range st.Actions {
		switch {
		case isWholeService(a):
			service, _, _ := strings.Cut(a, ":")
			broad = append(broad, "every action of "+service)
		case everywhere && writes(a):
			writing = append(writing, a)
		}
	}
	if len(writing) > maxNamed {
		writing = append(writing[:maxNamed], fmt.Sprintf("%d more", len(writing)-maxNamed))
	}
	if len(writing) > 0 {
		broad = append(broad, strings.Join(writing, ", ")+" on every resource")
	}
	return broad
}

// writes reports whether a pattern has an action that changes something. One
// that is not known is taken for such.
func writes(pattern string) bool {
	names := action.Expand(pattern)
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		a, ok := action.Lookup(name)
		return !ok || a.Level != action.Read && a.Level != action.List
	})
}
