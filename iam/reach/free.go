package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

func hasVariables(pattern string) bool { return strings.Contains(pattern, "${") }

// freeVariables lets each policy variable stand for anything.
func freeVariables(pattern string) string {
	if !hasVariables(pattern) {
		return pattern
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('*')
		_, after, closed := strings.Cut(rest, "}")
		if !closed {
			return b.String()
		}
		pattern = after
	}
}

// Free returns the document as it reads when every condition key that known
// does not list may have any value: an Allow loses its conditions on other
// keys, a Deny that has one is dropped. Evaluating the result with the known
// keys errs to "allowed" only. Keys compare without regard to case.
func Free(d *iam.Document, known func(key string) bool) *iam.Document {
	out := *d
	out.Statements = nil
	for _, s := range d.Statements {
		free := func(c iam.Condition) bool { return !known(c.Key) }
		if s.Effect == iam.Deny && slices.ContainsFunc(s.Conditions, free) {
			continue
		}
		s.Conditions = slices.DeleteFunc(slices.Clone(s.Conditions), free)
		out.Statements = append(out.Statements, s)
	}
	return &out
}
