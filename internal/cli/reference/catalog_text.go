package reference

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// grantJSON is a grant as `catalog --json` prints it.
type grantJSON struct {
	Name       string           `json:"name"`
	Area       string           `json:"area"`    // what its job is about
	Summary    string           `json:"summary"` // what a job can do with it
	Never      string           `json:"never"`   // what it deliberately withholds
	Levels     []levelJSON      `json:"levels"`  // narrowest first; the first is the default
	Params     []paramJSON      `json:"params"`
	Unscopable []unscopableJSON `json:"unscopable"` // actions on the resource "*", and why
	Why        catalog.Why      `json:"why"`        // which call of which tool needs each action
	Cases      caseCount        `json:"cases"`
}

type levelJSON struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Adds    string   `json:"adds,omitempty"`  // over the level before
	Needs   []string `json:"needs,omitempty"` // parameters required at this level
}

type paramJSON struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // "string", "list of strings", "boolean"
	Summary  string   `json:"summary"`
	Required bool     `json:"required"` // at every level
	Default  string   `json:"default,omitempty"`
	Example  string   `json:"example,omitempty"`
	Levels   []string `json:"levels,omitempty"` // where it may be given; absent: at every level
}

type unscopableJSON struct {
	Action string `json:"action"`
	Reason string `json:"reason"`
}

// caseCount is how many calls a grant is tested against.
type caseCount struct {
	Allowed int `json:"allowed"`
	Denied  int `json:"denied"`
}

func describeGrant(g *catalog.Grant) grantJSON {
	d := grantJSON{Name: g.Name, Area: string(g.Area), Summary: g.Summary, Never: g.Never, Params: []paramJSON{}, Unscopable: []unscopableJSON{}, Why: g.Why}
	for _, l := range g.Levels {
		d.Levels = append(d.Levels, levelJSON{l.Name, l.Summary, l.Adds, l.Needs})
	}
	for _, p := range g.Params {
		d.Params = append(d.Params, paramJSON{p.Name, string(p.Type), p.Summary, p.Required, p.Default, p.Example, p.Levels})
	}
	for _, u := range g.Unscopable {
		for _, action := range u.Actions {
			d.Unscopable = append(d.Unscopable, unscopableJSON{action, u.Reason})
		}
	}
	for _, c := range g.Cases() {
		if c.Allowed {
			d.Cases.Allowed++
		} else {
			d.Cases.Denied++
		}
	}
	return d
}

// catalogText lists the grants by area: what each is for, and its levels below.
// One table keeps the columns of all areas in line.
func catalogText(out *ui.Printer) {
	var t ui.Table
	for i, area := range catalog.Areas() {
		if i > 0 {
			t.Rows = append(t.Rows, nil)
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Bold(string(area))})
		for _, g := range catalog.In(area) {
			t.Rows = append(t.Rows,
				[]ui.Span{ui.Name("  " + g.Name), ui.Plain(g.Summary)},
				[]ui.Span{ui.Plain(""), ui.Dim("levels: " + strings.Join(levelNames(g), " < "))})
		}
	}
	out.Table(t)
	out.Blank()
	out.Text(0, ui.StyleDim, "`postern catalog NAME` explains one and prints its policy.")
}

func levelNames(g *catalog.Grant) []string {
	var names []string
	for _, l := range g.Levels {
		names = append(names, l.Name)
	}
	return names
}

// grantText explains one grant and ends with its policy.
func grantText(out *ui.Printer, g *catalog.Grant, entry *grantEntry) {
	out.Line(ui.Bold(g.Name))
	out.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{
		{ui.Dim("allows"), ui.Plain(g.Summary)},
		{ui.Dim("never"), ui.Plain(g.Never)},
	}})
	levelsText(out, g)
	paramsText(out, g)
	unscopableText(out, g)
	whyText(out, g, entry.Policy)
	out.Heading("Proof")
	out.Text(2, ui.StylePlain, fmt.Sprintf("tested against %d calls that it must allow and %d that it must deny; --cases lists them",
		entry.Cases.Allowed, entry.Cases.Denied))
	policyText(out, g, entry)
}

func levelsText(out *ui.Printer, g *catalog.Grant) {
	t := ui.Table{Indent: 2}
	for i, l := range g.Levels {
		name, summary := ui.Name(l.Name), l.Summary
		if i == 0 {
			summary += " (default)"
		}
		t.Rows = append(t.Rows, []ui.Span{name, ui.Plain(summary)})
		if l.Adds != "" {
			t.Rows = append(t.Rows, []ui.Span{ui.Plain(""), ui.Warn("adds " + l.Adds)})
		}
	}
	out.Heading("Levels, narrowest first")
	out.Table(t)
}

func paramsText(out *ui.Printer, g *catalog.Grant) {
	if len(g.Params) == 0 {
		return
	}
	t := ui.Table{Indent: 2}
	for _, p := range g.Params {
		t.Rows = append(t.Rows,
			[]ui.Span{ui.Name(p.Name), ui.Plain(p.Summary)},
			[]ui.Span{ui.Plain(""), ui.Dim(paramFacts(g, p))})
	}
	out.Heading("Parameters")
	out.Table(t)
}

// paramFacts is "list of strings, required at level prefix, such as team".
func paramFacts(g *catalog.Grant, p catalog.Param) string {
	facts := []string{string(p.Type)}
	var needed []string
	for _, l := range g.Levels {
		if slices.Contains(l.Needs, p.Name) {
			needed = append(needed, l.Name)
		}
	}
	switch {
	case p.Required:
		facts = append(facts, "required")
	case len(needed) > 0:
		facts = append(facts, "required at level "+strings.Join(needed, ", "))
	case len(p.Levels) > 0:
		facts = append(facts, "at level "+strings.Join(p.Levels, ", "))
	}
	if p.Default != "" {
		facts = append(facts, "default "+p.Default)
	}
	if p.Example != "" && p.Type != catalog.Bool {
		facts = append(facts, "such as "+p.Example)
	}
	return strings.Join(facts, ", ")
}

func unscopableText(out *ui.Printer, g *catalog.Grant) {
	if len(g.Unscopable) == 0 {
		return
	}
	out.Heading(`On every resource ("*"), and why`)
	for _, u := range g.Unscopable {
		out.Text(2, ui.StyleName, strings.Join(u.Actions, ", "))
		out.Text(4, ui.StylePlain, u.Reason)
	}
}

// whyText says of each action of the policy which call needs it.
func whyText(out *ui.Printer, g *catalog.Grant, policy *iam.Document) {
	var actions []string
	for _, s := range policy.Statements {
		actions = append(actions, s.Actions...)
	}
	slices.Sort(actions)
	t := ui.Table{Indent: 2}
	for _, action := range slices.Compact(actions) {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(action), ui.Plain(g.Why[action])})
	}
	out.Heading("Why each action of the policy is there")
	out.Table(t)
}

func policyText(out *ui.Printer, g *catalog.Grant, entry *grantEntry) {
	title := "Policy"
	if entry.Example {
		title += " for example values"
	}
	out.Heading(title)
	out.Line(ui.Plain("  "), ui.Dim(commandLine(entry.Name, entry.Level, entry.Args)))
	out.Line(ui.Plain("  "), ui.Dim(fmt.Sprintf("account %s, %s, %d characters without white space", entry.Account, entry.Region, entry.Size)))
	out.Blank()
	out.Printf("%s", entry.Policy.Indented())
	out.Heading("In a spec, under grants of a role")
	out.Line(ui.Plain("  "), ui.Name("- "+g.Entry(entry.Level, entry.Args)))
}

// commandLine is the command that prints the policy of a grant at a level.
func commandLine(name, level string, args catalog.Args) string {
	line := "postern catalog " + name + " --level " + level
	if grant, ok := catalog.Lookup(name); ok {
		for _, p := range grant.Params {
			if values := args[p.Name]; len(values) > 0 {
				line += " --set " + p.Name + "=" + strings.Join(values, ",")
			}
		}
	}
	return line
}

// casesText lists the calls that a grant is proved to allow and to deny.
func casesText(out *ui.Printer, g *catalog.Grant) {
	var before string
	for _, c := range g.Cases() {
		if title := caseTitle(g, c); title != before {
			if before != "" {
				out.Blank()
			}
			out.Text(0, ui.StyleBold, title)
			before = title
		}
		mark, verdict := ui.OK, ui.Good("allowed")
		if !c.Allowed {
			mark, verdict = ui.Failed, ui.Bad("denied ")
		}
		call := c.Action
		if c.Resource != "*" {
			call += " on " + c.Resource
		}
		for _, key := range slices.Sorted(maps.Keys(c.Context)) {
			call += " with " + key + "=" + strings.Join(c.Context[key], ",")
		}
		out.Table(ui.Table{Indent: 2, Gap: 1, Rows: [][]ui.Span{{mark.Span(), verdict, ui.Plain(""), ui.Plain(call)}}})
	}
}

// caseTitle is what a case asks for: "level prefix, prefixes=team".
func caseTitle(g *catalog.Grant, c catalog.Case) string {
	level := c.Level
	if level == "" {
		level = g.DefaultLevel()
	}
	title := "level " + level
	for _, p := range g.Params {
		if values := c.Args[p.Name]; len(values) > 0 {
			title += ", " + p.Name + "=" + strings.Join(values, ",")
		}
	}
	return title
}
