package sandbox_test

import (
	"context"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/sandbox"
)

const ops = "arn:aws:iam::333333333333:role/teams/ops"

func tryAssume(s *sandbox.Server, as keys, arn string) error {
	_, err := stsOf(s, as).AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("test")})
	return err
}

func operatorsPolicy(t *testing.T, s *sandbox.Server) string {
	t.Helper()
	out := must[*iam.GetUserPolicyOutput](t)(iamOf(s, operator(s)).GetUserPolicy(context.Background(), &iam.GetUserPolicyInput{
		UserName: aws.String("postern-operator"), PolicyName: aws.String("operator"),
	}))
	return unescape(t, *out.PolicyDocument)
}

// TestAnyAccount: who asks makes the account, and nobody else can.
func TestAnyAccount(t *testing.T) {
	opt := twoAccounts()
	opt.AnyAccount = true
	opt.DataFile = filepath.Join(t.TempDir(), "state.json")
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	want := `{"Statement":[{"Action":["iam:*","sts:GetAccessKeyInfo"],"Effect":"Allow","Resource":"*"},` +
		`{"Action":["sts:AssumeRole","sts:TagSession"],"Effect":"Allow","Resource":["arn:aws:iam::*:role/*"]}],"Version":"2012-10-17"}`
	if got := operatorsPolicy(t, s); got != want {
		t.Errorf("the operator's policy is\n%s, not\n%s", got, want)
	}

	alice := newUser(t, s, "alice", allow("sts:AssumeRole", "*"))
	for name, tt := range map[string]struct {
		as  keys
		arn string
	}{
		"another user":            {alice, ops},
		"another partition":       {operator(s), "arn:aws-cn:iam::333333333333:role/ops"},
		"a role of a told one":    {operator(s), "arn:aws:iam::" + prod + ":role/other"},
		"a role of its own":       {operator(s), "arn:aws:iam::" + home + ":role/other"},
		"no account id":           {operator(s), "arn:aws:iam::3333:role/ops"},
		"no role":                 {operator(s), "arn:aws:iam::333333333333:user/ops"},
		"no name":                 {operator(s), "arn:aws:iam::333333333333:role/"},
		"a name that none can be": {operator(s), "arn:aws:iam::333333333333:role/a b"},
		"a crooked path":          {operator(s), "arn:aws:iam::333333333333:role//ops"},
	} {
		if err := tryAssume(s, tt.as, tt.arn); refusalOf(t, err).Code != "AccessDenied" {
			t.Errorf("%s: %v", name, err)
		}
	}

	manager := iamOf(s, assume(t, s, operator(s), ops))
	must[*iam.CreateUserOutput](t)(manager.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bob")}))
	roles := must[*iam.ListRolesOutput](t)(manager.ListRoles(ctx, nil)).Roles
	if len(roles) != 1 || *roles[0].Arn != ops {
		t.Errorf("the new account has the roles %v", roles)
	}
	wantCode(t, tryAssume(s, operator(s), "arn:aws:iam::333333333333:role/other"), "AccessDenied")
	wantCode(t, tryAssume(s, alice, ops), "AccessDenied")

	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	again := start(t, opt)
	if err := getUser(ctx, iamOf(again, assume(t, again, operator(again), ops)), "bob"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestAnyAccountAsksThePolicies: what the operator may not assume, does not
// spring into being.
func TestAnyAccountAsksThePolicies(t *testing.T) {
	opt := twoAccounts()
	opt.AnyAccount = true
	s, ctx := start(t, opt), context.Background()
	me := iamOf(s, operator(s))
	name := aws.String("postern-operator")
	must[*iam.PutUserPolicyOutput](t)(me.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: name, PolicyName: aws.String("not-there"), PolicyDocument: policy(t, deny("sts:AssumeRole", "arn:aws:iam::333333333333:role/*")),
	}))
	wantCode(t, tryAssume(s, operator(s), ops), "AccessDenied")
	must[*iam.DeleteUserPolicyOutput](t)(me.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: aws.String("not-there")}))
	assume(t, s, operator(s), "arn:aws:iam::333333333333:role/another") // the first one was not made
}

func TestUnknownAccountsAreClosed(t *testing.T) {
	s := start(t, twoAccounts())
	wantCode(t, tryAssume(s, operator(s), ops), "AccessDenied")
}

func TestSeveralAdminRoles(t *testing.T) {
	s := start(t, twoAccounts())
	if err := s.EnsureAccount(sandbox.AccountConfig{ID: prod, AdminRole: "second"}); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"postern-admin", "second"} {
		if err := tryAssume(s, operator(s), "arn:aws:iam::"+prod+":role/"+role); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// TestCloseDoesNotWaitForUnusedConnections: clients dial some in reserve.
func TestCloseDoesNotWaitForUnusedConnections(t *testing.T) {
	opt := twoAccounts()
	opt.Latency = 300 * time.Millisecond
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { // a call under way is answered
		_, err := stsOf(s, operator(s)).GetCallerIdentity(context.Background(), nil)
		answered <- err
	}()
	time.Sleep(100 * time.Millisecond)
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	time.Sleep(50 * time.Millisecond) // until the server has it
	began := time.Now()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("closing took %s", took)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
