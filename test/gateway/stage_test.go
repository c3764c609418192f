package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/gateway"
	"github.com/postern-dev/postern/internal/wire"
	"github.com/postern-dev/postern/test/witness"
)

// The credentials that the tools get.
const (
	keyID  = "ASIAPOSTERNWITNESS00"
	secret = "witness/secret"
	token  = "witness/token"
	caller = "arn:aws:sts::" + account + ":assumed-role/deploy/job"
)

// stage is where one scenario plays: moto, and a gateway before it.
type stage struct {
	testing.TB
	moto   string // URL
	url    string // the gateway's
	answer []string
	grant  *iam.Document
	policy *iam.Document            // what the gateway judges by now
	why    catalog.Why              // of the grant
	dir    string                   // for the tool's files
	fails  func(*http.Request) bool // calls that go wrong behind the gateway; nil: none

	mu       sync.Mutex
	taken    []taken
	records  []gateway.Record
	commands []string // that the tool was given
}

// taken is one request as the tool sent it.
type taken struct {
	request *http.Request
	body    []byte
	at      time.Time
}

func newStage(t testing.TB, moto string, sc scenario) *stage {
	t.Helper()
	s := &stage{TB: t, moto: moto, answer: sc.answers, dir: t.TempDir()}
	if sc.prepare != nil {
		sc.prepare(s)
	}
	g, ok := catalog.Lookup(sc.grant)
	if !ok {
		t.Fatalf("no grant %s", sc.grant)
	}
	doc, err := g.Policy(scope(), sc.level, sc.args)
	if err != nil {
		t.Fatal(err)
	}
	s.grant, s.policy, s.why = doc, doc, g.Why
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// serve takes a request down and lets the gateway decide.
func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kept := r.Clone(context.Background())
	s.mu.Lock()
	s.taken = append(s.taken, taken{kept, body, time.Now()})
	policy := s.policy
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.gateway(policy, s.upstream(), time.Now, s.keep).ServeHTTP(w, r)
}

func (s *stage) keep(r gateway.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}

// restart judges by another policy and forgets what was seen.
func (s *stage) restart(policy *iam.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy, s.taken, s.records = policy, nil, nil
}

// seen is what came so far, and what the gateway said of it.
func (s *stage) seen() ([]taken, []gateway.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken), slices.Clone(s.records)
}

// gateway makes a gateway that knows one key, under one policy.
func (s *stage) gateway(doc *iam.Document, upstream http.RoundTripper, clock func() time.Time, record func(gateway.Record)) *gateway.Gateway {
	p, err := eval.Compile("grant", eval.Identity, doc)
	if err != nil {
		s.Error(err)
		return nil
	}
	to, err := url.Parse(s.moto)
	if err != nil {
		s.Error(err)
		return nil
	}
	g, err := gateway.New(gateway.Options{
		Upstream: to, Transport: upstream, Clock: clock, Record: record,
		Keys: oneKey{gateway.Holder{
			Secret: secret, Token: token, Layers: eval.Layers{Identity: []*eval.Policy{p}},
			Principal: eval.Principal{Kind: eval.RoleSession, ARN: caller, RoleARN: "arn:aws:iam::" + account + ":role/deploy", Account: account},
		}},
	})
	if err != nil {
		s.Error(err)
	}
	return g
}

type oneKey struct{ holder gateway.Holder }

func (k oneKey) Holder(_ context.Context, id string) (gateway.Holder, bool) {
	return k.holder, id == keyID
}

// upstream is moto, but for the calls that it lacks.
func (s *stage) upstream() http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		q := wire.Request{
			Service: signedService(r), Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
			Target: r.Header.Get("X-Amz-Target"), Type: r.Header.Get("Content-Type"), Header: r.Header, Body: body,
		}
		if s.fails != nil && s.fails(r) {
			return nil, errors.New("the witness lets this fail")
		}
		calls, ok := wire.Read(q, wire.Scope(scope()))
		if ok && slices.Contains(s.answer, calls[0].Action) {
			contentType, reply, _ := wire.Reply(q, "witness")
			return response(r, contentType, reply), nil
		}
		return direct.RoundTrip(r)
	})
}

var direct = &http.Transport{DisableCompression: true}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(r *http.Request, contentType string, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// signedService is the service in a request's credential scope.
func signedService(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

// env points a tool at the gateway.
func (s *stage) env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.url, "AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=" + token,
		"AWS_DEFAULT_REGION=" + region, "AWS_REGION=" + region,
	}
}

// aws runs commands of the AWS CLI through the gateway, each given as a line,
// and ends at the first that fails.
func (s *stage) aws(lines ...string) error {
	s.Helper()
	var args [][]string
	for _, line := range lines {
		args = append(args, words(line))
		s.commands = append(s.commands, "aws "+line)
	}
	_, err := witness.AWSEach(s, s.env(), args...)
	return err
}

// words splits a line at its spaces, but for those between apostrophes.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// at makes a call to moto itself.
func (s *stage) at(service, method, path string, header map[string]string, body string) string {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.moto+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAPREPARE/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for name, v := range header {
		r.Header.Set(name, v)
	}
	answer, err := direct.RoundTrip(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		s.Fatalf("prepare %s %s: %d, %v: %s", service, path, answer.StatusCode, err, text)
	}
	return string(text)
}

// json makes a call of a JSON service to moto itself.
func (s *stage) json(service, target, body string) string {
	s.Helper()
	return s.at(service, http.MethodPost, "/", map[string]string{"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}, body)
}

// file writes a file of the tool's and returns its path.
func (s *stage) file(name, content string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.Fatal(err)
	}
	return path
}

// transcript is what was asked, for people.
func (s *stage) transcript() string {
	_, records := s.seen()
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "%s %s %s: %s\n", r.Outcome, r.Service, r.Operation, r.Message)
		for _, ask := range r.Asks {
			fmt.Fprintf(&b, "    %s on %s %v\n", ask.Action, ask.Resource, ask.Context)
		}
	}
	return b.String()
}
