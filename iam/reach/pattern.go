package reach

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

func hasVariables(pattern string) bool { return strings.Contains(pattern, "${") }

// freeVariables lets each policy variable stand for anything.
func freeVariables(pattern string) string { return iam.ReplaceVariables(pattern, "*") }

// partsBeforeResource is how many parts of an ARN come before the resource.
// They hold no colon.
const partsBeforeResource = 5

// overlapsAction reports whether some action matches both patterns. Most are
// the names of actions, for which no search is needed.
func overlapsAction(a, b string) bool {
	switch {
	case !iam.HasWildcard(a):
		return iam.MatchFold(b, a)
	case !iam.HasWildcard(b):
		return iam.MatchFold(a, b)
	}
	return iam.OverlapsFold(a, b)
}

// overlapsARN reports whether some ARN that the question is about matches the
// pattern. In the question, if it has all parts of an ARN, a wildcard of the
// first five stays within its part, as the parts of an ARN do; in the pattern
// it reaches past colons, as AWS reads policies.
func overlapsARN(question, pattern string) bool {
	switch {
	case question == "*" || pattern == "*":
		return true
	case !iam.HasWildcard(question):
		return iam.Match(pattern, question)
	case question == pattern:
		return true
	case startApart(question, pattern):
		return false
	}
	q := []rune(question)
	resource := resourceAt(q)
	return overlaps(q, []rune(pattern), func(i int, c rune) bool { return i >= resource || c != ':' })
}

// startApart reports whether two patterns differ before the first wildcard of
// either.
func startApart(a, b string) bool {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		switch {
		case x == '*' || x == '?' || y == '*' || y == '?':
			return false
		case x != y:
			return true
		}
	}
	return false
}

// overlaps reports whether some string matches both patterns, where a wildcard
// of a at index i stands only for characters that fit.
func overlaps(a, b []rune, fits func(i int, c rune) bool) bool {
	// common[j] says whether a[i:] and b[j:] have a string in common, for the row
	// i being computed; next is row i+1.
	next, common := make([]bool, len(b)+1), make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			rest := func(c rune) bool { return c == '*' || c == '?' || fits(i, c) }
			common[j] = overlapAt(a[i:], b[j:], rest, common, next, j)
		}
		common, next = next, common
	}
	return next[0]
}

func overlapAt(a, b []rune, fits func(rune) bool, common, next []bool, j int) bool {
	switch {
	case len(a) == 0 && len(b) == 0:
		return true
	case len(a) > 0 && a[0] == '*':
		return next[j] || len(b) > 0 && fits(b[0]) && common[j+1]
	case len(b) > 0 && b[0] == '*':
		return common[j+1] || len(a) > 0 && next[j]
	case len(a) == 0 || len(b) == 0:
		return false
	case a[0] == '?':
		return fits(b[0]) && next[j+1]
	}
	return (a[0] == b[0] || b[0] == '?') && next[j+1]
}

// resourceAt is where the resource of an ARN pattern begins; 0 if the pattern
// has not all parts.
func resourceAt(arn []rune) int {
	if !strings.HasPrefix(string(arn), "arn:") {
		return 0
	}
	colons := 0
	for i, c := range arn {
		if c == ':' {
			colons++
		}
		if colons == partsBeforeResource {
			return i + 1
		}
	}
	return 0
}
