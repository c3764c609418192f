package trust

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// fromElsewhere are the tokens of other repositories.
func (r run) fromElsewhere(s Scope) []Attack {
	stranger := other("mallory", r.owner)
	fork := r.in(stranger, r.name)
	fork.Branch, fork.Tag, fork.Environment = "", "", ""
	caller := r.in(stranger, other("caller", r.name))
	caller.workflow = r.Repository + "/.github/workflows/ci.yml"
	attacks := []Attack{
		{
			Name:   "another owner's repository",
			Why:    "anyone on GitHub can have it; a trust without sub lets it in",
			Claims: r.in(stranger, other("app", r.name)).claims(s),
		},
		{
			Name:   "another repository of the same owner",
			Why:    "every team of the owner can have it; repo:OWNER/* lets it in",
			Claims: r.in(r.owner, other("playground", r.name)).claims(s),
		},
		{
			Name:   "a fork with the same name",
			Why:    "anyone can fork and run the same workflow; a wildcard owner lets it in",
			Claims: r.in(stranger, r.name).claims(s),
		},
		{
			Name:   "a fork's pull request",
			Why:    "whoever forks can open one in the fork; a wildcard owner and context let it in",
			Claims: fork.claims(s),
		},
		{
			Name:   "a caller of the repository's reusable workflow",
			Why:    "anyone can call a public one, and job_workflow_ref then names it; a trust in that claim alone lets it in",
			Claims: caller.claims(s),
		},
	}
	return append(attacks, r.twins(s)...)
}

// twins are repositories whose names begin like the trusted one.
func (r run) twins(s Scope) []Attack {
	var attacks []Attack
	if name := r.name + "-evil"; validRepositoryName(name) {
		attacks = append(attacks, Attack{
			Name:   "a repository whose name begins alike",
			Why:    "anyone who may create repositories for the owner; repo:OWNER/NAME* lets it in",
			Claims: r.in(r.owner, name).claims(s),
		})
	}
	if owner := r.owner + "-evil"; validOwnerName(owner) {
		attacks = append(attacks, Attack{
			Name:   "an owner whose name begins alike",
			Why:    "anyone can register it; repo:OWNER* lets it in",
			Claims: r.in(owner, r.name).claims(s),
		})
	}
	return attacks
}

// fromOtherRefs are tokens of the trusted repository for what is not trusted of
// it. Whoever may push there can have them.
func (r run) fromOtherRefs(s Scope) []Attack {
	at := func(change func(*GitHub)) Claims {
		moved := r
		moved.Branch, moved.Tag, moved.Environment, moved.PullRequest = "", "", "", false
		change(&moved.GitHub)
		return moved.claims(s)
	}
	attacks := []Attack{
		{
			Name:   "another branch",
			Why:    "whoever may push a branch, without review; repo:OWNER/NAME:* lets it in",
			Claims: at(func(g *GitHub) { g.Branch = outside("feature", r.trusted.Branch) }),
		},
		{
			Name:   "another tag",
			Why:    "whoever may push a tag; a trust in the repository alone lets it in",
			Claims: at(func(g *GitHub) { g.Tag = outside("v0", r.trusted.Tag) }),
		},
		{
			Name:   "another environment",
			Why:    "whoever may name an unprotected environment in a workflow; environment:* lets it in",
			Claims: at(func(g *GitHub) { g.Environment = other("unprotected", r.Environment) }),
		},
	}
	if r.trusted.Wide() {
		attacks = append(attacks, r.besides(at)...)
	}
	if !r.PullRequest {
		attacks = append(attacks, Attack{
			Name:   "a pull request of the same repository",
			Why:    "whoever may push any branch, before anyone has reviewed it; repo:OWNER/NAME:* lets it in",
			Claims: at(func(g *GitHub) { g.PullRequest = true }),
		})
	}
	return attacks
}

// besides are refs that a careless wildcard takes in: those that end like the
// trusted ones, and those of the other kind with the same name.
func (r run) besides(at func(func(*GitHub)) Claims) []Attack {
	alike, twin := func(g *GitHub) { g.Branch = "x/" + r.Branch }, func(g *GitHub) { g.Tag = r.Branch }
	if r.Tag != "" {
		alike, twin = func(g *GitHub) { g.Tag = "x/" + r.Tag }, func(g *GitHub) { g.Branch = r.Tag }
	}
	return []Attack{
		{
			Name:   "a ref that ends alike",
			Why:    "whoever may push one; a wildcard before the fixed text lets it in",
			Claims: at(alike),
		},
		{
			Name:   "a ref of the other kind with the same name",
			Why:    "branches and tags are often protected apart; refs/* lets both in",
			Claims: at(twin),
		},
	}
}

// outside returns name, or a variant of it if the trusted ref, which may be a
// pattern, is it or takes it in.
func outside(name, trusted string) string {
	for _, candidate := range []string{name, name + "-2"} {
		if !iam.MatchFold(trusted, candidate) {
			return candidate
		}
	}
	return "other" // patterns begin with fixed text
}

// malformed are tokens of the right run that were not made for AWS.
func (r run) malformed(s Scope) []Attack {
	good := r.claims(s)
	return []Attack{
		{
			Name:   "a wrong audience",
			Why:    "a token that the workflow handed to another service, with GitHub's default audience; a trust without aud lets it in",
			Claims: good.with(map[string]string{"aud": "https://github.com/" + r.owner}),
		},
		{
			Name:   "no subject",
			Why:    "ForAllValues and IfExists hold when the claim is missing",
			Claims: good.with(map[string]string{"sub": ""}),
		},
		{
			Name:   "a subject template that drops the repository",
			Why:    "any owner may set one, such as the workflow's name alone; a trust in the tail of sub lets it in",
			Claims: r.in(other("mallory", r.owner), r.name).claims(s).with(map[string]string{"sub": r.subjectTail()}),
		},
	}
}

// recycled are tokens of a repository that took the name of a deleted one.
func (r run) recycled(s Scope) []Attack {
	again := r.in(r.owner, r.name)
	again.OwnerID = otherID(r.OwnerID)
	legacy := again
	legacy.immutable = false
	return []Attack{
		{
			Name:   "a recycled name",
			Why:    "whoever registers owner and repository again after they were deleted; the name in sub lets it in",
			Claims: legacy.claims(s),
		},
		{
			Name:   "a recycled name with an immutable subject",
			Why:    "the same, for a repository created after 15 July 2026; a wildcard for the ids lets it in",
			Claims: again.claims(s),
		},
	}
}

// other returns name, or a variant of it if name is taken. GitHub's names do
// not differ by case alone.
func other(name, taken string) string {
	if strings.EqualFold(name, taken) {
		return name + "-2"
	}
	return name
}
