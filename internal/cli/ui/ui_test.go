package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
)

func TestColourFollowsTheEnvironment(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		terminal bool
		want     bool
	}{
		{"terminal", nil, true, true},
		{"file", nil, false, false},
		{"NO_COLOR", map[string]string{"NO_COLOR": "1"}, true, false},
		{"dumb terminal", map[string]string{"TERM": "dumb"}, true, false},
		{"forced", map[string]string{"CLICOLOR_FORCE": "1"}, false, true},
		{"force of zero", map[string]string{"CLICOLOR_FORCE": "0"}, false, false},
		{"NO_COLOR wins", map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Streams{OutTerminal: tt.terminal, ErrTerminal: tt.terminal}
			s.configure(func(k string) string { return tt.env[k] })
			if s.OutColour != tt.want || s.ErrColour != tt.want {
				t.Errorf("colour on stdout %v, on stderr %v, want %v", s.OutColour, s.ErrColour, tt.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	rows := [][]Span{
		{Name("deploy"), Dim("prod"), Plain("push images and roll the service over to them")},
		{Name("日本"), Dim("security"), Plain("read")},
		{},
		{Plain("a row with one cell pads nothing")},
		{Plain("two"), Plain("lines\nin a cell")},
		{Plain("empty"), Plain("")},
	}
	tests := []struct {
		name  string
		width int
		want  string
	}{
		{"no terminal", 0, `  ROLE    ACCOUNT   WHAT
  deploy  prod      push images and roll the service over to them
  日本    security  read

  a row with one cell pads nothing
  two     lines in a cell
  empty
`},
		{"narrow terminal", 50, `  ROLE    ACCOUNT   WHAT
  deploy  prod      push images and roll the
                    service over to them
  日本    security  read

  a row with one cell pads nothing
  two     lines in a cell
  empty
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, out, _ := Test("")
			s.OutTerminal, s.Width = tt.width > 0, tt.width
			s.Result().Table(Table{Header: []string{"ROLE", "ACCOUNT", "WHAT"}, Rows: rows, Indent: 2})
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDataCannotDriveTheTerminal(t *testing.T) {
	s, out, _ := Test("")
	s.OutColour = true
	s.Result().Line(Plain("a\x1b]0;title\x07b\u009b2J\u202e\xff"), Bad("\x1b[0mc"), Plain("\x9b"))
	want := "a\uFFFD]0;title\uFFFDb\uFFFD2J\uFFFD\uFFFD\x1b[31m\uFFFD[0mc\x1b[0m\uFFFD\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDataCannotPoseAsALine(t *testing.T) {
	s, out, talk := Test("")
	s.Result().Line(Plain("arn:aws:s3:::b\nPlan: 0 to create"), Dim("\r\n✓ fine"))
	s.Result().Mark(OK, Plain("a\nb"))
	p := s.Progress()
	p.Step("one\ntwo")
	p.Close()
	if diff := cmp.Diff("arn:aws:s3:::b\\nPlan: 0 to create\uFFFD\\n✓ fine\n✓ a\\nb\n", out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("one\\ntwo\n", talk.String()); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	s, out, _ := Test("")
	s.OutTerminal, s.Width = true, 30
	s.Result().Text(2, StylePlain, "arn:aws:iam::222222222222:role/postern/shop/deploy stays whole\nand lines end\nservices=prod/shop,prod/media,test/web do not")
	want := "  arn:aws:iam::222222222222:role/postern/shop/deploy\n  stays whole\n  and lines end\n  services=prod/shop,\n  prod/media,test/web do not\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestProgress(t *testing.T) {
	run := func(live bool) string {
		s, _, err := Test("")
		s.ErrTerminal, s.ErrLive, s.Width = live, live, 24
		p := s.Progress()
		p.Step("read account 222222222222")
		p.Count(9, 12)
		p.Mark(OK, Plain("role deploy"))
		p.Step("two")
		p.Close()
		p.Close()
		return err.String()
	}
	const erase = "\r\x1b[K"
	live := "read account 222222222…" + erase + "[ 9/12] read account 2…" + erase +
		"✓ role deploy\n" + "[ 9/12] read account 2…" + erase + "[ 9/12] two" + erase
	if diff := cmp.Diff(live, run(true)); diff != "" {
		t.Errorf("on a terminal: %s", diff)
	}
	plain := "read account 222222222222\n✓ role deploy\n[ 9/12] two\n"
	if diff := cmp.Diff(plain, run(false)); diff != "" {
		t.Errorf("without one: %s", diff)
	}
}

func TestConfirm(t *testing.T) {
	tests := []struct {
		name, input string
		want        bool
	}{
		{"y", "y\n", true},
		{"yes", " YES \n", true},
		{"empty line", "\n", false},
		{"something else", "yep\n", false},
		{"end of input", "", false},
		{"y without line end", "y", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, talk := Test(tt.input)
			s.InTerminal, s.ErrTerminal = true, true
			got, err := s.Confirm(t.Context(), "Apply 12 changes?")
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
			if diff := cmp.Diff("Apply 12 changes? [y/N] ", talk.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfirmAsksNobodyWithoutTerminal(t *testing.T) {
	tests := []struct {
		name    string
		in, err bool
	}{{"none", false, false}, {"input from a pipe", false, true}, {"question into a file", true, false}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, talk := Test("y\n")
			s.InTerminal, s.ErrTerminal = tt.in, tt.err
			_, err := s.Confirm(t.Context(), "Apply?")
			if code := fault.ExitCode(err); code != fault.Usage || talk.Len() > 0 {
				t.Errorf("exit code %d, want %d; said %q", code, fault.Usage, talk)
			}
		})
	}
}

func TestConfirmEndsWithItsContext(t *testing.T) {
	s, _, _ := Test("")
	s.InTerminal, s.ErrTerminal = true, true
	silent, w := io.Pipe()
	defer w.Close()
	s.In = silent
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Confirm(ctx, "Apply?"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestPrintError(t *testing.T) {
	unknown := &fault.Error{Where: "postern.yaml:12:5", What: `unknown grant "ecr-push"`, Hint: `did you mean "ecr-docker-push"?`}
	denied := &fault.Error{What: "read account 222222222222", Hint: "allow it:\n{\n}\n", Cause: errors.New("AccessDenied\nrequest 1")}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"foreign", errors.New("disk full"), "error: disk full\n"},
		{"ours", unknown, "error: postern.yaml:12:5: unknown grant \"ecr-push\"\n  hint: did you mean \"ecr-docker-push\"?\n"},
		{"several lines", denied, "error: read account 222222222222: AccessDenied\n    request 1\n  hint: allow it:\n    {\n    }\n"},
		{"wrapped", fmt.Errorf("check: %w", unknown), "error: check: postern.yaml:12:5: unknown grant \"ecr-push\"\n  hint: did you mean \"ecr-docker-push\"?\n"},
		{"list", fault.List{unknown, errors.Join(errors.New("b"), errors.New("c"))}, "error: postern.yaml:12:5: unknown grant \"ecr-push\"\n  hint: did you mean \"ecr-docker-push\"?\nerror: b\nerror: c\n3 errors\n"},
		{"two causes", fmt.Errorf("put: %w, undo: %w", errors.New("x"), errors.New("y")), "error: put: x, undo: y\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, talk := Test("")
			s.PrintError(tt.err)
			if diff := cmp.Diff(tt.want, talk.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWriteErrorIsRemembered(t *testing.T) {
	s, _, _ := Test("")
	r, w := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	s.Redirect(w)
	s.Result().Line(Plain("x"))
	if err := s.Result().JSON(1); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(s.WriteError(), io.ErrClosedPipe) {
		t.Errorf("got %v and %v, want %v", err, s.WriteError(), io.ErrClosedPipe)
	}
}
