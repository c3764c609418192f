package lint_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/lint"
)

var update = flag.Bool("update", false, "write what the checks say into testdata")

// The archives of testdata hold for each check, under its code,
//
//	fires.TYPE.json     a policy that it reports; more as fires-2 and so on
//	fires.want          its findings there, and what the fix makes of it
//	clean.TYPE.json     one close to that in which no check finds anything
type fixture struct {
	code, name string
	typ        lint.Type
	src        []byte
	want       string
}

func (f fixture) fires() bool { return strings.HasPrefix(f.name, "fires") }

// split takes "CODE/fires-2.trust.json" apart.
func split(file string) (code, name string, typ lint.Type) {
	code, rest, _ := strings.Cut(file, "/")
	parts := strings.Split(rest, ".")
	if len(parts) == 3 {
		typ = lint.Type(parts[1])
	}
	return code, parts[0], typ
}

func archives(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, file := range files {
		if all[file], err = txtar.ParseFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func fixtures(t testing.TB) []fixture {
	var list []fixture
	for _, a := range archives(t) {
		want := map[string]string{}
		for _, f := range a.Files {
			if base, ok := strings.CutSuffix(f.Name, ".want"); ok {
				want[base] = string(f.Data)
			}
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".json") {
				code, name, typ := split(f.Name)
				list = append(list, fixture{code, name, typ, f.Data, want[code+"/"+name]})
			}
		}
	}
	return list
}

// describe writes the findings of one check, and the text with their fixes.
func describe(src []byte, findings []lint.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%v-%v %s\n  %s\n", f.Start, f.End, f.Path, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", f.Hint)
		}
		if f.Fix != nil {
			fmt.Fprintf(&b, "  fix: %s (safe: %t)\n", f.Fix.Title, f.Fix.Safe)
		}
	}
	if fixed, applied := lint.Apply(src, findings); len(applied) > 0 {
		b.WriteString("fixed:\n")
		b.Write(fixed)
	}
	return b.String()
}

func only(code string, findings []lint.Finding) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f lint.Finding) bool { return f.Code != code })
}

func TestFixtures(t *testing.T) {
	if *update {
		writeWants(t)
	}
	for _, f := range fixtures(t) {
		t.Run(f.code+"/"+f.name, func(t *testing.T) {
			findings := lint.Run(f.src, lint.Options{Type: f.typ})
			if !f.fires() {
				for _, finding := range findings {
					t.Errorf("%s: %s", finding.Code, finding.Message)
				}
				return
			}
			if len(only(f.code, findings)) == 0 {
				t.Errorf("%s does not fire", f.code)
			}
			if diff := cmp.Diff(f.want, describe(f.src, only(f.code, findings))); diff != "" {
				t.Errorf("-want +got (go test -update writes it):\n%s", diff)
			}
		})
	}
}

// writeWants puts what is found behind each policy that a check reports.
func writeWants(t *testing.T) {
	for file, a := range archives(t) {
		var files []txtar.File
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".want") {
				continue
			}
			files = append(files, f)
			if code, name, typ := split(f.Name); strings.HasPrefix(name, "fires") {
				got := describe(f.Data, only(code, lint.Run(f.Data, lint.Options{Type: typ})))
				files = append(files, txtar.File{Name: code + "/" + name + ".want", Data: []byte(got)})
			}
		}
		a.Files = files
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A check without a policy that it reports, and one that it does not, is not
// known to work.
func TestEveryCheckHasFixtures(t *testing.T) {
	type pair struct{ fires, clean bool }
	have := map[string]pair{}
	for _, f := range fixtures(t) {
		p := have[f.code]
		have[f.code] = pair{p.fires || f.fires(), p.clean || !f.fires()}
	}
	for _, c := range lint.Checks() {
		if have[c.Code] != (pair{true, true}) {
			t.Errorf("%s: fixture that fires %t, that is clean %t", c.Code, have[c.Code].fires, have[c.Code].clean)
		}
		delete(have, c.Code)
	}
	for code := range have {
		t.Errorf("fixtures for %s, which is no check", code)
	}
}

func TestChecksAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range lint.Checks() {
		if seen[c.Code] {
			t.Errorf("%s stands twice", c.Code)
		}
		seen[c.Code] = true
		if c.Severity < lint.Suggestion || c.Severity > lint.Error || c.Title == "" || len(c.Types) == 0 {
			t.Errorf("%+v is not complete", c)
		}
		if want := strings.Contains(c.URL, "access-analyzer-reference-policy-checks"); want == c.Own {
			t.Errorf("%s: own %t, but its page is %s", c.Code, c.Own, c.URL)
		}
	}
}

// Whatever iam.Parse refuses, the linter must call an error, or somebody would
// deploy it.
func TestRefusedPoliciesHaveErrors(t *testing.T) {
	for _, f := range fixtures(t) {
		checkRefused(t, f.src, f.typ)
	}
}

func checkRefused(t testing.TB, src []byte, typ lint.Type) {
	t.Helper()
	_, err := iam.Parse(src)
	findings := lint.Run(src, lint.Options{Type: typ})
	if err != nil && !slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Severity == lint.Error }) {
		t.Errorf("%s\nis refused (%v) and has no error", src, err)
	}
}

// A safe fix of a policy that AWS takes leaves one that AWS takes, in which the
// finding is gone and no other is new.
func TestSafeFixesLeaveNothingNew(t *testing.T) {
	for _, f := range fixtures(t) {
		checkFixed(t, f.src, f.typ)
	}
}

func checkFixed(t testing.TB, src []byte, typ lint.Type) {
	t.Helper()
	opt := lint.Options{Type: typ}
	fixed, done := lint.Fixed(src, opt)
	if len(done) == 0 {
		return
	}
	if _, err := iam.Parse(src); err == nil {
		if _, err := iam.Parse(fixed); err != nil {
			t.Errorf("%s\nbecomes\n%s\nwhich is refused: %v", src, fixed, err)
		}
	}
	before, after := codes(src, opt), codes(fixed, opt)
	for code := range maps.Keys(after) {
		if after[code] > before[code] {
			t.Errorf("%s\nbecomes\n%s\nwith %s %d times, from %d", src, fixed, code, after[code], before[code])
		}
	}
	for _, f := range lint.Run(fixed, opt) {
		if f.Fix != nil && f.Fix.Safe {
			t.Errorf("%s\nhas a safe fix for %s still", fixed, f.Code)
		}
	}
}

func codes(src []byte, opt lint.Options) map[string]int {
	count := map[string]int{}
	for _, f := range lint.Run(src, opt) {
		count[f.Code]++
	}
	return count
}

// What people get wrong in JSON is said in plain words, where it is.
func TestSyntaxErrors(t *testing.T) {
	const good = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}`
	utf16 := strings.Join(strings.Split(good, ""), "\x00")
	tests := []struct {
		name, src, want string
		fixed           string // the text after safe fixes, if there are any
	}{
		{"byte order mark", "\ufeff" + good, `1:1 the text begins with a byte order mark, which JSON has not`, good},
		{"UTF-16", "\xff\xfe" + utf16 + "\x00", `1:1 text is UTF-16, and policies are UTF-8`, ""},
		{"UTF-16 without a mark", "\x00" + utf16, `1:1 text is UTF-16, and policies are UTF-8`, ""},
		{"zeros", "\x00\x00\x00", `1:1 not JSON: invalid character '\x00' looking for beginning of value`, ""},
		{"no text", "", `1:1 text is empty`, ""},
		{"no text but space", " \n\t\n", `1:1 text is empty`, ""},
		{"comma before a brace", `{"Version": "2012-10-17" , }`, `1:28 not JSON: a comma stands before '}' and nothing behind it`, `{"Version": "2012-10-17"  }`},
		{"comma before a bracket", `{"Statement": [{},]}`, `1:19 not JSON: a comma stands before ']' and nothing behind it`, `{"Statement": [{}]}`},
		{"only a comma", `{"Statement": [,]}`, `1:17 not JSON: a comma stands before ']' and nothing behind it`, ""},
		{"comma for a value", `{"Statement":,}`, `1:15 not JSON: a comma stands before '}' and nothing behind it`, ""},
		{"comment", "{\n  // all\n}", `2:3 not JSON: it has no comments`, ""},
		{"single quotes", `{'Version': 1}`, `1:2 not JSON: strings stand in double quotes`, ""},
		{"no comma", `{"Version": "2012-10-17" "Statement": []}`, `1:26 not JSON: a comma or colon is missing before this`, ""},
		{"cut off", `{"Version": "2012`, `1:18 policy ends unexpectedly`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := only("JSON_SYNTAX_ERROR", lint.Run([]byte(tt.src), lint.Options{}))
			if len(found) != 1 {
				t.Fatalf("%d findings: %+v", len(found), found)
			}
			if got := fmt.Sprintf("%v %s", found[0].Start, found[0].Message); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			fixed, done := lint.Apply([]byte(tt.src), found)
			if len(done) > 0 && string(fixed) != tt.fixed || len(done) == 0 && tt.fixed != "" {
				t.Errorf("fixed is %s", fixed)
			}
		})
	}
}

// A policy inside of something else, as most of AWS's answers have it, is named.
func TestInnerPolicy(t *testing.T) {
	src := `{"Role": {"RoleName": "app", "Policies": [{"Document": {"Version": "2012-10-17", "Statement": []}}]}}`
	found := only("MISSING_STATEMENT", lint.Run([]byte(src), lint.Options{}))
	if want := "there is one further in, at Role.Policies[0].Document: give that alone"; len(found) != 1 || found[0].Hint != want {
		t.Errorf("%+v", found)
	}
}
