package wire

import (
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// clear tells whether a request's frame leaves one way to read its body.
// Emulators choose a reader by the content type, and some of AWS's services
// take compressed bodies.
func (s service) clear(r Request) bool {
	encoding := r.Header.Get("Content-Encoding")
	if s.protocol != RESTS3 && encoding != "" && encoding != "amz-1.0" { // the Java SDK's word for none
		return false
	}
	if s.protocol != JSON && r.Target != "" { // an emulator would go by it
		return false
	}
	return len(r.Body) == 0 || s.protocol.takes(r.Type)
}

// bodyTypes are the media types of a protocol's bodies.
//
// https://smithy.io/2.0/aws/protocols/index.html
var bodyTypes = map[Protocol][]string{
	Query: {formType}, EC2: {formType},
	JSON: {"application/x-amz-json-1.0", json11, "application/json"}, RESTJSON: {"application/json"},
	RESTXML: {"application/xml", "text/xml"},
}

const formType = "application/x-www-form-urlencoded"

// takes tells whether a body of this type is read as the protocol's. An object
// of S3's is of any type, save those whose parts an emulator takes for
// parameters.
func (p Protocol) takes(contentType string) bool {
	if contentType == "" {
		return p != Query && p != EC2
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if p == RESTS3 {
		return err == nil && kind != formType && kind != "multipart/form-data"
	}
	charset, given := params["charset"]
	return err == nil && slices.Contains(bodyTypes[p], kind) && (len(params) == 0 || given && len(params) == 1 && strings.EqualFold(charset, "utf-8"))
}

// unframed tells whether the body of a request for S3 can be read: the frames of
// a streamed or compressed one would be read by some.
func unframed(h http.Header) bool {
	return h.Get("Content-Encoding") == "" && !strings.HasPrefix(h.Get("X-Amz-Content-Sha256"), "STREAMING-")
}

// bucketName leaves out the ARNs of access points, and what only an emulator
// takes for a path of its own, such as "_localstack".
//
// It is compiled when it is needed: 253 repetitions take a millisecond, which
// every command would pay, and sshd waits for one at each login.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
})

// straight tells whether a path means the same with and without being
// resolved.
func straight(path string) bool {
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// legible tells whether a text survives each decoder as it is.
func legible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) })
}

// isName tells whether a value can be the name of one thing in an ARN.
func isName(v string) bool { return v != "" && !strings.ContainsAny(v, "/:") }

// isAccount tells whether a value is the id of an account.
func isAccount(v string) bool { return len(v) == 12 && strings.Trim(v, "0123456789") == "" }
