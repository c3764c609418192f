package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Confirm asks a question that ends in "?" and takes "y" or "yes" for consent;
// anything else, the empty line and the end of input mean no. Where nobody can
// answer it asks nothing and fails with the hint to use --yes.
func (s *Streams) Confirm(ctx context.Context, question string) (bool, error) {
	if !s.InTerminal || !s.ErrTerminal {
		return false, &fault.Error{
			Code: fault.Usage,
			What: "cannot ask for confirmation: no terminal",
			Hint: "add --yes to go ahead without being asked",
		}
	}
	fmt.Fprint(s.Err, s.Talk().render(Bold(question), Plain(" [y/N] ")))
	type answer struct {
		line string
		err  error
	}
	// A read from a terminal cannot be cancelled. On ctrl-C the goroutine is
	// left behind: the process is about to end.
	answered := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(s.In).ReadString('\n')
		answered <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.Err)
		return false, ctx.Err()
	case a := <-answered:
		if a.err != nil && !errors.Is(a.err, io.EOF) {
			return false, fmt.Errorf("read answer: %w", a.err)
		}
		switch strings.ToLower(strings.TrimSpace(a.line)) {
		case "y", "yes":
			return true, nil
		}
		return false, nil
	}
}
