package compile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
)

// pack puts a role's documents inline as long as they fit and the largest of
// the rest into managed policies, splitting by statement and then by resource.
// Nothing is merged or widened.
func (c *compiler) pack(r spec.Role, account *estate.Account, out *estate.Role, docs []named) {
	inline, spilled := spill(docs, account.Quotas.RoleInlineSize)
	out.Inline = inlinePolicies(inline)
	slices.SortFunc(out.Inline, func(a, b estate.InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	for _, d := range spilled {
		parts, ok := split(d.doc, account.Quotas.ManagedPolicySize)
		if !ok {
			c.fail(r.Pos, "split the grant's list of resources over several grants", "a statement of %s in role %s has more than the %d characters that a managed policy takes", d.name, r.Name, account.Quotas.ManagedPolicySize)
			continue
		}
		for _, part := range parts {
			name, err := hashedName(out.Name, d.name, part)
			if err != nil {
				c.errs = append(c.errs, &fault.Error{Where: r.Pos.String(), What: fmt.Sprintf("policy %s of role %s", d.name, r.Name), Cause: err})
				continue
			}
			p := estate.ManagedPolicy{Name: name, Path: c.path(), Document: part, Tags: c.tags(nil)}
			if arn := account.PolicyARN(p.Path, p.Name); !slices.Contains(out.Attached, arn) {
				account.Policies = append(account.Policies, p)
				out.Attached = append(out.Attached, arn)
			}
		}
	}
	slices.Sort(out.Attached)
	if n, most := len(out.Attached), account.Quotas.AttachedPerRole; n > most {
		c.fail(r.Pos, "split the role in two, each with some of the grants, or ask AWS to raise the quota",
			"role %s needs %d managed policies beside its inline ones; account %s attaches %d to a role", r.Name, n, account.ID, most)
	}
}

// spill moves the largest documents out until the rest fits into most
// characters. Order is kept; of equal sizes the later one goes.
func spill(docs []named, most int) (inline, spilled []named) {
	inline = slices.Clone(docs)
	total := 0
	for _, d := range inline {
		total += d.doc.Size()
	}
	for total > most {
		largest := 0
		for i, d := range inline {
			if d.doc.Size() >= inline[largest].doc.Size() {
				largest = i
			}
		}
		total -= inline[largest].doc.Size()
		spilled = append(spilled, inline[largest])
		inline = slices.Delete(inline, largest, largest+1)
	}
	return inline, spilled
}

// split cuts a document into ones of at most most characters, none of them
// empty. It reports false when one resource alone is too much.
func split(doc *iam.Document, most int) ([]*iam.Document, bool) {
	var parts []*iam.Document
	current := document(nil)
	flush := func() {
		if len(current.Statements) > 0 {
			parts = append(parts, current)
		}
		current = document(nil)
	}
	for _, s := range doc.Statements {
		pieces, ok := splitStatement(s, most)
		if !ok {
			return nil, false
		}
		for i, piece := range pieces {
			if i > 0 && s.SID != "" {
				piece.SID = numberedSID(s.SID, i+1) // Sids are unique in a document
			}
			grown := document(append(slices.Clone(current.Statements), piece))
			if grown.Size() > most {
				flush()
				grown = document([]iam.Statement{piece})
			}
			current = grown
		}
	}
	flush()
	return parts, true
}

// splitStatement halves the list of resources until each half fits. A
// statement means the same as the two halves together, for Allow and for Deny;
// not so for NotResource, which stays whole.
func splitStatement(s iam.Statement, most int) ([]iam.Statement, bool) {
	if document([]iam.Statement{s}).Size() <= most {
		return []iam.Statement{s}, true
	}
	if len(s.Resources) < 2 {
		return nil, false
	}
	left, right := s, s
	half := len(s.Resources) / 2
	left.Resources, right.Resources = s.Resources[:half:half], s.Resources[half:]
	a, ok := splitStatement(left, most)
	if !ok {
		return nil, false
	}
	b, ok := splitStatement(right, most)
	return append(a, b...), ok
}

// hashedName names a managed policy by what it says, so that a change makes a
// new policy beside the old one: the old is detached only when the new holds,
// and no policy runs into the limit of five versions.
func hashedName(role, grant string, doc *iam.Document) (string, error) {
	text, err := doc.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("print policy: %w", err)
	}
	sum := sha256.Sum256(text)
	name := role + "-" + grant
	const hash, maxPolicyName = 8, 128
	if most := maxPolicyName - hash - 1; len(name) > most {
		name = name[:most]
	}
	return name + "-" + hex.EncodeToString(sum[:])[:hash], nil
}

func numberedSID(sid string, n int) string { return fmt.Sprintf("%s%d", sid, n) }

func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}
