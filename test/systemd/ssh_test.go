package systemd_test

import (
	"maps"
	"strings"
	"testing"
)

// syncedHost is a host whose operator has let IAM's users in and nobody but
// root to the instance's role.
type syncedHost struct {
	*host
	cloud      *cloud
	alice, bob string // their keys; bob may use sudo
	before     string // /etc
}

func synced(t *testing.T) syncedHost {
	t.Helper()
	s := syncedHost{cloud: connect(t)}
	files := map[string]string{
		hostYAML: "lockdown:\n  allow: [root]\n",
		// What the shipped units are told: where IAM is, and not to let the tests wait.
		"/etc/systemd/system/postern-ssh-sync.service.d/test.conf": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nEnvironment=AWS_ENDPOINT_URL=" + s.cloud.url + "\n",
		"/etc/systemd/system/postern-ssh-sync.timer.d/test.conf":   "[Timer]\nOnActiveSec=\nOnActiveSec=1s\nOnUnitInactiveSec=1s\nRandomizedDelaySec=0\n",
	}
	s.host = boot(t, files)
	documents.Store(s.addr, s.cloud.documents)
	s.alice, s.bob = s.cloud.user("alice", "engineers"), s.cloud.user("bob", "operators")
	for _, name := range []string{"carol", "dave", "erin"} { // at most 30 % are removed at once
		s.cloud.user(name, "engineers")
	}
	s.before = s.etc()
	s.ok("sudo postern host install")
	s.ok("sudo postern host ssh install --group engineers --sudo-group operators --break-glass admin")
	s.in("alice", s.alice)
	s.in("bob", s.bob)
	return s
}

// etc is all of /etc but for passwd and the like, which have IAM's users.
func (h *host) etc() string {
	h.Helper()
	return h.run("sh", "-ec", `
cd /etc
list() { find . ! -name passwd ! -name shadow ! -name group ! -name gshadow ! -name '*-' "$@"; }
list -printf '%p %y %m %u %g %l\n' | sort
list -type f -print0 | sort -z | xargs -0 sha256sum`)
}

// enters says whether a user gets in.
func (h *host) enters(user, key string) bool {
	h.Helper()
	out, code := h.end(h.ssh(user, key, "id -un"))
	return code == 0 && strings.TrimSpace(out) == user
}

// in waits until a user gets in; out until there is no way.
func (h *host) in(user, key string) {
	h.Helper()
	h.eventually("a login of "+user, func() bool { return h.enters(user, key) })
}

func (h *host) out(user, key string) {
	h.Helper()
	h.eventually("an end of logins of "+user, func() bool { return !h.enters(user, key) })
}

// says demands parts of what a command prints.
func (h *host) says(out string, parts ...string) {
	h.Helper()
	for _, p := range parts {
		if !strings.Contains(out, p) {
			h.Errorf("%q is not in:\n%s", p, out)
		}
	}
}

// With the instance's role and nothing else, a host lets IAM's users in, and
// them not to that role. It goes on after a reboot without IAM, and when it is
// undone nothing is left.
func TestSSH(t *testing.T) {
	t.Parallel()
	h := synced(t)
	h.says(h.ok("sudo postern host ssh status"), "nothing differs", "5 users")
	h.ok("sudo postern host ssh doctor")
	h.says(h.run("journalctl", "--facility=authpriv", "--identifier=postern-ssh"), `"event":"key-answered"`, `"iam_user":"alice"`, `"fingerprint":"SHA256:`)
	h.gets("token", "root")
	h.gets("refused", "alice", "bob", "postern-ssh")
	h.sudo("bob", h.bob, "root")
	h.sudo("alice", h.alice, "")
	h.in("alice", h.cloud.key("alice")) // the timer fetches it

	h.cloud.away.Store(true)
	h.reboot()
	if !h.enters("alice", h.alice) || !h.enters("bob", h.bob) {
		t.Error("after a reboot nobody logs in without IAM")
	}
	h.eventually("a sync that fails", func() bool { return h.property("postern-ssh-sync.service", "Result") == "exit-code" })
	h.sudo("bob", h.bob, "root")
	h.ok("sudo postern host ssh status") // the snapshot is fresh enough
	h.cloud.away.Store(false)
	h.in("alice", h.cloud.key("alice"))

	h.ok("sudo postern host ssh uninstall")
	h.ok("sudo postern host uninstall")
	if after := h.etc(); after != h.before {
		t.Errorf("left in /etc:\n%s", differences(h.before, after))
	}
	if h.enters("alice", h.alice) {
		t.Error("alice gets in after the uninstall")
	}
	if list := h.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "postern-*"); strings.Contains(list, "loaded") {
		t.Errorf("left in systemd:\n%s", list)
	}
	h.reboot()
	h.in("admin", adminKey)
}

// sudo demands who a user is with sudo.
func (h *host) sudo(user, key, want string) {
	h.Helper()
	if out, _ := h.end(h.ssh(user, key, "sudo -n id -un 2>/dev/null")); strings.TrimSpace(out) != want {
		h.Errorf("with sudo, %s is %q", user, out)
	}
}

// differences are the lines that only one of two texts has.
func differences(before, after string) string {
	lines := map[string]string{}
	for line := range strings.Lines(before) {
		lines[line] = "- "
	}
	for line := range strings.Lines(after) {
		if _, ok := lines[line]; ok {
			delete(lines, line)
		} else {
			lines[line] = "+ "
		}
	}
	var out strings.Builder
	for line := range maps.Keys(lines) {
		out.WriteString(lines[line] + line)
	}
	return out.String()
}

// Who leaves the group loses sudo, session, services and processes, however
// they were started.
func TestLeaver(t *testing.T) {
	t.Parallel()
	h := synced(t)
	uid := h.uid("bob")
	session := h.ssh("bob", h.bob, `
setsid nohup sleep 1001 >/dev/null 2>&1 &
systemd-run --user --quiet sleep 1002
sudo systemd-run --quiet --uid=bob sleep 1003
sudo loginctl enable-linger bob
exec sleep 1004`)
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	h.eventually("bob's session and processes", func() bool {
		out, _ := h.do("pgrep", "-u", uid, "-x", "sleep")
		return len(strings.Fields(out)) == 4 && h.lingers("bob")
	})
	h.says(h.run("loginctl", "list-sessions"), uid, "bob")
	h.says(h.run("loginctl", "show-user", "bob"), "Slice=user-"+uid+".slice", "Linger=yes")
	h.cloud.leave("bob", "operators")
	h.eventually("an end of bob's processes", func() bool { _, code := h.do("pgrep", "-u", uid); return code == 1 })
	if err := session.Wait(); err == nil {
		t.Error("bob's session ends by itself")
	}
	h.eventually("an end of bob's session", func() bool { return !strings.Contains(h.run("loginctl", "list-sessions"), "bob") })
	if h.lingers("bob") {
		t.Error("bob's services start at the next boot")
	}
	for _, unit := range []string{"user@" + uid + ".service", "user-" + uid + ".slice"} {
		h.eventually("an end of "+unit, func() bool { return h.property(unit, "ActiveState") == "inactive" })
	}
	if out, code := h.do("sudo", "-l", "-U", "bob"); code == 0 && !strings.Contains(out, "not allowed") {
		t.Errorf("bob has sudo: %s", out)
	}
	h.out("bob", h.bob)
	h.in("alice", h.alice)
	h.run("sh", "-c", "test -d ~bob")
	h.says(h.run("journalctl", "--facility=authpriv", "--identifier=postern-ssh"), `"event":"user-removed"`, `"event":"sudo-withdrawn"`)
	h.ok("sudo postern host ssh status")
}

func (h *host) lingers(user string) bool {
	h.Helper()
	_, code := h.do("test", "-e", "/var/lib/systemd/linger/"+user)
	return code == 0
}
