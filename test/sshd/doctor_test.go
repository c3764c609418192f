package sshd_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// Each trouble keeps somebody out, doctor names it, and what doctor says mends
// it: by --fix where that is safe.
func TestDoctor(t *testing.T) {
	tests := []struct {
		name    string
		trouble func(*host)
		check   string
		safe    bool
		mend    func(*host) // where --fix must not
	}{
		{
			name: "program that others can change", check: "program", safe: true,
			trouble: func(h *host) {
				h.run("chmod", "o+w", "/opt/postern")
				h.Cleanup(func() { h.run("chmod", "o-w", "/opt/postern") })
			},
		},
		{
			name: "locked account without PAM", check: "locked", safe: true,
			trouble: func(h *host) { h.run("usermod", "-p", "!", "alice") },
		},
		{
			name: "Match block", check: "match",
			trouble: func(h *host) {
				h.write("/etc/ssh/sshd_config.d/50-x.conf", "Match User alice\nAuthorizedKeysCommand none\n")
			},
			mend: func(h *host) { h.run("rm", "/etc/ssh/sshd_config.d/50-x.conf") },
		},
		{
			name: "a hardened image", check: "admission",
			trouble: func(h *host) { h.write("/etc/ssh/sshd_config.d/50-cis.conf", "AllowGroups sshusers admin\n") },
			mend:    func(h *host) { h.run("groupadd", "sshusers"); h.run("usermod", "-aG", "sshusers", "alice") },
		},
		{
			name: "an earlier file", check: "effective",
			trouble: func(h *host) {
				h.write("/etc/ssh/sshd_config.d/05-x.conf", "AuthorizedKeysCommand none\n")
			},
			mend: func(h *host) { h.run("rm", "/etc/ssh/sshd_config.d/05-x.conf") },
		},
		{
			name: "drop-in is gone", check: "drop-in",
			trouble: func(h *host) { h.run("rm", "/etc/ssh/sshd_config.d/10-postern.conf") },
			mend:    func(h *host) { h.ok("install", "--group", "engineers", "--break-glass", "admin") },
		},
		{
			name: "account is gone", check: "account",
			trouble: func(h *host) { h.run("userdel", "postern-ssh") },
			mend:    func(h *host) { h.ok("install", "--group", "engineers", "--break-glass", "admin") },
		},
		{
			name: "EC2 Instance Connect", check: "effective",
			trouble: func(h *host) { h.run("mkdir", "-p", "/etc/systemd/system/ssh.service.d"); instanceConnect(h) },
			mend:    func(h *host) { h.run("rm", "-r", "/etc/systemd/system/ssh.service.d") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, admin := installed(t)
			key := h.key("ed25519")
			alice := h.iam("alice", key)
			h.snapshot(time.Now(), alice)
			h.in("alice", key)
			if out, code := h.postern("doctor"); code != 0 {
				t.Fatalf("doctor finds something before: %d\n%s", code, out)
			}
			tt.trouble(h)
			h.reload()
			if tt.name != "EC2 Instance Connect" { // here sshd is not started by systemd
				h.out("alice", key)
				h.in("admin", admin)
			}
			h.finds(tt.check)
			out, code := h.postern("doctor", "--fix")
			if tt.safe != (code == 0) {
				t.Errorf("doctor --fix: %d\n%s", code, out)
			}
			if tt.mend != nil {
				tt.mend(h)
			}
			h.snapshot(time.Now(), alice)
			h.reload()
			h.in("alice", key)
			if out, code := h.postern("doctor"); code != 0 {
				t.Errorf("doctor still finds something: %d\n%s", code, out)
			}
		})
	}
}

// instanceConnect adds the drop-in of Ubuntu's package.
func instanceConnect(h *host) {
	h.write("/etc/systemd/system/ssh.service.d/ec2-instance-connect.conf", "[Service]\nExecStart=\n"+
		`ExecStart=/usr/sbin/sshd -D $SSHD_OPTS -o "AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %%u %%f" -o "AuthorizedKeysCommandUser ec2-instance-connect"`+"\n")
}

// reload makes sshd read its configuration anew.
func (h *host) reload() {
	h.Helper()
	pid, err := os.ReadFile("/run/sshd.pid")
	if err != nil {
		h.Fatal(err)
	}
	h.run("kill", "-HUP", strings.TrimSpace(string(pid)))
	time.Sleep(300 * time.Millisecond)
}

// finds demands that doctor fails with a finding of a check.
func (h *host) finds(check string) {
	h.Helper()
	out, code := h.postern("doctor", "--json")
	var found struct {
		Findings []struct{ Check, What string }
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		h.Fatalf("doctor: %v\n%s", err, out)
	}
	for _, f := range found.Findings {
		if f.Check == check && code == 3 {
			return
		}
	}
	h.Errorf("doctor does not find %s: %d\n%s", check, code, out)
}

// An sshd that was started with an option of its own does not lose it with a
// reload, whatever the unit says by now.
func TestRunningOverride(t *testing.T) {
	h := need(t)
	h.admin()
	h.server("-o", "AuthorizedKeysCommand=/bin/true %u", "-o", "AuthorizedKeysCommandUser=nobody")
	out := h.ok("install", "--group", "engineers", "--break-glass", "admin", "--ed25519-tag", "SSH key")
	if want := "`" + program + " host ssh sync '--ed25519-tag=SSH key' --group=engineers`"; !strings.Contains(out, want) {
		t.Errorf("install does not say %s:\n%s", want, out)
	}
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	h.out("alice", key)
	h.finds("running")
}

func TestBreakGlassModes(t *testing.T) {
	h, admin := installed(t)
	h.snapshot(time.Now())
	for _, mode := range []string{"0666", "0600"} {
		h.run("chmod", mode, "/etc/ssh/breakglass/admin")
		h.out("admin", admin)
		h.finds("break-glass")
		h.ok("doctor", "--fix")
		h.in("admin", admin)
	}
}

// What an administrator has locked, doctor tells of and leaves so.
func TestAdministratorsLock(t *testing.T) {
	h, _ := installed(t)
	key := h.key("ed25519")
	h.snapshot(time.Now(), h.iam("alice", key))
	h.run("usermod", "--lock", "alice")
	h.out("alice", key)
	out, code := h.postern("doctor", "--fix")
	if code != 0 || !strings.Contains(out, "somebody has locked account alice") || !strings.Contains(out, "usermod --unlock -- alice") {
		t.Errorf("doctor --fix: %d\n%s", code, out)
	}
	h.out("alice", key)
	h.run("usermod", "--unlock", "--", "alice")
	h.in("alice", key)
}
