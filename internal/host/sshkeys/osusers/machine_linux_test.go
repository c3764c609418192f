package osusers_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests run useradd, usermod, visudo and kill for real, in a child that
// has its own mounts and its own processes: /etc is a copy, /home and /run are
// empty. Nothing of this machine changes.

const inside = "POSTERN_TEST_NAMESPACE"

// alone runs the test again in namespaces of its own and says whether this is
// that second run.
func alone(t *testing.T) bool {
	t.Helper()
	for _, program := range []string{"useradd", "usermod", "groupadd", "groupmod", "visudo"} {
		need(t, program)
	}
	if os.Geteuid() != 0 {
		skip(t, "only root may create accounts")
	}
	if os.Getenv(inside) != "" {
		privateMachine(t)
		return true
	}
	runtime.LockOSThread() // the death signal is bound to the thread that starts the child
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		skip(t, "namespaces are not allowed here")
	}
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		skip(t, program+" is not installed")
	}
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("POSTERN_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func privateMachine(t *testing.T) {
	t.Helper()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	copied := t.TempDir()
	do(syscall.Mount("none", copied, "tmpfs", 0, "size=64m"))
	if out, err := exec.Command("cp", "-a", "/etc/.", copied).CombinedOutput(); err != nil {
		t.Fatalf("copy /etc: %v\n%s", err, out)
	}
	do(syscall.Mount(copied, "/etc", "", syscall.MS_BIND, ""))
	do(syscall.Unmount(copied, 0))
	for _, dir := range []string{"/home", "/run", "/var/mail"} {
		do(syscall.Mount("none", dir, "tmpfs", 0, "size=4m,mode=755"))
	}
	do(syscall.Mount("proc", "/proc", "proc", 0, ""))
	do(os.MkdirAll("/etc/sudoers.d", 0o750))
}
