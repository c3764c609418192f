// Package eval decides requests against AWS policies, and says which statement
// decided. Policies are compiled once and are immutable: evaluating from many
// goroutines is the normal use. It reads no clock and no account: whatever a
// condition needs must stand in the request's context. In doubt it denies.
package eval

import "github.com/postern-dev/postern/iam"

// Kind says in which role a policy takes part in a decision.
type Kind uint8

// The kinds of policy, in the order in which an explanation names them.
const (
	Identity Kind = iota // attached to a user, group or role
	Boundary             // permissions boundary
	Session              // passed to AssumeRole and its relatives
	Resource             // attached to a resource: bucket policy, key policy, …
	Trust                // a role's trust policy: a resource policy that must allow explicitly
	Endpoint             // of the VPC endpoint that the request comes through
	SCP                  // service control policy of an organisation
	RCP                  // resource control policy of an organisation

	lastKind = RCP
)

// PrincipalKind tells apart who can make a request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type PrincipalKind uint8

// The kinds of principal.
const (
	Anonymous     PrincipalKind = iota
	Root                        // arn:aws:iam::ACCOUNT:root
	User                        // arn:aws:iam::ACCOUNT:user/…
	Role                        // arn:aws:iam::ACCOUNT:role/… : any session of it
	RoleSession                 // arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION
	FederatedUser               // arn:aws:sts::ACCOUNT:federated-user/NAME
	Service                     // ec2.amazonaws.com
	WebIdentity                 // an OIDC token; ARN is the provider's
	SAML                        // a SAML assertion; ARN is the provider's
)

// Principal is who makes a request.
type Principal struct {
	Kind PrincipalKind
	ARN  string // as above; a service's name for Service; empty for Anonymous
	// RoleARN is, for a RoleSession only, the role's ARN with its path. Empty
	// means that the path is not known; then every role ARN of the session's
	// account and role name is taken for it, for an account has no two roles of
	// one name.
	RoleARN string
	UserARN string // FederatedUser only: the user who called GetFederationToken
	Account string // 12 digits; empty for Service and Anonymous
}

// Request is one call to judge.
type Request struct {
	Principal       Principal
	Action          string  // "ecr:PutImage"; no wildcards
	Resource        string  // an ARN, or "*" for actions without resource
	ResourceAccount string  // the owner's 12 digits; empty means the principal's account
	Context         Context // condition keys
	// Granted says that a KMS grant gives the principal this action on this key. It
	// counts for keys, and actions that grants can give.
	Granted bool
	// AWSManagedKey says that the resource is a KMS key that AWS manages; RCPs
	// do not apply to it.
	AWSManagedKey bool
}

// Decision is the outcome of a request. The zero value denies.
type Decision uint8

// The three outcomes AWS documents.
const (
	ImplicitDeny Decision = iota // nothing allowed it
	ExplicitDeny                 // a Deny statement matched
	Allowed
)

// Layers are the policies that take part in one decision. The zero value
// denies everything. An empty layer means that no policy of that kind applies:
// who judges sts:AssumeRole must give the role's trust policy, who judges a KMS
// key its key policy (see Owned). A nil among the policies stands for one that
// is not known.
type Layers struct {
	Identity []*Policy
	Boundary []*Policy // all of them are one boundary
	Session  []*Policy // they union; a FederatedUser without any has no permissions of its own
	Resource *Policy   // Kind Resource or Trust
	Endpoint []*Policy // of one VPC endpoint; they union
	// SCP are the service control policies of the principal's account: a list for
	// each level that has any attached, the organisation's root first, the account
	// last. Each level must allow. Empty: the account is in no organisation.
	SCP [][]*Policy
	// RCP are the resource control policies of the resource owner's account, in
	// the same order. RCPFullAWSAccess is always attached and need not be here.
	RCP [][]*Policy
	Org Organization
}

// Explanation is a decision with its reasons.
type Explanation struct {
	Decision Decision
	// Rule is set where a rule of AWS decided whatever the policies say, or
	// stood in for one; a sentence without full stop.
	Rule string
	// Reasons are every matching Deny statement; without one, every matching
	// Allow statement, whether they were enough or not. In the order of the
	// layers.
	Reasons []Reason
	// BlockedBy are the layers that denied explicitly; without an explicit
	// deny, those of which each would still have to allow. Empty when allowed.
	BlockedBy []Kind
}

// Reason names one statement and what it did.
type Reason struct {
	Kind      Kind
	Level     int    // SCP and RCP: of the organisation, from 0 for its root
	Policy    string // the name given to Compile
	Statement int    // from 0
	SID       string
	Effect    iam.Effect
	Pos       iam.Pos
	// Doubt marks a Deny that may not have matched: it was counted because
	// whether it does cannot be known from the request. Never set for an Allow.
	Doubt bool
}
