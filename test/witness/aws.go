package witness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// cliTimeout bounds one call of the AWS CLI. Python alone takes a second to
// start on a busy machine, but a call that hangs must not hang the suite.
const cliTimeout = time.Minute

// AWS runs the AWS CLI with args and returns its standard output. env is all
// that it knows ("NAME=value": credentials, AWS_ENDPOINT_URL, and where us-east-1
// is wrong AWS_DEFAULT_REGION, as version 1 of the CLI does not read AWS_REGION):
// nothing of the machine's but PATH is passed on, no profile, no credentials and
// no instance metadata.
//
// A call that the service refuses is an error that holds the CLI's message, and
// in its tree an *exec.ExitError with the exit code. It may be called from a
// cleanup function too.
func AWS(t testing.TB, env []string, args ...string) (stdout string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cliTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, Need(t, "aws"), args...)
	cmd.Env = cliEnv(t.TempDir(), os.Getenv("PATH"), env)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("aws %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// cliEnv is the whole environment of one CLI call; later entries win.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
func cliEnv(home, path string, extra []string) []string {
	return slices.Concat([]string{
		"PATH=" + path,
		"HOME=" + home,
		"LC_ALL=C.UTF-8",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1",
		"AWS_PAGER=",
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_DEFAULT_OUTPUT=json",
	}, extra)
}

// commands runs commands of the AWS CLI in one process, whose start costs more
// than they do: each line of its input is the arguments of one as JSON, each line
// of its output an object with the code, and what it printed.
const commands = `
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    out.buffer = io.BytesIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(json.loads(line))
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps({"Code": code, "Out": out.getvalue(), "Err": err.getvalue()}), flush=True)
    if code:
        break
`

// AWSEach runs several commands of the AWS CLI one after the other, as AWS does
// but in one process, and ends at the first that fails. It returns the standard
// output of each.
func AWSEach(t testing.TB, env []string, lines ...[]string) (stdout []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cliTimeout)
	defer cancel()
	// The CLI's own interpreter lies beside it.
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(Need(t, "aws")), "python"), "-c", commands)
	cmd.Env = cliEnv(t.TempDir(), os.Getenv("PATH"), env)
	cmd.WaitDelay = time.Second
	var in, out, errs bytes.Buffer
	for _, line := range lines {
		text, err := json.Marshal(line)
		if err != nil {
			return nil, fmt.Errorf("aws %s: %w", strings.Join(line, " "), err)
		}
		in.Write(append(text, '\n'))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("aws: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	answers := json.NewDecoder(&out)
	for _, line := range lines {
		var a struct {
			Code     int
			Out, Err string
		}
		if err := answers.Decode(&a); err != nil {
			return stdout, fmt.Errorf("aws %s: %w: %s", strings.Join(line, " "), err, strings.TrimSpace(errs.String()))
		}
		if a.Code != 0 {
			return stdout, fmt.Errorf("aws %s: exit code %d: %s", strings.Join(line, " "), a.Code, strings.TrimSpace(a.Err))
		}
		stdout = append(stdout, a.Out)
	}
	return stdout, nil
}
