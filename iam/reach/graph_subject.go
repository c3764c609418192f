package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// GitHub and GitLab have one issuer each for all their customers.
//
// https://docs.github.com/en/actions/reference/security/oidc
// https://docs.gitlab.com/ci/cloud_services/
const (
	gitHubIssuer = "token.actions.githubusercontent.com"
	gitLabIssuer = "gitlab.com"
)

// readSubject reads what a pattern of sub says of the place that a token comes
// from: pairs of a name and a value, as GitHub and GitLab write them. Their
// values have no colons. What cannot be read is not asked.
func readSubject(subject string) Tokens {
	t := Tokens{Subject: subject}
	parts := strings.Split(subject, ":")
	for i := 0; i < len(parts); i++ {
		if iam.HasWildcard(parts[i]) {
			break // may stand for names and values of any number
		}
		if parts[i] == "pull_request" {
			t.PullRequests = true
			continue
		}
		if i++; i == len(parts) {
			break
		}
		t.set(parts[i-1], parts[i])
	}
	return t
}

// isShared tells the issuers that make tokens for whoever has an account there.
// Below GitHub's, enterprises may have a path of their own.
func isShared(issuer string) bool {
	return issuer == gitHubIssuer || strings.HasPrefix(issuer, gitHubIssuer+"/") || issuer == gitLabIssuer
}

func (t *Tokens) set(name, value string) {
	switch name {
	case "repo":
		owner, name, whole := strings.Cut(value, "/")
		value, _, _ = strings.Cut(owner, "@") // the immutable form has ids
		if whole {
			name, _, _ = strings.Cut(name, "@")
			value += "/" + name
		}
		t.Repositories = []string{value}
	case "repository", "project_path":
		t.Repositories = []string{value}
	case "repository_owner":
		t.Repositories = []string{value + "/*"}
	case "ref":
		t.Refs = []string{value}
	case "environment":
		t.Environments = []string{value}
	case "job_workflow_ref":
		t.Workflows = []string{value}
	}
}

// repositoryIn is the repository in a value of a claim; empty if it has none.
func repositoryIn(claim, value string) string {
	switch claim {
	case "repository", "project_path", "repository_owner":
		return value
	case "sub":
		return strings.Join(readSubject(value).Repositories, "")
	}
	return ""
}

// judge says of whom tokens enter besides those that somebody meant.
func (e *Entry) judge(c *claims) {
	shared := isShared(e.Issuer)
	for _, t := range e.Tokens {
		switch {
		case c.pins():
		case shared:
			e.judgeOwners(t)
		case !strings.ContainsFunc(t.Subject, func(r rune) bool { return r != '*' && r != '?' }):
			e.Open = appendNew(e.Open, "nothing is asked of sub: every token of "+e.Issuer+" enters")
		}
		if shared {
			e.judgePlace(t)
		}
	}
	if _, asked := c.asked["aud"]; !asked {
		e.Wide = append(e.Wide, "nothing is asked of aud: tokens that were made for others enter")
	}
}

// pins reports whether the ids of repositories, owners or an enterprise are
// asked for, which nobody else can have.
func (c *claims) pins() bool {
	for _, claim := range []string{"repository_id", "repository_owner_id", "enterprise_id", "enterprise", "project_id", "namespace_id"} {
		values := c.asked[claim]
		if len(values) > 0 && !slices.ContainsFunc(values, iam.HasWildcard) {
			return true
		}
	}
	return false
}

func (e *Entry) judgeOwners(t Tokens) {
	if t.Repositories == nil {
		why := "no repository is asked for: every repository of " + e.Issuer + " enters"
		if t.Workflows != nil {
			why += " by calling the workflow"
		}
		e.Open = appendNew(e.Open, why)
	}
	for _, repository := range t.Repositories {
		owner, _, whole := strings.Cut(repository, "/")
		if !whole || iam.HasWildcard(owner) {
			e.Open = appendNew(e.Open, "repositories of any owner who is called so enter: "+repository)
		}
	}
}

func (e *Entry) judgePlace(t Tokens) {
	for _, repository := range t.Repositories {
		if _, name, whole := strings.Cut(repository, "/"); whole && iam.HasWildcard(name) {
			e.Wide = appendNew(e.Wide, "repositories that match "+repository+" enter")
		}
	}
	switch {
	case t.PullRequests:
		e.Wide = appendNew(e.Wide, "pull requests enter, before anybody looked at them")
	case t.Refs == nil && t.Environments == nil && t.Workflows == nil:
		e.Wide = appendNew(e.Wide, "every branch, tag, environment and pull request enters")
	}
	for _, list := range [][]string{t.Refs, t.Environments} {
		for _, pattern := range list {
			if iam.HasWildcard(pattern) {
				e.Wide = appendNew(e.Wide, "all that match "+pattern+" enter")
			}
		}
	}
}
