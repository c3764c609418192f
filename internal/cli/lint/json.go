package lint

import (
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/lint"
)

// lintJSON is what `lint --json` prints.
type lintJSON struct {
	Data    string         `json:"data"` // the day of AWS's reference
	Files   []lintFileJSON `json:"files"`
	Skipped []skippedJSON  `json:"skipped,omitempty"` // JSON files of folders that are no policies
}

type skippedJSON struct {
	File string `json:"file"`
	What string `json:"what"` // "not JSON"
}

type lintFileJSON struct {
	File     string        `json:"file"`
	Type     lint.Type     `json:"type,omitempty"`  // absent if it has no statement to tell by
	Guess    string        `json:"guess,omitempty"` // why it was taken for that; absent if it was said
	Findings []findingJSON `json:"findings"`
	Milder   int           `json:"milder,omitempty"` // findings that --severity leaves out
	Fixed    []findingJSON `json:"fixed,omitempty"`  // findings that --fix has removed
}

type findingJSON struct {
	Code      string        `json:"code"`
	Title     string        `json:"title"`
	Severity  lint.Severity `json:"severity"`
	Line      int           `json:"line"` // from 1
	Column    int           `json:"column"`
	EndLine   int           `json:"end_line"`
	EndColumn int           `json:"end_column"` // just behind the text meant; both in bytes from 1
	Path      string        `json:"path,omitempty"`
	Message   string        `json:"message"`
	Hint      string        `json:"hint,omitempty"`
	Fix       *fixJSON      `json:"fix,omitempty"`
	URL       string        `json:"url"`
}

type fixJSON struct {
	Title string     `json:"title"`
	Safe  bool       `json:"safe"` // --fix applies it
	Edits []editJSON `json:"edits"`
}

type editJSON struct {
	Start int    `json:"start"` // bytes from 0
	End   int    `json:"end"`
	Text  string `json:"text"`
}

func describeLint(sources lintSources) lintJSON {
	result := lintJSON{Data: action.Date(), Files: []lintFileJSON{}}
	for _, s := range sources.skipped {
		result.Skipped = append(result.Skipped, skippedJSON{s.path, s.what})
	}
	for _, f := range sources.files {
		result.Files = append(result.Files, lintFileJSON{
			File: f.path, Type: f.typ, Guess: f.guess,
			Findings: append([]findingJSON{}, describeFindings(f.findings)...), Milder: f.milder, Fixed: describeFindings(f.fixed),
		})
	}
	return result
}

func describeFindings(findings []lint.Finding) []findingJSON {
	var list []findingJSON
	for _, f := range findings {
		list = append(list, findingJSON{
			Code: f.Code, Title: f.Title, Severity: f.Severity, Line: f.Start.Line, Column: f.Start.Column, EndLine: f.End.Line, EndColumn: f.End.Column,
			Path: f.Path, Message: f.Message, Hint: f.Hint, Fix: describeFix(f.Fix), URL: f.URL,
		})
	}
	return list
}

func describeFix(fix *lint.Fix) *fixJSON {
	if fix == nil {
		return nil
	}
	out := &fixJSON{Title: fix.Title, Safe: fix.Safe}
	for _, e := range fix.Edits {
		out.Edits = append(out.Edits, editJSON(e))
	}
	return out
}
