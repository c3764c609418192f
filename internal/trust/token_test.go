package trust

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToken(t *testing.T) {
	pinned := GitHub{Repository: "acme/shop", RepositoryID: "456789", OwnerID: "123456", Environment: "prod:eu"}
	want := Claims{
		"iss":                   "https://token.actions.githubusercontent.com",
		"aud":                   "sts.amazonaws.com",
		"sub":                   "repo:acme@123456/shop@456789:environment:prod%3Aeu",
		"repository":            "acme/shop",
		"repository_id":         "456789",
		"repository_owner":      "acme",
		"repository_owner_id":   "123456",
		"repository_visibility": "private",
		"environment":           "prod:eu",
		"ref":                   "refs/heads/main",
		"ref_type":              "branch",
		"event_name":            "push",
		"actor":                 "acme",
		"actor_id":              "123456",
		"workflow":              "ci",
		"workflow_ref":          "acme/shop/.github/workflows/ci.yml@refs/heads/main",
		"job_workflow_ref":      "acme/shop/.github/workflows/ci.yml@refs/heads/main",
		"runner_environment":    "github-hosted",
		"run_id":                "1",
		"run_number":            "1",
		"run_attempt":           "1",
	}
	if diff := cmp.Diff(want, pinned.Caller(Scope{Partition: "aws"}).Claims); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	wantKeys := map[string][]string{
		"token.actions.githubusercontent.com:aud":                 {"sts.amazonaws.com"},
		"token.actions.githubusercontent.com:sub":                 {"repo:acme@123456/shop@456789:environment:prod%3Aeu"},
		"token.actions.githubusercontent.com:actor":               {"acme"},
		"token.actions.githubusercontent.com:actor_id":            {"123456"},
		"token.actions.githubusercontent.com:environment":         {"prod:eu"},
		"token.actions.githubusercontent.com:job_workflow_ref":    {"acme/shop/.github/workflows/ci.yml@refs/heads/main"},
		"token.actions.githubusercontent.com:ref":                 {"refs/heads/main"},
		"token.actions.githubusercontent.com:repository":          {"acme/shop"},
		"token.actions.githubusercontent.com:repository_id":       {"456789"},
		"token.actions.githubusercontent.com:repository_owner_id": {"123456"},
		"token.actions.githubusercontent.com:workflow":            {"ci"},
	}
	if diff := cmp.Diff(wantKeys, pinned.Caller(Scope{Partition: "aws"}).Keys); diff != "" {
		t.Errorf("condition keys (-want +got):\n%s", diff)
	}
}

func TestTokenOfEachContext(t *testing.T) {
	for _, test := range []struct {
		id   GitHub
		want Claims
	}{
		{GitHub{Branch: "main"}, Claims{"sub": "repo:acme/shop:ref:refs/heads/main", "ref": "refs/heads/main", "ref_type": "branch", "event_name": "push"}},
		{GitHub{Tag: "v1"}, Claims{"sub": "repo:acme/shop:ref:refs/tags/v1", "ref": "refs/tags/v1", "ref_type": "tag", "event_name": "push"}},
		{GitHub{Environment: "prod"}, Claims{"sub": "repo:acme/shop:environment:prod", "ref": "refs/heads/main", "ref_type": "branch", "event_name": "push"}},
		{GitHub{PullRequest: true}, Claims{"sub": "repo:acme/shop:pull_request", "ref": "refs/pull/1/merge", "ref_type": "branch", "event_name": "pull_request"}},
	} {
		test.id.Repository = "acme/shop"
		token := test.id.Caller(Scope{Partition: "aws"}).Claims
		got := Claims{}
		for claim := range test.want {
			got[claim] = token[claim]
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.id.Describe(), diff)
		}
		if id, again := token["repository_id"], test.id.Caller(Scope{Partition: "aws"}).Claims["repository_id"]; id == "" || id != again {
			t.Errorf("%s: made-up id %v, then %v", test.id.Describe(), id, again)
		}
	}
}
