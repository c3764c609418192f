package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/estate"
)

// Digest is a fingerprint of what a plan for the stack is made from: what the
// stack owns, who else uses it, names that it may need, providers, quotas.
// Other things in the account may change without making the plan stale.
func Digest(stack string, observed *estate.Estate) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for i := range observed.Accounts {
		account := &observed.Accounts[i]
		if err := enc.Encode(relevantPart(stack, account)); err != nil {
			return "", fmt.Errorf("digest account %s: %w", account.ID, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// relevant is the part of an account that a plan is made from.
type relevant struct {
	ID        string
	Owned     estate.Account
	Taken     []string // ARNs outside the stack's path with names that the stack may need
	Strangers []string // users of others in the stack's groups
	Holders   []string // profiles and principals of others that use the stack's roles and policies
	Needed    []string // providers that roles of others trust
}

func relevantPart(stack string, a *estate.Account) relevant {
	path := estate.PathOf(stack)
	owned := estate.Account{Partition: a.Partition, Quotas: a.Quotas, Providers: a.Providers}
	owned.Roles = keep(a.Roles, roleKey, path)
	owned.Users = keep(a.Users, userKey, path)
	owned.Groups = keep(a.Groups, groupKey, path)
	owned.Policies = keep(a.Policies, policyKey, path)
	owned.InstanceProfiles = keep(a.InstanceProfiles, instanceProfileKey, path)
	r := relevant{ID: a.ID, Owned: owned}
	r.Taken = slices.Concat(
		taken(a.Roles, roleKey, path, stack, a.RoleARN), taken(a.Users, userKey, path, stack, a.UserARN),
		taken(a.Groups, groupKey, path, stack, a.GroupARN), taken(customerManaged(a.Policies), policyKey, path, stack, a.PolicyARN),
		taken(a.InstanceProfiles, instanceProfileKey, path, stack, a.InstanceProfileARN))
	ap := &accountPlan{stack: stack, want: a, have: a}
	for _, g := range owned.Groups {
		for _, u := range ap.strangersIn(g.Name) {
			r.Strangers = append(r.Strangers, g.Name+" "+u)
		}
	}
	for i := range owned.Roles {
		r.Holders = append(r.Holders, ap.foreignProfiles(&owned.Roles[i])...)
	}
	for i := range owned.Policies {
		r.Holders = append(r.Holders, ap.foreignHolders(&owned.Policies[i])...)
	}
	for _, p := range a.Providers {
		if p.Tags[estate.TagShared] != "" && ap.trustedByOthers(a.ProviderARN(p.URL)) {
			r.Needed = append(r.Needed, p.URL)
		}
	}
	return r
}

// keep is what lies under the path; nil if nothing does.
func keep[T any](list []T, key func(*T) (name, path string), path string) []T {
	var out []T
	for i := range list {
		if _, at := key(&list[i]); at == path {
			out = append(out, list[i])
		}
	}
	return out
}

// taken is what lies elsewhere and has a name that begins as the stack's do.
func taken[T any](list []T, key func(*T) (name, path string), path, stack string, arn func(path, name string) string) []string {
	var out []string
	for i := range list {
		name, at := key(&list[i])
		if at != path && strings.HasPrefix(strings.ToLower(name), strings.ToLower(stack)+"-") {
			out = append(out, arn(at, name))
		}
	}
	return out
}
