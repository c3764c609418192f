// Package ui is the terminal: streams and what is known about them, styles,
// tables, marks, progress, questions and the one place where errors are
// printed. Results go to Out, talk goes to Err. It knows no command and no AWS.
//
// A command writes its result through a Printer:
//
//	out := streams.Result()                        // stdout
//	out.Heading("Roles")
//	out.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{{ui.Name("deploy"), ui.Dim("prod")}}})
//	out.Mark(ui.OK, ui.Plain("12 of 12 guard rails hold"))
//	out.JSON(result)                               // with --json, instead
//
// and talks on stderr, where lines survive and the live line does not:
//
//	progress := streams.Progress()
//	defer progress.Close()
//	progress.Count(3, 12)
//	progress.Step("create role shop-deploy")       // replaces the live line
//	progress.Mark(ui.OK, ui.Plain("role shop-deploy")) // stays
//
// Colour only repeats what a word or a mark says already. Control characters
// in data are made visible, so that a role's description cannot drive the
// reader's terminal. Write errors are remembered by the stream, and Main
// reports them once (Streams.WriteError).
//
// There is no styling library beneath: lipgloss v2.0.6 would add 1.3 MB, ten
// modules and 0.6 ms to each start for the seven styles that we use.
package ui

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/term"
)

// Streams are the three standard streams with what is known about them. They
// are made by System or Test; the zero value is of no use.
type Streams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // talk: progress, warnings, questions, errors

	InTerminal  bool // somebody can answer
	OutTerminal bool
	ErrTerminal bool
	OutColour   bool
	ErrColour   bool
	ErrLive     bool // the last line of Err can be redrawn
	Width       int  // columns of the terminal; 0: there is none, do not fold tables
}

// System returns the process's streams. env looks up NO_COLOR, CLICOLOR_FORCE,
// TERM and COLUMNS.
//
// https://no-color.org, https://bixense.com/clicolors
func System(env func(string) string) *Streams {
	s := &Streams{
		In: os.Stdin, Out: &writer{w: os.Stdout}, Err: &writer{w: os.Stderr},
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			s.Width = columns
			break
		}
	}
	s.configure(env)
	return s
}

// Test returns streams that read input and write to two buffers, without a
// terminal, in black and white. Tests switch on what they need.
func Test(input string) (s *Streams, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	return &Streams{In: bytes.NewBufferString(input), Out: &writer{w: out}, Err: &writer{w: err}}, out, err
}

// Redirect sends results to w from now on.
func (s *Streams) Redirect(w io.Writer) { s.Out = &writer{w: w} }

// configure derives what may be drawn from the terminal facts and env.
func (s *Streams) configure(env func(string) string) {
	dumb := env("TERM") == "dumb"
	force := env("CLICOLOR_FORCE")
	colour := func(terminal bool) bool {
		switch {
		case env("NO_COLOR") != "":
			return false
		case force != "" && force != "0":
			return true
		default:
			return terminal && !dumb
		}
	}
	s.OutColour, s.ErrColour = colour(s.OutTerminal), colour(s.ErrTerminal)
	s.ErrLive = s.ErrTerminal && !dumb
	if n, err := strconv.Atoi(env("COLUMNS")); err == nil && n > 0 {
		s.Width = n
	}
}

// Result returns a printer for stdout.
func (s *Streams) Result() *Printer {
	p := &Printer{w: s.Out, colour: s.OutColour}
	if s.OutTerminal {
		p.width = s.Width
	}
	return p
}

// Talk returns a printer for stderr.
func (s *Streams) Talk() *Printer {
	p := &Printer{w: s.Err, colour: s.ErrColour}
	if s.ErrTerminal {
		p.width = s.Width
	}
	return p
}

// WriteError returns the first error met while writing results: a full disk,
// a closed pipe. Errors of stderr have nobody to be told to.
func (s *Streams) WriteError() error {
	if w, ok := s.Out.(*writer); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	}
	return nil
}

// writer remembers its first error and writes nothing after it, so that
// printing code need not check each line. Lines of several goroutines do not mix.
type writer struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}
