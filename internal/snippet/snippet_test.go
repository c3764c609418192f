package snippet

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/internal/spec"
)

// update rewrites the golden files: go test ./internal/snippet -update
var update = flag.Bool("update", false, "write the snippets of each spec into testdata")

// specs are what the snippets are made of: every kind of identity, and what
// that leaves out.
var specs = map[string]string{
	"identities": "../../examples/identities/postern.yaml",
	"variants":   "testdata/variants.yaml",
}

func load(t testing.TB, path string) (*spec.Spec, []Snippet) {
	t.Helper()
	s, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := All(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, all
}

// every gives the snippets of all specs, by a name that tells them apart.
func every(t testing.TB) map[string]Snippet {
	t.Helper()
	all := map[string]Snippet{}
	for _, path := range specs {
		_, snippets := load(t, path)
		for _, s := range snippets {
			all[title(s)] = s
		}
	}
	return all
}

func title(s Snippet) string {
	name := s.System + ": " + s.Identity + " becomes " + s.Role
	if s.File != "" {
		name += " in " + s.File
	}
	return name
}

func TestGolden(t *testing.T) {
	for name, path := range specs {
		t.Run(name, func(t *testing.T) {
			_, all := load(t, path)
			var seen txtar.Archive
			for _, s := range all {
				seen.Files = append(seen.Files, txtar.File{Name: title(s), Data: []byte(s.Text)})
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, txtar.Format(&seen), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(txtar.Format(&seen))); diff != "" {
				t.Errorf("run go test ./internal/snippet -update and look at the difference (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryKind holds the forms against the kinds that the spec knows, and the
// examples against both.
func TestEveryKind(t *testing.T) {
	var schema struct {
		Defs map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	want := append(slices.Collect(maps.Keys(schema.Defs)), accessKey, travis)
	slices.Sort(want)
	if diff := cmp.Diff(want, Systems()); diff != "" {
		t.Errorf("the spec's kinds (-) and the systems (+) differ:\n%s", diff)
	}
	seen := map[string]bool{}
	for _, s := range every(t) {
		seen[s.System] = true
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("kinds without a snippet (-):\n%s", diff)
	}
}

// TestPage holds docs/ci.md against the forms: each system has its row, with the
// file that the text is for.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			system, row, _ := strings.Cut(rest, "` |")
			rows[system] = row
		}
	}
	if diff := cmp.Diff(Systems(), slices.Sorted(maps.Keys(rows))); diff != "" {
		t.Errorf("systems (-) and rows (+):\n%s", diff)
	}
	for _, f := range forms {
		if f.file != "" && !strings.HasPrefix(f.file, "~") && !strings.Contains(rows[f.system], "`"+f.file+"`") {
			t.Errorf("%s: the row does not say %s: %s", f.system, f.file, rows[f.system])
		}
	}
}

// TestNoTrace looks for what a template leaves behind when a value is missing.
func TestNoTrace(t *testing.T) {
	for name, s := range every(t) {
		for _, trace := range []string{"<no value>", "%!", "[[", "\n\n\n", "=\n", " \n"} {
			if strings.Contains(s.Text, trace) {
				t.Errorf("%s has %q:\n%s", name, trace, s.Text)
			}
		}
		if !strings.HasSuffix(s.Text, "\n") || strings.HasPrefix(s.Text, "\n") {
			t.Errorf("%s does not begin with text and end with a newline: %q", name, s.Text)
		}
	}
}
