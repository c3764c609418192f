package sshd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnitCommandLine(t *testing.T) {
	env := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(env, []byte("# options\nSSHD_OPTS=\"-4 -o UsePAM=no\"\n#SSHD_OPTS=-6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files []string // the unit and its drop-ins
		want  []string // options that matter
	}{
		{name: "Debian's", files: []string{"[Service]\nEnvironmentFile=-" + env + "\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n"}, want: []string{"-o", "UsePAM=no"}},
		{name: "no such variable", files: []string{"ExecStart=/usr/sbin/sshd -D $OPTIONS $CRYPTO_POLICY"}},
		{
			name: "EC2 Instance Connect",
			files: []string{
				"ExecStart=/usr/sbin/sshd -D", "[Service]\nExecStart=\nExecStart=-/usr/sbin/sshd -D \\\n -o \"AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %%u %%f\" -o \"AuthorizedKeysCommandUser ec2-instance-connect\"\n",
			},
			want: []string{"-o", "AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %u %f", "-o", "AuthorizedKeysCommandUser ec2-instance-connect"},
		},
		{
			name: "an early EC2 Instance Connect",
			files: []string{
				"ExecStart=/usr/sbin/sshd -D $SSHD_OPTS", "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -o \"PermitUserEnvironment EIC_*\" -o \"AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %%u %%f\" $SSHD_OPTS\n",
			},
			want: []string{"-o", "PermitUserEnvironment EIC_*", "-o", "AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %u %f"},
		},
		{name: "other options", files: []string{"Environment=A=-f/etc/x B=1\nExecStart=@/usr/sbin/sshd -Dep 22 -h /key ${A} -oPort=3 -u 0 -f /etc/y -"}, want: []string{"-f", "/etc/x", "-o", "Port=3", "-f", "/etc/y"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := &unit{env: map[string]string{}}
			for _, text := range tt.files {
				u.read("x", text)
			}
			if diff := cmp.Diff(tt.want, options(u.expand())); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestDirectives(t *testing.T) {
	s := Settings{Program: "/usr/local/bin/postern", Account: Account}
	server := func(change ...string) Effective {
		e := Effective{
			"pubkeyauthentication": "yes", "authorizedkeyscommand": "none", "authorizedkeyscommanduser": "none", "authorizedkeysfile": ".ssh/authorized_keys",
			"loglevel": "INFO", "exposeauthinfo": "no", "requiredrsasize": "1024", "logingracetime": "120", "authenticationmethods": "any",
			"passwordauthentication": "yes", "kbdinteractiveauthentication": "no",
		}
		for i := 0; i < len(change); i += 2 {
			if e[change[i]] = change[i+1]; change[i+1] == "" {
				delete(e, change[i])
			}
		}
		return e
	}
	tests := []struct {
		name string
		s    Settings
		now  Effective
		want map[string]string // beside those that are always there; empty: it must not be
	}{
		{name: "as it comes", s: s, now: server(), want: map[string]string{
			"PubkeyAuthentication": "yes", "AuthorizedKeysCommand": "/usr/local/bin/postern host ssh keys --uid %U -- %u %f", "AuthorizedKeysCommandUser": "postern-ssh",
			"AuthorizedKeysFile": "/etc/ssh/breakglass/%u", "LogLevel": "VERBOSE", "ExposeAuthInfo": "yes", "RequiredRSASize": "2048", "LoginGraceTime": "30",
			"PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no",
		}},
		{name: "older than 9.1", s: s, now: server("requiredrsasize", ""), want: map[string]string{"RequiredRSASize": ""}},
		{name: "stricter already", s: s, now: server("requiredrsasize", "4096", "logingracetime", "10", "loglevel", "DEBUG1"), want: map[string]string{"RequiredRSASize": "4096", "LoginGraceTime": "10", "LogLevel": ""}},
		{name: "no grace time at all", s: s, now: server("logingracetime", "0"), want: map[string]string{"LoginGraceTime": "30"}},
		{name: "second factor", s: s, now: server("authenticationmethods", "publickey,keyboard-interactive:pam"), want: map[string]string{"KbdInteractiveAuthentication": "", "PasswordAuthentication": "no"}},
		{name: "keep passwords", s: Settings{Program: "/a%b", KeepPasswords: true}, now: server(), want: map[string]string{
			"KbdInteractiveAuthentication": "", "PasswordAuthentication": "", "AuthorizedKeysCommand": "/a%%b host ssh keys --uid %U -- %u %f",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]string{}
			for _, d := range Directives(tt.s, tt.now) {
				got[d.Keyword] = d.Value
			}
			for keyword, want := range tt.want {
				if got[keyword] != want {
					t.Errorf("%s is %q, want %q", keyword, got[keyword], want)
				}
			}
			if tt.name == "as it comes" && len(got) != len(tt.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestShortKeysOf(t *testing.T) {
	text := "1024 SHA256:aaa old key (RSA)\n2048 SHA256:bbb (RSA)\n256 SHA256:ccc x (ED25519)\n\nrubbish\n"
	want := []Finding{{Severity: Fail, Where: "/f", What: "the RSA key SHA256:aaa has 1024 bits, fewer than 2048", Hint: "replace it: ssh-keygen -t ed25519"}}
	if diff := cmp.Diff(want, shortKeys("/f", text)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestQuotes(t *testing.T) {
	tests := []struct{ arg, unit, shell string }{
		{"a-b=c", "a-b=c", "a-b=c"},
		{"", `""`, `''`},
		{"a b", `"a b"`, `'a b'`},
		{`$a%b`, `$$a%%b`, `'$a%b'`},
		{`it's "x"\`, `"it's \"x\"\\"`, `'it'\''s "x"\'`},
		{"*", "*", "'*'"},
	}
	for _, tt := range tests {
		if got := unitQuote(tt.arg); got != tt.unit {
			t.Errorf("unit: %q: got %s, want %s", tt.arg, got, tt.unit)
		}
		if got := shellQuote(tt.arg); got != tt.shell {
			t.Errorf("shell: %q: got %s, want %s", tt.arg, got, tt.shell)
		}
	}
}
