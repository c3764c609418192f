package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
	"github.com/postern-dev/postern/test/witness"
)

// TestAttacks makes requests that moto understands otherwise than AWS does, of
// somebody who holds one narrow grant. moto alone must fall for each of them,
// or the test would show nothing; behind the gateway nothing may happen.
func TestAttacks(t *testing.T) {
	moto := witness.Moto(t)
	s := newStage(t, moto, scenario{grant: "ecr-docker-push", args: catalog.Args{"repositories": {"shop"}}, prepare: prepareECR})
	put := wire.Request{Service: "ecr", Method: http.MethodPost, Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", Type: "application/x-amz-json-1.1"}
	body := func(r wire.Request, text string) wire.Request {
		r.Body = []byte(text)
		return r
	}
	for _, test := range []struct {
		name    string
		request func() *http.Request
		shows   string // in moto's answer, if it falls for it
	}{
		{
			name: "a form within JSON",
			request: func() *http.Request {
				return s.signed(body(put, `{"repositoryName":"shop","imageIds":[],"x":"&Action=DescribeRepositories&"}`))
			},
			shows: `"repositories"`,
		},
		{
			name: "two targets",
			request: func() *http.Request {
				r := s.signed(body(put, `{"repositoryName":"shop","imageIds":[]}`))
				r.Header.Add("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories")
				return r
			},
			shows: `"repositories"`,
		},
		{
			name: "a URL for STS that S3 reads",
			request: func() *http.Request {
				r := httptest.NewRequest(http.MethodGet, s.url+"/?Action=GetCallerIdentity&Version=2011-06-15", nil)
				signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token}, r, hash(nil), "sts", region, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				return httptest.NewRequest(http.MethodGet, signed, nil)
			},
			shows: "ListAllMyBucketsResult",
		},
		{
			name: "the emulator's own pages",
			request: func() *http.Request {
				return s.signed(wire.Request{Service: "s3", Method: http.MethodGet, Path: "/moto-api/data.json"})
			},
			shows: `"Repository"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if said := send(t, test.request(), moto); !strings.Contains(said, test.shows) {
				t.Errorf("moto itself does not fall for it: %s", said)
			}
			if said := send(t, test.request(), s.url); strings.Contains(said, test.shows) {
				t.Errorf("through the gateway: %s", said)
			}
		})
	}
}

// send sends a request to the host of a URL, and returns the answer's body.
func send(t *testing.T, r *http.Request, to string) string {
	t.Helper()
	at, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", at.Scheme, at.Host
	answer, err := direct.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
