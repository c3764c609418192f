package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/trust"
)

// trusting is the trust policy of a role for the main branches of repositories.
func trusting(t *testing.T, repositories ...string) *iam.Document {
	t.Helper()
	var entries []trust.Entry
	for _, name := range repositories {
		entries = append(entries, trust.Entry{Name: name, Identity: trust.GitHub{Repository: "acme/" + name, Branch: "main"}})
	}
	doc, err := trust.Policy(trust.Scope{Partition: "aws", Account: "222222222222"}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestCommonTrustKnowsSubjects: repositories that share a statement are compared
// one by one, so that a role whose trust grows or shrinks keeps serving the rest.
func TestCommonTrustKnowsSubjects(t *testing.T) {
	for _, test := range []struct {
		name             string
		have, want, both []string
	}{
		{"one more", []string{"a", "b"}, []string{"a", "b", "c"}, []string{"a", "b"}},
		{"one less", []string{"a", "b", "c"}, []string{"a", "c"}, []string{"a", "c"}},
		{"one for another", []string{"a", "b"}, []string{"b", "c"}, []string{"b"}},
	} {
		got := commonTrust(trusting(t, test.want...), trusting(t, test.have...))
		if got == nil {
			t.Errorf("%s: nothing in common", test.name)
			continue
		}
		if want := trusting(t, test.both...); !sameTrust(want, got) {
			t.Errorf("%s: %s", test.name, cmp.Diff(string(want.Indented()), string(got.Indented())))
		}
	}
	if got := commonTrust(trusting(t, "a"), trusting(t, "b", "c")); got != nil {
		t.Errorf("something in common: %s", got.Indented())
	}
	apart := trusting(t, "a")
	apart.Statements = append(apart.Statements, trusting(t, "b").Statements...)
	if !sameTrust(apart, trusting(t, "b", "a")) {
		t.Error("subjects apart are not the same as in one statement")
	}
}
