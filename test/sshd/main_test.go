// Package sshd_test logs in: a real OpenSSH server, real clients, the real
// program, in namespaces with copies of the folders that they change.
package sshd_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// inside tells the test binary that it runs in the namespaces already.
const inside = "POSTERN_SSHD_INSIDE"

// outside is why there are no namespaces; empty inside of them.
var outside string

// TestMain runs the tests in namespaces of their own, so that they can never
// touch the accounts, the configuration and the sshd of the machine. By another
// name the test binary is postern.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "postern":
		os.Exit(cli.Main(context.Background(), os.Args[1:], ui.System(os.Getenv), os.Getenv))
	case os.Getenv(inside) != "":
		if err := makeWorld(); err != nil {
			fmt.Fprintln(os.Stderr, "make namespaces:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	case os.Getuid() != 0:
		outside = "sshd and accounts of several users need root"
		os.Exit(m.Run())
	}
	os.Exit(reenter(m))
}

func reenter(m *testing.M) int {
	runtime.LockOSThread() // the death signal is bound to the thread that starts the child
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
	}
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		outside = fmt.Sprintf("no namespaces: %v", err)
		return m.Run()
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() <= 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}
