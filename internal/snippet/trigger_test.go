package snippet

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// at walks into a document by keys and indices; nil where there is nothing.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// only is the one value of a map.
func only(t testing.TB, v any) any {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		t.Fatalf("%v is no map of one", v)
	}
	for _, one := range m {
		return one
	}
	return nil
}

// token is what a run of a snippet would present, read from the text alone.
type token struct{ audience, subject string }

// githubRun reads a workflow as GitHub does: what starts it, and as what.
func githubRun(t *testing.T, repository string, doc map[string]any) token {
	t.Helper()
	job := only(t, doc["jobs"])
	run := token{audience: "sts.amazonaws.com"}
	for i := range 5 {
		if aud, ok := at(t, job, "steps", i, "with", "audience").(string); ok {
			run.audience = aud
		}
	}
	branch, _ := at(t, doc, "on", "push", "branches", 0).(string)
	tag, _ := at(t, doc, "on", "push", "tags", 0).(string)
	environment, _ := at(t, job, "environment").(string)
	_, pulls := at(t, doc, "on").(map[string]any)["pull_request"]
	unescape := strings.NewReplacer("**", "*", `\+`, "+", `\!`, "!")
	run.subject = "repo:" + repository + ":"
	switch {
	case environment != "":
		run.subject += "environment:" + strings.ReplaceAll(environment, ":", "%3A")
	case branch != "":
		run.subject += "ref:refs/heads/" + unescape.Replace(branch)
	case tag != "":
		run.subject += "ref:refs/tags/" + unescape.Replace(tag)
	case pulls:
		run.subject += "pull_request"
	}
	return run
}

// TestGitHubRunsAreTrusted holds what a workflow would present against what the
// trust policy asks for.
func TestGitHubRunsAreTrusted(t *testing.T) {
	each(t, "github", func(t *testing.T, id trust.Identity, s Snippet) (token, bool) {
		doc := parse(t, s)
		if _, calls := only(t, doc["jobs"]).(map[string]any)["uses"]; calls {
			return token{}, false // the called one asks for the token
		}
		if _, called := at(t, doc, "on").(map[string]any)["workflow_call"]; called && id.(trust.GitHub).Environment == "" {
			return token{}, false // the caller's ref is in the subject
		}
		return githubRun(t, id.(trust.GitHub).Repository, doc), true
	})
}

func TestForgejoRunsAreTrusted(t *testing.T) {
	each(t, "forgejo", func(t *testing.T, id trust.Identity, s Snippet) (token, bool) {
		f := id.(trust.Forgejo)
		repository := f.Repository
		if f.RepositoryID != "" {
			owner, name, _ := strings.Cut(repository, "/")
			repository = owner + "-" + f.OwnerID + "/" + name + "-" + f.RepositoryID
		}
		doc := parse(t, s)
		run := githubRun(t, repository, doc)
		script := at(t, only(t, doc["jobs"]), "steps", 0, "run").(string)
		_, audience, _ := strings.Cut(script, "&audience=")
		audience, _, _ = strings.Cut(audience, `"`)
		run.audience = strings.NewReplacer("+", " ", "%26", "&").Replace(audience)
		return run, true
	})
}

// compared is the ref that a condition lets through, in the spec's words.
func compared(condition string) string {
	if text, equals := strings.CutPrefix(condition, `== "`); equals {
		return strings.ReplaceAll(strings.TrimSuffix(text, `"`), "*", "a star")
	}
	expr := strings.TrimSuffix(strings.TrimPrefix(condition, "=~ /^"), "$/")
	return strings.NewReplacer(".*", "*", `\/`, "/", `\$`, "$").Replace(expr)
}

func TestGitLabRunsAreTrusted(t *testing.T) {
	each(t, "gitlab", func(t *testing.T, id trust.Identity, s Snippet) (token, bool) {
		job := only(t, parse(t, s))
		rule := at(t, job, "rules", 0, "if").(string)
		variable, kind, ref := "", "branch", ""
		variable, ref, _ = strings.Cut(rule, " ")
		if variable == "$CI_COMMIT_TAG" {
			kind = "tag"
		}
		ref, _, _ = strings.Cut(ref, " && ")
		ref = compared(ref)
		g := id.(trust.GitLab)
		run := token{
			audience: at(t, job, "id_tokens", "AWS_ID_TOKEN", "aud").(string),
			subject:  "project_path:" + g.ProjectPath + ":ref_type:" + kind + ":ref:" + ref,
		}
		if g.EnvironmentProtected {
			run.subject += ":environment_protected:true"
		}
		if tier, ok := at(t, job, "environment", "deployment_tier").(string); ok {
			run.subject += ":deployment_tier:" + tier
		}
		for condition, asked := range map[string]bool{
			`$CI_COMMIT_REF_PROTECTED == "true"`:                g.RefProtected,
			`$CI_PIPELINE_SOURCE == "` + g.PipelineSource + `"`: g.PipelineSource != "",
		} {
			if strings.Contains(rule, condition) != asked {
				t.Errorf("%s: asked %v, rule %s", condition, asked, rule)
			}
		}
		return run, true
	})
}

func TestCircleCIRunsAreTrusted(t *testing.T) {
	each(t, "circleci", func(t *testing.T, id trust.Identity, s Snippet) (token, bool) {
		c, doc := id.(trust.CircleCI), parse(t, s)
		script := strings.Join(scripts(doc), "\n")
		run := token{audience: c.OrganizationID}
		if _, aud, ok := strings.Cut(script, `{"aud":"`); ok {
			aud, _, _ = strings.Cut(aud, `"}`)
			run.audience = strings.ReplaceAll(aud, `'\''`, "'")
		}
		run.subject = "org/" + c.OrganizationID + "/project/" + c.ProjectID + "/user/" + "????????-????-????-????-????????????"
		job := at(t, only(t, doc["workflows"]), "jobs", 0)
		if _, unfiltered := job.(string); unfiltered {
			return run, strings.Contains(script, `"$CIRCLE_OIDC_TOKEN"`)
		}
		if strings.Contains(script, `"$CIRCLE_OIDC_TOKEN"`) {
			t.Error("the first token does not name the ref")
		}
		run.subject += "/vcs-origin/" + c.VCSOrigin + "/vcs-ref/"
		if branch, ok := at(t, only(t, job), "filters", "branches", "only").(string); ok {
			run.subject += "refs/heads/" + branch
		} else {
			tag := at(t, only(t, job), "filters", "tags", "only").(string)
			run.subject += "refs/tags/" + strings.NewReplacer("/^", "", ".*", "*", "$/", "").Replace(tag)
		}
		return run, true
	})
}

func TestBuildkiteRunsAreTrusted(t *testing.T) {
	each(t, "buildkite", func(t *testing.T, id trust.Identity, s Snippet) (token, bool) {
		b, doc := id.(trust.Buildkite), parse(t, s)
		step := at(t, doc, "steps", 0).(map[string]any)
		kind, ref, _ := strings.Cut(strings.ReplaceAll(step["if"].(string), "$$", "$"), " ")
		ref = compared(ref)
		key := "*"
		if b.Step != "" {
			key = step["key"].(string)
		}
		_, audience, _ := strings.Cut(strings.Join(scripts(doc), "\n"), "--audience ")
		return token{
			audience: strings.Fields(audience)[0],
			subject: "organization:" + b.Organization + ":pipeline:" + b.Pipeline +
				":ref:" + map[string]string{"build.branch": "refs/heads/", "build.tag": "refs/tags/"}[kind] + ref +
				":commit:" + strings.Repeat("?", 40) + ":step:" + key,
		}, true
	})
}

// each has a token read from every snippet of a system, and compares it with
// what the identity's tokens must have.
func each(t *testing.T, system string, read func(*testing.T, trust.Identity, Snippet) (token, bool)) {
	t.Helper()
	read1 := 0
	for _, path := range specs {
		s, all := load(t, path)
		for _, one := range all {
			if one.System != system {
				continue
			}
			t.Run(one.Identity, func(t *testing.T) {
				tokens := tokensOf(t, s, one)
				got, ok := read(t, proofOf(t, s, one.Identity), one)
				if !ok {
					return
				}
				read1++
				if !slices.Contains(tokens.Audiences, got.audience) || !slices.Contains(tokens.Subjects, got.subject) {
					t.Errorf("presents %+v, but the role trusts %q of %q\n%s", got, tokens.Subjects, tokens.Audiences, one.Text)
				}
			})
		}
	}
	if read1 < 2 {
		t.Errorf("only %d snippets of %s were read", read1, system)
	}
}

func proofOf(t testing.TB, s *spec.Spec, identity string) trust.Identity {
	t.Helper()
	for i := range s.Identities {
		if s.Identities[i].Name == identity {
			return compile.Proof(s, &s.Identities[i])
		}
	}
	t.Fatalf("no identity %s", identity)
	return nil
}

func tokensOf(t testing.TB, s *spec.Spec, one Snippet) trust.Tokens {
	t.Helper()
	tokens, ok := trust.TokensOf(proofOf(t, s, one.Identity), trust.Scope{Partition: s.Partition, Region: s.Region, Account: s.Accounts[0].ID})
	if !ok {
		t.Fatalf("no token proves %s", one.Identity)
	}
	return tokens
}
