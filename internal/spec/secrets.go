package spec

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// secretForms are the credentials whose look gives them away. The text itself
// is never repeated in a message.
var secretForms = []struct {
	what    string
	pattern func() *regexp.Regexp
}{
	{"an AWS access key", lazily(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{"a GitHub token", lazily(`\b(gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})`)},
	{"a GitLab token", lazily(`\bglpat-[A-Za-z0-9_-]{16,}`)},
	{"a Vault token", lazily(`\bhv[sbr]\.[A-Za-z0-9_-]{16,}`)},
	{"a JSON web token", lazily(`\beyJ[A-Za-z0-9_-]{16,}\.`)},
	{"a private key", lazily(`-----BEGIN [A-Z ]*PRIVATE KEY|AGE-SECRET-KEY-1`)},
}

const secretHint = "write env:NAME or file:PATH where a sink needs a secret, and revoke this one: a spec is shared"

// findSecrets reports every text of the file that is a credential.
func findSecrets(r *reader, n *yaml.Node) {
	if isScalar(n) {
		reportSecret(r, n)
	}
	for _, child := range n.Content {
		findSecrets(r, child)
	}
}

func reportSecret(r *reader, n *yaml.Node) {
	if what := secretIn(n.Value); what != "" {
		r.report.addSecret(r.pos(n), fmt.Sprintf("this looks like %s; a secret never stands in a spec", what), secretHint)
	}
}

// secretIn says what credential a text holds; empty if none shows.
func secretIn(text string) string {
	for _, f := range secretForms {
		if f.pattern().MatchString(text) {
			return f.what
		}
	}
	return ""
}

// randomLooking recognises a password or key of unknown make in a sink's
// setting: long, without separators that paths and addresses have, of several
// kinds of character, and with the entropy of chance.
func randomLooking(s string) bool {
	const (
		shortest   = 24
		minEntropy = 4.0 // bits per character; English words have below 3.5
	)
	if len(s) < shortest || strings.HasPrefix(s, "env:") || strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "arn:") {
		return false
	}
	return base64Text().MatchString(s) &&
		strings.ContainsAny(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz") && strings.ContainsAny(s, "0123456789") &&
		entropy(s) >= minEntropy
}

var base64Text = lazily(`^[A-Za-z0-9+/_-]+={0,2}$`)

// entropy is Shannon's, in bits per byte of s.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
