package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/wire"
)

func TestAssumeWithToken(t *testing.T) {
	s := startStub(t, map[string]answer{"AssumeRoleWithWebIdentity": says("AssumeRoleWithWebIdentity", assumedXML)})
	got, err := s.connect(t).AssumeWithToken(t.Context(), roleARN, "run-1", "eyJ")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.ARN, "arn:aws:sts::333333333333:assumed-role/admin/postern-alice")
	equal(t, got.Expires, time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))
	equal(t, s.named("AssumeRoleWithWebIdentity"), []url.Values{{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {roleARN}, "RoleSessionName": {"run-1"}, "WebIdentityToken": {"eyJ"},
	}})
	nested := struct{ s Session }{got}
	for _, text := range []string{fmt.Sprint(got), fmt.Sprintf("%+v %#v %v %+v", got, got, nested, &nested)} {
		if strings.Contains(text, "hush") || strings.Contains(text, "tok") {
			t.Errorf("the secret shows: %s", text)
		}
	}
}

func TestAssumeRefused(t *testing.T) {
	s := startStub(t, map[string]answer{
		"AssumeRoleWithWebIdentity": fails(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
		"AssumeRole":                fails(http.StatusForbidden, "AccessDenied", "User: "+caller+" is not authorized to perform: sts:AssumeRole on resource: "+roleARN),
	})
	c := s.connect(t)
	_, errToken := c.AssumeWithToken(t.Context(), roleARN, "run-1", "eyJ")
	_, errRole := c.AssumeRole(t.Context(), StaticSession(StaticCredentials{ID: "AKIAX", Secret: "s"}), roleARN, "run-1", "ext")
	for _, err := range []error{errToken, errRole} {
		d, ok := errors.AsType[*Denied](err)
		if !ok || d.Resource != roleARN || fault.ExitCode(err) != fault.Auth {
			t.Errorf("error %v", err)
		}
		if err != nil && strings.Contains(err.Error(), "eyJ") {
			t.Errorf("the token shows: %v", err)
		}
	}
	equal(t, s.named("AssumeRole")[0].Get("ExternalId"), "ext")
}

// recorded is a raw request as it arrived.
type recorded struct {
	Method, Path, Query, Type, Target, Body string
}

func TestCall(t *testing.T) {
	const message = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action"
	tests := []struct {
		name    string
		request wire.Request
		status  int
		body    string
		want    Reply
		denied  *Denied
	}{
		{
			name:    "JSON, allowed",
			request: wire.Request{Service: "ecr", Method: "POST", Path: "/", Target: "X.DescribeImages", Type: "application/x-amz-json-1.1", Body: []byte("{}")},
			status:  200, body: "{}", want: Reply{Status: 200},
		},
		{
			name:    "JSON, denied",
			request: wire.Request{Service: "ecr", Method: "POST", Path: "/", Target: "X.PutImage", Type: "application/x-amz-json-1.1", Body: []byte("{}")},
			status:  400, body: `{"__type":"com.amazonaws.ecr#AccessDeniedException","Message":"` + fmt.Sprintf(message, "ecr:PutImage", "arn:aws:ecr:r:1:repository/x", "ecr:PutImage") + `"}`,
			want:   Reply{Status: 400, Code: "AccessDeniedException", Message: fmt.Sprintf(message, "ecr:PutImage", "arn:aws:ecr:r:1:repository/x", "ecr:PutImage")},
			denied: &Denied{"arn:aws:sts::1:assumed-role/r/s", "ecr:PutImage", "arn:aws:ecr:r:1:repository/x", "because no identity-based policy allows the ecr:PutImage action"},
		},
		{
			name:    "S3, denied",
			request: wire.Request{Service: "s3", Method: "GET", Path: "/bucket/a%20key", Query: "versionId=1"},
			status:  403, body: `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`,
			want:   Reply{Status: 403, Code: "AccessDenied", Message: "Access Denied"},
			denied: &Denied{Action: "s3", Resource: "*"},
		},
		{
			name:    "EC2, denied",
			request: wire.Request{Service: "ec2", Method: "POST", Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte("Action=RunInstances")},
			status:  403, body: `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>`,
			want:   Reply{Status: 403, Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation."},
			denied: &Denied{Action: "ec2", Resource: "*"},
		},
		{
			name:    "another failure is no denial",
			request: wire.Request{Service: "sts", Method: "POST", Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte("Action=X")},
			status:  400, body: `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>bad</Message></Error></ErrorResponse>`,
			want: Reply{Status: 400, Code: "ValidationError", Message: "bad"},
		},
		{
			name:    "a torn answer",
			request: wire.Request{Service: "sts", Method: "POST", Path: "/"},
			status:  500, body: `<ErrorResponse><Error><Code>Oops`, want: Reply{Status: 500},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got recorded
			var header http.Header
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = recorded{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"), string(body)}
				header = r.Header
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer server.Close()
			c := startStub(t, nil).connect(t)
			c.cfg.BaseEndpoint = &server.URL
			reply, err := c.Call(t.Context(), StaticSession(StaticCredentials{ID: "ASIAX", Secret: "hush", Session: "tok"}), tt.request)
			equal(t, reply, tt.want)
			d, _ := errors.AsType[*Denied](err)
			if diff := cmp.Diff(tt.denied, d, cmpopts.EquateEmpty()); diff != "" || (err != nil) != (tt.denied != nil) {
				t.Errorf("error %v\n%s", err, diff)
			}
			r := tt.request
			equal(t, got, recorded{r.Method, r.Path, r.Query, r.Type, r.Target, string(r.Body)})
			auth := header.Get("Authorization")
			if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=ASIAX/") || !strings.Contains(auth, "/eu-west-1/"+r.Service+"/aws4_request") {
				t.Errorf("Authorization: %s", auth)
			}
			equal(t, header.Get("X-Amz-Security-Token"), "tok")
			sum := sha256.Sum256(r.Body)
			equal(t, header.Get("X-Amz-Content-Sha256"), hex.EncodeToString(sum[:]))
		})
	}
}

func TestCallNeedsAnEndpoint(t *testing.T) {
	c := startStub(t, nil).connect(t)
	_, err := c.Call(t.Context(), Session{}, wire.Request{Service: "ecr", Method: "POST", Path: "/"})
	if err == nil || !strings.Contains(err.Error(), "no credentials") {
		t.Errorf("without credentials: %v", err)
	}
	c.cfg.BaseEndpoint = nil
	_, err = c.Call(t.Context(), StaticSession(StaticCredentials{ID: "A", Secret: "s"}), wire.Request{Service: "ecr", Method: "POST", Path: "/"})
	if err == nil || !strings.Contains(err.Error(), "sandbox only") {
		t.Errorf("against AWS itself: %v", err)
	}
}
