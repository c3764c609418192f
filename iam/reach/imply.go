package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// implied reports whether all of these conditions surely hold wherever all of
// the others do.
func implied(these, others []iam.Condition) bool {
	for _, c := range these {
		if !slices.ContainsFunc(others, func(other iam.Condition) bool { return implies(other, c) }) {
			return false
		}
	}
	return true
}

// implies reports whether one condition surely holds wherever the other does:
// the same operator with fewer values, or, if it is negated, with more; a plain
// operator implies its IfExists, an exact one its pattern.
func implies(strong, weak iam.Condition) bool {
	s, known := iam.ParseOperator(strong.Operator)
	w, alsoKnown := iam.ParseOperator(weak.Operator)
	if !known || !alsoKnown || !strings.EqualFold(strong.Key, weak.Key) || s.Set != w.Set || s.IfExists && !w.IfExists {
		return false
	}
	if s.Name == "StringEquals" && w.Name == "StringLike" {
		return everyIn(strong.Values, weak.Values, likes)
	}
	if s.Name != w.Name {
		return false
	}
	if strings.Contains(s.Name, "Not") {
		return everyIn(weak.Values, strong.Values, sameValue(s.Name))
	}
	return everyIn(strong.Values, weak.Values, sameValue(s.Name))
}

// likes reports whether a text matches a pattern. One with variables is the
// same or is not known to.
func likes(pattern, text string) bool {
	return pattern == text || !hasVariables(pattern) && !hasVariables(text) && iam.Match(pattern, text)
}

// sameValue compares two values of an operator: the second is at most as wide.
func sameValue(operator string) func(wide, narrow string) bool {
	if operator == "StringLike" || operator == "StringNotLike" {
		return func(wide, narrow string) bool {
			return wide == narrow || !hasVariables(wide) && !hasVariables(narrow) && iam.Covers(wide, narrow)
		}
	}
	return func(wide, narrow string) bool { return wide == narrow }
}

// everyIn reports whether every value of a list is within one of the others.
func everyIn(list, others []string, within func(wide, narrow string) bool) bool {
	for _, v := range list {
		if !slices.ContainsFunc(others, func(other string) bool { return within(other, v) }) {
			return false
		}
	}
	return true
}
