package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// tokenTrust trusts an issuer on conditions of its own keys: "sub", "aud".
func tokenTrust(issuer string, claims ...string) *iam.Document {
	st := iam.Statement{
		SID: "Old", Effect: iam.Allow, Actions: []string{"sts:AssumeRoleWithWebIdentity"},
		Principal: &iam.Principal{Federated: []string{"arn:aws:iam::222222222222:oidc-provider/" + issuer}},
	}
	for _, claim := range claims {
		st.Conditions = append(st.Conditions, iam.Condition{Operator: "StringEquals", Key: issuer + ":" + claim, Values: []string{"x"}})
	}
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{st}}
}

func TestTrustsThatAWSWouldRefuse(t *testing.T) {
	trusting := func(doc *iam.Document) estate.Account {
		return oneRole(func(r *estate.Role) { r.Trust = doc })
	}
	for _, test := range []struct {
		name       string
		want, have estate.Account
		refused    string // words of the error; empty: a plan is made
		note       string // words of the only note; empty: none
	}{
		{"a new role without the claim", trusting(tokenTrust("agent.buildkite.com", "aud")), emptyAccount(), "statement Old trusts agent.buildkite.com without a condition on agent.buildkite.com:sub", ""},
		{"an edit to one without the claim", trusting(tokenTrust("gitlab.com", "aud")), trusting(tokenTrust("gitlab.com", "aud", "sub")), "gitlab.com:sub", ""},
		{"Pulumi by its audience", trusting(tokenTrust("api.pulumi.com/oidc", "aud")), emptyAccount(), "", ""},
		{"an issuer of one customer", trusting(tokenTrust("oidc.circleci.com/org/x", "aud")), emptyAccount(), "", ""},
		{"an old trust that is replaced", trusting(tokenTrust("gitlab.com", "aud", "sub")), trusting(tokenTrust("gitlab.com", "aud")), "", "this plan replaces it (add StringEquals gitlab.com:sub"},
		{"an old trust that stays", trusting(tokenTrust("gitlab.com", "aud")), trusting(tokenTrust("gitlab.com", "aud")), "", "role shop-a: AWS takes no edit of its trust policy as it stands: statement Old trusts gitlab.com"},
		{"somebody else's old trust", emptyAccount(), func() estate.Account {
			a := trusting(tokenTrust("gitlab.com"))
			a.Roles[0].Path = "/"
			return a
		}(), "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Make(Sides{Stack: testStack, Desired: estateOf(test.want), Observed: estateOf(test.have)})
			if test.refused != "" {
				var list fault.List
				if !errors.As(err, &list) || len(list) != 1 || !strings.Contains(list[0].Error(), test.refused) {
					t.Errorf("got %v, want one error with %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.note == "" && len(p.Notes) > 0 || test.note != "" && (len(p.Notes) != 1 || !strings.Contains(p.Notes[0], test.note)) {
				t.Errorf("notes: %s", cmp.Diff([]string{test.note}, p.Notes))
			}
		})
	}
}
