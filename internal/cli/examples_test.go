package cli

import (
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

// TestExamples brings every example up in the sandbox and uses its access, but
// for the one that is there to be refused.
func TestExamples(t *testing.T) {
	t.Chdir("../..")
	dirs, err := filepath.Glob("examples/*")
	if err != nil || len(dirs) < 4 {
		t.Fatalf("examples: %v, %v", dirs, err)
	}
	for _, dir := range dirs {
		want := fault.OK
		if filepath.Base(dir) == "broken" {
			want = fault.Findings
		}
		streams, out, errs := ui.Test("")
		if got := Main(t.Context(), []string{"up", "--sandbox", "--yes", dir}, streams, func(string) string { return "" }); got != want {
			t.Errorf("up --sandbox %s: exit code %d, want %d\n%s%s", dir, got, want, out, errs)
		}
	}
}
