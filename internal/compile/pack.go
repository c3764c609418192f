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
// the rest into managed policies. Nothing is widened to fit.
func (c *compiler) pack(r spec.Role, account *estate.Account, out *estate.Role, docs []named) {
	inline, managed, misfit := fit(docs, account.Quotas)
	if misfit != nil {
		c.fail(r.Pos, misfit.hint, "role %s: %s", r.Name, misfit.what)
	}
	out.Inline = inlinePolicies(inline)
	slices.SortFunc(out.Inline, func(a, b estate.InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	for _, d := range managed {
		name, err := hashedName(out.Name, d.name, d.doc)
		if err != nil {
			c.errs = append(c.errs, &fault.Error{Where: r.Pos.String(), What: fmt.Sprintf("policy %s of role %s", d.name, r.Name), Cause: err})
			continue
		}
		p := estate.ManagedPolicy{Name: name, Path: c.path(), Document: d.doc, Tags: c.tags(nil)}
		if arn := account.PolicyARN(p.Path, p.Name); !slices.Contains(out.Attached, arn) {
			account.Policies = append(account.Policies, p)
			out.Attached = append(out.Attached, arn)
		}
	}
	slices.Sort(out.Attached)
}

// misfit says what does not fit and what to split.
type misfit struct{ what, hint string }

// fit shares documents out to a role's inline policies and to managed ones. It
// keeps one policy to a grant for as long as that fits; then it says the same
// in fewer statements; then grants share managed policies.
func fit(docs []named, q estate.Quotas) (inline, managed []named, err *misfit) {
	inline, spilled := spill(docs, q.RoleInlineSize)
	if len(spilled) > 0 {
		inline, spilled = spill(mergedEach(docs), q.RoleInlineSize)
	}
	for _, d := range spilled {
		parts, ok := split(d.doc, q.ManagedPolicySize)
		if !ok {
			return nil, nil, &misfit{
				what: fmt.Sprintf("a statement of %s has more than the %d characters that a managed policy takes", d.name, q.ManagedPolicySize),
				hint: "shorten the names of its resources and the values of its conditions: it cannot be split further",
			}
		}
		for _, part := range parts {
			managed = append(managed, named{d.name, part})
		}
	}
	if len(managed) > q.AttachedPerRole {
		if fewer, ok := shared(spilled, q.ManagedPolicySize); ok {
			managed = fewer
		}
	}
	if n := len(managed); n > q.AttachedPerRole {
		return nil, nil, &misfit{
			what: fmt.Sprintf("needs %d managed policies beside its inline ones; the account attaches %d to a role", n, q.AttachedPerRole),
			hint: "split the role in two, each with some of the grants, or ask AWS to raise the quota; " + largest(docs),
		}
	}
	return inline, managed, nil
}

func mergedEach(docs []named) []named {
	var out []named
	for _, d := range docs {
		out = append(out, named{d.name, merged(d.doc)})
	}
	return out
}

// shared packs the documents into as few as it can.
func shared(docs []named, most int) ([]named, bool) {
	var all []iam.Statement
	for _, d := range docs {
		all = append(all, d.doc.Statements...)
	}
	parts, ok := split(merged(document(all)), most)
	var out []named
	for _, part := range parts {
		out = append(out, named{"grants", part})
	}
	return out, ok
}

// largest names the documents that take the most room.
func largest(docs []named) string {
	bySize := slices.SortedStableFunc(slices.Values(docs), func(a, b named) int { return cmp.Compare(b.doc.Size(), a.doc.Size()) })
	text := "the largest:"
	for i, d := range bySize[:min(3, len(bySize))] {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %s with %d characters", d.name, d.doc.Size())
	}
	return text
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
// empty: each piece goes into the first that has room. It reports false when
// one action on one resource alone is too much.
func split(doc *iam.Document, most int) ([]*iam.Document, bool) {
	var parts []*iam.Document
	for _, s := range doc.Statements {
		pieces, ok := splitStatement(s, most)
		if !ok {
			return nil, false
		}
		for _, piece := range pieces {
			parts = place(parts, piece, most)
		}
	}
	return parts, true
}

// place adds a statement to the first document that has room, or to a new one.
func place(parts []*iam.Document, s iam.Statement, most int) []*iam.Document {
	for i, part := range parts {
		if grown := distinct(document(append(slices.Clone(part.Statements), s))); grown.Size() <= most {
			parts[i] = grown
			return parts
		}
	}
	return append(parts, document([]iam.Statement{s}))
}

// splitStatement halves the list of resources, or else of actions, until each
// half fits. A statement means the same as the two halves together, for Allow
// and for Deny; not so for NotResource and NotAction, which stay whole.
func splitStatement(s iam.Statement, most int) ([]iam.Statement, bool) {
	if document([]iam.Statement{s}).Size() <= most {
		return []iam.Statement{s}, true
	}
	left, right := s, s
	switch {
	case len(s.Resources) > 1:
		half := len(s.Resources) / 2
		left.Resources, right.Resources = s.Resources[:half:half], s.Resources[half:]
	case len(s.Actions) > 1:
		half := len(s.Actions) / 2
		left.Actions, right.Actions = s.Actions[:half:half], s.Actions[half:]
	default:
		return nil, false
	}
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

func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}
