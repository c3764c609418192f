package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// BuildkiteIssuer is the one issuer of all Buildkite's customers.
const BuildkiteIssuer = "agent.buildkite.com"

// Buildkite is a job of a Buildkite pipeline, proven by its OIDC token.
//
// Slugs can be taken by another organisation or pipeline once they are free;
// OrganizationID and PipelineID cannot. A token has the two only if the job asks
// for them: buildkite-agent oidc request-token --claim organization_id --claim
// pipeline_id. It also decides whether the claims of SessionTags become tags of
// the session: --aws-session-tag. The branch is the build's: a step may check
// out another commit.
//
// https://buildkite.com/docs/pipelines/security/oidc/aws
// https://buildkite.com/docs/agent/cli/reference/oidc
type Buildkite struct {
	Organization   string   // slug
	Pipeline       string   // slug
	Branch         string   // "*" as of GitHub.Branch
	Tag            string   // likewise
	Step           string   // key of the step; empty: any
	OrganizationID string   // UUID
	PipelineID     string   // UUID
	SessionTags    []string // claims that the session must have as tags: "pipeline_slug", ...
}

// Kind is "buildkite".
func (Buildkite) Kind() string { return "buildkite" }

// Describe names the pipeline and the ref.
func (b Buildkite) Describe() string {
	line := "Buildkite " + b.Organization + "/" + b.Pipeline
	if b.Tag != "" {
		line += ", tag " + b.Tag
	} else {
		line += ", branch " + b.Branch
	}
	if b.Step != "" {
		line += ", step " + b.Step
	}
	return line
}

// anyCommit stands for the 40 digits of a commit. A "*" would take in text with
// further parts, such as a step whose key has colons. That every build has 40 is
// not verified: one whose commit stays HEAD, or of a SHA-256 repository, is refused.
var anyCommit = strings.Repeat("?", len(someCommit))

const someCommit = "0123456789abcdef0123456789abcdef01234567"

func (b Buildkite) subject(commit, step string) string {
	ref := "refs/heads/" + b.Branch
	if b.Tag != "" {
		ref = "refs/tags/" + b.Tag
	}
	return "organization:" + b.Organization + ":pipeline:" + b.Pipeline + ":ref:" + ref + ":commit:" + commit + ":step:" + step
}

func (b Buildkite) statement(s Scope) iam.Statement { return b.Tokens(s).statement(s) }

// Caller is the job with its token.
func (b Buildkite) Caller(s Scope) Caller { return b.Tokens(s).Sample.caller(s) }

// claimed are the values of the claims that can be asked for beside the subject.
func (b Buildkite) claimed() map[string]string {
	return map[string]string{
		"organization_slug": b.Organization, "organization_id": b.OrganizationID,
		"pipeline_slug": b.Pipeline, "pipeline_id": b.PipelineID, "build_branch": b.Branch,
	}
}

// Tokens asks for any commit and, unless one is named, any step.
func (b Buildkite) Tokens(s Scope) Tokens {
	step := b.Step
	if step == "" {
		step = "*"
	}
	t := Tokens{
		Issuer: BuildkiteIssuer, Audiences: []string{Audience(s.Partition)}, Subjects: []string{b.subject(anyCommit, step)},
		Wide: strings.Contains(b.Branch+b.Tag, "*"), Sample: b.job(s).claims(),
	}
	for _, pin := range []Claim{{"organization_id", b.OrganizationID}, {"pipeline_id", b.PipelineID}} {
		if pin.Value != "" {
			t.Pins = append(t.Pins, pin)
		}
	}
	t.Tags = b.tags()
	t.Known = t.asked()
	return t
}

func (b Buildkite) tags() []Claim {
	var tags []Claim
	for _, name := range b.SessionTags {
		tags = append(tags, Claim{name, b.claimed()[name]})
	}
	return tags
}

// buildkiteJob is one job: what Buildkite knows when it signs a token.
type buildkiteJob struct {
	Buildkite
	audience string
	subject  string // asked for with --subject-claim; empty: Buildkite's own
}

func (b Buildkite) job(s Scope) buildkiteJob {
	b.Branch, b.Tag = oneOf(b.Branch), oneOf(b.Tag)
	if b.Step == "" {
		b.Step = "deploy"
	}
	if b.OrganizationID == "" {
		b.OrganizationID, b.PipelineID = someUUID, someUUID
	}
	return buildkiteJob{Buildkite: b, audience: Audience(s.Partition)}
}

func (j buildkiteJob) claims() Claims {
	c := Claims{"iss": "https://" + BuildkiteIssuer, "aud": j.audience, "sub": j.subject, "step_key": j.Step}
	if j.subject == "" {
		c["sub"] = j.Buildkite.subject(someCommit, j.Step)
	}
	for claim, value := range j.claimed() {
		if value != "" {
			c[claim] = value
		}
	}
	if tags := j.tags(); len(tags) > 0 {
		return c.withTags(tags...)
	}
	return c
}

// Attackers are jobs of other organisations, pipelines and branches.
func (b Buildkite) Attackers(s Scope) []Attack {
	elsewhere := func(organization, pipeline string) func(*buildkiteJob) {
		return func(j *buildkiteJob) {
			if organization != b.Organization {
				j.Organization, j.OrganizationID = organization, otherUUID(b.OrganizationID)
			}
			j.Pipeline, j.PipelineID = pipeline, otherUUID(b.PipelineID)
		}
	}
	at := func(branch, tag string) func(*buildkiteJob) {
		return func(j *buildkiteJob) { j.Branch, j.Tag = branch, tag }
	}
	changes := []change[buildkiteJob]{
		{"another organisation's pipeline", whyAnyone, elsewhere(other("mallory", b.Organization), other("app", b.Pipeline))},
		{"a pipeline of the same name elsewhere", "anyone can name one so; a * for the organisation lets it in", elsewhere(other("mallory", b.Organization), b.Pipeline)},
		{"another pipeline of the organisation", whyElse, elsewhere(b.Organization, other("playground", b.Pipeline))},
		{"a pipeline whose name begins alike", whyAlike, elsewhere(b.Organization, evil(b.Pipeline))},
		{"an organisation whose name begins alike", "anyone can register it; organization:NAME* lets it in", elsewhere(evil(b.Organization), b.Pipeline)},
		{"another branch", whyPushes, at(outside("feature", b.Branch), "")},
		{"another tag", "whoever may push a tag; a * for the ref lets it in", at("", outside("v0", b.Tag))},
		{"a subject of the job's choice", "any job may ask for its pipeline's id as subject; a trust that takes every subject lets it in", func(j *buildkiteJob) { j.subject = otherUUID(b.PipelineID) }},
	}
	if b.Branch != "" {
		changes = append(changes, change[buildkiteJob]{"a fork's pull request", "anyone, if forks' pull requests are built, with the prefix that tells their branches; a * before the branch lets it in", at("mallory:"+oneOf(b.Branch), "")})
	}
	if b.OrganizationID != "" {
		changes = append(changes, change[buildkiteJob]{"recycled slugs", "whoever takes the slugs of a deleted organisation and pipeline; the names in sub let it in", func(j *buildkiteJob) {
			j.OrganizationID, j.PipelineID = otherUUID(b.OrganizationID), otherUUID(b.PipelineID)
		}})
	}
	if b.Step != "" {
		changes = append(changes,
			change[buildkiteJob]{"another step", "whoever may change the pipeline's steps; a * for the step lets it in", func(j *buildkiteJob) { j.Step = other("lint", b.Step) }},
			change[buildkiteJob]{"a step whose key ends alike", "whoever may change the pipeline's steps: keys may hold colons; a * for the commit lets it in", func(j *buildkiteJob) { j.Step = "x:step:" + b.Step }},
		)
	}
	return b.Tokens(s).attacks(s, "https://vault.example.com", forge(b.job(s), changes...))
}

// Check refuses a pipeline of which no ref is chosen, and ids without the other.
func (b Buildkite) Check() []Problem {
	problems := checkParts(
		subjectPart{"organization", b.Organization, ":/ ", "write its slug: what follows buildkite.com/ in its address"},
		subjectPart{"pipeline", b.Pipeline, ":/ ", "write its slug: what follows the organisation in its address"},
	)
	switch {
	case b.Branch == "" && b.Tag == "":
		problems = append(problems, Problem{Field: "branch", Msg: "is missing: builds of any branch would be trusted", Hint: "add branch or tag"})
	case b.Branch != "" && b.Tag != "":
		problems = append(problems, Problem{Field: "tag", Msg: "branch and tag exclude each other", Hint: "declare one identity for each"})
	}
	problems = append(problems, checkRef("branch", b.Branch)...)
	problems = append(problems, checkRef("tag", b.Tag)...)
	if b.Step != "" {
		problems = append(problems, checkParts(subjectPart{"step", b.Step, " ", "write the key of the step"})...)
	}
	if b.Step != "" && strings.Contains(b.Branch+b.Tag, "*") {
		problems = append(problems, Problem{Field: "step", Msg: "follows a ref with a wildcard: another step could have a key that ends like the subject", Hint: "declare one identity for each branch or tag, or leave step out"})
	}
	if b.OrganizationID+b.PipelineID != "" {
		const where = "the settings show it; the job has to ask for both: --claim organization_id --claim pipeline_id"
		problems = append(problems, checkUUID("organization_id", b.OrganizationID, where)...)
		problems = append(problems, checkUUID("pipeline_id", b.PipelineID, where)...)
	}
	return append(problems, b.checkTags()...)
}

func (b Buildkite) checkTags() []Problem {
	var problems []Problem
	for i, name := range b.SessionTags {
		value, known := b.claimed()[name]
		switch {
		case !known:
			problems = append(problems, Problem{Field: "session_tags", Msg: fmt.Sprintf("%q is not a claim that can be asked for", name), Hint: "write some of organization_slug, organization_id, pipeline_slug, pipeline_id, build_branch"})
		case value == "":
			problems = append(problems, Problem{Field: "session_tags", Msg: name + " has no value here", Hint: "add it to the identity"})
		case slices.Contains(b.SessionTags[:i], name):
			problems = append(problems, Problem{Field: "session_tags", Msg: name + " stands twice"})
		}
	}
	return problems
}

func (b Buildkite) open() []string {
	return facts(
		fact{b.OrganizationID == "", "whoever takes the slugs " + b.Organization + " and " + b.Pipeline + " once they are free: add organization_id and pipeline_id"},
		fact{strings.Contains(b.Branch+b.Tag, "*"), "whoever may start a build of a ref that matches " + b.Branch + b.Tag},
		fact{b.Branch != "", "a fork's pull request from a branch so named, if the pipeline builds those and does not prefix their branches"},
		fact{true, "whoever may start a build: its branch is what they say, and a step may check out another commit"},
	)
}
