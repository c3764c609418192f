package osusers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/osusers"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

func testHost() osusers.Host {
	h := osusers.Default()
	h.Grace = 300 * time.Millisecond
	return h
}

func TestConforms(t *testing.T) {
	if alone(t) {
		sshkeystest.Conform(t, testHost(), []string{"audio", "video"})
	}
}

// line is a line of a file of /etc.
func line(t *testing.T, file, name string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(data)) {
		if strings.HasPrefix(l, name+":") {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

const (
	zoeID = "AIDACKCEVSQ6C2EXAMPLE"
	zoe   = 1903645303
	home  = "/home" + "/zoe"
)

func create(t *testing.T, h osusers.Host) {
	t.Helper()
	for _, s := range []sshkeys.Step{
		{Kind: sshkeys.AddGroup, Name: "zoe", UID: zoe},
		{Kind: sshkeys.AddUser, Name: "zoe", UID: zoe, Comment: sshkeys.Comment(zoeID)},
	} {
		if err := h.Do(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func take(t *testing.T, h osusers.Host, kind sshkeys.Kind) {
	t.Helper()
	if err := h.Do(t.Context(), sshkeys.Step{Kind: kind, Name: "zoe", UID: zoe}); err != nil {
		t.Errorf("%s: %v", kind, err)
	}
}

// TestAccount looks at what the steps leave in /etc with eyes of its own.
func TestAccount(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	want := "zoe:x:1903645303:1903645303:IAM user AIDACKCEVSQ6C2EXAMPLE:" + home + ":/bin/bash"
	if got := line(t, "/etc/passwd", "zoe"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	secret := func() string { return strings.Split(line(t, "/etc/shadow", "zoe"), ":")[1] }
	if secret() != "*" {
		t.Errorf("password %q: sshd without PAM takes ! for a lock", secret())
	}
	if subuid, _ := os.ReadFile("/etc/subuid"); strings.Contains(string(subuid), "zoe") {
		t.Error("the account has sub-uids")
	}
	info, err := os.Stat(home)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != zoe {
		t.Errorf("home: %v, %v", info, err)
	}

	take(t, h, sshkeys.Lock)
	if got := line(t, "/etc/shadow", "zoe"); !strings.HasPrefix(got, "zoe:!*:") || strings.Split(got, ":")[7] != "2" {
		t.Errorf("locked: %s", got)
	}
	if got := line(t, "/etc/passwd", "zoe"); !strings.HasSuffix(got, "/nologin") {
		t.Errorf("locked: %s", got)
	}
	take(t, h, sshkeys.Restore)
	if got := line(t, "/etc/passwd", "zoe"); got != want || secret() != "*" {
		t.Errorf("restored: %s, password %q", got, secret())
	}
	for _, by := range []struct{ args, after string }{
		{"--password !", "*"}, // as useradd leaves it
		{"--password !$6$abc", "$6$abc"},
	} {
		if out, err := exec.Command("usermod", append(strings.Fields(by.args), "zoe")...).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		take(t, h, sshkeys.Restore)
		if secret() != by.after {
			t.Errorf("after usermod %s: password %q", by.args, secret())
		}
	}
}

// TestAgeing: hardened images age passwords, and PAM lets nobody in whose
// password is too old, with whatever key.
func TestAgeing(t *testing.T) {
	if !alone(t) {
		return
	}
	edit := `sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/; s/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 7/' /etc/login.defs
printf 'INACTIVE=30\nEXPIRE=2026-01-01\n' >>/etc/default/useradd`
	if out, err := exec.Command("sh", "-ec", edit).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	h := testHost()
	create(t, h)
	if f := strings.Split(line(t, "/etc/shadow", "zoe"), ":"); f[4]+f[6]+f[7] != "" { // maximum, inactive, expiry
		t.Errorf("the account ends by itself: %q", f)
	}
}

// TestHomeless: useradd writes the account, is killed, and the home never comes.
func TestHomeless(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	homeless := func() bool {
		s, err := h.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(s.Accounts, func(a sshkeys.Account) bool { return a.Homeless })
	}
	if homeless() {
		t.Error("homeless with a home")
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if !homeless() {
		t.Error("not homeless without one")
	}
	take(t, h, sshkeys.MakeHome)
	info, err := os.Stat(home)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != zoe || homeless() {
		t.Errorf("home: %v, %v", info, err)
	}
	if _, err := os.Stat(home + "/.profile"); err != nil {
		t.Error(err)
	}
}

func TestAccess(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	for _, test := range []struct {
		args string
		want sshkeys.Access
	}{
		{"--comment x", sshkeys.Open},
		{"--lock", sshkeys.Barred},
		{"--expiredate 1", sshkeys.Barred},
		{"--shell /usr/sbin/nologin", sshkeys.Barred}, // all three, by somebody else
		{"--expiredate 2", sshkeys.Locked},
		{"--expiredate 40000", sshkeys.Barred},
		{"--expiredate 0", sshkeys.Barred},
	} {
		if out, err := exec.Command("usermod", append(strings.Fields(test.args), "zoe")...).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		s, err := h.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(s.Accounts, func(a sshkeys.Account) bool { return a.Name == "zoe" })
		if got := s.Accounts[i].Access; got != test.want {
			t.Errorf("after usermod %s: %s, want %s", test.args, got, test.want)
		}
	}
}

// TestSomebodysHome: what is left of another account is given to nobody.
func TestSomebodysHome(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	for name, lay := range map[string]func() error{
		"another's folder": func() error { return errors.Join(os.Mkdir(home, 0o700), os.Chown(home, 4000, 4000)) },
		"a link":           func() error { return os.Symlink("/etc", home) },
		"a file":           func() error { return os.WriteFile(home, nil, 0o600) },
	} {
		if err := lay(); err != nil {
			t.Fatal(err)
		}
		if err := h.Do(t.Context(), sshkeys.Step{Kind: sshkeys.AddUser, Name: "zoe", UID: zoe}); err == nil || !strings.Contains(err.Error(), "not the user's") {
			t.Errorf("%s: got error %v", name, err)
		}
		if err := os.RemoveAll(home); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProcesses ends processes that go quietly, that do not, and that fork.
func TestProcesses(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	other := start(t, 4000, "sleep 60")
	for _, script := range []string{
		"sleep 60",
		"trap '' TERM; while :; do sleep 0.2; done",
		"trap '' TERM; while :; do (sleep 0.1; sleep 60) & sleep 0.05; done",
	} {
		ended := start(t, zoe, script)
		waitBusy(t, h)
		take(t, h, sshkeys.Terminate)
		take(t, h, sshkeys.Kill)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%q lives", script)
		}
		if busy(t, h) {
			t.Errorf("%q left processes", script)
		}
	}
	select {
	case err := <-other:
		t.Errorf("another user's process ended: %v", err)
	default:
	}
}

func start(t *testing.T, uid uint32, script string) <-chan error {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return ended
}

func busy(t *testing.T, h osusers.Host) bool {
	t.Helper()
	s, err := h.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(s.Accounts, func(a sshkeys.Account) bool { return a.UID == zoe && a.Processes })
}

func waitBusy(t *testing.T, h osusers.Host) {
	t.Helper()
	for range 100 {
		if busy(t, h) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the process is not seen")
}

// TestSudoers asks sudo itself who has it.
func TestSudoers(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	set := func(accounts ...string) error {
		return h.Do(t.Context(), sshkeys.Step{Kind: sshkeys.Sudoers, Members: accounts})
	}
	may := func() bool {
		out, _ := exec.Command("sudo", "-l", "-U", "zoe").CombinedOutput()
		return strings.Contains(string(out), "(ALL : ALL) NOPASSWD: ALL")
	}
	if may() {
		t.Fatal("zoe has sudo before")
	}
	if err := set("zoe"); err != nil || !may() {
		t.Errorf("error %v, sudo %v", err, may())
	}
	if info, err := os.Stat(h.Sudoers); err != nil || info.Mode() != 0o440 {
		t.Errorf("%v, %v", info, err)
	}

	// A list that sudo would choke on never gets there: the one of before stays.
	if err := set("zoe", "bad ="); err == nil || !may() {
		t.Errorf("error %v, sudo %v", err, may())
	}
	left, _ := filepath.Glob("/etc/sudoers.d/.postern*")
	if left != nil {
		t.Errorf("left behind: %v", left)
	}

	if err := os.WriteFile(h.Sudoers, []byte("mallory ALL=(ALL) ALL\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	s, err := h.State(t.Context())
	if d := cmp.Diff([]string{"mallory", "(edited)"}, s.Sudoers); err != nil || d != "" {
		t.Errorf("%v: -want +got:\n%s", err, d)
	}
	for range 2 {
		if err := set(); err != nil || may() {
			t.Errorf("error %v, sudo %v", err, may())
		}
	}
}

// TestNoSudo: where sudo is not installed, giving it says so.
func TestNoSudo(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	if err := os.RemoveAll(filepath.Dir(h.Sudoers)); err != nil {
		t.Fatal(err)
	}
	if err := h.Do(t.Context(), sshkeys.Step{Kind: sshkeys.Sudoers}); err != nil {
		t.Errorf("taking it from nobody: %v", err)
	}
	err := h.Do(t.Context(), sshkeys.Step{Kind: sshkeys.Sudoers, Members: []string{"zoe"}})
	if e, ok := errors.AsType[*fault.Error](err); !ok || !strings.Contains(e.Hint, "is sudo installed?") {
		t.Errorf("got error %v", err)
	}
}

// TestHang: a program that does not end does not keep the round.
func TestHang(t *testing.T) {
	if !alone(t) {
		return
	}
	h := testHost()
	create(t, h)
	h.Patience = 200 * time.Millisecond
	for name, script := range map[string]string{"gentle": "sleep 60", "deaf": "trap '' TERM; while :; do sleep 1; done"} {
		trap := filepath.Join(t.TempDir(), "usermod")
		if err := os.WriteFile(trap, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount(trap, "/usr/sbin/usermod", "", syscall.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		err := h.Do(t.Context(), sshkeys.Step{Kind: sshkeys.Restore, Name: "zoe", UID: zoe})
		if err == nil || !strings.Contains(err.Error(), "usermod: it has not ended within 200ms") {
			t.Errorf("%s: got error %v", name, err)
		}
		if err := syscall.Unmount("/usr/sbin/usermod", 0); err != nil && !errors.Is(err, syscall.EBUSY) {
			t.Fatal(err)
		}
	}
}

// TestLockKeepsOthersOut holds the lock in this process while another asks.
func TestLockKeepsOthersOut(t *testing.T) {
	h := testHost()
	h.LockFile = filepath.Join(t.TempDir(), "lock")
	release, err := h.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	told := 0
	h.Waiting = func() { told++ }
	if _, err := h.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) || told != 1 {
		t.Errorf("told %d times, got error %v", told, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	again, err := h.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}

// TestFullDisk writes snapshots to a file system of 64 KiB until none fits: the
// last good one answers, and nothing is left in its way.
func TestFullDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "snapshot")
	var last *sshkeys.Snapshot
	var err error
	for n := 10; err == nil && n < 1000; n += 10 {
		s := &sshkeys.Snapshot{Version: sshkeys.Version, FetchedAt: time.Unix(int64(n), 0).UTC(), MaxStale: time.Hour}
		for i := range n {
			s.Users = append(s.Users, sshkeys.User{Name: fmt.Sprintf("user%03d", i), UserID: fmt.Sprint(i), IAMUser: strings.Repeat("x", 100)})
		}
		if err = sshkeys.Write(path, s, -1); err == nil {
			last = s
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || last == nil {
		t.Fatalf("got error %v", err)
	}
	got, readErr := sshkeys.Read(path)
	if d := cmp.Diff(last, got); readErr != nil || d != "" {
		t.Errorf("error %v: -want +got:\n%s", readErr, d)
	}
	if err := sshkeys.Write(path, &sshkeys.Snapshot{MaxStale: time.Hour}, -1); err != nil {
		t.Errorf("a small one does not fit either: %v", err)
	}
}
