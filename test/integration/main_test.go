// Package integration drives the real postern program against two AWSes, the
// embedded sandbox and moto, and reads the result back with the AWS CLI: what
// others have written must agree with what we say that we did. Expected values
// stand literally in the tests and in testdata, never computed by our own code.
//
// What needs faults, delays or enforcement runs against the sandbox alone:
// moto has none of them.
package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	// go test takes an earlier result if nothing that a test imports or opens
	// has changed. The program is the first of it, the examples the second.
	_ "github.com/postern-dev/postern/internal/cli"
)

// binary is the program under test, built once by TestMain.
var binary string

// runTimeout bounds one run of the program; the slowest waits for a delay of
// seconds that a test asks for.
const runTimeout = 90 * time.Second

func TestMain(m *testing.M) {
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "postern-integration-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, example := range []string{shop, minimal, multi} {
		if _, err := os.ReadDir(example); err != nil { // see the imports
			return 0, err
		}
	}
	binary = filepath.Join(dir, "postern")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", append(buildFlags(), "-o", binary, "github.com/postern-dev/postern/cmd/postern")...)
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build postern: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// buildFlags are those of this test binary, as far as they matter: with them
// the packages are compiled already, and races are found in the program too.
func buildFlags() []string {
	flags := []string{"build", "-buildvcs=false"}
	if info, ok := debug.ReadBuildInfo(); ok {
		race := debug.BuildSetting{Key: "-race", Value: "true"}
		if slices.Contains(info.Settings, race) {
			flags = append(flags, "-race")
		}
	}
	return flags
}

// result is one ended run of the program.
type result struct {
	code     int
	out, err string
}

// command prepares a run that knows nothing but env. It is killed when the
// test or runTimeout ends.
func command(t testing.TB, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	// Built with -race, a program would sleep for a second before it ends.
	cmd.Env = append(slices.Clone(env), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// run runs the program to its end.
func run(t testing.TB, dir string, env []string, args ...string) result {
	t.Helper()
	cmd := command(t, dir, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("postern %v: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
