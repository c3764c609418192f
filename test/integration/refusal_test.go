package integration

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

// minimal is the smallest example: one role in homeAccount, which is managed
// with the caller's own credentials.
const minimal = "../../examples/minimal"

// multi is an example of two accounts in another partition.
const multi = "../../examples/multi"

// refusals are what can be wrong with whom and what the program calls. The
// codes are those of docs/exit-codes.md.
var refusals = []struct {
	name    string
	env     func(*testing.T, *bench) []string
	args    []string // apply --yes minimal, if there are none
	code    int
	says    []string // on stderr
	saysNot []string
}{
	{
		name: "no credentials", code: 4,
		env:  func(_ *testing.T, b *bench) []string { return []string{"AWS_ENDPOINT_URL=" + b.URL()} },
		says: []string{"error: no AWS credentials", "AWS_PROFILE", "postern up --sandbox"},
	},
	{
		name: "a key that is not there", code: 4,
		env:  func(_ *testing.T, b *bench) []string { return with(b.Env(), "AWS_ACCESS_KEY_ID=AKIAGONEGONEGONEGONE") },
		says: []string{"AWS does not accept the credentials: InvalidClientTokenId", "does not exist or is inactive"},
	},
	{
		name: "a wrong secret", code: 4,
		env:     func(_ *testing.T, b *bench) []string { return with(b.Env(), "AWS_SECRET_ACCESS_KEY=wrong+secret") },
		says:    []string{"AWS does not accept the credentials: SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"},
		saysNot: []string{"wrong+secret"},
	},
	{
		name: "a session that has ended", code: 4,
		env:  func(t *testing.T, b *bench) []string { return b.endedSession(t) },
		says: []string{"AWS does not accept the credentials: ExpiredToken", "the session has ended", "repeat the command"},
	},
	{
		name: "credentials of another account", code: 4,
		env: func(t *testing.T, _ *bench) []string {
			return shopSandbox(t, sandbox.Options{}).Env()
		},
		says: []string{
			"credentials are of account " + hub + ", the stack's account main is " + homeAccount,
			"give account main an admin_role that arn:aws:iam::" + hub + ":user/postern-operator may assume",
		},
	},
	{
		name: "credentials of another partition", code: 4, args: []string{"plan", multi},
		env:  func(_ *testing.T, b *bench) []string { return b.Env() },
		says: []string{"credentials are of partition aws, the stack's region is in aws-us-gov"},
	},
	{
		name: "an admin role that trusts others", code: 4, args: []string{"plan", shop},
		env: func(t *testing.T, _ *bench) []string {
			// The account stands, its admin role does not.
			return startSandbox(t, sandbox.Options{HomeAccount: hub, Accounts: []sandbox.AccountConfig{{ID: hub}, {ID: work}}}).Env()
		},
		says: []string{
			"arn:aws:iam::" + work + ":role/postern-admin: cannot assume the admin role of account prod",
			"its trust policy name arn:aws:iam::" + hub + ":user/postern-operator",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::` + work + `:role/postern-admin"}`,
		},
	},
	{
		name: "a missing permission to change", code: 4,
		env: func(t *testing.T, b *bench) []string {
			return b.user(t, "no-put", `{"Effect":"Allow","NotAction":"iam:PutRolePolicy","Resource":"*"}`)
		},
		says: []string{
			"arn:aws:iam::123456789012:role/postern/hello/hello-push: access denied",
			"arn:aws:iam::123456789012:user/no-put may not iam:PutRolePolicy",
			`grant it: {"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::123456789012:role/postern/hello/hello-push"}`,
			"2 calls made, 1 failed, 0 not tried",
		},
	},
	{
		name: "a permission that somebody denies", code: 4,
		env: func(t *testing.T, b *bench) []string {
			return b.user(t, "denied", `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:CreateRole","Resource":"*"}`)
		},
		says:    []string{"user/denied may not iam:CreateRole", "with an explicit deny in an identity-based policy", "a Deny wins over every Allow", "not tried: PutRolePolicy role hello-push"},
		saysNot: []string{"grant it:"},
	},
	{
		name: "a missing permission to read", code: 4, args: []string{"plan", minimal},
		env: func(t *testing.T, b *bench) []string {
			return b.user(t, "no-read", `{"Effect":"Allow","NotAction":"iam:GetAccountAuthorizationDetails","Resource":"*"}`)
		},
		says: []string{
			"account 123456789012: access denied", "user/no-read may not iam:GetAccountAuthorizationDetails on *",
			`grant it: {"Effect":"Allow","Action":"iam:GetAccountAuthorizationDetails","Resource":"*"}`,
		},
	},
	{
		name: "no network", code: 1,
		env:  func(t *testing.T, b *bench) []string { return with(b.Env(), "AWS_ENDPOINT_URL=http://"+closedPort(t)) },
		says: []string{"cannot reach AWS at 127.0.0.1:", "connection refused", "check the network"},
	},
	{
		name: "something that is not AWS", code: 1,
		env: func(t *testing.T, b *bench) []string {
			portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("<html><body>Please sign in to the hotel's network</body></html>"))
			}))
			t.Cleanup(portal.Close)
			return with(b.Env(), "AWS_ENDPOINT_URL="+portal.URL)
		},
		says: []string{"sts:GetCallerIdentity: the answer is not one of AWS", "HTTPS_PROXY and AWS_ENDPOINT_URL"},
	},
}

// bench is a sandbox for the refusals.
type bench struct {
	*sandbox.Server
	late *atomic.Int64 // how far its clock is behind, in ns
}

func TestRefusals(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			late := &atomic.Int64{}
			b := &bench{late: late, Server: startSandbox(t, sandbox.Options{
				Clock: func() time.Time { return time.Now().Add(-time.Duration(late.Load())) },
			})}
			args := tt.args
			if args == nil {
				args = []string{"apply", "--yes", minimal}
			}
			r := run(t, "", alone(t.TempDir(), tt.env(t, b)), args...)
			if r.code != tt.code {
				t.Errorf("exit code %d, want %d", r.code, tt.code)
			}
			says(t, r.err, tt.says...)
			saysNot(t, r.err+r.out, append(tt.saysNot, "panic", "goroutine")...)
		})
	}
}

// with replaces one variable of an environment.
func with(env []string, line string) []string { return append(slices.Clone(env), line) }

// endedSession is a session that began two hours ago and is over.
func (b *bench) endedSession(t *testing.T) []string {
	b.late.Store(int64(2 * time.Hour))
	s, err := b.AssumeAsUser("arn:aws:iam::" + homeAccount + ":user/postern-operator")
	if err != nil {
		t.Fatal(err)
	}
	b.late.Store(0)
	return append(b.Env(), "AWS_ACCESS_KEY_ID="+s.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+s.SecretAccessKey, "AWS_SESSION_TOKEN="+s.SessionToken)
}

// user makes a user with the statements and returns the environment of its key.
func (b *bench) user(t *testing.T, name, statements string) []string {
	t.Helper()
	var key struct {
		AccessKey struct{ AccessKeyID, SecretAccessKey string }
	}
	for _, args := range [][]string{
		{"create-user", "--user-name", name},
		{"put-user-policy", "--user-name", name, "--policy-name", "p", "--policy-document", `{"Version":"2012-10-17","Statement":[` + statements + `]}`},
		{"create-access-key", "--user-name", name},
	} {
		out, err := witness.AWS(t, b.Env(), append([]string{"iam"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if out == "" {
			continue
		}
		if err := json.Unmarshal([]byte(out), &key); err != nil {
			t.Fatal(err)
		}
	}
	return append(b.Env(), "AWS_ACCESS_KEY_ID="+key.AccessKey.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.AccessKey.SecretAccessKey)
}

// closedPort is an address of the loopback interface that nobody listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}
