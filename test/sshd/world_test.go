package sshd_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/witness"
)

// The machine of the tests. Everything that is changed lies in memory.
const (
	program = "/opt/postern/postern"
	homes   = "/home"
)

// makeWorld gives the namespaces folders of their own.
func makeWorld() error {
	script := `
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/etc /mnt/dev /mnt/dev/pts /mnt/dev/shm
cp -a /etc/. /mnt/etc
for d in null zero full random urandom tty; do : >/mnt/dev/$d; mount --bind /dev/$d /mnt/dev/$d; done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none /mnt/dev/pts
ln -s pts/ptmx /mnt/dev/ptmx
ln -s /proc/self/fd /mnt/dev/fd
mount --bind /mnt/etc /etc
mount --rbind /mnt/dev /dev
for d in /run /home /var/lib /opt /srv /var/mail /var/log; do mkdir -p $d; mount -t tmpfs -o mode=755 none $d; done
mount -t proc none /proc
mkdir /run/sshd /opt/postern /opt/saved /opt/trap
for p in sshd ssh-keygen systemctl loginctl getent useradd userdel usermod groupadd groupmod visudo nologin; do
printf '#!/bin/sh\necho "$0 $*" >>/opt/trap/sprung\n' >/opt/trap/$p; chmod 755 /opt/trap/$p; done
rm -rf /etc/ssh/sshd_config.d /etc/ssh/breakglass
mkdir /etc/ssh/sshd_config.d
ssh-keygen -q -A
cat >/etc/ssh/sshd_config <<'EOF'
Include /etc/ssh/sshd_config.d/*.conf
ListenAddress 127.0.0.1
UsePAM no
EOF
cp -a /etc/ssh /etc/passwd /etc/shadow /etc/group /etc/gshadow /opt/saved
ip link set lo up
`
	for _, dir := range []string{"/opt", "/srv", "/var/mail"} {
		if _, err := os.Stat(dir); err != nil {
			return err
		}
	}
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	return os.WriteFile(program, self, 0o755)
}

// host is the machine as a test finds it: clean, without a running sshd.
type host struct {
	*testing.T
	log *auditLog
}

// need gives the host, or skips the test.
func need(t *testing.T) *host {
	t.Helper()
	for _, tool := range []string{"sshd", "ssh", "ssh-keygen", "useradd", "ip"} {
		witness.Need(t, tool)
	}
	if outside != "" {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatal("POSTERN_REQUIRE=all: " + outside)
		}
		t.Skip(outside)
	}
	h := &host{T: t}
	h.run("sh", "-ec", `
rm -rf /etc/ssh /var/lib/postern /home/* /run/systemd /etc/systemd/system/ssh* /etc/systemd/system/postern* /etc/sudoers.d/postern*
cp -a /opt/saved/. /etc`)
	h.log = listen(t)
	t.Cleanup(func() {
		if ran, err := os.ReadFile("/opt/trap/sprung"); err == nil {
			t.Errorf("programs of the caller's PATH were run:\n%s", ran)
		}
	})
	return h
}

// auditLog is what programs of the host write to syslog.
type auditLog struct {
	mu    sync.Mutex
	lines []string
}

func listen(t *testing.T) *auditLog {
	t.Helper()
	if err := os.Remove("/dev/log"); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		t.Fatal(err)
	}
	log := &auditLog{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			log.mu.Lock()
			log.lines = append(log.lines, string(buf[:n]))
			log.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return log
}

// has waits for a line that has all the parts.
func (l *auditLog) has(h *host, parts ...string) {
	h.Helper()
	h.eventually("in the log: "+strings.Join(parts, ", "), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, line := range l.lines {
			all := true
			for _, p := range parts {
				all = all && strings.Contains(line, p)
			}
			if all {
				return true
			}
		}
		return false
	})
}

func (l *auditLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (h *host) eventually(what string, holds func() bool) {
	h.Helper()
	for range 500 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.Fatalf("never came: %s\n%s", what, h.log)
}

// run runs a program that must succeed, and gives what it prints.
func (h *host) run(name string, args ...string) string {
	h.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		h.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// postern runs the program and gives what it prints on both streams and its
// exit code.
func (h *host) postern(args ...string) (string, int) {
	h.Helper()
	cmd := exec.Command(program, append([]string{"host", "ssh"}, args...)...)
	cmd.Env = []string{trapped()}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		h.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// trapped is a PATH in which every program that postern runs as root has a
// namesake of somebody else's. Each test fails if one of them was run.
func trapped() string { return "PATH=/opt/trap:" + os.Getenv("PATH") }

// ok is postern that must succeed.
func (h *host) ok(args ...string) string {
	h.Helper()
	out, code := h.postern(args...)
	if code != 0 {
		h.Fatalf("postern host ssh %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// server starts sshd until the end of the test.
func (h *host) server(options ...string) {
	h.Helper()
	h.run("mkdir", "-p", "/run/sshd") // sshd needs it, systemd makes it
	var said bytes.Buffer
	cmd := exec.Command("/usr/sbin/sshd", append([]string{"-D", "-e"}, options...)...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if h.Failed() {
			h.Logf("sshd said:\n%s", &said)
		}
	})
	h.eventually("sshd", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:22")
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// key makes a key pair and gives the path of the private one.
func (h *host) key(kind string, bits ...string) string {
	h.Helper()
	path := filepath.Join(h.TempDir(), kind)
	args := []string{"-q", "-t", kind, "-N", "", "-f", path}
	if len(bits) > 0 {
		args = append(args, "-b", bits[0])
	}
	h.run("ssh-keygen", args...)
	return path
}

// public is the line of a key's public half.
func (h *host) public(key string) string {
	h.Helper()
	text, err := os.ReadFile(key + ".pub")
	if err != nil {
		h.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// login runs a command over ssh and says whether sshd let it.
func (h *host) login(user, key, command string) (string, bool) {
	h.Helper()
	out, err := h.client(user, key, command).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 255 {
		return string(out), false
	}
	if err != nil {
		h.Fatalf("ssh %s: %v\n%s", user, err, out)
	}
	return string(out), true
}

func (h *host) client(user, key, command string) *exec.Cmd {
	cmd := exec.Command("ssh", "-F", "none", "-q", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "-i", key, "-l", user, "127.0.0.1", command)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}
	return cmd
}

// in demands a login as a user; out demands that there is none.
func (h *host) in(user, key string) {
	h.Helper()
	if out, ok := h.login(user, key, "id -un"); !ok || strings.TrimSpace(out) != user {
		h.Errorf("%s does not get in: %s\n%s", user, out, h.log)
	}
}

// enters says whether a user gets in.
func (h *host) enters(user, key string) bool {
	h.Helper()
	_, ok := h.login(user, key, "true")
	return ok
}

func (h *host) out(user, key string) {
	h.Helper()
	if out, ok := h.login(user, key, "id -un"); ok {
		h.Errorf("%s gets in: %s", user, out)
	}
}

// write makes a file of root's.
func (h *host) write(path, text string) {
	h.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.Fatal(err)
	}
}
