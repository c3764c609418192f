package witness

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// motoStart bounds the wait for moto to listen: it imports a hundred services
// first, which takes seconds on a busy machine.
const motoStart = 90 * time.Second

// motoStop bounds the wait for a killed moto to be gone.
const motoStop = 10 * time.Second

// watched runs a command until it ends by itself or standard input closes, and
// then ends its whole process group. The pipe closes even when a test binary is
// killed, where no cleanup runs: moto never outlives its test.
const watched = `{ "$0" "$@"; kill -KILL 0; } </dev/null & cat >/dev/null; kill -KILL 0`

// listening finds the address in moto's output, printed once the socket is open.
var listening = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// Moto starts a moto server of its own for the test, on a loopback port that the
// kernel picks, and returns its URL without a trailing slash. The cleanup of t
// ends it; if t has failed by then, what moto said is logged.
//
// Its state is that server's alone. Accounts are told apart by credentials: any
// unknown key belongs to 123456789012, those of an assumed role to the account
// of the role. Policies are not enforced.
// https://docs.getmoto.org/en/latest/docs/server_mode.html
func Moto(t testing.TB) string {
	t.Helper()
	out := &output{found: make(chan string, 1)}
	cmd := exec.Command("sh", "-c", watched, Need(t, "moto_server"), "-H", "127.0.0.1", "-p", "0")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = out, out
	exited := start(t, cmd)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("moto said:\n%s", out)
		}
	})
	select {
	case url := <-out.found:
		return url
	case <-exited:
		t.Fatalf("start moto: it ended by itself: %v", cmd.ProcessState)
	case <-time.After(motoStart):
		t.Fatalf("start moto: no address after %v", motoStart)
	}
	return ""
}

// start runs cmd, which leads a process group and lives as long as its standard
// input, until the cleanup of t. The channel closes when it has ended.
func start(t testing.TB, cmd *exec.Cmd) (exited <-chan struct{}) {
	t.Helper()
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it ends by a signal; what matters is that it has ended
		close(done)
	}()
	t.Cleanup(func() { end(t, cmd, stdin, done) })
	return done
}

// end kills the process group of cmd and waits until its leader is gone.
func end(t testing.TB, cmd *exec.Cmd, stdin io.Closer, done <-chan struct{}) {
	_ = stdin.Close()
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("end %s: %v", cmd.Path, err)
	}
	select {
	case <-done:
	case <-time.After(motoStop):
		t.Errorf("end %s: still there after %v", cmd.Path, motoStop)
	}
}

// output keeps what a server prints and sends its address once, as soon as it
// is there.
type output struct {
	found chan string // capacity 1

	mu   sync.Mutex
	text bytes.Buffer
	sent bool
}

// Write keeps p and looks for the address.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if m := listening.FindSubmatch(o.text.Bytes()); m != nil && !o.sent {
		o.sent = true
		o.found <- string(m[1])
	}
	return len(p), nil
}

// String returns what was printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
