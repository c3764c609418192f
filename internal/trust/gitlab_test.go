package trust

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGitLabSubjects: with the id both forms pass where AWS can ask for the id
// beside them, and elsewhere the one that holds it.
func TestGitLabSubjects(t *testing.T) {
	s := attackScopes[0]
	const path, id = "project_path:acme/shop:ref_type:branch:ref:main", "project_id:7:ref_type:branch:ref:main"
	shop := GitLab{ProjectPath: "acme/shop", Ref: "main"}
	own, pinned, ownPinned := shop, shop, shop
	own.Host, ownPinned.Host = "gitlab.example.com", "gitlab.example.com"
	pinned.ProjectID, ownPinned.ProjectID = "7", "7"
	for _, test := range []struct {
		name     string
		identity GitLab
		want     []string
		setting  string          // ci_id_token_sub_claim_components
		admitted map[string]bool // subjects of the project's tokens
	}{
		{"path", shop, []string{path}, "", map[string]bool{path: true, id: false}},
		{"path on another host", own, []string{path}, "", map[string]bool{path: true, id: false}},
		{"id", pinned, []string{path, id}, "", map[string]bool{path: true, id: true, "project_id:77:ref_type:branch:ref:main": false}},
		{"id on another host", ownPinned, []string{id}, "project_id, ref_type, ref", map[string]bool{path: false, id: true, "project_id:77:ref_type:branch:ref:main": false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.identity.Tokens(s).Subjects); diff != "" {
				t.Errorf("subjects (-want +got):\n%s", diff)
			}
			if got := test.identity.SubjectComponents(); got != test.setting {
				t.Errorf("needs the components %q, want %q", got, test.setting)
			}
			doc, err := Policy(s, []Entry{{Name: "x", Identity: test.identity}})
			if err != nil {
				t.Fatal(err)
			}
			for subject, want := range test.admitted {
				token := test.identity.job(s).claims().with(map[string]string{"sub": subject})
				if got := admits(doc, s, token.caller(s)); got != want {
					t.Errorf("admits %s: %v", subject, got)
				}
			}
		})
	}
}
