// Package systemd_test boots hosts: Debian's own systemd, sshd and nftables in a
// container, a copy-on-write view of this machine's files, a metadata service
// and an IAM that it reaches over a bridge. What is installed there is used as
// operators do, by ssh and sudo.
package systemd_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// inside tells the test binary that it runs in the namespaces already, and
// names its control group.
const inside = "POSTERN_SYSTEMD_INSIDE"

// outside is why there are no namespaces; empty inside of them.
var outside string

// TestMain runs the tests in namespaces of their own. With their first process
// everything ends that they started, mounted and connected, however it ends. By
// other names the test binary is postern, and a stranger on a host.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "postern":
		os.Exit(cli.Main(context.Background(), os.Args[1:], ui.System(os.Getenv), os.Getenv))
	case filepath.Base(os.Args[0]) == "stranger":
		askForever()
	case os.Getenv(inside) != "":
		if err := makeWorld(os.Getenv(inside)); err != nil {
			fmt.Fprintln(os.Stderr, "make namespaces:", err)
			os.Exit(1)
		}
	case os.Getuid() != 0:
		outside = "booting a host needs root"
	default:
		os.Exit(reenter(m))
	}
	os.Exit(m.Run())
}

// missing is what booting a host lacks; empty if nothing.
func missing() string {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return err.Error()
		}
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return "hosts are made of this machine's Debian: " + err.Error()
		}
	}
	return ""
}

// reenter runs the tests in new namespaces and a control group of their own,
// and removes that group: it would outlive them.
func reenter(m *testing.M) int {
	if outside = missing(); outside != "" {
		return m.Run()
	}
	removeStale()
	runtime.LockOSThread() // the death signal is bound to the thread that starts the child
	group := groupPrefix + strconv.Itoa(os.Getpid())
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
	}
	cmd.Env = append(os.Environ(), inside+"="+group)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if err := cmd.Start(); err != nil {
		outside = fmt.Sprintf("no namespaces: %v", err)
		return m.Run()
	}
	go func() {
		<-stop
		_ = cmd.Process.Kill()
	}()
	err := cmd.Wait()
	removeGroups(group)
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		return code
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
