package iam

import (
	"strings"
	"unicode/utf8"
)

// Match reports whether s as a whole matches the pattern: '*' stands for any
// number of characters (slashes and colons too), '?' for exactly one, and
// everything else for itself, in the same case.
//
// It runs in len(pattern)·len(s) steps at worst, without allocating: of all
// stars only the last one is ever retried, because an earlier star could only
// give the rest of the pattern less of the string. Text without '?' after a star
// is searched for instead, in the length of the string.
func Match(pattern, s string) bool { return match(pattern, s, false) }

// MatchFold is Match without regard to the case of ASCII letters, as action
// names are compared.
func MatchFold(pattern, s string) bool { return match(pattern, s, true) }

func match(pattern, s string, fold bool) bool {
	p, i := 0, 0
	star, retry := -1, 0 // pattern index after the last star; where it stops eating
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
		retry += width(s, retry)
		p, i = star, retry
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
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
