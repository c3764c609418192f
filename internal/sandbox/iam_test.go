package sandbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// step is one call in a story, and how AWS answers it.
type step struct {
	call func(context.Context, *iam.Client) error
	want refusal // zero: success
}

// do drops a call's output.
func do[I, O any](op func(context.Context, I, ...func(*iam.Options)) (O, error), ctx context.Context, in I) error {
	_, err := op(ctx, in)
	return err
}

func play(t *testing.T, c *iam.Client, steps []step) {
	t.Helper()
	for i, s := range steps {
		if got := refusalOf(t, s.call(context.Background(), c)); got != s.want {
			t.Fatalf("step %d\ngot  %+v\nwant %+v", i+1, got, s.want)
		}
	}
}

func conflict(message string) refusal { return refusal{409, "DeleteConflict", message} }

func TestRoleIsDeletedLast(t *testing.T) {
	s := start(t, twoAccounts())
	name, p := aws.String("app"), aws.String("app-profile")
	denyAll := aws.String("arn:aws:iam::aws:policy/AWSDenyAll")
	del := func(ctx context.Context, c *iam.Client) error {
		return do(c.DeleteRole, ctx, &iam.DeleteRoleInput{RoleName: name})
	}
	ec2 := policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil))
	play(t, iamOf(s, operator(s)), []step{
		{call: del, want: refusal{404, "NoSuchEntity", "The role with name app cannot be found."}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.CreateRole, ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: ec2})
		}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.CreateRole, ctx, &iam.CreateRoleInput{RoleName: aws.String("APP"), AssumeRolePolicyDocument: ec2})
		}, want: refusal{409, "EntityAlreadyExists", "Role with name APP already exists."}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.CreateInstanceProfile, ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: p})
		}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.AddRoleToInstanceProfile, ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: p, RoleName: name})
		}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.AddRoleToInstanceProfile, ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: p, RoleName: name})
		}, want: refusal{409, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.PutRolePolicy, ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("a"), PolicyDocument: policy(t, allow("s3:*", "*"))})
		}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.AttachRolePolicy, ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: denyAll})
		}},
		{call: del, want: conflict("Cannot delete entity, must remove roles from instance profile first.")},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.DeleteInstanceProfile, ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: p})
		}, want: conflict("Cannot delete entity, must remove roles from instance profile first.")},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.RemoveRoleFromInstanceProfile, ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: p, RoleName: name})
		}},
		{call: del, want: conflict("Cannot delete entity, must delete policies first.")},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.DeleteRolePolicy, ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("a")})
		}},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.DeleteRolePolicy, ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("a")})
		}, want: refusal{404, "NoSuchEntity", "The role policy with name a cannot be found."}},
		{call: del, want: conflict("Cannot delete entity, must detach all policies first.")},
		{call: func(ctx context.Context, c *iam.Client) error {
			return do(c.DetachRolePolicy, ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: denyAll})
		}},
		{call: del},
		{call: del, want: refusal{404, "NoSuchEntity", "The role with name app cannot be found."}},
	})
}

func TestUserIsDeletedLast(t *testing.T) {
	s := start(t, twoAccounts())
	name, g := aws.String("ci"), aws.String("machines")
	c, ctx := iamOf(s, operator(s)), context.Background()
	del := func() error { return do(c.DeleteUser, ctx, &iam.DeleteUserInput{UserName: name}) }
	must[*iam.CreateUserOutput](t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))
	must[*iam.CreateGroupOutput](t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: g}))
	must[*iam.AddUserToGroupOutput](t)(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: g, UserName: name}))
	var ids []*string
	for range 2 {
		ids = append(ids, must[*iam.CreateAccessKeyOutput](t)(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})).AccessKey.AccessKeyId)
	}
	_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	wantRefusal(t, err, 409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	wantRefusal(t, del(), 409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
	for _, id := range ids {
		must[*iam.DeleteAccessKeyOutput](t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: id}))
	}
	wantRefusal(t, del(), 409, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g})
	wantRefusal(t, err, 409, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
	must[*iam.RemoveUserFromGroupOutput](t)(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: g, UserName: name}))
	if err := del(); err != nil {
		t.Error(err)
	}
}

func TestManagedPolicyLifeCycle(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	arn := must[*iam.CreatePolicyOutput](t)(c.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("p"), Path: aws.String("/postern/shop/"), PolicyDocument: policy(t, allow("s3:*", "*")),
	})).Policy.Arn
	if want := "arn:aws:iam::111111111111:policy/postern/shop/p"; *arn != want {
		t.Errorf("ARN %s, want %s", *arn, want)
	}
	version := func(asDefault bool) error {
		return do(c.CreatePolicyVersion, ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: policy(t, allow("ec2:*", "*")), SetAsDefault: asDefault})
	}
	for range 4 {
		if err := version(true); err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, version(true), 409, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
	del := func(id string) error {
		return do(c.DeletePolicyVersion, ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &id})
	}
	wantRefusal(t, del("v5"), 409, "DeleteConflict", "Cannot delete the default version of a policy.")
	if err := del("v1"); err != nil {
		t.Error(err)
	}
	if err := version(false); err != nil { // numbers are not used again
		t.Error(err)
	}
	got := must[*iam.GetPolicyVersionOutput](t)(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v6")}))
	if got.PolicyVersion.IsDefaultVersion || unescape(t, *got.PolicyVersion.Document) != *policy(t, allow("ec2:*", "*")) {
		t.Errorf("version %+v", got.PolicyVersion)
	}
	must[*iam.AttachUserPolicyOutput](t)(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("postern-operator"), PolicyArn: arn}))
	_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantRefusal(t, err, 409, "DeleteConflict", "Cannot delete a policy attached to entities.")
	who := must[*iam.ListEntitiesForPolicyOutput](t)(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))
	if len(who.PolicyUsers) != 1 || *who.PolicyUsers[0].UserName != "postern-operator" {
		t.Errorf("attached to %+v", who.PolicyUsers)
	}
	must[*iam.DetachUserPolicyOutput](t)(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: aws.String("postern-operator"), PolicyArn: arn}))
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, err, "DeleteConflict") // it still has versions
	for _, id := range []string{"v2", "v3", "v4", "v6"} {
		if err := del(id); err != nil {
			t.Error(err)
		}
	}
	must[*iam.DeletePolicyOutput](t)(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
}

func TestProvider(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	create := &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + github), ClientIDList: []string{audience}, Tags: []types.Tag{{Key: aws.String("postern:shared"), Value: aws.String("true")}},
	}
	arn := must[*iam.CreateOpenIDConnectProviderOutput](t)(c.CreateOpenIDConnectProvider(ctx, create)).OpenIDConnectProviderArn
	_, err := c.CreateOpenIDConnectProvider(ctx, create)
	wantRefusal(t, err, 409, "EntityAlreadyExists", "Provider with url https://token.actions.githubusercontent.com already exists.")
	must[*iam.AddClientIDToOpenIDConnectProviderOutput](t)(c.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: arn, ClientID: aws.String("other"),
	}))
	got := must[*iam.GetOpenIDConnectProviderOutput](t)(c.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))
	if diff := cmp.Diff([]string{audience, "other"}, got.ClientIDList); diff != "" || *got.Url != github {
		t.Errorf("url %s, client ids (-want +got):\n%s", *got.Url, diff)
	}
	if len(got.Tags) != 1 || *got.Tags[0].Key != "postern:shared" {
		t.Errorf("tags %+v", got.Tags)
	}
	must[*iam.DeleteOpenIDConnectProviderOutput](t)(c.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))
	_, err = c.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	wantRefusal(t, err, 404, "NoSuchEntity", "OpenIDConnect Provider not found for arn "+*arn)
}

func TestPaging(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, admin(t, s)), context.Background()
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("role-%d", i)
		newRole(t, c, name, policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil)), allow("s3:*", "*"))
		want = append(want, name)
	}
	want = append([]string{"postern-admin"}, want...)
	var listed, detailed []string
	calls := 0
	for p := iam.NewListRolesPaginator(c, &iam.ListRolesInput{MaxItems: aws.Int32(3)}); p.HasMorePages(); calls++ {
		for _, r := range must[*iam.ListRolesOutput](t)(p.NextPage(ctx)).Roles {
			listed = append(listed, *r.RoleName)
		}
	}
	in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(3), Filter: []types.EntityType{types.EntityTypeRole}}
	for p := iam.NewGetAccountAuthorizationDetailsPaginator(c, in); p.HasMorePages(); calls++ {
		for _, r := range must[*iam.GetAccountAuthorizationDetailsOutput](t)(p.NextPage(ctx)).RoleDetailList {
			detailed = append(detailed, *r.RoleName)
		}
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("ListRoles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, detailed); diff != "" {
		t.Errorf("GetAccountAuthorizationDetails (-want +got):\n%s", diff)
	}
	if calls != 6 {
		t.Errorf("%d calls, want 6", calls)
	}
	all := must[*iam.GetAccountAuthorizationDetailsOutput](t)(c.GetAccountAuthorizationDetails(ctx, nil))
	if len(all.Policies) != 1 || *all.Policies[0].PolicyName != "AdministratorAccess" {
		t.Errorf("policies in use: %+v", all.Policies)
	}
	_, err := c.ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1001)})
	wantCode(t, err, "ValidationError")
}

func TestQuotasAndValidation(t *testing.T) {
	s := start(t, twoAccounts())
	op := operator(s)
	c, ctx := iamOf(s, op), context.Background()
	ec2 := policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil))
	newRole(t, c, "full", ec2)
	big := func(n int) *string { return policy(t, allow("s3:"+strings.Repeat("a", n), "*")) }
	putInline := func(name string, text *string) error {
		return do(c.PutRolePolicy, ctx, &iam.PutRolePolicyInput{RoleName: aws.String("full"), PolicyName: &name, PolicyDocument: text})
	}
	createRole := func(name string, text *string) error {
		return do(c.CreateRole, ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: text})
	}
	malformed := func(message string) refusal { return refusal{400, "MalformedPolicyDocument", message} }
	for _, test := range []struct {
		name string
		call func() error
		want refusal
	}{
		{"two inline policies within the quota", func() error {
			if err := putInline("a", big(5000)); err != nil {
				return err
			}
			return putInline("b", big(5000))
		}, refusal{}},
		{"inline policies count together", func() error { return putInline("c", big(500)) }, refusal{409, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role full"}},
		{"replacing one counts once", func() error { return putInline("b", big(5001)) }, refusal{}},
		{"white space does not count", func() error {
			return putInline("b", aws.String(strings.Replace(*big(5001), ",", ","+strings.Repeat(" ", 9000), 1)))
		}, refusal{}},
		{"managed policy too large", func() error {
			return do(c.CreatePolicy, ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: big(6200)})
		}, refusal{409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"}},
		{"trust policy too large", func() error {
			return createRole("r", policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", map[string]any{"StringEquals": map[string]any{"aws:SourceArn": strings.Repeat("x", 2048)}})))
		}, refusal{409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"}},
		{"not JSON", func() error { return putInline("d", aws.String("{")) }, malformed("Syntax errors in policy.")},
		{"a principal in an identity policy", func() error { return putInline("d", ec2) }, malformed("Policy document should not specify a principal.")},
		{"no vendor", func() error { return putInline("d", policy(t, allow("GetObject", "*"))) }, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")},
		{"not an ARN", func() error { return putInline("d", policy(t, allow("s3:GetObject", "bucket"))) }, malformed(`Resource bucket must be in ARN format or "*".`)},
		{"a resource in a trust policy", func() error {
			return createRole("r", policy(t, map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": home}, "Action": "sts:AssumeRole", "Resource": "*"}))
		}, malformed("Has prohibited field Resource")},
		{"a principal that does not exist", func() error {
			return createRole("r", policy(t, trust(map[string]any{"AWS": "arn:aws:iam::222222222222:role/gone"}, "sts:AssumeRole", nil)))
		}, malformed(`Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:role/gone"`)},
		{"a principal with another path", func() error {
			return createRole("r", policy(t, trust(map[string]any{"AWS": "arn:aws:iam::111111111111:user/x/postern-operator"}, "sts:AssumeRole", nil)))
		}, malformed(`Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/x/postern-operator"`)},
		{"a principal of an account elsewhere", func() error {
			return createRole("elsewhere", policy(t, trust(map[string]any{"AWS": "arn:aws:iam::333333333333:role/jenkins"}, "sts:AssumeRole", nil)))
		}, refusal{}},
		{"a wildcard in a principal", func() error {
			return createRole("r", policy(t, trust(map[string]any{"AWS": "arn:aws:iam::222222222222:role/*"}, "sts:AssumeRole", nil)))
		}, malformed(`Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:role/*"`)},
		{"not a service", func() error {
			return createRole("r", policy(t, trust(map[string]any{"Service": "ec2"}, "sts:AssumeRole", nil)))
		}, malformed(`Invalid principal in policy: "SERVICE":"ec2"`)},
		{"bad name", func() error { return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String("a b")}) }, refusal{400, "ValidationError", "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"}},
		{"long name", func() error {
			return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String(strings.Repeat("a", 65))})
		}, refusal{400, "ValidationError", "1 validation error detected: Value '" + strings.Repeat("a", 65) + "' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"}},
		{"bad path", func() error {
			return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String("a"), Path: aws.String("/x")})
		}, refusal{400, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."}},
		{"short session", func() error {
			return do(c.CreateRole, ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: ec2, MaxSessionDuration: aws.Int32(1800)})
		}, refusal{400, "ValidationError", "1 validation error detected: Value '1800' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"}},
		{"reserved tag", func() error {
			return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String("a"), Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}})
		}, refusal{400, "InvalidInput", "Tag keys starting with 'aws:' are reserved for system use."}},
		{"tags that differ in case", func() error {
			return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String("a"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("")}, {Key: aws.String("K"), Value: aws.String("")}}})
		}, refusal{400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."}},
		{"unknown managed policy", func() error {
			return do(c.AttachRolePolicy, ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("full"), PolicyArn: aws.String("arn:aws:iam::111111111111:policy/none")})
		}, refusal{404, "NoSuchEntity", "Policy arn:aws:iam::111111111111:policy/none does not exist or is not attachable."}},
		{"boundary that does not exist", func() error {
			return do(c.CreateUser, ctx, &iam.CreateUserInput{UserName: aws.String("a"), PermissionsBoundary: aws.String("arn:aws:iam::111111111111:policy/none")})
		}, refusal{404, "NoSuchEntity", "Policy arn:aws:iam::111111111111:policy/none does not exist or is not attachable."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, refusalOf(t, test.call())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttachmentQuota(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	newRole(t, c, "r", policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil)))
	var err error
	for i := range 11 {
		arn := must[*iam.CreatePolicyOutput](t)(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("p%d", i)), PolicyDocument: policy(t, allow("s3:*", "*"))})).Policy.Arn
		_, err = c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn})
		if i < 10 && err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, err, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
	again := &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String("arn:aws:iam::111111111111:policy/p0")}
	if _, err := c.AttachRolePolicy(ctx, again); err != nil { // what is attached may be attached again
		t.Error(err)
	}
	if got := must[*iam.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("r")})); len(got.AttachedPolicies) != 10 {
		t.Errorf("%d policies attached, want 10", len(got.AttachedPolicies))
	}
}

func TestDetailsOmitWhatAWSOmits(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	document := policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil))
	must[*iam.CreateRoleOutput](t)(c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("r"), Path: aws.String("/postern/shop/"), AssumeRolePolicyDocument: document, Description: aws.String("d é"), MaxSessionDuration: aws.Int32(7200),
		Tags: []types.Tag{{Key: aws.String("postern:stack"), Value: aws.String("shop")}},
	}))
	listed := must[*iam.ListRolesOutput](t)(c.ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/postern/")})).Roles
	if len(listed) != 1 || *listed[0].Description != "d é" || *listed[0].MaxSessionDuration != 7200 || listed[0].Tags != nil {
		t.Errorf("ListRoles: %+v", listed)
	}
	got := must[*iam.GetRoleOutput](t)(c.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")})).Role
	if unescape(t, *got.AssumeRolePolicyDocument) != *document || len(got.Tags) != 1 || *got.MaxSessionDuration != 7200 {
		t.Errorf("GetRole: %+v", got)
	}
	if strings.ContainsAny(*got.AssumeRolePolicyDocument, `{}":, /`) {
		t.Errorf("the document is not percent-encoded: %s", *got.AssumeRolePolicyDocument)
	}
	details := must[*iam.GetAccountAuthorizationDetailsOutput](t)(c.GetAccountAuthorizationDetails(ctx, nil)).RoleDetailList
	if len(details) != 1 || *details[0].Arn != "arn:aws:iam::111111111111:role/postern/shop/r" || len(details[0].Tags) != 1 {
		t.Errorf("details: %+v", details)
	}
}

func TestSSHKeys(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	name := aws.String("alice")
	must[*iam.CreateUserOutput](t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))
	body := aws.String("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMq4tGqEcSN6BGJHSVpr/ZTxVWvUGUvxq7ZkGBEOpFZz alice@example")
	key := must[*iam.UploadSSHPublicKeyOutput](t)(c.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: name, SSHPublicKeyBody: body})).SSHPublicKey
	_, err := c.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: name, SSHPublicKeyBody: body})
	wantCode(t, err, "DuplicateSSHPublicKey")
	_, err = c.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: name, SSHPublicKeyBody: aws.String("ssh-rsa AAAA")})
	wantCode(t, err, "InvalidPublicKey")
	must[*iam.UpdateSSHPublicKeyOutput](t)(c.UpdateSSHPublicKey(ctx, &iam.UpdateSSHPublicKeyInput{UserName: name, SSHPublicKeyId: key.SSHPublicKeyId, Status: "Inactive"}))
	listed := must[*iam.ListSSHPublicKeysOutput](t)(c.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: name})).SSHPublicKeys
	if len(listed) != 1 || listed[0].Status != types.StatusTypeInactive {
		t.Errorf("listed %+v", listed)
	}
	got := must[*iam.GetSSHPublicKeyOutput](t)(c.GetSSHPublicKey(ctx, &iam.GetSSHPublicKeyInput{UserName: name, SSHPublicKeyId: key.SSHPublicKeyId, Encoding: "SSH"})).SSHPublicKey
	if *got.SSHPublicKeyBody != *body {
		t.Errorf("body %q", *got.SSHPublicKeyBody)
	}
	must[*iam.DeleteSSHPublicKeyOutput](t)(c.DeleteSSHPublicKey(ctx, &iam.DeleteSSHPublicKeyInput{UserName: name, SSHPublicKeyId: key.SSHPublicKeyId}))
	if err := do(c.DeleteUser, ctx, &iam.DeleteUserInput{UserName: name}); err != nil {
		t.Error(err)
	}
}

func TestRename(t *testing.T) {
	s := start(t, twoAccounts())
	c, ctx := iamOf(s, operator(s)), context.Background()
	k := newUser(t, s, "alice", allow("iam:GetUser", "*"))
	must[*iam.UpdateUserOutput](t)(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: aws.String("alice"), NewUserName: aws.String("carol"), NewPath: aws.String("/x/")}))
	got := must[*iam.GetUserOutput](t)(iamOf(s, k).GetUser(ctx, nil))
	if want := "arn:aws:iam::111111111111:user/x/carol"; *got.User.Arn != want {
		t.Errorf("the key belongs to %s, want %s", *got.User.Arn, want)
	}
	err := getUser(ctx, c, "alice")
	wantRefusal(t, err, 404, "NoSuchEntity", "The user with name alice cannot be found.")
}

func TestSummary(t *testing.T) {
	s := start(t, twoAccounts())
	got := must[*iam.GetAccountSummaryOutput](t)(iamOf(s, operator(s)).GetAccountSummary(context.Background(), nil)).SummaryMap
	if got["Users"] != 1 || got["RolePolicySizeQuota"] != 10240 || got["AttachedPoliciesPerRoleQuota"] != 10 {
		t.Errorf("summary %v", got)
	}
}
