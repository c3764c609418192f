package osusers

import (
	"bytes"
	"context"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/program"
)

// run runs a program of the system and gives what it says as the error.
func run(ctx context.Context, name string, args ...string) error {
	cmd, err := program.Command(ctx, name, args...)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &fault.Error{Where: name, What: strings.Join(strings.Fields(said.String()), " "), Cause: err}
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
