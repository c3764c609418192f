package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

// asFault returns the first fault in err.
func asFault(t *testing.T, err error) fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("not a fault: %v", err)
	}
	return *f
}

const assumedXML = `<Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>tok</SessionToken>` +
	`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROAX:s</AssumedRoleId>` +
	`<Arn>arn:aws:sts::333333333333:assumed-role/admin/postern-alice</Arn></AssumedRoleUser>`

func TestConnectAssumesAdminRoles(t *testing.T) {
	s := startStub(t, map[string]answer{"AssumeRole": says("AssumeRole", assumedXML)})
	c, err := Connect(t.Context(), s.options(
		Account{ID: prod, Name: "prod"},
		Account{ID: "333333333333", Name: "dev", AdminRole: "ops/admin"},
	))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, c.Caller(), Caller{Account: prod, ARN: caller})
	equal(t, len(s.named("GetCallerIdentity")), 1)
	got := s.named("AssumeRole")
	equal(t, len(got), 1)
	equal(t, got[0].Get("RoleArn"), "arn:aws:iam::333333333333:role/ops/admin")
	equal(t, got[0].Get("RoleSessionName"), "postern-alice")
}

func TestConnectDoesNotAssumeWhatItIs(t *testing.T) {
	me := "arn:aws:sts::222222222222:assumed-role/postern-admin/alice"
	s := startStub(t, map[string]answer{
		"GetCallerIdentity": says("GetCallerIdentity", "<Arn>"+me+"</Arn><UserId>U</UserId><Account>"+prod+"</Account>"),
		"AssumeRole":        says("AssumeRole", assumedXML),
	})
	if _, err := Connect(t.Context(), s.options(Account{ID: prod, Name: "prod", AdminRole: "ops/postern-admin"})); err != nil {
		t.Fatal(err)
	}
	equal(t, len(s.named("AssumeRole")), 0)
	// Another role of the same account, and the same name in another account.
	if _, err := Connect(t.Context(), s.options(
		Account{ID: prod, Name: "prod", AdminRole: "admin"}, Account{ID: "333333333333", Name: "dev", AdminRole: "postern-admin"},
	)); err != nil {
		t.Fatal(err)
	}
	equal(t, len(s.named("AssumeRole")), 2)
}

func TestConnectRefuses(t *testing.T) {
	denied := fails(http.StatusForbidden, "AccessDenied",
		"User: "+caller+" is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::333333333333:role/admin")
	tests := []struct {
		name      string
		answers   map[string]answer
		partition string
		account   Account
		want      fault.Error // without Cause
		cause     string
	}{
		{
			name:    "an account that is not the credentials'",
			account: Account{ID: "333333333333", Name: "dev"},
			want: fault.Error{
				Code: fault.Auth, What: "credentials are of account 222222222222, the stack's account dev is 333333333333",
				Hint: "give account dev an admin_role that " + caller + " may assume, or set AWS_PROFILE to credentials of 333333333333",
			},
		},
		{
			name:    "an admin role that does not trust the caller",
			answers: map[string]answer{"AssumeRole": denied},
			account: Account{ID: "333333333333", Name: "dev", AdminRole: "admin"},
			want: fault.Error{
				Code: fault.Auth, Where: "arn:aws:iam::333333333333:role/admin", What: "cannot assume the admin role of account dev",
				Hint: "the role must exist and its trust policy name " + caller + `; and the caller needs: ` +
					`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::333333333333:role/admin"}`,
			},
			cause: caller + " may not sts:AssumeRole on arn:aws:iam::333333333333:role/admin",
		},
		{
			name: "expired credentials",
			answers: map[string]answer{"GetCallerIdentity": fails(http.StatusForbidden, "ExpiredToken",
				"The security token included in the request is expired")},
			want: fault.Error{Code: fault.Auth, What: "AWS does not accept the credentials: ExpiredToken", Hint: hintExpired},
		},
		{
			name: "an unknown key",
			answers: map[string]answer{"GetCallerIdentity": fails(http.StatusForbidden, "InvalidClientTokenId",
				"The security token included in the request is invalid.")},
			want: fault.Error{Code: fault.Auth, What: "AWS does not accept the credentials: InvalidClientTokenId", Hint: hintUnknown},
		},
		{
			name: "a wrong secret",
			answers: map[string]answer{"GetCallerIdentity": fails(http.StatusForbidden, "SignatureDoesNotMatch",
				"The request signature we calculated does not match")},
			want: fault.Error{Code: fault.Auth, What: "AWS does not accept the credentials: SignatureDoesNotMatch", Hint: hintSecret},
		},
		{
			name:      "another partition",
			partition: "aws-us-gov",
			want: fault.Error{
				Code: fault.Auth, What: "credentials are of partition aws, the stack's region is in aws-us-gov",
				Hint: "set AWS_PROFILE to credentials of aws-us-gov, or correct the stack's region",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, tt.answers)
			o := s.options(tt.account)
			o.Partition = tt.partition
			_, err := Connect(t.Context(), o)
			got := asFault(t, err)
			if got.Cause != nil {
				equal(t, got.Cause.Error(), tt.cause)
			}
			got.Cause = nil
			equal(t, got, tt.want)
			if strings.Contains(fmt.Sprintf("%v %#v", err, o), "wJalrXUt") {
				t.Error("the secret shows")
			}
		})
	}
}

func TestConnectReportsEveryAccount(t *testing.T) {
	s := startStub(t, nil)
	_, err := Connect(t.Context(), s.options(Account{ID: "333333333333", Name: "dev"}, Account{ID: prod, Name: "prod"}, Account{ID: "444444444444", Name: "test"}))
	list, ok := errors.AsType[fault.List](err)
	if !ok || len(list) != 2 {
		t.Fatalf("want the two accounts that are not reached, got %v", err)
	}
	equal(t, fault.ExitCode(err), fault.Auth)
}

func TestConnectWithoutNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, err = Connect(t.Context(), Options{Endpoint: "http://" + addr, Credentials: &StaticCredentials{ID: "A", Secret: "s"}})
	got := asFault(t, err)
	equal(t, got.What, "cannot reach AWS at "+addr)
	equal(t, got.Cause.Error(), "connection refused")
	equal(t, fault.ExitCode(err), fault.General)
	if got.Hint == "" {
		t.Error("no hint")
	}
}

func TestConnectInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := startStub(t, map[string]answer{"GetCallerIdentity": func(int, url.Values) (int, string) {
		cancel()
		time.Sleep(50 * time.Millisecond)
		return fail(http.StatusInternalServerError, "InternalFailure", "")
	}})
	_, err := Connect(ctx, s.options())
	equal(t, fault.ExitCode(err), fault.Interrupted)
}

// noCredentials clears everything that the SDK's chain looks at.
func noCredentials(t *testing.T) {
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value) // for the clean-up
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
}

func TestConnectWithoutCredentials(t *testing.T) {
	noCredentials(t)
	// A metadata address that takes the connection and never answers, as in a
	// container behind one hop too many.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+l.Addr().String())
	began := time.Now()
	_, err = Connect(t.Context(), Options{})
	got := asFault(t, err)
	equal(t, got.What, "no AWS credentials")
	equal(t, got.Code, fault.Auth)
	for _, way := range []string{"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "role", "--sandbox"} {
		if !strings.Contains(got.Hint, way) {
			t.Errorf("the hint lacks %s: %s", way, got.Hint)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("waited %s for the metadata service", took)
	}
}

func TestConnectWithUnknownProfile(t *testing.T) {
	noCredentials(t)
	_, err := Connect(t.Context(), Options{Profile: "nowhere"})
	got := asFault(t, err)
	equal(t, got.Code, fault.Auth)
	if !strings.Contains(err.Error(), "nowhere") || !strings.Contains(got.Hint, "list-profiles") {
		t.Errorf("%v; hint %s", err, got.Hint)
	}
}

func TestConnectFromEnvironment(t *testing.T) {
	noCredentials(t)
	s := startStub(t, nil)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUt")
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	c, err := Connect(t.Context(), Options{Accounts: []Account{{ID: prod, Name: "prod"}}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, c.Caller().ARN, caller)
	equal(t, *c.cfg.BaseEndpoint, s.URL) // Call sends nothing without one
}

func TestExplainCredentials(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want fault.Error // without Cause
	}{
		{
			name: "the sign-in has ended", err: errors.New("failed to refresh cached SSO token"),
			want: fault.Error{Code: fault.Auth, What: "load AWS credentials", Hint: "the sign-in may have ended: aws sso login"},
		},
		{
			name: "a broken file", err: errors.New("invalid line"),
			want: fault.Error{Code: fault.Auth, What: "load AWS credentials", Hint: "check with: aws sts get-caller-identity"},
		},
		{
			name: "interrupted", err: fmt.Errorf("sso: %w", context.Canceled),
			want: fault.Error{Code: fault.Interrupted, What: "finding AWS credentials was interrupted"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := asFault(t, explainCredentials(tt.err))
			got.Cause = nil
			equal(t, got, tt.want)
		})
	}
}

func TestAdminRoleARN(t *testing.T) {
	tests := []struct{ name, partition, role, want string }{
		{"name", "aws", "admin", "arn:aws:iam::222222222222:role/admin"},
		{"path and name", "aws-us-gov", "/ops/admin", "arn:aws-us-gov:iam::222222222222:role/ops/admin"},
		{"ARN", "aws", "arn:aws:iam::222222222222:role/x", "arn:aws:iam::222222222222:role/x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			equal(t, adminRoleARN(tt.partition, Account{ID: prod, AdminRole: tt.role}), tt.want)
		})
	}
}

func TestSessionName(t *testing.T) {
	tests := []struct{ name, arn, want string }{
		{"user", "arn:aws:iam::222222222222:user/ops/alice", "postern-alice"},
		{"session", "arn:aws:sts::222222222222:assumed-role/dev/alice@example.org", "postern-alice@example.org"},
		{"root", "arn:aws:iam::222222222222:root", "postern-root"},
		{"long", "arn:aws:sts::222222222222:assumed-role/dev/" + strings.Repeat("x", 64), "postern-" + strings.Repeat("x", 56)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { equal(t, sessionName(tt.arn), tt.want) })
	}
}
