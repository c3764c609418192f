package reach

import (
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam/eval"
)

// Category says what a way of escalation turns on, in the words of
// pathfinding.cloud.
type Category string

// The categories.
const (
	SelfEscalation   Category = "self-escalation"   // it changes what the principal itself may do
	PrincipalAccess  Category = "principal-access"  // it takes on another user or role
	NewPassRole      Category = "new-passrole"      // it hands a role to something new
	ExistingPassRole Category = "existing-passrole" // it takes over something that has a role already
	// PolicyWrite is not theirs: it changes a policy that is neither the
	// principal's nor a role's, and opens what that guards.
	PolicyWrite Category = "policy-write"
)

// Gains is what a principal has once it went a way.
type Gains uint8

// The gains. Permissions boundaries and SCPs go on to hold, unless the boundary
// is what was lifted.
const (
	GainsTarget   Gains = iota // all that the target may do
	GainsAnything              // the target, or itself, with whatever permissions it likes
	GainsUnbound               // itself without its permissions boundary
	GainsGroup                 // what a group may do, too
	GainsPart                  // something of what the target may do; it leads no further
	GainsOpening               // what Path.Opens says; it leads no further
)

// On is what a step is done to.
type On uint8

// What steps are done to.
const (
	OnAccount      On = iota // something of the account, of which the name is not known
	OnSelf                   // the principal
	OnTarget                 // the user, role or group that is gained
	OnTrust                  // the target role, so that from then on it trusts the principal
	OnOwnGroup               // a group that the user is in
	OnOwnPolicy              // a managed policy of the customer that the principal has
	OnOwnBoundary            // the managed policy that is its permissions boundary
	OnTargetPolicy           // one that the target has
	OnTargetIssuer           // a SAML provider that the target trusts
	OnAnything               // whatever the action can be about; its ARN may have no account
)

// Step is one action that a way needs.
type Step struct {
	Action string // "iam:PassRole"
	On     On
}

// Path is one way of getting at permissions.
type Path struct {
	ID       string // of https://pathfinding.cloud; those that begin with "postern-" are not there
	Category Category
	Steps    []Step             // all are needed
	By       eval.PrincipalKind // User or Role: for them alone; Anonymous: for either
	Target   eval.PrincipalKind // User or Role; Anonymous: the principal itself
	// Service are the service principals that come to run the target role. The
	// role must trust one of them and, where a step passes it, the principal be
	// allowed to pass it to one.
	Service []string
	Gains   Gains
	Opens   string // of GainsOpening: what it opens to whomever the principal likes
	Source  string // where it is described
}

// leads reports whether one who went the path can go on from where it leads.
func (p *Path) leads() bool { return p.Gains != GainsPart && p.Gains != GainsOpening }

// Presumes reports whether the path takes over something that must stand
// already and have the role. A Graph does not know what does: such an edge
// says that it may be so.
func (p *Path) Presumes() bool { return len(p.Service) > 0 && !p.passes() }

// Name lists the actions, as pathfinding.cloud names its paths.
func (p *Path) Name() string {
	var names []string
	for _, s := range p.Steps {
		names = append(names, s.Action)
	}
	return strings.Join(names, " + ")
}

// passes reports whether the path hands the target role to a service.
func (p *Path) passes() bool {
	for _, s := range p.Steps {
		if s.Action == passRole {
			return true
		}
	}
	return false
}

const passRole = "iam:PassRole"

// Where paths are described that pathfinding.cloud does not have.
const (
	rhino        = "https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/"
	boundaries   = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
	serviceCreds = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html"
	samlProvider = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html"
	pmapper      = "https://github.com/nccgroup/PMapper/tree/master/principalmapper/graphing"
	stepFunction = "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html"
	scheduler    = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html"
	automation   = "https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup-iam.html"
	podIdentity  = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html"
	sessionTags  = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html"
	detachPolicy = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html"
	updatePolicy = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_UpdatePolicy.html"
	moveAccount  = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html"
	permitSets   = "https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"
	writable     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html"
	keyGrants    = "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"
	anywhere     = "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/getting-started.html"
)

// sourced fills in where a path is described: its page at pathfinding.cloud, if
// nothing else is said.
func sourced(p Path) Path {
	if p.Source == "" {
		p.Source = "https://pathfinding.cloud/paths/" + p.ID
	}
	return p
}

// itself is a path by which a principal changes its own permissions.
func itself(id, action string, on On, by eval.PrincipalKind, gains Gains) Path {
	return Path{ID: id, Category: SelfEscalation, Steps: []Step{{action, on}}, By: by, Gains: gains}
}

// takes is a path to another user or role of the account, or another account's
// where it is assumed.
func takes(id string, target eval.PrincipalKind, gains Gains, steps ...Step) Path {
	return Path{ID: id, Category: PrincipalAccess, Target: target, Steps: steps, Gains: gains}
}

// hands is a path that passes a role to a service and makes that run it.
func hands(id, service string, actions ...string) Path {
	p := runs(id, service, actions...)
	p.Category = NewPassRole
	p.Steps = append([]Step{{passRole, OnTarget}}, p.Steps...)
	return p
}

// runs is a path to the role of something that stands already. service may be
// several, with spaces between.
func runs(id, service string, actions ...string) Path {
	p := Path{ID: id, Category: ExistingPassRole, Target: eval.Role, Service: strings.Fields(service), Gains: GainsTarget}
	for _, a := range actions {
		p.Steps = append(p.Steps, Step{a, OnAccount})
	}
	return p
}

// opens is a path by which a principal changes a policy of something else.
func opens(id, what string, actions ...string) Path {
	p := Path{ID: id, Category: PolicyWrite, Gains: GainsOpening, Opens: what}
	for _, a := range actions {
		p.Steps = append(p.Steps, Step{a, OnAnything})
	}
	return p
}

// from names where a path is described.
func from(source string, p Path) Path {
	p.Source = source
	return p
}

// empowering are the actions of IAM that are enough by themselves to get at
// permissions that one does not have: one's own, or all of another principal's.
var empowering = sync.OnceValue(func() []string {
	var out []string
	for _, p := range Paths() {
		if len(p.Steps) == 1 && strings.HasPrefix(p.Steps[0].Action, "iam:") && p.leads() {
			out = appendNew(out, p.Steps[0].Action)
		}
	}
	slices.Sort(out)
	return out
})
