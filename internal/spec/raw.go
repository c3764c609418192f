package spec

import (
	"time"

	"github.com/postern-dev/postern/internal/trust"
)

// The raw types are what one file says, before references are followed.

type rawSpec struct {
	place
	Stack      item[string]
	Region     item[string]
	Accounts   []pair[rawAccount]
	Identities []pair[rawIdentity]
	Roles      []pair[rawRole]
	Never      []rawNever
	Expect     []rawExpect
}

type rawAccount struct {
	place
	ID        item[string]
	AdminRole item[string]
}

// rawProof is an identity that proves itself, with the places of its keys.
type rawProof struct {
	place
	Identity trust.Identity
}

// rawTarget is what an identity or a trust entry may be: exactly one is set.
type rawTarget struct {
	Name  item[string] // of an identity; in trust only
	Proof rawProof
	Key   *rawKey // in identities only
}

type rawIdentity = choice[rawTarget, struct{}]

type rawKey struct {
	place
	Account item[string]
	Because string
	Rotate  rawRotate
	Deliver []rawSink
}

type rawRotate struct {
	Every item[time.Duration]
	Grace item[time.Duration]
}

type rawSink = choice[settings, struct{}]

// settings are keys of the user's choice with plain text.
type settings = []pair[string]

// multiSettings are keys of the user's choice with one or more values.
type multiSettings = []pair[[]item[string]]

type ending struct{ Until time.Time }

type rawRole struct {
	place
	Account         item[string]
	Description     string
	Trust           []rawTrust
	Session         time.Duration
	Grants          []rawGrant
	Custom          []rawCustom
	Boundary        item[string]
	Tags            settings
	InstanceProfile item[bool]
	ExternalID      string
}

type rawTrust = choice[rawTarget, ending]

type rawGrant = choice[rawArgs, ending]

// rawArgs are the arguments of a grant.
type rawArgs struct {
	place
	Level  string
	Params map[string][]string
}

type rawCustom struct {
	place
	Because    string
	Effect     string
	Actions    []item[string]
	NotActions []item[string]
	Resources  []item[string]
	Conditions []pair[multiSettings] // by operator
	Unknown    string                // "allow", or empty
	Until      time.Time
}

type rawNever struct {
	place
	Identities []item[string]
	Roles      []item[string]
	Actions    []item[string]
	On         []item[string]
}

type rawExpect struct {
	place
	Role    item[string]
	Allow   []item[string]
	Deny    []item[string]
	On      []item[string]
	Context multiSettings
}
