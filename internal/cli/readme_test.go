package cli

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// consoleBlock is a fenced block whose first line is a command.
var consoleBlock = regexp.MustCompile("(?s)```console\n\\$ postern ([^\n]*)\n(.*?)```")

// elision stands in a block for output that README leaves out.
const elision = "…\n"

// TestReadme runs each command that README shows with its output and compares
// what it prints; -update writes the output of whole blocks into README.
func TestReadme(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	now := consoleBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		blocks++
		match := consoleBlock.FindStringSubmatch(block)
		streams, out, _ := ui.Test("")
		Main(context.Background(), strings.Fields(match[1]), streams, func(string) string { return "" })
		printed := strings.TrimLeft(out.String(), "\n")
		if strings.Contains(match[2], elision) {
			checkElided(t, match[1], match[2], printed)
			return block
		}
		return "```console\n$ postern " + match[1] + "\n" + printed + "```"
	})
	if blocks < 4 {
		t.Errorf("README shows %d commands with their output", blocks)
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), now); diff != "" {
		t.Errorf("README shows what is not printed; go test ./internal/cli -update mends it (-README +printed):\n%s", diff)
	}
}

// checkElided finds the shown parts of an output in their order.
func checkElided(t *testing.T, command, shown, printed string) {
	t.Helper()
	for part := range strings.SplitSeq(shown, elision) {
		_, after, found := strings.Cut(printed, part)
		if !found {
			t.Errorf("README shows for %q, and this is not printed there:\n%s", command, part)
			return
		}
		printed = after
	}
	if !strings.HasSuffix(shown, elision) && printed != "" {
		t.Errorf("README ends %q before its output does:\n%s", command, printed)
	}
}
