package osusers

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/program"
)

// run runs a program of the system and gives what it says as the error. One that
// hangs, on a directory of users that does not answer or a log that takes
// nothing, is told to end and then killed: one account must not keep all others
// from IAM's answer.
func (h Host) run(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, h.Patience, fmt.Errorf("it has not ended within %v", h.Patience))
	defer cancel()
	cmd, err := program.Command(ctx, name, args...)
	if err != nil {
		return err
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = h.Grace
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &fault.Error{Where: name, What: strings.Join(strings.Fields(said.String()), " "), Cause: cmp.Or(context.Cause(ctx), err)}
	}
	return nil
}

// nologin is the shell of who has none.
func nologin() string {
	if path, err := program.Find("nologin"); err == nil {
		return path
	}
	return "/bin/false"
}
