package stack

import (
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/prove"
)

// attacksText prints who comes close to each identity of a role, and the sum.
func attacksText(out *ui.Printer, a *prove.Attacks) {
	tried, admitted, absent := 0, 0, 0
	for _, t := range a.Targets {
		attackedText(out, t)
		if !t.Standing {
			absent++
		}
		for _, one := range t.Attempts {
			tried++
			if one.Admitted {
				admitted++
			}
		}
	}
	out.Blank()
	if absent > 0 {
		out.Mark(ui.Warning, ui.Plain(ui.Plural(absent, "trust was", "trusts were")+" not tried: the role does not stand"))
	}
	switch {
	case admitted > 0:
		out.Mark(ui.Failed, ui.Bold(ui.Plural(admitted, "attacker was", "attackers were")+" ADMITTED"))
	case tried > 0:
		out.Mark(ui.OK, ui.Bold(ui.Plural(tried, "attacker was", "attackers were")+" refused, and none admitted"))
	}
}

// attackedText prints one identity of one role, admitted attackers first.
func attackedText(out *ui.Printer, t prove.Attacked) {
	out.Blank()
	out.Line(ui.Name(t.Identity), ui.Plain(" → "), ui.Name(t.Role), ui.Dim("  "+t.Describe))
	switch {
	case !t.Standing:
		out.Item(2, ui.Warning, "not tried: "+t.ARN+" does not stand")
		return
	case !t.Enters:
		out.Item(2, ui.Warning, "the identity itself is refused")
	}
	table := ui.Table{Indent: 2}
	for _, admitted := range []bool{true, false} {
		for _, one := range t.Attempts {
			if one.Admitted != admitted {
				continue
			}
			result := ui.Good("refused")
			if admitted {
				result = ui.Bad("ADMITTED")
			}
			table.Rows = append(table.Rows, []ui.Span{result, ui.Plain(one.Attack), ui.Dim(one.Why)})
		}
	}
	out.Table(table)
	for _, open := range t.Open {
		out.Item(2, ui.Warning, "left open: "+open)
	}
}
