// Package trust turns identities into trust policies: who may become a role,
// named exactly. It refuses what lets a stranger in: wildcard principals, OIDC
// without a subject, ForAllValues on a claim, MFA conditions that no machine
// can meet. It reads nothing and knows no account but the one it is told.
package trust

import (
	"time"

	"github.com/postern-dev/postern/iam"
)

// Identity is one machine as a trust policy names it. The set is closed: a file
// of this package for each kind.
type Identity interface {
	// Kind is the key under which the spec declares it: "github".
	Kind() string
	// Describe is one line for people: "GitHub acme/shop, environment production".
	Describe() string
	// Check returns what is wrong with the identity in itself.
	Check() []Problem
	// Caller is the identity as it asks for a role in the scope.
	Caller(Scope) Caller
	// Attackers are those who come close to it and must not become the role.
	Attackers(Scope) []Attack
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

// Error gives the one-line form without the hint.
func (p Problem) Error() string {
	if p.Field == "" {
		return p.Msg
	}
	return p.Field + ": " + p.Msg
}

// Entry is one identity that a role trusts.
type Entry struct {
	Name       string // becomes the statement's Sid, reduced to letters and digits
	Identity   Identity
	ExternalID string    // for AWSRole and AWSAccount of another account that state none; may be empty
	Until      time.Time // zero: for ever; else access ends at this instant
}

// GitHub is a GitHub Actions workflow, proven by its OIDC token. Exactly one
// of Branch, Tag, Environment and PullRequest is set, or Environment with Branch
// or Tag.
//
// The names must have the case that GitHub shows: the token carries them so,
// and StringEquals tells upper from lower case. Repositories created, renamed
// or transferred after 15 July 2026 present the immutable subject form, which
// only the two ids can name. A subject template set by include_claim_keys is not
// covered. What the subject is under pull_request_target is not verified.
//
// https://docs.github.com/en/actions/reference/security/oidc
type GitHub struct {
	Repository   string // "OWNER/NAME"
	RepositoryID string // decimal; survives renames, never recycled
	OwnerID      string // decimal; with RepositoryID the immutable subject form is trusted too
	Branch       string // a "*" in its last part, behind fixed text, stands for many: "release/*"
	Tag          string // as Branch: "v*"
	Environment  string // with ":" or "/" as GitHub shows it; its protection rules are the second lock
	PullRequest  bool   // whoever may push a branch, before any review

	// JobWorkflowRef is the reusable workflow that must define the job:
	// "OWNER/NAME/.github/workflows/FILE.yml@refs/heads/BRANCH".
	JobWorkflowRef string
	Enterprise     string // slug of an enterprise of github.com whose tokens have an issuer of its own
	Host           string // "SUBDOMAIN.ghe.com", or an Enterprise Server; empty: github.com
}

// AWSRole is a role outside the stack or in it. It may assume the trusting
// role, and nothing more: neither session tags nor a source identity can be
// passed, since both would let the caller choose what the session is taken for.
type AWSRole struct {
	ARN        string // arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME
	ExternalID string // StringEquals sts:ExternalId; may be empty
}

// AWSAccount is an account as a whole: whoever may assume roles there. At least
// one of ExternalID and OrgID is set.
type AWSAccount struct {
	ID         string // 12 digits
	ExternalID string // StringEquals sts:ExternalId
	OrgID      string // o-…: only principals of this organisation
}

// AWSUser is a machine user, proven by its access key.
type AWSUser struct {
	ARN string // arn:PARTITION:iam::ACCOUNT:user/[PATH/]NAME
}

// Service is an AWS service that assumes the role for its own work.
type Service struct {
	Name          string // "ec2" or "ec2.amazonaws.com"
	SourceARN     string // the resource on whose behalf it acts, with "*" in region or resource; may be empty
	SourceAccount string // default: the account of SourceARN, else the role's, where the service sends it
}
