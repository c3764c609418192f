package trust

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// anyEntry draws one of few workflows, so that several have much in common.
func anyEntry(t *rapid.T) Entry {
	g := rapid.SampledFrom([]GitHub{
		{Branch: "main"},
		{Branch: "release/*"},
		{Branch: "release/1"},
		{Tag: "v1"},
		{Tag: "v*"},
		{Environment: "production"},
		{PullRequest: true},
		{Environment: "prod:eu"},
		{Environment: "prod%3Aeu"},
		{Environment: "production", Branch: "main"},
		{Branch: "main", JobWorkflowRef: "acme/ci/.github/workflows/deploy.yml@refs/heads/main"},
	}).Draw(t, "context")
	g.Repository = rapid.SampledFrom([]string{"acme/shop", "acme/site", "other/shop"}).Draw(t, "repository")
	if rapid.Bool().Draw(t, "ids") {
		g.OwnerID, g.RepositoryID = "1", rapid.SampledFrom([]string{"2", "3"}).Draw(t, "id")
	}
	e := Entry{Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), Identity: rapid.SampledFrom([]Identity{
		g, g, g,
		GitLab{ProjectPath: "acme/shop", Ref: "main"},
		GitLab{ProjectPath: "acme/shop", Ref: "main", RefProtected: true},
		GitLab{ProjectPath: "acme/site", ProjectID: "7", Ref: "v*", RefType: "tag"},
		GitLab{ProjectPath: "acme/site", Ref: "main", Audience: "aws"},
	}).Draw(t, "identity")}
	if rapid.Bool().Draw(t, "ends") {
		e.Until = time.Date(2027, 1, rapid.IntRange(1, 2).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
	}
	return e
}

func compiled(t *rapid.T, doc *iam.Document) *eval.Policy {
	policy, err := eval.Compile("trust", eval.Trust, doc)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func opens(s Scope, policy *eval.Policy, c Caller, now string) bool {
	context := maps.Clone(c.Keys)
	context["aws:CurrentTime"] = []string{now}
	layers := eval.Layers{Resource: policy}
	return layers.Decide(&eval.Request{
		Principal:       c.Principal,
		Action:          "sts:AssumeRoleWithWebIdentity",
		Resource:        "arn:aws:iam::222222222222:role/x",
		ResourceAccount: s.Account,
		Context:         eval.NewContext(context),
	}) == eval.Allowed
}

// TestJoiningKeepsOutAndLetsInTheSame: of any entries, the one policy admits a
// token exactly if the policy of one of them does, and so do its split and
// joined forms. A statement stands for no two that differ in more than subjects.
func TestJoiningKeepsOutAndLetsInTheSame(t *testing.T) {
	s := attackScopes[0]
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(anyEntry), 1, 6).Draw(t, "entries")
		doc, err := Policy(s, entries)
		if err != nil {
			t.Fatal(err)
		}
		var alone []*eval.Policy
		var callers []Caller
		for _, e := range entries {
			own, err := Policy(s, []Entry{e})
			if err != nil {
				t.Fatal(err)
			}
			alone = append(alone, compiled(t, own))
			callers = append(callers, e.Identity.Caller(s))
			for _, attack := range e.Identity.Attackers(s) {
				callers = append(callers, attack.Caller)
			}
		}
		forms := map[string]*eval.Policy{
			"policy": compiled(t, doc), "split": compiled(t, Split(doc)), "joined again": compiled(t, Join(Split(doc))),
		}
		for _, c := range callers {
			for _, now := range []string{"2026-12-31T00:00:00Z", "2027-01-01T12:00:00Z", "2027-01-03T00:00:00Z"} {
				want := false
				for _, policy := range alone {
					want = want || opens(s, policy, c, now)
				}
				for name, policy := range forms {
					if got := opens(s, policy, c, now); got != want {
						t.Fatalf("%s: admits %v, want %v: %v at %s\n%s", name, got, want, c.Claims["sub"], now, doc.Indented())
					}
				}
			}
		}
		if !iam.Equal(doc, Join(doc)) {
			t.Fatalf("something is left to join:\n%s", doc.Indented())
		}
	})
}

// TestJoinLeavesAlone: what says who may not come, or says it of no token, stays
// as it is.
func TestJoinLeavesAlone(t *testing.T) {
	for _, conditions := range []string{
		`"StringEquals":{"gh:aud":"sts.amazonaws.com"},"StringNotLike":{"gh:sub":["repo:a/*","repo:b/*"]}`,
		`"StringEquals":{"gh:aud":"sts.amazonaws.com"},"ForAllValues:StringLike":{"gh:sub":["repo:a/*","repo:b/*"]}`,
		`"StringEquals":{"gh:aud":["x","y"]}`,
	} {
		doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + web(conditions) + "," + web(conditions) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]*iam.Document{"split": Split(doc), "joined": Join(doc)} {
			if diff := cmp.Diff(string(doc.Indented()), string(got.Indented())); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestStatementsAreNamedForAllTheyAdmit(t *testing.T) {
	many := []string{"first"}
	for range 40 {
		many = append(many, "job-"+string(rune('A'+len(many))))
	}
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"release"}, "release"},
		{[]string{"release", "checks"}, "release and checks"},
		{[]string{"release", "release"}, "release"},
		{many, "first and 40 more"},
	} {
		if got := sidOf(test.names); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
