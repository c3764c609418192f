// Package snippet writes the configuration by which a machine becomes a role: a
// workflow, a pipeline, a profile, from what the spec says of both. Values in,
// text out. It knows no secret and guesses nothing: what the spec does not say
// is a word in capitals, with a comment on where to find it.
package snippet

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// Snippet is what one identity needs to become one role.
type Snippet struct {
	System   string `json:"system"`         // the identity's kind, or that of the sink which a key is delivered to
	Identity string `json:"identity"`       // its name in the spec; its kind for an inline one
	Role     string `json:"role"`           // the name in the spec
	File     string `json:"file,omitempty"` // where the text belongs; empty for commands and settings
	Text     string `json:"text"`           // ends with a newline
}

// All gives the snippets of a spec, role by role, identity by identity.
func All(s *spec.Spec) ([]Snippet, error) {
	all := []Snippet{}
	names := newNames(s)
	for i := range s.Roles {
		r := &s.Roles[i]
		for j, entry := range compile.Entries(s, r) {
			t := newJob(s, r, entry)
			forms := formsOf(entry.Identity)
			if key := keyOf(s, r.Trust[j]); key != nil {
				t.Key, forms = key, formsOfKey(key)
			}
			if len(forms) > 0 {
				t.Name = names.next(forms[0].file, t.Role, t.Identity)
			}
			for _, f := range forms {
				one, err := f.snippet(t)
				if err != nil {
					return nil, err
				}
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// keyOf is the access key of the identity that a trust entry names; nil if it
// has none.
func keyOf(s *spec.Spec, t spec.Trust) *spec.AccessKey {
	i := slices.IndexFunc(s.Identities, func(id spec.Identity) bool { return id.Name == t.Identity })
	if i < 0 {
		return nil
	}
	return s.Identities[i].AccessKey
}

// job is what the templates are made with: one identity that becomes one role.
type job struct {
	Stack    string
	Identity string // name in the spec
	Describe string // one line for people
	Role     string // name in the spec
	Name     string // of the job: no other has it in this file
	RoleName string // name in AWS
	RoleARN  string
	Account  string // 12 digits: the role's
	Region   string
	Seconds  int64     // length of a session; 0: an hour, which is AWS's default
	Audience string    // of the token; empty if none proves the identity
	Default  string    // audience of a token for STS unless it is told otherwise
	External string    // external id to present; may be empty
	Until    time.Time // when access ends; zero: never
	Machine  bool      // the role has an instance profile
	ID       trust.Identity
	Key      *spec.AccessKey // nil unless a key proves the identity

	File string // where the text belongs
}

const hour = int64(time.Hour / time.Second)

func newJob(s *spec.Spec, r *spec.Role, entry trust.Entry) job {
	j := job{
		Stack: s.Stack, Identity: entry.Name, Describe: entry.Identity.Describe(),
		Role: r.Name, RoleName: compile.RoleName(s.Stack, r.Name), RoleARN: compile.RoleARN(s, r),
		Region: s.Region, Until: entry.Until, Machine: r.InstanceProfile, ID: entry.Identity,
		External: externalID(entry.Identity), Default: trust.Audience("aws"),
	}
	if seconds := int64(r.Session / time.Second); seconds != hour {
		j.Seconds = seconds
	}
	for _, account := range s.Accounts {
		if account.Name == r.Account {
			j.Account = account.ID
		}
	}
	if trust.TakesExternalID(entry.Identity, j.Account) {
		j.External = cmp.Or(j.External, entry.ExternalID)
	}
	scope := trust.Scope{Partition: s.Partition, Region: s.Region, Account: j.Account}
	if tokens, ok := trust.TokensOf(entry.Identity, scope); ok {
		j.Audience = tokens.Audiences[0]
	}
	return j
}

func externalID(id trust.Identity) string {
	switch id := id.(type) {
	case trust.AWSRole:
		return id.ExternalID
	case trust.AWSAccount:
		return id.ExternalID
	}
	return ""
}

// Session is the beginning of the session's name, by which CloudTrail tells who
// it was. STS takes 64 characters, and the run's number follows.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func (j job) Session() string {
	const most = 40
	return j.Identity[:min(len(j.Identity), most)]
}

// FullName is the name of the job where those of other stacks may stand too.
func (j job) FullName() string { return j.Stack + "-" + j.Name }

// Header says whose text it is, for the first comment.
func (j job) Header() string {
	line := j.Identity + " (" + j.Describe + ") becomes role " + j.RoleName + " of account " + j.Account
	if !j.Until.IsZero() {
		line += " until " + j.Until.UTC().Format(time.RFC3339)
	}
	return oneLine(line) + "."
}

// Duration is the length of a session as Pulumi writes it.
func (j job) Duration() string {
	d := time.Duration(cmp.Or(j.Seconds, hour)) * time.Second
	return spec.FormatDuration(d)
}
