package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestHostMustBeSigned: a signature that leaves the host open would do at any
// other endpoint.
func TestHostMustBeSigned(t *testing.T) {
	for _, test := range []struct {
		headers []string
		want    bool
	}{
		{[]string{"host", "x-amz-date"}, true},
		{[]string{"x-amz-date"}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
		r.Header.Set("X-Amz-Date", now.Format(stampFormat))
		sig := signature{KeyID: "AKIA", Date: "20260601", Region: "us-east-1", Service: "sts", SignedHeaders: test.headers, Stamp: now}
		payload, _ := payloadHash(r, nil, false)
		sig.Signature = sig.sign(r, payload, "secret")
		if got := sig.verify(r, nil, "secret"); got != test.want {
			t.Errorf("headers %s: verified %t", strings.Join(test.headers, ";"), got)
		}
	}
}
