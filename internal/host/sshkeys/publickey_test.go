package sshkeys

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestParseKeyAsOpenSSH reads keys of ssh-keygen's making and holds
// fingerprints against the ones that it shows.
func TestParseKeyAsOpenSSH(t *testing.T) {
	for _, test := range []struct {
		args []string
		why  string // of a refusal
	}{
		{args: []string{"-t", "ed25519"}},
		{args: []string{"-t", "rsa", "-b", "2048"}},
		{args: []string{"-t", "ecdsa", "-b", "256"}},
		{args: []string{"-t", "ecdsa", "-b", "521"}},
		{args: []string{"-t", "rsa", "-b", "1024"}, why: "an RSA key of 1024 bits is too short"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			line := generate(t, test.args...)
			got, err := ParseKey(line)
			if test.why != "" {
				if err == nil || !strings.Contains(err.Error(), test.why) {
					t.Errorf("got error %v, want one with %q", err, test.why)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			equal(t, Key{Fingerprint: fingerprint(t, line), Line: strings.TrimSuffix(line, " somebody@laptop")}, got)
		})
	}
}

func fingerprint(t *testing.T, line string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pub")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(need(t, "ssh-keygen"), "-l", "-f", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[1]
}

func TestParseKeyRefuses(t *testing.T) {
	good := generate(t, "-t", "ed25519")
	blob := strings.Fields(good)[1]
	short := base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20abc"))
	for _, test := range []struct{ name, line, why string }{
		{"nothing", "", "not one line"},
		{"a type alone", "ssh-rsa", "not one line"},
		{"two lines", good + "\n" + good, "not one line"},
		{"options", `command="sh" ` + good, "not used"},
		{"DSA", "ssh-dss " + blob, "not used"},
		{"a certificate", "ssh-ed25519-cert-v01@openssh.com " + blob, "not used"},
		{"no base64", "ssh-ed25519 AAA!", "not base64"},
		{"another type inside", "ssh-rsa " + blob, "not of the type"},
		{"cut short", "ssh-ed25519 " + short, "cut short"},
		{"PEM", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "not one line"},
	} {
		if _, err := ParseKey(test.line); err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.why)
		}
	}
}

// FuzzParseKey holds that what is kept of a key is one clean line that reads
// as itself.
func FuzzParseKey(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQpgxnjK1YQxqVWBXBHjZrVHRDUkOHm7a1vqQkIhY0h a b")
	f.Add("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7")
	f.Fuzz(func(t *testing.T, line string) {
		k, err := ParseKey(line)
		if err != nil {
			return
		}
		if len(strings.Fields(k.Line)) != 2 || strings.ContainsAny(k.Line, "\r\n\",") {
			t.Errorf("%q is not clean", k.Line)
		}
		if again, err := ParseKey(k.Line); err != nil || again != k {
			t.Errorf("%q reads as %v, %v", k.Line, again, err)
		}
	})
}
