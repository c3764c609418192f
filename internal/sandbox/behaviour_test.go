package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/sandbox"
)

func TestPropagation(t *testing.T) {
	c := &clock{now: time.Now()}
	opt := twoAccounts()
	opt.Clock, opt.PropagationDelay = c.read, 10*time.Second
	s, ctx := start(t, opt), context.Background()
	op := iamOf(s, operator(s))
	must[*iam.CreateUserOutput](t)(op.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}))
	if err := getUser(ctx, op, "alice"); err != nil {
		t.Errorf("the API does not show it at once: %v", err)
	}
	role := &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil))}
	_, err := op.CreateRole(ctx, role)
	wantRefusal(t, err, 400, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+alice+`"`)
	key := must[*iam.CreateAccessKeyOutput](t)(op.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})).AccessKey
	k := keys{id: *key.AccessKeyId, secret: *key.SecretAccessKey}
	_, err = stsOf(s, k).GetCallerIdentity(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId")

	c.now = c.now.Add(10 * time.Second)
	must[*iam.CreateRoleOutput](t)(op.CreateRole(ctx, role))
	if _, err = stsOf(s, k).GetCallerIdentity(ctx, nil); err != nil {
		t.Error(err)
	}
	arn := aws.String("arn:aws:iam::111111111111:role/r")
	become := &sts.AssumeRoleInput{RoleArn: arn, RoleSessionName: aws.String("test")}
	_, err = stsOf(s, k).AssumeRole(ctx, become)
	wantCode(t, err, "AccessDenied")
	must[*iam.PutUserPolicyOutput](t)(op.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p"), PolicyDocument: policy(t, allow("iam:*", "*"))}))
	wantCode(t, getUser(ctx, iamOf(s, k), "alice"), "AccessDenied")

	c.now = c.now.Add(10 * time.Second)
	if _, err = stsOf(s, k).AssumeRole(ctx, become); err != nil {
		t.Error(err)
	}
	if err := getUser(ctx, iamOf(s, k), "alice"); err != nil {
		t.Error(err)
	}
	must[*iam.DeleteUserPolicyOutput](t)(op.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p")}))
	if err := getUser(ctx, iamOf(s, k), "alice"); err != nil {
		t.Errorf("a withdrawal arrives at once: %v", err)
	}
	c.now = c.now.Add(10 * time.Second)
	wantCode(t, getUser(ctx, iamOf(s, k), "alice"), "AccessDenied")
}

// TestReadDelay: what reads lags behind, what judges and what changes do not.
func TestReadDelay(t *testing.T) {
	c := &clock{now: time.Now()}
	opt := twoAccounts()
	opt.Clock, opt.ReadDelay = c.read, 10*time.Second
	s, ctx := start(t, opt), context.Background()
	op := iamOf(s, operator(s))
	k := newUser(t, s, "alice", allow("iam:*", "*"))
	wantCode(t, getUser(ctx, op, "alice"), "NoSuchEntity")
	users := func() (names []string) {
		for _, u := range must[*iam.GetAccountAuthorizationDetailsOutput](t)(op.GetAccountAuthorizationDetails(ctx, nil)).UserDetailList {
			names = append(names, fmt.Sprint(*u.UserName, " ", len(u.UserPolicyList)))
		}
		return names
	}
	before := []string{"postern-operator 1"}
	if diff := cmp.Diff(before, users()); diff != "" {
		t.Errorf("the account at first: %s", diff)
	}
	wantCode(t, getUser(ctx, iamOf(s, k), "alice"), "NoSuchEntity") // her policy allows it already
	_, err := op.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	wantCode(t, err, "EntityAlreadyExists")

	c.now = c.now.Add(10 * time.Second)
	if diff := cmp.Diff([]string{"alice 1", "postern-operator 1"}, users()); diff != "" {
		t.Errorf("the account after the delay: %s", diff)
	}
	must[*iam.DeleteUserPolicyOutput](t)(op.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("test")}))
	wantCode(t, getUser(ctx, iamOf(s, k), "alice"), "AccessDenied")
	if diff := cmp.Diff([]string{"alice 1", "postern-operator 1"}, users()); diff != "" {
		t.Errorf("a withdrawal shows at once: %s", diff)
	}
	c.now = c.now.Add(10 * time.Second)
	if diff := cmp.Diff([]string{"alice 0", "postern-operator 1"}, users()); diff != "" {
		t.Errorf("a withdrawal does not show: %s", diff)
	}
}

func TestThrottle(t *testing.T) {
	c := &clock{now: time.Now()}
	opt := twoAccounts()
	opt.Clock, opt.Throttle = c.read, 2
	s, ctx := start(t, opt), context.Background()
	call := func() error { _, err := iamOf(s, operator(s)).ListUsers(ctx, nil); return err }
	for range 2 {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, call(), 400, "Throttling", "Rate exceeded")
	c.now = c.now.Add(time.Second)
	if err := call(); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault sandbox.Fault
		want  refusal // zero: the connection breaks
		made  bool
	}{
		{name: "an error", fault: sandbox.Fault{Status: 503, Code: "ServiceUnavailable", Message: "later"}, want: refusal{503, "ServiceUnavailable", "later"}},
		{name: "defaults", fault: sandbox.Fault{}, want: refusal{500, "ServiceFailure", ""}},
		{name: "dropped before", fault: sandbox.Fault{DropBefore: true}},
		{name: "dropped after", fault: sandbox.Fault{DropAfter: true}, made: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var events []sandbox.Event
			opt := twoAccounts()
			opt.RequestHook = func(e sandbox.Event) { events = append(events, e) }
			opt.Faults = func(account, action string, n int) *sandbox.Fault {
				if account == home && action == "iam:CreateUser" && n == 2 {
					return &test.fault
				}
				return nil
			}
			s, ctx := start(t, opt), context.Background()
			c := iamOf(s, operator(s))
			create := func(name string) error {
				_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
				return err
			}
			if err := create("first"); err != nil {
				t.Fatal(err)
			}
			err := create("second")
			if _, answered := errors.AsType[smithy.APIError](err); err == nil || answered == (test.want == refusal{}) {
				t.Fatalf("got %v", err)
			}
			if (test.want != refusal{}) {
				wantRefusal(t, err, test.want.Status, test.want.Code, test.want.Message)
			}
			if err := getUser(ctx, c, "second"); (err == nil) != test.made {
				t.Errorf("the user was made: %t, want %t", err == nil, test.made)
			}
			operator := "arn:aws:iam::111111111111:user/postern-operator"
			want := []sandbox.Event{
				{Account: home, Principal: operator, Action: "iam:CreateUser", Status: 200},
				{Account: home, Principal: operator, Action: "iam:CreateUser", Status: test.want.Status, Code: test.want.Code},
			}
			if diff := cmp.Diff(want, events[:2]); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLatency(t *testing.T) {
	opt := twoAccounts()
	opt.Latency = 30 * time.Millisecond
	s := start(t, opt)
	began := time.Now()
	must[*sts.GetCallerIdentityOutput](t)(stsOf(s, operator(s)).GetCallerIdentity(context.Background(), nil))
	if took := time.Since(began); took < opt.Latency {
		t.Errorf("took %s", took)
	}
}

// TestDataFile: a restart changes nothing that a client can see.
func TestDataFile(t *testing.T) {
	ctx := context.Background()
	opt := twoAccounts()
	opt.DataFile = filepath.Join(t.TempDir(), "state.json")
	first, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	withProvider(t, first, exactly("sub", subject))
	token := must[string](t)(first.Mint(map[string]any{"aud": audience, "sub": subject}))
	k, session := newUser(t, first, "alice", allow("iam:GetUser", "*")), admin(t, first)
	before := details(t, iamOf(first, session)) + details(t, iamOf(first, operator(first)))
	op := operator(first)
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(opt.DataFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("data file: %v, %v", info, err)
	}

	s := start(t, opt)
	if got := operator(s); got != op {
		t.Errorf("the operator's key changed from %s to %s", op.id, got.id)
	}
	if after := details(t, iamOf(s, session)) + details(t, iamOf(s, op)); after != before {
		t.Errorf("after a restart (-want +got):\n%s", cmp.Diff(before, after))
	}
	if err := getUser(ctx, iamOf(s, k), "alice"); err != nil {
		t.Errorf("alice's key: %v", err)
	}
	if _, err := present(s, token); err != nil {
		t.Errorf("a token of before the restart: %v", err)
	}
}

// details is the whole of an account, without the times of last use.
func details(t *testing.T, c *iam.Client) string {
	t.Helper()
	out := must[*iam.GetAccountAuthorizationDetailsOutput](t)(c.GetAccountAuthorizationDetails(context.Background(), nil))
	for i := range out.RoleDetailList {
		out.RoleDetailList[i].RoleLastUsed = nil
	}
	text, err := json.MarshalIndent([]any{out.UserDetailList, out.GroupDetailList, out.RoleDetailList, out.Policies}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestChangesAreSavedWithoutClose: a killed sandbox loses a moment, not its day.
func TestChangesAreSavedWithoutClose(t *testing.T) {
	opt := twoAccounts()
	opt.DataFile = filepath.Join(t.TempDir(), "state.json")
	s := start(t, opt)
	newUser(t, s, "alice")
	deadline := time.Now().Add(10 * time.Second)
	for {
		data, err := os.ReadFile(opt.DataFile)
		if err == nil && json.Valid(data) && contains(data, `"alice"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not saved: %v, %d bytes", err, len(data))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestBadDataFile(t *testing.T) {
	for _, content := range []string{"{", `{"Format":99}`, `{"Format":1,"Accounts":{"111111111111":null}}`, `{"Format":1,"Accounts":{"111111111111":{"ID":"111111111111","Users":{"a":null}}}}`} {
		opt := twoAccounts()
		opt.DataFile = filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(opt.DataFile, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.New(opt); err == nil {
			t.Errorf("accepted %s", content)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, test := range []struct {
		name string
		opt  sandbox.Options
	}{
		{"no account", sandbox.Options{}},
		{"not an account id", sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: "42"}}}},
		{"home account missing", sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: home}}, HomeAccount: prod}},
		{"bad admin role", sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: home, AdminRole: "a b"}}}},
	} {
		if _, err := sandbox.New(test.opt); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

func TestEnsureAccount(t *testing.T) {
	s := start(t, twoAccounts())
	for range 2 { // again is no change
		if err := s.EnsureAccount(sandbox.AccountConfig{ID: "333333333333", AdminRole: "arn:aws:iam::333333333333:role/teams/ops"}); err != nil {
			t.Fatal(err)
		}
	}
	assume(t, s, operator(s), "arn:aws:iam::333333333333:role/teams/ops")
	if err := s.EnsureAccount(sandbox.AccountConfig{ID: prod, Partition: "aws-cn"}); err == nil {
		t.Error("an account moved to another partition")
	}
}

func TestPartition(t *testing.T) {
	s := start(t, sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: home, Partition: "aws-cn", AdminRole: "ops"}}})
	k := assume(t, s, operator(s), "arn:aws-cn:iam::111111111111:role/ops")
	who := must[*sts.GetCallerIdentityOutput](t)(stsOf(s, k).GetCallerIdentity(context.Background(), nil))
	if want := "arn:aws-cn:sts::111111111111:assumed-role/ops/test"; *who.Arn != want {
		t.Errorf("caller %s, want %s", *who.Arn, want)
	}
	if _, err := iamOf(s, k).ListUsers(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

func TestQuotaOverride(t *testing.T) {
	opt := twoAccounts()
	opt.Quotas = estate.Quotas{Users: 2}
	s := start(t, opt)
	newUser(t, s, "alice")
	_, err := iamOf(s, operator(s)).CreateUser(context.Background(), &iam.CreateUserInput{UserName: aws.String("bob")})
	wantRefusal(t, err, 409, "LimitExceeded", "Cannot exceed quota for UsersPerAccount: 2")
}

// TestConcurrentCallers: many at once, on one user's two key slots and on
// users of their own.
func TestConcurrentCallers(t *testing.T) {
	opt := twoAccounts()
	opt.DataFile = filepath.Join(t.TempDir(), "state.json")
	s, ctx := start(t, opt), context.Background()
	c := iamOf(s, operator(s))
	must[*iam.CreateUserOutput](t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("shared")}))
	var mu sync.Mutex
	made := 0
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name := fmt.Sprintf("user-%d", i)
			if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
				t.Error(err)
			}
			_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("shared")})
			if err == nil {
				mu.Lock()
				made++
				mu.Unlock()
			}
			if _, err := s.Mint(map[string]any{"sub": name}); err != nil {
				t.Error(err)
			}
			if err := getUser(ctx, c, name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 2 {
		t.Errorf("%d keys made, want 2", made)
	}
}
