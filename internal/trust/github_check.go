package trust

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Check refuses what GitHub's tokens could never carry and what would trust
// more than one thing.
func (g GitHub) Check() []Problem {
	var problems []Problem
	problems = append(problems, checkRepository(g.Repository)...)
	problems = append(problems, g.checkIDs()...)
	problems = append(problems, g.checkOneContext()...)
	problems = append(problems, checkRef("branch", g.Branch)...)
	problems = append(problems, checkRef("tag", g.Tag)...)
	problems = append(problems, checkEnvironment(g.Environment)...)
	problems = append(problems, g.checkHost()...)
	return append(problems, g.checkWorkflow()...)
}

// slug is a name of GitHub's in an address.
var slug = lazily(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

func (g GitHub) checkHost() []Problem {
	switch {
	case g.Enterprise != "" && g.Host != "":
		return []Problem{{Field: "enterprise", Msg: "has an issuer of its own on github.com alone", Hint: "remove enterprise, or host"}}
	case g.Enterprise != "" && !slug().MatchString(g.Enterprise):
		return []Problem{{Field: "enterprise", Msg: fmt.Sprintf("%q is not the slug of an enterprise", g.Enterprise), Hint: "write what follows github.com/enterprises/ in its address"}}
	case g.Host == "":
		return nil
	case g.Host == "github.com":
		return []Problem{{Field: "host", Msg: "github.com is the default", Hint: "remove host"}}
	}
	return checkHost("host", g.Host, "github.example.com, or SUBDOMAIN.ghe.com")
}

// workflowRef is a workflow file of a repository at a ref.
var workflowRef = lazily(`^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+/\.github/workflows/[^/@\s]+\.ya?ml@(?:refs/(?:heads|tags)/[^\s]+|[0-9a-f]{40})$`)

// checkWorkflow refuses a workflow at any ref: whoever may push a branch of its
// repository could change it.
func (g GitHub) checkWorkflow() []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: "job_workflow_ref", Msg: msg, Hint: hint}}
	}
	const form = "write OWNER/NAME/.github/workflows/FILE.yml@refs/heads/BRANCH, a tag as @refs/tags/TAG, or @ and the commit's 40 digits"
	w := g.JobWorkflowRef
	switch {
	case w == "":
		return nil
	case strings.ContainsAny(w, wildcards):
		return refuse(fmt.Sprintf("%q has a wildcard: whoever may push another ref or file there could write the workflow", w), form)
	case !workflowRef().MatchString(w):
		return refuse(fmt.Sprintf("%q is not a workflow at a ref", w), form)
	case !Offered(g.issuer(), "job_workflow_ref"):
		return refuse("AWS makes no condition key of it for "+g.issuer(), "remove it, and let an environment's protection rules guard what runs")
	}
	return checkText("job_workflow_ref", w)
}

var (
	// Enterprise-managed user names hold one "_"; old accounts may end in "-".
	ownerName      = lazily(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	repositoryName = lazily(`^[A-Za-z0-9._-]+$`)
	githubID       = lazily(`^[1-9][0-9]*$`)
)

// Lengths are checked apart: counted repetition makes regular expressions slow
// to compile, and every command pays for that at its start.
const (
	maxOwner       = 39
	maxRepository  = 100
	maxGitHubID    = 19 // digits of a 64-bit number
	maxEnvironment = 255
)

func checkRepository(repository string) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: "repository", Msg: msg, Hint: hint}}
	}
	owner, name, _ := strings.Cut(repository, "/")
	switch {
	case repository == "":
		return refuse("is missing", "write OWNER/NAME, such as acme/shop")
	case strings.ContainsAny(repository, wildcards):
		return refuse(fmt.Sprintf("%q has a wildcard: it would trust repositories that do not exist yet", repository), "declare one identity per repository")
	case strings.Contains(repository, "github.com"):
		return refuse(fmt.Sprintf("%q is an address", repository), "write OWNER/NAME only, such as acme/shop")
	case strings.HasSuffix(repository, ".git"):
		return refuse(fmt.Sprintf("%q ends in .git, which is of the address and not of the name", repository), "write "+strings.TrimSuffix(repository, ".git"))
	case strings.Contains(repository, "@"):
		return refuse(fmt.Sprintf("%q holds ids", repository), "write OWNER/NAME here and the ids in owner_id and repository_id")
	case !validOwnerName(owner) || !validRepositoryName(name):
		return refuse(fmt.Sprintf("%q is not a name that GitHub allows", repository), "write OWNER/NAME in letters, digits, \"-\", \"_\" and (in NAME) \".\"")
	}
	return nil
}

func validOwnerName(name string) bool {
	return len(name) <= maxOwner && ownerName().MatchString(name)
}

func validRepositoryName(name string) bool {
	return len(name) <= maxRepository && repositoryName().MatchString(name) && name != "." && name != ".." && !strings.HasSuffix(name, ".git")
}

func (g GitHub) checkIDs() []Problem {
	var problems []Problem
	for _, f := range []struct{ field, value string }{{"repository_id", g.RepositoryID}, {"owner_id", g.OwnerID}} {
		if f.value != "" && (len(f.value) > maxGitHubID || !githubID().MatchString(f.value)) {
			problems = append(problems, Problem{Field: f.field, Msg: fmt.Sprintf("%q is not a decimal id", f.value), Hint: "gh api repos/OWNER/NAME --jq '.id, .owner.id' prints both ids"})
		}
	}
	if len(problems) == 0 && g.pinned() && !Offered(g.issuer(), "repository_id") {
		return []Problem{{
			Field: "repository_id",
			Msg:   "AWS makes no condition key of it for " + g.issuer(),
			Hint:  "remove repository_id and owner_id; on your own server nobody else registers a deleted name again",
		}}
	}
	missing := ""
	switch {
	case g.RepositoryID == "" && g.OwnerID != "":
		missing = "repository_id"
	case g.RepositoryID != "" && g.OwnerID == "":
		missing = "owner_id"
	}
	if missing != "" {
		problems = append(problems, Problem{
			Field: missing,
			Msg:   "is missing: the immutable subject names owner and repository by id",
			Hint:  "gh api repos/OWNER/NAME --jq '.id, .owner.id' prints both ids",
		})
	}
	return problems
}

// checkOneContext wants one thing of the repository, or an environment and a
// ref: the subject names the environment then, and a claim of its own the ref.
func (g GitHub) checkOneContext() []Problem {
	var set []string
	for _, f := range []struct {
		field string
		set   bool
	}{{"branch", g.Branch != ""}, {"tag", g.Tag != ""}, {"environment", g.Environment != ""}, {"pull_request", g.PullRequest}} {
		if f.set {
			set = append(set, f.field)
		}
	}
	both := len(set) == 2 && g.Environment != "" && !g.PullRequest
	switch {
	case len(set) == 0:
		return []Problem{{
			Msg:  "nothing of the repository is chosen: any workflow on any branch would be trusted",
			Hint: "add one of environment, branch, tag and pull_request; an environment can have protection rules",
		}}
	case both && !Offered(g.issuer(), "ref"):
		return []Problem{{
			Field: set[0],
			Msg:   "the environment takes its place in the subject, and AWS makes no condition key of ref for " + g.issuer(),
			Hint:  "remove it, and let the environment's protection rules name the branches that may deploy to it",
		}}
	case len(set) == 1 || both:
		return nil
	}
	return []Problem{{
		Field: set[1],
		Msg:   strings.Join(set, " and ") + " exclude each other: a run has one of them",
		Hint:  "declare one identity for each",
	}}
}

func checkEnvironment(name string) []Problem {
	switch {
	case name == "":
		return nil
	case utf8.RuneCountInString(name) > maxEnvironment:
		return []Problem{{Field: "environment", Msg: "is longer than the 255 characters that GitHub allows"}}
	case strings.TrimSpace(name) != name:
		return []Problem{{Field: "environment", Msg: fmt.Sprintf("%q begins or ends with a space, which GitHub drops", name)}}
	}
	return checkText("environment", name)
}
