package aws

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/internal/wire"
)

// startSandbox brings up the embedded AWS and connects to it through the
// admin role of its second account, which has moto's account id.
func startSandbox(t *testing.T, o sandbox.Options) (*sandbox.Server, *Cloud) {
	t.Helper()
	o.Accounts = []sandbox.AccountConfig{{ID: "111111111111"}, {ID: motoAccount, AdminRole: "ops/postern-admin"}}
	server, options := serve(t, o)
	options.Accounts = []Account{{ID: motoAccount, Name: "prod", AdminRole: "ops/postern-admin"}}
	c, err := Connect(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return server, c
}

// serve brings up the embedded AWS, and says how its first account is reached
// with a user's credentials.
func serve(t *testing.T, o sandbox.Options) (*sandbox.Server, Options) {
	t.Helper()
	server, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	id, secret := server.Credentials()
	return server, Options{Endpoint: server.URL(), Credentials: &StaticCredentials{ID: id, Secret: secret}, Region: "eu-west-1"}
}

// stackOnly leaves out what the sandbox has besides the stack: the admin role.
func stackOnly(a estate.Account) estate.Account {
	a.Roles = slices.DeleteFunc(a.Roles, func(r estate.Role) bool { return r.Path != path })
	if len(a.Roles) == 0 {
		a.Roles = nil
	}
	a.Policies = slices.DeleteFunc(a.Policies, func(p estate.ManagedPolicy) bool { return p.AWSManaged })
	if len(a.Policies) == 0 {
		a.Policies = nil
	}
	return a
}

// quick makes a run wait little: the sandbox is near.
var quick = apply.Options{Retry: apply.Retry{First: 5 * time.Millisecond, Most: 50 * time.Millisecond, Total: 20 * time.Second}}

// hurry makes the SDK repeat a call at once, attempts times in all. Its own
// waits are of the order of a second.
func hurry(c *Cloud, attempts int) {
	a := c.accounts[motoAccount]
	a.iam = sdkiam.New(a.iam.Options(), func(o *sdkiam.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.AddWithMaxAttempts(retry.NewStandard(), attempts), time.Millisecond)
	})
}

func roundTrip(t *testing.T, c *Cloud) {
	t.Helper()
	build, takeDown := script(t)
	if _, err := apply.Run(t.Context(), build, c, quick); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(built(t), stackOnly(observe(t, c, motoAccount)), sameDocument); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if _, err := apply.Run(t.Context(), takeDown, c, quick); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(estate.Account{ID: motoAccount, Partition: "aws", Quotas: estate.DefaultQuotas()}, stackOnly(observe(t, c, motoAccount))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestRoundTripOnSandbox(t *testing.T) {
	_, c := startSandbox(t, sandbox.Options{})
	roundTrip(t, c)
}

// TestLostAnswersOnSandbox loses the first answer to every call that changes
// something, after it has done its work.
func TestLostAnswersOnSandbox(t *testing.T) {
	var mu sync.Mutex
	lost := map[string]bool{}
	_, c := startSandbox(t, sandbox.Options{Faults: func(_, action string, n int) *sandbox.Fault {
		if n > 1 || !strings.HasPrefix(action, "iam:") || strings.HasPrefix(action, "iam:Get") || strings.HasPrefix(action, "iam:List") {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		lost[action] = true
		return &sandbox.Fault{DropAfter: true}
	}})
	hurry(c, 5)
	roundTrip(t, c)
	if len(lost) < 30 {
		t.Errorf("only %d kinds of calls lost an answer", len(lost))
	}
}

func TestThrottledSandbox(t *testing.T) {
	_, c := startSandbox(t, sandbox.Options{Faults: func(_, action string, n int) *sandbox.Fault {
		if n == 1 && strings.HasPrefix(action, "iam:Create") {
			return &sandbox.Fault{Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
		}
		return nil
	}})
	hurry(c, 1) // leaves it to the runner
	roundTrip(t, c)
}

// TestLateIAM makes a role trust a user whom IAM does not know yet.
func TestLateIAM(t *testing.T) {
	_, c := startSandbox(t, sandbox.Options{PropagationDelay: 300 * time.Millisecond})
	time.Sleep(400 * time.Millisecond) // the admin role itself
	arn := "arn:aws:iam::" + motoAccount
	trust := parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+arn+`:user/postern/shop/shop-ci"}}]}`)
	report, err := apply.Run(t.Context(), []plan.Change{
		{Account: motoAccount, Entity: arn + ":user/postern/shop/shop-ci", Verb: plan.CreateUser, Input: plan.Input{UserName: "shop-ci", Path: path}},
		{
			Account: motoAccount, Stage: 1, Entity: arn + ":role/postern/shop/shop-deploy", Verb: plan.CreateRole,
			Input: plan.Input{RoleName: "shop-deploy", Path: path, Document: trust},
		},
	}, c, quick)
	if err != nil {
		t.Fatal(err)
	}
	if report.Results[1].Attempts < 2 {
		t.Error("the role was made at once: the test tests nothing")
	}
}

// TestUseOfARole signs calls with a session that a token gave: one that the
// role's policy allows and one that it does not.
func TestUseOfARole(t *testing.T) {
	server, c := startSandbox(t, sandbox.Options{})
	build, _ := script(t)
	if _, err := apply.Run(t.Context(), build, c, quick); err != nil {
		t.Fatal(err)
	}
	role := "arn:aws:iam::" + motoAccount + ":role" + path + "shop-deploy"
	mint := func(sub string) string {
		t.Helper()
		jwt, err := server.Mint(map[string]any{"sub": sub, "aud": "sts.amazonaws.com"})
		if err != nil {
			t.Fatal(err)
		}
		return jwt
	}
	if _, err := c.AssumeWithToken(t.Context(), role, "stranger", mint("repo:evil/shop:environment:production")); !isA[*Denied](err) {
		t.Errorf("a stranger's token: %v", err)
	}
	s, err := c.AssumeWithToken(t.Context(), role, "run-1", mint("repo:acme/shop:environment:production"))
	if err != nil {
		t.Fatal(err)
	}
	repository := "arn:aws:ecr:eu-west-1:" + motoAccount + ":repository/"
	// The policy names this odd repository, and the boundary allows it.
	for name, allowed := range map[string]bool{"shop": false, "shop+%41": true} {
		req, ok := wire.BuildCall(wire.Call{Action: "ecr:PutImage", Resource: repository + name}, "eu-west-1")
		if !ok {
			t.Fatal("ecr:PutImage is not in the table")
		}
		reply, err := c.Call(t.Context(), s, req)
		if allowed != (err == nil) || allowed != (reply.Status == http.StatusOK) {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
		if d, ok := errors.AsType[*Denied](err); ok && (d.Action != "ecr:PutImage" || d.Resource != repository+name || d.Principal != s.ARN) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestSignaturesOnSandbox signs paths that S3 and the signer escape
// differently: a wrong signature would be refused as such, before any policy
// is asked.
func TestSignaturesOnSandbox(t *testing.T) {
	server, c := startSandbox(t, sandbox.Options{})
	id, secret := server.Credentials()
	for _, resource := range []string{"arn:aws:s3:::acme-state/a b+c/d=e", "arn:aws:s3:::acme-state/plain"} {
		req, ok := wire.BuildCall(wire.Call{Action: "s3:GetObject", Resource: resource}, "eu-west-1")
		if !ok {
			t.Fatal("s3:GetObject is not in the table")
		}
		reply, err := c.Call(t.Context(), StaticSession(StaticCredentials{ID: id, Secret: secret}), req)
		if reply.Code == "SignatureDoesNotMatch" || reply.Status == 0 || err != nil && !isA[*Denied](err) {
			t.Errorf("%s: %+v, %v", resource, reply, err)
		}
	}
}

func TestAssumeRoleOnSandbox(t *testing.T) {
	server, c := startSandbox(t, sandbox.Options{})
	id, secret := server.Credentials()
	me := StaticSession(StaticCredentials{ID: id, Secret: secret})
	s, err := c.AssumeRole(t.Context(), me, "arn:aws:iam::"+motoAccount+":role/ops/postern-admin", "someone", "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, s.ARN, "arn:aws:sts::"+motoAccount+":assumed-role/postern-admin/someone")
	if _, err := c.AssumeRole(t.Context(), me, "arn:aws:iam::"+motoAccount+":role/none", "someone", ""); !isA[*Denied](err) {
		t.Errorf("a role that is absent: %v", err)
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
