package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/lint"
)

// Code scanning shows a finding where its region says: lines and characters from
// 1, the end just behind the text. Fixes count bytes from 0.
func TestSARIFResult(t *testing.T) {
	src := "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\", \"Sid\": \"é é\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}}"
	f := lintFile{path: "a/policy.json", src: []byte(src), typ: lint.Identity}
	f.findings = lint.Run(f.src, lint.Options{Type: f.typ})
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
	want := sarifResult{
		RuleID: "UNSUPPORTED_SID", Level: "error",
		Message: sarifText{`Sid "é é" has characters other than a-z, A-Z and 0-9`},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{sarifArtifact{"a/policy.json"}, sarifRegion{StartLine: 2, StartColumn: 42, EndLine: 2, EndColumn: 47}},
			Logical:  []sarifLogical{{"Statement.Sid"}},
		}},
	}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
