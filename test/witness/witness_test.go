package witness

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFindPrefersTheInstalledTool(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "internal", "aws")
	onPath := t.TempDir()
	t.Setenv("PATH", onPath)
	writeFile(t, filepath.Join(root, "go.mod"), 0o644)
	mkdir(t, deep)
	for _, tool := range []string{"both", "elsewhere"} {
		writeFile(t, filepath.Join(onPath, tool), 0o755)
	}
	writeFile(t, filepath.Join(root, installed, "both"), 0o755)
	writeFile(t, filepath.Join(root, installed, "plain"), 0o644)

	for _, tt := range []struct {
		tool, want string
	}{
		{"both", filepath.Join(root, installed, "both")},
		{"elsewhere", filepath.Join(onPath, "elsewhere")},
		{"plain", ""}, // not executable
		{"absent", ""},
	} {
		t.Run(tt.tool, func(t *testing.T) {
			got, err := find(tt.tool, deep)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("find(%q) = %q, %v; want %q", tt.tool, got, err, tt.want)
			}
		})
	}
}

func TestNeedOfAMissingTool(t *testing.T) {
	for _, tt := range []struct {
		name, require string
		want          verdict
	}{
		{"skips by default", "", verdict{Skipped: true}},
		{"fails where all are required", "all", verdict{Failed: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("POSTERN_REQUIRE", tt.require)
			got := judge(t, func(t testing.TB) { Need(t, "no-such-tool") })
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// verdict is how a test ended.
type verdict struct{ Skipped, Failed bool }

// judge runs f as a test of its own that may fail without failing t.
func judge(t *testing.T, f func(testing.TB)) verdict {
	inner := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(inner)
	}()
	<-done
	return inner.got
}

// recorder is a testing.TB that notes a skip or a failure in place of having it.
type recorder struct {
	testing.TB
	got verdict
}

func (r *recorder) Fatalf(string, ...any) { r.got.Failed = true; runtime.Goexit() }
func (r *recorder) Skip(...any)           { r.got.Skipped = true; runtime.Goexit() }

func TestCLIEnvironment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "mine")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
	out, err := AWS(t, []string{"AWS_SECRET_ACCESS_KEY=s", "AWS_DEFAULT_REGION=eu-west-1"}, "configure", "list")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "mine") || strings.Contains(out, "MINE") || !strings.Contains(out, "eu-west-1") {
		t.Errorf("the CLI sees the machine's configuration, or not the test's:\n%s", out)
	}
}

func TestMotoAnswersTheCLI(t *testing.T) {
	env := []string{
		"AWS_ENDPOINT_URL=" + Moto(t),
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
	}
	out, err := AWS(t, env, "sts", "get-caller-identity", "--query", "Account", "--output", "text")
	if err != nil || out != "123456789012\n" {
		t.Errorf("account %q, %v; want 123456789012", out, err)
	}
	_, err = AWS(t, env, "iam", "get-role", "--role-name", "absent")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "NoSuchEntity") {
		t.Errorf("get-role of an absent role: %v; want an exit error with NoSuchEntity", err)
	}
}

func TestMotoEndsWithItsTest(t *testing.T) {
	var url string
	t.Run("with moto", func(t *testing.T) { url = Moto(t) })
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
	if err == nil {
		_ = conn.Close()
		t.Errorf("moto still listens at %s after its test", url)
	}
}

func TestMotoEndsWithAKilledTestBinary(t *testing.T) {
	cmd := exec.Command("sh", "-c", watched, "sh", "-c", "echo started; exec sleep 60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("started\n"))); err != nil {
		t.Fatalf("read the command's first line: %v", err)
	}
	begun := time.Now()
	_ = stdin.Close()                    // as the kernel does for a killed process
	_, err = io.Copy(io.Discard, stdout) // ends when the last process that holds it has
	if took := time.Since(begun); err != nil || took > 30*time.Second {
		t.Errorf("the command ended after %v, %v; want at once", took, err)
	}
	_ = cmd.Wait()
}

func writeFile(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestCommandsOfTheCLIInOneProcess(t *testing.T) {
	env := []string{
		"AWS_ENDPOINT_URL=" + Moto(t),
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
	}
	who := []string{"sts", "get-caller-identity", "--query", "Account", "--output", "text"}
	out, err := AWSEach(t, env, who, []string{"iam", "get-role", "--role-name", "absent"}, who)
	if d := cmp.Diff([]string{"123456789012\n"}, out); d != "" {
		t.Errorf("output of the commands before the one that fails (-want +got):\n%s", d)
	}
	if err == nil || !strings.Contains(err.Error(), "aws iam get-role --role-name absent: ") || !strings.Contains(err.Error(), "NoSuchEntity") {
		t.Errorf("get-role of an absent role: %v; want the command and NoSuchEntity", err)
	}
}
