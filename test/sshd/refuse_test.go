package sshd_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// tree is everything that install may change, as one text.
func (h *host) tree() string {
	h.Helper()
	return h.run("sh", "-ec", `
cd /etc
find ssh passwd group shadow gshadow systemd/system ! -name '*-' -printf '%p %y %m %u %g %l\n' | sort
find ssh passwd group shadow gshadow systemd/system -type f ! -name '*-' | sort | xargs sha256sum`)
}

// refused runs install, which must fail with the words and change nothing.
func (h *host) refused(args []string, words ...string) {
	h.Helper()
	before := h.tree()
	out, code := h.postern(append([]string{"install", "--group", "engineers"}, args...)...)
	if code == 0 {
		h.Errorf("install succeeds:\n%s", out)
	}
	flat := strings.Join(strings.Fields(out), " ")
	for _, w := range words {
		if !strings.Contains(flat, w) {
			h.Errorf("install does not say %q:\n%s", w, out)
		}
	}
	if after := h.tree(); after != before {
		h.Errorf("install has changed something:\n%s\nbefore:\n%s", after, before)
	}
}

var breakGlass = []string{"--break-glass", "admin"}

func TestInstallRefuses(t *testing.T) {
	tests := []struct {
		name  string
		given func(*host)
		args  []string
		words []string
	}{
		{
			name:  "nobody gets in without IAM",
			words: []string{"nobody could log in while IAM has not answered", "--break-glass USER"},
		},
		{
			name: "break-glass account without keys", args: []string{"--break-glass", "root"},
			words: []string{"--break-glass root: the account has no keys to keep"},
		},
		{
			name: "break-glass account that does not exist", args: []string{"--break-glass", "nobody-here"},
			words: []string{"there is no such account"},
		},
		{
			name: "configuration broken before", args: breakGlass,
			given: func(h *host) { h.write("/etc/ssh/sshd_config.d/50-cloud.conf", "PaswordAuthentication no\n") },
			words: []string{"sshd does not accept its configuration", "50-cloud.conf", "nothing was changed"},
		},
		{
			name: "no Include", args: breakGlass,
			given: func(h *host) { h.write("/etc/ssh/sshd_config", "ListenAddress 127.0.0.1\n") },
			words: []string{"/etc/ssh/sshd_config: it does not include /etc/ssh/sshd_config.d", "--add-include"},
		},
		{
			name: "Match block", args: breakGlass,
			given: func(h *host) {
				h.write("/etc/ssh/sshd_config.d/50-sftp.conf", "Match Group sftp\n  ForceCommand internal-sftp\n  AuthorizedKeysFile .ssh/authorized_keys\n")
			},
			words: []string{"50-sftp.conf:3: Match Group sftp sets authorizedkeysfile .ssh/authorized_keys"},
		},
		{
			name: "an earlier file", args: breakGlass,
			given: func(h *host) { h.write("/etc/ssh/sshd_config.d/05-corp.conf", "PasswordAuthentication yes\n") },
			words: []string{`05-corp.conf:1: PasswordAuthentication is "yes", not "no"`, "everything was put back"},
		},
		{
			name: "program that others can change", args: breakGlass,
			given: func(h *host) {
				h.run("chmod", "o+w", "/opt/postern")
				h.Cleanup(func() { h.run("chmod", "o-w", "/opt/postern") })
			},
			words: []string{"others than root can change /opt/postern", "install -o root -g root -m 0755"},
		},
		{
			name: "account that people use", args: append([]string{"--account", "admin"}, breakGlass...),
			words: []string{"account admin: somebody can log in to it"},
		},
		{
			name: "root for the look-up", args: append([]string{"--account", "root"}, breakGlass...),
			words: []string{"what sshd runs must not be root"},
		},
		{
			name: "full disk", args: breakGlass,
			given: func(h *host) {
				h.run("mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=3", "none", "/etc/ssh/sshd_config.d")
				h.write("/etc/ssh/sshd_config.d/99-x.conf", "# "+strings.Repeat("x", 4000)+"\n")
				h.Cleanup(func() { h.run("umount", "/etc/ssh/sshd_config.d") })
			},
			words: []string{"no space left on device", "everything was put back"},
		},
		{
			name: "several at once", args: []string{"--account", "root"},
			words: []string{"must not be root", "nobody could log in"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := need(t)
			key := h.admin()
			if tt.given != nil {
				tt.given(h)
			}
			h.refused(tt.args, tt.words...)
			if tt.name != "configuration broken before" {
				h.server()
				h.in("admin", key)
			}
		})
	}
}

// A running sshd goes on with what it knew.
func TestRollbackReloads(t *testing.T) {
	h := need(t)
	key := h.admin()
	h.server()
	h.write("/etc/ssh/sshd_config.d/05-corp.conf", "PasswordAuthentication yes\n")
	h.refused(breakGlass, "everything was put back")
	h.in("admin", key)
}

func TestNoRoot(t *testing.T) {
	need(t)
	for _, command := range []string{"install --group x", "uninstall", "status", "doctor", "sync --once --group x"} {
		args := append([]string{"--reuid", "65534", "--clear-groups", program, "host", "ssh"}, strings.Fields(command)...)
		out, err := exec.Command("setpriv", args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "needs root") || !strings.Contains(string(out), "sudo") {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

func TestHalfInstalled(t *testing.T) {
	h := need(t)
	h.admin()
	if err := os.Remove("/etc/ssh/sshd_config"); err != nil {
		t.Fatal(err)
	}
	h.refused(breakGlass, "sshd is there but its configuration is not")
	for _, command := range []string{"status", "doctor"} {
		if out, code := h.postern(command); code != 1 || !strings.Contains(out, "sshd is there but its configuration is not") {
			t.Errorf("%s: exit code %d\n%s", command, code, out)
		}
	}
	h.run("mount", "--bind", "/dev/null", "/usr/sbin/sshd")
	t.Cleanup(func() { h.run("umount", "/usr/sbin/sshd") })
	h.refused(breakGlass, "there is no sshd here", "apt-get install openssh-server")
}

// What was installed can be put back to the last byte, however it began.
func TestUninstall(t *testing.T) {
	tests := []struct {
		name  string
		given func(*host)
		args  []string
	}{
		{name: "fresh"},
		{name: "without an Include", args: []string{"--add-include"}, given: func(h *host) {
			h.write("/etc/ssh/sshd_config", "# ours\nListenAddress 127.0.0.1\nUsePAM no")
			h.run("rm", "-r", "/etc/ssh/sshd_config.d")
		}},
		{name: "a file of the same name", given: func(h *host) { h.write("/etc/ssh/sshd_config.d/10-postern.conf", "X11Forwarding no\n") }},
		{name: "an account that was there", args: []string{"--account", "lookup"}, given: func(h *host) {
			h.run("useradd", "--system", "--shell", "/usr/sbin/nologin", "lookup")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := need(t)
			key := h.admin()
			if tt.given != nil {
				tt.given(h)
			}
			before := h.tree()
			h.server()
			args := append([]string{"install", "--group", "engineers", "--break-glass", "admin"}, tt.args...)
			h.ok(args...)
			if out, code := h.postern(args...); code != 0 {
				t.Errorf("again: %d\n%s", code, out)
			}
			h.ok("uninstall")
			after := h.tree()
			if tt.name == "without an Include" { // the folder stays
				after = strings.ReplaceAll(after, "ssh/sshd_config.d d 755 root root \n", "")
			}
			if after != before {
				t.Errorf("left:\n%s\nwant:\n%s", after, before)
			}
			h.in("admin", key)
			if out := h.ok("uninstall"); !strings.Contains(out, "nothing is installed") {
				t.Errorf("a second time: %s", out)
			}
		})
	}
}

// Killed at any moment, install can be run again and undone.
func TestKilledInstall(t *testing.T) {
	h := need(t)
	key := h.admin()
	before := h.tree()
	h.server()
	for delay := range 12 {
		cmd := exec.Command(program, "host", "ssh", "install", "--group", "engineers", "--break-glass", "admin")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(delay*8) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		h.eventually("the end of useradd", func() bool { return exec.Command("pgrep", "--runstates", "RSD", "useradd").Run() != nil })
		if delay%2 == 0 {
			h.ok("install", "--group", "engineers", "--break-glass", "admin")
			if out, code := h.postern("status"); code != 3 || strings.Count(out, "✗") != 1 { // there is no snapshot
				t.Errorf("killed after %d ms: status %d\n%s", delay*8, code, out)
			}
		}
		h.ok("uninstall")
		h.run("find", "/etc/ssh", "-name", ".*", "-delete") // half-written files, which nobody reads
		if after := h.tree(); after != before {
			t.Fatalf("killed after %d ms, left:\n%s\nwant:\n%s", delay*8, after, before)
		}
		h.in("admin", key)
	}
}

// What becomes a break-glass file everybody may read: the account must not
// choose another file for it.
func TestBreakGlassOwnKeys(t *testing.T) {
	tests := []struct {
		name, given, word string
	}{
		{"a link to a secret", "ln -s /etc/shadow authorized_keys", "authorized_keys is a link"},
		{"another name of a secret", "umask 077; echo secret >../../other; ln ../../other authorized_keys", "authorized_keys is not a file of the account's"},
		{"a pipe", "mkfifo authorized_keys", "authorized_keys is not a file of the account's"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := need(t)
			h.admin()
			h.run("sh", "-ec", "cd "+homes+"/admin/.ssh; rm authorized_keys; "+tt.given)
			h.refused(breakGlass, "--break-glass admin: the account has no keys to keep", tt.word)
		})
	}
}

// A sync that is under way by hand does not give sudo back behind an uninstall.
func TestUninstallWaits(t *testing.T) {
	h, _ := installed(t)
	const sudoers = "/etc/sudoers.d/postern-ssh"
	round := exec.Command("flock", "/run/postern-ssh.lock", "sh", "-c", "echo '# '>"+sudoers+"; sleep 1; echo '# '>"+sudoers)
	if err := round.Start(); err != nil {
		t.Fatal(err)
	}
	h.eventually("the round", func() bool { _, err := os.Stat(sudoers); return err == nil })
	if out := h.ok("uninstall"); !strings.Contains(out, "another sync is under way") {
		t.Errorf("uninstall:\n%s", out)
	}
	if err := round.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(sudoers); err == nil {
		t.Error("the file of sudo is there")
	}
}
