package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// TestEveryGrantComesUp writes each grant at its narrowest and its widest level
// into a spec, as the catalogue says to, and brings the stack up in the sandbox:
// the spec takes it, it fits into a role, and what can be tried of it works.
func TestEveryGrantComesUp(t *testing.T) {
	text := `stack: all
region: eu-west-1
accounts: { prod: { id: "222222222222" } }
identities: { ci: { github: { repository: acme/shop, environment: production } } }
roles:
`
	for _, g := range catalog.All() {
		for _, l := range []catalog.Level{g.Levels[0], g.Levels[len(g.Levels)-1]} {
			text += fmt.Sprintf("  %s-%s:\n    account: prod\n    trust: [ci]\n    grants:\n      - %s\n", g.Name, l.Name, g.Entry(l.Name, g.Example(l.Name)))
		}
	}
	spec := filepath.Join(t.TempDir(), "postern.yaml")
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, out, errs := ui.Test("")
	if code := Main(t.Context(), []string{"up", "--sandbox", "--yes", spec}, streams, func(string) string { return "" }); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	for _, g := range catalog.All() {
		if !strings.Contains(out.String(), "all-"+g.Name) {
			t.Errorf("the result does not name %s", g.Name)
		}
	}
}
