package sshd

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// noLogin are shells of accounts that nobody logs in to.
var noLogin = []string{"/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false"}

// checkAccount says why an account should not run the program; nil if it may.
// absent is true if there is none yet.
func checkAccount(name string) (absent bool, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return true, nil //nolint:nilerr // that is the answer
	}
	refuse := func(what string) error {
		return &fault.Error{What: fmt.Sprintf("account %s: %s", name, what), Hint: "leave --account away, and a new one is made"}
	}
	if u.Uid == "0" {
		return false, refuse("what sshd runs must not be root")
	}
	if shell := shellOf(name); !slices.Contains(noLogin, shell) {
		return false, refuse(fmt.Sprintf("somebody can log in to it (shell %q)", shell))
	}
	return false, nil
}

// shellOf is of local accounts alone; the account is one.
func shellOf(name string) string {
	text, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 7 && f[0] == name {
			return f[6]
		}
	}
	return ""
}

// makeAccount adds a system account that nobody can log in to.
func makeAccount(ctx context.Context, h Host, name string) error {
	shell := noLogin[0]
	if i := slices.IndexFunc(noLogin, func(s string) bool { _, err := os.Stat(s); return err == nil }); i >= 0 {
		shell = noLogin[i]
	}
	_, err := h.Run(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
		"--shell", shell, "--comment", "Postern looks up SSH keys", "--", name)
	return err
}

// groupOf is the primary group of an account.
func groupOf(name string) (int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Gid)
}
