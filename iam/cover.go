package iam

import (
	"slices"
	"unicode/utf8"
)

// Covers reports whether every string that matches narrow also matches wide.
// It is never wrong when it says true. When it says false it is right for
// every pair of patterns it meets in practice: only a wide pattern full of '?'
// between stars, against a narrow one with many stars, can exceed its bound
// (maxCoverStates) and get a cautious false.
func Covers(wide, narrow string) bool { return covers(wide, narrow, false) }

// CoversFold is Covers without regard to the case of ASCII letters.
func CoversFold(wide, narrow string) bool { return covers(wide, narrow, true) }

// Overlaps reports whether some string matches both patterns. It is exact.
func Overlaps(a, b string) bool {
	return !startApart(a, b, false) && overlaps(tokens(a, false), tokens(b, false))
}

// OverlapsFold is Overlaps without regard to the case of ASCII letters.
func OverlapsFold(a, b string) bool {
	return !startApart(a, b, true) && overlaps(tokens(a, true), tokens(b, true))
}

// startApart reports whether two patterns differ before the first wildcard of
// either, as most do that have nothing in common.
func startApart(a, b string, fold bool) bool {
	for i := range min(len(a), len(b)) {
		switch x, y := a[i], b[i]; {
		case isWild(x) || isWild(y):
			return false
		case x != y && !(fold && lower(x) == lower(y)):
			return true
		}
	}
	return false
}

// startsWider reports whether narrow begins with all that wide spells out
// before its first wildcard. Where it has a wildcard instead, it matches
// strings that wide does not.
func startsWider(wide, narrow string, fold bool) bool {
	for i := range len(wide) {
		switch c := wide[i]; {
		case isWild(c):
			return true
		case i == len(narrow) || c != narrow[i] && !(fold && lower(c) == lower(narrow[i])):
			return false
		}
	}
	return true
}

func isWild(c byte) bool { return c == '*' || c == '?' }

// token is one unit of a pattern: a character, or one of the following.
type token = rune

const (
	anyRun  token = -1 // '*'
	anyOne  token = -2 // '?'
	unnamed token = -3 // a character that neither pattern spells out
	rawByte token = utf8.MaxRune + 1
)

// tokens cuts a pattern into tokens. Bytes that are not UTF-8 become tokens of
// their own, as Match compares them. Runs of stars become one, and in a run
// like "*?" the '?' goes first: the meaning is the same.
func tokens(pattern string, fold bool) []token {
	out := make([]token, 0, len(pattern))
	for i := 0; i < len(pattern); {
		r, n := utf8.DecodeRuneInString(pattern[i:])
		c := pattern[i]
		i += n
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, rawByte+token(c))
		case c == '*':
			if len(out) == 0 || out[len(out)-1] != anyRun {
				out = append(out, anyRun)
			}
		case c == '?':
			if len(out) > 0 && out[len(out)-1] == anyRun {
				out[len(out)-1] = anyOne
				out = append(out, anyRun)
			} else {
				out = append(out, anyOne)
			}
		case fold && n == 1:
			out = append(out, token(lower(c)))
		default:
			out = append(out, r)
		}
	}
	return out
}

func overlaps(a, b []token) bool {
	// common[j] says whether a[i:] and b[j:] have a string in common, for the
	// row i being computed; next is row i+1.
	next := make([]bool, len(b)+1)
	common := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			common[j] = overlapAt(a[i:], b[j:], common, next, j)
		}
		common, next = next, common
	}
	return next[0]
}

func overlapAt(a, b []token, common, next []bool, j int) bool {
	switch {
	case len(a) == 0 && len(b) == 0:
		return true
	case len(a) > 0 && a[0] == anyRun:
		return next[j] || len(b) > 0 && common[j+1]
	case len(b) > 0 && b[0] == anyRun:
		return common[j+1] || len(a) > 0 && next[j]
	case len(a) == 0 || len(b) == 0:
		return false
	}
	return (a[0] == b[0] || a[0] == anyOne || b[0] == anyOne) && next[j+1]
}

func covers(wide, narrow string, fold bool) bool {
	if wide == "*" || wide == narrow {
		return true
	}
	if !startsWider(wide, narrow, fold) {
		return false
	}
	if !HasWildcard(narrow) {
		return match(wide, narrow, fold)
	}
	return coverTokens(tokens(wide, fold), tokens(narrow, fold))
}

// maxCoverStates bounds the sets of states that coverTokens follows at a time.
const maxCoverStates = 1024

// coverTokens decides inclusion. Where narrow leaves a character open, the
// hardest case for wide is a character that it does not spell out; so it is
// enough to run wide over narrow with '?' read as one unnamed character and
// '*' as any number of them, and to accept if every such run accepts. A run is
// the set of places in wide that can be reached; the number of unnamed
// characters is open, so several runs are followed at once. For a wide pattern
// without '?' a run is fixed by one place, so there are at most len(wide).
func coverTokens(wide, narrow []token) bool {
	runs := []places{start(wide)}
	for _, t := range narrow {
		switch t {
		case anyRun:
			runs = closure(wide, runs)
		case anyOne:
			runs = step(wide, runs, unnamed)
		default:
			runs = step(wide, runs, t)
		}
		if len(runs) == 0 || len(runs) > maxCoverStates {
			return false
		}
	}
	for _, r := range runs {
		if !slices.Contains(r, len(wide)) {
			return false
		}
	}
	return true
}

// places is a sorted set of indexes into wide: what is still to be matched.
// It begins at the last star reached: whatever an earlier place accepts, that
// star accepts too.
type places []int

func start(wide []token) places { return settle(wide, places{0}) }

// settle adds what a star lets skip and drops what the last star makes moot.
func settle(wide []token, ps places) places {
	out := make(places, 0, len(ps)+1)
	for _, p := range ps {
		out = append(out, p)
		if p < len(wide) && wide[p] == anyRun {
			out = append(out, p+1)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i] < len(wide) && wide[out[i]] == anyRun {
			return out[i:]
		}
	}
	return out
}

// advance reads one character. An empty result is a run that cannot accept.
func advance(wide []token, ps places, t token) places {
	out := make(places, 0, len(ps)+1)
	for _, p := range ps {
		switch {
		case p == len(wide):
		case wide[p] == anyRun:
			out = append(out, p)
		case wide[p] == t || wide[p] == anyOne:
			out = append(out, p+1)
		}
	}
	return settle(wide, out)
}

// step advances every run; nil if one of them cannot accept any more.
func step(wide []token, runs []places, t token) []places {
	out := make([]places, 0, len(runs))
	for _, r := range runs {
		next := advance(wide, r, t)
		if len(next) == 0 {
			return nil
		}
		out = addRun(out, next)
	}
	return out
}

// closure follows every run over zero, one, two, … unnamed characters until
// nothing new comes; nil if one of them cannot accept any more.
func closure(wide []token, runs []places) []places {
	out := slices.Clone(runs)
	for i := 0; i < len(out); i++ {
		next := advance(wide, out[i], unnamed)
		if len(next) == 0 {
			return nil
		}
		out = addRun(out, next)
		if len(out) > maxCoverStates {
			return out
		}
	}
	return out
}

func addRun(runs []places, r places) []places {
	for _, have := range runs {
		if slices.Equal(have, r) {
			return runs
		}
	}
	return append(runs, r)
}
