// Package estate holds users, groups, roles, policies and providers as plain
// values: desired (compiled from a spec) or observed (read from AWS or from a
// snapshot). Both sides use the same types, so that a plan is a comparison. It
// reads nothing and decides nothing.
package estate

import (
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
)

// TagStack is the tag that carries the stack's name.
const TagStack = "postern:stack"

// TagShared marks an OIDC provider that Postern created and so may delete,
// once no role of the account trusts it.
const TagShared = "postern:shared"

// PathOf is the IAM path of everything that a stack owns. What lies at any
// other path, also one that begins with this one, is not the stack's.
func PathOf(stack string) string { return "/postern/" + stack + "/" }

// Estate is what stands in one or more accounts.
type Estate struct {
	Accounts []Account // by ID
}

// Account is what stands in one account. All lists are sorted: Policies and
// Providers by ARN, the others by name.
type Account struct {
	ID               string // 12 digits
	Partition        string // aws, aws-us-gov, aws-cn
	Roles            []Role
	Users            []User
	Groups           []Group
	Policies         []ManagedPolicy // customer managed
	InstanceProfiles []InstanceProfile
	Providers        []OIDCProvider
	Quotas           Quotas
}

// Sort brings the lists into their order.
func (a *Account) Sort() {
	sortBy(a.Roles, func(r Role) string { return r.Name })
	sortBy(a.Users, func(u User) string { return u.Name })
	sortBy(a.Groups, func(g Group) string { return g.Name })
	sortBy(a.Policies, func(p ManagedPolicy) string { return p.ARN(a) })
	sortBy(a.InstanceProfiles, func(p InstanceProfile) string { return p.Name })
	sortBy(a.Providers, func(p OIDCProvider) string { return p.URL })
}

func sortBy[T any](list []T, key func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
}

// Role is an IAM role.
type Role struct {
	Name        string
	Path        string // begins and ends with "/"
	Description string
	Trust       *iam.Document
	MaxSession  time.Duration // 1 h to 12 h
	Inline      []InlinePolicy
	Attached    []string          // managed policy ARNs
	Boundary    string            // managed policy ARN; empty: none
	Tags        map[string]string // nil: none
	Unprofiled  bool              // read in a snapshot that no instance profile has it; false: one may
}

// User is an IAM user: here, a machine user.
type User struct {
	Name     string
	Path     string
	Groups   []string // names
	Inline   []InlinePolicy
	Attached []string
	Boundary string
	Tags     map[string]string
	Keys     []AccessKey // observed for the stack's own users only
}

// AccessKey is a long-lived key without its secret.
type AccessKey struct {
	ID      string
	Active  bool
	Created time.Time
}

// Group is an IAM group. Groups have no tags.
type Group struct {
	Name     string
	Path     string
	Inline   []InlinePolicy
	Attached []string
}

// InlinePolicy is a policy that lives in one role, user or group.
type InlinePolicy struct {
	Name     string
	Document *iam.Document
}

// ManagedPolicy is a customer managed policy.
type ManagedPolicy struct {
	Name string
	Path string
	// AWSManaged marks one of AWS's own, observed where the account uses it:
	// its content is needed to judge a role, it is never changed.
	AWSManaged bool
	Document   *iam.Document // the default version; nil if it could not be read
	Versions   []string      // observed ids of the versions that are not the default
	Tags       map[string]string
}

// InstanceProfile hands a role to EC2 instances.
type InstanceProfile struct {
	Name string
	Path string
	Role string // name; empty: none yet
	Tags map[string]string
}

// OIDCProvider tells an account to believe an issuer. One per issuer and
// account, shared by all that trust it.
type OIDCProvider struct {
	URL       string   // without "https://"
	Audiences []string // client ids
	Tags      map[string]string
}

// Quotas bound what an account takes. Sizes are characters without white space.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
type Quotas struct {
	ManagedPolicySize int // one customer managed policy
	RoleInlineSize    int // all inline policies of a role together
	GroupInlineSize   int
	UserInlineSize    int
	TrustPolicySize   int
	AttachedPerRole   int // managed policies on one role
	Roles, Users      int // most per account
	Groups, Policies  int
	InstanceProfiles  int
	Providers         int
}

// DefaultQuotas are AWS's defaults for an account nobody raised anything in.
func DefaultQuotas() Quotas {
	return Quotas{
		ManagedPolicySize: 6144, RoleInlineSize: 10240, GroupInlineSize: 5120, UserInlineSize: 2048,
		TrustPolicySize: 2048, AttachedPerRole: 10,
		Roles: 1000, Users: 5000, Groups: 300, Policies: 1500, InstanceProfiles: 1000, Providers: 100,
	}
}
