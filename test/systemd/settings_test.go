package systemd_test

import (
	"fmt"
	"strings"
	"testing"
)

// Who comes and goes among the host's users is let through and refused, without
// anybody saying so, however many come at once.
func TestUsers(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n  allow_groups: [adm]\n")
	h.gets("refused", "deploy")
	h.ok("sudo usermod -aG adm deploy")
	h.eventually("a token for deploy", func() bool { return h.token("deploy") == "token" })
	h.ok("sudo gpasswd -d deploy adm")
	h.eventually("a refusal for deploy", func() bool { return h.token("deploy") == "refused" })
	for i := range 12 { // systemd starts a unit at most five times in ten seconds
		h.run("useradd", "-G", "adm", fmt.Sprintf("ops%d", i))
	}
	h.eventually("a token for the last of many", func() bool { return h.token("ops11") == "token" })
	h.stands()
	h.ok("sudo userdel -r app")
	h.eventually("a firewall without app", func() bool {
		return !strings.Contains(h.run("nft", "list", "set", "inet", "postern_lockdown", "allow_uid"), h.uid("deploy"))
	})
	// The settings name who is no more. That is worth a word, and no more.
	if got := h.exits(3, "sudo postern host lockdown status"); !strings.Contains(got, `no user "app"`) {
		t.Error(got)
	}
	h.gets("token", "root", "ops0")
	for _, unit := range []string{"postern-lockdown-refresh.path", "postern-lockdown-refresh.timer"} {
		if got := h.property(unit, "ActiveState"); got != "active" {
			t.Errorf("%s is %s", unit, got)
		}
	}
}

func (h *host) uid(user string) string {
	h.Helper()
	return strings.TrimSpace(h.run("id", "-u", user))
}

// Settings count as soon as they are written. Those that cannot be used change
// nothing, not at a reboot either, and everybody who looks is told.
func TestSettings(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	h.write(hostYAML, "lockdown:\n  allow: [root, deploy]\n")
	h.eventually("a token for deploy", func() bool { return h.token("deploy") == "token" })
	h.gets("refused", "app")
	h.ok("sudo postern host lockdown status")

	broken := func() {
		t.Helper()
		h.eventually("a unit that failed", func() bool { return h.property("postern-lockdown-refresh.service", "Result") == "exit-code" })
		h.gets("token", "root", "deploy")
		h.gets("refused", "app")
		if got := h.exits(3, "sudo postern host lockdown status"); !strings.Contains(got, hostYAML+":2:3") {
			t.Error(got)
		}
	}
	h.write(hostYAML, "lockdown:\n  alow: [root, app]\n")
	broken()
	h.run("systemctl", "restart", "nftables.service")
	broken()
	h.run("nft", "flush", "ruleset")
	_, _ = h.do("systemctl", "start", "postern-lockdown-refresh.service")
	broken()
	h.reboot()
	if got := h.answers(); got != "away refused" {
		t.Errorf("since the boot the stranger was answered: %s", got)
	}
	if got := h.property("postern-lockdown.service", "ActiveState"); got != "failed" {
		t.Errorf("postern-lockdown.service is %s", got)
	}
	h.write(hostYAML, "lockdown:\n  alow: [root]\n")
	broken()

	h.write(hostYAML, "lockdown:\n  allow: [root, app, postgres-of-tomorrow]\n")
	h.eventually("a token for app", func() bool { return h.token("app") == "token" })
	h.gets("refused", "deploy")
	h.run("useradd", "postgres-of-tomorrow")
	h.stands()
	h.gets("token", "postgres-of-tomorrow")

	h.ok("sudo postern host uninstall")
	h.gets("refused", "deploy") // it stands until a reboot
	h.reboot()
	h.gets("token", "deploy")
	h.exits(3, "sudo postern host lockdown status")
}

// A directory of users that does not answer keeps neither the host from
// booting nor the firewall from standing, where there is no nftables.service either.
func TestSilentDirectory(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	h.run("systemctl", "--quiet", "disable", "--now", "nftables.service")
	h.run("rm", "/usr/bin/getent")
	h.write("/usr/bin/getent", "#!/bin/sh\nexec sleep 1000\n")
	h.run("chmod", "755", "/usr/bin/getent")
	h.reboot()
	h.gets("token", "root", "app")
	h.gets("refused", "deploy")
	if got := h.answers(); got != "away refused" {
		t.Errorf("since the boot the stranger was answered: %s", got)
	}
}
