package spec

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// written is a scalar as a hint may repeat it. Dots stand for a list or a map,
// and for text that needs quotes or might be a secret.
func written(n *yaml.Node) string {
	if !isScalar(n) || !plainScalar().MatchString(n.Value) || randomLooking(n.Value) || secretIn(n.Value) != "" {
		return dots
	}
	return n.Value
}

const dots = "..."

var plainScalar = lazily(`^[A-Za-z0-9][A-Za-z0-9._:/@*-]{0,79}$`)

// only is the one member of a list; nil if there are more or none.
func only(n *yaml.Node) *yaml.Node {
	if kindOf(n) != aList || len(n.Content) != 1 {
		return nil
	}
	return n.Content[0]
}

// shape writes a scalar as the schema wants it: as the member of a list, or as
// the first key of a map that must be there.
func shape(s schema, scalar string) string {
	switch s["type"] {
	case "array":
		return "[" + shape(s["items"].(schema), scalar) + "]"
	case "object":
		required, _ := s["required"].([]string)
		if len(required) == 0 {
			return dots
		}
		keys := []string{required[0] + ": " + shape(s["properties"].(schema)[required[0]].(schema), scalar)}
		for _, name := range required[1:] {
			keys = append(keys, name+": "+dots)
		}
		return "{ " + strings.Join(keys, ", ") + " }"
	}
	for _, one := range alternatives(s) {
		if t := one["type"]; t == "array" || t == "object" || one["$ref"] != nil {
			continue
		}
		return scalar
	}
	return dots
}

// mapHint says how to write what stands in place of a map of this schema.
func mapHint(s schema, n *yaml.Node) string {
	if one := only(n); one != nil {
		if kindOf(one) == aMap {
			return outOfList
		}
		n = one
	}
	if !isScalar(n) {
		return ""
	}
	scalar := written(n)
	if _, isKey := s["properties"].(schema)[n.Value]; isKey {
		scalar = dots
	} else if scalar != dots && kindOf(n) != aText {
		scalar = strconv.Quote(scalar)
	}
	if text := shape(s, scalar); text != dots {
		return "write " + text
	}
	return ""
}

const outOfList = `take it out of the list: remove the "- " or the brackets`

// slip says how to write what stands in place of a map of which one key says
// what it is.
func (f choiceForm[T, R]) slip(n *yaml.Node) string {
	if one := only(n); one != nil {
		n = one
	}
	switch {
	case kindOf(n) == aMap:
		return outOfList
	case !isScalar(n):
		return ""
	case indexField(f.kinds, n.Value) >= 0:
		return "write " + n.Value + ": and, indented below it, what is asked of it"
	}
	if special := f.hint(n.Value, ""); special != "" {
		return special
	}
	return didYouMean(n.Value, names(f.kinds))
}

// misplaced recognises a key of a kind that stands beside the kind, or in its
// place.
func (p proofForms) misplaced(word, beside string) string {
	var kinds []string
	for _, one := range p {
		if one.has(word) && (beside == "" || beside == one.kind) {
			kinds = append(kinds, one.kind)
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return "indent it below its kind: " + strings.Join(kinds, ", ")
}

// has reports whether a key stands in a kind's map.
func (p proofForm) has(word string) bool {
	return slices.ContainsFunc(alternatives(p.form.schema), func(s schema) bool {
		properties, _ := s["properties"].(schema)
		_, ok := properties[word]
		return ok
	})
}

// namesHint says how to write what stands in place of a map from names.
func namesHint(n *yaml.Node) string {
	if kindOf(n) == aList {
		return "give each member a name of its own in place of the dash: NAME: ..."
	}
	return "write { NAME: " + written(n) + " }"
}

// listHint says how to write what stands in place of a list of this schema.
func listHint(s schema, n *yaml.Node) string {
	if kindOf(n) == aMap {
		return `begin each member with "- "`
	}
	return "write " + shape(s, written(n))
}

// scalarHint says how to write what stands in place of a scalar.
func scalarHint(n *yaml.Node, want kind) string {
	one := only(n)
	switch {
	case one != nil && kindOf(one) == want:
		return "write " + written(one) + ", without the list"
	case want == aText && kindOf(n) != nothing:
		return quote(n)
	case want == aBool && isScalar(n):
		return boolHint(n.Value)
	}
	return ""
}

// boolHint knows the words that older YAML took for true and false.
func boolHint(word string) string {
	switch strings.ToLower(word) {
	case "yes", "on", "true", "y", "1":
		return "write true"
	case "no", "off", "false", "n", "0":
		return "write false"
	}
	return ""
}
