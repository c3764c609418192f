package cli

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/sandbox"
)

// permissionsSpec uses everything that a stack can make, in one account.
const permissionsSpec = `stack: shop
region: eu-west-1
accounts:
  prod: { id: "222222222222", admin_role: postern-admin }
identities:
  release: { github: { repository: acme/shop, environment: production } }
  travis: { access_key: { account: prod, because: Travis CI issues no OIDC tokens } }
roles:
  deploy:
    trust: [release, travis, { service: ec2 }]
    instance_profile: true
    boundary: arn:aws:iam::222222222222:policy/edge
    grants:
      - ecr-docker-push: { repositories: [REPOSITORIES] }
`

// TestDocumentedPermissions brings a stack up, heals drift and destroys it as
// a role that has the policy of docs/permissions.md and nothing else.
func TestDocumentedPermissions(t *testing.T) {
	ctx := t.Context()
	server, err := sandbox.New(sandbox.Options{Accounts: []sandbox.AccountConfig{
		{ID: "111111111111"}, {ID: "222222222222", AdminRole: "owner"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.Background()) })

	owner := clientAs(ctx, t, server, "owner") // all-powerful
	if err := server.EnsureAccount(sandbox.AccountConfig{ID: "222222222222", AdminRole: "postern-admin"}); err != nil {
		t.Fatal(err)
	}
	confineAdmin(ctx, t, owner, documentedPolicy(t))

	spec := filepath.Join(t.TempDir(), "postern.yaml")
	write := func(text string) {
		if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	full := strings.Replace(permissionsSpec, "REPOSITORIES", strings.Join(longNames(), ", "), 1)
	write(full)
	run(t, server, 0, "apply", "--yes", spec)

	drift(ctx, t, owner)
	run(t, server, 2, "plan", "--detailed-exitcode", spec)
	run(t, server, 0, "apply", "--yes", spec)
	run(t, server, 0, "plan", "--detailed-exitcode", spec)

	write(strings.Replace(full, "    boundary: arn:aws:iam::222222222222:policy/edge\n", "    session: 2h\n    tags: { team: web }\n", 1))
	run(t, server, 0, "apply", "--yes", spec)
	run(t, server, 0, "destroy", "--yes", spec)
	run(t, server, 0, "plan", "--destroy", "--detailed-exitcode", spec)
}

// longNames are repositories whose policies are too long to be inline: managed
// ones are made.
func longNames() []string {
	var long []string
	for i := range 100 {
		long = append(long, strings.Repeat("service-", 8)+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	return long
}

// run runs the real Main against the sandbox and compares the exit code.
func run(t *testing.T, server *sandbox.Server, want int, args ...string) {
	t.Helper()
	if got, said := attempt(t, server, args...); got != want {
		t.Fatalf("postern %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, want, said)
	}
}

// attempt runs the real Main against the sandbox, and gives all that it says.
func attempt(t *testing.T, server *sandbox.Server, args ...string) (code int, said string) {
	t.Helper()
	env := map[string]string{}
	for _, line := range server.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
		t.Setenv(name, value) // the SDK reads the process's own
	}
	streams, out, errs := ui.Test("")
	code = Main(t.Context(), args, streams, func(name string) string { return env[name] })
	return code, out.String() + errs.String()
}

func documentedPolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(text)
	if match == nil {
		t.Fatal("docs/permissions.md has no policy")
	}
	return string(match[1])
}

// clientAs is a client with a role of account 222222222222.
func clientAs(ctx context.Context, t *testing.T, server *sandbox.Server, role string) *iam.Client {
	t.Helper()
	id, secret := server.Credentials()
	cfg := sdk.Config{Region: "eu-west-1", BaseEndpoint: sdk.String(server.URL()), Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")}
	out, err := sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: sdk.String("arn:aws:iam::222222222222:role/" + role), RoleSessionName: sdk.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return iam.NewFromConfig(cfg)
}

func confineAdmin(ctx context.Context, t *testing.T, owner *iam.Client, policy string) {
	t.Helper()
	name := sdk.String("postern-admin")
	attached, err := owner.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
	must(t, err)
	for _, p := range attached.AttachedPolicies {
		_, err = owner.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: p.PolicyArn})
		must(t, err)
	}
	inline, err := owner.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})
	must(t, err)
	for _, p := range inline.PolicyNames {
		_, err = owner.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: &p})
		must(t, err)
	}
	_, err = owner.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: sdk.String("documented"), PolicyDocument: &policy})
	must(t, err)
	_, err = owner.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: sdk.String("edge"), PolicyDocument: sdk.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)})
	must(t, err)
}

// drift does what people do to a stack by hand, of every kind that apply undoes.
func drift(ctx context.Context, t *testing.T, owner *iam.Client) {
	t.Helper()
	role, user, group := sdk.String("shop-deploy"), sdk.String("shop-travis"), sdk.String("shop-travis")
	policy := sdk.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)
	name, edge := sdk.String("by-hand"), sdk.String("arn:aws:iam::222222222222:policy/edge")
	_, err := owner.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: name, PolicyDocument: policy})
	must(t, err)
	_, err = owner.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: edge})
	must(t, err)
	_, err = owner.UntagRole(ctx, &iam.UntagRoleInput{RoleName: role, TagKeys: []string{"postern:stack"}})
	must(t, err)
	_, err = owner.TagRole(ctx, &iam.TagRoleInput{RoleName: role, Tags: []types.Tag{{Key: sdk.String("by"), Value: sdk.String("hand")}}})
	must(t, err)
	_, err = owner.TagUser(ctx, &iam.TagUserInput{UserName: user, Tags: []types.Tag{{Key: sdk.String("by"), Value: sdk.String("hand")}}})
	must(t, err)
	_, err = owner.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: sdk.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`)})
	must(t, err)
	_, err = owner.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: role})
	must(t, err)
	_, err = owner.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user, PolicyName: name, PolicyDocument: policy})
	must(t, err)
	_, err = owner.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: user, PolicyArn: edge})
	must(t, err)
	_, err = owner.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: user, PermissionsBoundary: edge})
	must(t, err)
	_, err = owner.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	must(t, err)
	_, err = owner.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: group, PolicyName: name, PolicyDocument: policy})
	must(t, err)
	_, err = owner.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: group, PolicyArn: edge})
	must(t, err)
	_, err = owner.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String("mallory")})
	must(t, err)
	_, err = owner.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: sdk.String("mallory"), GroupName: group})
	must(t, err)
	_, err = owner.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: role, RoleName: role})
	must(t, err)
	arn := sdk.String("arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com")
	_, err = owner.RemoveClientIDFromOpenIDConnectProvider(ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: sdk.String("sts.amazonaws.com")})
	must(t, err)
	details, err := owner.ListPolicies(ctx, &iam.ListPoliciesInput{PathPrefix: sdk.String("/postern/shop/")})
	must(t, err)
	if len(details.Policies) == 0 {
		t.Fatal("the stack has no managed policies: the test does not reach them")
	}
	_, err = owner.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: details.Policies[0].Arn, PolicyDocument: policy, SetAsDefault: true})
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
