package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	prod   = "222222222222"
	caller = "arn:aws:iam::222222222222:user/alice"
)

// stub is an AWS endpoint that answers from a script and records the calls.
type stub struct {
	*httptest.Server
	answers map[string]answer // by action

	mu    sync.Mutex
	calls []url.Values
}

// answer writes the nth answer (from 1) to an action.
type answer func(n int, form url.Values) (status int, body string)

// ok is a success with the given content of the result element.
func ok(action, result string) (int, string) {
	return http.StatusOK, fmt.Sprintf(`<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult>`+
		`<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%[1]sResponse>`, action, result)
}

func fail(status int, code, message string) (int, string) {
	return status, fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>r</RequestId></ErrorResponse>`, code, message)
}

func says(action, result string) answer {
	return func(int, url.Values) (int, string) { return ok(action, result) }
}

func fails(status int, code, message string) answer {
	return func(int, url.Values) (int, string) { return fail(status, code, message) }
}

// startStub serves the answers; an action without one succeeds with an empty
// result, GetCallerIdentity with caller.
func startStub(t *testing.T, answers map[string]answer) *stub {
	s := &stub{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		action := r.PostForm.Get("Action")
		s.mu.Lock()
		s.calls = append(s.calls, r.PostForm)
		n := len(s.named(action))
		s.mu.Unlock()
		status, body := ok(action, "")
		if action == "GetCallerIdentity" {
			status, body = ok(action, "<Arn>"+caller+"</Arn><UserId>U</UserId><Account>"+prod+"</Account>")
		}
		if a := s.answers[action]; a != nil {
			status, body = a(n, r.PostForm)
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// named returns the calls of an action; s.mu is held or the server is idle.
func (s *stub) named(action string) []url.Values {
	return slices.DeleteFunc(slices.Clone(s.calls), func(f url.Values) bool { return f.Get("Action") != action })
}

func (s *stub) options(accounts ...Account) Options {
	return Options{
		Endpoint: s.URL, Credentials: &StaticCredentials{ID: "AKIDEXAMPLE", Secret: "wJalrXUt"}, Region: "eu-west-1", Accounts: accounts,
	}
}

// connect reaches the one account that the stub's caller is of.
func (s *stub) connect(t *testing.T) *Cloud {
	t.Helper()
	c, err := Connect(t.Context(), s.options(Account{ID: prod, Name: "prod"}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
