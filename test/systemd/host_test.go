package systemd_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that a host does.
const patience = time.Minute

// host is a machine that runs systemd.
type host struct {
	*testing.T
	dir, addr string
	boots     int
	nspawn    *exec.Cmd
	init      int        // its first process, as this machine numbers it
	off       chan error // when it ends: nil, or why nspawn failed
}

// hostCount numbers the hosts, and with that their addresses.
var hostCount atomic.Int32

// boot makes a host and boots it, or skips the test. Files are put into it
// before: path to text.
func boot(t *testing.T, files map[string]string) *host {
	t.Helper()
	if outside != "" {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatal("POSTERN_REQUIRE=all: " + outside)
		}
		t.Skip(outside)
	}
	if err := serveMetadata(); err != nil {
		t.Fatal(err)
	}
	n := hostCount.Add(1)
	h := &host{T: t, dir: fmt.Sprintf("/mnt/host%d", n), addr: fmt.Sprintf("10.0.0.%d", n+1)}
	must(h.T, "mkdir", "-p", h.dir+"/upper", h.dir+"/work", h.root(""))
	must(h.T, "mount", "-t", "overlay", "-o", fmt.Sprintf("lowerdir=%s:/,upperdir=%s/upper,workdir=%[2]s/work", base, h.dir), "overlay", h.root(""))
	h.Cleanup(func() { must(h.T, "umount", "--lazy", h.root("")); must(h.T, "rm", "-rf", h.dir) })
	h.write("/etc/systemd/network/10-host0.network", fmt.Sprintf("[Match]\nName=host0\n[Network]\nAddress=%s/24\nGateway=%s\nAddress=fd00:1::%d/64\nGateway=fd00:1::1\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
		h.addr, gateway, n+1))
	for path, text := range files {
		h.write(path, text)
	}
	h.Cleanup(h.kill)
	h.start()
	return h
}

// root is where a file of the host is on this machine.
func (h *host) root(path string) string { return h.dir + "/root" + path }

// start boots the host and waits until it has.
func (h *host) start() {
	h.Helper()
	console, err := os.Create(h.dir + "/console")
	if err != nil {
		h.Fatal(err)
	}
	defer console.Close() //nolint:errcheck // the child has its own
	h.boots++
	// Hosts that shared a control group would stop each other's services.
	h.nspawn = exec.Command("sh", "-ec", `for group in $GROUPS; do mkdir "$group"; echo 0 >"$group/cgroup.procs"; done; exec "$@"`, "-",
		"systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--directory="+h.root(""), "--machine="+filepath.Base(h.dir),
		"--network-bridge="+bridge, "--resolv-conf=off", "--timezone=off", "--console=pipe", "--boot")
	h.nspawn.Env = append(os.Environ(), "SYSTEMD_NSPAWN_LOCK=0", "GROUPS="+strings.Join(groupsOf(fmt.Sprintf("%s-%d", filepath.Base(h.dir), h.boots)), " "))
	h.nspawn.Stdout, h.nspawn.Stderr = console, console
	if err := h.nspawn.Start(); err != nil {
		h.Fatal(err)
	}
	off := make(chan error, 1)
	h.off = off
	go func(cmd *exec.Cmd) { off <- cmd.Wait() }(h.nspawn)
	h.eventually("a booted system", func() bool {
		if h.init == 0 {
			out, _ := exec.Command("pgrep", "-x", "-P", strconv.Itoa(h.nspawn.Process.Pid), "systemd").Output()
			h.init, _ = strconv.Atoi(strings.TrimSpace(string(out)))
		}
		state, _ := h.do("systemctl", "is-system-running")
		return h.init != 0 && (strings.HasPrefix(state, "running") || strings.HasPrefix(state, "degraded"))
	})
}

// kill ends the host at once.
func (h *host) kill() {
	if h.Failed() {
		text, _ := os.ReadFile(h.dir + "/console") // it is only to be shown
		out, _ := h.do("journalctl", "--no-pager", "--boot", "--lines=200", "--output=short-monotonic")
		h.Logf("console:\n%s\njournal:\n%s", text, out)
	}
	_ = h.nspawn.Process.Kill()
	select {
	case <-h.off:
	case <-time.After(patience):
		h.Error("the host does not end")
	}
}

// reboot has the operator reboot the host, and waits until it has booted again.
func (h *host) reboot() {
	h.Helper()
	_, _ = h.admin("sudo systemctl reboot") // the connection ends with it
	const again = 133                       // https://www.freedesktop.org/software/systemd/man/latest/systemd-nspawn.html#--keep-unit
	select {
	case <-h.off:
	case <-time.After(patience):
		h.Fatal("the host does not go down")
	}
	h.off <- nil
	if code := h.nspawn.ProcessState.ExitCode(); code != again {
		h.Fatalf("the host ends with %d, and does not want to reboot", code)
	}
	h.init = 0
	h.start()
}

// do runs a program on the host as root, outside of every session, and gives
// what it prints and its exit code.
func (h *host) do(args ...string) (string, int) {
	h.Helper()
	return h.end(exec.Command("nsenter", append([]string{"--target", strconv.Itoa(h.init), "--all", "--"}, args...)...))
}

// end runs a command and gives what it prints on both streams and its exit
// code.
func (h *host) end(cmd *exec.Cmd) (string, int) {
	h.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	_ = cmd.Wait()
	if !late.Stop() {
		h.Errorf("%s: no end within %v", strings.Join(cmd.Args, " "), patience)
	}
	return said.String(), cmd.ProcessState.ExitCode()
}

// run is do of a program that must succeed.
func (h *host) run(args ...string) string {
	h.Helper()
	out, code := h.do(args...)
	if code != 0 {
		h.Fatalf("%s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// must runs a program of this machine that must succeed.
func must(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// ssh is a client that runs a command on the host.
func (h *host) ssh(user, key, command string) *exec.Cmd {
	return exec.Command("ssh", "-F", "none", "-q", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "-i", key, "-l", user, h.addr, command)
}

// admin runs a shell command as the operator does, over ssh.
func (h *host) admin(command string) (string, int) {
	h.Helper()
	return h.end(h.ssh("admin", adminKey, command))
}

// ok is admin of a command that must succeed.
func (h *host) ok(command string) string {
	h.Helper()
	return h.exits(0, command)
}

// exits is admin of a command that must end with an exit code.
func (h *host) exits(code int, command string) string {
	h.Helper()
	out, got := h.admin(command)
	if got != code {
		h.Fatalf("%s: exit code %d, want %d\n%s", command, got, code, out)
	}
	return out
}

func (h *host) eventually(what string, holds func() bool) {
	h.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	h.Fatalf("never came: %s", what)
}

// write makes a file of root's on the host.
func (h *host) write(path, text string) {
	h.Helper()
	path = h.root(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.Fatal(err)
	}
}

// property is one of those that systemd knows of a unit.
func (h *host) property(unit, name string) string {
	h.Helper()
	return strings.TrimSpace(h.run("systemctl", "show", "--value", "--property="+name, unit))
}
