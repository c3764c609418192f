package iam_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
)

const fullPolicy = `{
  "Version": "2012-10-17",
  "Id": "all-elements",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Principal": {"AWS": ["111111111111", "arn:aws:iam::222222222222:role/ci"], "Service": "ec2.amazonaws.com"},
      "Action": ["s3:GetObject", "s3:ListBucket"],
      "Resource": "arn:aws:s3:::b/*",
      "Condition": {
        "StringLike": {"aws:PrincipalTag/team": ["a", "b"]},
        "Bool": {"aws:SecureTransport": true},
        "NumericLessThan": {"s3:max-keys": [10, "20", 3.50]}
      }
    }, { "Effect": "Deny", "NotPrincipal": "*", "NotAction": "iam:*", "NotResource": [] }
  ]
}`

var fullDocument = &iam.Document{
	Version: iam.Version2012,
	ID:      "all-elements",
	Statements: []iam.Statement{
		{
			SID:    "One",
			Effect: iam.Allow,
			Principal: &iam.Principal{
				AWS:     []string{"111111111111", "arn:aws:iam::222222222222:role/ci"},
				Service: []string{"ec2.amazonaws.com"},
			},
			Actions:   []string{"s3:GetObject", "s3:ListBucket"},
			Resources: []string{"arn:aws:s3:::b/*"},
			Conditions: []iam.Condition{
				{Operator: "StringLike", Key: "aws:PrincipalTag/team", Values: []string{"a", "b"}},
				{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
				{Operator: "NumericLessThan", Key: "s3:max-keys", Values: []string{"10", "20", "3.50"}},
			},
			Pos: iam.Pos{Line: 5, Column: 5},
		},
		{
			Effect:       iam.Deny,
			NotPrincipal: &iam.Principal{Everyone: true},
			NotActions:   []string{"iam:*"},
			NotResources: []string{},
			Pos:          iam.Pos{Line: 16, Column: 8},
		},
	},
}

func TestParse(t *testing.T) {
	got, err := iam.Parse([]byte(fullPolicy))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullDocument, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseSingleStatement(t *testing.T) {
	got, err := iam.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &iam.Document{Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Pos: iam.Pos{Line: 1, Column: 14},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

// statement wraps the members of one statement, to begin at 1:15.
func statement(members string) string { return `{"Statement":[{` + members + `}]}` }

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		want      []string
	}{
		{name: "empty", src: "", want: []string{"1:1: policy ends unexpectedly"}},
		{name: "cut short", src: "{\n\"Version\":", want: []string{"2:11: policy ends unexpectedly"}},
		{name: "open brace", src: "{", want: []string{"1:2: policy ends unexpectedly"}},
		{name: "not an object", src: "[]", want: []string{"1:1: policy must be an object"}},
		{name: "null", src: "null", want: []string{"1:1: policy must be an object"}},
		{name: "no statement", src: "{}", want: []string{"1:1: policy has no Statement"}},
		{name: "text after the end", src: `{"Statement":[]} {}`, want: []string{"1:18: text after the end of the policy"}},
		{name: "garbage after the end", src: `{"Statement":[]}x`, want: []string{"1:17: not JSON: invalid character 'x' looking for beginning of value"}},
		{name: "trailing comma", src: `{"Statement":[],}`, want: []string{"1:17: not JSON: invalid character '}' looking for beginning of object key string"}},
		{name: "comment", src: "{ // why\n}", want: []string{"1:3: not JSON: invalid character '/'"}},
		{name: "not UTF-8", src: "{\"\xff\":1}", want: []string{"1:3: text is not UTF-8"}},
		{name: "version is a number", src: `{"Version":2012,"Statement":[]}`, want: []string{"1:12: Version must be a string"}},
		{name: "statement is null", src: `{"Statement":null}`, want: []string{"1:14: Statement must be an object or a list of objects"}},
		{name: "statement is a string", src: `{"Statement":["a",{}]}`, want: []string{
			"1:15: statement must be an object", "1:19: statement has no Effect", "1:19: statement has no Action",
		}},
		{name: "unknown element", src: `{"statement":[]}`, want: []string{
			`1:2: unknown element "statement": a policy has Version, Id and Statement`, "1:1: policy has no Statement",
		}},
		{name: "doubled element", src: statement(`"Effect":"Deny","Action":"a","Action":"b","Resource":"*"`), want: []string{`1:45: element "Action" stands twice`}},
		{name: "effect spelling", src: statement(`"Effect":"allow","Action":"*"`), want: []string{`1:25: Effect must be "Allow" or "Deny"`}},
		{name: "action of null", src: statement(`"Effect":"Allow","Action":[null]`), want: []string{"1:43: Action must be a string or a list of strings"}},
		{name: "action of numbers", src: statement(`"Effect":"Allow","Action":1`), want: []string{"1:42: Action must be a string or a list of strings"}},
		{name: "twins", src: statement(`"Effect":"Allow","Action":"*","NotAction":"*","Principal":"*","NotPrincipal":"*","Resource":"*","NotResource":"*"`), want: []string{
			"1:15: statement has both Principal and NotPrincipal",
			"1:15: statement has both Action and NotAction",
			"1:15: statement has both Resource and NotResource",
		}},
		{name: "principal is an ARN", src: statement(`"Effect":"Allow","Action":"*","Principal":"arn:aws:iam::111111111111:root"`), want: []string{
			`1:58: Principal must be "*" or an object such as {"AWS": "…"}`,
		}},
		{name: "principal type", src: statement(`"Effect":"Allow","Action":"*","Principal":{"aws":"*"}`), want: []string{
			`1:59: unknown principal type "aws": want AWS, Service, Federated or CanonicalUser`,
		}},
		{name: "condition key by case", src: statement(`"Effect":"Allow","Action":"*","Condition":{"Bool":{"aws:X":"true","AWS:x":"true"}}`), want: []string{
			`1:82: condition key "AWS:x" stands twice`,
		}},
		{name: "condition value is an object", src: statement(`"Effect":"Allow","Action":"*","Condition":{"Bool":{"aws:X":{}},"Null":1}`), want: []string{
			"1:75: value of aws:X must be a string, number or boolean, or a list of them",
			"1:86: condition Null must be an object",
		}},
		{name: "goes on after an unknown element", src: statement(`"Why":{"a":[{}]},"Effect":"No","Action":"*"`), want: []string{
			`1:16: unknown element "Why" in a statement`, `1:42: Effect must be "Allow" or "Deny"`,
		}},
		{name: "deep", src: statement(`"Why":` + strings.Repeat("[", 100_000)), want: []string{
			`1:16: unknown element "Why" in a statement`, "1:32: nested deeper than 10",
		}},
		{name: "too large", src: `{"Statement":[],"Id":"` + strings.Repeat("a", 10<<20) + `"}`, want: []string{"1:1: policy of 10485784 bytes is larger than 1048576"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc, err := iam.Parse([]byte(tc.src))
			var errs iam.SyntaxErrors
			if doc != nil || !errors.As(err, &errs) {
				t.Fatalf("Parse = %v, %v, want SyntaxErrors", doc, err)
			}
			if diff := cmp.Diff(tc.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// A policy cut short anywhere, or with a byte changed to a brace, is an error or
// a policy, never a panic.
func TestParseBrokenAnywhere(t *testing.T) {
	for i := range len(fullPolicy) {
		if doc, err := iam.Parse([]byte(fullPolicy[:i])); err == nil {
			t.Errorf("the first %d bytes parse as %+v", i, doc)
		}
		for _, c := range "{}[]\",:0\x00" {
			doc, err := iam.Parse([]byte(fullPolicy[:i] + string(c) + fullPolicy[i+1:]))
			if (doc == nil) != (err != nil) {
				t.Errorf("with %q at %d: %v, %v", c, i, doc, err)
			}
		}
	}
}

func TestParseReportsABoundedNumberOfErrors(t *testing.T) {
	_, err := iam.Parse([]byte(`{"Statement":[` + strings.Repeat(`1,`, 1000) + `1]}`))
	var errs iam.SyntaxErrors
	if !errors.As(err, &errs) || len(errs) != 50 {
		t.Errorf("got %d errors, want 50", len(errs))
	}
}

func TestPrint(t *testing.T) {
	const want = `{"Version":"2012-10-17","Id":"all-elements","Statement":[{"Sid":"One","Effect":"Allow",` +
		`"Principal":{"AWS":["111111111111","arn:aws:iam::222222222222:role/ci"],"Service":"ec2.amazonaws.com"},` +
		`"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*","Condition":{` +
		`"StringLike":{"aws:PrincipalTag/team":["a","b"]},"Bool":{"aws:SecureTransport":"true"},` +
		`"NumericLessThan":{"s3:max-keys":["10","20","3.50"]}}},` +
		`{"Effect":"Deny","NotPrincipal":"*","NotAction":"iam:*","NotResource":[]}]}`
	// As a value, as a pointer and as a field of either sort.
	for _, v := range []any{fullDocument, *fullDocument} {
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("json.Marshal(%T) (-want +got):\n%s", v, diff)
		}
	}
	type holder struct {
		P, Nil *iam.Document
		V      iam.Document
	}
	text, err := json.Marshal(holder{P: fullDocument, V: *fullDocument})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"P":`+want+`,"Nil":null,"V":`+want+`}`, string(text)); diff != "" {
		t.Errorf("json.Marshal(holder) (-want +got):\n%s", diff)
	}
	var back holder
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !iam.Equal(back.P, fullDocument) || !iam.Equal(&back.V, fullDocument) || back.Nil != nil {
		t.Errorf("read back as %+v", back)
	}
}

func TestIndented(t *testing.T) {
	doc := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{"*"},
		Conditions: []iam.Condition{
			{Operator: "stringequals", Key: "a:b", Values: []string{"x"}},
			{Operator: "Bool", Key: "a:c", Values: []string{"true"}},
			{Operator: "StringEquals", Key: "a:d", Values: []string{"y"}},
		},
	}}}
	const want = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject"
      ],
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "a:b": "x",
          "a:d": "y"
        },
        "Bool": {
          "a:c": "true"
        }
      }
    }
  ]
}
`
	if diff := cmp.Diff(want, string(doc.Indented())); diff != "" {
		t.Errorf("Indented (-want +got):\n%s", diff)
	}
}

func TestPrintRefusesWhatJSONCannotHold(t *testing.T) {
	doc := &iam.Document{Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"},
		Conditions: []iam.Condition{
			{Operator: "StringLike", Key: "aws:x", Values: []string{"a*"}},
			{Operator: "stringLike", Key: "AWS:X", Values: []string{"*b"}},
		},
	}}}
	_, err := doc.MarshalJSON()
	if err == nil || err.Error() != "print policy: statement 0 has stringLike on AWS:X twice" {
		t.Errorf("MarshalJSON: %v", err)
	}
}

// IAM takes only Latin-1 in the text of a policy.
func TestPrintEscapes(t *testing.T) {
	doc := &iam.Document{ID: "\"\\<>&\t\r\n\x01é→😀\u2028", Statements: []iam.Statement{}}
	const want = `{"Id":"\"\\<>&\t\r\n\u0001é\u2192\ud83d\ude00\u2028","Statement":[]}`
	got, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("MarshalJSON (-want +got):\n%s", diff)
	}
	back, err := iam.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if back.ID != doc.ID {
		t.Errorf("read back %q, want %q", back.ID, doc.ID)
	}
}

func TestSize(t *testing.T) {
	doc, err := iam.Parse([]byte("{\n \"Statement\" : [ ],\n \"Id\" : \"a b\\té→\" }"))
	if err != nil {
		t.Fatal(err)
	}
	// {"Id":"abé\u2192","Statement":[]}: white space counts nowhere, an escape in full.
	if got, want := doc.Size(), len(`{"Id":"ab_......","Statement":[]}`)+len(`\t`); got != want {
		t.Errorf("Size = %d, want %d", got, want)
	}
}

// The files are printed canonically, so that reading and printing them changes
// nothing.
func TestCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		doc, err := iam.Parse(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(string(src), string(doc.Indented())); diff != "" {
			t.Errorf("%s (-read +printed):\n%s", name, diff)
		}
	}
}

func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/policies/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = src
	}
	return out
}

func TestPosString(t *testing.T) {
	if got := (iam.Pos{Line: 3, Column: 14}).String(); got != "3:14" {
		t.Errorf("got %q", got)
	}
	if got := (iam.Pos{}).String(); got != "-" {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	f.Add([]byte(fullPolicy))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotAction":[],"NotPrincipal":{"AWS":[]},"Condition":{"bool":{"é":[true,1e3]},"Bool":{}}}}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Allow","Action":"*","Condition":{"StringEquals":{"a":"\ud800"}}}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := iam.Parse(src)
		if err != nil {
			if doc != nil || err.Error() == "" {
				t.Fatalf("Parse = %v, %q", doc, err)
			}
			return
		}
		printed, err := doc.MarshalJSON()
		if err != nil {
			t.Fatalf("print: %v", err)
		}
		again, err := iam.Parse(printed)
		if err != nil {
			t.Fatalf("parse %s: %v", printed, err)
		}
		if !iam.Equal(doc, again) {
			t.Errorf("%s is not what was parsed from %s", printed, src)
		}
		if reprinted, err := again.MarshalJSON(); err != nil || !bytes.Equal(printed, reprinted) {
			t.Errorf("printed as %s, then as %s (%v)", printed, reprinted, err)
		}
		if !iam.Equal(doc, doc.Normalized()) {
			t.Errorf("normalizing changes %s", printed)
		}
		if n := doc.Size(); n > len(printed) {
			t.Errorf("Size = %d of %d bytes", n, len(printed))
		}
		if fromIndented, err := iam.Parse(doc.Indented()); err != nil || !iam.Equal(doc, fromIndented) {
			t.Errorf("indented form does not read back: %v", err)
		}
	})
}
