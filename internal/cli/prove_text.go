package cli

import (
	"strings"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

// proofText prints who can become what, and the verdict on each guard rail.
func proofText(out *ui.Printer, s *spec.Spec, r *prove.Report) {
	out.Heading("Who may become what")
	for _, e := range r.Entries {
		entryText(out, s, e)
	}
	if len(r.Rails) == 0 {
		out.Blank()
		out.Mark(ui.Warning, ui.Plain("the spec has no guard rails: nothing was proved"))
		return
	}
	out.Heading("Guard rails")
	held := 0
	for _, v := range r.Rails {
		verdictText(out, v)
		if v.Holds {
			held++
		}
	}
	out.Blank()
	total := plural(len(r.Rails), "guard rail", "guard rails")
	if held == len(r.Rails) {
		out.Mark(ui.OK, ui.Bold("all "+total+" hold"))
		return
	}
	out.Mark(ui.Failed, ui.Bold(plural(len(r.Rails)-held, "guard rail does", "guard rails do")+" not hold, of "+total))
}

func entryText(out *ui.Printer, s *spec.Spec, e prove.Entry) {
	line := []ui.Span{ui.Plain("  "), ui.Name(e.Identity)}
	if e.Describe != e.Identity && !strings.HasPrefix(e.Identity, e.Describe) {
		line = append(line, ui.Dim("  "+e.Describe))
	}
	out.Line(line...)
	if e.RedFlag {
		out.Line(ui.Plain("    "), ui.Warning.Span(), ui.Warn(" a long-lived access key: "+because(s, e.Identity)))
	}
	if len(e.Roles) == 0 {
		out.Line(ui.Plain("    "), ui.Dim("can become nothing"))
	}
	for _, role := range e.Roles {
		out.Line(ui.Plain("    → "), ui.Name(reachedName(role)), ui.Dim("  "+role.ARN))
		for _, line := range grantLines(s, role.Role) {
			out.Text(8, ui.StylePlain, line)
		}
	}
}

func reachedName(r prove.Reached) string {
	name := r.Role
	if name == "" {
		_, name = kindAndName(r.ARN)
		name += " (not of this stack)"
	}
	for _, via := range r.Via {
		_, through := kindAndName(via)
		name += " through " + through
	}
	return name
}

func because(s *spec.Spec, identity string) string {
	for _, id := range s.Identities {
		if id.Name == identity && id.AccessKey != nil {
			return id.AccessKey.Because
		}
	}
	return ""
}

// grantLines says what a role of the spec may do, in the catalogue's words.
func grantLines(s *spec.Spec, role string) []string {
	var lines []string
	for _, r := range s.Roles {
		if r.Name != role {
			continue
		}
		for _, g := range r.Grants {
			lines = append(lines, grantLine(g))
		}
		for _, c := range r.Custom {
			lines = append(lines, strings.Join(c.Statement.Actions, ", ")+": "+c.Because)
		}
	}
	return lines
}

func grantLine(g spec.Grant) string {
	line := g.Name
	grant, ok := catalog.Lookup(g.Name)
	if !ok {
		return line
	}
	level := g.Level
	if level == "" {
		level = grant.DefaultLevel()
	}
	line += " (" + level + ")"
	var args []string
	for _, p := range grant.Params {
		if values := g.Args[p.Name]; len(values) > 0 {
			args = append(args, p.Name+" "+strings.Join(values, ", "))
		}
	}
	if len(args) > 0 {
		line += ": " + strings.Join(args, "; ")
	}
	if !g.Until.IsZero() {
		line += ", until " + g.Until.UTC().Format("2006-01-02 15:04 MST")
	}
	return line
}

func verdictText(out *ui.Printer, v prove.Verdict) {
	mark, word := ui.OK, "holds"
	if !v.Holds {
		mark, word = ui.Failed, "does not hold"
	}
	out.Line(ui.Plain("  "), mark.Span(), ui.Plain(" "+v.Rail+" "), ui.Dim("("+word+", "+v.Where+")"))
	for _, bad := range v.Violations {
		violationText(out, bad)
	}
}

func violationText(out *ui.Printer, v prove.Violation) {
	who := v.Principal
	if v.Identity != "" {
		who = v.Identity + " as " + v.Principal
	}
	for _, via := range v.Via {
		who += " through " + via
	}
	out.Text(6, ui.StylePlain, who+": "+v.Action+" on "+v.Resource)
	out.Text(8, ui.StyleDim, v.Reason)
	if v.Blame != nil {
		for line := range strings.Lines(string(v.Blame.Indented())) {
			out.Line(ui.Plain("        "), ui.Dim(strings.TrimRight(line, "\n")))
		}
	}
}
