package stack

import (
	"fmt"
	"slices"
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
	railsText(out, r)
}

// railsText prints the verdicts, and on what they stand.
func railsText(out *ui.Printer, r *prove.Report) {
	if len(r.Rails) == 0 {
		out.Blank()
		out.Mark(ui.Warning, ui.Plain("the spec has no guard rails: nothing was proved"))
		return
	}
	out.Heading("Guard rails")
	for _, v := range r.Rails {
		verdictText(out, v)
	}
	out.Blank()
	out.Mark(railsVerdict(r))
	for _, note := range r.Notes {
		out.Text(2, ui.StyleDim, note)
	}
	out.Text(2, ui.StyleDim, "not looked at: "+strings.Join(r.Unseen, "; "))
}

// railsVerdict sums up: the mark and the sentence.
func railsVerdict(r *prove.Report) (ui.Mark, ui.Span) {
	held, undecided, all := 0, 0, len(r.Rails)
	for _, v := range r.Rails {
		if v.Holds {
			held++
		}
		if v.Undecided {
			undecided++
		}
	}
	mark := ui.Failed
	if r.Holds() {
		mark = ui.Warning
	}
	switch {
	case held == all && all == 1:
		return ui.OK, ui.Bold("the guard rail holds")
	case held == all:
		return ui.OK, ui.Bold(fmt.Sprintf("all %d guard rails hold", all))
	case all == 1 && undecided == 1:
		return mark, ui.Bold("the guard rail is not decided")
	case all == 1:
		return mark, ui.Bold("the guard rail does not hold")
	case undecided > 0:
		return mark, ui.Bold(fmt.Sprintf("%d of %d guard rails hold, %d not decided", held, all, undecided))
	}
	return mark, ui.Bold(fmt.Sprintf("%d of %d guard rails hold", held, all))
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
	if r.PassedTo != "" {
		name += " by passing it to " + r.PassedTo
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
	switch {
	case v.Undecided:
		mark, word = ui.Warning, "not decided: "
	case !v.Holds:
		mark, word = ui.Failed, "does not hold: "
	}
	out.Item(2, mark, word+v.Rail)
	out.Line(ui.Dim("      " + v.Where))
	shown := map[string]bool{}
	for _, bad := range slices.Concat(v.Violations, v.Doubts) {
		violationText(out, bad, shown)
	}
}

// violationText prints one way in which a guard rail fails. A statement to
// blame is shown once: many identities may fail by the same.
func violationText(out *ui.Printer, v prove.Violation, shown map[string]bool) {
	who := v.Principal
	if v.Identity != "" {
		who = v.Identity + " as " + v.Principal
	}
	if v.PassedTo != "" {
		who += " by passing it to " + v.PassedTo
	}
	for _, via := range v.Via {
		who += " through " + via
	}
	out.Text(6, ui.StylePlain, who+": "+v.Action+" on "+v.Resource)
	out.Text(8, ui.StyleDim, v.Reason)
	if v.Blame == nil {
		return
	}
	text := string(v.Blame.Indented())
	key := v.Principal + " " + v.Policy + " " + text
	if shown[key] {
		return
	}
	shown[key] = true
	for line := range strings.Lines(text) {
		out.Line(ui.Plain("        "), ui.Dim(strings.TrimRight(line, "\n")))
	}
}
