package sandbox_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

// cli runs the AWS CLI with nothing but the environment that the sandbox
// prints, and returns its output, or its error message.
type cli struct {
	tool string
	env  []string
}

func newCLI(t *testing.T, s *sandbox.Server) cli {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	return cli{witness.Need(t, "aws"), append(s.Env(),
		"PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "AWS_CONFIG_FILE="+none, "AWS_SHARED_CREDENTIALS_FILE="+none,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
	)}
}

func (c cli) as(k keys) cli {
	c.env = append(append([]string{}, c.env...), "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret, "AWS_SESSION_TOKEN="+k.token)
	return c
}

func (c cli) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.tool, append(args, "--output", "text")...)
	cmd.Env = c.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return strings.TrimSpace(errs.String())
	}
	return strings.TrimSpace(out.String())
}

// TestAWSCLI reads the sandbox with the AWS CLI: another client, another
// parser, another signer.
func TestAWSCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("the AWS CLI takes a second per call")
	}
	s := start(t, twoAccounts())
	c := newCLI(t, s)
	ec2 := *policy(t, trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil))
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"caller", []string{"sts", "get-caller-identity", "--query", "Arn"}, "arn:aws:iam::111111111111:user/postern-operator"},
		{"create role", []string{"iam", "create-role", "--role-name", "web", "--path", "/postern/shop/", "--assume-role-policy-document", ec2, "--tags", "Key=postern:stack,Value=shop", "--query", "Role.Arn"}, "arn:aws:iam::111111111111:role/postern/shop/web"},
		{"put policy", []string{"iam", "put-role-policy", "--role-name", "web", "--policy-name", "p", "--policy-document", *policy(t, allow("s3:GetObject", "arn:aws:s3:::b/*"))}, ""},
		{"read policy", []string{"iam", "get-role-policy", "--role-name", "web", "--policy-name", "p", "--query", "PolicyDocument.Statement[0].Action"}, "s3:GetObject"},
		{"read trust", []string{"iam", "get-role", "--role-name", "web", "--query", "Role.AssumeRolePolicyDocument.Statement[0].Principal.Service"}, "ec2.amazonaws.com"},
		{"tags", []string{"iam", "list-role-tags", "--role-name", "web", "--query", "Tags[].[Key,Value]"}, "postern:stack\tshop"},
		{"details", []string{"iam", "get-account-authorization-details", "--filter", "Role", "--query", "RoleDetailList[].[RoleName,RolePolicyList[0].PolicyDocument.Statement[0].Effect]"}, "web\tAllow"},
		{"not there", []string{"iam", "get-user", "--user-name", "nobody"}, "An error occurred (NoSuchEntity) when calling the GetUser operation: The user with name nobody cannot be found."},
		{"admin role", []string{"sts", "assume-role", "--role-arn", "arn:aws:iam::222222222222:role/postern-admin", "--role-session-name", "cli", "--query", "AssumedRoleUser.Arn"}, "arn:aws:sts::222222222222:assumed-role/postern-admin/cli"},
		{"denied", []string{"ecr", "describe-images", "--repository-name", "shop"}, "An error occurred (AccessDeniedException) when calling the DescribeImages operation: User: arn:aws:iam::111111111111:user/postern-operator is not authorized to perform: ecr:DescribeImages on resource: arn:aws:ecr:us-east-1:111111111111:repository/shop because no identity-based policy allows the ecr:DescribeImages action"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, c.run(t, test.args...)); diff != "" {
				t.Errorf("aws %s (-want +got):\n%s", strings.Join(test.args, " "), diff)
			}
		})
	}
}

// TestAWSCLIUsesAccess makes one allowed and one denied call per service that
// the sandbox answers emptily, in each protocol.
func TestAWSCLIUsesAccess(t *testing.T) {
	if testing.Short() {
		t.Skip("the AWS CLI takes a second per call")
	}
	s := start(t, twoAccounts())
	k := newUser(t, s, "alice",
		allow("ecr:DescribeImages", "arn:aws:ecr:*:*:repository/shop"),
		conditional(allow("s3:ListBucket", "arn:aws:s3:::acme-state"), "StringLike", "s3:prefix", "shop/*"),
		allow("s3:PutObject", "arn:aws:s3:::acme-state/shop/*"),
		allow("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111111111111:table/lock"),
		allow("ec2:DescribeInstances", "*"),
		allow("autoscaling:StartInstanceRefresh", "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/shop"),
		allow("ecs:DescribeServices", "arn:aws:ecs:us-east-1:111111111111:service/prod/shop"),
		allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:shop/db-??????"),
		allow("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/shop/*"),
	)
	c := newCLI(t, s).as(k)
	file := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		allowed, denied []string
		code            string
	}{
		{[]string{"ecr", "describe-images", "--repository-name", "shop"}, []string{"ecr", "describe-images", "--repository-name", "shop2"}, "AccessDeniedException"},
		{[]string{"s3api", "list-objects-v2", "--bucket", "acme-state", "--prefix", "shop/a"}, []string{"s3api", "list-objects-v2", "--bucket", "acme-state"}, "AccessDenied"},
		{[]string{"s3api", "put-object", "--bucket", "acme-state", "--key", "shop/a b+c", "--body", file}, []string{"s3api", "put-object", "--bucket", "acme-state", "--key", "other", "--body", file}, "AccessDenied"},
		{[]string{"dynamodb", "get-item", "--table-name", "lock", "--key", `{"LockID":{"S":"x"}}`}, []string{"dynamodb", "get-item", "--table-name", "other", "--key", `{"LockID":{"S":"x"}}`}, "AccessDeniedException"},
		{[]string{"ec2", "describe-instances"}, []string{"ec2", "describe-tags"}, "UnauthorizedOperation"},
		{[]string{"autoscaling", "start-instance-refresh", "--auto-scaling-group-name", "shop"}, []string{"autoscaling", "start-instance-refresh", "--auto-scaling-group-name", "other"}, "AccessDenied"},
		{[]string{"ecs", "describe-services", "--cluster", "prod", "--services", "shop"}, []string{"ecs", "describe-services", "--services", "shop"}, "AccessDeniedException"},
		{[]string{"secretsmanager", "get-secret-value", "--secret-id", "shop/db"}, []string{"secretsmanager", "get-secret-value", "--secret-id", "shop/db2"}, "AccessDeniedException"},
		{[]string{"ssm", "get-parameter", "--name", "/shop/url"}, []string{"ssm", "get-parameter", "--name", "/other"}, "AccessDeniedException"},
	} {
		t.Run(test.allowed[0]+" "+test.allowed[1], func(t *testing.T) {
			if got := c.run(t, test.allowed...); strings.Contains(got, "error") {
				t.Errorf("aws %s: %s", strings.Join(test.allowed, " "), got)
			}
			if got := c.run(t, test.denied...); !strings.Contains(got, "An error occurred ("+test.code+")") || !strings.Contains(got, "is not authorized to perform: ") {
				t.Errorf("aws %s: %s", strings.Join(test.denied, " "), got)
			}
		})
	}
}
