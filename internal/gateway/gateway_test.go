package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/gateway"
	"github.com/postern-dev/postern/internal/wire"
)

const policy = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["ecr:PutImage","ecs:RegisterTaskDefinition"],"Resource":"*"},
	{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::shop/*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},
	{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"},
	{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/secret"}]}`

var (
	now  = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	good = aws.Credentials{AccessKeyID: "ASIAGOOD", SecretAccessKey: "secret", SessionToken: "token"}
)

type keys map[string]gateway.Holder

func (k keys) Holder(_ context.Context, id string) (gateway.Holder, bool) {
	h, ok := k[id]
	return h, ok
}

// bench is a gateway with one key, and what stands behind it.
type bench struct {
	*gateway.Gateway
	records  []gateway.Record
	upstream *httptest.Server
	arrived  []string // "METHOD HOST PATH?QUERY BODY"
	heads    []http.Header
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{}
	b.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.arrived = append(b.arrived, r.Method+" "+r.Host+" "+r.URL.RequestURI()+" "+string(body))
		b.heads = append(b.heads, r.Header)
		w.Header().Set("X-Upstream", "yes")
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(b.upstream.Close)
	doc, err := iam.Parse([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	p, err := eval.Compile("p", eval.Identity, doc)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(b.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.Gateway, err = gateway.New(gateway.Options{
		Upstream: to, Clock: func() time.Time { return now }, MaxBody: 1 << 10,
		Record: func(r gateway.Record) { b.records = append(b.records, r) },
		Keys: keys{good.AccessKeyID: {
			Secret: good.SecretAccessKey, Token: good.SessionToken, Layers: eval.Layers{Identity: []*eval.Policy{p}},
			Principal: eval.Principal{
				Kind: eval.RoleSession, ARN: "arn:aws:sts::222222222222:assumed-role/deploy/job",
				RoleARN: "arn:aws:iam::222222222222:role/deploy", Account: "222222222222",
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call is a request before it is signed.
type call struct {
	service, method, path, target, body string
	header                              map[string]string
	region                              string // empty: eu-west-1
}

func (c call) request(t testing.TB, creds aws.Credentials, at time.Time) *http.Request {
	t.Helper()
	r := httptest.NewRequest(c.method, "http://127.0.0.1:4566"+c.path, strings.NewReader(c.body))
	r.RequestURI = ""
	for name, v := range c.header {
		r.Header.Set(name, v)
	}
	if c.target != "" {
		r.Header.Set("X-Amz-Target", c.target)
	}
	return c.sign(t, r, creds, at)
}

func (c call) sign(t testing.TB, r *http.Request, creds aws.Credentials, at time.Time) *http.Request {
	t.Helper()
	digest := sha256.Sum256([]byte(c.body))
	payload := hex.EncodeToString(digest[:])
	if v := c.header["X-Amz-Content-Sha256"]; v != "" {
		payload = v
	}
	region := c.region
	if region == "" {
		region = "eu-west-1"
	}
	err := v4.NewSigner().SignHTTP(t.Context(), creds, r, payload, c.service, region, at,
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.service == "s3" })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	putImage = call{service: "ecr", method: "POST", path: "/", target: "AmazonEC2ContainerRegistry_V20150921.PutImage", body: `{"repositoryName":"shop"}`}
	getShop  = call{service: "s3", method: "GET", path: "/shop/a%20b"}
	signed   = call{service: "s3", method: "PUT", path: "/shop/a", body: "data", header: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}}
)

func TestAnswers(t *testing.T) {
	const user = "User: arn:aws:sts::222222222222:assumed-role/deploy/job is not authorized to perform: "
	ecs := func(body string) call {
		return call{service: "ecs", method: "POST", path: "/", target: "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", body: body}
	}
	form := func(service, body string) call {
		return call{service: service, method: "POST", path: "/", body: body, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	}
	for _, test := range []struct {
		name    string
		call    call
		creds   aws.Credentials // zero: good
		at      time.Time       // zero: now
		change  func(*http.Request)
		outcome gateway.Outcome
		status  int
		want    string // in the body
	}{
		{name: "allowed", call: putImage, outcome: gateway.Passed, status: 202},
		{name: "allowed by a condition", call: getShop, outcome: gateway.Passed, status: 202},
		{name: "unsigned payload", call: signed, outcome: gateway.Passed, status: 202},
		{name: "who am I", call: form("sts", "Action=GetCallerIdentity&Version=2011-06-15"), outcome: gateway.Passed, status: 202},
		{
			name: "another region", call: call{service: "s3", method: "GET", path: "/shop/a", region: "us-east-1"}, outcome: gateway.Denied, status: 403,
			want: "<Code>AccessDenied</Code><Message>" + user + "s3:GetObject on resource: arn:aws:s3:::shop/a because no identity-based policy allows the s3:GetObject action</Message>",
		},
		{
			name: "explicit deny", call: call{service: "s3", method: "GET", path: "/shop/secret"}, outcome: gateway.Denied, status: 403,
			want: user + "s3:GetObject on resource: arn:aws:s3:::shop/secret with an explicit deny in an identity-based policy",
		},
		{
			name: "JSON", call: call{service: "ecr", method: "POST", path: "/", target: "AmazonEC2ContainerRegistry_V20150921.DeleteRepository", body: `{"repositoryName":"shop"}`},
			outcome: gateway.Denied, status: 400, want: `{"__type":"AccessDeniedException","message":"` + user + "ecr:DeleteRepository on resource: arn:aws:ecr:eu-west-1:222222222222:repository/shop",
		},
		{
			name: "another account's registry", call: call{service: "ecr", method: "POST", path: "/", target: putImage.target, body: `{"repositoryName":"shop","registryId":"333333333333"}`},
			outcome: gateway.Denied, status: 400, want: "arn:aws:ecr:eu-west-1:333333333333:repository/shop",
		},
		{
			name: "a role that may not be passed", call: ecs(`{"family":"shop","taskRoleArn":"arn:aws:iam::222222222222:role/admin"}`),
			outcome: gateway.Denied, status: 400, want: user + "iam:PassRole on resource: arn:aws:iam::222222222222:role/admin",
		},
		{
			name: "EC2", call: form("ec2", "Action=TerminateInstances&InstanceId.1=i-1&Version=2016-11-15"), outcome: gateway.Denied, status: 403,
			want: "<Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. " + user + "ec2:TerminateInstances",
		},
		{
			name: "Query", call: form("autoscaling", "Action=SetDesiredCapacity&AutoScalingGroupName=shop&Version=2011-01-01"), outcome: gateway.Denied, status: 403,
			want: `<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">` + "\n  <Error>\n    <Type>Sender</Type>\n    <Code>AccessDenied</Code>\n    <Message>" + user + "autoscaling:SetDesiredCapacity",
		},
		{
			name: "REST with JSON", call: call{service: "lambda", method: "DELETE", path: "/2015-03-31/functions/shop"}, outcome: gateway.Denied, status: 403,
			want: `{"__type":"AccessDeniedException","message":"` + user + "lambda:DeleteFunction",
		},
		{
			name: "REST with XML", call: call{service: "cloudfront", method: "GET", path: "/2020-05-31/distribution/E1", region: "us-east-1"}, outcome: gateway.Denied, status: 403,
			want: "<Code>AccessDenied</Code>\n    <Message>" + user + "cloudfront:GetDistribution",
		},
		{name: "no body for HEAD", call: call{service: "s3", method: "HEAD", path: "/other/a"}, outcome: gateway.Denied, status: 403},
		{
			name: "a call that the table lacks", call: form("ec2", "Action=RunInstances&Version=2016-11-15"), outcome: gateway.Unknown, status: 403,
			want: user + "ec2:RunInstances because the gateway cannot tell what this request asks for",
		},
		{name: "a service that the table lacks", call: form("sqs", "Action=SendMessage"), outcome: gateway.Unknown, status: 403, want: "sqs:SendMessage"},
		{name: "unsigned", call: putImage, change: func(r *http.Request) { r.Header.Del("Authorization") }, outcome: gateway.Refused, status: 403, want: "MissingAuthenticationToken"},
		{name: "half a signature", call: putImage, change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, outcome: gateway.Refused, status: 400, want: "IncompleteSignatureException"},
		{name: "unknown key", call: putImage, creds: aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "secret"}, outcome: gateway.Refused, status: 400, want: "UnrecognizedClientException"},
		{name: "wrong secret", call: putImage, creds: aws.Credentials{AccessKeyID: "ASIAGOOD", SecretAccessKey: "x", SessionToken: "token"}, outcome: gateway.Refused, status: 400, want: "InvalidSignatureException"},
		{name: "wrong token", call: putImage, creds: aws.Credentials{AccessKeyID: "ASIAGOOD", SecretAccessKey: "secret", SessionToken: "x"}, outcome: gateway.Refused, status: 400, want: "UnrecognizedClientException"},
		{name: "no token", call: putImage, creds: aws.Credentials{AccessKeyID: "ASIAGOOD", SecretAccessKey: "secret"}, outcome: gateway.Refused, status: 400, want: "UnrecognizedClientException"},
		{name: "signed too long ago", call: putImage, at: now.Add(-time.Hour), outcome: gateway.Refused, status: 400, want: "Signature expired"},
		{name: "body changed on its way", call: putImage, change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"repositoryName":"web"}`)) }, outcome: gateway.Refused, status: 400, want: "InvalidSignatureException"},
		{name: "an unsigned header of S3", call: signed, change: func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, outcome: gateway.Refused, status: 403, want: "SignatureDoesNotMatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			if test.creds.AccessKeyID == "" {
				test.creds = good
			}
			if test.at.IsZero() {
				test.at = now
			}
			r := test.call.request(t, test.creds, test.at)
			if test.change != nil {
				test.change(r)
			}
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if len(b.records) != 1 || b.records[0].Outcome != test.outcome {
				t.Errorf("recorded %+v, want one that is %s", b.records, test.outcome)
			}
			if passed := len(b.arrived) == 1; passed != (test.outcome == gateway.Passed) {
				t.Errorf("behind the gateway arrived %q", b.arrived)
			}
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) || test.call.method == "HEAD" && w.Body.Len() > 0 {
				t.Errorf("answered %d %s, want %d %s", w.Code, w.Body, test.status, test.want)
			}
		})
	}
}

// TestPasses compares what arrives behind the gateway: the request as it was
// signed, under the upstream's own name.
func TestPasses(t *testing.T) {
	b := newBench(t)
	host := strings.TrimPrefix(b.upstream.URL, "http://")
	for _, c := range []call{
		{service: "s3", method: "PUT", path: "/shop/a%20b%2Bc//d?x-id=PutObject", body: "data"},
		putImage,
	} {
		r := c.request(t, good, now)
		r.Host = r.URL.Host
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Header().Get("X-Upstream") != "yes" {
			t.Errorf("%s: answered %d %s", c.path, w.Code, w.Body)
		}
	}
	want := []string{"PUT " + host + " /shop/a%20b%2Bc//d?x-id=PutObject data", "POST " + host + " / " + putImage.body}
	if diff := cmp.Diff(want, b.arrived); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

func TestRecord(t *testing.T) {
	b := newBench(t)
	c := call{
		service: "ecs", method: "POST", path: "/", target: "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition",
		body: `{"family":"shop","executionRoleArn":"arn:aws:iam::222222222222:role/run"}`,
	}
	b.ServeHTTP(httptest.NewRecorder(), putImage.request(t, good, now))
	b.ServeHTTP(httptest.NewRecorder(), c.request(t, good, now))
	want := gateway.Record{
		Number: 2, Time: now, KeyID: "ASIAGOOD", Principal: "arn:aws:sts::222222222222:assumed-role/deploy/job",
		Service: "ecs", Operation: "RegisterTaskDefinition", Outcome: gateway.Denied,
		Asks: []gateway.Ask{
			{Call: wire.Call{Action: "ecs:RegisterTaskDefinition", Resource: "arn:aws:ecs:eu-west-1:222222222222:task-definition/shop:*"}, Decision: eval.Allowed},
			{Call: wire.Call{
				Action: "iam:PassRole", Resource: "arn:aws:iam::222222222222:role/run",
				Context: map[string][]string{"iam:PassedToService": {"ecs-tasks.amazonaws.com"}},
			}},
		},
		Message: "User: arn:aws:sts::222222222222:assumed-role/deploy/job is not authorized to perform: iam:PassRole on resource: " +
			"arn:aws:iam::222222222222:role/run because no identity-based policy allows the iam:PassRole action",
	}
	if diff := cmp.Diff(want, b.records[len(b.records)-1]); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

// TestPresigned takes the URL that S3's clients hand out.
func TestPresigned(t *testing.T) {
	b := newBench(t)
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/shop/a?X-Amz-Expires=900", nil)
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), good, r, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, url string
		status    int
	}{
		{"as it was handed out", signed, http.StatusAccepted},
		{"for another object", strings.Replace(signed, "/shop/a?", "/shop/b?", 1), http.StatusForbidden},
		{"with a header in it", signed + "&X-Amz-Acl=public-read", http.StatusForbidden},
	} {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.url, nil))
		if w.Code != test.status {
			t.Errorf("%s: answered %d %s", test.name, w.Code, w.Body)
		}
	}
}

func TestBodyTooLarge(t *testing.T) {
	b := newBench(t)
	c := call{service: "s3", method: "PUT", path: "/shop/a", body: strings.Repeat("x", 1<<10+1)}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, c.request(t, good, now))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "body") || len(b.arrived) > 0 {
		t.Errorf("answered %d %s, arrived %q", w.Code, w.Body, b.arrived)
	}
	if len(b.records) != 1 || b.records[0].Outcome != gateway.Refused {
		t.Errorf("recorded %+v", b.records)
	}
}

func TestUpstreamGone(t *testing.T) {
	b := newBench(t)
	b.upstream.Close()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, putImage.request(t, good, now))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "InternalFailure") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestOptions(t *testing.T) {
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for _, opt := range []gateway.Options{
		{Upstream: to}, {Keys: keys{}}, {Keys: keys{}, Upstream: &url.URL{}}, {Keys: keys{}, Upstream: to, MaxBody: -1}, {Keys: keys{}, Upstream: to, Timeout: -1},
	} {
		if _, err := gateway.New(opt); err == nil {
			t.Errorf("New(%+v) made a gateway", opt)
		}
	}
}

// FuzzServe: no unsigned or badly signed request stops the gateway or gets
// through it.
func FuzzServe(f *testing.F) {
	b := newBench(f)
	f.Add("POST", "/", putImage.body, "AWS4-HMAC-SHA256 Credential=ASIAGOOD/20260601/eu-west-1/ecr/aws4_request, SignedHeaders=host, Signature=00", putImage.target)
	f.Add("GET", "/shop//a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAGOOD/20260601/eu-west-1/s3/aws4_request", "", "", "")
	f.Fuzz(func(t *testing.T, method, target, body, authorization, amz string) {
		r, err := http.NewRequest(method, "http://127.0.0.1"+target, bytes.NewReader([]byte(body)))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Target", amz)
		r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Code < 400 || w.Code > 499 {
			t.Errorf("%s %s with %q was answered %d", method, target, body, w.Code)
		}
	})
}
