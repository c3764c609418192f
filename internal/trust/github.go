package trust

import (
	"cmp"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// GitHubIssuer is the issuer of github.com's Actions tokens as IAM spells it,
// in provider ARNs and condition keys: without the scheme.
const GitHubIssuer = "token.actions.githubusercontent.com"

// Kind is "github".
func (GitHub) Kind() string { return "github" }

// Describe names the repository and what of it is trusted.
func (g GitHub) Describe() string {
	line := "GitHub " + g.Repository + ", " + g.context()
	if g.JobWorkflowRef != "" {
		line += ", workflow " + g.JobWorkflowRef
	}
	if host := cmp.Or(g.Host, g.Enterprise); host != "" {
		line += " (" + host + ")"
	}
	return line
}

// context names what of the repository is trusted, for people.
func (g GitHub) context() string {
	var parts []string
	for _, part := range []struct{ one, many, value string }{
		{"environment", "", g.Environment}, {"branch", "branches", g.Branch}, {"tag", "tags", g.Tag},
	} {
		switch {
		case strings.Contains(part.value, "*"):
			parts = append(parts, part.many+" "+part.value)
		case part.value != "":
			parts = append(parts, part.one+" "+part.value)
		}
	}
	if len(parts) == 0 {
		return "pull requests"
	}
	return strings.Join(parts, ", ")
}

// issuer is that of github.com, of an enterprise that has a path of its own
// there, of a data-residency host or of an Enterprise Server.
//
// https://docs.github.com/en/enterprise-cloud@latest/actions/reference/security/oidc#customizing-the-issuer-value-for-an-enterprise
// https://docs.github.com/en/enterprise-server@latest/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
func (g GitHub) issuer() string {
	switch {
	case g.Host != "" && g.residency():
		return "token.actions." + g.Host
	case g.Host != "":
		return g.Host + "/_services/token"
	case g.Enterprise != "":
		return GitHubIssuer + "/" + g.Enterprise
	}
	return GitHubIssuer
}

// residency reports a host of GitHub Enterprise Cloud with data residency.
func (g GitHub) residency() bool { return strings.HasSuffix(g.Host, ".ghe.com") }

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

// subjectTail is the end of the subject, in which an environment takes the place
// of the ref. GitHub writes ":" within a value as "%3A", so that no value can
// pose as several parts.
func (g GitHub) subjectTail() string {
	escape := func(v string) string { return strings.ReplaceAll(v, ":", "%3A") }
	switch {
	case g.Environment != "":
		return "environment:" + escape(g.Environment)
	case g.Branch != "":
		return "ref:refs/heads/" + escape(g.Branch)
	case g.Tag != "":
		return "ref:refs/tags/" + escape(g.Tag)
	default:
		return "pull_request"
	}
}

// twin is another environment with the same subject, for "%" itself is not
// escaped: "prod:eu" and "prod%3Aeu". Empty: there is none. Branches and tags
// have no twins, since git allows no ":" in them.
func (g GitHub) twin() string {
	if plain := strings.ReplaceAll(g.Environment, "%3A", ":"); plain != g.Environment {
		return plain
	}
	if escaped := strings.ReplaceAll(g.Environment, ":", "%3A"); escaped != g.Environment {
		return escaped
	}
	return ""
}

// ref is the full ref that is trusted, or a pattern; empty: any.
func (g GitHub) ref() string {
	switch {
	case g.Branch != "":
		return "refs/heads/" + g.Branch
	case g.Tag != "":
		return "refs/tags/" + g.Tag
	}
	return ""
}

func (g GitHub) wide() bool { return strings.Contains(g.Branch+g.Tag, "*") }

func (g GitHub) statement(s Scope) iam.Statement { return g.Tokens(s).statement(s) }

// Caller is the workflow with its token.
func (g GitHub) Caller(s Scope) Caller { return g.Tokens(s).Sample.caller(s) }

// Tokens asks for the repository's id beside the subject if it is known: the
// legacy subject has no ids, and whoever registers a deleted repository's name
// again could present it. The sample has the immutable subject then; without
// ids it carries some that are made up from the names.
func (g GitHub) Tokens(s Scope) Tokens {
	t := Tokens{
		Issuer: g.issuer(), Audiences: []string{Audience(s.Partition)}, Subjects: g.Subjects(),
		Wide: g.wide(), Sample: g.run(s).claims(), Known: g.known(),
	}
	if g.pinned() {
		t.Pins = append(t.Pins, Claim{"repository_id", g.RepositoryID})
	}
	if g.twin() != "" && Offered(g.issuer(), "environment") {
		t.Pins = append(t.Pins, Claim{"environment", g.Environment})
	}
	if g.Environment != "" && g.ref() != "" {
		t.Pins = append(t.Pins, Claim{"ref", g.ref()})
	}
	if g.JobWorkflowRef != "" {
		t.Pins = append(t.Pins, Claim{"job_workflow_ref", g.JobWorkflowRef})
	}
	return t
}

// known has a form for each that the subject may have: without ids the immutable
// one has digits that nobody here knows. The workflow may ask for any audience, be
// started by anyone and run jobs of any file. No name can hold a wildcard of its
// own, see Check.
func (g GitHub) known() Known {
	subjects := g.Subjects()
	if !g.pinned() {
		owner, name, _ := strings.Cut(g.Repository, "/")
		subjects = append(subjects, immutableSubject(owner, "*", name, "*", g.subjectTail()))
	}
	known := Known{Wild: "0123456789"}
	if g.wide() {
		known.Wild = "" // any text
	}
	for _, subject := range subjects {
		known.Forms = append(known.Forms, keysOf(g.issuer(), map[string]string{
			"sub":                 subject,
			"repository":          g.Repository,
			"repository_id":       g.RepositoryID,
			"repository_owner_id": g.OwnerID,
			"environment":         g.Environment,
			"ref":                 g.ref(),
			"job_workflow_ref":    g.JobWorkflowRef,
		}))
	}
	return known
}

// open names the deleted repository, and refs that nobody may have reviewed.
func (g GitHub) open() []string {
	return facts(
		fact{!g.pinned() && Offered(g.issuer(), "repository_id"), "whoever registers " + g.Repository + " again after it was deleted or renamed: add repository_id and owner_id, without which newer repositories do not get in at all"},
		fact{g.twin() != "" && !Offered(g.issuer(), "environment"), "whoever may make the environment " + g.twin() + ", which has the same subject: rename the environment"},
		fact{g.Environment != "" || g.Branch != "" && !g.wide(), "a pull request whose code a workflow of the default branch runs, under pull_request_target, workflow_run or issue_comment"},
		fact{g.wide(), "whoever may push a ref that matches " + g.ref()},
		fact{g.PullRequest, "whoever may push a branch, before anyone has reviewed it"},
	)
}
