package trust

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Forgejo is a Forgejo Actions workflow, proven by its OIDC token. The subjects
// of new repositories, and of those whose Actions were switched off and on
// again, hold ids: repo:OWNER-ID/NAME-ID. AWS can ask for no other claim, so
// with ids that form alone is trusted, and without the other alone. On an
// instance where anyone can register, the one without ids is whoever's who
// takes the name next.
//
// The two forms can read alike: acme/shop with the ids 1 and 2 has the subject
// that a repository shop-2 of acme-1 has without. Repositories from before the
// ids keep the form without, so whoever has one and gives it and its owner such
// names could pass. Whether Forgejo then prevents it is not verified.
//
// https://forgejo.org/docs/next/user/actions/security-openid-connect
type Forgejo struct {
	Host         string // "codeberg.org"
	Repository   string // "OWNER/NAME"
	RepositoryID string // decimal
	OwnerID      string // decimal
	Branch       string // "*" as of GitHub.Branch
	Tag          string // likewise
	PullRequest  bool
	Audience     string // empty: STS
}

// Kind is "forgejo".
func (Forgejo) Kind() string { return "forgejo" }

// Describe names the repository and what of it is trusted.
func (f Forgejo) Describe() string {
	return "Forgejo " + f.Host + "/" + f.Repository + ", " + f.like().context()
}

// like is the workflow of GitHub that has the same ref.
func (f Forgejo) like() GitHub {
	return GitHub{Repository: f.Repository, RepositoryID: f.RepositoryID, OwnerID: f.OwnerID, Branch: f.Branch, Tag: f.Tag, PullRequest: f.PullRequest}
}

func (f Forgejo) subject() string { return "repo:" + f.named() + ":" + f.like().subjectTail() }

// named is the repository as the subject names it.
func (f Forgejo) named() string {
	if f.RepositoryID == "" {
		return f.Repository
	}
	owner, name, _ := strings.Cut(f.Repository, "/")
	return owner + "-" + f.OwnerID + "/" + name + "-" + f.RepositoryID
}

func (f Forgejo) statement(s Scope) iam.Statement { return f.Tokens(s).statement(s) }

// Caller is the workflow with its token.
func (f Forgejo) Caller(s Scope) Caller { return f.Tokens(s).Sample.caller(s) }

// Tokens asks for the subject, with ids or without.
func (f Forgejo) Tokens(s Scope) Tokens {
	t := Tokens{
		Issuer: f.run(s).issuer(), Audiences: []string{f.run(s).audience}, Subjects: []string{f.subject()},
		Wide: f.like().wide(), Sample: f.run(s).claims(),
	}
	t.Known = t.asked()
	return t
}

// forgejoRun is one workflow run.
type forgejoRun struct {
	Forgejo
	audience string
}

func (f Forgejo) run(s Scope) forgejoRun {
	f.Branch, f.Tag = oneOf(f.Branch), oneOf(f.Tag)
	return forgejoRun{f, cmp.Or(f.Audience, Audience(s.Partition))}
}

func (r forgejoRun) issuer() string { return r.Host + "/api/actions" }

func (r forgejoRun) claims() Claims {
	return Claims{
		"iss": "https://" + r.issuer(), "aud": r.audience, "sub": r.subject(),
		"repository": r.Repository, "ref": r.like().ref(),
	}
}

// Attackers are runs of other repositories and refs of the instance.
func (f Forgejo) Attackers(s Scope) []Attack {
	owner, name, _ := strings.Cut(f.Repository, "/")
	moved := func(owner, name string) func(*forgejoRun) {
		return func(r *forgejoRun) {
			r.Repository = owner + "/" + name
			if f.RepositoryID != "" {
				r.OwnerID, r.RepositoryID = otherID(f.OwnerID), otherID(f.RepositoryID)
			}
		}
	}
	at := func(branch, tag string, pull bool) func(*forgejoRun) {
		return func(r *forgejoRun) { r.Branch, r.Tag, r.PullRequest = branch, tag, pull }
	}
	changes := []change[forgejoRun]{
		{"another owner's repository", "anyone on the instance can have it; a trust without sub lets it in", moved(other("mallory", owner), other("app", name))},
		{"a fork with the same name", "anyone can fork; a * for the owner lets it in", moved(other("mallory", owner), name)},
		{"another repository of the same owner", whyElse, moved(owner, other("playground", name))},
		{"a repository whose name begins alike", whyAlike, moved(owner, evil(name))},
		{"an owner whose name begins alike", "anyone can register it; repo:OWNER* lets it in", moved(evil(owner), name)},
		{"another branch", whyPushes, at(outside("feature", f.Branch), "", false)},
		{"another tag", "whoever may push a tag; a * for the ref lets it in", at("", outside("v0", f.Tag), false)},
	}
	if !f.PullRequest {
		changes = append(changes, change[forgejoRun]{"a pull request", "whoever may push any branch, before anyone has reviewed it; repo:OWNER/NAME:* lets it in", at("", "", true)})
	}
	if f.RepositoryID != "" {
		changes = append(changes, change[forgejoRun]{"a recycled name", "whoever registers owner and repository again after they were deleted; a * for the ids lets it in", moved(owner, name)})
	}
	return f.Tokens(s).attacks(s, "https://"+f.Host+"/"+owner, forge(f.run(s), changes...))
}

// Check refuses what GitHub's form would, and a host that is none.
func (f Forgejo) Check() []Problem {
	problems := checkHost("host", f.Host, "codeberg.org")
	switch {
	case strings.ContainsAny(f.Repository, wildcards):
		problems = append(problems, Problem{Field: "repository", Msg: fmt.Sprintf("%q has a wildcard: it would trust repositories that do not exist yet", f.Repository), Hint: "declare one identity per repository"})
	case !forgejoPath().MatchString(f.Repository):
		problems = append(problems, Problem{Field: "repository", Msg: fmt.Sprintf("%q is not OWNER/NAME", f.Repository), Hint: "write OWNER/NAME, such as acme/shop"})
	case f.RepositoryID == "" && likeIDs().MatchString(f.Repository):
		problems = append(problems, Problem{
			Field: "repository", Msg: fmt.Sprintf("%q reads like the subject of another repository with its ids", f.Repository),
			Hint: "switch the repository's Actions off and on, and add repository_id and owner_id",
		})
	}
	const where = "the API shows both: https://HOST/api/v1/repos/OWNER/NAME"
	problems = append(problems, checkDecimal("repository_id", f.RepositoryID, where)...)
	problems = append(problems, checkDecimal("owner_id", f.OwnerID, where)...)
	if (f.RepositoryID == "") != (f.OwnerID == "") {
		problems = append(problems, Problem{Field: "repository_id", Msg: "belongs together with owner_id: the subject has both or neither", Hint: where})
	}
	problems = append(problems, f.like().checkOneContext()...)
	problems = append(problems, checkRef("branch", f.Branch)...)
	problems = append(problems, checkRef("tag", f.Tag)...)
	return append(problems, checkAudience(f.Audience)...)
}

var (
	forgejoPath = lazily(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	likeIDs     = lazily(`-[0-9]+/.*-[0-9]+$`)
)

func (f Forgejo) open() []string {
	return facts(
		fact{f.RepositoryID != "", "a repository from before ids were in subjects, if its owner may name both " + f.named()},
		fact{f.RepositoryID == "", "whoever registers " + f.Repository + " again after it was deleted or renamed: switch Actions off and on and add repository_id and owner_id"},
		fact{f.like().wide(), "whoever may push a ref that matches " + f.like().ref()},
		fact{f.PullRequest, "whoever may propose a change, before anyone has reviewed it"},
	)
}
