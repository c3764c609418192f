package witness

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
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
