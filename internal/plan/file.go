package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// FileFormat stands at the head of every plan file.
const FileFormat = "postern-plan/1"

// File is a plan on its way from `plan -o` to `apply`. It holds all that
// applying needs, and no secret.
type File struct {
	Format   string        `json:"format"`
	Stack    string        `json:"stack"`
	Region   string        `json:"region"`
	Accounts []FileAccount `json:"accounts"`
	Digest   string        `json:"digest"` // of what the plan was made from; apply refuses when it has changed
	Changes  []Change      `json:"changes"`
	Access   []Access      `json:"access"`
}

// FileAccount says how to reach an account.
type FileAccount struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	AdminRole string `json:"admin_role,omitempty"`
}

// Partition is the AWS partition of the plan's region.
func (f *File) Partition() string { return iam.LookupPartition(f.Region) }

// IsFile reports whether data looks like a plan file rather than a spec.
func IsFile(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) && bytes.Contains(data, []byte(`"format"`))
}

// Encode prints the file as indented JSON.
func (f *File) Encode() ([]byte, error) {
	f.Format = FileFormat
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return append(data, '\n'), nil
}

// ReadFile decodes a plan file; name is for the error.
func ReadFile(name string, data []byte) (*File, error) {
	var f File
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, &fault.Error{Where: name, What: "not a plan file", Cause: err, Hint: "make one: postern plan -o " + name}
	}
	if f.Format != FileFormat {
		return nil, &fault.Error{Where: name, What: fmt.Sprintf("plan file of format %q, this version reads %q", f.Format, FileFormat), Hint: "make it anew: postern plan -o " + name}
	}
	if err := f.check(); err != nil {
		return nil, &fault.Error{Where: name, What: "damaged plan file", Cause: err, Hint: "make it anew: postern plan -o " + name}
	}
	return &f, nil
}

// check refuses what no plan of ours would hold: a file may have been edited
// or cut short, and it is about to be carried out.
func (f *File) check() error {
	for i, c := range f.Changes {
		if !slices.ContainsFunc(f.Accounts, func(a FileAccount) bool { return a.ID == c.Account }) {
			return fmt.Errorf("change %d is for account %q, which the plan does not reach", i+1, c.Account)
		}
		if c.Stage < 0 || (i > 0 && c.Stage < f.Changes[i-1].Stage) {
			return fmt.Errorf("change %d is out of order", i+1)
		}
	}
	return nil
}

// Digest is a fingerprint of everything that a plan for the stack depends on:
// what the stack owns, names that it needs, providers, and quotas. Other things
// in the account may change without making the plan stale.
func Digest(stack string, observed *estate.Estate) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for i := range observed.Accounts {
		account := &observed.Accounts[i]
		if err := enc.Encode(relevant(stack, account)); err != nil {
			return "", fmt.Errorf("digest account %s: %w", account.ID, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// relevant is the part of an account that a plan is made from.
func relevant(stack string, have *estate.Account) estate.Account {
	path := estate.PathOf(stack)
	out := estate.Account{ID: have.ID, Partition: have.Partition, Quotas: have.Quotas, Providers: have.Providers}
	out.Roles = owned(have.Roles, roleKey, path)
	out.Users = owned(have.Users, userKey, path)
	out.Groups = owned(have.Groups, groupKey, path)
	out.Policies = owned(have.Policies, policyKey, path)
	out.InstanceProfiles = owned(have.InstanceProfiles, instanceProfileKey, path)
	for _, r := range have.Roles { // who else trusts a provider decides whether it may go
		if r.Path != path && len(federated(r)) > 0 {
			out.Roles = append(out.Roles, estate.Role{Name: r.Name, Path: r.Path, Trust: r.Trust})
		}
	}
	return out
}

func owned[T any](list []T, key func(*T) (name, path string), path string) []T {
	return slices.DeleteFunc(slices.Clone(list), func(t T) bool {
		_, at := key(&t)
		return at != path
	})
}

func federated(r estate.Role) []string {
	var arns []string
	if r.Trust == nil {
		return nil
	}
	for _, s := range r.Trust.Statements {
		if s.Principal != nil {
			arns = append(arns, s.Principal.Federated...)
		}
	}
	return arns
}
