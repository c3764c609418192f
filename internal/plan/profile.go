package plan

import "github.com/postern-dev/postern/internal/estate"

// instanceProfiles come after their role in the role's own order, and go
// before it.
func (a *accountPlan) instanceProfiles() {
	for _, p := range match(a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteInstanceProfile(p.have)
		case p.have == nil:
			entity := a.want.RoleARN(a.path(), p.want.Role)
			stage := a.stageOf(entity)
			a.add(stage, entity, CreateInstanceProfile, Input{InstanceProfileName: p.want.Name, Path: p.want.Path, Tags: p.want.Tags}, "hands the role to EC2 instances")
			a.add(stage, entity, AddRoleToInstanceProfile, Input{InstanceProfileName: p.want.Name, RoleName: p.want.Role}, "hands the role to EC2 instances")
		case p.want.Role != p.have.Role:
			entity := a.want.RoleARN(a.path(), p.want.Role)
			if p.have.Role != "" {
				a.add(stageNarrow, entity, RemoveRoleFromInstanceProfile, Input{InstanceProfileName: p.have.Name, RoleName: p.have.Role}, "holds another role than the spec says")
			}
			a.add(a.stageOf(entity), entity, AddRoleToInstanceProfile, Input{InstanceProfileName: p.want.Name, RoleName: p.want.Role}, "holds no role yet")
		}
	}
}

func (a *accountPlan) deleteInstanceProfile(p *estate.InstanceProfile) {
	arn := a.have.InstanceProfileARN(p.Path, p.Name)
	if p.Role != "" {
		a.add(stageDetach, arn, RemoveRoleFromInstanceProfile, Input{InstanceProfileName: p.Name, RoleName: p.Role}, "its instance profile goes")
	}
	a.add(stageDetach, arn, DeleteInstanceProfile, Input{InstanceProfileName: p.Name}, "nothing in the spec needs it")
}
