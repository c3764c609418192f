// Package suggest finds the word that a user probably meant. It guesses only
// when the guess is near: a wrong "did you mean" costs more than none.
package suggest

import "strings"

// Nearest returns the candidate closest to word, or "" when none is near.
// Near means at most one edit in three characters, or that one is the other's
// beginning ("ecr" of "ecr-docker-push", if no other candidate begins so).
// Case, "-", "_" and a plural do not count. Of two equally near the first wins.
func Nearest(word string, candidates []string) string {
	want := fold(word)
	if len(want) == 0 || len(want) > maxLength {
		return ""
	}
	best, bestDistance := "", 1+allowed(len(want))
	for _, c := range candidates {
		have := fold(c)
		if len(have) > maxLength {
			continue
		}
		if d := distance(want, have); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return onlyBeginning(want, candidates)
	}
	return best
}

// maxLength bounds the quadratic comparison; longer words are not typing errors.
const maxLength = 128

// allowed is the number of edits within which a word of n characters is near.
func allowed(n int) int {
	if n == 1 {
		return 0 // every other letter would be near
	}
	return max(1, n/3)
}

// joints are what people forget between the parts of a name.
var joints = strings.NewReplacer("-", "", "_", "")

// fold reduces a word to the characters that people remember.
func fold(s string) []rune {
	s = joints.Replace(strings.ToLower(s))
	if one, plural := strings.CutSuffix(s, "ies"); plural && one != "" {
		return []rune(one + "y")
	}
	return []rune(s)
}

// onlyBeginning returns the one candidate that begins with want.
func onlyBeginning(want []rune, candidates []string) string {
	if len(want) < 3 {
		return ""
	}
	found := ""
	for _, c := range candidates {
		if !strings.HasPrefix(string(fold(c)), string(want)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}

// distance is the optimal string alignment distance: the fewest insertions,
// deletions, replacements and swaps of neighbours that turn a into b.
func distance(a, b []rune) int {
	before := make([]int, len(b)+1) // row i-2
	last := make([]int, len(b)+1)   // row i-1
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost(a[i], b[j]))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func cost(a, b rune) int {
	if a == b {
		return 0
	}
	return 1
}
