package lint

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/lint"
)

// Code scanning shows a finding where its region says: lines and characters from
// 1, the end just behind the text. A fix has its own.
func TestSARIFResult(t *testing.T) {
	src := "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\", \"Sid\": \"é ,é\", \"Action\": \"s3:*\", \"Resource\": \"*\"}}"
	f := lintFile{path: "./a b/policy:1.json", src: []byte(src), typ: lint.Identity}
	f.findings = lint.Run(f.src, lint.Options{Type: f.typ})
	f.findings[0].Fix = &lint.Fix{Title: "do without", Edits: []lint.Edit{{Start: 71, End: 74, Text: "x"}}}
	got := sarif([]lintFile{f})
	rules := got.Runs[0].Tool.Driver.Rules
	if len(rules) != len(lint.Checks()) {
		t.Errorf("%d rules for %d checks", len(rules), len(lint.Checks()))
	}
	if len(got.Runs[0].Results) != 1 {
		t.Fatalf("%d results, want 1: %+v", len(got.Runs[0].Results), got.Runs[0].Results)
	}
	result := got.Runs[0].Results[0]
	if rule := rules[result.RuleIndex]; rule.ID != "UNSUPPORTED_SID" || rule.Configuration.Level != "error" {
		t.Errorf("the index leads to %+v", rule)
	}
	result.RuleIndex = 0
	at := sarifArtifact{"a%20b/policy:1.json"}
	want := sarifResult{
		RuleID: "UNSUPPORTED_SID", Level: "error",
		Message: sarifText{`Sid "é ,é" has characters other than a-z, A-Z and 0-9`},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{at, sarifRegion{StartLine: 2, StartColumn: 42, EndLine: 2, EndColumn: 48}},
			Logical:  []sarifLogical{{"Statement.Sid"}},
		}},
		Fixes: []sarifFix{{sarifText{"do without"}, []sarifChange{{at, []sarifReplacement{{
			sarifRegion{StartLine: 2, StartColumn: 45, EndLine: 2, EndColumn: 47}, sarifText{"x"},
		}}}}}},
	}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSARIFURI(t *testing.T) {
	for path, want := range map[string]string{
		"-": "stdin", "a/b.json": "a/b.json", "./a//b.json": "a/b.json", "../b.json": "../b.json", "a:b.json": "./a:b.json",
		"/tmp/ä#?.json": "file:///tmp/%C3%A4%23%3F.json",
	} {
		if got := sarifURI(path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// sarifShape is the part of SARIF's schema about what we write: by the path of an
// object, its properties, those that must be there marked "!". Strict readers
// refuse all others.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
var sarifShape = map[string]string{
	"":                        "$schema version! runs!",
	"/runs":                   "tool! columnKind results",
	"/runs/tool":              "driver!",
	"/runs/tool/driver":       "name! version informationUri rules",
	"/runs/tool/driver/rules": "id! shortDescription helpUri defaultConfiguration properties",
	"/runs/tool/driver/rules/shortDescription":                         "text!",
	"/runs/tool/driver/rules/defaultConfiguration":                     "level",
	"/runs/tool/driver/rules/properties":                               "tags severity security-severity", // a bag: anything goes
	"/runs/results":                                                    "ruleId ruleIndex level message! locations fixes",
	"/runs/results/message":                                            "text!",
	"/runs/results/locations":                                          "physicalLocation logicalLocations",
	"/runs/results/locations/physicalLocation":                         "artifactLocation region",
	"/runs/results/locations/logicalLocations":                         "fullyQualifiedName",
	"/runs/results/fixes":                                              "description artifactChanges!",
	"/runs/results/fixes/description":                                  "text!",
	"/runs/results/fixes/artifactChanges":                              "artifactLocation! replacements!",
	"/runs/results/fixes/artifactChanges/replacements":                 "deletedRegion! insertedContent",
	"/runs/results/fixes/artifactChanges/replacements/insertedContent": "text",
}

func TestSARIFShape(t *testing.T) {
	src := `{"Statement": [{"Effect": "allow", "Action": ["s3:Get*", "s3:GetObject", "iam:PassRole"], "Resource": "*", "Sid": ""},]}`
	var findings []lint.Finding
	for _, text := range []string{src, src[:len(src)-3] + "]}"} {
		findings = append(findings, lint.Run([]byte(text), lint.Options{Type: lint.Identity})...)
	}
	text, err := json.Marshal(sarif([]lintFile{{path: "a.json", src: []byte(src), findings: findings}, {path: "-"}}))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	checkShape(t, seen, "", doc)
	for path := range sarifShape {
		if !seen[path] {
			t.Errorf("nothing at %q", path)
		}
	}
}

func checkShape(t *testing.T, seen map[string]bool, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			checkShape(t, seen, path, item)
		}
	case map[string]any:
		shape, ok := sarifShape[path]
		switch path[strings.LastIndexByte(path, '/')+1:] {
		case "region", "deletedRegion":
			shape, ok = "startLine! startColumn! endLine! endColumn!", true
		case "artifactLocation":
			shape, ok = "uri!", true
		}
		if !ok {
			t.Errorf("an object at %q", path)
		}
		seen[path] = true
		known := strings.Fields(strings.ReplaceAll(shape, "!", ""))
		for _, p := range strings.Fields(shape) {
			if must, ok := strings.CutSuffix(p, "!"); ok && v[must] == nil {
				t.Errorf("%s has no %s", path, must)
			}
		}
		for name, value := range v {
			if !slices.Contains(known, name) {
				t.Errorf("%s has %s", path, name)
			}
			checkShape(t, seen, path+"/"+name, value)
		}
	case float64:
		if v < 1 && !strings.HasSuffix(path, "/ruleIndex") {
			t.Errorf("%s is %v", path, v) // lines and columns begin with 1
		}
	case string:
		if strings.HasSuffix(path, "/level") && !slices.Contains([]string{"note", "warning", "error"}, v) {
			t.Errorf("%s is %q", path, v)
		}
	}
}
