package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// lintText prints findings one a line, "file:line:column: severity: message", as
// editors read them, and around them, as talk, what was looked at.
func lintText(a *command.App, sources lintSources, severity lint.Severity) {
	out, talk, files := a.Result(), a.Talk(), sources.files
	skippedText(talk, sources.skipped)
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
	if len(files) > 0 {
		summaryText(talk, files, severity)
	}
}

// name is how the file is shown.
func (f lintFile) name() string {
	if f.path == command.Stdin {
		return "<stdin>"
	}
	return f.path
}

// fewSkipped are those that are named.
const fewSkipped = 10

// skippedText names what was passed over, so that a policy among it is seen.
func skippedText(talk *ui.Printer, skipped []skippedFile) {
	if len(skipped) == 0 {
		return
	}
	talk.Line(ui.Plain("skipped " + ui.Plural(len(skipped), "JSON file", "JSON files") + ":"))
	skipped = slices.SortedStableFunc(slices.Values(skipped), func(a, b skippedFile) int { return odd(b) - odd(a) })
	for _, s := range skipped[:min(len(skipped), fewSkipped)] {
		talk.Line(ui.Plain("  "), ui.Name(s.path), ui.Dim("  "+s.what))
	}
	if more := len(skipped) - fewSkipped; more > 0 {
		talk.Line(ui.Dim(fmt.Sprintf("  and %d more; --json names all", more)))
	}
}

// odd is 1 for a file that should perhaps be a policy, and else 0.
func odd(s skippedFile) int {
	if s.what == lint.NoPolicy {
		return 0
	}
	return 1
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
		out.Text(4, ui.StyleDim, finding.Hint)
	}
}

// summaryText counts what was found and what can be done.
func summaryText(talk *ui.Printer, files []lintFile, severity lint.Severity) {
	milder, fixable := 0, 0
	count := map[lint.Severity]int{}
	for _, f := range files {
		milder += f.milder
		for _, finding := range f.findings {
			count[finding.Severity]++
			if finding.Fix != nil && finding.Fix.Safe {
				fixable++
			}
		}
	}
	mark, found := ui.OK, "no findings"
	if len(count) > 0 {
		mark, found = ui.Failed, countText(count)
	}
	talk.Mark(mark, ui.Plain(found+" "), ui.Dim("("+ui.Plural(len(files), "policy", "policies")+", data of "+action.Date()+")"))
	if milder > 0 {
		talk.Line(ui.Dim(fmt.Sprintf("  %s below --severity %s", ui.Plural(milder, "finding", "findings"), severity)))
	}
	if fixable > 0 {
		talk.Line(ui.Dim(fmt.Sprintf("  --fix takes care of %d", fixable)))
	}
}

// countText says how many findings there are, the worst first.
func countText(count map[lint.Severity]int) string {
	var parts []string
	for _, s := range lint.Severities() {
		if count[s] > 0 {
			parts = append(parts, ui.Plural(count[s], s.String(), s.String()+"s"))
		}
	}
	return strings.Join(parts, ", ")
}
