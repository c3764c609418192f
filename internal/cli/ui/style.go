package ui

import (
	"strings"
	"unicode"

	"github.com/clipperhouse/displaywidth"
)

// Style is how a span looks where colour is allowed.
type Style uint8

// The styles. They use the terminal's own sixteen colours, which its owner
// has chosen to be readable.
const (
	StylePlain Style = iota
	StyleBold
	StyleDim
	StyleName // what the user named: roles, grants, files
	StyleGood
	StyleWarn
	StyleBad
)

// sgr returns the "select graphic rendition" parameters of a style.
func (s Style) sgr() string {
	switch s {
	case StyleBold:
		return "1"
	case StyleDim:
		return "2"
	case StyleName:
		return "36"
	case StyleGood:
		return "32"
	case StyleWarn:
		return "33"
	case StyleBad:
		return "31"
	case StylePlain:
	}
	return ""
}

// Span is a piece of a line in one style.
type Span struct {
	Text  string
	Style Style
}

// Plain is text as it is.
func Plain(s string) Span { return Span{s, StylePlain} }

// Bold is for headings and the one word that matters.
func Bold(s string) Span { return Span{s, StyleBold} }

// Dim is for what the eye may skip.
func Dim(s string) Span { return Span{s, StyleDim} }

// Name is for what the user named: roles, grants, files, commands.
func Name(s string) Span { return Span{s, StyleName} }

// Good is for what is as it should be.
func Good(s string) Span { return Span{s, StyleGood} }

// Warn is for what wants attention.
func Warn(s string) Span { return Span{s, StyleWarn} }

// Bad is for what is wrong.
func Bad(s string) Span { return Span{s, StyleBad} }

// Mark is a sign before a line; its shape tells as much as its colour.
type Mark uint8

// The marks.
const (
	OK      Mark = iota // ✓
	Warning             // !
	Failed              // ✗
	Added               // +
	Removed             // -
	Changed             // ~
	Point               // •
)

// Span returns the mark's sign in its colour.
func (m Mark) Span() Span {
	switch m {
	case OK:
		return Good("✓")
	case Warning:
		return Warn("!")
	case Failed:
		return Bad("✗")
	case Added:
		return Good("+")
	case Removed:
		return Bad("-")
	case Changed:
		return Warn("~")
	case Point:
	}
	return Dim("•")
}

// Width returns the number of columns that s takes in a terminal.
func Width(s string) int { return displaywidth.String(Clean(s)) }

// Clean makes control characters visible: data from a spec or from AWS must
// not move the cursor or set the title of a reader's terminal. Line ends stay.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// oneLine makes the line ends of data visible where a single line is printed:
// what stands after one could pose as a line of ours.
var oneLine = strings.NewReplacer("\n", `\n`)

// isControl says whether r is one of C0, C1, DEL or the marks that reorder
// bidirectional text, line ends and tabs excepted.
func isControl(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

// Cut shortens s to at most width columns; an ellipsis stands for what is gone.
func Cut(s string, width int) string {
	return displaywidth.TruncateString(s, width, "…")
}
