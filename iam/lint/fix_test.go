package lint_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/lint"
)

// Safe means that every request is decided as before, where AWS takes the
// policy at all.
func TestSafeFixesKeepDecisions(t *testing.T) {
	compared := 0
	for _, f := range fixtures(t) {
		before, err := iam.Parse(f.src)
		fixed, done := lint.Fixed(f.src, lint.Options{Type: f.typ})
		if err != nil || len(done) == 0 || !accepted(f) {
			continue
		}
		after, err := iam.Parse(fixed)
		if err != nil {
			t.Errorf("%s: %v", f.code, err)
			continue
		}
		compared += compareDecisions(t, f, before, after)
	}
	if compared < 50 {
		t.Errorf("only %d decisions compared", compared)
	}
}

// accepted reports whether AWS would take the policy: it has no error.
func accepted(f fixture) bool {
	return !slices.ContainsFunc(lint.Run(f.src, lint.Options{Type: f.typ}), func(f lint.Finding) bool { return f.Severity == lint.Error })
}

var kinds = map[lint.Type]eval.Kind{
	lint.Identity: eval.Identity, lint.Boundary: eval.Boundary, lint.Resource: eval.Resource, lint.Trust: eval.Trust, lint.SCP: eval.SCP, lint.RCP: eval.RCP,
}

func compareDecisions(t *testing.T, f fixture, before, after *iam.Document) int {
	t.Helper()
	probes := requests(before)
	a, b := layers(t, f.typ, before), layers(t, f.typ, after)
	for _, r := range probes {
		if was, is := a.Decide(&r), b.Decide(&r); was != is {
			t.Errorf("%s: %s on %s was %v, is %v after the fixes", f.code, r.Action, r.Resource, was, is)
		}
	}
	return len(probes)
}

func layers(t *testing.T, typ lint.Type, doc *iam.Document) *eval.Layers {
	t.Helper()
	p, err := eval.Compile("policy", kinds[typ], doc)
	if err != nil {
		t.Fatal(err)
	}
	if typ == lint.Resource || typ == lint.Trust {
		return &eval.Layers{Resource: p}
	}
	return &eval.Layers{Identity: []*eval.Policy{p}}
}

// requests tries what the policy names: its actions, its resources, and the
// values of its conditions, present and absent.
func requests(doc *iam.Document) []eval.Request {
	keys := map[string][]string{}
	var actions []string
	resources := []string{"*", "arn:aws:s3:::other/key"}
	for _, s := range doc.Statements {
		for _, a := range slices.Concat(s.Actions, s.NotActions) {
			actions = append(actions, slices.Clip(action.Expand(a))[:min(4, len(action.Expand(a)))]...)
		}
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			resources = append(resources, strings.ReplaceAll(r, "*", "x"))
		}
		for _, c := range s.Conditions {
			keys[c.Key] = c.Values[:min(1, len(c.Values))]
		}
	}
	who := eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::111122223333:role/path/app", Account: "111122223333"}
	var all []eval.Request
	for _, a := range actions {
		for _, r := range resources {
			for _, context := range []eval.Context{eval.NewContext(nil), eval.NewContext(keys)} {
				all = append(all, eval.Request{Principal: who, Action: a, Resource: r, ResourceAccount: "111122223333", Context: context})
			}
		}
	}
	return all
}

func TestApplyLeavesOverlappingFixesOut(t *testing.T) {
	finding := func(start, end int, text string) lint.Finding {
		return lint.Finding{Code: text, Fix: &lint.Fix{Edits: []lint.Edit{{Start: start, End: end, Text: text}}}}
	}
	src := []byte("0123456789")
	got, applied := lint.Apply(src, []lint.Finding{
		finding(2, 4, "a"), finding(3, 5, "b"), finding(4, 5, "c"), finding(8, 99, "d"),
		{Code: "no fix"},
		finding(6, 6, "e"), finding(6, 6, "f"),
		{Code: "itself", Fix: &lint.Fix{Edits: []lint.Edit{{Start: 7, End: 9}, {Start: 8, End: 10}}}},
	})
	if string(got) != "01ac5e6789" {
		t.Errorf("got %s", got)
	}
	var codes []string
	for _, f := range applied {
		codes = append(codes, f.Code)
	}
	if diff := cmp.Diff([]string{"a", "c", "e"}, codes); diff != "" {
		t.Error(diff)
	}
}

// Safe fixes of one run can be applied together, by whoever reads them, and
// fixing what is fixed changes nothing.
func TestSafeFixesAreApart(t *testing.T) {
	many := func(action string, n int) string { return strings.Repeat(`"`+action+`", `, n) }
	sources := []string{
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectAcl", "s3:Get*"], "Resource": "*"}}`,
		`{"Statement": [{"effect": "allow", "Sid": "a b", "Action": ["s3:*", "s3:Get*", "s3:Put*"], "Resource": "*"}, {"effect": "allow", "Action": "s3:*", "Resource": "*"},]}`,
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [` + many("s3:GetObject", 800) + `"s3:*"], "Resource": "*"}}`,
	}
	for _, f := range fixtures(t) {
		sources = append(sources, string(f.src))
	}
	for _, src := range sources {
		safe := slices.DeleteFunc(lint.Run([]byte(src), lint.Options{}), func(f lint.Finding) bool { return f.Fix == nil || !f.Fix.Safe })
		if _, applied := lint.Apply([]byte(src), safe); len(applied) != len(safe) {
			t.Errorf("%d of %d safe fixes of one run can be applied to\n%s", len(applied), len(safe), src)
		}
		for _, f := range safe {
			if alone, _ := lint.Apply([]byte(src), []lint.Finding{f}); string(alone) == src {
				t.Errorf("%s: its fix changes nothing in\n%s", f.Code, src)
			}
		}
		fixed, _ := lint.Fixed([]byte(src), lint.Options{})
		if again, done := lint.Fixed(fixed, lint.Options{}); len(done) > 0 || !bytes.Equal(again, fixed) {
			t.Errorf("%s\nbecomes\n%s\nand then\n%s", src, fixed, again)
		}
	}
}

func TestGuess(t *testing.T) {
	const open = `{"Version": "2012-10-17", "Statement": [{`
	tests := []struct {
		src  string
		want lint.Type
	}{
		{open + `"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`, lint.Identity},
		{open + `"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}`, lint.Identity},
		{open + `"Effect": "Allow", "Action": "sts:AssumeRole"}]}`, lint.Trust},
		{open + `"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}`, lint.Trust},
		{open + `"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}`, lint.Trust},
		{open + `"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}`, lint.RCP},
		{open + `"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}`, lint.Resource},
		{open + `"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}`, lint.RCP},
		{open + `"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}]}`, lint.Resource},
		{`no policy`, ""},
		{`{"Version": "2012-10-17", "Statement": []}`, ""},
	}
	for _, tt := range tests {
		if got, why := lint.Guess([]byte(tt.src)); got != tt.want || (why == "") != (got == "") {
			t.Errorf("%s is taken for %s, want %s: %s", tt.src, got, tt.want, why)
		}
	}
}

// In a folder nothing that was meant to be a policy is passed over.
func TestCandidate(t *testing.T) {
	tests := []struct{ src, other string }{
		{`{"Version": "2012-10-17", "Statement": []}`, ""},
		{`{"Satement": []}`, ""},
		{`{"statement": []}`, ""},
		{`{"statements": 1}`, ""},
		{`{"Version": "2012-10-71"}`, ""},
		{"\ufeff" + `{"Statement": []}`, ""},
		{`{"Version": "2012-10-17", "Statement": [}`, ""},
		{"\xff\xfe{\x00\"\x00S\x00t\x00a\x00t\x00e\x00m\x00e\x00n\x00t\x00\"\x00", ""},
		{`{"Version": "1.0", "StartAt": "a"}`, lint.NoPolicy},
		{`{"version": "2012-10-17", "name": "x", "state": 1}`, lint.NoPolicy},
		{`[1, 2]`, lint.NoPolicy},
		{`{"Role": {"AssumeRolePolicyDocument": {"Statement": []}}}`, "no policy, but there is one in it"},
		{`{"Effect": "Allow", "Action": "s3:*"}`, "statements without a policy around them"},
		{`[{"Effect": "Allow", "Action": "s3:*"}]`, "statements without a policy around them"},
		{" \n", "empty"},
		{"\x00\x01", "not JSON"},
		{`{"a": 1,}`, "not JSON"},
		{strings.Repeat(`{"a":`, 100_000), "not JSON"},
	}
	for _, tt := range tests {
		if ok, other := lint.Candidate([]byte(tt.src)); ok != (tt.other == "") || !ok && other != tt.other {
			t.Errorf("%.80q: %t, %q, want %q", tt.src, ok, other, tt.other)
		}
	}
}

// Large and deep texts are bounded, in findings too.
func TestBounds(t *testing.T) {
	const open = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", `
	var sessions []string
	for i := range 15000 {
		sessions = append(sessions, fmt.Sprintf(`"arn:aws:sts::111122223333:assumed-role/a/%d"`, i))
	}
	tests := []struct {
		name, src string
		most      int
		want      string
	}{
		{"too large", `{"Statement": "` + strings.Repeat("x", 10<<20) + `"}`, 1, "JSON_SYNTAX_ERROR"},
		{"too deep", strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), 1, "JSON_SYNTAX_ERROR"},
		{"many mistakes", open + `"Resource": "*", "Action": ["` + strings.Repeat(`x", "`, 50000) + `y"]}}`, 300, "INVALID_ACTION"},
		{"many doubles", open + `"Resource": "*", "Action": ["` + strings.Repeat(`s3:*?*", "`, 50000) + `y:z"]}}`, 300, "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"},
		{"many principals", open + `"Action": "sts:AssumeRole", "Principal": {"AWS": [` + strings.Join(sessions, ",") + `]}}}`, 300, "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			findings := lint.Run([]byte(tt.src), lint.Options{})
			if len(findings) > tt.most {
				t.Errorf("%d findings", len(findings))
			}
			if len(only(tt.want, findings)) == 0 {
				t.Errorf("no %s", tt.want)
			}
		})
	}
}

func TestSeverity(t *testing.T) {
	for _, s := range lint.Severities() {
		if back, ok := lint.ParseSeverity(s.String()); !ok || back != s {
			t.Errorf("%v is read as %v", s, back)
		}
	}
	for _, bad := range []string{"", "Error", "fatal"} {
		if s, ok := lint.ParseSeverity(bad); ok {
			t.Errorf("%q is read as %v", bad, s)
		}
	}
}

// AWS raises quotas on request, and the settings say so.
func TestQuotas(t *testing.T) {
	for _, f := range fixtures(t) {
		if !strings.HasPrefix(f.code, "POLICY_SIZE_EXCEEDS") || !f.fires() {
			continue
		}
		for _, quota := range []int{-1, 1 << 20} {
			opt := lint.Options{Type: f.typ, Settings: lint.Settings{IdentitySize: quota, ResourceSize: quota, TrustSize: quota, SCPSize: quota, RCPSize: quota}}
			if got := lint.Run(f.src, opt); len(got) > 0 {
				t.Errorf("%s with a quota of %d: %s", f.code, quota, got[0].Message)
			}
		}
	}
}
