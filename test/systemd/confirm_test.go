package systemd_test

import (
	"strings"
	"testing"
)

// What nobody confirms is rolled back by a unit of its own, also when the
// session in which it was applied is killed; what is confirmed stays.
func TestConfirm(t *testing.T) {
	t.Parallel()
	h := locked(t, "lockdown:\n  allow: [root, app]\n")
	h.ok("sudo postern host uninstall") // it would put back what the settings say
	session := h.ssh("admin", adminKey, "sudo postern host lockdown apply --allow root,deploy --confirm-within 15s && exec sleep 1000")
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	h.eventually("a token for deploy", func() bool { return h.token("deploy") == "token" })
	h.gets("refused", "app")
	for line := range strings.Lines(h.run("loginctl", "list-sessions", "--no-legend")) {
		h.run("loginctl", "kill-session", "--signal=KILL", strings.Fields(line)[0])
	}
	if err := session.Wait(); err == nil {
		t.Error("the session was not killed")
	}
	h.gets("token", "deploy")
	h.eventually("a rollback", func() bool { return h.token("deploy") == "refused" })
	h.gets("token", "app")

	h.ok("sudo postern host lockdown apply --allow root,deploy --confirm-within 5m")
	h.ok("sudo postern host lockdown confirm")
	h.eventually("an end of who would roll back", func() bool { _, code := h.do("pgrep", "-f", "lockdown await"); return code == 1 })
	h.gets("token", "deploy")
	h.gets("refused", "app")

	// The settings wait too, and somebody flushes all rules meanwhile.
	h.ok("sudo postern host install")
	h.gets("token", "app")
	h.ok("sudo postern host lockdown apply --allow root,deploy --confirm-within 15s")
	h.run("systemctl", "restart", "nftables.service")
	h.gets("token", "deploy")
	h.gets("refused", "app", "guest")
	h.run("nft", "flush", "ruleset")
	h.refresh()
	h.gets("token", "deploy")
	h.gets("refused", "app", "guest")
	h.eventually("a rollback", func() bool { return h.token("app") == "token" })
	h.gets("refused", "deploy")
	h.stands()
}
