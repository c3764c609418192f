package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/internal/wire"
)

const identityCall = "Action=GetCallerIdentity&Version=2011-06-15"

// signed is a request for GetCallerIdentity, signed by the SDK's own signer.
func signed(t *testing.T, s *sandbox.Server, k keys, service string, at time.Time) *http.Request {
	t.Helper()
	return signRequest(t, s, k, at, wire.Request{
		Service: service, Method: http.MethodPost, Path: "/", Type: "application/x-www-form-urlencoded; charset=utf-8", Body: []byte(identityCall),
	})
}

func signRequest(t *testing.T, s *sandbox.Server, k keys, at time.Time, q wire.Request) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), q.Method, s.URL()+q.Path+"?"+q.Query, bytes.NewReader(q.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", q.Type)
	r.Header.Set("X-Amz-Target", q.Target)
	digest := sha256.Sum256(q.Body)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(digest[:]))
	service := q.Service
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).SignHTTP(r.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token}, r,
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

// TestSignedWebIdentity: some clients sign the call that needs no signature.
func TestSignedWebIdentity(t *testing.T) {
	s := start(t, twoAccounts())
	withProvider(t, s, exactly("sub", subject))
	token := must[string](t)(s.Mint(map[string]any{"aud": audience, "sub": subject}))
	form := url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {release}, "RoleSessionName": {"run-1"}, "WebIdentityToken": {token},
	}
	r := signRequest(t, s, operator(s), time.Now(), wire.Request{
		Service: "sts", Method: http.MethodPost, Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte(form.Encode()),
	})
	if got := send(t, r); got.Status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
}

func TestPresigned(t *testing.T) {
	s := start(t, twoAccounts())
	k := operator(s)
	link := must[*v4.PresignedHTTPRequest](t)(sts.NewPresignClient(stsOf(s, k)).PresignGetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})).URL
	if got := get(t, link, "").StatusCode; got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := get(t, strings.Replace(link, "us-east-1", "us-east-2", 1), "").StatusCode; got != http.StatusForbidden {
		t.Errorf("status %d of a changed URL", got)
	}
}

// TestUseOfAccess sends one allowed and one denied call in each protocol,
// written and read by the same table but signed by the SDK.
func TestUseOfAccess(t *testing.T) {
	s := start(t, twoAccounts())
	const region = "us-east-1"
	k := newUser(t, s, "alice",
		allow("ecr:DescribeImages", "arn:aws:ecr:us-east-1:111111111111:repository/shop"),
		allow("s3:GetObject", "arn:aws:s3:::acme/a b+c"),
		allow("ec2:DescribeInstances", "*"),
		allow("iam:GetGroup", "arn:aws:iam::111111111111:group/staff"),
	)
	for _, test := range []struct {
		action, resource string
		status           int
		code             string
	}{
		{"ecr:DescribeImages", "arn:aws:ecr:us-east-1:111111111111:repository/shop", 200, ""},
		{"ecr:DescribeImages", "arn:aws:ecr:us-east-1:111111111111:repository/shop2", 400, "AccessDeniedException"},
		{"s3:GetObject", "arn:aws:s3:::acme/a b+c", 200, ""},
		{"s3:GetObject", "arn:aws:s3:::acme/a b", 403, "<Code>AccessDenied</Code>"},
		{"ec2:DescribeInstances", "*", 200, ""},
		{"ec2:DescribeTags", "*", 403, "<Code>UnauthorizedOperation</Code>"},
		{"iam:GetGroup", "arn:aws:iam::111111111111:group/staff", 404, "<Code>NoSuchEntity</Code>"},
		{"iam:GetGroup", "arn:aws:iam::111111111111:group/others", 403, "<Code>AccessDenied</Code>"},
	} {
		q, ok := wire.BuildCall(wire.Call{Action: test.action, Resource: test.resource}, region)
		if !ok {
			t.Fatalf("%s on %s cannot be built", test.action, test.resource)
		}
		resp, err := http.DefaultClient.Do(signRequest(t, s, k, time.Now(), q))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != test.status || !strings.Contains(string(body), test.code) {
			t.Errorf("%s on %s: status %d, %s", test.action, test.resource, resp.StatusCode, body)
		}
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
