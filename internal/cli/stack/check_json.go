package stack

import (
	"cmp"
	"time"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// checkResult is what `check --json` prints: what a valid spec declares.
type checkResult struct {
	Stack      string          `json:"stack"`
	Region     string          `json:"region"`
	Partition  string          `json:"partition"`
	Files      []string        `json:"files"`
	Warnings   []string        `json:"warnings,omitempty"`
	Accounts   []accountJSON   `json:"accounts"`
	Identities []identityJSON  `json:"identities"`
	Roles      []roleJSON      `json:"roles"`
	Rails      []prove.Verdict `json:"guard_rails"` // on what the spec would make
	Notes      []string        `json:"notes,omitempty"`
	Unseen     []string        `json:"not_looked_at"` // by the guard rails

	proof *prove.Report
}

type accountJSON struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	AdminRole string `json:"admin_role,omitempty"` // absent: the caller's own credentials
}

type identityJSON struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`              // "github", "aws_role", …, "access_key"
	Who     string `json:"who"`               // one line for people
	Wider   bool   `json:"wider,omitempty"`   // many branches or tags, present and future
	Because string `json:"because,omitempty"` // access_key only
}

type roleJSON struct {
	Name    string       `json:"name"`
	Account string       `json:"account"`
	Trust   []trustJSON  `json:"trust"`
	Session string       `json:"session"` // as a spec writes it: "1h"
	Grants  []grantUse   `json:"grants"`
	Custom  []customJSON `json:"custom"`
}

type trustJSON struct {
	Who   string     `json:"who"` // an identity's name, or one line for an inline one
	Wider bool       `json:"wider,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	Ended bool       `json:"ended,omitempty"` // until has passed
}

type grantUse struct {
	Name  string       `json:"name"`
	Level string       `json:"level"`
	Wider bool         `json:"wider"` // wider than the grant's default level
	Args  catalog.Args `json:"args"`  // roles of the stack with their paths
	Until *time.Time   `json:"until,omitempty"`
	Ended bool         `json:"ended,omitempty"`
}

type customJSON struct {
	Because    string              `json:"because"`
	Effect     string              `json:"effect"`
	Actions    []string            `json:"actions,omitempty"`     // patterns
	NotActions []string            `json:"not_actions,omitempty"` // all but these patterns
	Resources  []string            `json:"resources"`
	Conditions []command.Condition `json:"conditions,omitempty"` // all must hold
	Broad      []string            `json:"broad,omitempty"`      // what of it is wide, in words
	Unknown    []string            `json:"unknown,omitempty"`    // actions and keys that AWS's reference lacks
	Until      *time.Time          `json:"until,omitempty"`
	Ended      bool                `json:"ended,omitempty"`
}

func describeSpec(s *spec.Spec) checkResult {
	r := checkResult{
		Stack: s.Stack, Region: s.Region, Partition: s.Partition, Files: s.Files,
		Accounts: []accountJSON{}, Identities: []identityJSON{}, Roles: []roleJSON{},
	}
	for _, a := range s.Accounts {
		r.Accounts = append(r.Accounts, accountJSON{a.Name, a.ID, a.AdminRole})
	}
	for _, id := range s.Identities {
		r.Identities = append(r.Identities, describeIdentity(id))
	}
	for _, role := range s.Roles {
		r.Roles = append(r.Roles, describeRole(s, role))
	}
	if !catalog.KnownRegion(s.Region) {
		r.Warnings = append(r.Warnings, "region "+s.Region+" is none that this version of Postern knows: newer, or a mistake")
	}
	return r
}

// markEnded marks what has ended before now.
func (r *checkResult) markEnded(now time.Time) {
	past := func(until *time.Time) bool { return until != nil && !now.Before(*until) }
	for _, role := range r.Roles {
		for i := range role.Trust {
			role.Trust[i].Ended = past(role.Trust[i].Until)
		}
		for i := range role.Grants {
			role.Grants[i].Ended = past(role.Grants[i].Until)
		}
		for i := range role.Custom {
			role.Custom[i].Ended = past(role.Custom[i].Until)
		}
	}
}

func describeIdentity(id spec.Identity) identityJSON {
	if key := id.AccessKey; key != nil {
		return identityJSON{Name: id.Name, Kind: "access_key", Who: "machine user in " + key.Account, Because: key.Because}
	}
	return identityJSON{Name: id.Name, Kind: id.Proof.Kind(), Who: id.Proof.Describe(), Wider: trust.Wide(id.Proof)}
}

func describeRole(s *spec.Spec, r spec.Role) roleJSON {
	d := roleJSON{
		Name: r.Name, Account: r.Account, Session: spec.FormatDuration(r.Session),
		Trust: []trustJSON{}, Grants: []grantUse{}, Custom: []customJSON{},
	}
	for _, t := range r.Trust {
		who := t.Identity
		if t.Proof != nil {
			who = t.Proof.Describe()
		}
		d.Trust = append(d.Trust, trustJSON{Who: who, Wider: trust.Wide(t.Proof), Until: date(t.Until)})
	}
	for _, g := range r.Grants {
		d.Grants = append(d.Grants, describeUse(s, r, g))
	}
	for _, c := range r.Custom {
		d.Custom = append(d.Custom, describeCustom(c))
	}
	return d
}

func describeUse(s *spec.Spec, r spec.Role, g spec.Grant) grantUse {
	use := grantUse{Name: g.Name, Level: g.Level, Args: compile.Args(s, r.Account, g), Until: date(g.Until)}
	if grant, ok := catalog.Lookup(g.Name); ok {
		use.Level = cmp.Or(g.Level, grant.DefaultLevel())
		use.Wider = use.Level != grant.DefaultLevel()
	}
	if use.Args == nil {
		use.Args = catalog.Args{}
	}
	return use
}

func describeCustom(c spec.Custom) customJSON {
	st := c.Statement
	d := customJSON{
		Because: c.Because, Effect: string(st.Effect), Actions: st.Actions, NotActions: st.NotActions,
		Resources: st.Resources, Broad: c.Broad(), Unknown: c.Unknown, Until: date(c.Until),
	}
	for _, cond := range st.Conditions {
		d.Conditions = append(d.Conditions, command.Condition(cond))
	}
	return d
}

// date returns nil for the zero time, which stands for "for ever".
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
