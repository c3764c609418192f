package cli

import (
	"bytes"
	"path/filepath"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/lint"
)

// The types below are the part of SARIF 2.1.0 that a linter needs.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string          `json:"id"`
	ShortDescription sarifText       `json:"shortDescription"`
	HelpURI          string          `json:"helpUri"`
	Configuration    sarifConfig     `json:"defaultConfiguration"`
	Properties       sarifProperties `json:"properties"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Severity lint.Severity `json:"severity"`
	Tags     []string      `json:"tags"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	Fixes     []sarifFix      `json:"fixes,omitempty"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

type sarifFix struct {
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	Artifact     sarifArtifact      `json:"artifactLocation"`
	Replacements []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	Deleted  sarifBytes `json:"deletedRegion"`
	Inserted sarifText  `json:"insertedContent"`
}

type sarifBytes struct {
	Offset int `json:"byteOffset"`
	Length int `json:"byteLength"`
}

// sarif is the report with one rule for each check and one result for each
// finding.
func sarif(files []lintFile) sarifLog {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "postern lint", Version: buildVersion().Version, InformationURI: "https://github.com/postern-dev/postern"}
	index := map[string]int{}
	for i, c := range lint.Checks() {
		index[c.Code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: c.Code, ShortDescription: sarifText{c.Title}, HelpURI: c.URL, Configuration: sarifConfig{sarifLevel(c.Severity)},
			Properties: sarifProperties{c.Severity, sarifTags(c.Severity)},
		})
	}
	for _, f := range files {
		for _, finding := range f.findings {
			run.Results = append(run.Results, f.sarif(finding, index[finding.Code]))
		}
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// sarifLevel is the nearest of SARIF's three levels.
func sarifLevel(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "error"
	case lint.Suggestion:
		return "note"
	}
	return "warning"
}

func sarifTags(s lint.Severity) []string {
	if s == lint.SecurityWarning {
		return []string{"iam", "security"}
	}
	return []string{"iam"}
}

func (f lintFile) sarif(finding lint.Finding, rule int) sarifResult {
	at := sarifArtifact{filepath.ToSlash(f.path)}
	text := finding.Message
	if finding.Hint != "" {
		text += "; " + finding.Hint
	}
	start, end := f.column(finding.Start), f.column(finding.End)
	where := sarifLocation{Physical: sarifPhysical{at, sarifRegion{finding.Start.Line, start, finding.End.Line, end}}}
	if finding.Path != "" {
		where.Logical = []sarifLogical{{finding.Path}}
	}
	result := sarifResult{
		RuleID: finding.Code, RuleIndex: rule, Level: sarifLevel(finding.Severity), Message: sarifText{text}, Locations: []sarifLocation{where},
	}
	if finding.Fix != nil {
		change := sarifChange{Artifact: at}
		for _, e := range finding.Fix.Edits {
			change.Replacements = append(change.Replacements, sarifReplacement{sarifBytes{e.Start, e.End - e.Start}, sarifText{e.Text}})
		}
		result.Fixes = []sarifFix{{sarifText{finding.Fix.Title}, []sarifChange{change}}}
	}
	return result
}

// column counts the characters up to a place, where it counts bytes.
func (f lintFile) column(p iam.Pos) int {
	line := f.src
	for range p.Line - 1 {
		line = line[bytes.IndexByte(line, '\n')+1:]
	}
	return utf8.RuneCount(line[:min(p.Column-1, len(line))]) + 1
}
