package sshd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Doctor looks for everything that is known to break or to bend logins, with
// the fix of each. accounts are those of IAM users.
func Doctor(ctx context.Context, h Host, accounts []string) ([]Finding, error) {
	m, err := see(ctx, h)
	if err != nil {
		return nil, err
	}
	var checks []check
	if m.rec != nil {
		checks = append(checks, driftChecks...)
	} else {
		checks = append(checks, check{"installed", notInstalled}, check{"sshd-config", checkValid}, check{"command-line", checkCommandLine})
	}
	checks = append(
		checks, check{"match", checkMatch}, check{"break-glass", checkBreakGlass}, check{"short-keys", checkShortKeys},
		check{"selinux", checkSELinux}, check{"locked", func(m *machine) []Finding { return checkLocked(m, accounts) }},
		check{"admission", func(m *machine) []Finding { return checkAdmission(m, accounts) }},
	)
	var out []Finding
	for _, c := range checks {
		out = append(out, c.named(m)...)
	}
	return out, nil
}

// Fix runs the fixes that are safe, and returns those that did not work.
func Fix(ctx context.Context, h Host, found []Finding) error {
	var errs []error
	for _, f := range found {
		if !f.Safe {
			continue
		}
		for _, argv := range f.Fix {
			if _, err := h.Run(ctx, argv...); err != nil {
				errs = append(errs, err)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// finding makes one of an error.
func finding(s Severity, err error) Finding {
	f := Finding{Severity: s, What: err.Error()}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		f.Where, f.Hint = e.Where, e.Hint
		bare := *e
		bare.Where = ""
		f.What = bare.Error()
	}
	return f
}

func notInstalled(*machine) []Finding {
	return []Finding{{Severity: Fail, What: "sshd does not ask Postern for keys", Hint: "run postern host ssh install"}}
}

func checkCommandLine(m *machine) []Finding {
	if err := commandLineOverride(m.server); err != nil {
		return []Finding{finding(Fail, err)}
	}
	return nil
}

// checkRunning compares the sshd that runs with what its unit says today.
func checkRunning(m *machine) []Finding {
	pid := listener(m.now["pidfile"])
	if pid == 0 {
		return nil
	}
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // gone is an answer too
	argv := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	if slices.ContainsFunc(m.server.Options, isKeysCommand) || !slices.ContainsFunc(argv, hasKeysCommand) {
		return nil
	}
	return []Finding{{
		Severity: Fail, What: fmt.Sprintf("the running sshd (process %d) was started with an AuthorizedKeysCommand on its command line, which a reload does not change", pid),
		Hint: "restart sshd; sessions go on",
	}}
}

// hasKeysCommand looks into "-oAuthorizedKeysCommand=…" as well, and into the
// title that sshd gives itself, which is one word: "sshd: /usr/sbin/sshd -D -o …".
func hasKeysCommand(arg string) bool {
	return strings.Contains(strings.ToLower(arg), "authorizedkeyscommand")
}

func (m *machine) directives() []Directive {
	if m.rec != nil {
		return m.rec.Directives
	}
	return Directives(Settings{Program: "/usr/local/bin/postern", Account: Account}, m.now)
}

func checkMatch(m *machine) []Finding {
	var out []Finding
	for _, l := range overrides(m.lines, m.directives()) {
		out = append(out, finding(Fail, matchOverride(l)))
	}
	return out
}

// checkBreakGlass looks at the way in without IAM. sshd does not read keys that
// somebody else could have written, and needs to read them as the account.
func checkBreakGlass(m *machine) []Finding {
	if m.rec == nil {
		return nil
	}
	list, _ := filepath.Glob(BreakGlass + "/*") // the pattern is ours
	if len(list) == 0 {
		return []Finding{{Severity: Warn, Where: BreakGlass, What: "nobody can log in while IAM has not answered for too long", Hint: "run install with --break-glass USER"}}
	}
	var out []Finding
	for _, path := range list {
		bad, err := weak(path)
		if err != nil {
			out = append(out, finding(Fail, err))
			continue
		}
		for _, p := range bad {
			if f := tighten(p, "others than root can change who gets in without IAM"); !slices.ContainsFunc(out, func(o Finding) bool { return o.Where == p }) {
				out = append(out, f)
			}
		}
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 == 0 {
			out = append(out, Finding{
				Severity: Fail, Where: path, What: "sshd reads the file as the account, which cannot",
				Fix: [][]string{{"chmod", "a+r", path}}, Safe: true,
			})
		}
	}
	return out
}

// checkShortKeys looks at the keys that no snapshot has sifted.
func checkShortKeys(m *machine) []Finding {
	var out []Finding
	if bits, known := m.now["requiredrsasize"]; m.now != nil && !known {
		out = append(out, Finding{Severity: Warn, What: "this sshd has no RequiredRSASize and takes RSA keys of 1024 bits from files", Hint: "OpenSSH 9.1 and newer refuse them"})
	} else if n, err := strconv.Atoi(bits); err == nil && n < minRSA {
		out = append(out, Finding{Severity: Warn, What: fmt.Sprintf("sshd takes RSA keys of %d bits", n), Hint: m.again()})
	}
	list, _ := filepath.Glob(BreakGlass + "/*") // the pattern is ours
	for _, path := range list {
		text, err := m.host.Run(m.ctx, "ssh-keygen", "-l", "-f", path)
		if err != nil {
			out = append(out, Finding{Severity: Warn, Where: path, What: "there is no key in it that ssh-keygen can read"})
			continue
		}
		out = append(out, shortKeys(path, text)...)
	}
	return out
}

// shortKeys reads what ssh-keygen -l prints: "1024 SHA256:… comment (RSA)".
func shortKeys(path, text string) []Finding {
	var out []Finding
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || f[len(f)-1] != "(RSA)" {
			continue
		}
		if bits, err := strconv.Atoi(f[0]); err == nil && bits < minRSA {
			out = append(out, Finding{Severity: Fail, Where: path, What: fmt.Sprintf("the RSA key %s has %d bits, fewer than %d", f[1], bits, minRSA), Hint: "replace it: ssh-keygen -t ed25519"})
		}
	}
	return out
}

// checkSELinux looks at the boolean that other programs of this kind need. Ours
// opens no connection, but policies differ.
func checkSELinux(*machine) []Finding {
	enforcing, err := os.ReadFile("/sys/fs/selinux/enforce")
	if err != nil || strings.TrimSpace(string(enforcing)) != "1" {
		return nil
	}
	value, err := os.ReadFile("/sys/fs/selinux/booleans/nis_enabled")
	if err != nil || strings.HasPrefix(string(value), "1") {
		return nil
	}
	return []Finding{{
		Severity: Warn, What: "SELinux enforces and nis_enabled is off: if `ausearch -m avc -c postern` shows refusals, sshd may not run the look-up",
		Fix: [][]string{{"setsebool", "-P", "nis_enabled", "on"}},
	}}
}

// checkLocked finds accounts that sshd takes for locked: without PAM, a
// password that begins with "!" refuses keys as well. Nothing but "!" is what
// useradd leaves; with a password behind it, somebody has locked the account,
// and opening it is theirs.
func checkLocked(m *machine, accounts []string) []Finding {
	if m.now["usepam"] == "yes" {
		return nil
	}
	text, err := os.ReadFile("/etc/shadow")
	if err != nil {
		return nil
	}
	var out []Finding
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, ":")
		if len(f) < 2 || !strings.HasPrefix(f[1], "!") || !slices.Contains(accounts, f[0]) {
			continue
		}
		if strings.Trim(f[1], "!") != "" {
			out = append(out, Finding{
				Severity: Warn, What: fmt.Sprintf("somebody has locked account %s", f[0]), Fix: [][]string{{"usermod", "--unlock", "--", f[0]}},
			})
			continue
		}
		out = append(out, Finding{
			Severity: Fail, What: fmt.Sprintf("account %s counts as locked, as sshd runs without PAM", f[0]),
			Fix: [][]string{{"usermod", "-p", "*", "--", f[0]}}, Safe: true,
		})
	}
	return out
}

// shellLines writes commands for a person to copy.
func shellLines(list [][]string) []string {
	var out []string
	for _, argv := range list {
		out = append(out, ShellLine(argv...))
	}
	return out
}

// ShellLine writes a command for a person to copy.
func ShellLine(argv ...string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = shellQuote(arg)
	}
	return strings.Join(quoted, " ")
}

func shellQuote(arg string) string {
	if arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@%") == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// Commands are the fix as lines of a shell.
func (f Finding) Commands() []string { return shellLines(f.Fix) }
