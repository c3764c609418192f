package trust

import (
	"hash/fnv"
	"maps"
	"strconv"
	"strings"
)

// Claims are the claims of an OIDC token by name. Values are strings, as all
// of GitHub's are but the times, which whoever signs the token adds.
type Claims map[string]any

// Attack is a token that a stranger can have from the same issuer and that must
// not open the role.
type Attack struct {
	Name   string // short, for a table: "another repository"
	Why    string // who has such a token, and what would let it in
	Claims Claims
}

// shared lists the claims that STS offers as condition keys of GitHub's issuer,
// beside aud and sub.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
var shared = []string{
	"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref",
	"ref", "repository", "repository_id", "workflow",
}

// Context returns the condition keys that STS derives from the token when it
// judges a trust policy: "token.actions.githubusercontent.com:sub" and so on.
func (c Claims) Context() map[string][]string {
	issuer := strings.TrimPrefix(c.text("iss"), "https://")
	context := map[string][]string{}
	for _, claim := range append([]string{"aud", "sub"}, shared...) {
		if v := c.text(claim); v != "" {
			context[issuer+":"+claim] = []string{v}
		}
	}
	return context
}

func (c Claims) text(claim string) string {
	v, _ := c[claim].(string)
	return v
}

// with returns a copy with other values for some claims; "" drops the claim.
func (c Claims) with(changes map[string]string) Claims {
	changed := maps.Clone(c)
	for claim, value := range changes {
		if value == "" {
			delete(changed, claim)
			continue
		}
		changed[claim] = value
	}
	return changed
}

// Token returns the claims that the identity's workflow presents in the
// partition aws. The subject has the immutable form if the ids are set; if
// not, ids made up from the names stand in their place.
func (g GitHub) Token() Claims { return g.TokenIn(Scope{Partition: "aws"}) }

// TokenIn is Token for a role in s, which decides the audience.
func (g GitHub) TokenIn(s Scope) Claims { return g.run().claims(s) }

// Attackers returns tokens that strangers, and other workflows of the same
// owner, can obtain and that must not pass as the identity, in the partition
// aws. Without ids in the identity it does not hold the one attack that then
// succeeds: a deleted repository's name, registered again by someone else.
func (g GitHub) Attackers() []Attack { return g.AttackersIn(Scope{Partition: "aws"}) }

// AttackersIn is Attackers for a role in s, which decides the audience.
func (g GitHub) AttackersIn(s Scope) []Attack {
	r := g.run()
	attacks := r.fromElsewhere(s)
	attacks = append(attacks, r.fromOtherRefs(s)...)
	attacks = append(attacks, r.malformed(s)...)
	if g.pinned() {
		attacks = append(attacks, r.recycled(s)...)
	}
	return attacks
}

// run is one workflow run: what GitHub knows when it signs a token.
type run struct {
	GitHub             // of this run: no wildcards
	trusted     GitHub // as it is declared
	owner, name string
	immutable   bool   // the repository uses the immutable subject form
	workflow    string // job_workflow_ref without the ref, if another repository's
}

func (g GitHub) run() run {
	r := run{immutable: g.pinned(), trusted: g}
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
func (r run) claims(s Scope) Claims {
	event, ref, refType := r.event()
	workflow := r.workflow
	if workflow == "" {
		workflow = r.Repository + "/.github/workflows/ci.yml"
	}
	c := Claims{
		"iss":                   "https://" + GitHubIssuer,
		"aud":                   Audience(s.Partition),
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
		"workflow_ref":          r.Repository + "/.github/workflows/ci.yml@" + ref,
		"job_workflow_ref":      workflow + "@" + ref,
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
