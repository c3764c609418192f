package lockdown

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// The test binary plays several parts, told apart by this variable: without it
// it starts itself again in namespaces of its own, so that no test can ever
// touch the firewall of the machine.
const part = "POSTERN_LOCKDOWN_PART"

// outside is why there are no namespaces; empty inside of them.
var outside string

func TestMain(m *testing.M) {
	switch os.Getenv(part) {
	case "":
		os.Exit(reenter(m))
	case "tests":
		os.Exit(m.Run())
	default:
		os.Exit(play(os.Getenv(part), os.Args[1:]))
	}
}

// reenter runs the tests in new network and mount namespaces, and in a new user
// namespace if we are not root.
func reenter(m *testing.M) int {
	runtime.LockOSThread() // the death signal is bound to the thread that starts the child
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
	} else {
		self, err := os.Executable()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		entry := []string{"--user", "--map-root-user", "--map-auto", "--net", "--mount"}
		if out, err := exec.Command("unshare", append(entry, "true")...).CombinedOutput(); err != nil {
			outside = fmt.Sprintf("no user namespace with several uids: %s", out)
			return m.Run()
		}
		cmd = exec.Command("unshare", append(append(entry, "--kill-child", "--", self), os.Args[1:]...)...)
	}
	cmd.Env = append(os.Environ(), part+"=tests")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		outside = fmt.Sprintf("no namespaces: %v", err)
		return m.Run()
	}
	if err := cmd.Wait(); err != nil {
		if cmd.ProcessState.ExitCode() > 0 {
			return cmd.ProcessState.ExitCode()
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// play runs one of the other parts and returns the exit code.
func play(name string, args []string) int {
	if err := parts[name](args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// parts are what the test binary can be besides the tests.
var parts = map[string]func(args []string) error{
	"imds":  serveIMDS,
	"pause": pause,
	"sdk":   askSDK,
	"apply": applyForever,
}
