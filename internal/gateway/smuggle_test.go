package gateway_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/postern-dev/postern/internal/gateway"
)

// TestSmuggling are requests with a good signature, of somebody who wants what
// arrives to be another request than was judged.
func TestSmuggling(t *testing.T) {
	identity := call{
		service: "sts", method: "POST", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	}
	add := func(name, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, v) }
	}
	for _, test := range []struct {
		name    string
		call    call
		change  func(*http.Request) // before it is signed
		late    func(*http.Request) // after
		outcome gateway.Outcome
	}{
		{name: "two targets", call: putImage, change: add("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.DeleteRepository"), outcome: gateway.Unknown},
		{name: "two types", call: putImage, change: func(r *http.Request) {
			r.Header["Content-Type"] = []string{"application/json", "application/x-www-form-urlencoded"}
		}, outcome: gateway.Unknown},
		{name: "two signatures", call: putImage, late: add("Authorization", "AWS4-HMAC-SHA256 Credential=ASIAGOOD/20260601/eu-west-1/s3/aws4_request"), outcome: gateway.Refused},
		{name: "an unsigned target", call: identity, late: add("X-Amz-Target", putImage.target), outcome: gateway.Refused},
		{name: "an unsigned account", call: putImage, late: add("X-Amz-Account-Id", "333333333333"), outcome: gateway.Refused},
		{name: "the emulator's own pages", call: call{service: "s3", method: "GET", path: "/moto-api/data.json"}, outcome: gateway.Unknown},
		{name: "S3's control of accounts", call: call{service: "s3", method: "GET", path: "/v20180820/bucket"}, outcome: gateway.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			r := test.call.request(t, good, now)
			if test.change != nil {
				test.change(r)
				r.Header.Del("Authorization")
				r = test.call.sign(t, r, good, now)
			}
			if test.late != nil {
				test.late(r)
			}
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if len(b.records) != 1 || b.records[0].Outcome != test.outcome || len(b.arrived) > 0 {
				t.Errorf("recorded %+v, want one that is %s; arrived %q", b.records, test.outcome, b.arrived)
			}
		})
	}
}

// TestForwards compares the headers that arrive: those that AWS's clients send,
// and the scope that was judged, wherever the signature stood.
func TestForwards(t *testing.T) {
	b := newBench(t)
	r := putImage.request(t, good, now)
	for name, v := range map[string]string{
		"X-Moto-Account-Id": "333333333333", "X-Http-Method-Override": "DELETE", "X-Original-Url": "/moto-api/reset", "X_amz_target": "AWSLambda.DeleteFunction",
		"Action": "DeleteRepository", "Connection": "Upgrade, X-Amz-Target, Authorization", "Upgrade": "h2c", "User-Agent": "test", "Cookie": "a=b", "Trailer": "X-Amz-Target",
	} {
		r.Header[name] = []string{v}
	}
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ", ")
	slices.Reverse(parts) // to an emulator, the first of them is the scope
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+strings.Join(parts, ", "))
	b.ServeHTTP(httptest.NewRecorder(), r)

	presigned, _, err := v4.NewSigner().PresignHTTP(t.Context(), good, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/?Action=DescribeInstances&Version=2016-11-15", nil),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "ec2", "eu-west-1", now)
	if err != nil {
		t.Fatal(err)
	}
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, presigned, nil))

	if len(b.heads) != 2 {
		t.Fatalf("%d requests arrived: %+v", len(b.heads), b.records)
	}
	names := slices.Sorted(maps.Keys(b.heads[0]))
	want := []string{"Authorization", "Content-Length", "User-Agent", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Target"}
	if !slices.Equal(names, want) {
		t.Errorf("headers %s, want %s", names, want)
	}
	for i, scope := range []string{"ecr", "ec2"} {
		want := "AWS4-HMAC-SHA256 Credential=ASIAGOOD/20260601/eu-west-1/" + scope + "/aws4_request, SignedHeaders="
		if got := b.heads[i].Get("Authorization"); !strings.HasPrefix(got, want) {
			t.Errorf("Authorization: %s, want %s…", got, want)
		}
	}
}

// TestForwardsJSON: moto reads a JSON body as a form first, which an ampersand
// in a text gives it.
func TestForwardsJSON(t *testing.T) {
	b := newBench(t)
	c := putImage
	c.body = `{"repositoryName":"shop","imageManifest":"&Action=DeleteRepository&repositoryName=web&"}`
	w := httptest.NewRecorder()
	b.ServeHTTP(w, c.request(t, good, now))
	want := `{"repositoryName":"shop","imageManifest":"\u0026Action=DeleteRepository\u0026repositoryName=web\u0026"}`
	if len(b.arrived) != 1 || !strings.HasSuffix(b.arrived[0], want) {
		t.Errorf("arrived %q, want %s", b.arrived, want)
	}
}

// unread fails when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a stranger was read")
	return 0, http.ErrBodyReadAfterClose
}

func (unread) Close() error { return nil }

// TestStrangersBody: who has no key cannot fill the memory.
func TestStrangersBody(t *testing.T) {
	b := newBench(t)
	r := putImage.request(t, good, now)
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "ASIAGOOD", "ASIAEVIL", 1))
	r.Body = unread{t}
	b.ServeHTTP(httptest.NewRecorder(), r)
	if len(b.records) != 1 || b.records[0].Outcome != gateway.Refused {
		t.Errorf("recorded %+v", b.records)
	}
}
