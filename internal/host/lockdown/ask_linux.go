package lockdown

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/fault"
)

// AskAs runs this program with the arguments and an address as a probe's user,
// and reads the Result that it prints as JSON. It starts a process since the
// kernel goes by the user who opens a socket, and a Go program has no thread of
// its own to change user on.
func AskAs(args ...string) Asker {
	return func(ctx context.Context, p Probe) (Result, error) {
		// Its path may lie in a folder that is closed to the user; this one does not.
		cmd := exec.CommandContext(ctx, "/proc/self/exe", append(args, p.Addr.String())...)
		cmd.Args[0] = os.Args[0]
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.UID, Gid: p.UID}}
		cmd.Dir = "/"
		cmd.Env = []string{childEnv}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		switch {
		case errors.Is(err, syscall.EPERM):
			return Result{}, errors.New("not permitted: CAP_SETUID is missing")
		case errors.Is(err, syscall.EACCES):
			return Result{}, &fault.Error{What: "other users cannot run this program", Hint: "run `chmod 755` on it: the self-test starts it as them"}
		case err != nil:
			return Result{}, fmt.Errorf("%w %s", err, strings.TrimSpace(stderr.String()))
		}
		var r Result
		if err := json.Unmarshal(out, &r); err != nil {
			return Result{}, fmt.Errorf("read what it saw: %w", err)
		}
		return r, nil
	}
}

// childEnv is the whole environment of a probe: none of root's variables.
const childEnv = "PATH=/usr/bin:/bin"
