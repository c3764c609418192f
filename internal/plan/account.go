package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// accountPlan is the comparison of one account.
type accountPlan struct {
	stack      string
	want, have *estate.Account
	depth      map[string]int // by role ARN: how many roles of the stack must stand before it
	out        []Change
}

func (a *accountPlan) path() string { return estate.PathOf(a.stack) }

func (a *accountPlan) changes() []Change {
	a.providers()
	a.policies()
	a.groups()
	a.users()
	a.roles()
	return a.out
}

func (a *accountPlan) add(stage int, entity string, verb Verb, in Input, reason string) {
	a.out = append(a.out, Change{
		Account: a.want.ID, Stage: stage, Entity: entity, Verb: verb, Input: in, Reason: reason,
	})
}

// pair is a wanted thing beside the stack's own one of that name; either may
// be nil, not both.
type pair[T any] struct{ want, have *T }

// match pairs by name, in order of name. Only what lies under the stack's path
// counts as had.
func match[T any](want, have []T, key func(*T) (name, path string), path string) []pair[T] {
	pairs := map[string]pair[T]{}
	for i := range want {
		name, _ := key(&want[i])
		pairs[name] = pair[T]{want: &want[i]}
	}
	for i := range have {
		name, at := key(&have[i])
		if at != path {
			continue
		}
		p := pairs[name]
		p.have = &have[i]
		pairs[name] = p
	}
	var out []pair[T]
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		out = append(out, pairs[name])
	}
	return out
}

func roleKey(r *estate.Role) (name, path string)                       { return r.Name, r.Path }
func userKey(u *estate.User) (name, path string)                       { return u.Name, u.Path }
func groupKey(g *estate.Group) (name, path string)                     { return g.Name, g.Path }
func policyKey(p *estate.ManagedPolicy) (name, path string)            { return p.Name, p.Path }
func instanceProfileKey(p *estate.InstanceProfile) (name, path string) { return p.Name, p.Path }

// trustDepth says for each wanted role, by ARN, how many wanted roles its trust
// leads through: AWS refuses a trust policy that names a role which does not
// exist. Roles that trust each other do not come here: compiling refuses them.
func trustDepth(want *estate.Estate) map[string]int {
	trusts := map[string][]string{}
	for i := range want.Accounts {
		account := &want.Accounts[i]
		for _, r := range account.Roles {
			trusts[account.RoleARN(r.Path, r.Name)] = principals(r.Trust)
		}
	}
	depth := map[string]int{}
	var of func(arn string) int
	of = func(arn string) int {
		if d, ok := depth[arn]; ok {
			return d
		}
		depth[arn] = 0 // ends a walk around a circle
		for _, other := range trusts[arn] {
			if _, ours := trusts[other]; ours {
				depth[arn] = max(depth[arn], of(other)+1)
			}
		}
		return depth[arn]
	}
	for arn := range trusts {
		of(arn)
	}
	return depth
}

func principals(trust *iam.Document) []string {
	var arns []string
	if trust == nil {
		return nil
	}
	for _, s := range trust.Statements {
		if s.Principal != nil {
			arns = append(arns, s.Principal.AWS...)
		}
	}
	return arns
}

// tagDiff returns the tags to set and the keys to remove. AWS's own tags
// (aws:…) are not ours to touch.
func tagDiff(want, have map[string]string) (set map[string]string, remove []string) {
	for k, v := range want {
		if old, ok := have[k]; !ok || old != v {
			if set == nil {
				set = map[string]string{}
			}
			set[k] = v
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok && !strings.HasPrefix(k, "aws:") {
			remove = append(remove, k)
		}
	}
	slices.Sort(remove)
	return set, remove
}

// missing returns the members of want that have lacks, in order.
func missing(want, have []string) []string {
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}
