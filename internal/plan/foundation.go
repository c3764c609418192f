package plan

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// providers are shared: created when absent, given an audience when it lacks
// one, deleted only if Postern made them and no role of the account, whoever's,
// trusts them afterwards.
func (a *accountPlan) providers() {
	for _, want := range a.want.Providers {
		arn := a.want.ProviderARN(want.URL)
		have := a.provider(want.URL)
		if have == nil {
			a.add(stageFoundation, arn, CreateOpenIDConnectProvider,
				Input{URL: "https://" + want.URL, ClientIDs: want.Audiences, Tags: want.Tags}, "no provider for this issuer yet")
			continue
		}
		for _, audience := range missing(want.Audiences, have.Audiences) {
			a.add(stageFoundation, arn, AddClientIDToOpenIDConnectProvider,
				Input{ProviderARN: arn, ClientIDs: []string{audience}}, "the provider does not accept this audience yet")
		}
	}
	for _, have := range a.have.Providers {
		arn := a.have.ProviderARN(have.URL)
		if have.Tags[estate.TagShared] == "" || a.wantsProvider(have.URL) || a.trustedByOthers(arn) {
			continue
		}
		a.add(stageSweep, arn, DeleteOpenIDConnectProvider, Input{ProviderARN: arn}, "no role of the account trusts it any more")
	}
}

func (a *accountPlan) provider(url string) *estate.OIDCProvider {
	i := slices.IndexFunc(a.have.Providers, func(p estate.OIDCProvider) bool { return p.URL == url })
	if i < 0 {
		return nil
	}
	return &a.have.Providers[i]
}

func (a *accountPlan) wantsProvider(url string) bool {
	return slices.ContainsFunc(a.want.Providers, func(p estate.OIDCProvider) bool { return p.URL == url })
}

// trustedByOthers reports whether a role outside the stack names the provider.
// A trust policy that could not be read may name it: in doubt it does.
func (a *accountPlan) trustedByOthers(arn string) bool {
	return slices.ContainsFunc(a.have.Roles, func(r estate.Role) bool {
		if r.Path == a.path() {
			return false
		}
		return r.Trust == nil || slices.ContainsFunc(r.Trust.Statements, func(s iam.Statement) bool {
			return s.Principal != nil && slices.Contains(s.Principal.Federated, arn)
		})
	})
}

// policies are named by the hash of their content, so that a change is a new
// policy. One whose content was edited in place gets its content back.
func (a *accountPlan) policies() {
	for _, p := range match(a.want.Policies, a.have.Policies, policyKey, a.path()) {
		switch {
		case p.have == nil:
			a.add(stageFoundation, a.policyARN(p.want), CreatePolicy,
				Input{PolicyName: p.want.Name, Path: p.want.Path, Document: p.want.Document, Tags: p.want.Tags}, "holds what does not fit inline")
		case p.want == nil:
			a.deletePolicy(p.have)
		case !iam.Equal(p.want.Document, p.have.Document):
			a.restorePolicy(p.want, p.have)
		}
	}
}

func (a *accountPlan) policyARN(p *estate.ManagedPolicy) string {
	return a.want.PolicyARN(p.Path, p.Name)
}

func (a *accountPlan) deletePolicy(p *estate.ManagedPolicy) {
	arn := a.policyARN(p)
	for _, version := range p.Versions {
		a.add(stageSweep, arn, DeletePolicyVersion, Input{PolicyARN: arn, VersionID: version}, "a policy is deleted version by version")
	}
	a.add(stageSweep, arn, DeletePolicy, Input{PolicyARN: arn}, "nothing in the spec needs it")
}

func (a *accountPlan) restorePolicy(want, have *estate.ManagedPolicy) {
	arn := a.policyARN(want)
	const maxVersions = 5
	if len(have.Versions) >= maxVersions-1 {
		a.add(stageNarrow, arn, DeletePolicyVersion, Input{PolicyARN: arn, VersionID: have.Versions[0]}, "a policy keeps five versions at most")
	}
	a.add(stageNarrow, arn, CreatePolicyVersion, Input{PolicyARN: arn, Document: want.Document}, "its content was changed outside Postern")
}

func (a *accountPlan) groups() {
	for _, p := range match(a.want.Groups, a.have.Groups, groupKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteGroup(p.have)
		case p.have == nil:
			arn := a.want.GroupARN(p.want.Path, p.want.Name)
			a.add(stageFoundation, arn, CreateGroup, Input{GroupName: p.want.Name, Path: p.want.Path}, "holds the permissions of a machine user")
			a.groupPolicies(p.want, &estate.Group{Name: p.want.Name, Path: p.want.Path})
		default:
			a.groupPolicies(p.want, p.have)
		}
	}
}

func (a *accountPlan) groupPolicies(want, have *estate.Group) {
	arn := a.want.GroupARN(want.Path, want.Name)
	for _, policy := range missing(have.Attached, want.Attached) {
		a.add(stageNarrow, arn, DetachGroupPolicy, Input{GroupName: want.Name, PolicyARN: policy}, "not in the spec")
	}
	for _, d := range diffInline(want.Inline, have.Inline) {
		if d.want == nil {
			a.add(stageNarrow, arn, DeleteGroupPolicy, Input{GroupName: want.Name, PolicyName: d.name}, "not in the spec")
			continue
		}
		a.add(stageFoundation, arn, PutGroupPolicy, Input{GroupName: want.Name, PolicyName: d.name, Document: d.want}, d.reason())
	}
}

func (a *accountPlan) deleteGroup(g *estate.Group) {
	arn := a.have.GroupARN(g.Path, g.Name)
	a.removePolicies(g.Inline, g.Attached,
		func(name string) {
			a.add(stageNarrow, arn, DeleteGroupPolicy, Input{GroupName: g.Name, PolicyName: name}, "its group goes")
		},
		func(policyARN string) {
			a.add(stageNarrow, arn, DetachGroupPolicy, Input{GroupName: g.Name, PolicyARN: policyARN}, "its group goes")
		})
	for _, name := range a.strangersIn(g.Name) {
		a.add(stageNarrow, arn, RemoveUserFromGroup, Input{GroupName: g.Name, UserName: name}, "its group goes")
	}
	a.add(stageSweep, arn, DeleteGroup, Input{GroupName: g.Name}, "nothing in the spec needs it")
}

func (a *accountPlan) users() {
	for _, p := range match(a.want.Users, a.have.Users, userKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteUser(p.have)
		case p.have == nil:
			arn := a.want.UserARN(p.want.Path, p.want.Name)
			a.add(stageFoundation, arn, CreateUser, Input{UserName: p.want.Name, Path: p.want.Path, Tags: p.want.Tags}, "a machine user of the spec")
			a.memberships(p.want, &estate.User{Name: p.want.Name, Path: p.want.Path})
		default:
			a.updateUser(p.want, p.have)
		}
	}
	a.strangers()
}

func (a *accountPlan) updateUser(want, have *estate.User) {
	have = standingUser(have)
	arn := a.want.UserARN(want.Path, want.Name)
	a.removePolicies(have.Inline, have.Attached,
		func(name string) {
			a.add(stageNarrow, arn, DeleteUserPolicy, Input{UserName: want.Name, PolicyName: name}, "a machine user has no policies of its own")
		},
		func(policyARN string) {
			a.add(stageNarrow, arn, DetachUserPolicy, Input{UserName: want.Name, PolicyARN: policyARN}, "a machine user has no policies of its own")
		})
	if have.Boundary != want.Boundary && want.Boundary == "" {
		a.add(stageFoundation, arn, DeleteUserPermissionsBoundary, Input{UserName: want.Name}, "not in the spec")
	}
	set, remove := tagDiff(want.Tags, have.Tags)
	if len(set) > 0 {
		a.add(stageFoundation, arn, TagUser, Input{UserName: want.Name, Tags: set}, "tags differ")
	}
	if len(remove) > 0 {
		a.add(stageFoundation, arn, UntagUser, Input{UserName: want.Name, TagKeys: remove}, "tags not in the spec")
	}
	a.memberships(want, have)
}

func (a *accountPlan) memberships(want, have *estate.User) {
	arn := a.want.UserARN(want.Path, want.Name)
	for _, g := range missing(have.Groups, want.Groups) {
		a.add(stageNarrow, arn, RemoveUserFromGroup, Input{UserName: want.Name, GroupName: g}, "not in the spec")
	}
	for _, g := range missing(want.Groups, have.Groups) {
		a.add(stageMembers, arn, AddUserToGroup, Input{UserName: want.Name, GroupName: g}, "its permissions come from the group")
	}
}

// strangers removes users of others from the stack's groups: they would gain
// what the machine user has.
func (a *accountPlan) strangers() {
	for _, g := range a.want.Groups {
		if !a.ownsGroup(g.Name) {
			continue
		}
		for _, name := range a.strangersIn(g.Name) {
			a.add(stageNarrow, a.want.GroupARN(g.Path, g.Name), RemoveUserFromGroup,
				Input{UserName: name, GroupName: g.Name}, "only the machine user belongs to the stack's group")
		}
	}
}

// strangersIn are the users of others in a group of the stack.
func (a *accountPlan) strangersIn(group string) []string {
	var out []string
	for _, u := range a.have.Users {
		if u.Path != a.path() && slices.Contains(u.Groups, group) {
			out = append(out, u.Name)
		}
	}
	return out
}

func (a *accountPlan) ownsGroup(name string) bool {
	return slices.ContainsFunc(a.have.Groups, func(g estate.Group) bool { return g.Name == name && g.Path == a.path() })
}

func (a *accountPlan) deleteUser(u *estate.User) {
	arn := a.have.UserARN(u.Path, u.Name)
	for _, k := range u.Keys {
		a.add(stageDelete, arn, DeleteAccessKey, Input{UserName: u.Name, AccessKeyID: k.ID}, "its user goes")
	}
	for _, g := range u.Groups {
		a.add(stageDelete, arn, RemoveUserFromGroup, Input{UserName: u.Name, GroupName: g}, "its user goes")
	}
	a.removePolicies(u.Inline, u.Attached,
		func(name string) {
			a.add(stageDelete, arn, DeleteUserPolicy, Input{UserName: u.Name, PolicyName: name}, "its user goes")
		},
		func(policyARN string) {
			a.add(stageDelete, arn, DetachUserPolicy, Input{UserName: u.Name, PolicyARN: policyARN}, "its user goes")
		})
	a.add(stageDelete, arn, DeleteUser, Input{UserName: u.Name}, "nothing in the spec needs it")
}
