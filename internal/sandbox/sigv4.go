package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	stampFormat = "20060102T150405Z"
	maxSkew     = 5 * time.Minute
	maxPresign  = 7 * 24 * time.Hour
	// defaultPresign is how long STS takes a presigned URL that does not say.
	defaultPresign = 15 * time.Minute

	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamedPayload = "STREAMING-"
)

// signature is what a request says about how it was signed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
type signature struct {
	KeyID, Date, Region, Service string // the credential scope
	SignedHeaders                []string
	Signature                    string // hex
	Stamp                        time.Time
	Token                        string        // session token; may be empty
	Lifetime                     time.Duration // presigned requests only; else 0
}

func (s signature) scope() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/aws4_request"
}

// incomplete is a signature that lacks a part or has it in the wrong shape.
type incomplete struct{ message string }

func (e incomplete) Error() string { return e.message }

// parseSignature reads a request's signature from its Authorization header or
// its query. It returns false if the request carries none; the error is of
// type incomplete.
func parseSignature(r *http.Request) (signature, bool, error) {
	if query := r.URL.Query(); query.Has("X-Amz-Algorithm") {
		s, err := parsePresigned(query)
		return s, true, err
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return signature{}, false, nil
	}
	s, err := parseAuthorization(header)
	if err != nil {
		return signature{}, true, err
	}
	s.Token = r.Header.Get("X-Amz-Security-Token")
	stamp := r.Header.Get("X-Amz-Date")
	if s.Stamp, err = time.Parse(stampFormat, stamp); err != nil {
		return signature{}, true, incomplete{"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	}
	return s, true, nil
}

// parseAuthorization reads an Authorization header.
func parseAuthorization(header string) (signature, error) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return signature{}, incomplete{"Unsupported AWS 'algorithm': '" + firstWord(header) + "'."}
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || parts[name] != "" {
			return signature{}, incomplete{fmt.Sprintf("'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", part, header)}
		}
		parts[name] = v
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			return signature{}, incomplete{"Authorization header requires '" + name + "' parameter. Authorization=" + algorithm}
		}
	}
	s := signature{SignedHeaders: strings.Split(parts["SignedHeaders"], ";"), Signature: parts["Signature"]}
	return s, s.setCredential(parts["Credential"])
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

func (s *signature) setCredential(credential string) error {
	p := strings.Split(credential, "/")
	if len(p) != 5 || p[4] != "aws4_request" || p[0] == "" || p[2] == "" || p[3] == "" {
		return incomplete{"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + credential + "'"}
	}
	s.KeyID, s.Date, s.Region, s.Service = p[0], p[1], p[2], p[3]
	return nil
}

func parsePresigned(query url.Values) (signature, error) {
	if query.Get("X-Amz-Algorithm") != algorithm {
		return signature{}, incomplete{"Unsupported AWS 'algorithm': '" + query.Get("X-Amz-Algorithm") + "'."}
	}
	s := signature{
		SignedHeaders: strings.Split(query.Get("X-Amz-SignedHeaders"), ";"),
		Signature:     query.Get("X-Amz-Signature"), Token: query.Get("X-Amz-Security-Token"),
	}
	if err := s.setCredential(query.Get("X-Amz-Credential")); err != nil {
		return signature{}, err
	}
	var err error
	if s.Stamp, err = time.Parse(stampFormat, query.Get("X-Amz-Date")); err != nil {
		return signature{}, incomplete{"AWS query-string parameters must include 'X-Amz-Date'."}
	}
	s.Lifetime = defaultPresign
	if !query.Has("X-Amz-Expires") {
		return s, nil
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > int(maxPresign/time.Second) {
		return signature{}, incomplete{"X-Amz-Expires must be a number of seconds between 1 and 604800."}
	}
	s.Lifetime = time.Duration(seconds) * time.Second
	return s, nil
}

// checkTime says in AWS's words why a request's time is refused; empty: it is
// accepted.
func (s signature) checkTime(now time.Time) string {
	stamp, at := s.Stamp.Format(stampFormat), now.UTC().Format(stampFormat)
	lifetime, allowance := maxSkew, "5 min."
	if s.Lifetime > 0 {
		lifetime = s.Lifetime
	}
	switch {
	case now.Sub(s.Stamp) > lifetime:
		return "Signature expired: " + stamp + " is now earlier than " + now.Add(-lifetime).UTC().Format(stampFormat) + " (" + at + " - " + allowance + ")"
	case s.Stamp.Sub(now) > maxSkew:
		return "Signature not yet current: " + stamp + " is still later than " + now.Add(maxSkew).UTC().Format(stampFormat) + " (" + at + " + " + allowance + ")"
	case s.Stamp.Format("20060102") != s.Date:
		return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" + s.Date + "' != '" + s.Stamp.Format("20060102") + "', from '" + stamp + "'."
	}
	return ""
}

// verify reports whether the request was signed with secret. It compares in
// constant time.
func (s signature) verify(r *http.Request, body []byte, secret string) bool {
	// host binds the signature to this endpoint: AWS demands it signed.
	if !slices.Contains(s.SignedHeaders, "host") {
		return false
	}
	payload, ok := payloadHash(r, body, s.Lifetime > 0)
	if !ok {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(s.sign(r, payload, secret)), []byte(s.Signature)) == 1
}

// sign is the signature that the request would have with secret.
func (s signature) sign(r *http.Request, payload, secret string) string {
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL, s.Service), canonicalQuery(r.URL.Query()),
		canonicalHeaders(r, s.SignedHeaders), strings.Join(s.SignedHeaders, ";"), payload,
	}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{algorithm, s.Stamp.Format(stampFormat), s.scope(), hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, "aws4_request"} {
		key = sum(key, part)
	}
	return hex.EncodeToString(sum(key, toSign))
}

func sum(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// payloadHash is the hash that the signature covers. It returns false if the
// request names a hash that is not its body's.
func payloadHash(r *http.Request, body []byte, presigned bool) (string, bool) {
	digest := sha256.Sum256(body)
	actual := hex.EncodeToString(digest[:])
	named := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case named == "" && presigned && strings.EqualFold(r.Method, http.MethodGet) && r.URL.Path != "/":
		return unsignedPayload, true // S3's presigned downloads
	case named == "":
		return actual, true
	case named == unsignedPayload || strings.HasPrefix(named, streamedPayload):
		return named, true
	}
	return named, named == actual
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
			pairs = append(pairs, escape(name, false)+"="+escape(v, false))
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

// escape percent-encodes as RFC 3986 says and as AWS does for signatures and
// for policy documents: all but letters, digits and -_.~ .
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
