package compile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

const maxRoleName = 64 // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

func (c *compiler) role(r spec.Role) {
	account := c.accounts[r.Account]
	out := estate.Role{
		Name:        RoleName(c.spec.Stack, r.Name),
		Path:        c.path(),
		Description: r.Description,
		MaxSession:  r.Session,
		Boundary:    r.Boundary,
		Tags:        c.tags(r.Tags),
	}
	if len(out.Name) > maxRoleName {
		c.fail(r.Pos, "shorten the stack's or the role's name", "role name %s has %d characters, AWS takes %d", out.Name, len(out.Name), maxRoleName)
	}
	out.Trust = c.trustPolicy(r, account)
	c.permissions(r, account, &out)
	if r.InstanceProfile {
		c.instanceProfile(account, out)
	}
	account.Roles = append(account.Roles, out)
}

func (c *compiler) trustPolicy(r spec.Role, account *estate.Account) *iam.Document {
	entries := Entries(c.spec, &r)
	for _, e := range entries {
		c.provider(account, e.Identity)
	}
	doc, err := trust.Policy(c.trustScope(account), entries)
	if err != nil {
		c.errs = append(c.errs, inTrust(r, err)...)
		return nil
	}
	if size, most := doc.Size(), account.Quotas.TrustPolicySize; size > most {
		c.fail(r.Pos, shareOut(c.trustScope(account), entries, most)+"ask AWS to raise the quota",
			"trust policy of role %s has %d characters, account %s takes %d", r.Name, size, account.ID, most)
	}
	return doc
}

// shareOut says how few roles the entries need, in their order: each trusts as
// many as its policy takes. Of a single entry it says nothing.
func shareOut(s trust.Scope, entries []trust.Entry, most int) string {
	var roles []string
	var names []string
	from := 0
	for to, e := range entries {
		doc, err := trust.Policy(s, entries[from:to+1])
		if from < to && (err != nil || doc.Size() > most) {
			roles, names, from = append(roles, strings.Join(names, ", ")), nil, to
		}
		names = append(names, e.Name)
	}
	if roles = append(roles, strings.Join(names, ", ")); len(roles) == 1 {
		return ""
	}
	return fmt.Sprintf("split the role in %d, trusted by %s, or ", len(roles), strings.Join(roles, "; by "))
}

// inTrust places what is wrong with the trust of a role, each with its own hint.
func inTrust(r spec.Role, err error) fault.List {
	var all fault.List
	if !errors.As(err, &all) {
		all = fault.List{err}
	}
	placed := make(fault.List, len(all))
	for i, one := range all {
		var e *fault.Error
		hint := ""
		if errors.As(one, &e) {
			hint = e.Hint
		}
		placed[i] = &fault.Error{Where: r.Pos.String(), What: "trust of role " + r.Name, Hint: hint, Cause: one}
	}
	return placed
}

// Entries are what the trust policy of a role is made of.
func Entries(s *spec.Spec, r *spec.Role) []trust.Entry {
	var entries []trust.Entry
	for _, t := range r.Trust {
		proof, name := ProofOf(s, t), t.Identity
		if name == "" {
			name = proof.Kind()
		}
		entries = append(entries, trust.Entry{Name: name, Identity: proof, ExternalID: r.ExternalID, Until: t.Until})
	}
	return entries
}

// ProofOf is what a trust policy names for a trust entry: the proof of the
// identity that it names, or that it states itself.
func ProofOf(s *spec.Spec, t spec.Trust) trust.Identity {
	if i := slices.IndexFunc(s.Identities, func(id spec.Identity) bool { return id.Name == t.Identity }); i >= 0 {
		return Proof(s, &s.Identities[i])
	}
	return t.Proof
}

func (c *compiler) trustScope(a *estate.Account) trust.Scope {
	return trust.Scope{Partition: a.Partition, Region: c.spec.Region, Account: a.ID}
}

// provider adds the OIDC provider that an identity needs in the account, and
// its audience to one that is there.
func (c *compiler) provider(a *estate.Account, id trust.Identity) {
	tokens, ok := trust.TokensOf(id, c.trustScope(a))
	if !ok {
		return
	}
	url, audiences := tokens.Issuer, tokens.Audiences
	i := slices.IndexFunc(a.Providers, func(p estate.OIDCProvider) bool { return p.URL == url })
	if i < 0 {
		a.Providers = append(a.Providers, estate.OIDCProvider{
			URL: url, Audiences: slices.Clone(audiences), Tags: map[string]string{estate.TagShared: "true"},
		})
		return
	}
	for _, aud := range audiences {
		if !slices.Contains(a.Providers[i].Audiences, aud) {
			a.Providers[i].Audiences = append(a.Providers[i].Audiences, aud)
		}
	}
}

// permissions fills the role's policies: one per grant, one for all custom
// statements, packed into what the account takes.
func (c *compiler) permissions(r spec.Role, account *estate.Account, out *estate.Role) {
	var docs []named
	names := map[string]int{}
	for _, g := range r.Grants {
		grant, ok := catalog.Lookup(g.Name)
		if !ok { // the spec has checked it
			continue
		}
		statements, err := grant.Statements(catalog.Scope{Partition: account.Partition, Region: c.spec.Region, Account: account.ID}, g.Level, Args(c.spec, r.Account, g))
		if err != nil {
			c.errs = append(c.errs, &fault.Error{Where: g.Pos.String(), What: "grant " + g.Name, Cause: err})
			continue
		}
		for i := range statements {
			c.endAt(&statements[i], g.Until, g.Pos)
		}
		names[g.Name]++
		docs = append(docs, named{name: numbered(g.Name, names[g.Name]), doc: document(statements)})
	}
	if len(r.Custom) > 0 {
		docs = append(docs, named{name: "custom", doc: document(c.customStatements(r.Custom))})
	}
	c.pack(r, account, out, c.printable(r, docs))
}

// printable reports the documents that cannot be written as a policy and
// returns the others.
func (c *compiler) printable(r spec.Role, docs []named) []named {
	return slices.DeleteFunc(docs, func(d named) bool {
		_, err := d.doc.MarshalJSON()
		if err != nil {
			c.errs = append(c.errs, &fault.Error{Where: r.Pos.String(), What: fmt.Sprintf("policy %s of role %s", d.name, r.Name), Cause: err})
		}
		return err != nil
	})
}

// Args are the arguments of a grant for a role in an account (its name in the
// spec), with the names of the stack's own roles there, written as the spec or
// as AWS names them, completed by the path that all of the stack's roles have.
func Args(s *spec.Spec, account string, g spec.Grant) catalog.Args {
	args := maps.Clone(g.Args)
	grant, ok := catalog.Lookup(g.Name)
	if !ok { // the spec has checked it
		return args
	}
	for _, p := range grant.Params {
		if p.Roles && args[p.Name] != nil {
			args[p.Name] = withPaths(s, account, args[p.Name])
		}
	}
	return args
}

func withPaths(s *spec.Spec, account string, names []string) []string {
	out := slices.Clone(names)
	for _, r := range s.Roles {
		full := RoleName(s.Stack, r.Name)
		for i, name := range names {
			if r.Account == account && (name == r.Name || name == full) {
				out[i] = strings.TrimPrefix(estate.PathOf(s.Stack), "/") + full
			}
		}
	}
	return out
}

func (c *compiler) customStatements(customs []spec.Custom) []iam.Statement {
	var out []iam.Statement
	for _, custom := range customs {
		s := custom.Statement
		c.endAt(&s, custom.Until, custom.Pos)
		out = append(out, s)
	}
	return out
}

// endAt makes access end by itself, even if nobody runs Postern again.
func (c *compiler) endAt(s *iam.Statement, until time.Time, pos spec.Pos) {
	if until.IsZero() {
		return
	}
	ended, ok := ending(s.Conditions, until)
	if !ok {
		c.fail(pos, "remove until, or one of the conditions on the time", "the statement's conditions leave no operator for its end")
		return
	}
	s.Conditions = ended
}

// ending adds the end to conditions. All of a statement's conditions must hold,
// so a second one can only bring the end forward; but each pair of operator
// and key can stand once, so if the usual one is taken, the same instant is
// stated as seconds since 1970.
func ending(conditions []iam.Condition, until time.Time) ([]iam.Condition, bool) {
	seconds := []string{strconv.FormatInt(until.Unix(), 10)}
	for _, end := range []iam.Condition{
		trust.EndsAt(until),
		{Operator: "DateLessThan", Key: "aws:EpochTime", Values: seconds},
		{Operator: "NumericLessThan", Key: "aws:EpochTime", Values: seconds},
	} {
		taken := func(c iam.Condition) bool {
			return strings.EqualFold(c.Operator, end.Operator) && strings.EqualFold(c.Key, end.Key)
		}
		if !slices.ContainsFunc(conditions, taken) {
			return append(slices.Clone(conditions), end), true
		}
	}
	return nil, false
}

func document(statements []iam.Statement) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: statements}
}

func (c *compiler) instanceProfile(account *estate.Account, role estate.Role) {
	account.InstanceProfiles = append(account.InstanceProfiles, estate.InstanceProfile{
		Name: role.Name, Path: role.Path, Role: role.Name, Tags: c.tags(nil),
	})
}
