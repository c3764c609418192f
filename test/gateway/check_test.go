package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/gateway"
	"github.com/postern-dev/postern/internal/wire"
)

// without is a policy without some actions of its statements.
func without(doc *iam.Document, drop func(sid, action string) bool) *iam.Document {
	less := &iam.Document{Version: doc.Version}
	for _, st := range doc.Statements {
		st.Actions = slices.DeleteFunc(slices.Clone(st.Actions), func(a string) bool { return drop(st.SID, a) })
		if len(st.Actions) > 0 {
			less.Statements = append(less.Statements, st)
		}
	}
	if len(less.Statements) == 0 { // a document needs one
		less.Statements = []iam.Statement{{Effect: iam.Deny, Actions: []string{"none:None"}, Resources: []string{"*"}}}
	}
	return less
}

// checkRefused demands that a tool said which action it lacks.
func (s *stage) checkRefused(action string, err error) {
	s.Helper()
	if err == nil || !strings.Contains(err.Error(), "not authorized to perform: "+action+" on") {
		s.Fatalf("without %s the tool says: %v", action, err)
	}
}

func (s *stage) checkNothingDenied() {
	s.Helper()
	_, records := s.seen()
	for _, r := range records {
		if r.Outcome != gateway.Passed {
			s.Errorf("under the grant: %s %s was %s: %s", r.Service, r.Operation, r.Outcome, r.Message)
		}
	}
	if len(records) == 0 {
		s.Error("no request came")
	}
}

// checkNothingSuperfluous takes each action away from each statement, and
// demands that one of the requests is denied for lack of it.
func (s *stage) checkNothingSuperfluous(unreached map[string]string) {
	s.Helper()
	known := map[string]bool{}
	for _, st := range s.grant.Statements {
		for _, action := range st.Actions {
			pair := st.SID + " " + action
			known[pair] = true
			if _, excused := unreached[pair]; !excused {
				s.checkWhy(action)
			}
			denied := s.replay(without(s.grant, func(sid, a string) bool { return sid == st.SID && a == action }))
			reason, excused := unreached[pair]
			switch {
			case denied == "" && !excused:
				s.Errorf("%s: no request needs it\n%s", pair, s.transcript())
			case denied != "" && excused:
				s.Errorf("%s is needed, though the test says that it is not: %s", pair, reason)
			case denied != "" && !strings.Contains(denied, "not authorized to perform: "+action+" on"):
				s.Errorf("without %s: %s", pair, denied)
			}
		}
	}
	for pair := range unreached {
		if !known[pair] {
			s.Errorf("%s is excused, but the grant lacks it", pair)
		}
	}
}

// checkWhy holds what the catalogue says of an action against the commands that
// were run: one of those that it names must be among them.
func (s *stage) checkWhy(action string) {
	s.Helper()
	why := s.why[action]
	commands, _, _ := strings.Cut(why, ": ")
	if len(s.commands) == 0 || !strings.HasPrefix(why, "aws ") && !strings.HasPrefix(why, "terraform") {
		return // its tools are not those of this scenario
	}
	for part := range strings.SplitSeq(commands, ", ") {
		for _, command := range s.commands {
			ran := strings.Fields(command)
			if !slices.ContainsFunc(strings.Fields(part), func(word string) bool { return !slices.Contains(ran, word) }) {
				return
			}
		}
	}
	s.Errorf("%s: the catalogue names %q, none of which was run", action, commands)
}

// replay sends what the tool sent to a gateway with another policy, and
// returns what it says of the first request that it denies.
func (s *stage) replay(policy *iam.Document) string {
	requests, _ := s.seen()
	for _, request := range requests {
		r := request.request.Clone(context.Background())
		r.Body = io.NopCloser(bytes.NewReader(request.body))
		if said := s.ask(policy, r, request.at); said.Outcome != gateway.Passed {
			return said.Message
		}
	}
	return ""
}

// ask has a gateway judge one request, which goes nowhere.
func (s *stage) ask(policy *iam.Document, r *http.Request, at time.Time) gateway.Record {
	var said gateway.Record
	nowhere := roundTrip(func(r *http.Request) (*http.Response, error) { return response(r, "", nil), nil })
	g := s.gateway(policy, nowhere, func() time.Time { return at }, func(r gateway.Record) { said = r })
	g.ServeHTTP(httptest.NewRecorder(), r)
	return said
}

// checkNeighbours makes calls that the grant must not allow.
func (s *stage) checkNeighbours(calls []wire.Call) {
	s.Helper()
	for _, c := range calls {
		q, ok := wire.BuildCall(c, "")
		if !ok {
			s.Errorf("cannot write a request for %s on %s", c.Action, c.Resource)
			continue
		}
		said := s.ask(s.grant, s.signed(q), time.Now())
		if said.Outcome != gateway.Denied || !strings.Contains(said.Message, c.Action) {
			s.Errorf("%s on %s: %s %s", c.Action, c.Resource, said.Outcome, said.Message)
		}
	}
}

// signed is a request to the gateway with the scenario's credentials.
func (s *stage) signed(q wire.Request) *http.Request {
	target := s.url + q.Path
	if q.Query != "" {
		target += "?" + q.Query
	}
	r := httptest.NewRequest(q.Method, target, bytes.NewReader(q.Body))
	r.RequestURI = ""
	for name, values := range q.Header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", q.Type)
	if q.Target != "" {
		r.Header.Set("X-Amz-Target", q.Target)
	}
	digest := hash(q.Body)
	if q.Service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", digest)
	}
	err := v4.NewSigner().SignHTTP(s.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token},
		r, digest, q.Service, region, time.Now(), func(o *v4.SignerOptions) { o.DisableURIPathEscaping = q.Service == "s3" })
	if err != nil {
		s.Fatal(err)
	}
	return r
}
