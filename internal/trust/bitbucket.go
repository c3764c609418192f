package trust

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Bitbucket is a step of a Bitbucket pipeline, proven by its OIDC token. The
// subject is the repository's UUID, the deployment environment's if the step has
// one, and the step's own, each in braces. No claim that AWS can ask for names
// the branch: the environment's restrictions have to guard it.
//
// https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/
// https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/
type Bitbucket struct {
	Workspace       string // its id in addresses
	WorkspaceUUID   string // with or without braces; makes the default audience
	RepositoryUUID  string
	EnvironmentUUID string // of a deployment environment
	AnyBranch       bool   // any step without environment, of any branch
	Audience        string // empty: the workspace's
}

// Kind is "bitbucket".
func (Bitbucket) Kind() string { return "bitbucket" }

// Describe names the repository and the environment.
func (b Bitbucket) Describe() string {
	line := "Bitbucket " + b.Workspace + ", repository " + bare(b.RepositoryUUID)
	if b.AnyBranch {
		return line + ", any branch"
	}
	return line + ", environment " + bare(b.EnvironmentUUID)
}

// bare is a UUID without Bitbucket's braces.
func bare(uuid string) string { return strings.TrimSuffix(strings.TrimPrefix(uuid, "{"), "}") }

func (b Bitbucket) issuer() string {
	return "api.bitbucket.org/2.0/workspaces/" + b.Workspace + "/pipelines-config/identity/oidc"
}

func (b Bitbucket) audience() string {
	return cmp.Or(b.Audience, "ari:cloud:bitbucket::workspace/"+bare(b.WorkspaceUUID))
}

func (b Bitbucket) subject(step string) string {
	parts := []string{"{" + bare(b.RepositoryUUID) + "}"}
	if b.EnvironmentUUID != "" {
		parts = append(parts, "{"+bare(b.EnvironmentUUID)+"}")
	}
	return strings.Join(append(parts, "{"+step+"}"), ":")
}

func (b Bitbucket) statement(s Scope) iam.Statement { return b.Tokens(s).statement(s) }

// Caller is the step with its token.
func (b Bitbucket) Caller(s Scope) Caller { return b.Tokens(s).Sample.caller(s) }

// Tokens takes any step, but no further part of the subject: a "*" for the step
// would take in those of every environment.
func (b Bitbucket) Tokens(Scope) Tokens {
	t := Tokens{
		Issuer: b.issuer(), Audiences: []string{b.audience()}, Subjects: []string{b.subject(anyUUID)},
		Wide: b.AnyBranch, Sample: bitbucketStep{b}.claims(),
	}
	t.Known = t.asked()
	return t
}

type bitbucketStep struct{ Bitbucket }

func (j bitbucketStep) claims() Claims {
	return Claims{
		"iss": "https://" + j.issuer(), "aud": j.audience(), "sub": j.subject(someUUID),
		"repositoryUuid": "{" + bare(j.RepositoryUUID) + "}", "workspaceUuid": "{" + bare(j.WorkspaceUUID) + "}", "branchName": "main",
	}
}

// Attackers are steps of other repositories and environments of the workspace,
// and of other workspaces.
func (b Bitbucket) Attackers(s Scope) []Attack {
	changes := []change[bitbucketStep]{
		{"another workspace's repository", "anyone can have one; its issuer is another, and nobody should add that as provider", func(j *bitbucketStep) {
			j.Audience, j.Workspace, j.RepositoryUUID = b.audience(), other("mallory", b.Workspace), otherUUID(bare(b.RepositoryUUID))
		}},
		{"another repository of the workspace", "every team of it; a trust in aud alone lets it in, as guides show it", func(j *bitbucketStep) { j.RepositoryUUID = otherUUID(bare(b.RepositoryUUID)) }},
		{"another environment", "whoever may push can name one without restrictions; {REPOSITORY}:* lets it in", func(j *bitbucketStep) { j.EnvironmentUUID = otherUUID(bare(b.EnvironmentUUID)) }},
	}
	if b.EnvironmentUUID != "" {
		changes = append(changes, change[bitbucketStep]{"a step without environment", "whoever may push a branch; {REPOSITORY}:* lets it in", func(j *bitbucketStep) { j.EnvironmentUUID = "" }})
	}
	return b.Tokens(s).attacks(s, "https://vault.example.com", forge(bitbucketStep{b}, changes...))
}

var workspaceForm = lazily(`^[a-z0-9_-]+$`)

// Check refuses names where Bitbucket's subject has UUIDs, and a repository of
// which nothing is chosen.
func (b Bitbucket) Check() []Problem {
	const settings = "Repository settings > OpenID Connect shows it"
	var problems []Problem
	if !workspaceForm().MatchString(b.Workspace) {
		problems = append(problems, Problem{Field: "workspace", Msg: fmt.Sprintf("%q is not the id of a workspace", b.Workspace), Hint: "write what follows bitbucket.org/ in its address"})
	}
	if b.Audience == "" || b.WorkspaceUUID != "" {
		problems = append(problems, checkUUID("workspace_uuid", bare(b.WorkspaceUUID), settings)...)
	}
	problems = append(problems, checkUUID("repository_uuid", bare(b.RepositoryUUID), settings)...)
	problems = append(problems, checkAudience(b.Audience)...)
	switch {
	case b.AnyBranch && b.EnvironmentUUID != "":
		problems = append(problems, Problem{Field: "any_branch", Msg: "excludes environment_uuid", Hint: "remove it"})
	case !b.AnyBranch && b.EnvironmentUUID == "":
		problems = append(problems, Problem{
			Field: "environment_uuid", Msg: "is missing: every branch of the repository would be trusted",
			Hint: "deploy in an environment that admins have restricted to a branch and write its UUID, or any_branch: true if you mean it",
		})
	case b.EnvironmentUUID != "":
		problems = append(problems, checkUUID("environment_uuid", bare(b.EnvironmentUUID), "Repository settings > Deployments, or the API's environments, shows it")...)
	}
	return problems
}

func (b Bitbucket) open() []string {
	return facts(
		fact{b.AnyBranch, "whoever may push a branch: deploy in an environment and write environment_uuid"},
		fact{!b.AnyBranch, "whoever may deploy to the environment: restrict it to a branch in Bitbucket"},
	)
}
