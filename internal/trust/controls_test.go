package trust

import (
	"testing"

	"github.com/postern-dev/postern/iam"
)

// TestOwnTrustsMeetControls: AWS takes whatever Postern writes.
func TestOwnTrustsMeetControls(t *testing.T) {
	s := attackScopes[0]
	for _, id := range kinds(s) {
		doc := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{id.statement(s)}}
		checkFindings(t, Controls(doc))
	}
}

func TestControls(t *testing.T) {
	for _, test := range []struct {
		name, conditions string
		want             []finding
	}{
		{"GitHub without a subject", `"StringEquals":{"gh:aud":"sts.amazonaws.com"}`, []finding{{"", "statement 1 trusts token.actions.githubusercontent.com without a condition on token.actions.githubusercontent.com:sub or", "add StringEquals token.actions.githubusercontent.com:sub"}}},
		{"GitHub by its reusable workflow", `"StringLike":{"gh:job_workflow_ref":"acme/x/.github/workflows/d.yml@*"}`, nil},
		{"GitHub with any value", `"StringLike":{"gh:SUB":"*"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + web(test.conditions) + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			checkFindings(t, Controls(doc), test.want...)
		})
	}
}
