package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/witness"
)

// TestSandboxFromAnotherTerminal is what the README promises: a sandbox in one
// terminal, and in another the commands with nothing but the environment that
// it wrote.
func TestSandboxFromAnotherTerminal(t *testing.T) {
	t.Parallel()
	env := alone(t.TempDir(), openSandbox(t))
	must := func(code int, args ...string) result {
		t.Helper()
		r := run(t, "", env, append(args, shop)...)
		if r.code != code {
			t.Fatalf("postern %v: exit code %d, want %d\n%s%s", args, r.code, code, r.out, r.err)
		}
		return r
	}
	says(t, must(0, "apply", "--yes").err, "✓ 14 calls made")
	says(t, must(0, "plan", "--detailed-exitcode").out, "no changes")
	says(t, must(0, "prove").out, "all 3 guard rails hold")

	prod := append(env, assumeRole(t, env, "arn:aws:iam::"+work+":role/"+adminRole)...)
	if _, err := witness.AWS(t, prod, "iam", "attach-role-policy", "--role-name", "shop-preview",
		"--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"); err != nil {
		t.Fatal(err)
	}
	says(t, must(2, "plan", "--detailed-exitcode").out, "~ role shop-preview DetachRolePolicy arn:aws:iam::aws:policy/AdministratorAccess not in the spec")
	says(t, must(3, "prove").out, "s3:Put*")
	must(0, "apply", "--yes")
	must(0, "plan", "--detailed-exitcode")

	must(0, "destroy", "--yes")
	for _, one := range []struct {
		env        []string
		list, want string
	}{
		{prod, "list-roles --query Roles[].RoleName", `["postern-admin"]`},
		{prod, "list-instance-profiles --query InstanceProfiles", `[]`},
		{prod, "list-open-id-connect-providers --query OpenIDConnectProviderList", `[]`},
		{env, "list-users --query Users[].UserName", `["postern-operator"]`},
		{env, "list-groups --query Groups", `[]`},
	} {
		out, err := witness.AWS(t, one.env, append([]string{"iam"}, strings.Fields(one.list)...)...)
		if err != nil || compact(t, decoded(t, out)) != one.want {
			t.Errorf("aws iam %s: %s, %v; want %s", one.list, out, err, one.want)
		}
	}
}

// openSandbox runs postern sandbox until the test ends, and returns what it
// wrote for the shell.
func openSandbox(t *testing.T) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sandbox.env")
	cmd := command(t, "", []string{"HOME=" + t.TempDir()}, "sandbox", "--env-file", file)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil { // command bounds the wait
			t.Errorf("ctrl-C: %v\n%s", err, &printed)
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s is left behind: %v", file, err)
		}
	})
	deadline := time.After(10 * time.Second)
	for {
		if text, err := os.ReadFile(file); err == nil { // it appears whole
			return exported(t, string(text))
		}
		select {
		case <-deadline:
			t.Fatalf("no environment after 10 s\n%s", &printed)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// exported reads "export NAME=value" lines without anything to unquote.
func exported(t *testing.T, text string) []string {
	t.Helper()
	var env []string
	for line := range strings.Lines(text) {
		pair, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "export ")
		if !ok || strings.ContainsAny(pair, "'\"\\ ") {
			t.Fatalf("not a plain export: %q", line)
		}
		env = append(env, pair)
	}
	return env
}
