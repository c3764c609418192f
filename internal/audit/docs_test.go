package audit

import (
	"os"
	"strings"
	"testing"
)

// TestDocs: the page has a row for each rule.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/host-ssh.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		if row := "\n| " + r.ID + " | " + r.Title + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/host-ssh.md lacks the row of %s", r.ID)
		}
	}
	if rows := strings.Count(string(page), "\n| SSH-"); rows != len(Rules()) {
		t.Errorf("docs/host-ssh.md has %d rows of rules, there are %d", rows, len(Rules()))
	}
}
