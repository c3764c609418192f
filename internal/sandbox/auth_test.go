package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/sandbox"
)

const identityCall = "Action=GetCallerIdentity&Version=2011-06-15"

// signed is a request for GetCallerIdentity, signed by the SDK's own signer.
func signed(t *testing.T, s *sandbox.Server, k keys, service string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL()+"/", strings.NewReader(identityCall))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	digest := sha256.Sum256([]byte(identityCall))
	err = v4.NewSigner().SignHTTP(r.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token}, r,
		hex.EncodeToString(digest[:]), service, "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send returns the answer's refusal; its zero value but for the status if it is none.
func send(t *testing.T, r *http.Request) refusal {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Error struct{ Code, Message string }
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return refusal{resp.StatusCode, answer.Error.Code, answer.Error.Message}
}

func TestSignature(t *testing.T) {
	now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	opt := twoAccounts()
	opt.Clock = func() time.Time { return now }
	s := start(t, opt)
	good := operator(s)
	noMatch := "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	for _, test := range []struct {
		name   string
		keys   keys
		at     time.Time
		change func(*http.Request)
		want   refusal
	}{
		{name: "good", keys: good, at: now, want: refusal{Status: 200}},
		{name: "almost too early", keys: good, at: now.Add(-5 * time.Minute), want: refusal{Status: 200}},
		{
			name: "too early", keys: good, at: now.Add(-5*time.Minute - time.Second),
			want: refusal{403, "SignatureDoesNotMatch", "Signature expired: 20260601T115459Z is now earlier than 20260601T115500Z (20260601T120000Z - 5 min.)"},
		},
		{
			name: "too late", keys: good, at: now.Add(6 * time.Minute),
			want: refusal{403, "SignatureDoesNotMatch", "Signature not yet current: 20260601T120600Z is still later than 20260601T120500Z (20260601T120000Z + 5 min.)"},
		},
		{
			name: "body changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) {
				r.Body = io.NopCloser(bytes.NewReader([]byte(strings.Replace(identityCall, "Get", "get", 1))))
			},
		},
		{
			name: "path changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) { r.URL.Path = "/x" },
		},
		{
			name: "query changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) { r.URL.RawQuery = "a=b" },
		},
		{
			name: "signed header changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		},
		{
			name: "host changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) { r.Host = "sts.amazonaws.com" },
		},
		{
			name: "host not signed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";host;", ";", 1))
			},
		},
		{
			name: "scope changed", keys: good, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch},
			change: func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "us-east-1", "eu-west-1", 1))
			},
		},
		{name: "wrong secret", keys: keys{id: good.id, secret: "x"}, at: now, want: refusal{403, "SignatureDoesNotMatch", noMatch}},
		{
			name: "unknown key", keys: keys{id: "AKIA0000000000000000", secret: "x"}, at: now,
			want: refusal{403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		},
		{
			name: "token with a long-term key", keys: keys{good.id, good.secret, "x"}, at: now,
			want: refusal{403, "InvalidClientTokenId", "The security token included in the request is invalid."},
		},
		{
			name: "no signature", keys: good, at: now, want: refusal{403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
			change: func(r *http.Request) { r.Header.Del("Authorization") },
		},
		{
			name: "half a signature", keys: good, at: now,
			want: refusal{400, "IncompleteSignature", "Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256"},
			change: func(r *http.Request) {
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00")
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := signed(t, s, test.keys, "sts", test.at)
			if test.change != nil {
				test.change(r)
			}
			if got := send(t, r); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestPresigned(t *testing.T) {
	s := start(t, twoAccounts())
	k := operator(s)
	url := must[*v4.PresignedHTTPRequest](t)(sts.NewPresignClient(stsOf(s, k)).PresignGetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})).URL
	if got := get(t, url, "").StatusCode; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := get(t, strings.Replace(url, "us-east-1", "us-east-2", 1), "").StatusCode; got != http.StatusForbidden {
		t.Errorf("status %d of a changed URL", got)
	}
}

func TestSessionEnds(t *testing.T) {
	c := &clock{now: time.Now()}
	opt := twoAccounts()
	opt.Clock = c.read
	s := start(t, opt)
	k := admin(t, s)
	if got := send(t, signed(t, s, k, "sts", c.now)); got.Status != http.StatusOK {
		t.Errorf("before the end: %+v", got)
	}
	c.now = c.now.Add(time.Hour)
	want := refusal{403, "ExpiredToken", "The security token included in the request is expired"}
	if got := send(t, signed(t, s, k, "sts", c.now)); got != want {
		t.Errorf("after the end: got %+v, want %+v", got, want)
	}
	k.token = "other"
	want = refusal{403, "InvalidClientTokenId", "The security token included in the request is invalid."}
	if got := send(t, signed(t, s, k, "sts", c.now)); got != want {
		t.Errorf("with another token: got %+v, want %+v", got, want)
	}
}

func TestInactiveKey(t *testing.T) {
	s := start(t, twoAccounts())
	k := newUser(t, s, "alice")
	ctx := context.Background()
	if _, err := stsOf(s, k).GetCallerIdentity(ctx, nil); err != nil {
		t.Fatal(err)
	}
	op := iamOf(s, operator(s))
	must[*iam.UpdateAccessKeyOutput](t)(op.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &k.id, Status: "Inactive"}))
	_, err := stsOf(s, k).GetCallerIdentity(ctx, nil)
	wantRefusal(t, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func TestUnknownOperation(t *testing.T) {
	s := start(t, twoAccounts())
	got := send(t, signed(t, s, operator(s), "iam", time.Now()))
	want := refusal{400, "InvalidAction", "Could not find operation GetCallerIdentity for version 2011-06-15"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := send(t, signed(t, s, operator(s), "sqs", time.Now())); got.Code != "UnknownOperationException" {
		t.Errorf("got %+v", got)
	}
}

func TestLoopbackOnly(t *testing.T) {
	s, err := sandbox.New(twoAccounts())
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "nonsense"} {
		if err := s.Listen(addr); err == nil {
			t.Errorf("Listen(%q) succeeded", addr)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
