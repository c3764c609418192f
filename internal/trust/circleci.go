package trust

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// CircleCI is a job of a CircleCI project, proven by its OIDC token. Each
// organisation has an issuer of its own, so AWS does not insist on a subject.
//
// With VCSRef it is the second token, CIRCLE_OIDC_TOKEN_V2, which names the ref;
// with AnyRef the first, CIRCLE_OIDC_TOKEN. Guides put a "*" for the user into
// the subject. A branch can be named so that it takes in the rest of such a
// pattern ("x/vcs-origin/ORIGIN/vcs-ref/refs/heads/main"); a user's UUID has one
// length, and the pattern here takes just that.
//
// https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/
type CircleCI struct {
	OrganizationID string // UUID
	ProjectID      string // UUID
	VCSOrigin      string // "github.com/OWNER/NAME"
	VCSRef         string // "refs/heads/main"; "*" as of GitHub.Branch
	AnyRef         bool   // any branch, whoever pushed it
	Audience       string // empty: the organisation's id, as CircleCI's default is
}

// Kind is "circleci".
func (CircleCI) Kind() string { return "circleci" }

// Describe names the project and the ref.
func (c CircleCI) Describe() string {
	if c.AnyRef {
		return "CircleCI project " + c.ProjectID + ", any branch"
	}
	return "CircleCI project " + c.ProjectID + ", " + c.VCSOrigin + " " + c.VCSRef
}

func (c CircleCI) issuer() string { return "oidc.circleci.com/org/" + c.OrganizationID }

func (c CircleCI) audience() string { return cmp.Or(c.Audience, c.OrganizationID) }

func (c CircleCI) subject(user string) string {
	subject := "org/" + c.OrganizationID + "/project/" + c.ProjectID + "/user/" + user
	if c.AnyRef {
		return subject
	}
	return subject + "/vcs-origin/" + c.VCSOrigin + "/vcs-ref/" + c.VCSRef
}

func (c CircleCI) statement(s Scope) iam.Statement { return c.Tokens(s).statement(s) }

// Caller is the job with its token.
func (c CircleCI) Caller(s Scope) Caller { return c.Tokens(s).Sample.caller(s) }

const circleProject = "oidc.circleci.com/project-id"

// Tokens asks for the project twice: in the subject and by its own claim.
func (c CircleCI) Tokens(Scope) Tokens {
	t := Tokens{
		Issuer: c.issuer(), Audiences: []string{c.audience()}, Subjects: []string{c.subject(anyUUID)},
		Pins: []Claim{{circleProject, c.ProjectID}}, Wide: c.AnyRef || strings.Contains(c.VCSRef, "*"), Sample: c.job().claims(),
	}
	t.Known = t.asked()
	return t
}

type circleJob struct{ CircleCI }

func (c CircleCI) job() circleJob {
	c.VCSRef = oneOf(c.VCSRef)
	return circleJob{c}
}

func (j circleJob) claims() Claims {
	return Claims{
		"iss": "https://" + j.issuer(), "aud": j.audience(), "sub": j.subject(someUUID),
		circleProject: j.ProjectID, "oidc.circleci.com/vcs-origin": j.VCSOrigin, "oidc.circleci.com/vcs-ref": j.VCSRef,
	}
}

// Attackers are jobs of other projects and other refs of the organisation, and
// of other organisations.
func (c CircleCI) Attackers(s Scope) []Attack {
	changes := []change[circleJob]{
		{"another organisation's project", "anyone can have one; its issuer is another, and nobody should add that as provider", func(j *circleJob) {
			j.OrganizationID, j.ProjectID, j.Audience = otherUUID(c.OrganizationID), otherUUID(c.ProjectID), c.audience()
		}},
		{"another project of the organisation", "every team of it; a trust in aud alone lets it in, and AWS takes such a trust", func(j *circleJob) { j.ProjectID = otherUUID(c.ProjectID) }},
	}
	if _, name := c.refParts(); !c.AnyRef {
		changes = append(changes,
			change[circleJob]{"another branch", whyPushes, func(j *circleJob) {
				j.VCSRef = "refs/heads/" + outside("feature", name)
			}},
			change[circleJob]{"a branch named like the end of the subject", "whoever may push a branch; a * for the user lets it in", func(j *circleJob) {
				j.VCSRef = "refs/heads/" + outside("x", name) + "/vcs-origin/" + c.VCSOrigin + "/vcs-ref/" + oneOf(c.VCSRef)
			}},
			change[circleJob]{"a fork's pull request", "anyone, if forks' pull requests are built with secrets; a * for vcs-origin lets it in", func(j *circleJob) {
				j.VCSOrigin, j.VCSRef = another(c.VCSOrigin, "github.com/mallory/fork", "github.com/mallory/fork-2"), "refs/heads/pull/1"
			}},
			change[circleJob]{"the token that names no ref", "every job has it beside the other; a trust in the project alone lets it in", func(j *circleJob) { j.AnyRef = true }},
		)
	}
	return c.Tokens(s).attacks(s, "https://vault.example.com", forge(c.job(), changes...))
}

// Check refuses a project that is not named by its id, and refs that are not
// chosen.
func (c CircleCI) Check() []Problem {
	problems := checkUUID("organization_id", c.OrganizationID, "Organization Settings > Overview shows it")
	problems = append(problems, checkUUID("project_id", c.ProjectID, "Project Settings > Overview shows it")...)
	problems = append(problems, checkAudience(c.Audience)...)
	switch {
	case c.AnyRef && c.VCSRef+c.VCSOrigin != "":
		return append(problems, Problem{Field: "any_ref", Msg: "excludes vcs_origin and vcs_ref", Hint: "remove it"})
	case c.AnyRef:
		return problems
	case c.VCSRef == "":
		return append(problems, Problem{
			Field: "vcs_ref", Msg: "is missing: every branch of the project would be trusted",
			Hint: "write vcs_origin: github.com/OWNER/NAME and vcs_ref: refs/heads/main, or any_ref: true if you mean it",
		})
	}
	return append(problems, c.checkVCS()...)
}

var vcsOrigin = lazily(`^[a-z0-9.-]+\.[a-z]+(?:/[^\s/]+){2,}$`)

func (c CircleCI) checkVCS() []Problem {
	const form = "write github.com/OWNER/NAME"
	problems := checkParts(subjectPart{"vcs_origin", c.VCSOrigin, "", form})
	if len(problems) == 0 && (!vcsOrigin().MatchString(c.VCSOrigin) || strings.HasSuffix(c.VCSOrigin, ".git")) {
		problems = []Problem{{Field: "vcs_origin", Msg: fmt.Sprintf("%q is not host, owner and name", c.VCSOrigin), Hint: form + ", without https:// and .git"}}
	}
	kind, name := c.refParts()
	if kind == "" {
		return append(problems, Problem{Field: "vcs_ref", Msg: fmt.Sprintf("%q is not a full ref", c.VCSRef), Hint: "write refs/heads/BRANCH or refs/tags/TAG"})
	}
	return append(problems, checkRef("vcs_ref", name)...)
}

func (c CircleCI) refParts() (kind, name string) {
	for _, kind := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(c.VCSRef, kind); ok && name != "" {
			return kind, name
		}
	}
	return "", ""
}

func (c CircleCI) open() []string {
	return facts(
		fact{c.AnyRef, "whoever may push a branch, and forks' pull requests if they get secrets: write vcs_origin and vcs_ref"},
		fact{strings.Contains(c.VCSRef, "*"), "whoever may push a ref that matches " + c.VCSRef},
		fact{true, "whoever may rerun a job of the ref with SSH"},
	)
}
