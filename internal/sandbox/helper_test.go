package sandbox_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/postern-dev/postern/internal/sandbox"
)

const (
	home = "111111111111"
	prod = "222222222222"
)

// twoAccounts is the home account, and one to manage through its admin role.
func twoAccounts() sandbox.Options {
	return sandbox.Options{Accounts: []sandbox.AccountConfig{{ID: home}, {ID: prod, AdminRole: "postern-admin"}}}
}

// start serves a sandbox until the test ends.
func start(t *testing.T, opt sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// keys is one set of credentials.
type keys struct{ id, secret, token string }

func operator(s *sandbox.Server) keys {
	id, secret := s.Credentials()
	return keys{id: id, secret: secret}
}

// settings are those of a client that does not retry.
func settings(s *sandbox.Server, k keys) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(k.id, k.secret, k.token),
	}
}

func iamOf(s *sandbox.Server, k keys) *iam.Client { return iam.NewFromConfig(settings(s, k)) }
func stsOf(s *sandbox.Server, k keys) *sts.Client { return sts.NewFromConfig(settings(s, k)) }

// must returns the value of a call that has to succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refusal is what AWS answered.
type refusal struct {
	Status  int
	Code    string
	Message string
}

func refusalOf(t *testing.T, err error) refusal {
	t.Helper()
	if err == nil {
		return refusal{}
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("not an answer of AWS: %v", err)
	}
	r := refusal{Code: api.ErrorCode(), Message: api.ErrorMessage()}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		r.Status = response.HTTPStatusCode()
	}
	return r
}

// wantRefusal checks a whole refusal.
func wantRefusal(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	if got, want := refusalOf(t, err), (refusal{status, code, message}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := refusalOf(t, err); got.Code != code {
		t.Errorf("got %+v, want %s", got, code)
	}
}

// policy writes a document of the given statements.
func policy(t *testing.T, statements ...map[string]any) *string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return aws.String(string(text))
}

func allow(action, resource string) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": action, "Resource": resource}
}

func deny(action, resource string) map[string]any {
	return map[string]any{"Effect": "Deny", "Action": action, "Resource": resource}
}

func trust(principal map[string]any, action string, condition map[string]any) map[string]any {
	st := map[string]any{"Effect": "Allow", "Principal": principal, "Action": action}
	if condition != nil {
		st["Condition"] = condition
	}
	return st
}

// newUser makes a user of the home account with an inline policy and a key.
func newUser(t *testing.T, s *sandbox.Server, name string, statements ...map[string]any) keys {
	t.Helper()
	admin, ctx := iamOf(s, operator(s)), context.Background()
	must[*iam.CreateUserOutput](t)(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))
	if len(statements) > 0 {
		must[*iam.PutUserPolicyOutput](t)(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: &name, PolicyName: aws.String("test"), PolicyDocument: policy(t, statements...),
		}))
	}
	key := must[*iam.CreateAccessKeyOutput](t)(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}))
	return keys{id: *key.AccessKey.AccessKeyId, secret: *key.AccessKey.SecretAccessKey}
}

// newRole makes a role and returns its ARN.
func newRole(t *testing.T, admin *iam.Client, name string, trusting *string, statements ...map[string]any) string {
	t.Helper()
	ctx := context.Background()
	r := must[*iam.CreateRoleOutput](t)(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trusting}))
	if len(statements) > 0 {
		must[*iam.PutRolePolicyOutput](t)(admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String("test"), PolicyDocument: policy(t, statements...),
		}))
	}
	return *r.Role.Arn
}

// assume opens a session of a role.
func assume(t *testing.T, s *sandbox.Server, as keys, arn string) keys {
	t.Helper()
	out := must[*sts.AssumeRoleOutput](t)(stsOf(s, as).AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("test")}))
	return keys{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken}
}

// admin is the admin role of the prod account.
func admin(t *testing.T, s *sandbox.Server) keys {
	t.Helper()
	return assume(t, s, operator(s), "arn:aws:iam::"+prod+":role/postern-admin")
}

// clock is a hand-moved time.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

// get fetches a page as a browser would.
func get(t *testing.T, url, bearer string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unescape(t *testing.T, document string) string {
	t.Helper()
	text, err := url.PathUnescape(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func contains(data []byte, text string) bool { return bytes.Contains(data, []byte(text)) }
