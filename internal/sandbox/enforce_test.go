package sandbox_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	alice = "arn:aws:iam::111111111111:user/alice"
	bob   = "arn:aws:iam::111111111111:user/bob"
	notTo = "User: " + alice + " is not authorized to perform: "
)

func TestDenialsInAWSWords(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name     string
		identity []map[string]any
		boundary []map[string]any
		call     func(*iam.Client) error
		want     string // message; empty: allowed
	}{
		{
			name: "nothing allows", call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " because no identity-based policy allows the iam:GetUser action",
		},
		{
			name: "another resource", identity: []map[string]any{allow("iam:GetUser", alice)},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " because no identity-based policy allows the iam:GetUser action",
		},
		{
			name: "allowed", identity: []map[string]any{allow("iam:Get*", bob)},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
		},
		{
			name: "own name by variable", identity: []map[string]any{allow("iam:GetUser", "arn:aws:iam::*:user/${aws:username}")},
			call: func(c *iam.Client) error { _, err := c.GetUser(ctx, nil); return err },
		},
		{
			name: "explicit deny", identity: []map[string]any{allow("iam:*", "*"), deny("iam:GetUser", "*")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " with an explicit deny in an identity-based policy",
		},
		{
			name: "boundary does not allow", identity: []map[string]any{allow("iam:*", "*")}, boundary: []map[string]any{allow("s3:*", "*")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " because no permissions boundary allows the iam:GetUser action",
		},
		{
			name: "boundary denies", identity: []map[string]any{allow("iam:*", "*")}, boundary: []map[string]any{allow("*", "*"), deny("iam:GetUser", bob)},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " with an explicit deny in a permissions boundary",
		},
		{
			name: "listing", call: func(c *iam.Client) error { _, err := c.ListRoles(ctx, &iam.ListRolesInput{}); return err },
			want: notTo + "iam:ListRoles on resource: arn:aws:iam::111111111111:role/ because no identity-based policy allows the iam:ListRoles action",
		},
		{
			name: "denied before it is known not to exist", call: func(c *iam.Client) error { return getUser(ctx, c, "nobody") },
			want: notTo + "iam:GetUser on resource: arn:aws:iam::111111111111:user/nobody because no identity-based policy allows the iam:GetUser action",
		},
		{
			name: "tags need a permission of their own", identity: []map[string]any{allow("iam:CreateUser", "*")},
			call: func(c *iam.Client) error {
				_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
				return err
			},
			want: notTo + "iam:TagUser on resource: arn:aws:iam::111111111111:user/carol because no identity-based policy allows the iam:TagUser action",
		},
		{
			name: "request tag", identity: []map[string]any{conditional(allow("iam:*", "*"), "StringEquals", "aws:RequestTag/team", "red")},
			call: func(c *iam.Client) error {
				_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}})
				return err
			},
		},
		{
			name: "resource tag", identity: []map[string]any{conditional(allow("iam:GetUser", "*"), "StringEquals", "iam:ResourceTag/team", "blue")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
		},
		{
			name: "global resource tag", identity: []map[string]any{conditional(allow("iam:GetUser", "*"), "StringEquals", "aws:ResourceTag/team", "blue")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
		},
		{
			name: "no such resource tag", identity: []map[string]any{conditional(allow("iam:GetUser", "*"), "StringEquals", "aws:ResourceTag/team", "red")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " because no identity-based policy allows the iam:GetUser action",
		},
		{
			name: "which policy is attached", identity: []map[string]any{conditional(allow("iam:AttachUserPolicy", "*"), "ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/AWSDenyAll")},
			call: func(c *iam.Client) error {
				_, err := c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("bob"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
				return err
			},
			want: notTo + "iam:AttachUserPolicy on resource: " + bob + " because no identity-based policy allows the iam:AttachUserPolicy action",
		},
		{
			name: "only with a boundary", identity: []map[string]any{conditional(allow("iam:CreateUser", "*"), "ArnEquals", "iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AWSDenyAll")},
			call: func(c *iam.Client) error {
				_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AWSDenyAll")})
				return err
			},
		},
		{
			name: "loopback address", identity: []map[string]any{conditional(allow("iam:GetUser", "*"), "IpAddress", "aws:SourceIp", "127.0.0.0/8")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
		},
		{
			name: "access ends by date", identity: []map[string]any{conditional(allow("iam:GetUser", "*"), "DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")},
			call: func(c *iam.Client) error { return getUser(ctx, c, "bob") },
			want: notTo + "iam:GetUser on resource: " + bob + " because no identity-based policy allows the iam:GetUser action",
		},
		{
			name: "passing a role to EC2", identity: []map[string]any{
				allow("iam:AddRoleToInstanceProfile", "*"),
				conditional(allow("iam:PassRole", "*"), "StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"),
			},
			call: func(c *iam.Client) error {
				_, err := c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("p"), RoleName: aws.String("r")})
				return err
			},
			want: notTo + "iam:PassRole on resource: arn:aws:iam::111111111111:role/r because no identity-based policy allows the iam:PassRole action",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, twoAccounts())
			op := iamOf(s, operator(s))
			k := newUser(t, s, "alice", test.identity...)
			must[*iam.CreateUserOutput](t)(op.CreateUser(ctx, &iam.CreateUserInput{
				UserName: aws.String("bob"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
			}))
			if test.boundary != nil {
				p := must[*iam.CreatePolicyOutput](t)(op.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("edge"), PolicyDocument: policy(t, test.boundary...)}))
				must[*iam.PutUserPermissionsBoundaryOutput](t)(op.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: p.Policy.Arn}))
			}
			err := test.call(iamOf(s, k))
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			wantRefusal(t, err, 403, "AccessDenied", test.want)
		})
	}
}

func getUser(ctx context.Context, c *iam.Client, name string) error {
	_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	return err
}

func conditional(statement map[string]any, operator, key string, value any) map[string]any {
	statement["Condition"] = map[string]any{operator: map[string]any{key: value}}
	return statement
}

func TestGroupsGrant(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	op, k := iamOf(s, operator(s)), newUser(t, s, "alice")
	must[*iam.CreateGroupOutput](t)(op.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("readers")}))
	must[*iam.PutGroupPolicyOutput](t)(op.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: aws.String("readers"), PolicyName: aws.String("read"), PolicyDocument: policy(t, allow("iam:GetUser", "*")),
	}))
	if err := getUser(ctx, iamOf(s, k), "alice"); err == nil {
		t.Error("allowed before membership")
	}
	must[*iam.AddUserToGroupOutput](t)(op.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("readers"), UserName: aws.String("alice")}))
	if err := getUser(ctx, iamOf(s, k), "alice"); err != nil {
		t.Errorf("refused to a member: %v", err)
	}
	must[*iam.RemoveUserFromGroupOutput](t)(op.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: aws.String("readers"), UserName: aws.String("alice")}))
	if err := getUser(ctx, iamOf(s, k), "alice"); err == nil {
		t.Error("allowed after membership")
	}
}

// TestOperator: the printed credentials manage their own account and, through
// the admin roles, the others; nothing else.
func TestOperator(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	who := must[*sts.GetCallerIdentityOutput](t)(stsOf(s, admin(t, s)).GetCallerIdentity(ctx, nil))
	if want := "arn:aws:sts::222222222222:assumed-role/postern-admin/test"; *who.Arn != want || *who.Account != prod {
		t.Errorf("admin is %s of %s, want %s", *who.Arn, *who.Account, want)
	}
	newRole(t, iamOf(s, admin(t, s)), "closed", policy(t, trust(map[string]any{"AWS": prod}, "sts:AssumeRole", nil)))
	_, err := stsOf(s, operator(s)).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/closed"), RoleSessionName: aws.String("test")})
	wantRefusal(t, err, 403, "AccessDenied", "User: arn:aws:iam::111111111111:user/postern-operator is not authorized to perform: sts:AssumeRole on resource: "+
		"arn:aws:iam::222222222222:role/closed because no identity-based policy allows the sts:AssumeRole action")
}
