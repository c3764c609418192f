package ssh

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stuckLog takes no line until it is let.
type stuckLog struct {
	let   chan struct{}
	lines []string
}

func (s *stuckLog) Write(line []byte) (int, error) {
	<-s.let
	s.lines = append(s.lines, string(line))
	return len(line), nil
}

// A log that hangs holds nobody up, and loses no line.
func TestBoundedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := &stuckLog{let: make(chan struct{})}
		var other strings.Builder
		log := newBoundedLog(func() (io.Writer, error) { return stuck, nil }, &other)
		begin := time.Now()
		write := func(line string) {
			t.Helper()
			if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		write("one\n")
		for range 1000 {
			write(".")
		}
		if took := time.Since(begin); took != logTime {
			t.Errorf("took %v", took)
		}
		close(stuck.let)
		synctest.Wait()
		write("two\n")
		write("three\n")
		if d := cmp.Diff([]string{"one\n", "two\n", "three\n"}, stuck.lines); d != "" {
			t.Errorf("log: -want +got:\n%s", d)
		}
		if d := cmp.Diff("one\n"+strings.Repeat(".", 1000), other.String()); d != "" {
			t.Errorf("other: -want +got:\n%s", d)
		}
	})
}

// Where there is no log, the other writer has it all.
func TestNoLog(t *testing.T) {
	var other strings.Builder
	log := newBoundedLog(func() (io.Writer, error) { return nil, errors.New("no log") }, &other)
	for range 2 {
		if _, err := io.WriteString(log, "line\n"); err != nil {
			t.Error(err)
		}
	}
	if other.String() != "line\nline\n" {
		t.Errorf("got %q", &other)
	}
}
