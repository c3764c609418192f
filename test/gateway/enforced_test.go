package gateway

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

// enforced is what the AWS CLI does under one grant in the sandbox, which knows
// the paths of users: no request says them, so that a gateway cannot judge it.
type enforced struct {
	name, grant string
	args        catalog.Args
	prepare     func(t testing.TB, owner *sdk.Client) (key string) // by whom the account is
	run         []string                                           // commands; KEY is that key's id
	denied      map[string]string                                  // the grant's neighbours: command to the action that it lacks
}

func enforcements() []enforced {
	return []enforced{
		{
			name: "AWS CLI rotates a key", grant: "rotate-access-keys", args: catalog.Args{"stack": {"shop"}, "users": {"shop-travis"}},
			prepare: machineUsers,
			run: []string{
				"iam list-access-keys --user-name shop-travis",
				"iam create-access-key --user-name shop-travis",
				"iam get-access-key-last-used --access-key-id KEY",
				"iam update-access-key --status Inactive --user-name shop-travis --access-key-id KEY",
				"iam delete-access-key --user-name shop-travis --access-key-id KEY",
			},
			denied: map[string]string{
				"iam create-access-key --user-name shop-nagios":                                                           "iam:CreateAccessKey",
				"iam list-access-keys --user-name ada":                                                                    "iam:ListAccessKeys",
				"iam attach-user-policy --user-name shop-travis --policy-arn arn:aws:iam::aws:policy/AdministratorAccess": "iam:AttachUserPolicy",
			},
		},
		{
			name: "AWS CLI reads who may log in", grant: "ssh-key-lookup", args: catalog.Args{"groups": {"ssh-users"}, "user_paths": {"staff"}, "tags": {"true"}},
			prepare: engineers,
			run: []string{
				"iam get-group --group-name ssh-users",
				"iam list-ssh-public-keys --user-name ada",
				"iam get-ssh-public-key --encoding SSH --user-name ada --ssh-public-key-id KEY",
				"iam list-user-tags --user-name ada",
			},
			denied: map[string]string{
				"iam get-group --group-name admins":                                 "iam:GetGroup",
				"iam list-ssh-public-keys --user-name bob":                          "iam:ListSSHPublicKeys",
				"iam upload-ssh-public-key --user-name ada --ssh-public-key-body x": "iam:UploadSSHPublicKey",
			},
		},
	}
}

func machineUsers(t testing.TB, owner *sdk.Client) string {
	t.Helper()
	for name, path := range map[string]string{"shop-travis": "/postern/shop/", "shop-nagios": "/postern/shop/", "ada": "/"} {
		done(t, owner.CreateUser, &sdk.CreateUserInput{UserName: &name, Path: &path})
	}
	return *done(t, owner.CreateAccessKey, &sdk.CreateAccessKeyInput{UserName: aws.String("shop-travis")}).AccessKey.AccessKeyId
}

func engineers(t testing.TB, owner *sdk.Client) string {
	t.Helper()
	for _, group := range []string{"ssh-users", "admins"} {
		done(t, owner.CreateGroup, &sdk.CreateGroupInput{GroupName: &group})
	}
	for name, path := range map[string]string{"ada": "/staff/", "bob": "/"} {
		done(t, owner.CreateUser, &sdk.CreateUserInput{UserName: &name, Path: &path})
	}
	ada, line := aws.String("ada"), publicKey(t)
	done(t, owner.AddUserToGroup, &sdk.AddUserToGroupInput{UserName: ada, GroupName: aws.String("ssh-users")})
	return *done(t, owner.UploadSSHPublicKey, &sdk.UploadSSHPublicKeyInput{UserName: ada, SSHPublicKeyBody: &line}).SSHPublicKey.SSHPublicKeyId
}

// done makes a call that must succeed.
func done[I, O any](t testing.TB, call func(context.Context, *I, ...func(*sdk.Options)) (*O, error), in *I) *O {
	t.Helper()
	out, err := call(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func publicKey(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command(witness.Need(t, "ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "ada", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line))
}

// TestEnforced: under its grant the tool does its work, and nothing beside it;
// without any single action of the grant it is told which one it lacks.
func TestEnforced(t *testing.T) {
	for _, e := range enforcements() {
		t.Run(e.name, func(t *testing.T) {
			needAWS(t)
			g, _ := catalog.Lookup(e.grant)
			grant, err := g.Policy(scope(), "", e.args)
			if err != nil {
				t.Fatal(err)
			}
			h := newHolder(t, e, grant)
			if err := h.aws(e.run...); err != nil {
				t.Fatalf("under the grant: %v", err)
			}
			for command, action := range e.denied {
				h.lacks(action, h.aws(command))
			}
			for _, s := range grant.Statements {
				for _, action := range s.Actions {
					less := newHolder(t, e, without(grant, func(_, a string) bool { return a == action }))
					less.lacks(action, less.aws(e.run...))
				}
			}
		})
	}
}

// holder is a role of the sandbox with one policy.
type holder struct {
	testing.TB
	env []string
	key string
}

func newHolder(t testing.TB, e enforced, policy *iam.Document) *holder {
	t.Helper()
	server, err := sandbox.New(sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: account, AdminRole: "holder"}}})
	if err == nil {
		err = server.Listen("127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.Background()) }) // it keeps no file
	id, secret := server.Credentials()
	cfg := aws.Config{Region: region, BaseEndpoint: aws.String(server.URL()), Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")}
	owner, role := sdk.NewFromConfig(cfg), aws.String("holder")
	h := &holder{TB: t, key: e.prepare(t, owner)}
	done(t, owner.PutRolePolicy, &sdk.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("grant"), PolicyDocument: aws.String(string(policy.Indented()))})
	done(t, owner.DetachRolePolicy, &sdk.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	session, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/holder"), RoleSessionName: aws.String("job"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := session.Credentials
	h.env = []string{
		"AWS_ENDPOINT_URL=" + server.URL(), "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + *c.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + *c.SecretAccessKey, "AWS_SESSION_TOKEN=" + *c.SessionToken,
	}
	return h
}

// aws runs commands, and ends at the first that fails.
func (h *holder) aws(lines ...string) error {
	h.Helper()
	var args [][]string
	for _, line := range lines {
		args = append(args, words(strings.ReplaceAll(line, "KEY", h.key)))
	}
	_, err := witness.AWSEach(h, h.env, args...)
	return err
}

// lacks demands that the tool was told which action is missing.
func (h *holder) lacks(action string, err error) {
	h.Helper()
	if err == nil || !strings.Contains(err.Error(), "not authorized to perform: "+action+" on") {
		h.Errorf("without %s the tool says: %v", action, err)
	}
}
