package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// refusals are the reasons why nothing may be changed in the account.
func (a *accountPlan) refusals() fault.List {
	q := a.want.Quotas
	return slices.Concat(
		clashes(a, "role", a.want.Roles, a.have.Roles, roleKey, a.have.RoleARN),
		clashes(a, "user", a.want.Users, a.have.Users, userKey, a.have.UserARN),
		clashes(a, "group", a.want.Groups, a.have.Groups, groupKey, a.have.GroupARN),
		clashes(a, "policy", a.want.Policies, customerManaged(a.have.Policies), policyKey, a.have.PolicyARN),
		clashes(a, "instance profile", a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey, a.have.InstanceProfileARN),
		a.missingBoundaries(), a.inUse(),
		a.overflow("roles", q.Roles, tally(a, a.want.Roles, a.have.Roles, roleKey)),
		a.overflow("users", q.Users, tally(a, a.want.Users, a.have.Users, userKey)),
		a.overflow("groups", q.Groups, tally(a, a.want.Groups, a.have.Groups, groupKey)),
		a.overflow("customer managed policies", q.Policies, tally(a, a.want.Policies, customerManaged(a.have.Policies), policyKey)),
		a.overflow("instance profiles", q.InstanceProfiles, tally(a, a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey)),
		a.overflow("OIDC providers", q.Providers, a.providerTally()),
	)
}

// clashes refuses names that somebody outside the stack's path holds. IAM
// names are unique in an account regardless of case and path.
func clashes[T any](a *accountPlan, kind string, want, have []T, key func(*T) (name, path string), arn func(path, name string) string) fault.List {
	wanted := map[string]string{}
	for i := range want {
		name, _ := key(&want[i])
		wanted[strings.ToLower(name)] = name
	}
	var errs fault.List
	for i := range have {
		name, path := key(&have[i])
		ours, clash := wanted[strings.ToLower(name)]
		if !clash || path == a.path() && name == ours {
			continue
		}
		errs = append(errs, &fault.Error{
			Where: arn(path, name),
			What:  fmt.Sprintf("the stack needs a %s named %s, and this one, which is not it, holds the name", kind, ours),
			Hint:  "rename it in the spec, or remove the other one yourself; Postern never touches what is not its own",
		})
	}
	return errs
}

// missingBoundaries refuses roles whose permissions boundary does not stand:
// AWS would, one call after the other. Those of AWS itself are not listed.
func (a *accountPlan) missingBoundaries() fault.List {
	standing := map[string]bool{}
	for i := range a.have.Policies {
		standing[a.have.Policies[i].ARN(a.have)] = true
	}
	var errs fault.List
	for _, r := range a.want.Roles {
		if !strings.Contains(r.Boundary, "::"+a.want.ID+":") || standing[r.Boundary] {
			continue
		}
		errs = append(errs, &fault.Error{
			Where: a.want.RoleARN(r.Path, r.Name),
			What:  "its permissions boundary " + r.Boundary + " does not exist",
			Hint:  "make the policy first, or correct boundary in the spec",
		})
	}
	return errs
}

// inUse refuses to delete what others hold: taking it from them would touch
// what is not the stack's.
func (a *accountPlan) inUse() fault.List {
	var errs fault.List
	refuse := func(arn string, holders []string) {
		if len(holders) > 0 {
			errs = append(errs, &fault.Error{
				Where: arn,
				What:  "it has to go and is still used by " + strings.Join(holders, ", ") + ", which the stack does not own",
				Hint:  "detach it there yourself; Postern never touches what is not its own",
			})
		}
	}
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		if p.want == nil {
			refuse(a.have.RoleARN(p.have.Path, p.have.Name), a.foreignProfiles(p.have))
		}
	}
	for _, p := range match(a.want.Policies, a.have.Policies, policyKey, a.path()) {
		if p.want == nil {
			refuse(a.policyARN(p.have), a.foreignHolders(p.have))
		}
	}
	return errs
}

// foreignProfiles are instance profiles of others that hold a role.
func (a *accountPlan) foreignProfiles(r *estate.Role) []string {
	var out []string
	for _, p := range a.have.InstanceProfiles {
		if p.Role == r.Name && p.Path != a.path() {
			out = append(out, a.have.InstanceProfileARN(p.Path, p.Name))
		}
	}
	return out
}

// foreignHolders are principals of others that a managed policy is attached
// to, or bounds.
func (a *accountPlan) foreignHolders(p *estate.ManagedPolicy) []string {
	arn := a.have.PolicyARN(p.Path, p.Name)
	var out []string
	for _, r := range a.have.Roles {
		if r.Path != a.path() && (r.Boundary == arn || slices.Contains(r.Attached, arn)) {
			out = append(out, a.have.RoleARN(r.Path, r.Name))
		}
	}
	for _, u := range a.have.Users {
		if u.Path != a.path() && (u.Boundary == arn || slices.Contains(u.Attached, arn)) {
			out = append(out, a.have.UserARN(u.Path, u.Name))
		}
	}
	for _, g := range a.have.Groups {
		if g.Path != a.path() && slices.Contains(g.Attached, arn) {
			out = append(out, a.have.GroupARN(g.Path, g.Name))
		}
	}
	return out
}

// counts is how many things of a kind stand, and how many at most while the
// plan runs: new ones come before old ones go.
type counts struct{ have, peak int }

func tally[T any](a *accountPlan, want, have []T, key func(*T) (name, path string)) counts {
	n := counts{have: len(have), peak: len(have)}
	for _, p := range match(want, have, key, a.path()) {
		if p.have == nil {
			n.peak++
		}
	}
	return n
}

func (a *accountPlan) providerTally() counts {
	n := counts{have: len(a.have.Providers), peak: len(a.have.Providers)}
	for _, p := range a.want.Providers {
		if a.provider(p.URL) == nil {
			n.peak++
		}
	}
	return n
}

func customerManaged(policies []estate.ManagedPolicy) []estate.ManagedPolicy {
	return slices.DeleteFunc(slices.Clone(policies), func(p estate.ManagedPolicy) bool { return p.AWSManaged })
}

func (a *accountPlan) overflow(kind string, quota int, n counts) fault.List {
	if n.peak <= quota || n.peak == n.have {
		return nil
	}
	return fault.List{&fault.Error{
		Where: "account " + a.want.ID,
		What:  fmt.Sprintf("the plan needs room for %d %s, the account takes %d and has %d", n.peak, kind, quota, n.have),
		Hint:  "remove some, ask AWS to raise the quota, or spread the stack over two accounts",
	}}
}
