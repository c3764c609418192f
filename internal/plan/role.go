package plan

import "github.com/postern-dev/postern/internal/estate"

func (a *accountPlan) roles() {
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteRole(p.have)
		case p.have == nil:
			a.createRole(p.want)
		default:
			a.updateRole(p.want, p.have)
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
	a.removePolicies(r.Inline, r.Attached,
		func(name string) {
			a.add(stageDelete, arn, DeleteRolePolicy, Input{RoleName: r.Name, PolicyName: name}, "its role goes")
		},
		func(policyARN string) {
			a.add(stageDelete, arn, DetachRolePolicy, Input{RoleName: r.Name, PolicyARN: policyARN}, "its role goes")
		})
	a.add(stageDelete, arn, DeleteRole, Input{RoleName: r.Name}, "nothing in the spec needs it")
}

// removePolicies takes all policies from something that is to be deleted: what
// denies goes last, since until then it holds back what the others allow.
func (a *accountPlan) removePolicies(inline []estate.InlinePolicy, attached []string, remove, detach func(string)) {
	for _, denying := range []bool{false, true} {
		for _, p := range inline {
			if (denialsOf(p.Document) != nil) == denying {
				remove(p.Name)
			}
		}
		for _, arn := range attached {
			if (denialsOf(a.have.PolicyDocument(arn)) != nil) == denying {
				detach(arn)
			}
		}
	}
}
