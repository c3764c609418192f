package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// readable is the widest that running text gets, whatever the terminal.
const readable = 100

// fallback is the width for running text where no terminal states one.
const fallback = 80

// Printer writes lines to one stream.
type Printer struct {
	w      io.Writer
	colour bool
	width  int // 0: no terminal
}

// Line prints spans one after the other and ends the line.
func (p *Printer) Line(spans ...Span) {
	fmt.Fprintln(p.w, p.render(spans...))
}

// Printf prints plain text.
func (p *Printer) Printf(format string, args ...any) {
	fmt.Fprint(p.w, Clean(fmt.Sprintf(format, args...)))
}

// Blank prints an empty line.
func (p *Printer) Blank() { p.Line() }

// Heading prints the title of what follows, with an empty line before it.
func (p *Printer) Heading(title string) {
	p.Blank()
	p.Line(Bold(title))
}

// Mark prints a line that begins with a mark.
func (p *Printer) Mark(m Mark, spans ...Span) {
	p.Line(append([]Span{m.Span(), Plain(" ")}, spans...)...)
}

// Text prints running text, folded to the terminal (at most 100 columns) and
// indented.
func (p *Printer) Text(indent int, style Style, text string) {
	margin := strings.Repeat(" ", indent)
	for _, line := range fold(text, p.textWidth()-indent) {
		p.Line(Plain(margin), Span{line, style})
	}
}

// Item prints running text behind a mark; further lines hang under the first.
func (p *Printer) Item(indent int, m Mark, text string) {
	sign := m.Span()
	for _, line := range fold(text, p.textWidth()-indent-2) {
		p.Line(Plain(strings.Repeat(" ", indent)), sign, Plain(" "+line))
		sign = Plain(" ")
	}
}

// JSON prints v indented by two spaces, as encoding/json does it but for
// "<", ">" and "&", which stay readable.
func (p *Printer) JSON(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// textWidth is the width for running text.
func (p *Printer) textWidth() int {
	if p.width == 0 {
		return fallback
	}
	return min(p.width, readable)
}

// render joins spans into one line, with colour where it is allowed.
func (p *Printer) render(spans ...Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(p.paint(s.Style, oneLine.Replace(Clean(s.Text))))
	}
	return b.String()
}

// paint puts text into a style. Spaces around it stay out, so that nothing is
// drawn where nothing stands.
func (p *Printer) paint(style Style, text string) string {
	sgr := style.sgr()
	if !p.colour || sgr == "" || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// fold breaks text at spaces into lines of at most width columns, and a list
// that is wider behind its commas. Any other word that is wider stands alone:
// ARNs and URLs must stay whole to be copied.
func fold(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			gap := " "
			for _, piece := range pieces(word, width) {
				switch {
				case line == "":
					line = piece
				case Width(line)+len(gap)+Width(piece) <= width:
					line += gap + piece
				default:
					lines = append(lines, line)
					line = piece
				}
				gap = ""
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// pieces are the parts of a word that may stand on lines of their own.
func pieces(word string, width int) []string {
	if Width(word) <= width {
		return []string{word}
	}
	return strings.SplitAfter(word, ",")
}
