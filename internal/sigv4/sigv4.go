// Package sigv4 reads and verifies Signature Version 4, the way in which AWS's
// clients sign requests: in the Authorization header, in a presigned URL, and
// chunk by chunk in the bodies that S3's clients stream. It holds no keys and
// knows no users.
package sigv4

import (
	"fmt"
	"net/http"
	"net/url"
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
)

// Signature is what a request says about how it was signed.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
type Signature struct {
	KeyID, Date, Region, Service string // the credential scope
	SignedHeaders                []string
	Signature                    string // hex
	Stamp                        time.Time
	Token                        string        // session token; may be empty
	Lifetime                     time.Duration // presigned requests only; else 0
}

func (s Signature) scope() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/aws4_request"
}

// Authorization is the Authorization header that carries the signature,
// wherever it stood: the credential first, as AWS's clients write it.
func (s Signature) Authorization() string {
	return algorithm + " Credential=" + s.KeyID + "/" + s.scope() + ", SignedHeaders=" + strings.Join(s.SignedHeaders, ";") + ", Signature=" + s.Signature
}

// Incomplete is the error of a signature that lacks a part or has it in the
// wrong shape, in AWS's words.
type Incomplete struct{ Message string }

func (e Incomplete) Error() string { return e.Message }

// Parse reads a request's signature from its Authorization header or its
// query. It returns false if the request carries none. The error is of type
// Incomplete; beside it stands what could be read.
func Parse(r *http.Request) (Signature, bool, error) {
	header := r.Header.Get("Authorization")
	if len(r.Header.Values("Authorization")) > 1 {
		return Signature{}, true, Incomplete{"Only one Authorization header is allowed"}
	}
	if query := r.URL.Query(); query.Has("X-Amz-Algorithm") {
		if header != "" { // whoever reads the other one would see another caller
			return Signature{}, true, Incomplete{"Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified"}
		}
		s, err := parsePresigned(query)
		return s, true, err
	}
	if header == "" {
		return Signature{}, false, nil
	}
	s, err := parseAuthorization(header)
	if err != nil {
		return Signature{}, true, err
	}
	s.Token = r.Header.Get("X-Amz-Security-Token")
	stamp := r.Header.Get("X-Amz-Date")
	if s.Stamp, err = time.Parse(stampFormat, stamp); err != nil {
		return s, true, Incomplete{"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	}
	return s, true, nil
}

// parseAuthorization reads an Authorization header.
func parseAuthorization(header string) (Signature, error) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return Signature{}, Incomplete{"Unsupported AWS 'algorithm': '" + firstWord(header) + "'."}
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || parts[name] != "" {
			return Signature{}, Incomplete{fmt.Sprintf("'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", part, header)}
		}
		parts[name] = v
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			return Signature{}, Incomplete{"Authorization header requires '" + name + "' parameter. Authorization=" + algorithm}
		}
	}
	s := Signature{SignedHeaders: strings.Split(parts["SignedHeaders"], ";"), Signature: parts["Signature"]}
	return s, s.setCredential(parts["Credential"])
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

func (s *Signature) setCredential(credential string) error {
	p := strings.Split(credential, "/")
	if len(p) != 5 || p[4] != "aws4_request" || p[0] == "" || !word(p[2]) || !word(p[3]) {
		return Incomplete{"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + credential + "'"}
	}
	s.KeyID, s.Date, s.Region, s.Service = p[0], p[1], p[2], p[3]
	return nil
}

// word tells whether s is written as regions and services are. A comma in one
// would end the credential for some.
func word(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func parsePresigned(query url.Values) (Signature, error) {
	if query.Get("X-Amz-Algorithm") != algorithm {
		return Signature{}, Incomplete{"Unsupported AWS 'algorithm': '" + query.Get("X-Amz-Algorithm") + "'."}
	}
	s := Signature{
		SignedHeaders: strings.Split(query.Get("X-Amz-SignedHeaders"), ";"),
		Signature:     query.Get("X-Amz-Signature"), Token: query.Get("X-Amz-Security-Token"),
	}
	if err := s.setCredential(query.Get("X-Amz-Credential")); err != nil {
		return Signature{}, err
	}
	var err error
	if s.Stamp, err = time.Parse(stampFormat, query.Get("X-Amz-Date")); err != nil {
		return Signature{}, Incomplete{"AWS query-string parameters must include 'X-Amz-Date'."}
	}
	s.Lifetime = defaultPresign
	if !query.Has("X-Amz-Expires") {
		return s, nil
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > int(maxPresign/time.Second) {
		return Signature{}, Incomplete{"X-Amz-Expires must be a number of seconds between 1 and 604800."}
	}
	s.Lifetime = time.Duration(seconds) * time.Second
	return s, nil
}

// CheckTime says in AWS's words why a request's time is refused; empty: it is
// accepted.
func (s Signature) CheckTime(now time.Time) string {
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
