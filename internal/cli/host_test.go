package cli

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
	"github.com/postern-dev/postern/test/witness"
)

// imds is the program that host scripts know by this name. It listens for each
// family by itself: where there are IPv4 addresses but no loopback, Go takes
// "[::]" for IPv4 alone.
func imds() {
	ended := make(chan error)
	for _, network := range []string{"tcp4", "tcp6"} {
		listener, err := net.Listen(network, ":80")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() { ended <- http.Serve(listener, lockdowntest.MetadataOf(instance)) }()
	}
	fmt.Fprintln(os.Stderr, <-ended)
	os.Exit(1)
}

// instance is the id of the instance that a script is on: it may write one into
// a file.
func instance() string {
	id, err := os.ReadFile("/run/instance-id")
	if err != nil {
		return lockdowntest.Instance
	}
	return strings.TrimSpace(string(id))
}

// TestHost runs testdata/host/*.txtar: shell scripts on a host with a metadata
// service, in network and mount namespaces of their own.
func TestHost(t *testing.T) {
	for _, tool := range []string{"ip", "nft", "curl", "nsenter", "unshare", "setpriv", "systemctl"} {
		witness.Need(t, tool)
	}
	enter := []string{"--net", "--mount", "--kill-child", "--fork"}
	if os.Getuid() != 0 {
		enter = append(enter, "--user", "--map-root-user", "--map-auto")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", append(enter, "true")...).CombinedOutput(); err != nil {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatalf("POSTERN_REQUIRE=all: no namespaces: %s", out)
		}
		t.Skipf("no namespaces: %s", out)
	}
	prelude, err := filepath.Abs("testdata/host/host.sh")
	if err != nil {
		t.Fatal(err)
	}
	// host CODE FILE: runs a shell script on the host
	host := func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: host CODE FILE")
		}
		shell := []string{"sh", "-c", `. "$1"; . "$2"`, "-", prelude, ts.MkAbs(args[1])}
		exits(ts, false, append([]string{args[0], "unshare"}, append(enter, shell...)...))
	}
	moto, aws := witness.Need(t, "moto_server"), witness.Need(t, "aws")
	testscript.Run(t, testscript.Params{
		Setup: func(e *testscript.Env) error {
			e.Setenv("MOTO", moto)
			e.Setenv("AWS", aws)
			return nil
		},
		Dir: "testdata/host", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"host": host, "exits": exits},
	})
}
