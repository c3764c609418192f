package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// corpusCase is a line of testdata/corpus.jsonl: what AWS's pages say of a
// request, written down from them and not from what Postern answers.
type corpusCase struct {
	Rule   int             `json:"rule"`   // of docs/conformance.md; from 61 on the form of policies and rows
	Source string          `json:"source"` // the page
	What   string          `json:"what"`
	Row    json.RawMessage `json:"row"`
	Line   string          `json:"line"` // in place of a row that is no JSON or has a key twice
	Want   corpusVerdict   `json:"want"`
}

// corpusVerdict is the verdict to come, whose error may have any words. An
// absent blocked_by leaves it open: several layers could be said to block.
type corpusVerdict struct {
	ID        any       `json:"id"`
	Decision  string    `json:"decision"`
	BlockedBy *[]string `json:"blocked_by"`
	Error     any       `json:"error"`
}

// TestCorpus gives the rows of the corpus to the real command, in the forms
// that a file of rows may have.
func TestCorpus(t *testing.T) {
	cases := readCorpus(t)
	rows := make([]string, len(cases))
	for i, c := range cases {
		rows[i] = c.Line + string(c.Row)
	}
	for _, form := range []struct{ name, input string }{
		{"lines", strings.Join(rows, "\n") + "\n"},
		{"Windows lines after a byte order mark, the last without its end", "\ufeff" + strings.Join(rows, "\r\n\r\n")},
	} {
		t.Run(form.name, func(t *testing.T) {
			streams, out, _ := ui.Test(form.input)
			if code := Main(t.Context(), []string{"explain", "--batch"}, streams, func(string) string { return "" }); code != 0 {
				t.Errorf("exit code = %d, want 0", code)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) != len(cases) {
				t.Fatalf("%d verdicts for %d rows", len(lines), len(cases))
			}
			for i, c := range cases {
				c.check(t, lines[i])
			}
		})
	}
}

func readCorpus(t *testing.T) []corpusCase {
	t.Helper()
	text, err := os.ReadFile("testdata/corpus.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []corpusCase
	rules := map[int]bool{}
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var c corpusCase
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		rules[c.Rule] = true
		out = append(out, c)
	}
	for rule := 1; rule <= 60; rule++ {
		if !rules[rule] && !slices.Contains([]int{37, 55, 58}, rule) { // calls of several resources, the undefined, and what the caller says
			t.Errorf("no row for rule %d", rule)
		}
	}
	return out
}

func (c *corpusCase) check(t *testing.T, line string) {
	t.Helper()
	var got corpusVerdict
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Errorf("rule %d, %s: %v in %s", c.Rule, c.What, err, line)
		return
	}
	if got.Error != nil && c.Want.Error != nil {
		got.Error = c.Want.Error
	}
	if c.Want.BlockedBy == nil {
		got.BlockedBy = nil
	} else if got.BlockedBy != nil {
		slices.Sort(*got.BlockedBy)
	}
	if diff := cmp.Diff(c.Want, got); diff != "" {
		t.Errorf("rule %d, %s (%s):\n%s%s", c.Rule, c.What, c.Source, diff, c.text())
	}
}

func (c *corpusCase) text() string { return fmt.Sprintf("%s%s", c.Line, c.Row) }
