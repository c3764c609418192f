package sshd_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// systemctl stands for systemd's: it reloads sshd and writes down what it was
// asked for. Requests that begin with what /run/fails has do not work.
const systemctl = `#!/bin/sh
echo "$*" >>/run/systemctl.log
if [ -e /run/fails ]; then case "$*" in "$(cat /run/fails)"*) echo "Job failed." >&2; exit 1;; esac; fi
[ "$1" != reload ] || { kill -HUP "$(cat /run/sshd.pid)"; sleep 0.3; }
`

// withSystemd makes the host look as if systemd ran it. The units of sshd are
// those of the machine.
func (h *host) withSystemd() {
	h.Helper()
	h.play("systemctl", systemctl)
	h.run("mkdir", "-p", "/run/systemd/system")
	h.Cleanup(func() { h.run("rm", "-rf", "/run/systemd", "/run/fails", "/run/systemctl.log") })
}

// play puts a script in the place of a program of the machine.
func (h *host) play(name, script string) {
	h.Helper()
	path := witness.Need(h.T, name)
	h.write("/opt/played/"+name, script)
	h.run("chmod", "755", "/opt/played/"+name)
	h.run("mount", "--bind", "/opt/played/"+name, path)
	h.Cleanup(func() { h.run("umount", path) })
}

func (h *host) systemctlLog() string {
	h.Helper()
	text, err := os.ReadFile("/run/systemctl.log")
	if err != nil {
		h.Fatal(err)
	}
	return string(text)
}

func TestUnits(t *testing.T) {
	h := need(t)
	analyze := witness.Need(t, "systemd-analyze")
	h.admin()
	h.server()
	h.withSystemd()
	before := h.tree()
	h.write("/etc/a b$c%d.yaml", "ssh: {}\n")
	h.Cleanup(func() { h.run("rm", "/etc/a b$c%d.yaml") })
	h.ok("install", "--group", "a,b", "--config", "/etc/a b$c%d.yaml", "--role-arn", "arn:aws:iam::111122223333:role/keys", "--break-glass", "admin")
	want := "is-active --quiet ssh.service\nreload ssh.service\ndaemon-reload\n" +
		"enable --now postern-ssh-sync.timer\nstart --no-block postern-ssh-sync.service\n"
	if got := h.systemctlLog(); got != want {
		t.Errorf("asked systemd for:\n%s\nwant:\n%s", got, want)
	}
	for _, unit := range []string{"service", "timer"} {
		out, err := exec.Command(analyze, "verify", "--man=no", "/etc/systemd/system/postern-ssh-sync."+unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "postern") {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
	if out, code := h.postern("status"); code != 3 || strings.Count(out, "✗") != 1 { // there is no snapshot
		t.Errorf("status %d:\n%s", code, out)
	}
	h.write("/etc/systemd/system/postern-ssh-sync.timer", "[Timer]\nOnCalendar=yearly\n")
	h.finds("units")
	h.write("/run/fails", "is-active --quiet postern")
	h.ok("install", "--group", "engineers", "--break-glass", "admin")
	h.finds("units")
	h.ok("uninstall")
	if after := h.tree(); after != before {
		t.Errorf("left:\n%s\nwant:\n%s", after, before)
	}
}

// What systemd refuses takes everything back.
func TestSystemdFails(t *testing.T) {
	for _, request := range []string{"reload", "daemon-reload", "enable"} {
		t.Run(request, func(t *testing.T) {
			h := need(t)
			key := h.admin()
			h.server()
			h.withSystemd()
			h.write("/run/fails", request)
			words := "everything was put back"
			if request != "enable" { // it fails on the way back too
				words = "not everything could be put back"
			}
			h.refused(breakGlass, "Job failed.", words)
			h.in("admin", key)
		})
	}
}
