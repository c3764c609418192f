package plan

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// The steps of a roleUpdate: each plans one call and does to u.have what the
// call will do to the role.

func (u *roleUpdate) add(stage int, verb Verb, in Input, reason string) {
	in.RoleName = u.want.Name
	u.accountPlan.add(stage, u.arn, verb, in, reason)
}

func (u *roleUpdate) setTrust(stage int, trust *iam.Document, reason string) {
	u.add(stage, UpdateAssumeRolePolicy, Input{Document: trust}, reason)
	u.have.Trust = trust
}

func (u *roleUpdate) setBoundary(stage int, reason string) {
	u.have.Boundary = u.want.Boundary
	if u.want.Boundary == "" {
		u.add(stage, DeleteRolePermissionsBoundary, Input{}, reason)
		return
	}
	u.add(stage, PutRolePermissionsBoundary, Input{PolicyARN: u.want.Boundary}, reason)
}

func (u *roleUpdate) put(stage int, name string, doc *iam.Document, reason string) {
	u.add(stage, PutRolePolicy, Input{PolicyName: name, Document: doc}, reason)
	u.have.Inline = append(u.without(name), estate.InlinePolicy{Name: name, Document: doc})
}

func (u *roleUpdate) remove(stage int, name, reason string) {
	u.add(stage, DeleteRolePolicy, Input{PolicyName: name}, reason)
	u.have.Inline = u.without(name)
}

func (u *roleUpdate) without(name string) []estate.InlinePolicy {
	return slices.DeleteFunc(u.have.Inline, func(p estate.InlinePolicy) bool { return p.Name == name })
}

func (u *roleUpdate) attach(stage int, policyARN, reason string) {
	u.add(stage, AttachRolePolicy, Input{PolicyARN: policyARN}, reason)
	u.have.Attached = append(u.have.Attached, policyARN)
}

func (u *roleUpdate) detach(stage int, policyARN, reason string) {
	u.add(stage, DetachRolePolicy, Input{PolicyARN: policyARN}, reason)
	u.have.Attached = slices.DeleteFunc(u.have.Attached, func(p string) bool { return p == policyARN })
}
