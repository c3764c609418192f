package trust

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
)

// GitHubIssuer is the issuer of github.com's Actions tokens as IAM spells it,
// in provider ARNs and condition keys: without the scheme.
const GitHubIssuer = "token.actions.githubusercontent.com"

// Issuer returns the OIDC issuer, without "https://", whose tokens prove the
// identity; ok is false if no token does.
func Issuer(id Identity) (issuer string, ok bool) {
	if _, is := id.(GitHub); is {
		return GitHubIssuer, true
	}
	return "", false
}

// Audiences returns the audiences that the identity's tokens must carry, which
// the issuer's provider in the account must list too; nil if no token proves it.
func Audiences(id Identity, s Scope) []string {
	if _, ok := Issuer(id); !ok {
		return nil
	}
	return []string{Audience(s.Partition)}
}

// Audience is what AWS's own action asks for as the audience of a token for STS
// of the partition. It ties a token to AWS, not to an account: any workflow may
// ask for it.
//
// https://github.com/aws-actions/configure-aws-credentials#oidc-audience
func Audience(partition string) string {
	return "sts." + suffix(partition)
}

// ProviderARN names the OIDC provider of the issuer in the scope's account.
func ProviderARN(s Scope, issuer string) string {
	return fmt.Sprintf("arn:%s:iam::%s:oidc-provider/%s", s.Partition, s.Account, issuer)
}

// Kind is "github".
func (GitHub) Kind() string { return "github" }

// Describe names the repository and what of it is trusted.
func (g GitHub) Describe() string {
	name, value := g.context()
	if value == "" {
		return "GitHub " + g.Repository + ", " + name
	}
	return "GitHub " + g.Repository + ", " + name + " " + value
}

// context names the one thing of the repository that is trusted, for people.
func (g GitHub) context() (name, value string) {
	switch {
	case g.Branch != "" && g.Wide():
		return "branches", g.Branch
	case g.Branch != "":
		return "branch", g.Branch
	case g.Tag != "" && g.Wide():
		return "tags", g.Tag
	case g.Tag != "":
		return "tag", g.Tag
	case g.Environment != "":
		return "environment", g.Environment
	default:
		return "pull requests", ""
	}
}

// Subjects returns the sub claims that are trusted: the legacy form, and with
// both ids the immutable one, so that trust survives the day when the
// repository goes over to it.
func (g GitHub) Subjects() []string {
	legacy := "repo:" + g.Repository + ":" + g.subjectTail()
	if !g.pinned() {
		return []string{legacy}
	}
	owner, name, _ := strings.Cut(g.Repository, "/")
	return []string{legacy, immutableSubject(owner, g.OwnerID, name, g.RepositoryID, g.subjectTail())}
}

func immutableSubject(owner, ownerID, name, id, tail string) string {
	return "repo:" + owner + "@" + ownerID + "/" + name + "@" + id + ":" + tail
}

// pinned reports whether the ids say which repository of the name is meant.
func (g GitHub) pinned() bool { return g.RepositoryID != "" && g.OwnerID != "" }

// subjectTail is the end of the subject. GitHub writes ":" within a value as
// "%3A", so that no value can pose as several parts.
func (g GitHub) subjectTail() string {
	escape := func(v string) string { return strings.ReplaceAll(v, ":", "%3A") }
	switch {
	case g.Branch != "":
		return "ref:refs/heads/" + escape(g.Branch)
	case g.Tag != "":
		return "ref:refs/tags/" + escape(g.Tag)
	case g.Environment != "":
		return "environment:" + escape(g.Environment)
	default:
		return "pull_request"
	}
}

// Wide reports whether a wildcard stands for many branches or tags, present and
// future: whoever may make one of them is trusted.
func (g GitHub) Wide() bool { return strings.Contains(g.Branch+g.Tag, "*") }

func (g GitHub) statement(s Scope) iam.Statement {
	subject := equals(GitHubIssuer+":sub", g.Subjects()...)
	if g.Wide() {
		subject.Operator = "StringLike"
	}
	conditions := []iam.Condition{equals(GitHubIssuer+":aud", Audience(s.Partition)), subject}
	if g.pinned() {
		// The legacy subject has no ids: whoever registers a deleted
		// repository's name again could present it.
		conditions = append(conditions, equals(GitHubIssuer+":repository_id", g.RepositoryID))
	}
	return iam.Statement{
		Effect:     iam.Allow,
		Principal:  &iam.Principal{Federated: []string{ProviderARN(s, GitHubIssuer)}},
		Actions:    []string{"sts:AssumeRoleWithWebIdentity"},
		Conditions: conditions,
	}
}

// Check refuses what GitHub's tokens could never carry and what would trust
// more than one thing.
func (g GitHub) Check() []Problem {
	var problems []Problem
	problems = append(problems, checkRepository(g.Repository)...)
	problems = append(problems, g.checkIDs()...)
	problems = append(problems, g.checkOneContext()...)
	problems = append(problems, checkRef("branch", g.Branch)...)
	problems = append(problems, checkRef("tag", g.Tag)...)
	return append(problems, checkEnvironment(g.Environment)...)
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

const wildcards = "*?"

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
	switch len(set) {
	case 1:
		return nil
	case 0:
		return []Problem{{
			Msg:  "nothing of the repository is chosen: any workflow on any branch would be trusted",
			Hint: "add one of environment, branch, tag and pull_request; an environment can have protection rules",
		}}
	}
	return []Problem{{
		Field: set[1],
		Msg:   strings.Join(set, " and ") + " exclude each other: a token carries one of them, and environment wins over the ref",
		Hint:  "declare one identity for each",
	}}
}

// checkRef follows git's rules for names under refs/heads and refs/tags.
//
// https://git-scm.com/docs/git-check-ref-format
func checkRef(field, ref string) []Problem {
	if ref == "" {
		return nil
	}
	if p := checkWildcard(field, ref); p != nil {
		return p
	}
	one := strings.ReplaceAll(ref, "*", "x") // of the refs that it stands for
	if p := checkText(field, one); p != nil {
		return p
	}
	ref, written := one, ref
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: field, Msg: fmt.Sprintf("%q %s", written, msg), Hint: hint}}
	}
	switch {
	case strings.HasPrefix(ref, "refs/"):
		return refuse("is a full ref", "write the name without refs/heads/ or refs/tags/")
	case strings.ContainsAny(ref, ` ~^:[\`), strings.Contains(ref, ".."), strings.Contains(ref, "@{"), strings.Contains(ref, "//"), ref == "@",
		strings.HasPrefix(ref, "/"), strings.HasPrefix(ref, "-"), strings.HasSuffix(ref, "/"), strings.HasSuffix(ref, "."):
		return refuse("is not a name that git allows", "")
	}
	for part := range strings.SplitSeq(ref, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return refuse("is not a name that git allows", "")
		}
	}
	return nil
}

// checkWildcard allows "*" in the last part of a ref, behind text that is fixed:
// v*, release/*. Git allows no such character in a ref, so it can mean nothing
// else.
func checkWildcard(field, ref string) []Problem {
	refuse := func(msg string) []Problem {
		return []Problem{{
			Field: field, Msg: fmt.Sprintf("%q %s", ref, msg),
			Hint: fmt.Sprintf("declare one identity for each %s, or write what all begin with and one * at the end: release/*", field),
		}}
	}
	first, last := strings.Index(ref, "*"), strings.LastIndex(ref, "/")
	switch {
	case strings.Contains(ref, "?"):
		return refuse("has the wildcard ?")
	case first < 0:
		return nil
	case first == 0:
		return refuse("begins with a wildcard: anyone who may push anything would be trusted")
	case first < last:
		return refuse("has a wildcard before its last part")
	}
	return nil
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

// checkText refuses what a condition value of a policy cannot hold as itself.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func checkText(field, value string) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: field, Msg: fmt.Sprintf("%q %s", value, msg), Hint: hint}}
	}
	switch {
	case strings.ContainsAny(value, wildcards):
		return refuse("has a wildcard: the subject is compared exactly, so it would match nothing", "declare one identity for each "+field)
	case strings.Contains(value, "${"):
		return refuse("holds ${, which IAM would read as a policy variable", "rename the "+field)
	case !utf8.ValidString(value):
		return refuse("is not valid UTF-8", "")
	}
	for _, r := range value {
		if r < ' ' || r == 0x7f || r > 0xff {
			return refuse(fmt.Sprintf("holds the character %U, which a policy cannot", r), "rename the "+field)
		}
	}
	return nil
}
