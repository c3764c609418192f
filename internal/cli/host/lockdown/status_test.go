package lockdown

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// TestLabelValue asks for names of users as Prometheus reads them.
func TestLabelValue(t *testing.T) {
	for name, want := range map[string]string{
		"root": "root", `CORP\ada`: `CORP\\ada`, `q"q`: `q\"q`, "tab\tx": "tab\tx",
		"zero\u200bwidth": "zero\u200bwidth", "bad\xff": "bad", "two\nlines": `two\nlines`,
	} {
		s := report{Denied: []denied{{user{1, name}, 5}}}
		if line := `{uid="1",user="` + want + `",from=""} 5` + "\n"; !strings.Contains(s.metrics(), line) {
			t.Errorf("%q: no %s in %s", name, line, s.metrics())
		}
	}
}

// TestUnownedShows asks that no refusal is left out of the text.
func TestUnownedShows(t *testing.T) {
	streams, out, _ := ui.Test("")
	s := report{Standing: true, Unowned: 3}
	s.text(streams.Result())
	if !strings.Contains(out.String(), "of no socket  3\n") {
		t.Error(out)
	}
}
