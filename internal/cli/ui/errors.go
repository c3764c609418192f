package ui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Failure is one error, taken apart for a reader or a program.
type Failure struct {
	Where string // "file:line:column", an ARN, or empty
	What  string // may have several lines
	Hint  string // what to do about it; may be empty
}

// Failures takes an error apart: a list into its members, in order.
func Failures(err error) []Failure {
	var out []Failure
	for _, e := range flatten(err) {
		where, what, hint := parts(e)
		out = append(out, Failure{where, what, hint})
	}
	return out
}

// PrintError prints err on stderr: every member of a list with its hint, and
// how many there were if more than one.
func (s *Streams) PrintError(err error) {
	p := s.Talk()
	members := Failures(err)
	for _, f := range members {
		p.failure(f)
	}
	if len(members) > 1 {
		p.Line(Bold(fmt.Sprintf("%d errors", len(members))))
	}
}

// failure prints one error: where, what, and what to do about it.
func (p *Printer) failure(f Failure) {
	line := []Span{Bad("error:"), Plain(" ")}
	if f.Where != "" {
		line = append(line, Bold(f.Where+":"), Plain(" "))
	}
	first, rest, more := strings.Cut(f.What, "\n")
	p.Line(append(line, Plain(first))...)
	if more {
		p.indented(rest)
	}
	if f.Hint != "" {
		p.hint(f.Hint)
	}
}

// hint prints advice, which may have several lines: a statement to paste.
func (p *Printer) hint(text string) {
	first, rest, more := strings.Cut(text, "\n")
	p.row([]Span{Dim("hint:"), Plain(first)}, []int{len("hint:")}, Table{Indent: 2, Gap: 1})
	if more {
		p.indented(rest)
	}
}

func (p *Printer) indented(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.Line(Plain("    " + line))
	}
}

// parts takes an error apart for printing. What a wrapper adds in front of a
// fault.Error is kept, and the place then stands inside the text.
func parts(err error) (where, what, hint string) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return "", err.Error(), ""
	}
	if err == error(e) {
		inner := *e
		inner.Where = ""
		return e.Where, inner.Error(), e.Hint
	}
	return "", err.Error(), e.Hint
}

// flatten returns the members of lists, in order. An error with several causes
// that has words of its own is not a list: its words would be lost.
func flatten(err error) []error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var members []error
	var lines []string
	for _, e := range list.Unwrap() {
		members = append(members, flatten(e)...)
		lines = append(lines, e.Error())
	}
	if err.Error() != strings.Join(lines, "\n") {
		return []error{err}
	}
	return members
}
