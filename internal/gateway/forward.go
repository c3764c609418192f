package gateway

import (
	"bytes"
	"net/http"
	"path"
	"strings"

	"github.com/postern-dev/postern/internal/wire"
)

// ordinary are the headers, besides those of AWS's own, that AWS's clients send
// and its services read.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
var ordinary = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Cache-Control": true, "Content-Disposition": true, "Content-Encoding": true,
	"Content-Language": true, "Content-Md5": true, "Content-Type": true, "Date": true, "Expires": true, "If-Match": true,
	"If-Modified-Since": true, "If-None-Match": true, "If-Unmodified-Since": true, "Range": true, "User-Agent": true,
}

// forwarded are the headers that go on. The others are left behind: some of them
// choose another method, path or account behind a proxy or in an emulator, and
// what Connection names a proxy takes away. It returns false if one that goes on
// is there twice, of which readers take the first, the last or both.
func forwarded(h http.Header) (http.Header, bool) {
	out, ok := http.Header{}, true
	for name, values := range h {
		if !ordinary[name] && !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "Amz-Sdk-") {
			continue
		}
		out[name], ok = values, ok && len(values) == 1
	}
	return out, ok
}

// reserved are the paths under which an emulator, or S3's host itself, serves
// something else than buckets.
//
// https://docs.getmoto.org/en/latest/docs/server_mode.html
// https://docs.localstack.cloud/aws/capabilities/networking/internal-endpoints/
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
func reserved(requested string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+requested), "/"), "/")
	switch first {
	case "_aws", "_localstack", "v20180820", "favicon.ico", "latest":
		return true
	}
	return strings.HasPrefix(first, "moto-api")
}

// plain is a body of JSON that says nothing when it is read as a form, as moto
// does first.
func plain(p wire.Protocol, body []byte) []byte {
	if p != wire.JSON && p != wire.RESTJSON {
		return body
	}
	return bytes.ReplaceAll(body, []byte("&"), []byte(`\u0026`))
}
