package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Values of X-Amz-Content-Sha256 that are no hash of the body. S3 alone takes
// them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
const (
	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamed        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Verify reports whether the request, whose body is given, was signed with
// secret: its first line and its signed headers, the body as far as the client
// signs it, and the chunks of a streamed one. It compares in constant time. The
// data are the body without the frames of its chunks.
func (s Signature) Verify(r *http.Request, body []byte, secret string) (data []byte, ok bool) {
	// host binds the signature to this endpoint: AWS demands it signed.
	if !slices.Contains(s.SignedHeaders, "host") || !s.coversHeaders(r) {
		return nil, false
	}
	payload, ok := s.payloadHash(r, body)
	if !ok || !equal(s.sign(r, payload, secret), s.Signature) {
		return nil, false
	}
	return s.chunks(payload, body, secret)
}

// coversHeaders demands, as AWS does, that each x-amz header is signed: they say
// which operation is meant, which object is copied, and who may read the copy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (s Signature) coversHeaders(r *http.Request) bool {
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && name != "x-amz-content-sha256" && !slices.Contains(s.SignedHeaders, name) {
			return false
		}
	}
	return true
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// sign is the signature that the request would have with secret.
func (s Signature) sign(r *http.Request, payload, secret string) string {
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL, s.Service), canonicalQuery(r.URL.Query()),
		canonicalHeaders(r, s.SignedHeaders), strings.Join(s.SignedHeaders, ";"), payload,
	}, "\n")
	return s.seal(secret, algorithm, hash([]byte(canonical)))
}

// seal signs lines with the key of the credential scope. Every string to sign
// begins with its algorithm, the time and the scope.
func (s Signature) seal(secret, algorithm string, lines ...string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, "aws4_request"} {
		key = sum(key, part)
	}
	head := []string{algorithm, s.Stamp.Format(stampFormat), s.scope()}
	return hex.EncodeToString(sum(key, strings.Join(append(head, lines...), "\n")))
}

func sum(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func hash(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// payloadHash is the hash that the signature covers. It returns false if the
// request names a hash that is not its body's.
func (s Signature) payloadHash(r *http.Request, body []byte) (string, bool) {
	named := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case s.Service == "s3" && (named == unsignedPayload || named == streamed || named == streamedTrailer || named == unsignedTrailer):
		return named, true
	case s.Service == "s3" && named == "" && s.Lifetime > 0:
		return unsignedPayload, true
	}
	actual := hash(body)
	return actual, named == "" || named == actual
}

// canonicalPath encodes the path twice for every service but S3.
func canonicalPath(u *url.URL, service string) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if service == "s3" {
		return escape(u.Path, true)
	}
	return escape(path, true)
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, Escape(name)+"="+Escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// canonicalHeaders ends with a line break after the last header, as the
// canonical request demands.
func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		var v string
		switch name {
		case "host": // net/http takes these two out of the header
			v = r.Host
		case "content-length":
			v = strconv.FormatInt(r.ContentLength, 10)
		default:
			values := slices.Clone(r.Header.Values(name))
			for i := range values {
				values[i] = strings.Join(strings.Fields(values[i]), " ")
			}
			v = strings.Join(values, ",")
		}
		b.WriteString(strings.ToLower(name) + ":" + strings.TrimSpace(v) + "\n")
	}
	return b.String()
}

// Escape percent-encodes as RFC 3986 says and as AWS does for signatures and
// for policy documents: all but letters, digits and -_.~ .
func Escape(s string) string { return escape(s, false) }

// escape is Escape; slashes tells whether slashes stay as they are.
func escape(s string, slashes bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', slashes && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
