// Package fault is the vocabulary of failure: one error type that says what,
// where and why, and what to type next, with the exit code beside it. It does
// not print: internal/cli does, once.
package fault

import "strings"

// Exit codes, as docs/exit-codes.md lists them.
const (
	OK          = 0
	General     = 1
	Usage       = 2
	Findings    = 3 // a guard rail failed, a lint found something
	Auth        = 4 // no, wrong, expired or insufficient credentials
	Interrupted = 130
)

// Changes is the exit code of plan --detailed-exitcode when there are any.
const Changes = 2

// Error is a failure as a user meets it.
type Error struct {
	Code  int    // exit code; 0 stands for General
	Where string // "file:line:column" or an ARN; may be empty
	What  string // the fact, lower case, no full stop
	Hint  string // the next command to type, or what to write instead; may be empty
	Cause error  // may be nil
}

// Error gives the one-line form without the hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Where != "" {
		b.WriteString(e.Where + ": ")
	}
	b.WriteString(e.What)
	if e.Cause != nil {
		if e.What != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// List is several failures at once, in the order a reader would fix them.
type List []error

// Error joins the members by line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, err := range l {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the members.
func (l List) Unwrap() []error { return l }

// Err returns the list as an error, nil if it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// ExitCode returns the exit code that err stands for: the first one that an
// Error in its tree carries, else General.
func ExitCode(err error) int {
	if err == nil {
		return OK
	}
	if code := carried(err); code != 0 {
		return code
	}
	return General
}

// carried is the first code in the tree, 0 if there is none.
func carried(err error) int {
	if e, ok := err.(*Error); ok && e.Code != 0 { //nolint:errorlint // one node of the tree
		return e.Code
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		if next := e.Unwrap(); next != nil {
			return carried(next)
		}
	case interface{ Unwrap() []error }:
		for _, member := range e.Unwrap() {
			if code := carried(member); code != 0 {
				return code
			}
		}
	}
	return 0
}
