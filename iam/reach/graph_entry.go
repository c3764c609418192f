package reach

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Entry is a way into a role from outside AWS: the tokens of one OIDC issuer
// that one statement of its trust policy lets in.
type Entry struct {
	Role      string // ARN
	Provider  string // ARN, or the name of an issuer that AWS knows by itself
	Issuer    string // its host and path
	Statement int    // of the trust policy, from 0
	Tokens    []Tokens
	// Unless are the conditions of Deny statements: a token that meets all of
	// one list is kept out.
	Unless [][]iam.Condition
	// Open says why tokens enter that anybody can get from the issuer; empty:
	// only those of the owners that Tokens name do.
	Open []string
	// Wide says why more enter than one place of a repository.
	Wide []string
}

// Tokens is a set of tokens: those that match a pattern of each list. Of what
// a list is nil nothing is asked. It may hold more than the trust policy
// admits, never less.
type Tokens struct {
	Subject      string // a pattern of sub, "*" if nothing is asked
	Repositories []string
	Refs         []string // "refs/heads/main"; GitLab has no prefix
	Environments []string
	Workflows    []string        // file and ref of the (reusable) workflow that runs the job
	PullRequests bool            // only those of pull requests
	Others       []iam.Condition // what else is asked of the token, or of the request
}

// webIdentity is the call by which tokens enter.
const webIdentity = "sts:AssumeRoleWithWebIdentity"

// Entries are the ways into all roles of the World, by ARN.
func (g *Graph) Entries() []Entry {
	var out []Entry
	for _, r := range g.world.doors.roles {
		if r != nil {
			out = append(out, r.Entries(g.world.facts)...)
		}
	}
	return out
}

// Entries are the ways into the role for tokens, in the order of its trust
// policy. A trust policy that is not known has none.
func (r *Role) Entries(facts Facts) []Entry {
	if r.Trust == nil {
		return nil
	}
	var out []Entry
	for i, s := range r.Trust.Statements {
		if s.Effect != iam.Allow || s.Principal == nil || !aboutAction(s, webIdentity) {
			continue
		}
		if _, alive := facts.settle(r.Trust.Version, s.Conditions); !alive {
			continue
		}
		for _, provider := range s.Principal.Federated {
			issuer := issuerOf(provider)
			who := eval.Principal{Kind: eval.WebIdentity, ARN: provider, Account: r.Account}
			if issuer == "" || !r.Admits(Caller{Principal: who, Facts: facts}) {
				continue
			}
			e := Entry{Role: r.ARN, Provider: provider, Issuer: issuer, Statement: i, Unless: r.unless(provider, facts)}
			if e.read(s.Conditions) {
				out = append(out, e)
			}
		}
	}
	return out
}

func aboutAction(s iam.Statement, action string) bool {
	return slices.ContainsFunc(positive(s.Actions, s.NotActions, action, iam.CoversFold), func(a string) bool { return overlapsAction(a, action) })
}

// issuerOf is the issuer of an OIDC provider; empty for SAML.
func issuerOf(provider string) string {
	if !strings.HasPrefix(provider, "arn:") {
		return provider
	}
	_, issuer, _ := strings.Cut(provider, ":oidc-provider/")
	return issuer
}

// unless are the conditions of the Deny statements about a provider's tokens.
func (r *Role) unless(provider string, facts Facts) [][]iam.Condition {
	var out [][]iam.Condition
	for _, s := range r.Trust.Statements {
		if s.Effect != iam.Deny || !aboutAction(s, webIdentity) {
			continue
		}
		if p := s.Principal; p == nil || !p.Everyone && !slices.Contains(p.AWS, "*") && !slices.Contains(p.Federated, provider) {
			continue
		}
		if open, alive := facts.settle(r.Trust.Version, s.Conditions); alive && len(open) > 0 {
			out = append(out, s.Conditions)
		}
	}
	return out
}

// claims are what a statement asks of a token.
type claims struct {
	asked  map[string][]string // patterns by claim, in lower case; absent: nothing
	others []iam.Condition
	wide   []string
}

// read turns the conditions of a statement into sets. It returns false if no
// token can meet them.
func (e *Entry) read(conditions []iam.Condition) bool {
	c := claims{asked: map[string][]string{}}
	for _, one := range conditions {
		if !c.add(e.Issuer, one) {
			return false
		}
	}
	for _, subject := range c.subjects() {
		if t, ok := c.tokens(e.Issuer, subject); ok {
			e.Tokens = append(e.Tokens, t)
		}
	}
	e.Wide = c.wide
	e.judge(&c)
	return len(e.Tokens) > 0
}

// add takes in one condition, if it says which values a claim may have. It
// returns false if it leaves none.
func (c *claims) add(issuer string, one iam.Condition) bool {
	claim, ours := claimOf(issuer, one.Key)
	op, ok := iam.ParseOperator(one.Operator)
	base := strings.HasPrefix(op.Name, "String") && !strings.Contains(op.Name, "Not")
	if !ours || !ok || !base {
		c.others = append(c.others, one)
		return true
	}
	if lenient := op.IfExists || strings.HasPrefix(one.Operator, "ForAllValues"); lenient {
		c.wide = append(c.wide, "the condition on "+one.Key+" holds too where the token has no such claim")
		if !slices.Contains(always, claim) {
			c.others = append(c.others, one)
			return true
		}
	}
	var values []string
	for _, v := range one.Values {
		if op.Name != "StringLike" && iam.HasWildcard(repositoryIn(claim, v)) {
			continue // by its letter, which no repository is called
		}
		values = append(values, freeVariables(v))
	}
	if have, twice := c.asked[claim]; twice {
		values = meet(have, values)
	}
	c.asked[claim] = values
	return len(values) > 0
}

// always are the claims that every token of CI systems has.
var always = []string{"sub", "aud", "repository", "repository_owner", "ref", "project_path"}

// claimOf is the claim of a condition key of the issuer.
func claimOf(issuer, key string) (string, bool) {
	if len(key) <= len(issuer) || !strings.EqualFold(key[:len(issuer)], issuer) || key[len(issuer)] != ':' {
		return "", false
	}
	return strings.ToLower(key[len(issuer)+1:]), true
}

// meet is what two lists of patterns have in common, and at most what one of
// them has alone.
func meet(a, b []string) []string {
	var out []string
	for _, x := range a {
		for _, y := range b {
			switch {
			case iam.Covers(x, y):
				out = appendNew(out, y)
			case iam.Overlaps(x, y):
				out = appendNew(out, x)
			}
		}
	}
	return out
}

func (c *claims) subjects() []string {
	if subjects, asked := c.asked["sub"]; asked {
		return subjects
	}
	return []string{"*"}
}

// tokens are those of one subject that meet what else is asked.
func (c *claims) tokens(issuer, subject string) (Tokens, bool) {
	t := readSubject(subject)
	ok := true
	narrow := func(list *[]string, claims ...string) {
		for _, claim := range claims {
			values, asked := c.asked[claim]
			switch {
			case !asked:
			case *list == nil:
				*list = values
			default:
				*list = meet(*list, values)
				ok = ok && len(*list) > 0
			}
		}
	}
	narrow(&t.Repositories, "repository", "project_path")
	if owners := c.asked["repository_owner"]; owners != nil {
		t.Repositories = ofOwners(t.Repositories, owners)
		ok = ok && len(t.Repositories) > 0
	}
	narrow(&t.Refs, "ref")
	narrow(&t.Environments, "environment")
	narrow(&t.Workflows, "job_workflow_ref")
	t.PullRequests = t.PullRequests || slices.Equal(c.asked["event_name"], []string{"pull_request"})
	t.Others = c.others
	for _, claim := range slices.Sorted(maps.Keys(c.asked)) {
		if !slices.Contains(ownFields, claim) {
			t.Others = append(slices.Clip(t.Others), iam.Condition{Operator: "StringLike", Key: issuer + ":" + claim, Values: c.asked[claim]})
		}
	}
	return t, ok
}

// ownFields are the claims that the fields of Tokens hold.
var ownFields = []string{"sub", "repository", "project_path", "repository_owner", "ref", "environment", "job_workflow_ref"}

// ofOwners leaves the repositories of these owners.
func ofOwners(repositories, owners []string) []string {
	var all []string
	for _, o := range owners {
		all = append(all, o+"/*")
	}
	if repositories == nil {
		return all
	}
	return meet(repositories, all)
}
