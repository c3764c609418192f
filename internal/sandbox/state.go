package sandbox

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// state is everything that the sandbox remembers: what the data file holds.
type state struct {
	Format   int                 // stateFormat
	Accounts map[string]*account // by ID
	Sessions map[string]*session // by access key ID
	Operator operator
	Issuer   []byte `json:",omitempty"` // the embedded issuer's private key, PKCS #8
}

// operator names the credentials that the sandbox prints.
type operator struct {
	Account     string
	AccessKeyID string
}

// account is one AWS account.
type account struct {
	ID        string
	Partition string
	Admins    []string `json:",omitempty"` // ARNs of the roles that the operator may assume
	Users     table[user]
	Groups    table[group]
	Roles     table[role]
	Policies  table[policy]
	Profiles  table[profile]
	Providers table[provider]
	Keys      table[accessKey]
	KeyUses   map[string]keyUse // by access key ID
	RoleUses  map[string]keyUse // by role ID
	Aliases   []string          `json:",omitempty"`
	calls     map[string]int    // calls seen, by action: the n of Options.Faults
}

func newAccount(id, partition string) *account {
	return &account{
		ID: id, Partition: partition,
		KeyUses: map[string]keyUse{}, RoleUses: map[string]keyUse{}, calls: map[string]int{},
	}
}

// asShown is the account as calls that read see it.
func (a *account) asShown() *account {
	c := *a
	c.Users, c.Groups, c.Roles = a.Users.asShown(), a.Groups.asShown(), a.Roles.asShown()
	c.Policies, c.Profiles, c.Providers = a.Policies.asShown(), a.Profiles.asShown(), a.Providers.asShown()
	c.Keys = a.Keys.asShown()
	return &c
}

// arrive lets all changes that are due reach the views.
func (a *account) arrive(now time.Time) {
	a.Users.settle(now)
	a.Groups.settle(now)
	a.Roles.settle(now)
	a.Policies.settle(now)
	a.Profiles.settle(now)
	a.Providers.settle(now)
	a.Keys.settle(now)
}

// arn names a thing of the account: kind "user", path "/", name "alice".
func (a *account) arn(kind, path, name string) string {
	return "arn:" + a.Partition + ":iam::" + a.ID + ":" + kind + path + name
}

// holder is what users, groups and roles have in common: policies.
type holder struct {
	Inline   map[string]string // policy text by name
	Attached []string          // managed policy ARNs, oldest first
	Boundary string            `json:",omitempty"` // managed policy ARN
}

func (h holder) clone() holder {
	h.Inline = maps.Clone(h.Inline)
	h.Attached = slices.Clone(h.Attached)
	return h
}

// inlineSize is what IAM counts against the quota of inline policies.
func (h holder) inlineSize() int {
	n := 0
	for _, text := range h.Inline {
		n += policySize(text)
	}
	return n
}

type user struct {
	Name, Path, ID string
	Created        time.Time
	Tags           map[string]string
	Groups         []string // names, sorted
	SSHKeys        []sshKey
	holder
}

func (u *user) clone() *user {
	c := *u
	c.Tags, c.Groups, c.SSHKeys, c.holder = maps.Clone(u.Tags), slices.Clone(u.Groups), slices.Clone(u.SSHKeys), u.holder.clone()
	return &c
}

type sshKey struct {
	ID, Body, Fingerprint, Status string
	Uploaded                      time.Time
}

type group struct {
	Name, Path, ID string
	Created        time.Time
	holder
}

func (g *group) clone() *group {
	c := *g
	c.holder = g.holder.clone()
	return &c
}

type role struct {
	Name, Path, ID string
	Created        time.Time
	Description    string
	Trust          string            // as last put
	TrustIDs       map[string]string // principal ARN in Trust → the unique ID it had then
	MaxSession     int               // seconds
	Tags           map[string]string
	holder
}

func (r *role) clone() *role {
	c := *r
	c.Tags, c.holder = maps.Clone(r.Tags), r.holder.clone()
	return &c
}

type policy struct {
	Name, Path, ID   string
	Created, Updated time.Time
	Description      string
	Tags             map[string]string
	Versions         []policyVersion // oldest first
	Default          string          // version ID
	LastVersion      int             // the number that the newest version got
	AWSManaged       bool            `json:",omitempty"`
}

type policyVersion struct {
	ID, Text string
	Created  time.Time
}

func (p *policy) clone() *policy {
	c := *p
	c.Tags, c.Versions = maps.Clone(p.Tags), slices.Clone(p.Versions)
	return &c
}

func (p *policy) version(id string) (policyVersion, bool) {
	i := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return v.ID == id })
	if i < 0 {
		return policyVersion{}, false
	}
	return p.Versions[i], true
}

// text is the default version's document.
func (p *policy) text() string {
	v, _ := p.version(p.Default)
	return v.Text
}

type profile struct {
	Name, Path, ID string
	Created        time.Time
	Role           string // name; empty: none
	Tags           map[string]string
}

func (p *profile) clone() *profile {
	c := *p
	c.Tags = maps.Clone(p.Tags)
	return &c
}

type provider struct {
	URL         string // without "https://"
	ClientIDs   []string
	Thumbprints []string
	Created     time.Time
	Tags        map[string]string
}

func (p *provider) clone() *provider {
	c := *p
	c.Tags, c.ClientIDs = maps.Clone(p.Tags), slices.Clone(p.ClientIDs)
	return &c
}

type accessKey struct {
	ID, User, Secret string
	Active           bool
	Created          time.Time
}

type keyUse struct {
	At              time.Time
	Service, Region string
}

// session is a set of temporary credentials.
type session struct {
	KeyID, Secret, Token string
	Issued, Expires      time.Time
	Account              string
	Role, RoleID, Name   string // of an assumed role; Name is the session's
	User, UserID         string // of GetSessionToken
	Policies             []string
	Tags                 map[string]string
	Transitive           []string
	SourceIdentity       string
	Federated            string // the provider's ARN, for a web identity
}

// sameName finds a name that differs in case only: IAM's names are unique
// regardless of case, but looked up as written.
func sameName[T any](t *table[T], name string) bool {
	if _, ok := t.get(name); ok {
		return true
	}
	for have := range t.live {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

// prune forgets sessions that ended long ago: for an hour after its end, a
// session's key is answered with "expired" and not with "unknown".
func (s *state) prune(now time.Time) {
	maps.DeleteFunc(s.Sessions, func(_ string, v *session) bool { return now.Sub(v.Expires) > time.Hour })
}
