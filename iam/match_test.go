package iam_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
)

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		name, pattern, s string
		want, fold       bool
	}{
		{name: "literal", pattern: "abc", s: "abc", want: true, fold: true},
		{name: "case counts", pattern: "s3:Get*", s: "S3:getObject", want: false, fold: true},
		{name: "star takes nothing", pattern: "a*", s: "a", want: true, fold: true},
		{name: "star crosses slash and colon", pattern: "arn:*/x", s: "arn:aws:s3:::b/k/x", want: true, fold: true},
		{name: "question mark is one", pattern: "a?c", s: "ac"},
		{name: "question mark is one character of two bytes", pattern: "a?c", s: "aéc", want: true, fold: true},
		{name: "two question marks are two characters", pattern: "a??c", s: "aéc"},
		{name: "retry the last star", pattern: "*ab*ab", s: "abxabyaab", want: true, fold: true},
		{name: "rest after the pattern", pattern: "a?", s: "abc"},
		{name: "only ASCII folds", pattern: "straße:É", s: "STRAßE:é"},
		{name: "star ends between characters", pattern: "*\xa9", s: "é"},
		{name: "bytes that are no text", pattern: "?\xfe*", s: "\xff\xfe\xfd", want: true, fold: true},
		{name: "empty matches empty", want: true, fold: true},
		{name: "empty pattern, some string", s: "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := iam.Match(tc.pattern, tc.s); got != tc.want {
				t.Errorf("Match(%q, %q) = %v, want %v", tc.pattern, tc.s, got, tc.want)
			}
			if got := iam.MatchFold(tc.pattern, tc.s); got != tc.fold {
				t.Errorf("MatchFold(%q, %q) = %v, want %v", tc.pattern, tc.s, got, tc.fold)
			}
		})
	}
}

func TestMatchLongInputIsFast(t *testing.T) {
	// Exponential matchers never come back from this one.
	if iam.Match(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 5000)) {
		t.Error("pattern ending in b matched a run of a")
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		name, wide, narrow string
		want               bool
	}{
		{name: "same", wide: "a*b", narrow: "a*b", want: true},
		{name: "everything", wide: "*", narrow: "a?*", want: true},
		{name: "literal", wide: "s3:Get*", narrow: "s3:GetObject", want: true},
		{name: "narrower pattern", wide: "s3:*", narrow: "s3:Get*", want: true},
		{name: "wider pattern", wide: "s3:Get*", narrow: "s3:*"},
		{name: "question mark is not a star", wide: "a?", narrow: "a*"},
		{name: "order of question mark and star", wide: "*?", narrow: "?*", want: true},
		{name: "the literal gives the character", wide: "a*?", narrow: "a*b", want: true},
		{name: "needs two, one is sure", wide: "a??*", narrow: "a*b"},
		{name: "star may be empty", wide: "a*b", narrow: "a*", want: false},
		{name: "overlapping literal", wide: "*aba*", narrow: "*ababa*", want: true},
		{name: "last of three", wide: "*a??", narrow: "*a?b", want: true},
		{name: "third from last is not sure", wide: "*a??", narrow: "a*bb"},
		{name: "many stars", wide: "*a*b*c*", narrow: "x*a*y*b*z*c", want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := iam.Covers(tc.wide, tc.narrow); got != tc.want {
				t.Errorf("Covers(%q, %q) = %v, want %v", tc.wide, tc.narrow, got, tc.want)
			}
		})
	}
	if !iam.CoversFold("s3:get*", "S3:GetObject*") || iam.Covers("s3:get*", "S3:GetObject*") {
		t.Error("CoversFold must ignore case and Covers must not")
	}
	if !iam.OverlapsFold("s3:get*", "S3:*Object") || iam.Overlaps("s3:get*", "S3:*Object") {
		t.Error("OverlapsFold must ignore case and Overlaps must not")
	}
}

// To know whether the last 'a' but n is an 'a' means to remember n characters,
// and the stars leave them open: 2ⁿ runs. Beyond the bound Covers says false.
func TestCoversIsBounded(t *testing.T) {
	pair := func(n int) (wide, narrow string) {
		tail := "a" + strings.Repeat("?", n)
		return "*" + tail, strings.Repeat("*a", 2*n) + "*" + tail
	}
	if wide, narrow := pair(7); !iam.Covers(wide, narrow) {
		t.Errorf("Covers(%q, %q) = false", wide, narrow)
	}
	if wide, narrow := pair(40); iam.Covers(wide, narrow) {
		t.Errorf("Covers(%q, %q) is not bounded", wide, narrow)
	}
	long := strings.Repeat("*ab?", 100) + "*"
	if !iam.Covers(long, long+"x"+long) || iam.Covers(long+"x"+long, long) {
		t.Error("Covers is wrong about long patterns")
	}
}

// slowMatch is the definition of a pattern, without any cleverness.
func slowMatch(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return slowMatch(pattern[1:], s) || s != "" && slowMatch(pattern, s[1:])
	case s == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == s[0]) && slowMatch(pattern[1:], s[1:])
}

// words are all strings over an alphabet up to a length, shortest first.
func words(alphabet string, length int) []string {
	out := []string{""}
	for from, n := 0, 0; n < length; n++ {
		to := len(out)
		for _, w := range out[from:to] {
			for _, c := range alphabet {
				out = append(out, w+string(c))
			}
		}
		from = to
	}
	return out
}

// The letter z stands for every character that a pattern does not spell out.
// Patterns of up to five tokens are told apart by strings of up to nine.
func TestPatternsAgainstAllStrings(t *testing.T) {
	patterns := words("a*?", 5)
	patterns = append(patterns, words("ab*", 4)...)
	strs := words("az", 9)
	strs = append(strs, words("abz", 7)...)

	matched := make([][]bool, len(patterns))
	for i, p := range patterns {
		matched[i] = make([]bool, len(strs))
		for j, s := range strs {
			want := slowMatch(p, s)
			matched[i][j] = want
			if got := iam.Match(p, s); got != want {
				t.Fatalf("Match(%q, %q) = %v, want %v", p, s, got, want)
			}
		}
	}
	for i, a := range patterns {
		for j, b := range patterns {
			covers, overlaps := true, false
			for k := range strs {
				covers = covers && (matched[i][k] || !matched[j][k])
				overlaps = overlaps || matched[i][k] && matched[j][k]
			}
			if got := iam.Covers(a, b); got != covers {
				t.Fatalf("Covers(%q, %q) = %v, want %v", a, b, got, covers)
			}
			if got := iam.Overlaps(a, b); got != overlaps {
				t.Fatalf("Overlaps(%q, %q) = %v, want %v", a, b, got, overlaps)
			}
		}
	}
}

// A text after a star is not tried at each character of the string. Without '?'
// it is found by strings.Index, else by a search, whose tables tell it: trying
// allocates nothing, and a search for each character would allocate more.
func TestMatchLongText(t *testing.T) {
	const n = 1 << 12
	text, twice := strings.Repeat("a", n), strings.Repeat("a", 2*n)
	for _, tc := range []struct {
		name, pattern    string
		searches, folded bool // whether Match and MatchFold search
	}{
		{"at the end", "*" + text + "b", false, true},
		{"in the middle", "*" + text + "b*", false, true},
		{"after another", "*a*" + text + "b*c", false, true},
		{"? at the beginning", "*?" + text + "b", true, true},
		{"? at its end", "*" + text + "?b*", true, true},
		{"many ?", "*a*" + strings.Repeat("?a", n/2) + "b*c", true, true},
	} {
		checkLong(t, "Match "+tc.name, iam.Match, tc.pattern, twice, tc.searches)
		checkLong(t, "MatchFold "+tc.name, iam.MatchFold, tc.pattern, twice, tc.folded)
	}
}

func checkLong(t *testing.T, name string, match func(pattern, s string) bool, pattern, without string, searches bool) {
	t.Helper()
	if match(pattern, without) {
		t.Errorf("%s: matches", name)
	}
	if !match(pattern, without+pattern) {
		t.Errorf("%s: does not match itself", name)
	}
	const most = 20 // of one search: its tables, one row for each character of the text
	if n := testing.AllocsPerRun(3, func() { match(pattern, without) }); (n > 0) != searches || n > most {
		t.Errorf("%s: allocates %v times, want a search: %v", name, n, searches)
	}
}

// What is searched for when trying has taken too long is found as by trying. The
// one "x" of each string ends what takes too long.
func TestMatchAfterLongTrial(t *testing.T) {
	trial, run := "*"+strings.Repeat("a", 70)+"?x*", strings.Repeat("a", 200)+"x"
	strs := append(words("abé", 5), "\xc3\xa9", "a\xff", "\xe9")
	for _, p := range append(words("a*?", 4), words("aé*?", 3)...) {
		for _, s := range strs {
			want := iam.Match("*"+p, s)
			if got := iam.Match(trial+p, run+s); got != want {
				t.Fatalf("Match(%q, %q) = %v, want %v", trial+p, run+s, got, want)
			}
			if got := iam.MatchFold(strings.ToUpper(trial)+p, run+s); got != want {
				t.Fatalf("MatchFold(%q, %q) = %v, want %v", strings.ToUpper(trial)+p, run+s, got, want)
			}
		}
	}
}

// Stars stand for whole characters, also where a text would be found within one.
func TestMatchWithinCharacter(t *testing.T) {
	for _, tc := range []struct {
		pattern, s string
		want       bool
	}{
		{"*é", "aé", true},
		{"*\xa9", "é", false},
		{"*\xa9*", "é", false},
		{"*\xc3*", "é", true},
		{"*\xc3*\xa9", "é", true},
		{"*\xa9", "\xa9", true},
		{"*é*é", "éé", true},
		{"*é*é", "é", false},
	} {
		if got := iam.Match(tc.pattern, tc.s); got != tc.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tc.pattern, tc.s, got, tc.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("*a?b*", "xxaébyy")
	f.Add("\xff*?", "\xff\xfe")
	f.Add("**a**", "bab")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 40 || len(s) > 40 || strings.Count(pattern, "*") > 6 {
			return // the reference is exponential
		}
		if isASCII(pattern) && isASCII(s) {
			if got, want := iam.Match(pattern, s), slowMatch(pattern, s); got != want {
				t.Errorf("Match(%q, %q) = %v, want %v", pattern, s, got, want)
			}
		}
		if iam.Match(pattern, s) && !iam.MatchFold(pattern, s) {
			t.Errorf("MatchFold(%q, %q) is narrower than Match", pattern, s)
		}
	})
}

func FuzzCovers(f *testing.F) {
	f.Add("a*?", "a*b", "axb")
	f.Add("*é??", "*é?b", "éxb")
	f.Fuzz(func(t *testing.T, wide, narrow, s string) {
		if len(wide) > 60 || len(narrow) > 60 {
			return
		}
		if iam.Covers(wide, narrow) && iam.Match(narrow, s) && !iam.Match(wide, s) {
			t.Errorf("Covers(%q, %q), but %q matches only the second", wide, narrow, s)
		}
		if iam.Match(wide, s) && iam.Match(narrow, s) && !iam.Overlaps(wide, narrow) {
			t.Errorf("Overlaps(%q, %q) is false, but %q matches both", wide, narrow, s)
		}
		if iam.Overlaps(wide, narrow) != iam.Overlaps(narrow, wide) {
			t.Errorf("Overlaps(%q, %q) is not symmetric", wide, narrow)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) < 0
}

func TestReplaceVariables(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                          "",
		"a$b{c}":                    "a$b{c}",
		"${aws:username}":           "*",
		"home/${aws:username}/x":    "home/*/x",
		"${a}${b, 'x'}-${*}":        "**-*",
		"arn:${Partition}:s3:::${B": "arn:*:s3:::*",
		"}${a}}":                    "}*}",
		"${a, 'b}c'}d":              "*d",
		"${a, 'b}c":                 "*",
		"${a, '${b}'}${c}":          "**",
	} {
		if got := iam.ReplaceVariables(pattern, "*"); got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}
