package lint

import (
	"net/url"
	"path/filepath"
	"sort"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/internal/cli/command"
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
	// Score is what GitHub ranks findings of the tag "security" by; from 7.0 on
	// they are of severity high.
	// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
	Score string `json:"security-severity,omitempty"`
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
	Deleted  sarifRegion `json:"deletedRegion"`
	Inserted sarifText   `json:"insertedContent"`
}

// sarif is the report with one rule for each check and one result for each
// finding.
func sarif(files []lintFile) sarifLog {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "postern lint", Version: command.Build().Version, InformationURI: "https://github.com/postern-dev/postern"}
	index := map[string]int{}
	for i, c := range lint.Checks() {
		index[c.Code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: c.Code, ShortDescription: sarifText{c.Title}, HelpURI: c.URL, Configuration: sarifConfig{sarifLevel(c.Severity)},
			Properties: sarifProps(c.Severity),
		})
	}
	for _, f := range files {
		t := newSARIFSource(f.src)
		for _, finding := range f.findings {
			run.Results = append(run.Results, t.result(f.path, finding, index[finding.Code]))
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

func sarifProps(s lint.Severity) sarifProperties {
	if s == lint.SecurityWarning {
		return sarifProperties{Severity: s, Tags: []string{"iam", "security"}, Score: "7.0"}
	}
	return sarifProperties{Severity: s, Tags: []string{"iam"}}
}

// sarifURI is a path as the reference that SARIF wants: with slashes, and
// escaped where a URI has to be.
func sarifURI(path string) string {
	if path == command.Stdin {
		return "stdin"
	}
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(path))}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

// sarifSource tells lines and characters of a text, where findings count bytes.
type sarifSource struct {
	src   []byte
	lines []int // offsets at which they begin
}

func newSARIFSource(src []byte) sarifSource {
	t := sarifSource{src: src, lines: []int{0}}
	for i, c := range src {
		if c == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// region is the text from one offset to another.
func (t sarifSource) region(start, end int) sarifRegion {
	line, column := t.place(start)
	endLine, endColumn := t.place(end)
	return sarifRegion{line, column, endLine, endColumn}
}

func (t sarifSource) place(offset int) (line, column int) {
	line = sort.SearchInts(t.lines, offset+1)
	return line, utf8.RuneCount(t.src[t.lines[line-1]:offset]) + 1
}

func (t sarifSource) offset(p iam.Pos) int { return min(t.lines[p.Line-1]+p.Column-1, len(t.src)) }

func (t sarifSource) result(path string, finding lint.Finding, rule int) sarifResult {
	at := sarifArtifact{sarifURI(path)}
	text := finding.Message
	if finding.Hint != "" {
		text += "; " + finding.Hint
	}
	where := sarifLocation{Physical: sarifPhysical{at, t.region(t.offset(finding.Start), t.offset(finding.End))}}
	if finding.Path != "" {
		where.Logical = []sarifLogical{{finding.Path}}
	}
	result := sarifResult{
		RuleID: finding.Code, RuleIndex: rule, Level: sarifLevel(finding.Severity), Message: sarifText{text}, Locations: []sarifLocation{where},
	}
	if finding.Fix != nil {
		change := sarifChange{Artifact: at}
		for _, e := range finding.Fix.Edits {
			change.Replacements = append(change.Replacements, sarifReplacement{t.region(e.Start, e.End), sarifText{e.Text}})
		}
		result.Fixes = []sarifFix{{sarifText{finding.Fix.Title}, []sarifChange{change}}}
	}
	return result
}
