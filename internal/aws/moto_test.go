package aws

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/plan"
)

// motoAccount is the account that moto's callers are in.
const motoAccount = "123456789012"

// startMoto runs the AWS emulator moto, a witness that we did not write.
func startMoto(t *testing.T) Options {
	t.Helper()
	bin, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatal("moto_server is not installed: pip install 'moto[server]'")
		}
		t.Skip("moto_server is not installed: pip install 'moto[server]'")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, bin, "-H", host, "-p", port)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed: never nil
	})
	endpoint := "http://" + net.JoinHostPort(host, port)
	for range 300 {
		if resp, err := http.Get(endpoint + "/moto-api/data.json"); err == nil {
			resp.Body.Close()
			return Options{
				Endpoint: endpoint, Credentials: &StaticCredentials{ID: "AKIAMOTO", Secret: "moto"}, Region: "eu-west-1",
				Accounts: []Account{{ID: motoAccount, Name: "prod"}},
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	_ = cmd.Wait()
	t.Fatalf("moto_server does not answer:\n%s", out.String())
	return Options{}
}

func parse(t *testing.T, src string) *iam.Document {
	t.Helper()
	d, err := iam.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	issuer    = "token.actions.githubusercontent.com"
	path      = "/postern/shop/"
	trustText = `{"Version":"2012-10-17","Statement":[{"Sid":"release","Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",` +
		`"Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/` + issuer + `"},` +
		`"Condition":{"StringEquals":{"` + issuer + `:aud":"sts.amazonaws.com","` + issuer + `:sub":"repo:acme/shop:environment:production"}}}]}`
	ec2Trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}`
	grantText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:eu-west-1:123456789012:repository/shop+%41"}]}`
	otherText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:UpdateService","Resource":"*"}]}`
)

// script is a plan that holds every verb but two at least once: moto
// implements neither AddClientIDToOpenIDConnectProvider nor
// DeleteUserPermissionsBoundary (it answers 500); TestEveryVerbIsSent covers
// them. The first half builds what built describes, the second takes everything
// down again.
func script(t *testing.T) (build, takeDown []plan.Change) {
	arn := func(rest string) string { return "arn:aws:iam::" + motoAccount + ":" + rest }
	role, user, group := arn("role"+path+"shop-deploy"), arn("user"+path+"shop-ci"), arn("group"+path+"shop-ci")
	managed, profile, provider := arn("policy"+path+"shop-more"), arn("instance-profile"+path+"shop-deploy"), arn("oidc-provider/"+issuer)
	tags := map[string]string{"postern:stack": "shop", "team": "a b+c"}
	stage := 0
	var out []plan.Change
	add := func(entity string, v plan.Verb, in plan.Input) {
		out = append(out, plan.Change{Account: motoAccount, Stage: stage, Entity: entity, Verb: v, Input: in})
	}
	add(provider, plan.CreateOpenIDConnectProvider, plan.Input{URL: "https://" + issuer, ClientIDs: []string{"sts.amazonaws.com", "other"}, Tags: map[string]string{"postern:shared": "true"}})
	add(managed, plan.CreatePolicy, plan.Input{PolicyName: "shop-more", Path: path, Document: parse(t, grantText), Tags: tags})
	add(managed, plan.CreatePolicyVersion, plan.Input{PolicyARN: managed, Document: parse(t, otherText)})
	add(user, plan.CreateUser, plan.Input{UserName: "shop-ci", Path: path, Tags: tags})
	add(user, plan.TagUser, plan.Input{UserName: "shop-ci", Tags: map[string]string{"x": "y"}})
	add(user, plan.UntagUser, plan.Input{UserName: "shop-ci", TagKeys: []string{"team"}})
	add(group, plan.CreateGroup, plan.Input{GroupName: "shop-ci", Path: path})
	add(group, plan.PutGroupPolicy, plan.Input{GroupName: "shop-ci", PolicyName: "assume", Document: parse(t, otherText)})
	stage = 1
	add(user, plan.AddUserToGroup, plan.Input{UserName: "shop-ci", GroupName: "shop-ci"})
	add(role, plan.CreateRole, plan.Input{RoleName: "shop-deploy", Path: path, Document: parse(t, ec2Trust), Description: "Deploys.", MaxSession: time.Hour, PolicyARN: managed, Tags: tags})
	add(role, plan.UpdateRole, plan.Input{RoleName: "shop-deploy", Description: "Deploys the shop.", MaxSession: 2 * time.Hour})
	add(role, plan.UpdateAssumeRolePolicy, plan.Input{RoleName: "shop-deploy", Document: parse(t, trustText)})
	add(role, plan.TagRole, plan.Input{RoleName: "shop-deploy", Tags: map[string]string{"x": "y"}})
	add(role, plan.UntagRole, plan.Input{RoleName: "shop-deploy", TagKeys: []string{"team"}})
	add(role, plan.PutRolePolicy, plan.Input{RoleName: "shop-deploy", PolicyName: "ecr", Document: parse(t, grantText)})
	add(role, plan.AttachRolePolicy, plan.Input{RoleName: "shop-deploy", PolicyARN: managed})
	add(role, plan.PutRolePermissionsBoundary, plan.Input{RoleName: "shop-deploy", PolicyARN: "arn:aws:iam::aws:policy/PowerUserAccess"})
	stage = 2
	add(profile, plan.CreateInstanceProfile, plan.Input{InstanceProfileName: "shop-deploy", Path: path, Tags: tags})
	add(profile, plan.AddRoleToInstanceProfile, plan.Input{InstanceProfileName: "shop-deploy", RoleName: "shop-deploy"})
	build, out = out, nil

	stage = 0
	add(profile, plan.RemoveRoleFromInstanceProfile, plan.Input{InstanceProfileName: "shop-deploy", RoleName: "shop-deploy"})
	add(profile, plan.DeleteInstanceProfile, plan.Input{InstanceProfileName: "shop-deploy"})
	stage = 1
	add(role, plan.DeleteRolePermissionsBoundary, plan.Input{RoleName: "shop-deploy"})
	add(role, plan.DetachRolePolicy, plan.Input{RoleName: "shop-deploy", PolicyARN: managed})
	add(role, plan.DeleteRolePolicy, plan.Input{RoleName: "shop-deploy", PolicyName: "ecr"})
	add(role, plan.DeleteRole, plan.Input{RoleName: "shop-deploy"})
	add(user, plan.DeleteUserPolicy, plan.Input{UserName: "shop-ci", PolicyName: "stray"})
	add(user, plan.DetachUserPolicy, plan.Input{UserName: "shop-ci", PolicyARN: managed})
	add(user, plan.DeleteAccessKey, plan.Input{UserName: "shop-ci", AccessKeyID: "AKIAGONEGONEGONE"})
	add(user, plan.RemoveUserFromGroup, plan.Input{UserName: "shop-ci", GroupName: "shop-ci"})
	add(user, plan.DeleteUser, plan.Input{UserName: "shop-ci"})
	stage = 2
	add(group, plan.DetachGroupPolicy, plan.Input{GroupName: "shop-ci", PolicyARN: managed})
	add(group, plan.DeleteGroupPolicy, plan.Input{GroupName: "shop-ci", PolicyName: "assume"})
	add(group, plan.DeleteGroup, plan.Input{GroupName: "shop-ci"})
	add(managed, plan.DeletePolicyVersion, plan.Input{PolicyARN: managed, VersionID: "v1"})
	add(managed, plan.DeletePolicy, plan.Input{PolicyARN: managed})
	add(provider, plan.DeleteOpenIDConnectProvider, plan.Input{ProviderARN: provider})
	return build, out
}

// built is the account once build is done.
func built(t *testing.T) estate.Account {
	tags := map[string]string{"postern:stack": "shop", "x": "y"}
	managed := "arn:aws:iam::" + motoAccount + ":policy" + path + "shop-more"
	return estate.Account{
		ID: motoAccount, Partition: "aws",
		Roles: []estate.Role{{
			Name: "shop-deploy", Path: path, Description: "Deploys the shop.", Trust: parse(t, trustText), MaxSession: 2 * time.Hour,
			Inline: []estate.InlinePolicy{{Name: "ecr", Document: parse(t, grantText)}}, Attached: []string{managed},
			Boundary: "arn:aws:iam::aws:policy/PowerUserAccess", Tags: tags,
		}},
		Users: []estate.User{{Name: "shop-ci", Path: path, Groups: []string{"shop-ci"}, Tags: tags}},
		Groups: []estate.Group{{
			Name: "shop-ci", Path: path, Inline: []estate.InlinePolicy{{Name: "assume", Document: parse(t, otherText)}},
		}},
		Policies:         []estate.ManagedPolicy{{Name: "shop-more", Path: path, Document: parse(t, otherText), Versions: []string{"v1"}}},
		InstanceProfiles: []estate.InstanceProfile{{Name: "shop-deploy", Path: path, Role: "shop-deploy"}},
		Providers: []estate.OIDCProvider{{
			URL: issuer, Audiences: []string{"other", "sts.amazonaws.com"}, Tags: map[string]string{"postern:shared": "true"},
		}},
		Quotas: estate.DefaultQuotas(),
	}
}

// sameDocument compares documents by meaning: what was parsed from other text
// differs in positions and spelling.
var sameDocument = cmp.Comparer(func(a, b *iam.Document) bool {
	return a == nil && b == nil || a != nil && b != nil && iam.Equal(a, b)
})

func observe(t *testing.T, c *Cloud, account string) estate.Account {
	t.Helper()
	got, err := c.Observe(t.Context(), account, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestEveryVerbOnMoto builds everything, reads it back, and takes it down.
// The second half runs twice: what is gone already is done.
func TestEveryVerbOnMoto(t *testing.T) {
	c, err := Connect(t.Context(), startMoto(t))
	if err != nil {
		t.Fatal(err)
	}
	build, takeDown := script(t)
	if _, err := apply.Run(t.Context(), build, c, apply.Options{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(built(t), observe(t, c, motoAccount), sameDocument); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for range 2 {
		if _, err := apply.Run(t.Context(), takeDown, c, apply.Options{}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(estate.Account{ID: motoAccount, Partition: "aws", Quotas: estate.DefaultQuotas()}, observe(t, c, motoAccount)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}
