package plan

import "github.com/postern-dev/postern/internal/estate"

// instanceProfiles come after their roles, and go before them.
func (a *accountPlan) instanceProfiles() {
	for _, p := range match(a.want.InstanceProfiles, a.have.InstanceProfiles, instanceProfileKey, a.path()) {
		switch {
		case p.want == nil:
			a.deleteInstanceProfile(p.have)
		case p.have == nil:
			arn := a.want.InstanceProfileARN(p.want.Path, p.want.Name)
			a.add(stageProfiles, arn, CreateInstanceProfile, Input{InstanceProfileName: p.want.Name, Path: p.want.Path, Tags: p.want.Tags}, "hands the role to EC2 instances")
			a.add(stageProfiles, arn, AddRoleToInstanceProfile, Input{InstanceProfileName: p.want.Name, RoleName: p.want.Role}, "hands the role to EC2 instances")
		case p.want.Role != p.have.Role:
			arn := a.want.InstanceProfileARN(p.want.Path, p.want.Name)
			if p.have.Role != "" {
				a.add(stageNarrow, arn, RemoveRoleFromInstanceProfile, Input{InstanceProfileName: p.have.Name, RoleName: p.have.Role}, "holds another role than the spec says")
			}
			a.add(stageProfiles, arn, AddRoleToInstanceProfile, Input{InstanceProfileName: p.want.Name, RoleName: p.want.Role}, "holds no role yet")
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
