package aws

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	policy "github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

// standing is what stands under a name, in the terms of the call that would
// create it.
type standing struct {
	arn   string
	input plan.Input
}

// proveOurs looks, before a name is deleted for good, whether it still belongs
// to the entity of the plan. Names are unique in an account whatever their
// path, so a call by name alone could hit somebody else's.
func (a *account) proveOurs(ctx context.Context, ch plan.Change) error {
	switch ch.Verb {
	case plan.DeleteRole, plan.DeleteUser, plan.DeleteGroup, plan.DeleteInstanceProfile:
	default:
		return nil
	}
	have, err := a.lookup(ctx, ch)
	if err != nil {
		return err
	}
	if have.arn != ch.Entity {
		return foreign(ch, have.arn)
	}
	return nil
}

// settle looks at what stands when a call failed. A creating one may owe that
// to an earlier attempt with a lost answer: what stands exactly as wanted is a
// success. A deleting one may be kept up by what no plan sees.
func (a *account) settle(ctx context.Context, ch plan.Change, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	switch ch.Verb {
	case plan.CreateRole, plan.CreateUser, plan.CreateGroup, plan.CreatePolicy, plan.CreateInstanceProfile:
		if hasCode(err, "EntityAlreadyExists") {
			return a.settleCreation(ctx, ch, err)
		}
	case plan.CreateOpenIDConnectProvider:
		if hasCode(err, "EntityAlreadyExists") {
			return a.addClients(ctx, ch.Entity, ch.Input.ClientIDs)
		}
	case plan.AddRoleToInstanceProfile:
		if hasCode(err, "EntityAlreadyExists", "LimitExceeded") {
			return a.settleMembership(ctx, ch, err)
		}
	case plan.DeleteUser, plan.DeletePolicy:
		if hasCode(err, "DeleteConflict") {
			return a.blocked(ctx, ch, err)
		}
	case plan.CreatePolicyVersion:
		if _, throttled, ok := passes(err); ok && !throttled || hasCode(err, "LimitExceeded") {
			return a.settleVersion(ctx, ch, err)
		}
	}
	return err
}

func (a *account) settleCreation(ctx context.Context, ch plan.Change, cause error) error {
	have, err := a.lookup(ctx, ch)
	switch {
	case hasCode(err, "NoSuchEntity") && ch.Verb == plan.CreatePolicy:
		// The ARN that we asked for is not there, so the name is taken under
		// another path; or our own policy is not visible yet.
		return &apply.Retryable{Err: foreign(ch, "another path"), Within: waitForRelease}
	case err != nil:
		return err
	case have.arn != ch.Entity:
		return foreign(ch, have.arn)
	case !sameCreation(have.input, ch.Input):
		return &fault.Error{
			Where: ch.Entity, What: "was made by somebody else since the plan, and differs from it", Cause: cause,
			Hint: "run postern plan again to see the difference",
		}
	}
	return nil
}

func sameCreation(have, want plan.Input) bool {
	return have.Description == want.Description && have.PolicyARN == want.PolicyARN &&
		(want.MaxSession == 0 || have.MaxSession == want.MaxSession) &&
		maps.Equal(have.Tags, want.Tags) &&
		(want.Document == nil || have.Document != nil && policy.Equal(have.Document, want.Document))
}

// settleMembership says whether the profile already holds the role: IAM
// reports a second one as a quota of one.
func (a *account) settleMembership(ctx context.Context, ch plan.Change, cause error) error {
	out, err := a.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &ch.Input.InstanceProfileName})
	if err != nil {
		return err
	}
	if instanceProfile(value(out.InstanceProfile)).Role == ch.Input.RoleName {
		return nil
	}
	return cause
}

// settleVersion says whether the policy's default version already is the
// wanted one.
func (a *account) settleVersion(ctx context.Context, ch plan.Change, cause error) error {
	have, err := a.lookupPolicy(ctx, ch.Input.PolicyARN)
	if err == nil && have.input.Document != nil && policy.Equal(have.input.Document, ch.Input.Document) {
		return nil
	}
	return cause
}

// foreign refuses a name that somebody else holds.
func foreign(ch plan.Change, holder string) error {
	return &fault.Error{
		Where: ch.Entity, What: "its name belongs to " + holder + ", which is not of this stack",
		Hint: "choose another name in the spec, or remove the other yourself: Postern never touches what lies outside its path",
	}
}

// lookup reads the entity whose name a change creates or deletes.
func (a *account) lookup(ctx context.Context, ch plan.Change) (standing, error) {
	in := ch.Input
	switch ch.Verb {
	case plan.CreateRole, plan.DeleteRole:
		return a.lookupRole(ctx, in.RoleName)
	case plan.CreateUser, plan.DeleteUser:
		return a.lookupUser(ctx, in.UserName)
	case plan.CreateGroup, plan.DeleteGroup:
		return a.lookupGroup(ctx, in.GroupName)
	case plan.CreateInstanceProfile, plan.DeleteInstanceProfile:
		return a.lookupInstanceProfile(ctx, in.InstanceProfileName)
	default:
		return a.lookupPolicy(ctx, ch.Entity)
	}
}

func (a *account) lookupRole(ctx context.Context, name string) (standing, error) {
	out, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return standing{}, err
	}
	r := value(out.Role)
	return standing{sdk.ToString(r.Arn), plan.Input{
		Description: sdk.ToString(r.Description), MaxSession: seconds(r.MaxSessionDuration), Document: lenient(r.AssumeRolePolicyDocument),
		PolicyARN: boundary(r.PermissionsBoundary), Tags: tagMap(r.Tags),
	}}, nil
}

func (a *account) lookupUser(ctx context.Context, name string) (standing, error) {
	out, err := a.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return standing{}, err
	}
	u := value(out.User)
	return standing{sdk.ToString(u.Arn), plan.Input{PolicyARN: boundary(u.PermissionsBoundary), Tags: tagMap(u.Tags)}}, nil
}

func (a *account) lookupGroup(ctx context.Context, name string) (standing, error) {
	out, err := a.iam.GetGroup(ctx, &iam.GetGroupInput{GroupName: &name, MaxItems: sdk.Int32(1)})
	if err != nil {
		return standing{}, err
	}
	return standing{arn: sdk.ToString(value(out.Group).Arn)}, nil
}

func (a *account) lookupInstanceProfile(ctx context.Context, name string) (standing, error) {
	out, err := a.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		return standing{}, err
	}
	p := value(out.InstanceProfile)
	return standing{sdk.ToString(p.Arn), plan.Input{Tags: tagMap(p.Tags)}}, nil
}

func (a *account) lookupPolicy(ctx context.Context, arn string) (standing, error) {
	out, err := a.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return standing{}, err
	}
	p := value(out.Policy)
	v, err := a.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.DefaultVersionId})
	if err != nil {
		return standing{}, err
	}
	return standing{sdk.ToString(p.Arn), plan.Input{
		Description: sdk.ToString(p.Description), Document: lenient(value(v.PolicyVersion).Document), Tags: tagMap(p.Tags),
	}}, nil
}

// lenient reads a document for comparison: one that we do not understand is
// nil and equals none.
func lenient(text *string) *policy.Document {
	doc, err := parseDocument(sdk.ToString(text))
	if err != nil {
		return nil
	}
	return doc
}

// value reads what an answer should hold. One without it shows nothing of
// ours.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
