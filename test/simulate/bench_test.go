package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/test/witness"
)

// mixRow is a row of testdata/mix.jsonl, with the decision that AWS documents.
type mixRow struct {
	row
	ID   string `json:"id"`
	Want string `json:"want"`
	line []byte
}

// mix reads the twenty rows on which engines are timed.
func mix(t testing.TB) []mixRow {
	t.Helper()
	text, err := os.ReadFile("testdata/mix.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var rows []mixRow
	for line := range bytes.Lines(text) {
		r := mixRow{line: line}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

// compiled is a row, ready to be judged again and again.
type compiled struct {
	layers  eval.Layers
	request eval.Request
}

func (r *mixRow) compile(t testing.TB) *compiled {
	t.Helper()
	policies := func(kind eval.Kind, docs []*iam.Document) []*eval.Policy {
		var out []*eval.Policy
		for _, doc := range docs {
			p, err := eval.Compile(r.ID, kind, doc)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p)
		}
		return out
	}
	who, err := eval.ParsePrincipal(r.Request.Principal.(string))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for key, value := range r.Request.Context {
		switch v := value.(type) {
		case string:
			keys[key] = []string{v}
		case []any:
			for _, one := range v {
				keys[key] = append(keys[key], one.(string))
			}
		}
	}
	c := &compiled{request: eval.Request{
		Principal: who, Action: r.Request.Action, Resource: r.Request.Resource, ResourceAccount: r.Request.Owner, Context: eval.NewContext(keys),
	}}
	c.layers.Identity, c.layers.Boundary = policies(eval.Identity, r.Identity), policies(eval.Boundary, r.Boundary)
	for _, level := range r.SCP {
		c.layers.SCP = append(c.layers.SCP, policies(eval.SCP, level))
	}
	for _, level := range r.RCP {
		c.layers.RCP = append(c.layers.RCP, policies(eval.RCP, level))
	}
	if r.Resource != nil {
		kind, owned := eval.Owned(c.request.Action, c.request.Resource)
		if !owned {
			kind = eval.Resource
		}
		c.layers.Resource = policies(kind, []*iam.Document{r.Resource})[0]
	}
	return c
}

// What is timed is right, with both engines.
func TestMix(t *testing.T) {
	rows := mix(t)
	var lines bytes.Buffer
	var want []string
	for _, r := range rows {
		lines.Write(r.line)
		want = append(want, r.ID+": "+r.Want)
		if got := r.compile(t).decision(); got != r.Want {
			t.Errorf("%s: %s, want %s", r.ID, got, r.Want)
		}
	}
	var got []string
	streams, out, _ := ui.Test(lines.String())
	cli.Main(context.Background(), []string{"explain", "--batch"}, streams, func(string) string { return "" })
	for line := range strings.Lines(out.String()) {
		var v struct{ ID, Decision string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v.ID+": "+v.Decision)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explain --batch (-want +got):\n%s", diff)
	}
	w := startWitness(t, witness.Need(t, "node"), modulesFolder(t))
	defer w.stop(t)
	theirs, err := w.ask(lines.Bytes(), len(rows))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range theirs {
		if v.Decision != rows[i].Want {
			t.Errorf("%s: iam-simulate says %s %s, want %s", rows[i].ID, v.Decision, v.Error, rows[i].Want)
		}
	}
}

func (c *compiled) decision() string {
	return strings.ReplaceAll(c.layers.Decide(&c.request).String(), " ", "_")
}

// BenchmarkEngines times Postern beside iam-simulate on the same rows, an
// evaluation each. Postern's engine has its policies compiled; batch reads
// JSON and so does the witness, which compiles its policies for each request.
func BenchmarkEngines(b *testing.B) {
	rows := mix(b)
	groups := map[string][]mixRow{"mix": rows}
	names := []string{"mix"}
	for _, r := range rows {
		switch r.ID {
		case "exact", "limits", "OIDC trust", "forty statements":
			groups[r.ID], names = []mixRow{r}, append(names, r.ID)
		}
	}
	for _, name := range names {
		group := groups[name]
		b.Run(name+"/postern", func(b *testing.B) { benchEngine(b, group) })
		b.Run(name+"/postern batch", func(b *testing.B) { benchBatch(b, group) })
		b.Run(name+"/iam-simulate", func(b *testing.B) { benchWitness(b, group) })
	}
}

func benchEngine(b *testing.B, rows []mixRow) {
	var cases []*compiled
	for _, r := range rows {
		cases = append(cases, r.compile(b))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		cases[i].layers.Decide(&cases[i].request)
		if i++; i == len(cases) {
			i = 0
		}
	}
}

// lines are n rows, over and over.
func lines(rows []mixRow, n int) []byte {
	var out bytes.Buffer
	for i := range n {
		out.Write(rows[i%len(rows)].line)
	}
	return out.Bytes()
}

func benchBatch(b *testing.B, rows []mixRow) {
	streams, _, _ := ui.Test("")
	streams.In, streams.Out = bytes.NewReader(lines(rows, b.N)), io.Discard
	b.ResetTimer()
	cli.Main(context.Background(), []string{"explain", "--batch"}, streams, func(string) string { return "" })
}

func benchWitness(b *testing.B, rows []mixRow) {
	w := startWitness(b, witness.Need(b, "node"), modulesFolder(b))
	defer w.stop(b)
	if _, err := w.ask(lines(rows, len(rows)), len(rows)); err != nil { // its first calls load data
		b.Fatal(err)
	}
	text := lines(rows, b.N)
	b.ResetTimer()
	if _, err := w.ask(text, b.N); err != nil {
		b.Fatal(err)
	}
}
