package systemd_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostYAML is where the settings are.
const hostYAML = "/etc/postern/host.yaml"

// locked is a host with the firewall installed by its operator.
func locked(t *testing.T, settings string) *host {
	t.Helper()
	h := boot(t, map[string]string{hostYAML: settings})
	h.ok("sudo postern host install")
	return h
}

// token is what a user gets who asks for one: "token", or "refused".
func (h *host) token(user string) string {
	h.Helper()
	out, code := h.do("setpriv", "--reuid", user, "--clear-groups", "--", "curl", "-sS", "--noproxy", "*", "-m", "5", "-X", "PUT",
		"-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", "http://169.254.169.254/latest/api/token")
	switch code {
	case 0:
		return "token"
	case 7: // https://curl.se/libcurl/c/libcurl-errors.html
		return "refused"
	}
	h.Fatalf("curl of %s: exit code %d\n%s", user, code, out)
	return ""
}

// gets demands what users get who ask for a token.
func (h *host) gets(want string, users ...string) {
	h.Helper()
	for _, user := range users {
		if got := h.token(user); got != want {
			h.Errorf("%s: %s, want %s", user, got, want)
		}
	}
}

// stands waits until the firewall is as it should be.
func (h *host) stands() {
	h.Helper()
	h.eventually("a firewall as it should be", func() bool { _, code := h.do("postern", "host", "lockdown", "status"); return code == 0 })
}

// answers are what the stranger has seen since the boot, without repetitions.
func (h *host) answers() string {
	h.Helper()
	var out []string
	for line := range strings.Lines(h.run("cat", "/run/stranger")) {
		out = append(out, strings.Fields(line)[1])
	}
	return strings.Join(out, " ")
}

// open is how long the stranger was let through, again and again.
func (h *host) open() []time.Duration {
	h.Helper()
	var out []time.Duration
	var since int64
	for line := range strings.Lines(h.run("cat", "/run/stranger")) {
		f := strings.Fields(line)
		at, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			h.Fatal(err)
		}
		switch {
		case f[1] == "open":
			since = at
		case since != 0:
			out = append(out, time.Duration(at-since)*time.Microsecond)
			since = 0
		}
	}
	return out
}

// A firewall that was installed stands after each boot before there is a
// network, and no request of a stranger is ever answered.
func TestReboot(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	h.ok("sudo postern host lockdown status")
	h.gets("token", "root", "app")
	h.gets("refused", "deploy", "stranger")
	for range 2 {
		h.reboot()
		h.ok("sudo postern host lockdown status")
		h.gets("token", "root", "app")
		h.gets("refused", "deploy", "stranger")
		if got := h.answers(); got != "away refused" {
			t.Errorf("since the boot the stranger was answered: %s", got)
		}
		applied := h.monotonic("postern-lockdown.service", "ExecMainExitTimestampMonotonic")
		for _, later := range []string{"network-pre.target", "systemd-networkd.service", "network.target", "ssh.service"} {
			if at := h.monotonic(later, "ActiveEnterTimestampMonotonic"); at < applied {
				t.Errorf("%s came %v before the firewall", later, time.Duration(applied-at)*time.Microsecond)
			}
		}
		if failed := h.run("systemctl", "list-units", "--failed", "--plain", "--no-legend"); strings.Contains(failed, "postern") {
			t.Error(failed)
		}
	}
	h.ok("sudo postern host lockdown verify")
}

// monotonic is a time of a unit, in microseconds since this machine booted.
func (h *host) monotonic(unit, property string) int64 {
	h.Helper()
	at, err := strconv.ParseInt(h.property(unit, property), 10, 64)
	if err != nil || at == 0 {
		h.Fatalf("%s of %s: %v", property, unit, err)
	}
	return at
}

// What nftables.service does to all rules, at any time and in any order, is
// made good before systemctl returns.
func TestNftables(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	for _, verb := range []string{"restart", "reload", "stop", "start", "restart", "try-restart", "restart", "restart", "restart", "restart", "restart"} {
		h.run("systemctl", "reset-failed", "nftables.service") // its own limit of starts
		h.run("systemctl", verb, "nftables.service")
		if out, code := h.do("postern", "host", "lockdown", "status"); code != 0 {
			t.Errorf("%s: %s", verb, out)
		}
	}
	h.gets("token", "app")
	h.gets("refused", "deploy")
	t.Logf("since the boot, strangers were let through for %v", h.open())
	h.write("/etc/nftables.conf", "flush ruleset\nnonsense\n")
	if out, code := h.do("systemctl", "restart", "nftables.service"); code == 0 {
		t.Errorf("nftables accepts nonsense: %s", out)
	}
	h.ok("sudo postern host lockdown status")
}

// Rules that somebody flushes or changes are put right within a minute, and
// what is right is not touched.
func TestDrift(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	for _, change := range []string{
		"nft flush ruleset",
		"nft insert rule inet postern_lockdown guard accept",
		"postern host lockdown remove",
	} {
		h.run("sh", "-c", change)
		if out, code := h.do("postern", "host", "lockdown", "status"); code != 3 {
			t.Errorf("after %s, status says %d: %s", change, code, out)
		}
		h.refresh()
		h.run("postern", "host", "lockdown", "status")
	}
	h.gets("refused", "deploy")
	h.refresh()
	h.says(h.ok("sudo postern host lockdown status"), "deploy") // counted, and not since the refresh
	if next := h.property("postern-lockdown-refresh.timer", "NextElapseUSecMonotonic"); next == "" || next == "infinity" {
		t.Errorf("the timer elapses next at %q", next)
	}
}

// refresh does what the timer does every minute.
func (h *host) refresh() {
	h.Helper()
	h.run("systemctl", "start", "postern-lockdown-refresh.service")
}
