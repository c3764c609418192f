package cli

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// update rewrites the golden parts of the scripts: go test ./internal/cli -update
var update = flag.Bool("update", false, "rewrite the golden output in testdata/script")

// TestMain lets the scripts run the real Main: the test binary is postern when
// it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"postern": func() {
			os.Exit(Main(context.Background(), os.Args[1:], ui.System(os.Getenv), os.Getenv))
		},
		"imds": imds,
	})
}

// TestScripts runs testdata/script/*.txtar, one user-visible behaviour each.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answers": answers, "await": await, "exits": exits,
		},
	})
}

// exits runs a program and checks its exit code: exits 2 postern chekc
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// await waits until a file is there: await sandbox.env
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	for range 500 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear within 5 s", args[0])
}

// answers calls the endpoint of an environment file without credentials and
// wants AWS's refusal: answers sandbox.env
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answers ENVFILE")
	}
	_, rest, _ := strings.Cut(ts.ReadFile(args[0]), "AWS_ENDPOINT_URL=")
	url, _, _ := strings.Cut(rest, "\n")
	response, err := http.Get(url)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "MissingAuthenticationToken") {
		ts.Fatalf("%s answered %s: %s", url, response.Status, body)
	}
}
