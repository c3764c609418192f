package cli

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

// proofText prints who can become what, what the roles may do, and the verdict
// on each guard rail.
func proofText(out *ui.Printer, s *spec.Spec, r *prove.Report) {
	out.Heading("Who may become what")
	for _, e := range r.Entries {
		entryText(out, s, e)
	}
	rolesText(out, describeSpec(s).Roles)
	railsText(out, r.Rails)
}

func railsText(out *ui.Printer, rails []prove.Verdict) {
	if len(rails) == 0 {
		out.Blank()
		out.Mark(ui.Warning, ui.Plain("the spec has no guard rails: nothing was proved"))
		return
	}
	out.Heading("Guard rails")
	held := 0
	for _, v := range rails {
		verdictText(out, v)
		if v.Holds {
			held++
		}
	}
	out.Blank()
	out.Mark(railsVerdict(held, len(rails)))
}

// railsVerdict sums up: the mark and the sentence.
func railsVerdict(held, all int) (ui.Mark, ui.Span) {
	switch {
	case held == all && all == 1:
		return ui.OK, ui.Bold("the guard rail holds")
	case held == all:
		return ui.OK, ui.Bold(fmt.Sprintf("all %d guard rails hold", all))
	case all == 1:
		return ui.Failed, ui.Bold("the guard rail does not hold")
	}
	return ui.Failed, ui.Bold(fmt.Sprintf("%d of %d guard rails hold", held, all))
}

func entryText(out *ui.Printer, s *spec.Spec, e prove.Entry) {
	line := []ui.Span{ui.Plain("  "), ui.Name(e.Identity)}
	if e.Describe != e.Identity && !strings.HasPrefix(e.Identity, e.Describe) {
		line = append(line, ui.Dim("  "+e.Describe))
	}
	out.Line(line...)
	if e.RedFlag {
		out.Item(4, ui.Warning, "a long-lived access key, because: "+because(s, e.Identity))
	}
	if len(e.Roles) == 0 {
		out.Line(ui.Plain("    "), ui.Dim("can become nothing"))
	}
	for _, role := range e.Roles {
		out.Line(ui.Plain("    → "), ui.Name(reachedName(role)), ui.Dim("  "+role.ARN))
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

func verdictText(out *ui.Printer, v prove.Verdict) {
	mark, word := ui.OK, ""
	if !v.Holds {
		mark, word = ui.Failed, "does not hold: "
	}
	out.Item(2, mark, word+v.Rail)
	out.Line(ui.Dim("      " + v.Where))
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
