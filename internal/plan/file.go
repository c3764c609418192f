package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	Checksum string        `json:"checksum"` // of all below: the file is carried out as it was written or not at all
	Stack    string        `json:"stack"`
	Region   string        `json:"region"`
	Destroy  bool          `json:"destroy,omitempty"` // it removes the stack
	Accounts []FileAccount `json:"accounts"`
	Digest   string        `json:"digest"` // of what the plan was made from; apply refuses when it has changed
	Changes  []Change      `json:"changes"`
	Access   []Access      `json:"access"`
	Notes    []string      `json:"notes,omitempty"`
}

// FileAccount says how to reach an account.
type FileAccount struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	AdminRole string `json:"admin_role,omitempty"`
}

// Plan is the plan in the file.
func (f *File) Plan() *Plan {
	return &Plan{Stack: f.Stack, Changes: f.Changes, Access: f.Access, Notes: f.Notes}
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
	sum, err := f.sum()
	if err != nil {
		return nil, err
	}
	f.Checksum = sum
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return append(data, '\n'), nil
}

// sum is the checksum that belongs to the content. It finds damage and edits,
// not somebody who means to deceive and computes it anew: whoever can write
// the file decides what is applied.
func (f *File) sum() (string, error) {
	content := *f
	content.Checksum = ""
	data, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("encode plan: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
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
	sum, err := f.sum()
	if err != nil {
		return err
	}
	if sum != f.Checksum {
		return errors.New("its content is not what was written: it was edited or cut")
	}
	for i, c := range f.Changes {
		if err := f.checkChange(c); err != nil {
			return fmt.Errorf("change %d, %s: %w", i+1, c.Verb, err)
		}
		if c.Stage < 0 || (i > 0 && c.Stage < f.Changes[i-1].Stage) {
			return fmt.Errorf("change %d, %s: out of order", i+1, c.Verb)
		}
	}
	return nil
}

// checkChange holds one change to the stack's own ground.
func (f *File) checkChange(c Change) error {
	if !slices.ContainsFunc(f.Accounts, func(a FileAccount) bool { return a.ID == c.Account }) {
		return fmt.Errorf("account %q is not one of the plan's", c.Account)
	}
	if !slices.Contains(Verbs(), c.Verb) {
		return errors.New("no such call")
	}
	arn, err := iam.ParseARN(c.Entity)
	if err != nil || arn.Service != "iam" || arn.Account != c.Account {
		return fmt.Errorf("%q is not an IAM entity of account %s", c.Entity, c.Account)
	}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	if kind != "oidc-provider" && !strings.HasPrefix("/"+rest, estate.PathOf(f.Stack)) {
		return fmt.Errorf("%s lies outside %s", c.Entity, estate.PathOf(f.Stack))
	}
	return nil
}
