package cli

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// lintText prints findings one a line, "file:line:column: severity: message", as
// editors read them, and around them, as talk, what was looked at.
func lintText(a *app, files []lintFile, skipped int) {
	out, talk := a.Result(), a.Talk()
	guessText(talk, files)
	for _, f := range files {
		for _, fixed := range f.fixed {
			talk.Mark(ui.Changed, ui.Name(f.name()), ui.Plain(": "+fixed.Fix.Title+" "), ui.Dim(fixed.Code))
		}
	}
	for _, f := range files {
		for _, finding := range f.findings {
			findingText(out, f, finding)
		}
	}
	summaryText(talk, files, skipped)
}

// name is how the file is shown.
func (f lintFile) name() string {
	if f.path == stdin {
		return "<stdin>"
	}
	return f.path
}

// fewFiles are those whose guessed type is worth a line each.
const fewFiles = 3

// guessText says what types were guessed, so that a wrong guess is seen.
func guessText(talk *ui.Printer, files []lintFile) {
	count := map[lint.Type]int{}
	for _, f := range files {
		if f.guess == "" {
			continue
		}
		count[f.typ]++
		if len(files) <= fewFiles {
			talk.Line(ui.Name(f.name()), ui.Plain(": "), ui.Dim(fmt.Sprintf("taken for %s policy, as %s", withArticle(f.typ), f.guess)))
		}
	}
	if len(files) <= fewFiles || len(count) == 0 {
		return
	}
	var parts []string
	for _, t := range lint.Types() {
		if count[t] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[t], t))
		}
	}
	talk.Line(ui.Dim("types by their elements: " + strings.Join(parts, ", ") + "; --type says otherwise"))
}

// withArticle is the type with "a" or "an", as it is pronounced.
func withArticle(t lint.Type) string {
	switch t {
	case lint.Identity, lint.SCP, lint.RCP:
		return "an " + string(t)
	}
	return "a " + string(t)
}

func findingText(out *ui.Printer, f lintFile, finding lint.Finding) {
	severity := finding.Severity.String() + ":"
	span := ui.Warn(severity)
	switch finding.Severity {
	case lint.Error:
		span = ui.Bad(severity)
	case lint.Suggestion:
		span = ui.Plain(severity)
	}
	out.Line(ui.Bold(fmt.Sprintf("%s:%v:", f.name(), finding.Start)), ui.Plain(" "), span,
		ui.Plain(" "+finding.Message+" "), ui.Dim("["+finding.Code+"]"))
	if finding.Hint != "" {
		out.Line(ui.Dim("    " + finding.Hint))
	}
}

// summaryText counts what was found and what can be done.
func summaryText(talk *ui.Printer, files []lintFile, skipped int) {
	total, fixable := 0, 0
	count := map[lint.Severity]int{}
	for _, f := range files {
		for _, finding := range f.findings {
			total++
			count[finding.Severity]++
			if finding.Fix != nil && finding.Fix.Safe {
				fixable++
			}
		}
	}
	looked := plural(len(files), "policy", "policies") + ", data of " + action.Date()
	if skipped > 0 {
		looked += ", " + plural(skipped, "other JSON file", "other JSON files")
	}
	if total == 0 {
		talk.Mark(ui.OK, ui.Plain("no findings "), ui.Dim("("+looked+")"))
		return
	}
	var parts []string
	for _, s := range lint.Severities() {
		if count[s] > 0 {
			parts = append(parts, plural(count[s], s.String(), s.String()+"s"))
		}
	}
	talk.Mark(ui.Failed, ui.Plain(strings.Join(parts, ", ")+" "), ui.Dim("("+looked+")"))
	if fixable > 0 {
		talk.Line(ui.Dim(fmt.Sprintf("  --fix takes care of %d", fixable)))
	}
}
