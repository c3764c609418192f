package reach

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
)

const gitHub = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"

// TestEntries reads trust policies for GitHub's tokens. In conditions "gh"
// stands for its issuer.
func TestEntries(t *testing.T) {
	const every = "every branch, tag, environment and pull request enters"
	const aud = `"StringEquals":{"gh:aud":"sts.amazonaws.com"},`
	asked := func(name, value string) iam.Condition {
		return iam.Condition{Operator: "StringLike", Key: gitHubIssuer + ":" + name, Values: []string{value}}
	}
	audience := asked("aud", "sts.amazonaws.com")
	tests := []struct {
		name, conditions string
		want             *Entry // without what stands in all; nil: none
	}{
		{name: "a branch", conditions: aud + `"StringLike":{"gh:sub":"repo:acme/shop:ref:refs/heads/main"}`, want: &Entry{Tokens: []Tokens{{
			Subject: "repo:acme/shop:ref:refs/heads/main", Repositories: []string{"acme/shop"}, Refs: []string{"refs/heads/main"}, Others: []iam.Condition{audience},
		}}}},
		{name: "an environment, with ids", conditions: aud + `"StringLike":{"gh:sub":"repo:acme@12/shop@34:environment:prod"}`, want: &Entry{Tokens: []Tokens{{
			Subject: "repo:acme@12/shop@34:environment:prod", Repositories: []string{"acme/shop"}, Environments: []string{"prod"}, Others: []iam.Condition{audience},
		}}}},
		{name: "one of two", conditions: aud + `"StringLike":{"gh:sub":["repo:acme/shop:ref:refs/tags/v*","repo:acme/tools:*"]}`, want: &Entry{
			Tokens: []Tokens{
				{Subject: "repo:acme/shop:ref:refs/tags/v*", Repositories: []string{"acme/shop"}, Refs: []string{"refs/tags/v*"}, Others: []iam.Condition{audience}},
				{Subject: "repo:acme/tools:*", Repositories: []string{"acme/tools"}, Others: []iam.Condition{audience}},
			},
			Wide: []string{"all that match refs/tags/v* enter", every},
		}},
		{name: "pull requests, for any audience", conditions: `"StringEquals":{"gh:sub":"repo:acme/shop:pull_request"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "repo:acme/shop:pull_request", Repositories: []string{"acme/shop"}, PullRequests: true}},
			Wide:   []string{"pull requests enter, before anybody looked at them", "nothing is asked of aud: tokens that were made for others enter"},
		}},
		{name: "all of an owner", conditions: aud + `"StringLike":{"gh:sub":"repo:acme/*"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "repo:acme/*", Repositories: []string{"acme/*"}, Others: []iam.Condition{audience}}},
			Wide:   []string{"repositories that match acme/* enter", every},
		}},
		{name: "owners that begin alike", conditions: aud + `"StringLike":{"gh:sub":"repo:acme*"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "repo:acme*", Repositories: []string{"acme*"}, Others: []iam.Condition{audience}}},
			Open:   []string{"repositories of any owner who is called so enter: acme*"}, Wide: []string{every},
		}},
		{name: "no subject", conditions: `"StringEquals":{"gh:aud":"sts.amazonaws.com"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "*", Others: []iam.Condition{audience}}},
			Open:   []string{"no repository is asked for: every repository of " + gitHubIssuer + " enters"}, Wide: []string{every},
		}},
		{name: "a branch of anybody's", conditions: aud + `"StringLike":{"gh:sub":"*:ref:refs/heads/main"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "*:ref:refs/heads/main", Others: []iam.Condition{audience}}},
			Open:   []string{"no repository is asked for: every repository of " + gitHubIssuer + " enters"}, Wide: []string{every},
		}},
		{name: "an owner by its id", conditions: aud + `"StringLike":{"gh:repository_owner_id":"77","gh:sub":"repo:*"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "repo:*", Repositories: []string{"*"}, Others: []iam.Condition{audience, asked("repository_owner_id", "77")}}}, Wide: []string{every},
		}},
		{name: "claims beside the subject", conditions: aud + `"StringLike":{"gh:sub":"repo:acme/*","gh:repository":["acme/shop","other/shop"],"gh:ref":"refs/heads/main","gh:job_workflow_ref":"acme/ci/.github/workflows/x.yml@*"}`, want: &Entry{
			Tokens: []Tokens{{
				Subject: "repo:acme/*", Repositories: []string{"acme/shop"}, Refs: []string{"refs/heads/main"},
				Workflows: []string{"acme/ci/.github/workflows/x.yml@*"}, Others: []iam.Condition{audience},
			}},
		}},
		{name: "anybody who calls the workflow", conditions: aud + `"StringLike":{"gh:job_workflow_ref":"acme/ci/.github/workflows/x.yml@refs/heads/main"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "*", Workflows: []string{"acme/ci/.github/workflows/x.yml@refs/heads/main"}, Others: []iam.Condition{audience}}},
			Open:   []string{"no repository is asked for: every repository of " + gitHubIssuer + " enters by calling the workflow"},
		}},
		{name: "an owner by its name", conditions: aud + `"StringLike":{"gh:repository_owner":"acme","gh:environment":"prod"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "*", Repositories: []string{"acme/*"}, Environments: []string{"prod"}, Others: []iam.Condition{audience}}},
			Wide:   []string{"repositories that match acme/* enter"},
		}},
		{name: "a subject of two conditions", conditions: aud + `"StringLike":{"gh:sub":["repo:acme/*","repo:other/*"]},"ForAnyValue:StringLike":{"gh:sub":"*:environment:prod"}`, want: &Entry{
			Tokens: []Tokens{
				{Subject: "repo:acme/*", Repositories: []string{"acme/*"}, Others: []iam.Condition{audience}},
				{Subject: "repo:other/*", Repositories: []string{"other/*"}, Others: []iam.Condition{audience}},
			},
			Wide: []string{"repositories that match acme/* enter", every, "repositories that match other/* enter"},
		}},
		{name: "what may be absent", conditions: aud + `"ForAllValues:StringLike":{"gh:sub":"repo:acme/shop:ref:refs/heads/main"},"StringEqualsIfExists":{"gh:environment":"prod"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "repo:acme/shop:ref:refs/heads/main", Repositories: []string{"acme/shop"}, Refs: []string{"refs/heads/main"}, Others: []iam.Condition{
				{Operator: "StringEqualsIfExists", Key: gitHubIssuer + ":environment", Values: []string{"prod"}}, audience,
			}}},
			Wide: []string{
				"the condition on " + gitHubIssuer + ":sub holds too where the token has no such claim",
				"the condition on " + gitHubIssuer + ":environment holds too where the token has no such claim",
			},
		}},
		{name: "a denial that narrows nothing down", conditions: aud + `"StringNotLike":{"gh:sub":"repo:evil/*"}`, want: &Entry{
			Tokens: []Tokens{{Subject: "*", Others: []iam.Condition{{Operator: "StringNotLike", Key: gitHubIssuer + ":sub", Values: []string{"repo:evil/*"}}, audience}}},
			Open:   []string{"no repository is asked for: every repository of " + gitHubIssuer + " enters"}, Wide: []string{every},
		}},
		{name: "wildcards by their letter", conditions: `"StringEquals":{"gh:aud":"sts.amazonaws.com","gh:sub":"repo:acme/*:ref:refs/heads/main"}`},
		{name: "claims that exclude one another", conditions: aud + `"StringLike":{"gh:sub":"repo:acme/shop:*","gh:repository":"other/shop"}`},
		{name: "ended", conditions: aud + `"StringLike":{"gh:sub":"repo:acme/shop:*"},"DateLessThan":{"aws:CurrentTime":"2020-01-01"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trust := `{"Effect":"Allow","Principal":{"Federated":"` + gitHub + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` +
				strings.ReplaceAll(tt.conditions, "gh:", gitHubIssuer+":") + `}}`
			r := NewRole(target, near, document(t, trust))
			got := r.Entries(Facts{Now: now})
			var want []Entry
			if tt.want != nil {
				tt.want.Role, tt.want.Provider, tt.want.Issuer = target, gitHub, gitHubIssuer
				want = []Entry{*tt.want}
			}
			byKey := cmpopts.SortSlices(func(a, b iam.Condition) bool { return a.Key < b.Key })
			inAnyOrder := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if diff := cmp.Diff(want, got, byKey, inAnyOrder); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEntriesOfOthers reads issuers beside GitHub's, and whole trust policies.
func TestEntriesOfOthers(t *testing.T) {
	provider := func(issuer string) string { return "arn:aws:iam::111111111111:oidc-provider/" + issuer }
	allow := func(issuer, conditions string) string {
		return `{"Effect":"Allow","Principal":{"Federated":"` + provider(issuer) + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"` + issuer + `:aud":"x",` + conditions + `}}}`
	}
	tests := []struct {
		name, trust string
		want        []string
	}{
		{name: "GitLab", trust: allow("gitlab.com", `"gitlab.com:sub":"project_path:acme/shop:ref_type:branch:ref:main"`), want: []string{"gitlab.com [acme/shop] [main]"}},
		{name: "GitLab, any", trust: allow("gitlab.com", `"gitlab.com:sub":"project_path:*"`), want: []string{"gitlab.com [*] [] open"}},
		{name: "a cluster's service account", trust: allow("oidc.eks.eu-west-1.amazonaws.com/id/AA", `"oidc.eks.eu-west-1.amazonaws.com/id/AA:sub":"system:serviceaccount:shop:web"`), want: []string{"oidc.eks.eu-west-1.amazonaws.com/id/AA [] []"}},
		{name: "anything of a cluster", trust: allow("oidc.eks.eu-west-1.amazonaws.com/id/AA", `"oidc.eks.eu-west-1.amazonaws.com/id/AA:sub":"*"`), want: []string{"oidc.eks.eu-west-1.amazonaws.com/id/AA [] [] open"}},
		{name: "denied but for some", trust: allow("gitlab.com", `"gitlab.com:sub":"project_path:acme/*"`) + `,{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{"StringNotLike":{"gitlab.com:ref":"main"}}},
			{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}}`, want: []string{"gitlab.com [acme/*] [] unless gitlab.com:ref"}},
		{name: "denied", trust: allow("gitlab.com", `"gitlab.com:sub":"project_path:acme/*"`) + `,{"Effect":"Deny","Principal":"*","Action":"sts:*"}`},
		{name: "SAML", trust: `{"Effect":"Allow","Principal":{"Federated":"` + saml + `"},"Action":"sts:AssumeRoleWithWebIdentity"}`},
		{name: "two statements, one for the call", trust: allow("gitlab.com", `"gitlab.com:sub":"project_path:acme/*"`) + strings.Replace(","+allow("gitlab.com", `"gitlab.com:sub":"*"`), "AssumeRoleWithWebIdentity", "TagSession", 1), want: []string{"gitlab.com [acme/*] []"}},
		{name: "another action", trust: `{"Effect":"Allow","Principal":{"Federated":"` + gitHub + `"},"Action":"sts:TagSession"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := NewGraph(NewWorld([]Member{roleOf(near, "r", tt.trust, Principal{}), userOf(near, "u", Principal{})}, Facts{Now: now}), nil)
			var got []string
			for _, e := range g.Entries() {
				line := e.Issuer
				for _, tokens := range e.Tokens {
					line += " [" + strings.Join(tokens.Repositories, " ") + "] [" + strings.Join(tokens.Refs, " ") + "]"
				}
				if len(e.Open) > 0 {
					line += " open"
				}
				for _, list := range e.Unless {
					line += " unless " + list[0].Key
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if NewRole(target, near, nil).Entries(Facts{}) != nil {
		t.Error("what is not known has entries")
	}
}
