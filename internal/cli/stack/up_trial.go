package stack

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/trial"
)

// trialText prints what happened when the access was used.
func trialText(out *ui.Printer, r *trial.Report) {
	out.Heading("Used for real")
	for _, role := range r.Roles {
		out.Line(ui.Plain("  "), ui.Name(role.Name))
		if len(role.Attempts) == 0 {
			out.Item(4, ui.Warning, "not tried: nobody who may enter can be played here")
		}
		refused, strangers := 0, []string{}
		for _, a := range role.Attempts {
			if !a.Stranger || a.Allowed {
				continue
			}
			refused++
			if !slices.Contains(strangers, a.Who) {
				strangers = append(strangers, a.Who)
			}
		}
		for _, a := range role.Attempts {
			if a.Stranger && !a.Allowed {
				continue
			}
			attemptText(out, a)
		}
		if len(strangers) > 0 {
			out.Item(4, ui.OK, ui.Plural(refused, "stranger was", "strangers were")+" refused: "+strings.Join(strangers, ", "))
		}
	}
	out.Blank()
	switch {
	case r.Right():
		out.Mark(ui.OK, ui.Bold("machines got in, strangers did not"))
	case r.Wrong():
		out.Mark(ui.Failed, ui.Bold("something was allowed or refused that must not be"))
	default:
		out.Mark(ui.Warning, ui.Bold("nothing went wrong, but not every role was tried"))
	}
}

func attemptText(out *ui.Printer, a trial.Attempt) {
	verb := " was refused: "
	if a.Allowed {
		verb = " may: "
	}
	if a.Allowed == a.Want {
		out.Item(4, ui.OK, a.Who+verb+a.What)
		return
	}
	out.Item(4, ui.Failed, a.Who+verb+a.What+", which must not be")
	if a.Detail != "" {
		out.Text(8, ui.StyleDim, a.Detail)
	}
}
