package units

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/test/witness"
)

// values name a program that exists, which systemd-analyze asks for.
var values = Values{Program: "/bin/true", Config: "/etc/postern/host.yaml"}

func units(t *testing.T) []Unit {
	t.Helper()
	list, err := Make(values)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestVerify holds the units against systemd's own reading of them.
func TestVerify(t *testing.T) {
	analyze := witness.Need(t, "systemd-analyze")
	dir := t.TempDir()
	args := []string{"verify", "--recursive-errors=no", "--man=no"}
	// The service that one of them is a drop-in of.
	list := append(units(t), Unit{"nftables.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n"})
	for _, u := range list {
		if err := write(dir, u.Name, []byte(u.Text)); err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(u.Name) == "." {
			args = append(args, filepath.Join(dir, u.Name))
		}
	}
	out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "postern") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCloudInit(t *testing.T) {
	text, err := CloudInit(values)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"write_files": []any{map[string]any{"path": "/etc/postern/host.yaml", "permissions": "0644", "content": "lockdown:\n  allow: [root]\n"}},
		"runcmd":      []any{[]any{"/bin/true", "host", "install"}},
	}
	if d := cmp.Diff(want, got); d != "" || !strings.HasPrefix(text, "#cloud-config\n") {
		t.Error(d)
	}
}

func TestPaths(t *testing.T) {
	for _, path := range []string{"", "postern", "/opt/my tools/postern", "/opt/100%/postern", "/opt/$HOME", "/a\nExecStart=/bin/sh"} {
		if _, err := Make(Values{path, values.Config}); err == nil {
			t.Errorf("%q may stand in a unit", path)
		}
		if _, err := CloudInit(Values{values.Program, path}); err == nil {
			t.Errorf("%q may stand in user data", path)
		}
	}
}

// recorder takes the commands, and fails at one of them.
type recorder struct {
	fails string
	ran   []string
}

func (r *recorder) run(_ context.Context, argv ...string) error {
	line := strings.Join(argv, " ")
	r.ran = append(r.ran, line)
	if r.fails != "" && strings.Contains(line, r.fails) {
		return errors.New("no")
	}
	return nil
}

func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if d.IsDir() {
			out[path] = "a folder"
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	list := units(t)
	want := map[string]string{"other.service": "theirs"}
	if err := os.WriteFile(filepath.Join(dir, "other.service"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	// It fails over nothing.
	for _, at := range []string{"daemon-reload", "enable", "restart"} {
		if err := Install(t.Context(), dir, list, (&recorder{fails: at}).run); err == nil {
			t.Errorf("%s: no error", at)
		}
		if d := cmp.Diff(want, folder(t, dir)); d != "" {
			t.Errorf("%s: %s", at, d)
		}
	}
	var r recorder
	if err := Install(t.Context(), dir, list, r.run); err != nil {
		t.Fatal(err)
	}
	for _, u := range list {
		want[u.Name] = u.Text
	}
	want["nftables.service.d"] = "a folder"
	if d := cmp.Diff(want, folder(t, dir)); d != "" {
		t.Error(d)
	}
	// It fails over another.
	changed, err := Make(Values{"/bin/false", values.Config})
	if err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), dir, changed, (&recorder{fails: "restart"}).run); err == nil {
		t.Error("no error")
	}
	if d := cmp.Diff(want, folder(t, dir)); d != "" {
		t.Error(d)
	}
	for i, present := range []bool{true, false} {
		was, err := Uninstall(t.Context(), dir, r.run)
		if was != present || err != nil {
			t.Errorf("time %d: %v, %v", i, was, err)
		}
	}
	if d := cmp.Diff(map[string]string{"other.service": "theirs"}, folder(t, dir)); d != "" {
		t.Error(d)
	}
	commands := []string{
		"systemctl daemon-reload",
		"systemctl enable --now postern-lockdown.service postern-lockdown-refresh.timer postern-lockdown-refresh.path",
		"systemctl restart postern-lockdown.service",
		"systemctl disable --now postern-lockdown.service postern-lockdown-refresh.timer postern-lockdown-refresh.path",
		"systemctl daemon-reload",
	}
	if d := cmp.Diff(commands, r.ran); d != "" {
		t.Error(d)
	}
}
