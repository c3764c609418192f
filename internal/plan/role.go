package plan

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/estate"
)

func (a *accountPlan) roles() {
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteRole(p.have)
		case p.have == nil:
			a.createRole(p.want)
		default:
			u := roleUpdate{accountPlan: a, want: p.want, have: p.have, arn: a.want.RoleARN(p.want.Path, p.want.Name)}
			u.plan()
		}
	}
	a.instanceProfiles()
}

// stageOf is the stage in which a role is made or widened.
func (a *accountPlan) stageOf(roleARN string) int { return stageRoles + a.depth[roleARN] }

func (a *accountPlan) createRole(r *estate.Role) {
	arn := a.want.RoleARN(r.Path, r.Name)
	stage := a.stageOf(arn)
	a.add(stage, arn, CreateRole, Input{
		RoleName: r.Name, Path: r.Path, Document: r.Trust, Description: r.Description,
		MaxSession: r.MaxSession, PolicyARN: r.Boundary, Tags: r.Tags,
	}, "a role of the spec")
	for _, policy := range r.Attached {
		a.add(stage, arn, AttachRolePolicy, Input{RoleName: r.Name, PolicyARN: policy}, "holds what does not fit inline")
	}
	for _, p := range r.Inline {
		a.add(stage, arn, PutRolePolicy, Input{RoleName: r.Name, PolicyName: p.Name, Document: p.Document}, "a grant of the spec")
	}
}

func (a *accountPlan) deleteRole(r *estate.Role) {
	arn := a.have.RoleARN(r.Path, r.Name)
	for _, p := range a.have.InstanceProfiles {
		if p.Role == r.Name && p.Path != a.path() { // the stack's own are taken apart by instanceProfiles
			a.add(stageDetach, a.have.InstanceProfileARN(p.Path, p.Name), RemoveRoleFromInstanceProfile,
				Input{InstanceProfileName: p.Name, RoleName: r.Name}, "its role goes")
		}
	}
	for _, p := range r.Inline {
		a.add(stageDelete, arn, DeleteRolePolicy, Input{RoleName: r.Name, PolicyName: p.Name}, "its role goes")
	}
	for _, p := range r.Attached {
		a.add(stageDelete, arn, DetachRolePolicy, Input{RoleName: r.Name, PolicyARN: p}, "its role goes")
	}
	a.add(stageDelete, arn, DeleteRole, Input{RoleName: r.Name}, "nothing in the spec needs it")
}

// roleUpdate brings an existing role to what the spec says. Whoever leaves the
// trust leaves before permissions widen; whoever joins it joins after they
// narrow. Within that, permissions that stay are never interrupted.
type roleUpdate struct {
	*accountPlan
	want, have *estate.Role
	arn        string
}

func (u *roleUpdate) add(stage int, verb Verb, in Input, reason string) {
	in.RoleName = u.want.Name
	u.accountPlan.add(stage, u.arn, verb, in, reason)
}

func (u *roleUpdate) plan() {
	stage := u.stageOf(u.arn)
	if u.have.Boundary == "" && u.want.Boundary != "" {
		u.add(stageNarrow, PutRolePermissionsBoundary, Input{PolicyARN: u.want.Boundary}, "the role has no boundary")
	}
	u.detachForeign()
	switch common := commonTrust(u.want.Trust, u.have.Trust); {
	case sameTrust(u.want.Trust, u.have.Trust):
		u.permissions(stage)
	case common == nil:
		u.replaceTrust(stage)
	default:
		if !sameTrust(common, u.have.Trust) {
			u.add(stageNarrow, UpdateAssumeRolePolicy, Input{Document: common}, "trusts more than the spec says")
		}
		u.permissions(stage)
		if !sameTrust(common, u.want.Trust) {
			u.add(stage, UpdateAssumeRolePolicy, Input{Document: u.want.Trust}, "does not trust all that the spec says")
		}
	}
	u.settings(stage)
}

// replaceTrust is for a role whose old and new identities have nothing in
// common: permissions that only the old ones had go first, then the trust
// changes, then the new permissions come.
func (u *roleUpdate) replaceTrust(stage int) {
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.have != nil {
			u.add(stageNarrow, DeleteRolePolicy, Input{PolicyName: d.name}, "the identities that leave may use it, those that come may not")
		}
	}
	for _, p := range u.ownUnwantedAttached() {
		u.add(stageNarrow, DetachRolePolicy, Input{PolicyARN: p}, "the identities that leave may use it, those that come may not")
	}
	at := stage
	if u.principalsStand() {
		at = stageNarrow
	}
	u.add(at, UpdateAssumeRolePolicy, Input{Document: u.want.Trust}, "trusts whom the spec does not name")
	u.attach(stage)
	u.put(stage)
}

// principalsStand reports whether everything of the stack that the new trust
// names exists already.
func (u *roleUpdate) principalsStand() bool {
	var standing []string
	for _, r := range u.accountPlan.have.Roles {
		standing = append(standing, u.accountPlan.have.RoleARN(r.Path, r.Name))
	}
	for _, user := range u.accountPlan.have.Users {
		standing = append(standing, u.accountPlan.have.UserARN(user.Path, user.Name))
	}
	for _, p := range u.accountPlan.have.Providers {
		standing = append(standing, u.accountPlan.have.ProviderARN(p.URL))
	}
	for _, s := range u.want.Trust.Statements {
		if s.Principal == nil {
			continue
		}
		for _, arn := range slices.Concat(s.Principal.AWS, s.Principal.Federated) {
			if strings.Contains(arn, estate.PathOf(u.stack)) || strings.Contains(arn, ":oidc-provider/") {
				if !slices.Contains(standing, arn) {
					return false
				}
			}
		}
	}
	return true
}

// detachForeign takes away at once what somebody else has attached.
func (u *roleUpdate) detachForeign() {
	for _, p := range missing(u.have.Attached, u.want.Attached) {
		if !u.own(p) {
			u.add(stageNarrow, DetachRolePolicy, Input{PolicyARN: p}, "not in the spec")
		}
	}
}

// permissions removes inline policies that nobody wants, at once unless they
// may be on their way into a managed policy: then it adds before it removes,
// so that what stays is never interrupted, as far as the account has room for
// both.
func (u *roleUpdate) permissions(stage int) {
	moving := len(missing(u.want.Attached, u.have.Attached)) > 0 && u.fits()
	if !moving {
		u.deleteUnwantedInline(stageNarrow)
	}
	u.attach(stage)
	u.put(stage)
	if moving {
		u.deleteUnwantedInline(stage)
	}
	for _, p := range u.ownUnwantedAttached() {
		u.add(stage, DetachRolePolicy, Input{PolicyARN: p}, "replaced or not in the spec")
	}
}

func (u *roleUpdate) deleteUnwantedInline(stage int) {
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want == nil {
			u.add(stage, DeleteRolePolicy, Input{PolicyName: d.name}, "not in the spec")
		}
	}
}

func (u *roleUpdate) attach(stage int) {
	for _, p := range missing(u.want.Attached, u.have.Attached) {
		u.add(stage, AttachRolePolicy, Input{PolicyARN: p}, "holds what does not fit inline")
	}
}

func (u *roleUpdate) put(stage int) {
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want != nil {
			u.add(stage, PutRolePolicy, Input{PolicyName: d.name, Document: d.want}, d.reason())
		}
	}
}

// fits reports whether the account has room for the old and the new inline
// policies at once.
func (u *roleUpdate) fits() bool {
	total := 0
	for _, p := range u.want.Inline {
		total += size(p.Document)
	}
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want == nil {
			total += size(d.have)
		}
	}
	return total <= u.accountPlan.want.Quotas.RoleInlineSize
}

func (u *roleUpdate) ownUnwantedAttached() []string {
	return slices.DeleteFunc(missing(u.have.Attached, u.want.Attached), func(p string) bool { return !u.own(p) })
}

func (u *roleUpdate) own(policyARN string) bool {
	return strings.Contains(policyARN, ":policy"+u.path())
}

// settings are what neither trusts nor permits. A boundary that only changes
// or goes may widen, so it comes last.
func (u *roleUpdate) settings(stage int) {
	if u.want.MaxSession != u.have.MaxSession || u.want.Description != u.have.Description {
		u.add(stage, UpdateRole, Input{MaxSession: u.want.MaxSession, Description: u.want.Description}, "session length or description differs")
	}
	set, remove := tagDiff(u.want.Tags, u.have.Tags)
	if len(set) > 0 {
		u.add(stage, TagRole, Input{Tags: set}, "tags differ")
	}
	if len(remove) > 0 {
		u.add(stage, UntagRole, Input{TagKeys: remove}, "tags not in the spec")
	}
	switch {
	case u.have.Boundary == "" || u.want.Boundary == u.have.Boundary:
	case u.want.Boundary == "":
		u.add(stage, DeleteRolePermissionsBoundary, Input{}, "not in the spec")
	default:
		u.add(stage, PutRolePermissionsBoundary, Input{PolicyARN: u.want.Boundary}, "the boundary differs")
	}
}
