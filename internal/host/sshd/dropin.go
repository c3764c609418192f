package sshd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Directive is a keyword of sshd_config with its value.
type Directive struct {
	Keyword, Value string
	Why            string
}

// minRSA is the least that IAM takes for an RSA key, in bits. sshd itself is
// content with 1024.
const minRSA = 2048

// maxGrace is how long a client may take to log in, in seconds.
const maxGrace = 30

// Directives are what the drop-in has to say on this server. now is what holds
// before: what is stricter stays, and what the server does not know is left out.
func Directives(s Settings, now Effective) []Directive {
	list := []Directive{
		{"PubkeyAuthentication", "yes", "keys are the way in"},
		{"AuthorizedKeysCommand", s.command(), "keys come from the snapshot that sync writes"},
		{"AuthorizedKeysCommandUser", s.Account, "this account can read the snapshot and nothing else"},
		{"AuthorizedKeysFile", BreakGlass + "/%u", "the way in without IAM; keys that users leave in their homes would outlive them"},
		{"LogLevel", "VERBOSE", "the log shows the fingerprint of each key that is offered"},
		{"ExposeAuthInfo", "yes", "a session can tell by which key it was opened"},
	}
	if bits, err := strconv.Atoi(now["requiredrsasize"]); err == nil {
		list = append(list, Directive{"RequiredRSASize", strconv.Itoa(max(bits, minRSA)), "shorter RSA keys are no match for an attacker"})
	}
	if grace, err := strconv.Atoi(now["logingracetime"]); err == nil {
		if grace == 0 { // for ever
			grace = maxGrace
		}
		list = append(list, Directive{"LoginGraceTime", strconv.Itoa(min(grace, maxGrace)), "nobody holds a slot of those who log in"})
	}
	if !s.KeepPasswords {
		list = append(list, withoutPasswords(now)...)
	}
	return slices.DeleteFunc(list, func(d Directive) bool {
		_, known := now[strings.ToLower(d.Keyword)]
		return !known || d.Keyword == "LogLevel" && strings.HasPrefix(now["loglevel"], "DEBUG")
	})
}

// withoutPasswords leaves alone what AuthenticationMethods asks for beside a
// key, such as the code of a second factor: sshd would refuse to start.
func withoutPasswords(now Effective) []Directive {
	var out []Directive
	for keyword, method := range map[string]string{"PasswordAuthentication": "password", "KbdInteractiveAuthentication": "keyboard-interactive"} {
		if !strings.Contains(now["authenticationmethods"], method) {
			out = append(out, Directive{keyword, "no", "a password is not the IAM user's, and can be guessed"})
		}
	}
	slices.SortFunc(out, func(a, b Directive) int { return strings.Compare(b.Keyword, a.Keyword) })
	return out
}

// command is what sshd runs. The uid lets an account be refused that only has
// the name of one of ours; -- keeps a name from being read as a flag.
func (s Settings) command() string {
	return strings.ReplaceAll(s.Program, "%", "%%") + " host ssh keys --uid %U -- %u %f"
}

// render writes the drop-in.
func render(list []Directive) []byte {
	var b strings.Builder
	b.WriteString("# Written by `postern host ssh install`, removed by `postern host ssh uninstall`.\n")
	b.WriteString("# Changes made here are found by `postern host ssh status` and lost with the next install.\n")
	for _, d := range list {
		fmt.Fprintf(&b, "\n# %s\n%s %s\n", d.Why, d.Keyword, d.Value)
	}
	return []byte(b.String())
}

// Effective is what sshd -T prints: keyword, in lower case, to value.
type Effective map[string]string

func parseEffective(out string) Effective {
	e := Effective{}
	for line := range strings.Lines(out) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, twice := e[keyword]; !twice && keyword != "" {
			e[keyword] = value
		}
	}
	return e
}

// unlike are the directives that sshd does not follow, each with what holds in
// its place and where that is set.
func (e Effective) unlike(list []Directive, lines []Line) fault.List {
	var out fault.List
	for _, d := range list {
		is := e[strings.ToLower(d.Keyword)]
		if is == d.Value {
			continue
		}
		err := &fault.Error{What: fmt.Sprintf("%s is %q, not %q", d.Keyword, is, d.Value)}
		if l, ok := first(lines, d.Keyword); ok && l.File != DropIn {
			err.Where, err.Hint = l.At(), "sshd goes by the first line; remove this one"
		}
		out = append(out, err)
	}
	return out
}
