package cli

import (
	"cmp"
	"maps"
	"time"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/prove"
	"github.com/postern-dev/postern/internal/spec"
)

// checkResult is what `check --json` prints: what a valid spec declares.
type checkResult struct {
	Stack      string          `json:"stack"`
	Region     string          `json:"region"`
	Partition  string          `json:"partition"`
	Files      []string        `json:"files"`
	Accounts   []accountJSON   `json:"accounts"`
	Identities []identityJSON  `json:"identities"`
	Roles      []roleJSON      `json:"roles"`
	Rails      []prove.Verdict `json:"guard_rails"` // on what the spec would make
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
	Because string `json:"because,omitempty"` // access_key only
}

type roleJSON struct {
	Name    string       `json:"name"`
	Account string       `json:"account"`
	Trust   []trustJSON  `json:"trust"`
	Session string       `json:"session"` // such as "1h0m0s"
	Grants  []grantUse   `json:"grants"`
	Custom  []customJSON `json:"custom"`
}

type trustJSON struct {
	Who   string     `json:"who"` // an identity's name, or one line for an inline one
	Until *time.Time `json:"until,omitempty"`
}

type grantUse struct {
	Name  string       `json:"name"`
	Level string       `json:"level"`
	Wider bool         `json:"wider"` // wider than the grant's default level
	Args  catalog.Args `json:"args"`
	Until *time.Time   `json:"until,omitempty"`
}

type customJSON struct {
	Because string     `json:"because"`
	Effect  string     `json:"effect"`
	Actions []string   `json:"actions"` // patterns
	Until   *time.Time `json:"until,omitempty"`
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
		r.Roles = append(r.Roles, describeRole(role))
	}
	return r
}

func describeIdentity(id spec.Identity) identityJSON {
	if key := id.AccessKey; key != nil {
		return identityJSON{Name: id.Name, Kind: "access_key", Who: "machine user in " + key.Account, Because: key.Because}
	}
	return identityJSON{Name: id.Name, Kind: id.Proof.Kind(), Who: id.Proof.Describe()}
}

func describeRole(r spec.Role) roleJSON {
	d := roleJSON{
		Name: r.Name, Account: r.Account, Session: r.Session.String(),
		Trust: []trustJSON{}, Grants: []grantUse{}, Custom: []customJSON{},
	}
	for _, t := range r.Trust {
		who := t.Identity
		if t.Proof != nil {
			who = t.Proof.Describe()
		}
		d.Trust = append(d.Trust, trustJSON{who, date(t.Until)})
	}
	for _, g := range r.Grants {
		d.Grants = append(d.Grants, describeUse(g))
	}
	for _, c := range r.Custom {
		actions := c.Statement.Actions
		if actions == nil {
			actions = c.Statement.NotActions
		}
		d.Custom = append(d.Custom, customJSON{c.Because, string(c.Statement.Effect), actions, date(c.Until)})
	}
	return d
}

func describeUse(g spec.Grant) grantUse {
	use := grantUse{Name: g.Name, Level: g.Level, Args: maps.Clone(g.Args), Until: date(g.Until)}
	if grant, ok := catalog.Lookup(g.Name); ok {
		use.Level = cmp.Or(g.Level, grant.DefaultLevel())
		use.Wider = use.Level != grant.DefaultLevel()
	}
	if use.Args == nil {
		use.Args = catalog.Args{}
	}
	return use
}

// date returns nil for the zero time, which stands for "for ever".
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
