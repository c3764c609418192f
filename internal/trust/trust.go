// Package trust turns identities into trust policies: who may become a role,
// named exactly. It refuses what lets a stranger in: wildcard principals, OIDC
// without a subject, ForAllValues on a claim, MFA conditions that no machine
// can meet. It reads nothing and knows no account but the one it is told.
package trust

import (
	"time"

	"github.com/postern-dev/postern/iam"
)

// Identity is one machine as a trust policy names it. The set is closed:
// GitHub, AWSRole, AWSAccount, AWSUser, Service.
type Identity interface {
	// Kind is the key under which the spec declares it: "github".
	Kind() string
	// Describe is one line for people: "GitHub acme/shop, environment production".
	Describe() string
	// Check returns what is wrong with the identity in itself.
	Check() []Problem
	// statement is the trust statement without until and external id.
	statement(Scope) iam.Statement
}

// Scope is where the role that trusts lives.
type Scope struct {
	Partition string // aws, aws-us-gov, aws-cn
	Region    string
	Account   string // 12 digits
}

// Problem is one reason to refuse an identity or a trust policy.
type Problem struct {
	Field string // the field of the identity in the spec's spelling; may be empty
	Msg   string
	Hint  string // what to write instead; may be empty
}

// Entry is one identity that a role trusts.
type Entry struct {
	Name       string // becomes the statement's Sid, reduced to letters and digits
	Identity   Identity
	ExternalID string    // for AWSRole and AWSAccount of another account; may be empty
	Until      time.Time // zero: for ever; else access ends at this instant
}

// GitHub is a GitHub Actions workflow, proven by its OIDC token. Exactly one
// of Branch, Tag, Environment and PullRequest is set.
//
// https://docs.github.com/en/actions/reference/security/oidc
type GitHub struct {
	Repository   string // "OWNER/NAME"
	RepositoryID string // decimal; survives renames, never recycled
	OwnerID      string // decimal; with RepositoryID the immutable subject form is trusted too
	Branch       string
	Tag          string
	Environment  string
	PullRequest  bool
}

// AWSRole is a role outside the stack or in it.
type AWSRole struct {
	ARN        string
	ExternalID string
}

// AWSAccount is another account as a whole: whoever may assume roles there.
type AWSAccount struct {
	ID         string // 12 digits
	ExternalID string
	OrgID      string // o-…: only principals of this organisation
}

// AWSUser is a machine user, proven by its access key.
type AWSUser struct {
	ARN string
}

// Service is an AWS service that assumes the role for its own work.
type Service struct {
	Name          string // "ec2" or "ec2.amazonaws.com"
	SourceARN     string // the resource on whose behalf it acts; may be empty
	SourceAccount string // default: the role's account, where the service sends it
}
