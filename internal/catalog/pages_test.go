package catalog_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
)

//go:generate go test . -run TestPages -update

var update = flag.Bool("update", false, "write the pages of docs/catalog")

const pagesDir = "../../docs/catalog"

// TestPages compares docs/catalog with the catalogue: a page for each grant and
// their list. go generate writes them.
func TestPages(t *testing.T) {
	want := map[string]string{"README.md": executed(t, indexPage, catalog.Areas())}
	for _, g := range catalog.All() {
		want[g.Name+".md"] = executed(t, grantPage, newPage(t, g))
	}
	if *update {
		writePages(t, want)
	}
	got := map[string]string{}
	for _, name := range pageFiles(t) {
		text, err := os.ReadFile(filepath.Join(pagesDir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/catalog is out of date: run go generate ./internal/catalog (-want +got):\n%s", diff)
	}
}

func writePages(t *testing.T, pages map[string]string) {
	t.Helper()
	for _, name := range pageFiles(t) {
		if pages[name] == "" {
			if err := os.Remove(filepath.Join(pagesDir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(pagesDir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func pageFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(pagesDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// page is what the page of a grant shows.
type page struct {
	*catalog.Grant
	Entry           string // in a spec
	Policy          string // of the default level, for example values
	Added           []added
	Reasons         []reason
	Allowed, Denied int // cases
}

// added is what a level allows beyond the one before, for example values.
type added struct {
	From, To string
	Access   []catalog.Access
}

// reason is a row of the table of actions.
type reason struct{ Action, Level, Why string }

func newPage(t *testing.T, g *catalog.Grant) page {
	t.Helper()
	levels := exampleRenderings(t, g, false)
	p := page{
		Grant:   g,
		Entry:   g.Entry("", g.Example("")),
		Policy:  string(levels[0].doc.Indented()),
		Reasons: reasons(t, g),
	}
	for i, wide := range levels[1:] {
		p.Added = append(p.Added, added{levels[i].level, wide.level, catalog.Gained(wide.doc, levels[i].doc)})
	}
	for _, c := range g.Cases() {
		if c.Allowed {
			p.Allowed++
		} else {
			p.Denied++
		}
	}
	return p
}

// reasons says for each action from which level on some arguments render it.
func reasons(t *testing.T, g *catalog.Grant) []reason {
	t.Helper()
	rank := map[string]int{}
	for i, l := range g.Levels {
		rank[l.Name] = i
	}
	first := map[string]int{}
	for _, r := range renderings(t, catalog.CaseScope()) {
		if r.grant != g {
			continue
		}
		for _, s := range r.doc.Statements {
			for _, a := range s.Actions {
				if at, seen := first[a]; !seen || rank[r.level] < at {
					first[a] = rank[r.level]
				}
			}
		}
	}
	var out []reason
	for _, a := range slices.Sorted(maps.Keys(g.Why)) {
		out = append(out, reason{a, g.Levels[first[a]].Name, g.Why[a]})
	}
	return out
}

func executed(t *testing.T, text string, data any) string {
	t.Helper()
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"cell":  func(s string) string { return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;").Replace(s) },
		"code":  codes,
		"in":    catalog.In,
		"when":  condition,
		"facts": facts,
	}).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func codes(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

func condition(c iam.Condition) string {
	return fmt.Sprintf("`%s` `%s` is %s", c.Operator, c.Key, codes(c.Values))
}

// facts are the form, the need and the default of a parameter.
func facts(g *catalog.Grant, p catalog.Param) string {
	text := string(p.Type)
	var needed []string
	for _, l := range g.Levels {
		if slices.Contains(l.Needs, p.Name) {
			needed = append(needed, l.Name)
		}
	}
	switch {
	case p.Required:
		text += ", required"
	case len(needed) > 0:
		text += ", required at " + strings.Join(needed, ", ")
	case p.Levels != nil:
		text += ", at " + strings.Join(p.Levels, ", ")
	}
	if p.Default != "" {
		text += ", default `" + p.Default + "`"
	}
	return text
}

const indexPage = `# The catalogue of grants

A grant is a named, parameterised least-privilege policy for one job of a machine. Its levels say how wide it is; the first is the default.
` + "`postern catalog NAME`" + ` shows a grant with the policy for values of your own, ` + "`postern catalog NAME --compare LEVEL LEVEL`" + ` what a wider level adds,
` + "`postern catalog NAME --cases`" + ` the calls that it is tested against. A test writes these pages (` + "`go generate ./internal/catalog`" + `).

{{range . -}}
## {{.}}

| Grant | What a machine can do with it | Levels |
|---|---|---|
{{range in . -}}
| [{{.Name}}]({{.Name}}.md) | {{cell .Summary}} | {{range $i, $l := .Levels}}{{if $i}} < {{end}}{{$l.Name}}{{end}} |
{{end}}
{{end -}}
## What holds for all

Actions that know no resource stand in a statement of their own, each with its reason. ` + "`iam:PassRole`" + ` is given for named roles and one service only.
A value that would widen a grant by accident (a wildcard, an empty list, an ARN of somewhere else) is refused, with the level to ask for instead.
`

const grantPage = `# {{.Name}}

Lets a machine {{cell .Summary}}.

It never lets it {{cell .Never}}.

` + "```yaml" + `
grants:
  - {{.Entry}}
` + "```" + `

## Levels, narrowest first

| Level | Allows | Adds |
|---|---|---|
{{range $i, $l := .Levels -}}
| {{$l.Name}}{{if not $i}} (default){{end}} | {{cell $l.Summary}} | {{cell $l.Adds}} |
{{end}}
{{- if .Params}}
## Parameters

| Parameter | Form | What | Such as |
|---|---|---|---|
{{range .Params -}}
| ` + "`{{.Name}}`" + ` | {{facts $.Grant .}} | {{cell .Summary}} | ` + "`{{.Example}}`" + ` |
{{end}}
{{- end}}
## Policy at level {{.DefaultLevel}}

For the values above, in account 222222222222 and eu-west-1.

` + "```json" + `
{{.Policy}}` + "```" + `
{{range .Added}}
## What level {{.To}} adds to {{.From}}

{{range .Access -}}
- {{code .Actions}} on {{code .Resources}}{{range $i, $c := .Conditions}}{{if $i}} and{{else}} if{{end}} {{when $c}}{{end}}
{{end}}
{{- end}}
## Why each action is there

| Action | From level | Which call needs it |
|---|---|---|
{{range .Reasons -}}
| ` + "`{{.Action}}`" + ` | {{.Level}} | {{cell .Why}} |
{{end}}
{{- if .Unscopable}}
On every resource, because it has to be:

{{range .Unscopable -}}
- {{code .Actions}}: {{cell .Reason}}
{{end}}
{{- end}}
Tested against {{.Allowed}} calls that it must allow and {{.Denied}} that it must deny. [All grants](README.md)
`
