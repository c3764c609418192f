package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

var claimChecks = []*check{
	{code: "CONFIRM_AUDIENCE_CLAIM_TYPE", severity: Suggestion, types: trustOnly, run: audienceSet(iam.ForAllValues)},
	{code: "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE", severity: SecurityWarning, types: trustOnly, run: audienceSet(iam.ForAnyValue)},
}

var oidcChecks = []*check{
	{code: "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", severity: SecurityWarning, types: trustOnly, run: oidcCondition},
	{code: "MISSING_GITHUB_REPO_CONDITION_KEY", severity: SecurityWarning, types: trustOnly, run: githubRepository},
	{code: "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", severity: Warning, types: trustOnly, run: githubBranch},
	{code: "MISSING_AUDIENCE_CONDITION_KEY", severity: SecurityWarning, types: trustOnly, run: missingAudience, page: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"},
}

// audience reports whether the condition is on the aud claim of a token.
func audience(c *condition) bool {
	issuer, claim, ok := strings.Cut(c.key.text, ":")
	return ok && strings.EqualFold(claim, "aud") && (strings.Contains(issuer, ".") || strings.EqualFold(issuer, "saml"))
}

func audienceSet(set string) func(*pass) {
	return func(p *pass) {
		for _, c := range p.conditions() {
			if c.known && c.op.Set == set && audience(c) && !strings.EqualFold(prefixOf(c.key.text), "saml") {
				p.report(c.operator, "%s is one value to AWS, even if the token lists several", c.key.text).hint("leave out %s", set)
			}
		}
	}
}

const github = "token.actions.githubusercontent.com"

// issuer is the host and path of an OIDC provider, which is how its condition
// keys begin; empty if s is no OIDC provider.
func issuer(s string) string {
	if provider(s) != "OIDC" {
		return ""
	}
	if _, host, ok := strings.Cut(s, ":oidc-provider/"); ok {
		return host
	}
	return s
}

// web lists the OIDC providers that the statement lets in, and their issuers.
func web(s *statement) map[*node]string {
	found := map[*node]string{}
	if !s.allows() || !s.has(notAction) && !grants(s, "sts:AssumeRoleWithWebIdentity") {
		return nil
	}
	for _, v := range s.of("Federated") {
		if host := issuer(v.text); host != "" {
			found[v] = host
		}
	}
	return found
}

// claims lists the conditions on claims of an issuer that must be there: those
// that hold when their key is missing say nothing about strangers.
func claims(s *statement, host string) []*condition {
	var found []*condition
	for _, c := range s.conditions {
		prefix, _, ok := cutLast(c.key.text)
		if ok && strings.EqualFold(prefix, host) && c.known && !c.missingHolds() {
			found = append(found, c)
		}
	}
	return found
}

// cutLast cuts at the last colon: issuers may have a port.
func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func oidcCondition(p *pass) {
	for _, s := range p.statements {
		for v, host := range web(s) {
			if len(claims(s, host)) == 0 {
				p.report(v, "every token of %s opens the role", host).hint("add conditions on %s:sub and %s:aud", host, host)
			}
		}
	}
}

// missingAudience: a token made for another service would do as well.
func missingAudience(p *pass) {
	for _, s := range p.statements {
		for v, host := range web(s) {
			held := claims(s, host)
			if len(held) > 0 && !slices.ContainsFunc(held, func(c *condition) bool { return claimIs(c, "aud", "azp", "app_id") }) {
				p.report(v, "tokens of %s that were made for other services open the role too", host).hint("add a condition on %s:aud", host)
			}
		}
	}
}

func claimIs(c *condition, names ...string) bool {
	_, claim, _ := cutLast(c.key.text)
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, claim) })
}

// githubScopes are the claims that tell whose workflow it is.
// https://docs.github.com/en/actions/reference/security/oidc
var githubScopes = []string{"sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref", "enterprise_id", "enterprise"}

// githubRepository reports roles for GitHub that any repository of the world can
// enter: no condition on whose it is, or one that everything matches.
func githubRepository(p *pass) {
	for _, s := range p.statements {
		for v, host := range web(s) {
			if host != github {
				continue
			}
			held := claims(s, host)
			scoped := slices.ContainsFunc(held, func(c *condition) bool {
				return claimIs(c, githubScopes...) && !slices.ContainsFunc(c.values, func(v *node) bool { return c.like() && anyOwner(v.text) })
			})
			if len(held) > 0 && !scoped {
				p.report(v, "any repository on GitHub can enter the role").hint("add a condition on %s:sub, such as repo:owner/name:ref:refs/heads/main", github)
			}
		}
	}
}

// anyOwner reports whether a pattern for sub or another claim leaves the owner
// open: a star before the slash that ends it.
func anyOwner(pattern string) bool {
	owner, _, _ := strings.Cut(strings.TrimPrefix(pattern, "repo:"), "/")
	return strings.HasPrefix(owner, "*") || strings.HasPrefix(owner, "?") || strings.HasPrefix(pattern, "*") || pattern == "repo*"
}

// githubBranch reports patterns for sub that leave open which repository,
// branch or environment it is, unless other claims say so.
func githubBranch(p *pass) {
	for s, c := range p.conditions() {
		if !c.is(github+":sub") || !c.known || !c.like() || c.negated() || !s.allows() {
			continue
		}
		for _, v := range c.values {
			if !iam.HasWildcard(v.text) || anyOwner(v.text) {
				continue // the latter is said, louder, by githubRepository
			}
			repository, rest, _ := strings.Cut(strings.TrimPrefix(v.text, "repo:"), ":")
			if iam.HasWildcard(repository) && !s.uses(github+":repository", github+":repository_id") {
				p.report(v, "%q leaves open which repository it is", v.text).hint("name the repository and the branch or environment")
			} else if iam.HasWildcard(rest) && !s.uses(github+":ref", github+":environment", github+":job_workflow_ref") {
				p.report(v, "%q is any branch, tag and pull request", v.text).hint("name the branch or environment, or add %s:ref", github)
			}
		}
	}
}
