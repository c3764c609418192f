package spec

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// lazily compiles a regular expression when it is first used: most commands
// need none of them, and all together they would cost each start a millisecond.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// namePattern is the form of the names of accounts, identities and roles.
var namePattern = lazily(`^[a-z][a-z0-9_-]*$`)

// anyText is text, possibly empty.
func anyText() form[string] {
	return form[string]{read: readText, schema: schema{"type": "string"}}
}

func readText(r *reader, n *yaml.Node) (string, bool) {
	if kindOf(n) != aText {
		r.mismatch(n, aText, scalarHint(n, aText))
		return "", false
	}
	return n.Value, r.visible(n, isHidden)
}

// visible reports text with a character that a reader cannot see: it could pose
// as a line of a plan, or as another name.
func (r *reader) visible(n *yaml.Node, hidden func(rune) bool) bool {
	i := strings.IndexFunc(n.Value, hidden)
	if i < 0 {
		return true
	}
	c, _ := utf8.DecodeRuneInString(n.Value[i:])
	hint := "remove it"
	if c == '\n' {
		hint = "write it on one line"
	}
	r.fail(r.pos(n), fmt.Sprintf("this text has an invisible character, %U", c), hint)
	return false
}

// isHidden recognises control characters, line ends among them, and the marks
// that take no room or reorder what stands around them.
func isHidden(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

// lines is text for people, which may have several lines and the marks that
// some scripts and emoji need.
func lines() form[string] {
	f := form[string]{schema: schema{"type": "string"}, read: func(r *reader, n *yaml.Node) (string, bool) {
		if kindOf(n) != aText {
			r.mismatch(n, aText, scalarHint(n, aText))
			return "", false
		}
		return n.Value, r.visible(n, isUnfitForProse)
	}}
	return notBlank(f)
}

// prose is lines, joined into one.
func prose() form[string] {
	return mapped(lines(), func(s string) string { return strings.Join(strings.Fields(s), " ") })
}

func isUnfitForProse(c rune) bool {
	return unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.In(c, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// asWritten is any scalar as its source has it: what will be text in AWS
// whatever YAML takes it for.
func asWritten() form[string] {
	return form[string]{
		schema: schema{"type": []string{"string", "boolean", "number"}},
		read: func(r *reader, n *yaml.Node) (string, bool) {
			if k := kindOf(n); k == aBool || k == aNumber && writtenNumber().MatchString(n.Value) {
				return n.Value, true
			}
			return readText(r, n)
		},
	}
}

// writtenNumber leaves out what JSON has no number for.
var writtenNumber = lazily(`^[+-]?[0-9][0-9A-Za-z_.+-]*$`)

// text is text with something in it besides spaces.
func text() form[string] { return notBlank(anyText()) }

func notBlank(f form[string]) form[string] {
	return checked(f, schema{"pattern": `\S`}, func(s string) (string, string) {
		if strings.TrimSpace(s) == "" {
			return "this text is empty", ""
		}
		return "", ""
	})
}

// checked narrows a form: ok returns what is wrong and a hint, or "", and more
// holds the same in JSON Schema as far as that can say it.
func checked[T any](f form[T], more schema, wrong func(T) (what, hint string)) form[T] {
	s := f.schema
	for k, v := range more {
		s = with(s, k, v)
	}
	return form[T]{schema: s, read: func(r *reader, n *yaml.Node) (T, bool) {
		v, ok := f.read(r, n)
		if !ok {
			return v, false
		}
		if what, hint := wrong(v); what != "" {
			r.fail(r.pos(n), what, hint)
			return v, false
		}
		return v, true
	}}
}

// matching narrows a text to a pattern.
func matching(f form[string], pattern func() *regexp.Regexp, what, hint string) form[string] {
	return checked(f, schema{"pattern": pattern().String()}, func(s string) (string, string) {
		if pattern().MatchString(s) {
			return "", ""
		}
		return fmt.Sprintf("%q is not %s", s, what), hint
	})
}

func shorter(f form[string], most int) form[string] {
	return checked(f, schema{"maxLength": most}, func(s string) (string, string) {
		if n := len([]rune(s)); n > most {
			return fmt.Sprintf("this text has %d characters, more than the %d that AWS allows", n, most), ""
		}
		return "", ""
	})
}

// decimal is a whole number that every YAML reader reads alike.
var decimal = lazily(`^(0|[1-9][0-9]{0,17})$`)

// digits is text, or a whole number taken as it is written, such as the id of
// an account or of a repository. A leading 0 must be quoted: some readers take
// it for octal, and 012345678901 is a common account id.
func digits() form[string] {
	return form[string]{
		schema: schema{"type": []string{"string", "integer"}},
		read: func(r *reader, n *yaml.Node) (string, bool) {
			number := kindOf(n) == aNumber
			switch {
			case number && decimal().MatchString(n.Value):
				return n.Value, true
			case number && leadingZero().MatchString(n.Value):
				r.fail(r.pos(n), "a number with a leading 0 must be quoted: YAML readers differ in what it means", fmt.Sprintf("write %q", n.Value))
				return "", false
			}
			return readText(r, n)
		},
	}
}

var leadingZero = lazily(`^0[0-9]+$`)

// plainNumber is a number that reads alike in YAML, JSON and a policy.
var plainNumber = lazily(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$`)

// scalarText is any scalar as a policy would write it: the values of conditions.
func scalarText() form[string] {
	return form[string]{
		schema: schema{"type": []string{"string", "boolean", "number"}},
		read: func(r *reader, n *yaml.Node) (string, bool) {
			switch k := kindOf(n); {
			case k == aBool:
				return strings.ToLower(n.Value), true
			case k == aNumber && plainNumber().MatchString(n.Value):
				return n.Value, true
			}
			return readText(r, n)
		},
	}
}

func boolean() form[bool] {
	return form[bool]{
		schema: schema{"type": "boolean"},
		read: func(r *reader, n *yaml.Node) (bool, bool) {
			if kindOf(n) != aBool {
				r.mismatch(n, aBool, scalarHint(n, aBool))
				return false, false
			}
			return strings.EqualFold(n.Value, "true"), true
		},
	}
}

// anyCase is one of a closed set of words, whose case does not matter.
func anyCase(words ...string) form[string] {
	f := oneWord(words...)
	var patterns []string
	for _, w := range words {
		patterns = append(patterns, caseless(w))
	}
	return form[string]{schema: schema{"type": "string", "pattern": "^(" + strings.Join(patterns, "|") + ")$"}, read: func(r *reader, n *yaml.Node) (string, bool) {
		for _, w := range words {
			if kindOf(n) == aText && strings.EqualFold(n.Value, w) {
				return w, true
			}
		}
		return f.read(r, n)
	}}
}

// caseless is a pattern of a word of ASCII letters; JSON Schema has no flags.
func caseless(word string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(word) {
		fmt.Fprintf(&b, "[%c%c]", c, unicode.ToUpper(c))
	}
	return b.String()
}

// oneWord is one of a closed set of words.
func oneWord(words ...string) form[string] {
	return checked(anyText(), schema{"enum": words}, func(s string) (string, string) {
		for _, w := range words {
			if s == w {
				return "", ""
			}
		}
		return fmt.Sprintf("%q is not known", s), didYouMean(s, words)
	})
}

// date is an instant: a day, which stands for its first instant in UTC, or an
// RFC 3339 time.
func date() form[time.Time] {
	pattern := `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*)?$`
	return parsed(schema{"type": "string", "pattern": pattern}, func(s string) (time.Time, string, string) {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC(), "", ""
			}
		}
		return time.Time{}, fmt.Sprintf("%q is not a date", s), "write 2027-06-30 (access ends as that day begins, UTC) or 2027-06-30T18:00:00Z"
	})
}

// parsed reads text by a function that returns the value, what is wrong and a
// hint.
func parsed[T any](s schema, parse func(string) (T, string, string)) form[T] {
	return form[T]{schema: s, read: func(r *reader, n *yaml.Node) (T, bool) {
		var zero T
		written, ok := readText(r, n)
		if !ok {
			return zero, false
		}
		v, what, hint := parse(written)
		if what != "" {
			r.fail(r.pos(n), what, hint)
			return zero, false
		}
		return v, true
	}}
}

// durationParts are days, hours, minutes and seconds, each optional. Five
// digits of days cannot overflow a Duration.
var durationParts = lazily(`^(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$`)

const durationHint = "write days, hours, minutes and seconds, such as 30d, 12h or 1h30m"

// duration is a span of time between two bounds, both included.
func duration(least, most time.Duration) form[time.Duration] {
	f := parsed(schema{"type": "string", "pattern": `^([0-9]{1,5}[dhms]){1,4}$`}, func(s string) (time.Duration, string, string) {
		d, ok := parseDuration(s)
		switch {
		case !ok:
			return 0, fmt.Sprintf("%q is not a duration", s), durationHint
		case d < least || d > most:
			return 0, fmt.Sprintf("%s is not between %s and %s", s, FormatDuration(least), FormatDuration(most)), ""
		}
		return d, "", ""
	})
	return form[time.Duration]{schema: f.schema, read: func(r *reader, n *yaml.Node) (time.Duration, bool) {
		if kindOf(n) == aNumber {
			r.fail(r.pos(n), "a duration needs a unit", durationHint)
			return 0, false
		}
		return f.read(r, n)
	}}
}

func parseDuration(s string) (time.Duration, bool) {
	m := durationParts().FindStringSubmatch(s)
	if m == nil || s == "" {
		return 0, false
	}
	var d time.Duration
	for i, unit := range durationUnits {
		n := 0
		for _, c := range m[i+1] {
			n = n*10 + int(c-'0')
		}
		d += time.Duration(n) * unit.length
	}
	return d, true
}

var durationUnits = []struct {
	length time.Duration
	symbol string
}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}

// FormatDuration writes a duration of whole seconds as a spec does: "1h30m".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, unit := range durationUnits {
		if n := d / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.symbol)
			d -= n * unit.length
		}
	}
	return b.String()
}
