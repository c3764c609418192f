package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// item is a value that knows its place. Without a place it is absent, or wrong
// and reported.
type item[T any] struct {
	V   T
	Pos Pos
}

// placed adds the place to what f reads.
func placed[T any](f form[T]) form[item[T]] {
	return form[item[T]]{
		read: func(r *reader, n *yaml.Node) (item[T], bool) {
			v, ok := f.read(r, n)
			if !ok {
				return item[T]{}, false
			}
			return item[T]{v, r.pos(n)}, true
		},
		schema: f.schema,
	}
}

// mapped turns what f reads into a U.
func mapped[T, U any](f form[T], turn func(T) U) form[U] {
	return form[U]{
		read: func(r *reader, n *yaml.Node) (U, bool) {
			v, ok := f.read(r, n)
			return turn(v), ok
		},
		schema: f.schema,
	}
}

// pair is one entry of a map whose keys the user chooses. It is kept even if its
// value has mistakes, so that references to it are not reported as well.
type pair[T any] struct {
	Key    string
	KeyPos Pos
	V      T
	Pos    Pos  // of the value
	OK     bool // V has no mistake
}

// anyKeys is a map from keys of the user's choice.
func anyKeys[T any](f form[T]) form[[]pair[T]] {
	return form[[]pair[T]]{
		read: func(r *reader, n *yaml.Node) ([]pair[T], bool) {
			entries, ok := r.entries(n, namesHint)
			var out []pair[T]
			for _, e := range entries {
				x := pair[T]{Key: e.key, KeyPos: e.pos, Pos: e.pos}
				if e.value != nil {
					x.Pos = r.pos(e.value)
					x.V, x.OK = f.read(r, e.value)
				}
				ok = x.OK && ok
				out = append(out, x)
			}
			return out, ok
		},
		schema: schema{"type": "object", "additionalProperties": f.schema},
	}
}

// byName is a map from names.
func byName[T any](f form[T]) form[[]pair[T]] {
	all := anyKeys(f)
	return form[[]pair[T]]{
		read: func(r *reader, n *yaml.Node) ([]pair[T], bool) {
			out, ok := all.read(r, n)
			for _, x := range out {
				if !namePattern().MatchString(x.Key) {
					r.fail(x.KeyPos, fmt.Sprintf("%q cannot be a name", x.Key), `begin with a lower-case letter; go on with these, digits, "-" and "_"`)
					ok = false
				}
			}
			return out, ok
		},
		schema: with(all.schema, "propertyNames", schema{"pattern": namePattern().String()}),
	}
}

// partial is a value that can be of use in spite of mistakes in it: the
// references in it are checked all the same.
type partial interface{ usable() bool }

// listOf is a list; its members without mistakes, and the usable ones, are kept
// whatever the others are.
func listOf[T any](f form[T]) form[[]T] {
	all := schema{"type": "array", "items": f.schema}
	return form[[]T]{
		read: func(r *reader, n *yaml.Node) ([]T, bool) {
			if kindOf(n) != aList {
				r.mismatch(n, aList, listHint(all, n))
				return nil, false
			}
			var out []T
			ok := true
			for _, v := range n.Content {
				if kindOf(v) == nothing {
					r.fail(r.pos(v), "this list item is empty", "give it a value or remove it")
					ok = false
					continue
				}
				x, fine := f.read(r, v)
				ok = ok && fine
				if part, can := any(x).(partial); fine || can && part.usable() {
					out = append(out, x)
				}
			}
			return out, ok
		},
		schema: all,
	}
}

// filled is a list or a map of one or more.
func filled[T any](f form[[]T]) form[[]T] {
	minimum, want := "minItems", aList
	if f.schema["type"] == "object" {
		minimum, want = "minProperties", aMap
	}
	return form[[]T]{
		read: func(r *reader, n *yaml.Node) ([]T, bool) {
			v, ok := f.read(r, n)
			if kindOf(n) == want && len(n.Content) == 0 {
				r.fail(r.pos(n), "there is nothing in this "+strings.TrimPrefix(string(want), "a "), "name at least one, or remove the key")
				return nil, false
			}
			return v, ok
		},
		schema: with(f.schema, minimum, 1),
	}
}

// oneOrMany is a list of one or more, or its only member alone.
func oneOrMany[T any](f form[T]) form[[]T] {
	many := filled(listOf(f))
	return form[[]T]{
		read: func(r *reader, n *yaml.Node) ([]T, bool) {
			if !isScalar(n) {
				return many.read(r, n)
			}
			v, ok := f.read(r, n)
			if !ok {
				return nil, false
			}
			return []T{v}, true
		},
		schema: schema{"oneOf": []schema{f.schema, many.schema}},
	}
}

// either reads a scalar by one form and anything else by the other.
func either[T any](scalar, other form[T]) form[T] {
	return form[T]{
		read: func(r *reader, n *yaml.Node) (T, bool) {
			if isScalar(n) {
				return scalar.read(r, n)
			}
			return other.read(r, n)
		},
		schema: schema{"oneOf": append(alternatives(scalar.schema), alternatives(other.schema)...)},
	}
}

// alternatives flattens a oneOf.
func alternatives(s schema) []schema {
	if list, ok := s["oneOf"].([]schema); ok && len(s) == 1 {
		return slices.Clone(list)
	}
	return []schema{s}
}

// with returns a copy of the schema with one keyword set.
func with(s schema, keyword string, value any) schema {
	out := schema{}
	for k, v := range s {
		out[k] = v
	}
	out[keyword] = value
	return out
}

// choice is a map in which exactly one of several keys, the kind, says what it
// is; the keys of R may stand beside it.
type choice[T, R any] struct {
	Kind string
	Pos  Pos // of the kind's key
	V    T
	OK   bool // V has no mistake
	Rest R
}

func (c choice[T, R]) usable() bool { return c.Kind != "" }

// choiceForm describes a choice.
type choiceForm[T, R any] struct {
	what  string // what is chosen, for mistakes: "identity kind"
	kinds []field[T]
	rest  []field[R]
	// strange returns a hint for an unknown key, given the kind that stands
	// beside it (empty: none), or "".
	strange func(key, kind string) string
}

func (f choiceForm[T, R]) form() form[choice[T, R]] {
	return form[choice[T, R]]{read: f.read, schema: f.schema()}
}

func (f choiceForm[T, R]) read(r *reader, n *yaml.Node) (choice[T, R], bool) {
	var c choice[T, R]
	entries, ok := r.entries(n, f.slip)
	if !ok && entries == nil {
		return c, false
	}
	var beside []entry
	for _, e := range entries {
		switch i := indexField(f.kinds, e.key); {
		case i < 0:
			beside = append(beside, e)
		case c.Kind != "":
			r.fail(e.pos, fmt.Sprintf("%q cannot stand beside %q", e.key, c.Kind), "give each an entry of its own")
			ok = false
		default:
			c.Kind, c.Pos = e.key, e.pos
			c.OK = e.value != nil && f.kinds[i].read(r, e.value, &c.V)
		}
	}
	ok = f.readRest(r, beside, &c) && ok
	if c.Kind == "" && ok {
		r.fail(r.pos(n), "the "+f.what+" is missing", oneOf(names(f.kinds)))
	}
	return c, ok && c.OK
}

// readRest reads the keys beside the kind. If there is no kind, the first
// unknown key was meant to be it.
func (f choiceForm[T, R]) readRest(r *reader, beside []entry, c *choice[T, R]) bool {
	ok := true
	for _, e := range beside {
		i := indexField(f.rest, e.key)
		if i >= 0 {
			ok = e.value != nil && f.rest[i].read(r, e.value, &c.Rest) && ok
			continue
		}
		ok = false
		known, what := names(f.rest), "key"
		if c.Kind == "" {
			known, what = names(f.kinds), f.what
		}
		hint := didYouMean(e.key, known)
		if special := f.hint(e.key, c.Kind); special != "" {
			hint = special
		}
		r.fail(e.pos, fmt.Sprintf("unknown %s %q", what, e.key), hint)
	}
	return ok
}

func (f choiceForm[T, R]) hint(key, kind string) string {
	if f.strange == nil {
		return ""
	}
	return f.strange(key, kind)
}

func (f choiceForm[T, R]) schema() schema {
	var all []schema
	for _, kind := range f.kinds {
		kind.required = true
		properties := objectSchema([]field[T]{kind})
		for k, v := range objectSchema(f.rest)["properties"].(schema) {
			properties["properties"].(schema)[k] = v
		}
		all = append(all, properties)
	}
	return schema{"oneOf": all}
}
