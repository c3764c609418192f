package trust

import (
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Attackers returns tokens that strangers, and other workflows of the same
// owner, can obtain and that must not pass as the identity. Without ids in the
// identity it does not hold the one attack that then succeeds: a deleted
// repository's name, registered again by someone else.
func (g GitHub) Attackers(s Scope) []Attack {
	r := g.run(s)
	forged := r.fromElsewhere()
	forged = append(forged, r.fromOtherRefs()...)
	if g.pinned() {
		forged = append(forged, r.recycled()...)
	}
	if g.JobWorkflowRef != "" {
		forged = append(forged, r.fromOtherWorkflows()...)
	}
	if g.twin() != "" && Offered(g.issuer(), "environment") {
		twin := r
		twin.Environment = g.twin()
		forged = append(forged, forgery{
			"an environment with the same subject", "whoever may name an unprotected environment in a workflow: GitHub writes : as %3A and leaves %3A as it is; a trust in sub alone lets it in", twin.claims(),
		})
	}
	forged = append(forged, forgery{
		"a subject template that drops the repository", "any owner may set one, such as the workflow's name alone; a trust in the tail of sub lets it in",
		r.in(other("mallory", r.owner), r.name).claims().with(map[string]string{"sub": r.subjectTail()}),
	})
	return g.Tokens(s).attacks(s, "https://github.com/"+r.owner, forged)
}

// run is one workflow run: what GitHub knows when it signs a token.
type run struct {
	GitHub             // of this run: no wildcards
	trusted     GitHub // as it is declared
	audience    string
	owner, name string
	immutable   bool   // the repository uses the immutable subject form
	workflow    string // job_workflow_ref
}

func (g GitHub) run(s Scope) run {
	r := run{immutable: g.pinned(), trusted: g, audience: Audience(s.Partition), workflow: g.JobWorkflowRef}
	r.GitHub = g
	r.Branch, r.Tag = strings.ReplaceAll(g.Branch, "*", "1"), strings.ReplaceAll(g.Tag, "*", "1")
	r.owner, r.name, _ = strings.Cut(g.Repository, "/")
	if !g.pinned() {
		r.OwnerID, r.RepositoryID = madeUpID(r.owner), madeUpID(g.Repository)
	}
	return r
}

// madeUpID is a stable id for a name, in the range that GitHub gives out.
func madeUpID(name string) string {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(name))) // never fails
	return strconv.FormatUint(uint64(h.Sum32()%1_000_000_000)+1, 10)
}

// otherID is an id that is not the given one.
func otherID(id string) string {
	if other := madeUpID("recycled " + id); other != id {
		return other
	}
	return "1" + id
}

// in moves the run to another repository, with ids of its own.
func (r run) in(owner, name string) run {
	moved := r
	if owner != r.owner {
		moved.owner, moved.OwnerID = owner, otherID(r.OwnerID)
	}
	moved.name, moved.RepositoryID = name, otherID(r.RepositoryID)
	moved.Repository = owner + "/" + name
	return moved
}

func (r run) subject() string {
	if r.immutable {
		return immutableSubject(r.owner, r.OwnerID, r.name, r.RepositoryID, r.subjectTail())
	}
	return "repo:" + r.Repository + ":" + r.subjectTail()
}

// claims are what GitHub puts into the token of the run, without the times.
func (r run) claims() Claims {
	event, ref, refType := r.event()
	workflow := r.workflow
	if workflow == "" {
		workflow = r.ownWorkflow() + "@" + ref
	}
	c := Claims{
		"iss":                   "https://" + r.issuer(),
		"aud":                   r.audience,
		"sub":                   r.subject(),
		"repository":            r.Repository,
		"repository_id":         r.RepositoryID,
		"repository_owner":      r.owner,
		"repository_owner_id":   r.OwnerID,
		"repository_visibility": "private",
		"ref":                   ref,
		"ref_type":              refType,
		"event_name":            event,
		"actor":                 r.owner,
		"actor_id":              r.OwnerID,
		"workflow":              "ci",
		"workflow_ref":          r.ownWorkflow() + "@" + ref,
		"job_workflow_ref":      workflow,
		"runner_environment":    "github-hosted",
		"run_id":                "1",
		"run_number":            "1",
		"run_attempt":           "1",
	}
	if r.Environment != "" {
		c["environment"] = r.Environment
	}
	if event == "pull_request" {
		c["head_ref"], c["base_ref"] = "feature", "main"
	}
	return c
}

// ownWorkflow is a workflow file of the repository itself.
func (r run) ownWorkflow() string { return r.Repository + "/.github/workflows/ci.yml" }

// event is what triggered the run, and the ref it ran on.
func (r run) event() (event, ref, refType string) {
	switch {
	case r.Tag != "":
		return "push", "refs/tags/" + r.Tag, "tag"
	case r.Branch != "":
		return "push", "refs/heads/" + r.Branch, "branch"
	case r.Environment != "":
		return "push", "refs/heads/main", "branch"
	default:
		return "pull_request", "refs/pull/1/merge", "branch"
	}
}

// fromElsewhere are the tokens of other repositories.
func (r run) fromElsewhere() []forgery {
	mallory := other("mallory", r.owner)
	fork := r.in(mallory, r.name)
	fork.Branch, fork.Tag, fork.Environment = "", "", ""
	caller := r.in(mallory, other("caller", r.name))
	if caller.workflow == "" {
		caller.workflow = r.ownWorkflow() + "@refs/heads/main"
	}
	forged := []forgery{
		{"another owner's repository", "anyone on GitHub can have it; a trust without sub lets it in", r.in(mallory, other("app", r.name)).claims()},
		{"another repository of the same owner", "every team of the owner can have it; repo:OWNER/* lets it in", r.in(r.owner, other("playground", r.name)).claims()},
		{"a fork with the same name", "anyone can fork and run the same workflow; a wildcard owner lets it in", r.in(mallory, r.name).claims()},
		{"a fork's pull request", "whoever forks can open one in the fork; a wildcard owner and context let it in", fork.claims()},
		{"a caller of the repository's reusable workflow", "anyone can call a public one, and job_workflow_ref then names it; a trust in that claim alone lets it in", caller.claims()},
	}
	return append(forged, r.twins()...)
}

// twins are repositories whose names begin like the trusted one.
func (r run) twins() []forgery {
	var forged []forgery
	if name := r.name + "-evil"; validRepositoryName(name) {
		forged = append(forged, forgery{
			"a repository whose name begins alike", "anyone who may create repositories for the owner; repo:OWNER/NAME* lets it in", r.in(r.owner, name).claims(),
		})
	}
	if owner := r.owner + "-evil"; validOwnerName(owner) {
		forged = append(forged, forgery{"an owner whose name begins alike", "anyone can register it; repo:OWNER* lets it in", r.in(owner, r.name).claims()})
	}
	return forged
}

// fromOtherRefs are tokens of the trusted repository for what is not trusted of
// it. Whoever may push there can have them.
func (r run) fromOtherRefs() []forgery {
	at := func(change func(*GitHub)) Claims {
		moved := r
		moved.Branch, moved.Tag, moved.Environment, moved.PullRequest = "", "", "", false
		change(&moved.GitHub)
		return moved.claims()
	}
	feature := func(g *GitHub) { g.Branch = outside("feature", r.trusted.Branch) }
	forged := []forgery{
		{"another branch", "whoever may push a branch, without review; repo:OWNER/NAME:* lets it in", at(feature)},
		{"another tag", "whoever may push a tag; a trust in the repository alone lets it in", at(func(g *GitHub) { g.Tag = outside("v0", r.trusted.Tag) })},
		{
			"another environment", "whoever may name an unprotected environment in a workflow; environment:* lets it in",
			at(func(g *GitHub) { g.Environment = other("unprotected", r.Environment) }),
		},
	}
	if r.trusted.wide() {
		forged = append(forged, r.besides(at)...)
	}
	if r.Environment != "" && r.trusted.ref() != "" {
		forged = append(forged, forgery{
			"the environment from another ref", "whoever may push a branch that names the environment, if it has no protection rules; the subject says nothing of the ref",
			at(func(g *GitHub) { feature(g); g.Environment = r.Environment }),
		})
	}
	if !r.PullRequest {
		forged = append(forged, forgery{
			"a pull request of the same repository", "whoever may push any branch, before anyone has reviewed it; repo:OWNER/NAME:* lets it in",
			at(func(g *GitHub) { g.PullRequest = true }),
		})
	}
	return forged
}

// besides are refs that a careless wildcard takes in: those that end like the
// trusted ones, and those of the other kind with the same name.
func (r run) besides(at func(func(*GitHub)) Claims) []forgery {
	alike, twin := func(g *GitHub) { g.Branch = "x/" + r.Branch }, func(g *GitHub) { g.Tag = r.Branch }
	if r.Tag != "" {
		alike, twin = func(g *GitHub) { g.Tag = "x/" + r.Tag }, func(g *GitHub) { g.Branch = r.Tag }
	}
	return []forgery{
		{"a ref that ends alike", "whoever may push one; a wildcard before the fixed text lets it in", at(alike)},
		{"a ref of the other kind with the same name", "branches and tags are often protected apart; refs/* lets both in", at(twin)},
	}
}

// fromOtherWorkflows are tokens of the right run for jobs that the trusted
// workflow file does not define.
func (r run) fromOtherWorkflows() []forgery {
	file, ref, _ := strings.Cut(r.JobWorkflowRef, "@")
	running := func(workflow string) Claims {
		changed := r
		changed.workflow = workflow
		return changed.claims()
	}
	return []forgery{
		{"a workflow of the repository itself", "whoever may push there can write one; a trust in sub alone lets it in", running(another(file, r.ownWorkflow(), r.Repository+"/.github/workflows/other.yml") + "@" + ref)},
		{"the workflow at another ref", "whoever may push a branch of its repository; a wildcard after the @ lets it in", running(file + "@" + other("refs/heads/feature", ref))},
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

// recycled are tokens of a repository that took the name of a deleted one.
func (r run) recycled() []forgery {
	again := r.in(r.owner, r.name)
	again.OwnerID = otherID(r.OwnerID)
	legacy := again
	legacy.immutable = false
	return []forgery{
		{"a recycled name", "whoever registers owner and repository again after they were deleted; the name in sub lets it in", legacy.claims()},
		{
			"a recycled name with an immutable subject", "the same, for a repository created after 15 July 2026; a wildcard for the ids lets it in",
			again.claims(),
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
