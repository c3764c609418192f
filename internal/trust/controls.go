package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// controls are the issuers that many customers of AWS share, with the condition
// keys of which IAM wants one in every trust policy that it takes. It asks when
// a role is made or its trust policy changed: policies from before stand, until
// somebody edits them. Whether the key's value keeps anyone out it does not ask.
//
// The keys of GitHub's issuer are those that its own documentation names. The
// list is AWS's page and not tried against IAM; whether it means issuers below
// GitHub's, of single enterprises, is not verified: here it does not.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
// https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
var controls = map[string][]string{
	GitHubIssuer:    {GitHubIssuer + ":sub", GitHubIssuer + ":job_workflow_ref"},
	GitLabHost:      {GitLabHost + ":sub"},
	BuildkiteIssuer: {BuildkiteIssuer + ":sub"},
	PulumiIssuer:    {PulumiIssuer + ":aud"},

	"app.terraform.io":                                            {"app.terraform.io:sub"},
	"cognito-identity.amazonaws.com":                              {"cognito-identity.amazonaws.com:aud"},
	"oidc-configuration.audit-log.githubusercontent.com":          {"oidc-configuration.audit-log.githubusercontent.com:sub"},
	"oidc.codefresh.io":                                           {"oidc.codefresh.io:sub"},
	"oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb": {"oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb:sub"},
	"oidc.vercel.com":                                             {"oidc.vercel.com:aud"},
	"proidc.upbound.io":                                           {"proidc.upbound.io:sub"},
	"sandboxes.cloud":                                             {"sandboxes.cloud:aud"},
	"scalr.io":                                                    {"scalr.io:sub"},
	"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d":        {"sts:RoleSessionName"},
	"studio.datachain.ai/api":                                     {"studio.datachain.ai/api:sub"},
	"tokens.cloud.shisho.dev":                                     {"tokens.cloud.shisho.dev:sub"},
	"vstoken.actions.githubusercontent.com":                       {"vstoken.actions.githubusercontent.com:sub"},
}

// Controls returns why IAM would refuse to make a role with the trust policy,
// or to change one to it: the claims that it wants to be asked for and are not.
func Controls(doc *iam.Document) []Problem {
	var problems []Problem
	for i, st := range doc.Statements {
		for _, issuer := range issuers(st) {
			keys := controls[issuer]
			if keys == nil || slices.ContainsFunc(st.Conditions, func(c iam.Condition) bool {
				return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, c.Key) })
			}) {
				continue
			}
			problems = append(problems, Problem{
				Msg:  fmt.Sprintf("%s trusts %s without a condition on %s, which AWS requires of this issuer", label(i, st), issuer, strings.Join(keys, " or ")),
				Hint: "add StringEquals " + keys[0] + " with whom it is meant for",
			})
		}
	}
	return problems
}
