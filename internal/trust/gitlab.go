package trust

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// GitLabHost is where GitLab runs its own service. AWS makes condition keys of
// its claims; of those of other hosts it offers aud and sub alone.
const GitLabHost = "gitlab.com"

// GitLab is a GitLab CI/CD job, proven by an ID token.
//
// A path can belong to another project after a rename or a deletion: only
// ProjectID tells. On gitlab.com AWS asks for it beside the subject, which may
// begin with the path or with the id. Of other hosts AWS offers no such key: the
// subject must begin with the id then, which newer versions of GitLab allow.
//
// The subject has the claims that the project's ci_id_token_sub_claim_components
// name, in their order: project_path or project_id, ref_type, ref and, from
// GitLab 18.7 on, environment_protected and deployment_tier, in this order here.
// The name of an environment is in no claim that AWS can ask for.
//
// A merge request's pipeline carries the name of its source branch as ref, and
// the id of its source project, also where it runs in the target project. If
// one may run so, RefProtected keeps forks out, and PipelineSource all of them.
// What ref_protected says in such a pipeline, and from which version on the
// subject names the fork there, is not verified.
//
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
// https://docs.gitlab.com/ci/cloud_services/aws/
type GitLab struct {
	ProjectPath          string // "GROUP/[SUBGROUP/...]PROJECT"
	ProjectID            string // decimal; on another host than gitlab.com the subject must begin with it
	Ref                  string // a branch or tag; "*" as of GitHub.Branch
	RefType              string // "branch", or "tag"; empty: "branch"
	RefProtected         bool   // only if the ref is protected; gitlab.com only
	PipelineSource       string // "push", "web", ...; gitlab.com only
	EnvironmentProtected bool
	DeploymentTier       string // "production", ...
	Host                 string // empty: GitLabHost
	Audience             string // of the job's id_tokens; empty: STS
}

// Kind is "gitlab".
func (GitLab) Kind() string { return "gitlab" }

// Describe names the project and the ref.
func (g GitLab) Describe() string {
	line := fmt.Sprintf("GitLab %s, %s %s", g.ProjectPath, g.refType(), g.Ref)
	if g.RefProtected {
		line += ", if protected"
	}
	if g.Host != "" {
		line += " (" + g.Host + ")"
	}
	return line
}

func (g GitLab) refType() string { return cmp.Or(g.RefType, "branch") }

func (g GitLab) host() string { return cmp.Or(g.Host, GitLabHost) }

// idAlone reports that the id can be asked for in the subject alone.
func (g GitLab) idAlone() bool { return g.ProjectID != "" && !Offered(g.host(), "project_id") }

// subjects are the two forms, or the one that is safe.
func (g GitLab) subjects() []string {
	switch {
	case g.ProjectID == "":
		return []string{g.subject(false)}
	case g.idAlone():
		return []string{g.subject(true)}
	}
	return []string{g.subject(false), g.subject(true)}
}

// SubjectComponents are what the project's ci_id_token_sub_claim_components must
// be for the subject, parted by commas; empty: as GitLab has them.
func (g GitLab) SubjectComponents() string {
	first, more := "project_path", ""
	if g.idAlone() {
		first = "project_id"
	}
	if g.EnvironmentProtected {
		more += ", environment_protected"
	}
	if g.DeploymentTier != "" {
		more += ", deployment_tier"
	}
	if first == "project_path" && more == "" {
		return ""
	}
	return first + ", ref_type, ref" + more
}

// project is how a subject begins.
func (g GitLab) project(byID bool) string {
	if byID {
		return "project_id:" + g.ProjectID
	}
	return "project_path:" + g.ProjectPath
}

func (g GitLab) subject(byID bool) string {
	subject := g.project(byID) + ":ref_type:" + g.refType() + ":ref:" + g.Ref
	if g.EnvironmentProtected {
		subject += ":environment_protected:true"
	}
	if g.DeploymentTier != "" {
		subject += ":deployment_tier:" + g.DeploymentTier
	}
	return subject
}

func (g GitLab) statement(s Scope) iam.Statement { return g.Tokens(s).statement(s) }

// Caller is the job with its token.
func (g GitLab) Caller(s Scope) Caller { return g.Tokens(s).Sample.caller(s) }

// Tokens asks for the subject and, on gitlab.com, for the other claims.
func (g GitLab) Tokens(s Scope) Tokens {
	t := Tokens{
		Issuer: g.host(), Audiences: []string{g.audience(s)}, Subjects: g.subjects(),
		Wide: strings.Contains(g.Ref, "*"), Sample: g.job(s).claims(),
	}
	if g.ProjectID != "" && !g.idAlone() {
		t.Pins = append(t.Pins, Claim{"project_id", g.ProjectID})
	}
	if g.RefProtected {
		t.Pins = append(t.Pins, Claim{"ref_protected", "true"})
	}
	if g.PipelineSource != "" {
		t.Pins = append(t.Pins, Claim{"pipeline_source", g.PipelineSource})
	}
	t.Known = t.asked()
	return t
}

func (g GitLab) audience(s Scope) string { return cmp.Or(g.Audience, Audience(s.Partition)) }

// gitlabJob is one job: what GitLab knows when it signs a token.
type gitlabJob struct {
	GitLab
	audience  string
	protected bool
	byID      bool   // the subject begins with the project's id
	subject   string // by another template; empty: by GitLab's
}

func (g GitLab) job(s Scope) gitlabJob {
	j := gitlabJob{GitLab: g, audience: g.audience(s), protected: true, byID: g.idAlone()}
	j.Ref = oneOf(g.Ref)
	j.ProjectID = cmp.Or(g.ProjectID, madeUpID(g.ProjectPath))
	j.PipelineSource = cmp.Or(g.PipelineSource, "push")
	return j
}

func (j gitlabJob) claims() Claims {
	return Claims{
		"iss": "https://" + j.host(), "aud": j.audience, "sub": cmp.Or(j.subject, j.GitLab.subject(j.byID)),
		"project_path": j.ProjectPath, "project_id": j.ProjectID,
		"namespace_path": parent(j.ProjectPath), "namespace_id": madeUpID(parent(j.ProjectPath)),
		"ref": j.Ref, "ref_type": j.refType(), "ref_protected": fmt.Sprint(j.protected),
		"pipeline_source": j.PipelineSource, "runner_environment": "gitlab-hosted",
		"user_login": "developer", "pipeline_id": "1", "job_id": "1",
	}
}

// parent is the group of a project.
func parent(path string) string { return path[:max(0, strings.LastIndex(path, "/"))] }

// Attackers are jobs of other projects, of other refs, and of the project that
// took the path after the trusted one was gone.
func (g GitLab) Attackers(s Scope) []Attack {
	group, name := parent(g.ProjectPath), g.ProjectPath[strings.LastIndex(g.ProjectPath, "/")+1:]
	top, _, _ := strings.Cut(g.ProjectPath, "/")
	mallory := other("mallory", top)
	moved := func(path string) func(*gitlabJob) {
		return func(j *gitlabJob) { j.ProjectPath, j.ProjectID = path, otherID(j.ProjectID) }
	}
	changes := []change[gitlabJob]{
		{"another group's project", whyAnyone, moved(mallory + "/" + other("app", name))},
		{"a fork with the same name", "anyone can fork and run the same pipeline; a * for the group lets it in", moved(mallory + "/forks/" + name)},
		{"another project of the same group", whyElse, moved(group + "/" + other("playground", name))},
		{"a project whose name begins alike", whyAlike, moved(evil(g.ProjectPath))},
		{"a group whose name begins alike", "anyone can register it; project_path:GROUP* lets it in", moved(evil(group) + "/" + name)},
		{"another branch", whyPushes, func(j *gitlabJob) { j.RefType, j.Ref, j.protected = "branch", outside("feature", g.Ref), false }},
		{"a ref of the other kind with the same name", "branches and tags are protected apart; a * for ref_type lets both in", func(j *gitlabJob) {
			j.RefType = map[string]string{"branch": "tag", "tag": "branch"}[g.refType()]
		}},
		{"a subject template that drops the ref", "whoever may edit the project's settings; project_path:GROUP/PROJECT* lets it in", func(j *gitlabJob) {
			j.subject = g.project(j.byID)
		}},
	}
	if g.ProjectID != "" {
		changes = append(changes, change[gitlabJob]{"a recycled path", "whoever makes a project where the trusted one was deleted or moved away; the path in sub lets it in", moved(g.ProjectPath)})
		changes = append(changes, change[gitlabJob]{"another project by its id", "anyone can set the template of theirs to project_id; project_id:* lets it in", func(j *gitlabJob) {
			moved(mallory + "/" + name)(j)
			j.byID = true
		}})
	}
	if g.RefProtected || g.PipelineSource != "" && g.PipelineSource != "merge_request_event" {
		changes = append(changes, change[gitlabJob]{"a merge request whose source branch has the name", "anyone can fork and propose one; if it runs in the parent project, sub names the source branch", func(j *gitlabJob) {
			j.protected, j.PipelineSource = false, "merge_request_event"
		}})
	}
	if g.PipelineSource != "" && g.PipelineSource != "merge_request_event" {
		changes = append(changes, change[gitlabJob]{"a merge request into another project", "whoever may propose one from the project and runs the other: its claims name the source project; a trust without pipeline_source lets it in", func(j *gitlabJob) {
			j.PipelineSource = "merge_request_event"
		}})
	}
	return g.Tokens(s).attacks(s, "https://vault.example.com", forge(g.job(s), append(changes, g.fromOtherEnvironments()...)...))
}

func (g GitLab) fromOtherEnvironments() []change[gitlabJob] {
	var changes []change[gitlabJob]
	if g.EnvironmentProtected {
		changes = append(changes, change[gitlabJob]{"an environment that is not protected", "whoever may push to the ref can name one in a job", func(j *gitlabJob) {
			j.subject = strings.Replace(j.GitLab.subject(j.byID), ":environment_protected:true", ":environment_protected:false", 1)
		}})
	}
	if g.DeploymentTier != "" {
		changes = append(changes, change[gitlabJob]{"an environment of another tier", "whoever may push to the ref can name one in a job", func(j *gitlabJob) {
			j.DeploymentTier = other("development", g.DeploymentTier)
		}})
	}
	return changes
}

// gitlabPath is a project with its groups: letters, digits and "_-.", two parts
// or more.
//
// https://docs.gitlab.com/user/reserved_names/#limitations-on-usernames-project-and-group-names
var gitlabPath = lazily(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)

var tiers = []string{"production", "staging", "testing", "development", "other"}

// Check refuses other spellings of the project, a ref that is many things, and
// claims that AWS would not see.
func (g GitLab) Check() []Problem {
	var problems []Problem
	switch {
	case g.ProjectPath == "":
		problems = append(problems, Problem{Field: "project_path", Msg: "is missing", Hint: "write GROUP/PROJECT, such as acme/shop"})
	case strings.ContainsAny(g.ProjectPath, wildcards):
		problems = append(problems, Problem{Field: "project_path", Msg: fmt.Sprintf("%q has a wildcard: it would trust projects that do not exist yet", g.ProjectPath), Hint: "declare one identity per project"})
	case strings.HasSuffix(g.ProjectPath, ".git"):
		problems = append(problems, Problem{Field: "project_path", Msg: fmt.Sprintf("%q ends in .git, which is of the address and not of the path", g.ProjectPath), Hint: "write " + strings.TrimSuffix(g.ProjectPath, ".git")})
	case strings.HasPrefix(g.ProjectPath, g.host()+"/") || !gitlabPath().MatchString(g.ProjectPath):
		problems = append(problems, Problem{Field: "project_path", Msg: fmt.Sprintf("%q is not the path of a project", g.ProjectPath), Hint: "write GROUP/PROJECT, with any subgroups between, without the host"})
	}
	problems = append(problems, checkChoice("ref_type", g.refType(), "branch", "tag")...)
	if g.Ref == "" {
		problems = append(problems, Problem{Field: "ref", Msg: "is missing: any branch of the project would be trusted", Hint: "write ref: main, or ref: v* with ref_type: tag"})
	}
	problems = append(problems, checkRef("ref", g.Ref)...)
	if g.DeploymentTier != "" {
		problems = append(problems, checkChoice("deployment_tier", g.DeploymentTier, tiers...)...)
	}
	if (g.EnvironmentProtected || g.DeploymentTier != "") && strings.Contains(g.Ref, "*") {
		problems = append(problems, Problem{Field: "ref", Msg: "has a wildcard, and more of the subject follows it: a branch could be named so that it takes that in", Hint: "declare one identity for each branch"})
	}
	if g.Host != "" {
		problems = append(problems, checkHost("host", g.Host, "gitlab.example.com")...)
	}
	problems = append(problems, checkAudience(g.Audience)...)
	return append(problems, g.checkClaims()...)
}

// checkClaims refuses what AWS cannot ask this host's tokens for.
func (g GitLab) checkClaims() []Problem {
	problems := checkDecimal("project_id", g.ProjectID, "the project's page shows it beside its name")
	for _, f := range []struct {
		field string
		set   bool
	}{{"ref_protected", g.RefProtected}, {"pipeline_source", g.PipelineSource != ""}} {
		if f.set && !Offered(g.host(), f.field) {
			problems = append(problems, Problem{Field: f.field, Msg: "AWS makes no condition key of it for " + g.host(), Hint: "remove it; on gitlab.com it can be asked for"})
		}
	}
	return append(problems, checkText("pipeline_source", g.PipelineSource)...)
}

func (g GitLab) open() []string {
	return facts(
		fact{g.ProjectID == "" && Offered(g.host(), "project_id"), "whoever makes a project " + g.ProjectPath + " after it was deleted or moved: add project_id"},
		fact{g.ProjectID == "" && !Offered(g.host(), "project_id"), "whoever makes a project " + g.ProjectPath + " after it was deleted or moved: have its subject begin with project_id (ci_id_token_sub_claim_components) and add project_id"},
		fact{!g.RefProtected && g.PipelineSource == "", "a merge request from a fork whose source branch is so named, if it may run in the project: protect the branch, and add ref_protected on gitlab.com"},
		fact{g.RefProtected && g.PipelineSource == "", "a merge request from the ref into another project, if the pipeline there names this one: add pipeline_source: push"},
		fact{strings.Contains(g.Ref, "*"), "whoever may push a " + g.refType() + " that matches " + g.Ref},
	)
}
