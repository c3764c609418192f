package iam

import (
	"strings"
	"unicode/utf8"
)

// Match reports whether s as a whole matches the pattern: '*' stands for any
// number of characters (slashes and colons too), '?' for exactly one, and
// everything else for itself, in the same case.
//
// Of all stars only the last one is ever retried, because an earlier star could
// only give the rest of the pattern less of the string. Text after a star is
// searched for in the length of the string; where that has '?' or letters of
// either case, and much has been tried in vain, in its length for each 64
// characters of the text. Only that last way allocates.
func Match(pattern, s string) bool { return match(pattern, s, false) }

// MatchFold is Match without regard to the case of ASCII letters, as action
// names are compared.
func MatchFold(pattern, s string) bool { return match(pattern, s, true) }

// HasWildcard reports whether a pattern holds '*' or '?', and so stands for more
// than itself.
func HasWildcard(pattern string) bool {
	return strings.IndexByte(pattern, '*') >= 0 || strings.IndexByte(pattern, '?') >= 0
}

// ReplaceVariables puts a text for every ${variable} of a pattern or template,
// and for one that nothing closes with all that follows.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func ReplaceVariables(pattern, with string) string {
	before, rest, found := strings.Cut(pattern, "${")
	if !found {
		return pattern
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		b.WriteString(with)
		_, after, _ := CutVariable(rest)
		before, rest, found = strings.Cut(after, "${")
	}
	b.WriteString(before)
	return b.String()
}

// CutVariable cuts what follows "${" at the brace that closes the variable; one
// in a quoted default is part of that. If none does, body is all of the text.
func CutVariable(text string) (body, after string, closed bool) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == '}' && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// patience is how many characters may match in vain before the rest is searched
// for in a way that is slower to begin and never looks back.
const patience = 1024

func match(pattern, s string, fold bool) bool {
	p, i := 0, 0
	star, retry := -1, 0 // pattern index after the last star; where it stops eating
	vain := 0
	for i < len(s) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				p++
				if text, ok := plain(pattern[p:]); ok && !fold {
					if p += len(text); p == len(pattern) {
						return strings.HasSuffix(s[i:], text)
					}
					at := strings.Index(s[i:], text)
					if at < 0 {
						return false
					}
					i += at + len(text)
					continue
				}
				star, retry = p, i
				continue
			case c == '?':
				p++
				i += width(s, i)
				continue
			case c == s[i] || fold && lower(c) == lower(s[i]):
				p++
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		if vain += i - retry; vain > patience && utf8.ValidString(pattern[star:]) {
			return matchLong(pattern[star:], s[retry:], fold)
		}
		retry += width(s, retry)
		p, i = star, retry
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchLong is match for what follows a star, text by text.
func matchLong(pattern, s string, fold bool) bool {
	for {
		text, rest, more := strings.Cut(pattern, "*")
		search := newSearch(text, fold)
		if !more {
			return search.atEnd(s)
		}
		end := search.first(s)
		if end < 0 {
			return false
		}
		pattern, s = rest, s[end:]
	}
}

// search looks for a text with '?' in one pass over a string: it keeps a bit
// for each beginning of the text that has been found to end here.
//
// R. Baeza-Yates, G. Gonnet: A New Approach to Text Searching, CACM 35 (1992).
type search struct {
	fold  bool
	found []uint64          // bit n: the first n+1 characters end here
	any   []uint64          // where '?' stands in the text
	at    map[rune][]uint64 // where each character stands, '?' included
	last  uint64            // the bit of the whole text, in the last word
}

func newSearch(text string, fold bool) *search {
	words := max(1, (utf8.RuneCountInString(text)+63)/64)
	sr := &search{fold: fold, found: make([]uint64, words), any: make([]uint64, words), at: map[rune][]uint64{}}
	n := 0
	for _, c := range text {
		word, bit := n/64, uint64(1)<<(n%64)
		if n++; c == '?' {
			sr.any[word] |= bit
		} else {
			sr.mark(c, word, bit)
		}
		sr.last = bit
	}
	for _, at := range sr.at {
		for i := range at {
			at[i] |= sr.any[i]
		}
	}
	return sr
}

func (sr *search) mark(c rune, word int, bit uint64) {
	c = sr.char(c)
	if sr.at[c] == nil {
		sr.at[c] = make([]uint64, len(sr.any))
	}
	sr.at[c][word] |= bit
}

func (sr *search) char(c rune) rune {
	if sr.fold && c < utf8.RuneSelf {
		return rune(lower(byte(c)))
	}
	return c
}

// first is where in s the text first ends; -1 if nowhere.
func (sr *search) first(s string) int {
	if sr.last == 0 { // no text
		return 0
	}
	for i := 0; i < len(s); {
		n := width(s, i)
		if sr.step(s[i : i+n]) {
			return i + n
		}
		i += n
	}
	return -1
}

// atEnd says whether the text ends where s does.
func (sr *search) atEnd(s string) bool {
	found := sr.last == 0
	for i := 0; i < len(s); {
		n := width(s, i)
		if hit := sr.step(s[i : i+n]); sr.last != 0 {
			found = hit
		}
		i += n
	}
	return found
}

// step takes one character, and says whether the whole text ends with it.
func (sr *search) step(char string) bool {
	at := sr.any
	if c, n := utf8.DecodeRuneInString(char); c != utf8.RuneError || n > 1 {
		if known := sr.at[sr.char(c)]; known != nil {
			at = known
		}
	}
	carry := uint64(1) // a beginning may be here
	for i, found := range sr.found {
		sr.found[i] = (found<<1 | carry) & at[i]
		carry = found >> 63
	}
	return sr.found[len(sr.found)-1]&sr.last != 0
}

// plain is the text up to the next star or the end, unless it has a '?' or
// could be found in the middle of a character.
func plain(pattern string) (string, bool) {
	n := strings.IndexAny(pattern, "*?")
	switch {
	case n < 0:
		n = len(pattern)
	case pattern[n] == '?':
		return "", false
	}
	return pattern[:n], n > 0 && utf8.RuneStart(pattern[0])
}

// width is the number of bytes of the character at s[i].
func width(s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
