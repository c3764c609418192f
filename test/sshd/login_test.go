package sshd_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// installed gives a host with a running sshd that asks Postern. It starts sshd
// last: a reload, which others look at, takes half a second.
func installed(t *testing.T, args ...string) (h *host, admin string) {
	t.Helper()
	h = need(t)
	admin = h.admin()
	h.ok(append([]string{"install", "--group", "engineers", "--break-glass", "admin"}, args...)...)
	h.server()
	return h, admin
}

// While IAM is away, keys work until the snapshot is a day old, and not longer;
// the break-glass account gets in all the same.
func TestOutage(t *testing.T) {
	h, admin := installed(t)
	key := h.key("ed25519")
	alice := h.iam("alice", key)
	h.snapshot(time.Now().Add(-23*time.Hour), alice)
	h.in("alice", key)
	h.snapshot(time.Now().Add(-25*time.Hour), alice)
	h.out("alice", key)
	h.log.has(h, `"account":"alice"`, "the snapshot is too old")
	h.in("admin", admin)
	if out, code := h.postern("status"); code != 3 || !strings.Contains(out, "too old and lets nobody in") {
		t.Errorf("status %d:\n%s", code, out)
	}
}

// sshd itself turns a key away when its time has come, were Postern to go on
// printing it.
func TestExpiryTime(t *testing.T) {
	h, _ := installed(t)
	key := h.key("ed25519")
	alice := h.iam("alice", key)
	h.snapshot(time.Now().Add(-24*time.Hour+time.Minute), alice)
	line := h.ok("keys", "alice")
	h.write("/etc/ssh/breakglass/alice", line)
	h.snapshot(time.Now())
	h.in("alice", key)
	past := time.Now().Add(-time.Minute).Format("20060102150405")
	at := strings.Index(line, `expiry-time="`) + len(`expiry-time="`)
	h.write("/etc/ssh/breakglass/alice", line[:at]+past+line[at+len(past):])
	h.out("alice", key)
}

func TestShortKeys(t *testing.T) {
	h := need(t)
	short := h.key("rsa", "1024")
	h.run("useradd", "-m", "-p", "*", "-s", "/bin/sh", "admin")
	h.write(homes+"/admin/.ssh/authorized_keys", h.public(short)+"\n")
	h.server()
	h.in("admin", short) // as sshd comes
	h.ok("install", "--group", "engineers", "--break-glass", "admin")
	h.out("admin", short)
	if out, code := h.postern("doctor"); code != 3 || !strings.Contains(out, "has 1024 bits, fewer than 2048") {
		t.Errorf("doctor %d:\n%s", code, out)
	}
}

func TestSessionOptions(t *testing.T) {
	h, admin := installed(t)
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	forward := func(user, key string) error {
		cmd := h.client(user, key, "true")
		cmd.Args = append(cmd.Args[:len(cmd.Args)-2], "-W", "127.0.0.1:22", "127.0.0.1")
		out, err := cmd.CombinedOutput() // without input it ends when sshd's banner has come
		if !strings.HasPrefix(string(out), "SSH-2.0") {
			return &exec.Error{Name: string(out), Err: err}
		}
		return nil
	}
	if err := forward("admin", admin); err != nil {
		t.Errorf("admin cannot forward a port: %v", err)
	}
	if err := forward("alice", key); err == nil {
		t.Error("alice can forward a port")
	}
	h.in("alice", key)
}

// An account that only has the name of one of ours is not ours.
func TestOtherUID(t *testing.T) {
	h, _ := installed(t)
	key := h.key("ed25519")
	alice := h.iam("alice", key)
	h.snapshot(time.Now(), alice)
	h.run("usermod", "-u", "4711", "alice")
	h.out("alice", key)
	h.log.has(h, `"account":"alice"`, "another uid")
}

func TestDamagedSnapshot(t *testing.T) {
	h, admin := installed(t, "--ed25519-tag", "SSH key")
	key := h.key("ed25519")
	alice := h.iam("alice", key)
	h.in("admin", admin)
	h.out("alice", key)
	h.log.has(h, `"account":"alice"`, "there is no snapshot yet")
	h.snapshot(time.Now(), alice)
	h.snapshot(time.Now(), alice)
	if err := os.Truncate("/var/lib/postern/ssh/snapshot", 100); err != nil {
		t.Fatal(err)
	}
	h.in("alice", key) // the previous one answers
	out, code := h.postern("status")
	for _, words := range []string{"the previous one answers", "run sudo postern host ssh sync --once '--ed25519-tag=SSH key' --group=engineers, or"} {
		if code != 3 || !strings.Contains(out, words) {
			t.Errorf("status %d, without %q:\n%s", code, words, out)
		}
	}
	h.run("sh", "-c", "echo rubbish | tee /var/lib/postern/ssh/snapshot >/var/lib/postern/ssh/snapshot.prev")
	h.out("alice", key)
	h.in("admin", admin)
}

// The look-up needs no network: no IMDS, no IAM, no name server. Nor does it
// need anything of root's.
func TestNoNetwork(t *testing.T) {
	h, _ := installed(t)
	h.snapshot(time.Now(), h.iam("alice", h.key("ed25519")))
	want := h.ok("keys", "alice")
	got := h.run("unshare", "--net", "setpriv", "--reuid", "postern-ssh", "--regid", "postern-ssh", "--clear-groups", "--no-new-privs",
		program, "host", "ssh", "keys", "alice")
	if got != want || !strings.Contains(got, "ssh-ed25519 ") {
		t.Errorf("without a network:\n%s\nwith one:\n%s", got, want)
	}
}

// Root alone reaches the metadata service, and logins go on: the account that
// sshd runs the look-up as does not need it.
func TestLockdownAndLogin(t *testing.T) {
	h, _ := installed(t)
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	out, err := exec.Command(program, "host", "lockdown", "apply", "--allow", "root", "--no-self-test").CombinedOutput()
	if err != nil {
		t.Fatalf("lockdown: %v\n%s", err, out)
	}
	t.Cleanup(func() { h.run(program, "host", "lockdown", "remove") })
	h.in("alice", key)
	out, err = exec.Command(program, "host", "lockdown", "status", "--json").Output()
	if err != nil {
		t.Fatalf("lockdown: %v\n%s", err, out)
	}
	var status struct {
		Standing bool
		Denied   []any
	}
	if err := json.Unmarshal(out, &status); err != nil || !status.Standing || len(status.Denied) > 0 {
		t.Errorf("refused packets after a login: %v\n%s", err, out)
	}
}

// With PAM, as distributions ship sshd.
func TestPAM(t *testing.T) {
	h := need(t)
	admin := h.admin()
	h.write("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nListenAddress 127.0.0.1\nUsePAM yes\n")
	h.server()
	h.ok("install", "--group", "engineers", "--break-glass", "admin")
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	h.in("alice", key)
	h.in("admin", admin)
}

// A file that never answers costs a login two seconds, and is told of.
func TestDeadline(t *testing.T) {
	h := need(t)
	h.run("mkfifo", "/srv/snapshot")
	t.Cleanup(func() { h.run("rm", "/srv/snapshot") })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "host", "ssh", "keys", "--snapshot", "/srv/snapshot", "alice").CombinedOutput()
	if err != nil || string(out) != "! alice: no answer in time\n" {
		t.Errorf("%v\n%s", err, out)
	}
	h.log.has(h, "no answer in time", `"account":"alice"`, `"within":"2s"`)
}

// A system log that takes no more lines keeps nobody out: the answer comes
// first, and what the log does not take is told elsewhere.
func TestStuckLog(t *testing.T) {
	h, _ := installed(t)
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	fill(t)
	h.in("alice", key)
	fields := strings.Fields(h.run("ssh-keygen", "-l", "-f", key+".pub"))
	out := h.ok("keys", "alice", fields[1])
	answer, rest, _ := strings.Cut(out, "\n")
	if !strings.HasPrefix(answer, "expiry-time=") || !strings.Contains(rest, `"event":"key-answered"`) || strings.Contains(rest, "answer in time") {
		t.Errorf("got:\n%s", out)
	}
}

// fill puts a log that nobody reads in the place of the system's, and fills its
// queue.
func fill(t *testing.T) {
	t.Helper()
	if err := os.Remove("/dev/log"); err != nil {
		t.Fatal(err)
	}
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		t.Fatal(err)
	}
	writer, err := net.Dial("unixgram", "/dev/log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = log.Close(), writer.Close() })
	for err == nil {
		if err = writer.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err == nil {
			_, err = writer.Write([]byte("noise"))
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
}
