package lint

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Guess says what type of policy a document most likely is, and by what it
// tells, for people to check. Both are empty for a text without statements.
func Guess(src []byte) (Type, string) { return guess(read(src)) }

func guess(d *document) (Type, string) {
	if len(d.statements) == 0 {
		return "", ""
	}
	var principal, resource, role, other, denyAll bool
	for _, s := range d.statements {
		principal = principal || s.has(principals, notPrincipal)
		resource = resource || s.has(resources, notResource)
		for _, a := range s.values(actions) {
			if assumes(a.text) {
				role = true
			} else {
				other = true
			}
		}
		denyAll = denyAll || s.denies() && s.principals[principals] != nil && s.principals[principals].everyone
	}
	switch {
	case !principal && !resource && role && !other:
		return Trust, "it allows sts actions and names no resource"
	case !principal:
		return Identity, "it names no principal"
	case denyAll && onlyDenials(d):
		return RCP, `it denies to principal "*" and allows nothing`
	case !resource && !other:
		return Trust, "it names principals and no resource"
	case role && !other:
		return Trust, "it names principals and only actions that assume roles"
	}
	return Resource, "it names principals and resources"
}

// onlyDenials reports whether all statements deny something to everyone, in
// the one form that resource control policies have.
func onlyDenials(d *document) bool {
	for _, s := range d.statements {
		p := s.principals[principals]
		if !s.denies() || p == nil || !p.everyone || !s.has(actions) || !stars(s.values(resources)) {
			return false
		}
	}
	return true
}

// stars reports whether all values are "*".
func stars(values []*node) bool {
	for _, v := range values {
		if v.text != "*" {
			return false
		}
	}
	return len(values) > 0
}

// assumes reports whether an action belongs into a trust policy.
func assumes(action string) bool {
	for _, a := range roleActions {
		if strings.EqualFold(a, action) {
			return true
		}
	}
	return false
}

// NoPolicy is what Candidate says of JSON that nobody could take for a policy.
const NoPolicy = "no policy"

// Candidate says whether a text from a folder of JSON is meant to be a policy,
// however broken it is: it has a Statement, misspelt perhaps, or the Version of
// the language. Of others it says what they are: "not JSON".
func Candidate(src []byte) (ok bool, other string) {
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	var members map[string]json.RawMessage
	err := json.Unmarshal(src, &members)
	for name, value := range members {
		ok = ok || nearest(name, []string{"Statement"}) != "" || name == "Version" && isVersion(value)
	}
	plain := bytes.ReplaceAll(src, []byte{0}, nil) // of UTF-16
	inside := bytes.Contains(plain, []byte(`"Statement"`))
	switch {
	case ok:
		return true, ""
	case len(bytes.TrimSpace(src)) == 0:
		return false, "empty"
	case !json.Valid(src):
		return inside, "not JSON"
	case members["Effect"] != nil || err != nil && bytes.Contains(src, []byte(`"Effect"`)):
		return false, "statements without a policy around them"
	case inside:
		return false, "no policy, but there is one in it"
	}
	return false, NoPolicy
}

// isVersion reports whether a value is a date, as the language's versions are.
func isVersion(value json.RawMessage) bool {
	return bytes.HasPrefix(value, []byte(`"20`)) && bytes.Contains(value, []byte("-"))
}
