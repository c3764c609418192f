package trust

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
)

func TestKnown(t *testing.T) {
	const gh = "token.actions.githubusercontent.com:"
	tests := []struct {
		name     string
		identity GitHub
		want     []map[string]string
	}{
		{
			name: "without ids either form may come", identity: GitHub{Repository: "acme/shop", Branch: "main"},
			want: []map[string]string{
				{gh + "sub": "repo:acme/shop:ref:refs/heads/main", gh + "repository": "acme/shop", gh + "ref": "refs/heads/main"},
				{gh + "sub": "repo:acme@*/shop@*:ref:refs/heads/main", gh + "repository": "acme/shop", gh + "ref": "refs/heads/main"},
			},
		},
		{
			name: "ids are fixed", identity: GitHub{Repository: "acme/shop", RepositoryID: "2", OwnerID: "1", Environment: "prod:eu"},
			want: []map[string]string{
				{gh + "sub": "repo:acme/shop:environment:prod%3Aeu", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1", gh + "environment": "prod:eu"},
				{gh + "sub": "repo:acme@1/shop@2:environment:prod%3Aeu", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1", gh + "environment": "prod:eu"},
			},
		},
		{
			name: "a tag is a ref", identity: GitHub{Repository: "acme/shop", RepositoryID: "2", OwnerID: "1", Tag: "v1"},
			want: []map[string]string{
				{gh + "sub": "repo:acme/shop:ref:refs/tags/v1", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1", gh + "ref": "refs/tags/v1"},
				{gh + "sub": "repo:acme@1/shop@2:ref:refs/tags/v1", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1", gh + "ref": "refs/tags/v1"},
			},
		},
		{
			name: "a pull request may come from any ref", identity: GitHub{Repository: "acme/shop", RepositoryID: "2", OwnerID: "1", PullRequest: true},
			want: []map[string]string{
				{gh + "sub": "repo:acme/shop:pull_request", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1"},
				{gh + "sub": "repo:acme@1/shop@2:pull_request", gh + "repository": "acme/shop", gh + "repository_id": "2", gh + "repository_owner_id": "1"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.identity.known().Forms); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestKnownIsTrueOfTokens: no token of the identity contradicts what is known.
func TestKnownIsTrueOfTokens(t *testing.T) {
	for _, g := range variants() {
		for _, immutable := range []bool{false, true} {
			r := g.run(attackScopes[0])
			r.immutable = immutable
			context := r.claims().Context()
			fits := false
			for _, form := range g.known().Forms {
				all := true
				for key, pattern := range form {
					have := context[key]
					all = all && (len(have) == 0 || iam.Match(pattern, have[0]))
				}
				fits = fits || all
			}
			if !fits {
				t.Errorf("%s: no form of %v is true of %v", g.Describe(), g.known(), context)
			}
		}
	}
}
