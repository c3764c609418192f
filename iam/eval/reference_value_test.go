package eval_test

import (
	"math/big"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
)

// arnMatches compares six parts one by one. Where a pattern has them only with
// its variables, those come first. What has fewer is in doubt if it matches as
// a text.
func (ref reference) arnMatches(doc *iam.Document, pattern, value string, keptOut bool) sure {
	unset := isNot
	if keptOut {
		unset = isDoubt
	}
	parts, got := splitPattern(doc.Version, pattern), strings.SplitN(value, ":", 6)
	if len(parts) == 6 {
		if len(got) != 6 {
			return isNot
		}
		out := is
		for i := range parts {
			out = min(out, ref.textMatches(doc, parts[i], got[i], true, unset))
		}
		return out
	}
	text, known := ref.substitute(doc, pattern, true, unset)
	if known != is {
		return known
	}
	want := splitRunes(text, 6)
	switch {
	case len(want) < 6 && slowMatch(text, []rune(value)):
		return isDoubt
	case len(want) < 6 || len(got) != 6:
		return isNot
	}
	for i := range want {
		if !slowMatch(want[i], []rune(got[i])) {
			return isNot
		}
	}
	return is
}

var variablePattern = regexp.MustCompile(`\$\{[^}]*\}`)

// splitPattern cuts at the first five colons, but leaves alone those of
// variables, where the version has them.
func splitPattern(version, pattern string) []string {
	if version != iam.Version2012 {
		return strings.SplitN(pattern, ":", 6)
	}
	const colon = "\x00"
	hidden := variablePattern.ReplaceAllStringFunc(pattern, func(v string) string { return strings.ReplaceAll(v, ":", colon) })
	parts := strings.SplitN(hidden, ":", 6)
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], colon, ":")
	}
	return parts
}

// splitRunes cuts at the first colons into at most n parts.
func splitRunes(text []rune, n int) [][]rune {
	var out [][]rune
	for len(out) < n-1 {
		i := slices.Index(text, ':')
		if i < 0 {
			break
		}
		out, text = append(out, text[:i]), text[i+1:]
	}
	return append(out, text)
}

func addressIn(policy []string, value string) sure {
	ip := net.ParseIP(value)
	if ip == nil {
		return isDoubt
	}
	four := strings.Contains(value, ".")
	return sureOf(slices.ContainsFunc(policy, func(p string) bool {
		if strings.Contains(p, ".") != four {
			return false
		}
		if _, network, err := net.ParseCIDR(p); err == nil {
			return network.Contains(ip)
		}
		return net.ParseIP(p).Equal(ip)
	}))
}

// compares is for the operators of numbers and dates.
func compares(operator string, policy []string, value string) sure {
	parse, word := number, strings.TrimPrefix(operator, "Numeric")
	if date, ok := strings.CutPrefix(operator, "Date"); ok {
		parse, word = moment, date
	}
	got := parse(value)
	if got == nil {
		return isDoubt
	}
	return sureOf(slices.ContainsFunc(policy, func(p string) bool {
		order := got.Cmp(parse(p))
		switch word {
		case "Equals":
			return order == 0
		case "LessThan":
			return order < 0
		case "LessThanEquals":
			return order <= 0
		case "GreaterThan":
			return order > 0
		}
		return order >= 0
	}))
}

func number(s string) *big.Rat {
	if r, ok := new(big.Rat).SetString(s); ok && !strings.ContainsAny(s, "eE/xX_pP") {
		return r
	}
	return nil
}

// moment is nanoseconds since 1970.
func moment(s string) *big.Rat {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return new(big.Rat).SetInt64(t.UnixNano())
		}
	}
	if r := number(s); r != nil && r.IsInt() && r.Sign() >= 0 {
		return r.Mul(r, big.NewRat(int64(time.Second), 1))
	}
	return nil
}

// The wildcards of a pattern, apart from the characters of the same look.
const (
	starRune rune = -1
	markRune rune = -2
)

func plainPattern(pattern string) []rune {
	out := []rune(pattern)
	for i, r := range out {
		switch r {
		case '*':
			out[i] = starRune
		case '?':
			out[i] = markRune
		}
	}
	return out
}

// anyText compares with patterns of which one is enough. A variable without a
// value matches nothing.
func (ref reference) anyText(doc *iam.Document, patterns []string, s string, wild bool) sure {
	return ref.anyTextUnset(doc, patterns, s, wild, isNot)
}

// anyTextKeptOut is anyText where matching keeps out: then it is in doubt what
// a variable without a value does.
func (ref reference) anyTextKeptOut(doc *iam.Document, patterns []string, s string, wild bool) sure {
	return ref.anyTextUnset(doc, patterns, s, wild, isDoubt)
}

func (ref reference) anyTextUnset(doc *iam.Document, patterns []string, s string, wild bool, unset sure) sure {
	out := isNot
	for _, pattern := range patterns {
		out = max(out, ref.textMatches(doc, pattern, s, wild, unset))
	}
	return out
}

func (ref reference) textMatches(doc *iam.Document, pattern, s string, wild bool, unset sure) sure {
	text, known := ref.substitute(doc, pattern, wild, unset)
	if known != is {
		return known
	}
	return sureOf(slowMatch(text, []rune(s)))
}

// substitute replaces variables from left to right; what comes out of one is
// literal.
func (ref reference) substitute(doc *iam.Document, pattern string, wild bool, unset sure) ([]rune, sure) {
	var out []rune
	for pattern != "" {
		if body, rest, ok := strings.Cut(strings.TrimPrefix(pattern, "${"), "}"); ok && doc.Version == iam.Version2012 && strings.HasPrefix(pattern, "${") {
			pattern = rest
			key, fallback, hasDefault := strings.Cut(body, ", ")
			values, present := ref.context[strings.ToLower(key)]
			switch {
			case body == "*" || body == "?" || body == "$":
				out = append(out, []rune(body)...)
			case present && len(values) > 1:
				return nil, isDoubt
			case present:
				out = append(out, []rune(values[0])...)
			case hasDefault:
				out = append(out, []rune(strings.Trim(fallback, "'"))...)
			default:
				return nil, unset
			}
			continue
		}
		r := []rune(pattern)[0]
		pattern = pattern[len(string(r)):]
		if wild {
			out = append(out, plainPattern(string(r))...)
		} else {
			out = append(out, r)
		}
	}
	return out, is
}

func slowMatch(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == starRune:
		return slowMatch(pattern[1:], s) || len(s) > 0 && slowMatch(pattern, s[1:])
	case len(s) == 0:
		return false
	}
	return (pattern[0] == markRune || pattern[0] == s[0]) && slowMatch(pattern[1:], s[1:])
}
