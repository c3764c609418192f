package aws

import (
	"context"
	"encoding/json"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	policy "github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/plan"
)

// call sends the one IAM call that a change stands for. The switches are flat
// and split by kind of entity, so that a verb without a call is easy to see.
func (a *account) call(ctx context.Context, ch plan.Change) error {
	switch {
	case strings.Contains(string(ch.Verb), "InstanceProfile"):
		return a.callInstanceProfile(ctx, ch)
	case strings.Contains(string(ch.Verb), "OpenIDConnectProvider"):
		return a.callProvider(ctx, ch)
	case strings.Contains(string(ch.Verb), "Role"):
		return a.callRole(ctx, ch)
	case strings.Contains(string(ch.Verb), "User"):
		return a.callUser(ctx, ch)
	case strings.Contains(string(ch.Verb), "Group"):
		return a.callGroup(ctx, ch)
	default:
		return a.callRest(ctx, ch)
	}
}

func (a *account) callRole(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreateRole:
		_, err = a.iam.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &in.RoleName, Path: &in.Path, AssumeRolePolicyDocument: text(in.Document), Description: optional(in.Description),
			MaxSessionDuration: wholeSeconds(in), PermissionsBoundary: optional(in.PolicyARN), Tags: tagList(in.Tags),
		})
	case plan.DeleteRole:
		_, err = a.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &in.RoleName})
	case plan.UpdateRole:
		// Description is sent even if empty: leaving it out would keep the old one.
		_, err = a.iam.UpdateRole(ctx, &iam.UpdateRoleInput{
			RoleName: &in.RoleName, Description: &in.Description, MaxSessionDuration: wholeSeconds(in),
		})
	case plan.UpdateAssumeRolePolicy:
		_, err = a.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &in.RoleName, PolicyDocument: text(in.Document)})
	case plan.PutRolePermissionsBoundary:
		_, err = a.iam.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &in.RoleName, PermissionsBoundary: &in.PolicyARN})
	case plan.DeleteRolePermissionsBoundary:
		_, err = a.iam.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &in.RoleName})
	case plan.TagRole:
		_, err = a.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: &in.RoleName, Tags: tagList(in.Tags)})
	case plan.UntagRole:
		_, err = a.iam.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &in.RoleName, TagKeys: in.TagKeys})
	case plan.PutRolePolicy:
		_, err = a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &in.RoleName, PolicyName: &in.PolicyName, PolicyDocument: text(in.Document)})
	case plan.DeleteRolePolicy:
		_, err = a.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &in.RoleName, PolicyName: &in.PolicyName})
	case plan.AttachRolePolicy:
		_, err = a.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &in.RoleName, PolicyArn: &in.PolicyARN})
	case plan.DetachRolePolicy:
		_, err = a.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &in.RoleName, PolicyArn: &in.PolicyARN})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

func (a *account) callUser(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreateUser:
		_, err = a.iam.CreateUser(ctx, &iam.CreateUserInput{
			UserName: &in.UserName, Path: &in.Path, PermissionsBoundary: optional(in.PolicyARN), Tags: tagList(in.Tags),
		})
	case plan.DeleteUser:
		_, err = a.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &in.UserName})
	case plan.TagUser:
		_, err = a.iam.TagUser(ctx, &iam.TagUserInput{UserName: &in.UserName, Tags: tagList(in.Tags)})
	case plan.UntagUser:
		_, err = a.iam.UntagUser(ctx, &iam.UntagUserInput{UserName: &in.UserName, TagKeys: in.TagKeys})
	case plan.DeleteUserPolicy:
		_, err = a.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &in.UserName, PolicyName: &in.PolicyName})
	case plan.DetachUserPolicy:
		_, err = a.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &in.UserName, PolicyArn: &in.PolicyARN})
	case plan.DeleteUserPermissionsBoundary:
		_, err = a.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &in.UserName})
	case plan.AddUserToGroup:
		_, err = a.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &in.UserName, GroupName: &in.GroupName})
	case plan.RemoveUserFromGroup:
		_, err = a.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &in.UserName, GroupName: &in.GroupName})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

func (a *account) callGroup(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreateGroup:
		_, err = a.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &in.GroupName, Path: &in.Path})
	case plan.DeleteGroup:
		_, err = a.iam.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &in.GroupName})
	case plan.PutGroupPolicy:
		_, err = a.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &in.GroupName, PolicyName: &in.PolicyName, PolicyDocument: text(in.Document)})
	case plan.DeleteGroupPolicy:
		_, err = a.iam.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: &in.GroupName, PolicyName: &in.PolicyName})
	case plan.DetachGroupPolicy:
		_, err = a.iam.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: &in.GroupName, PolicyArn: &in.PolicyARN})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

func (a *account) callInstanceProfile(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreateInstanceProfile:
		_, err = a.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
			InstanceProfileName: &in.InstanceProfileName, Path: &in.Path, Tags: tagList(in.Tags),
		})
	case plan.DeleteInstanceProfile:
		_, err = a.iam.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &in.InstanceProfileName})
	case plan.AddRoleToInstanceProfile:
		_, err = a.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &in.InstanceProfileName, RoleName: &in.RoleName})
	case plan.RemoveRoleFromInstanceProfile:
		_, err = a.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
			InstanceProfileName: &in.InstanceProfileName, RoleName: &in.RoleName,
		})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

func (a *account) callProvider(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreateOpenIDConnectProvider:
		_, err = a.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
			Url: &in.URL, ClientIDList: in.ClientIDs, Tags: tagList(in.Tags),
		})
	case plan.AddClientIDToOpenIDConnectProvider:
		err = a.addClients(ctx, in.ProviderARN, in.ClientIDs)
	case plan.DeleteOpenIDConnectProvider:
		_, err = a.iam.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &in.ProviderARN})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

// addClients is idempotent: IAM ignores a client id that is there already.
func (a *account) addClients(ctx context.Context, providerARN string, ids []string) error {
	for _, id := range ids {
		_, err := a.iam.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: &providerARN, ClientID: &id,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// callRest makes the changes of managed policies and access keys.
func (a *account) callRest(ctx context.Context, ch plan.Change) error {
	in := ch.Input
	var err error
	switch ch.Verb {
	case plan.CreatePolicy:
		_, err = a.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{
			PolicyName: &in.PolicyName, Path: &in.Path, PolicyDocument: text(in.Document), Description: optional(in.Description), Tags: tagList(in.Tags),
		})
	case plan.CreatePolicyVersion:
		// Sent once: a repeated call would make a second version, of five. See settle.
		_, err = a.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
			PolicyArn: &in.PolicyARN, PolicyDocument: text(in.Document), SetAsDefault: true,
		}, func(o *iam.Options) { o.RetryMaxAttempts = 1 })
	case plan.DeletePolicyVersion:
		_, err = a.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &in.PolicyARN, VersionId: &in.VersionID})
	case plan.DeletePolicy:
		_, err = a.iam.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &in.PolicyARN})
	case plan.DeleteAccessKey:
		_, err = a.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &in.UserName, AccessKeyId: &in.AccessKeyID})
	default:
		err = unknownVerb(ch.Verb)
	}
	return err
}

// text prints a document as IAM takes it. Without one IAM refuses the call.
func text(d *policy.Document) *string {
	if d == nil {
		return nil
	}
	b, err := json.Marshal(d)
	if err != nil { // strings and lists of strings: cannot happen
		return nil
	}
	return sdk.String(string(b))
}

func wholeSeconds(in plan.Input) *int32 {
	if in.MaxSession == 0 {
		return nil
	}
	return sdk.Int32(int32(in.MaxSession.Seconds()))
}
