package sandbox

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// FuzzParams: no body makes the decoder fail otherwise than with an error, and
// lists hold what the body says, in order.
func FuzzParams(f *testing.F) {
	f.Add("Action=CreateRole&Tags.member.1.Key=a&Tags.member.1.Value=b")
	f.Add("Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.x.Key=c&Tags.member.99999999999999999999.Key=d")
	f.Add("a=1&a=2")
	f.Add("%zz")
	f.Fuzz(func(t *testing.T, body string) {
		p, err := parseParams(body)
		if err != nil {
			return
		}
		for name, v := range p {
			list, digits, ok := strings.Cut(name, ".member.")
			if !ok || digits == "" || len(digits) > 3 || strings.Trim(digits, "0123456789") != "" || strings.Trim(digits, "0") == "" {
				continue
			}
			if digits[0] != '0' && !strings.Contains(strings.Join(p.list(list), "\x00"), v) {
				t.Errorf("list(%q) of %q lacks %q", list, body, v)
			}
		}
		if _, err := p.tags(); err == nil && len(p.members("Tags")) > maxTags {
			t.Errorf("more than %d tags accepted", maxTags)
		}
	})
}

// FuzzServe: no request, signed or not, stops the server or is let in.
func FuzzServe(f *testing.F) {
	s, err := New(Options{Accounts: []AccountConfig{{ID: "111111111111"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			f.Error(err)
		}
	})
	id, _ := s.Credentials()
	f.Add("POST", "/", "Action=ListUsers&Version=2010-05-08", "AWS4-HMAC-SHA256 Credential="+id+"/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=00")
	f.Add("POST", "/", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=a.e30.c&RoleArn=arn:aws:iam::111111111111:role/x", "")
	f.Add("GET", "/bucket//key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+id+"/20260101/us-east-1/s3/aws4_request", "", "")
	f.Fuzz(func(t *testing.T, method, target, body, authorization string) {
		r, err := http.NewRequest(method, "http://127.0.0.1"+target, bytes.NewReader([]byte(body)))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 400 && !strings.HasPrefix(r.URL.Path, issuerPath) {
			t.Errorf("%s %s with %q was answered %d", method, target, body, w.Code)
		}
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%s %s with %q failed with %d: %s", method, target, body, w.Code, w.Body)
		}
	})
}
