package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/ui"
)

func escalationsText(out *ui.Printer, r *escalationsResult) {
	escalationsVerdict(out, r)
	if len(r.Entries) > 0 {
		title := "From outside"
		if r.Principal == "" {
			title += ", into roles that lead there or are administrators"
		}
		out.Heading(title)
		entriesText(out, r.Entries[:min(len(r.Entries), mostWays)])
		moreText(out, len(r.Entries))
	}
	for _, e := range r.Escalations[:min(len(r.Escalations), mostWays)] {
		out.Blank()
		wayText(out, e)
		for i := range e.Steps {
			stepText(out, fmt.Sprintf("%d.", i+1), &e.Steps[i])
		}
	}
	moreText(out, len(r.Escalations))
	if len(r.Reaches) > 0 {
		out.Heading("In one step, too")
		for i := range r.Reaches[:min(len(r.Reaches), mostWays)] {
			stepText(out, "•", &r.Reaches[i])
		}
		moreText(out, len(r.Reaches))
	}
}

// mostWays is how many are shown; more nobody reads.
const mostWays = 50

func moreText(out *ui.Printer, all int) {
	if all > mostWays {
		out.Blank()
		out.Line(ui.Dim(fmt.Sprintf("… and %d more: --json has all", all-mostWays)))
	}
}

func wayText(out *ui.Printer, e escalationAnswer) {
	line := []ui.Span{ui.Name(e.From)}
	if e.To != e.From {
		line = append(line, ui.Plain(" → "), ui.Name(e.To))
	}
	if e.Unknown {
		line = append(line, ui.Plain(" (whose policies are not all known)"))
	}
	out.Line(line...)
}

func escalationsVerdict(out *ui.Printer, r *escalationsResult) {
	n := len(r.Escalations)
	switch {
	case r.Unknown:
		out.Mark(ui.Warning, ui.Name(r.Principal), ui.Plain(" may be an administrator: not all of its policies are known"))
	case r.Administrator && n == 0:
		out.Mark(ui.Warning, ui.Name(r.Principal), ui.Plain(" is an administrator"))
	case r.Administrator:
		out.Mark(ui.Failed, ui.Name(r.Principal), ui.Plain(" is an administrator, and could become one of other accounts"))
	case r.Principal != "" && n == 0:
		out.Mark(ui.OK, ui.Name(r.Principal), ui.Plain(" cannot become an administrator"))
	case r.Principal != "":
		out.Mark(ui.Failed, ui.Name(r.Principal), ui.Plain(" could become an administrator"))
	case n == 0:
		out.Mark(ui.OK, ui.Plain("nobody else can become an administrator"))
	default:
		out.Mark(ui.Failed, ui.Plain(fmt.Sprintf("%d of %d users and roles could become administrators", n, r.Principals)))
	}
}

// stepText is one step: what it takes, what it gives, what allows it.
func stepText(out *ui.Printer, number string, s *stepAnswer) {
	t := ui.Table{Indent: 2, Gap: 1, Rows: [][]ui.Span{
		{ui.Plain(number), ui.Plain(strings.Join(s.Actions, " + ") + " [" + s.ID + "]")},
		{ui.Plain(""), ui.Plain(s.gain())},
	}}
	var by []string
	for _, via := range s.Via {
		if text := "by " + via.Text(); !slices.Contains(by, text) {
			by = append(by, text)
			t.Rows = append(t.Rows, []ui.Span{ui.Plain(""), ui.Dim(text)})
		}
	}
	out.Table(t)
}

// gain says in words what the step gives.
func (s *stepAnswer) gain() string {
	switch {
	case s.gains == reach.GainsGroup:
		return "joins " + ui.Few(s.Groups)
	case s.gains == reach.GainsUnbound:
		return "is no longer held by its permissions boundary"
	case s.gains == reach.GainsOpening:
		return "opens " + s.Opens + " to whomever it likes"
	case s.gains == reach.GainsPart:
		return "does something of what " + s.To + " may do"
	case s.From == s.To:
		return "gives itself whatever permissions it likes"
	}
	text := "gets all that " + s.To + " may do"
	if s.gains == reach.GainsAnything {
		text = "gets " + s.To + " with whatever permissions it likes"
	}
	if s.Service != "" {
		text += ", by way of " + s.Service
		if s.Presumes {
			text += ", if anything there has the role"
		}
	}
	return text
}
