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
	var errs fault.List
	errs = append(errs, taken(a, "role", a.want.Roles, a.have.Roles, roleKey, a.have.RoleARN)...)
	errs = append(errs, taken(a, "user", a.want.Users, a.have.Users, userKey, a.have.UserARN)...)
	errs = append(errs, taken(a, "group", a.want.Groups, a.have.Groups, groupKey, a.have.GroupARN)...)
	errs = append(errs, taken(a, "policy", a.want.Policies, a.have.Policies, policyKey, a.have.PolicyARN)...)
	errs = append(errs, taken(a, "instance profile", a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey, a.have.InstanceProfileARN)...)

	q := a.want.Quotas
	errs = append(errs, a.overflow("roles", q.Roles, tally(a, a.want.Roles, a.have.Roles, roleKey))...)
	errs = append(errs, a.overflow("users", q.Users, tally(a, a.want.Users, a.have.Users, userKey))...)
	errs = append(errs, a.overflow("groups", q.Groups, tally(a, a.want.Groups, a.have.Groups, groupKey))...)
	errs = append(errs, a.overflow("customer managed policies", q.Policies, tally(a, a.want.Policies, customerManaged(a.have.Policies), policyKey))...)
	errs = append(errs, a.overflow("instance profiles", q.InstanceProfiles, tally(a, a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey))...)
	return errs
}

// taken refuses names that somebody outside the stack's path holds. IAM names
// are unique in an account regardless of case and path.
func taken[T any](a *accountPlan, kind string, want, have []T, key func(*T) (name, path string), arn func(path, name string) string) fault.List {
	wanted := map[string]string{}
	for i := range want {
		name, _ := key(&want[i])
		wanted[strings.ToLower(name)] = name
	}
	var errs fault.List
	for i := range have {
		name, path := key(&have[i])
		ours, clash := wanted[strings.ToLower(name)]
		if !clash || path == a.path() {
			continue
		}
		errs = append(errs, &fault.Error{
			Where: arn(path, name),
			What:  fmt.Sprintf("the stack needs a %s named %s, and this one is not the stack's: it lies outside %s", kind, ours, a.path()),
			Hint:  "rename it in the spec, or remove the other one yourself; Postern never touches what is not its own",
		})
	}
	return errs
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
