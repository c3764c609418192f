package sigv4

import (
	"bytes"
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
		sig := Signature{KeyID: "AKIA", Date: "20260601", Region: "us-east-1", Service: "sts", SignedHeaders: test.headers, Stamp: now}
		payload, _ := sig.payloadHash(r, nil)
		sig.Signature = sig.sign(r, payload, "secret")
		if _, got := sig.Verify(r, nil, "secret"); got != test.want {
			t.Errorf("headers %s: verified %t", strings.Join(test.headers, ";"), got)
		}
	}
}

// The examples of AWS's pages about streamed uploads, with the signatures that
// stand there.
const (
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleScope  = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
)

// example is one upload of 65 KiB in two chunks.
func example(payload, signature string, more map[string]string, signed string) *http.Request {
	r := httptest.NewRequest(http.MethodPut, "http://s3.amazonaws.com/examplebucket/chunkObject.txt", nil)
	for name, v := range map[string]string{
		"X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY", "Content-Encoding": "aws-chunked",
		"X-Amz-Decoded-Content-Length": "66560", "X-Amz-Content-Sha256": payload,
		"Authorization": "AWS4-HMAC-SHA256 Credential=" + exampleScope + ",SignedHeaders=" + signed + ",Signature=" + signature,
	} {
		r.Header.Set(name, v)
	}
	for name, v := range more {
		r.Header.Set(name, v)
	}
	r.ContentLength = 66824
	return r
}

func frame(size, signature, data string) string {
	if signature != "" {
		size += ";chunk-signature=" + signature
	}
	return size + "\r\n" + data + "\r\n"
}

func TestStreamedExamples(t *testing.T) {
	const (
		plain   = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
		trailed = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
	)
	first, second := strings.Repeat("a", 65536), strings.Repeat("a", 1024)
	for _, test := range []struct {
		name    string
		request *http.Request
		body    string
	}{
		{
			// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
			name:    "signed chunks",
			request: example(streamed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", nil, plain),
			body: frame("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", first) +
				frame("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", second) +
				frame("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", ""),
		},
		{
			// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
			name: "signed chunks and trailer",
			request: example(streamedTrailer, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
				map[string]string{"X-Amz-Trailer": "x-amz-checksum-crc32c"}, trailed),
			body: frame("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", first) +
				frame("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", second) +
				"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
				"x-amz-checksum-crc32c:sOO8/Q==\r\n" +
				"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			sig, signed, err := Parse(test.request)
			if !signed || err != nil {
				t.Fatal(signed, err)
			}
			data, ok := sig.Verify(test.request, []byte(test.body), exampleSecret)
			if !ok || string(data) != first+second {
				t.Fatalf("verified %t, %d bytes", ok, len(data))
			}
			for _, change := range []struct{ name, from, to string }{
				{"data", "aaa", "aab"},
				{"chunk signature", "e", "f"},
				{"chunk left out", frame("400", "", second)[3:], "\r\n"},
				{"size", "400;", "3ff;"},
				{"end left out", "\r\n0;", "\r\n1;"},
				{"trailer", "crc32c:s", "crc32c:t"},
				{"trailer's signature", "signature:d8", "signature:d9"},
			} {
				body := strings.Replace(test.body, change.from, change.to, 1)
				if body == test.body {
					continue // no trailer
				}
				if _, ok := sig.Verify(test.request, []byte(body), exampleSecret); ok {
					t.Errorf("verified with another %s", change.name)
				}
			}
		})
	}
}

// TestUnsignedHeaderOfS3: an x-amz header that nobody signed could turn an
// upload into a copy.
func TestUnsignedHeaderOfS3(t *testing.T) {
	r := httptest.NewRequest(http.MethodPut, "/bucket/key", nil)
	now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	r.Header.Set("X-Amz-Date", now.Format(stampFormat))
	r.Header.Set("X-Amz-Content-Sha256", unsignedPayload)
	sig := Signature{KeyID: "AKIA", Date: "20260601", Region: "us-east-1", Service: "s3", SignedHeaders: []string{"host", "x-amz-date"}, Stamp: now}
	sig.Signature = sig.sign(r, unsignedPayload, "secret")
	if data, ok := sig.Verify(r, []byte("anything"), "secret"); !ok || string(data) != "anything" {
		t.Errorf("unsigned payload: %q, %t", data, ok)
	}
	r.Header.Set("X-Amz-Copy-Source", "/other/secret")
	if _, ok := sig.Verify(r, nil, "secret"); ok {
		t.Error("verified with an unsigned x-amz-copy-source")
	}
	sig.Service = "ecr"
	r.Header.Del("X-Amz-Copy-Source")
	sig.Signature = sig.sign(r, unsignedPayload, "secret")
	if _, ok := sig.Verify(r, []byte("anything"), "secret"); ok {
		t.Error("verified an unsigned payload of a service other than S3")
	}
}

// TestTwoSignatures: the gateway and what stands behind it could each believe
// another one.
func TestTwoSignatures(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA/20260601/us-east-1/s3/aws4_request"+
		"&X-Amz-Date=20260601T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0", nil)
	if _, signed, err := Parse(r); !signed || err != nil {
		t.Fatalf("the query alone: %t, %v", signed, err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIB/20260601/us-east-1/ecr/aws4_request,SignedHeaders=host,Signature=0")
	if _, _, err := Parse(r); err == nil {
		t.Error("took a request with two signatures")
	}
}

// TestScope: what could end a scope early for another reader is none.
func TestScope(t *testing.T) {
	for credential, want := range map[string]bool{
		"AKIA/20260601/eu-west-1/s3/aws4_request":     true,
		"AKIA/20260601/eu,west/s3/aws4_request":       false,
		"AKIA/20260601/eu-west-1/S3/aws4_request":     false,
		"AKIA/20260601/eu-west-1/s3 /aws4_request":    false,
		"AKIA/20260601//s3/aws4_request":              false,
		"AKIA/x/20260601/eu-west-1/s3/aws4_request":   false,
		"AKIA/20260601/eu-west-1/s3/aws4_request/ecr": false,
	} {
		var s Signature
		if err := s.setCredential(credential); (err == nil) != want {
			t.Errorf("%s: %v", credential, err)
		}
	}
}

// TestAuthorization: a signature is read as it was written.
func TestAuthorization(t *testing.T) {
	const header = "AWS4-HMAC-SHA256 Credential=AKIA/20260601/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	s, err := parseAuthorization(header)
	if err != nil || s.Authorization() != header {
		t.Errorf("%v: %s", err, s.Authorization())
	}
}

// FuzzAuthorization: a header that parses has every part, and verifies with
// nobody's key.
func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	f.Add("AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;, Signature=")
	f.Add("Bearer x")
	f.Fuzz(func(t *testing.T, header string) {
		sig, err := parseAuthorization(header)
		if err != nil {
			return
		}
		if sig.KeyID == "" || sig.Region == "" || sig.Service == "" || sig.Signature == "" || len(sig.SignedHeaders) == 0 {
			t.Errorf("%q parses as %+v", header, sig)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if _, ok := sig.Verify(r, nil, "secret"); ok {
			t.Errorf("%q verifies", header)
		}
	})
}

// FuzzChunks: no body makes it panic, and what it takes is not longer than the
// body.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"))
	f.Add([]byte("0;chunk-signature=00\r\n\r\n"))
	f.Add([]byte("fffffff\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		data, ok := Signature{}.chunks(unsignedTrailer, body, "secret")
		if ok && (len(data) > len(body) || !bytes.Contains(body, []byte("0"))) {
			t.Errorf("%q: %q", body, data)
		}
	})
}
