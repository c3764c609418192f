package sshd_test

import (
	"os/user"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// admin makes an account as clouds do, with a key in its home.
func (h *host) admin() (key string) {
	h.Helper()
	key = h.key("ed25519")
	h.run("useradd", "-m", "-p", "*", "-s", "/bin/sh", "admin")
	h.write(homes+"/admin/.ssh/authorized_keys", h.public(key)+"\n")
	return key
}

// iam makes an account of an IAM user with keys, as sync does.
func (h *host) iam(name string, keys ...string) sshkeys.User {
	h.Helper()
	u := sshkeys.User{IAMUser: name + "@example.com", UserID: "AIDA" + strings.ToUpper(name), Name: name, Groups: []string{"engineers"}}
	u.UID = sshkeys.UID(u.UserID)
	h.run("useradd", "-m", "-p", "*", "-s", "/bin/sh", "-u", strconv.Itoa(int(u.UID)), name)
	for i, path := range keys {
		k, err := sshkeys.ParseKey(h.public(path))
		if err != nil {
			h.Fatal(err)
		}
		k.ID, k.Source = "APKA"+strconv.Itoa(i), sshkeys.FromIAM
		u.Keys = append(u.Keys, k)
	}
	return u
}

// snapshot writes what sync would have, at a time.
func (h *host) snapshot(at time.Time, users ...sshkeys.User) {
	h.Helper()
	g, err := user.LookupGroup("postern-ssh")
	if err != nil {
		h.Fatal(err)
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		h.Fatal(err)
	}
	s := &sshkeys.Snapshot{Version: sshkeys.Version, FetchedAt: at, MaxStale: 24 * time.Hour, Users: users}
	if err := sshkeys.Write("/var/lib/postern/ssh/snapshot", s, gid); err != nil {
		h.Fatal(err)
	}
}

func TestLogin(t *testing.T) {
	h := need(t)
	admin := h.admin()
	h.server()
	h.in("admin", admin)
	h.ok("install", "--group", "engineers", "--break-glass", "admin")
	rsa, ed25519, other := h.key("rsa", "3072"), h.key("ed25519"), h.key("ed25519")
	alice := h.iam("alice", rsa, ed25519)
	h.snapshot(time.Now(), alice)
	h.in("alice", rsa)
	h.in("alice", ed25519)
	h.out("alice", other)
	h.in("admin", admin) // break-glass
	h.out("admin", rsa)
	h.out("root", rsa)
	h.log.has(h, `"event":"key-answered"`, `"iam_user":"alice@example.com"`, `"account":"alice"`, alice.Keys[0].Fingerprint)
}

// A sync may have come first, and its folders may be shut to the account.
func TestInstallOpensFolders(t *testing.T) {
	h := need(t)
	h.admin()
	if out, code := h.postern("sync", "--once", "--group", "engineers"); code == 0 {
		t.Fatalf("sync without credentials succeeds:\n%s", out)
	}
	if got := h.run("stat", "-c", "%a %U", "/var/lib/postern", "/var/lib/postern/ssh"); got != "755 root\n750 root\n" {
		t.Errorf("sync makes the folders\n%s", got)
	}
	h.run("chmod", "700", "/var/lib/postern", "/var/lib/postern/ssh")
	h.ok("install", "--group", "engineers", "--break-glass", "admin")
	if got := h.run("stat", "-c", "%a %U:%G", "/var/lib/postern", "/var/lib/postern/ssh"); got != "711 root:root\n750 root:postern-ssh\n" {
		t.Errorf("install leaves the folders\n%s", got)
	}
}
