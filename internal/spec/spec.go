// Package spec reads postern.yaml into a Spec: who asks, what they may become,
// and what must never be. It reports every mistake at once, each with its
// file, line and column. It refuses unknown keys, guesses nothing and holds no
// secrets.
package spec

import (
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/trust"
)

// Spec is what one or more files say about one stack. It is valid: every
// reference resolves and every identity and grant has passed its own check.
type Spec struct {
	Stack      string     // [a-z][a-z0-9-]{0,31}
	Region     string     // where the stack's resources live
	Partition  string     // aws, aws-us-gov, aws-cn: follows from the region
	Accounts   []Account  // by name
	Identities []Identity // by name
	Roles      []Role     // by name
	Never      []Never    // in source order
	Expect     []Expect   // in source order
	Files      []string   // the files read, as they were named
}

// Pos is a place in a spec file.
type Pos struct {
	File   string
	Line   int
	Column int
}

// Account is an AWS account that the stack reaches into.
type Account struct {
	Name      string
	ID        string // 12 digits
	AdminRole string // role name or ARN assumed to manage the account; empty: the caller's own credentials
	Pos       Pos
}

// Identity is a machine that asks for access. Exactly one of Proof and
// AccessKey is set.
type Identity struct {
	Name      string
	Proof     trust.Identity
	AccessKey *AccessKey
	Pos       Pos
}

// AccessKey declares a machine user: the last resort.
type AccessKey struct {
	Account     string // name of an Account
	Because     string // why nothing better exists
	RotateEvery time.Duration
	RotateGrace time.Duration
	Deliver     []Sink
}

// Sink is a place that a key is delivered to. Delivery itself is the business
// of the keys command; here its settings are plain strings.
type Sink struct {
	Kind     string
	Settings map[string]string
	Pos      Pos
}

// Role is what identities may become.
type Role struct {
	Name            string // in the spec; in AWS it is STACK-NAME
	Account         string // name of an Account
	Description     string
	Trust           []Trust
	Session         time.Duration // 1 h (default) to 12 h
	Grants          []Grant
	Custom          []Custom
	Boundary        string // managed policy ARN; empty: none
	Tags            map[string]string
	InstanceProfile bool
	ExternalID      string // for trust entries of other accounts that state none themselves
	Pos             Pos
}

// Trust is one identity that a role trusts.
type Trust struct {
	Identity string         // name of an Identity; empty for an inline one
	Proof    trust.Identity // the inline identity; nil if named
	Until    time.Time      // zero: for ever
	Pos      Pos
}

// Grant is one entry of the catalogue with its arguments.
type Grant struct {
	Name  string
	Level string // as written; empty: the grant's default
	Args  catalog.Args
	Until time.Time
	Pos   Pos
}

// Custom is a statement that the catalogue does not have, and why it is needed.
type Custom struct {
	Because   string
	Statement iam.Statement // actions, resources, effect, conditions
	Unknown   []string      // actions and condition keys that AWS's reference lacks, taken because the spec says so
	Until     time.Time
	Pos       Pos
}

// Never is a guard rail: no named identity or role may ever do any of Actions
// on any of On.
type Never struct {
	Identities []string // names or patterns with "*"; includes inline trust entries when "*"
	Roles      []string // names or patterns with "*"
	Actions    []string // action patterns
	On         []string // resource patterns, ARNs or short forms; empty: any
	Pos        Pos
}

// Expect is a guard rail: a role must be able to (or must not) do the actions.
type Expect struct {
	Role    string
	Allow   []string
	Deny    []string
	On      []string            // ARNs or short forms ("repository/shop"), with Deny alone patterns too; empty: "*", for Deny any resource
	Context map[string][]string // condition keys of the request; for Deny all others are open
	Pos     Pos
}
