package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// The accounts as the texts of the tests write them. In each world they stand
// for two accounts of its own.
const (
	hub  = "111111111111"
	work = "222222222222"
)

// world is one scenario's view of a peer: two accounts, a folder for the spec,
// and the tools.
type world struct {
	*testing.T
	peer     *peer
	dir      string
	spec     string // path
	to, from *strings.Replacer
	ids      map[string]string   // by the id in the texts
	envs     map[string][]string // for the AWS CLI, by the id in the texts
}

func newWorld(t *testing.T, p *peer) *world {
	t.Helper()
	w := &world{T: t, peer: p, dir: t.TempDir(), ids: map[string]string{}, envs: map[string][]string{}}
	w.spec = filepath.Join(w.dir, "postern.yaml")
	for _, id := range []string{hub, work} {
		w.ids[id] = p.newAccount(t)
	}
	w.to = strings.NewReplacer(hub, w.ids[hub], work, w.ids[work])
	w.from = strings.NewReplacer(w.ids[hub], hub, w.ids[work], work)
	return w
}

// write makes text the spec.
func (w *world) write(text string) {
	w.Helper()
	if err := os.WriteFile(w.spec, []byte(w.to.Replace(text)), 0o600); err != nil {
		w.Fatal(err)
	}
}

// writeFile makes a file of testdata the spec.
func (w *world) writeFile(name string) {
	w.Helper()
	w.write(testdata(w, name))
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// env is what the program gets: the peer's credentials and nothing of the
// machine's.
func (w *world) env() []string { return alone(w.dir, w.peer.env) }

// alone adds to env what keeps the machine's own configuration out.
func alone(home string, env []string) []string {
	return append([]string{
		"HOME=" + home, "PATH=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}, env...)
}

// run runs the program on the spec and wants an exit code.
func (w *world) run(want int, args ...string) result {
	w.Helper()
	r := run(w, w.dir, w.env(), args...)
	r.out, r.err = w.from.Replace(r.out), w.from.Replace(r.err)
	if r.code != want {
		w.Fatalf("postern %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.code, want, r.out, r.err)
	}
	return r
}

// apply carries the spec out, and wants the next plan to be empty.
func (w *world) apply() {
	w.Helper()
	w.run(0, "apply", "--yes", w.spec)
	w.clean()
}

// clean wants that nothing is left to change.
func (w *world) clean() {
	w.Helper()
	r := w.run(0, "plan", "--detailed-exitcode", w.spec)
	says(w, r.out, "no changes")
}

// aws runs the AWS CLI in an account.
func (w *world) aws(account string, args ...string) string {
	w.Helper()
	out, err := witness.AWS(w, w.in(account), w.each(args)...)
	if err != nil {
		w.Fatal(err)
	}
	return w.from.Replace(out)
}

func (w *world) each(args []string) []string {
	var out []string
	for _, a := range args {
		out = append(out, w.to.Replace(a))
	}
	return out
}

// in is the environment that takes the AWS CLI into an account.
func (w *world) in(account string) []string {
	w.Helper()
	if env, ok := w.envs[account]; ok {
		return env
	}
	arn := "arn:aws:iam::" + w.ids[account] + ":role/" + adminRole
	w.envs[account] = append(append([]string{}, w.peer.env...), assumeRole(w, w.peer.env, arn)...)
	return w.envs[account]
}

// assumeRole becomes a role with the AWS CLI and returns the environment of
// the session.
func assumeRole(t testing.TB, env []string, arn string) []string {
	t.Helper()
	out, err := witness.AWS(t, env, "sts", "assume-role", "--role-arn", arn, "--role-session-name", "reader")
	if err != nil {
		t.Fatal(err)
	}
	return sessionEnv(t, out)
}

// sessionEnv is the environment of the session in an answer of STS.
func sessionEnv(t testing.TB, answer string) []string {
	t.Helper()
	var got struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("read answer of STS: %v\n%s", err, answer)
	}
	c := got.Credentials
	return []string{"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken}
}

// says wants that a text holds each part, and reports whether it does.
func says(t testing.TB, text string, parts ...string) bool {
	t.Helper()
	right := true
	for _, part := range parts {
		if !strings.Contains(flat(text), part) {
			t.Errorf("does not say %q:\n%s", part, text)
			right = false
		}
	}
	return right
}

// saysNot wants that a text holds none of the parts, and reports whether so.
func saysNot(t testing.TB, text string, parts ...string) bool {
	t.Helper()
	right := true
	for _, part := range parts {
		if strings.Contains(flat(text), part) {
			t.Errorf("says %q:\n%s", part, text)
			right = false
		}
	}
	return right
}

// flat undoes columns and folded lines.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
