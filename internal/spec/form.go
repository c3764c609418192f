package spec

import (
	"cmp"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/internal/suggest"
)

// schema is a JSON Schema, draft 2020-12, as encoding/json takes it.
type schema = map[string]any

// form says once how a kind of value is written: how it is read from YAML, with
// every mistake reported at its place, and its JSON Schema. Whatever read takes
// the schema takes too; the schema may be looser.
type form[T any] struct {
	read   func(*reader, *yaml.Node) (T, bool) // false: there were mistakes, reported
	schema schema
}

// ref returns the form with its schema replaced by a reference to a definition.
func (f form[T]) ref(def string) form[T] {
	f.schema = schema{"$ref": "#/$defs/" + def}
	return f
}

// reader reads the nodes of one file.
type reader struct {
	file   string
	report *report
}

func (r *reader) fail(pos Pos, what, hint string) { r.report.add(pos, what, hint) }

// pos is where a node begins; a block map begins at its first key.
func (r *reader) pos(n *yaml.Node) Pos { return Pos{r.file, n.Line, n.Column} }

// mismatch reports a value of the wrong kind.
func (r *reader) mismatch(n *yaml.Node, want kind, hint string) {
	r.fail(r.pos(n), fmt.Sprintf("%s is expected here, not %s", want, kindOf(n)), hint)
}

// kind is a kind of value, as mistakes name it.
type kind string

const (
	aText   kind = "text"
	aMap    kind = "a map"
	aList   kind = "a list"
	aNumber kind = "a number"
	aBool   kind = "true or false"
	nothing kind = "nothing"
)

func kindOf(n *yaml.Node) kind {
	switch n.Kind {
	case yaml.MappingNode:
		return aMap
	case yaml.SequenceNode:
		return aList
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return aNumber
	case "!!bool":
		return aBool
	case "!!null":
		return nothing
	default: // "!!str", and "!!timestamp", which only some readers tell apart
		return aText
	}
}

func isScalar(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode }

// entry is one key of a map with its value.
type entry struct {
	key   string
	pos   Pos
	value *yaml.Node // nil: reported
}

// entries returns the keys of a map in source order. It reports and leaves out
// keys that are not text and keys that stand twice, and reports empty values.
// The hint is for what is no map.
func (r *reader) entries(n *yaml.Node, hint func(*yaml.Node) string) ([]entry, bool) {
	if kindOf(n) != aMap {
		r.mismatch(n, aMap, hint(n))
		return nil, false
	}
	seen, ok := map[string]Pos{}, true
	out := []entry{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if kindOf(key) != aText {
			r.fail(r.pos(key), "a key must be text", quote(key))
			ok = false
			continue
		}
		if !r.visible(key, isHidden) {
			ok = false
			continue
		}
		e := entry{key.Value, r.pos(key), value}
		if first, twice := seen[e.key]; twice {
			r.fail(e.pos, fmt.Sprintf("%q is already at %s", e.key, first), "keep one of them")
			ok = false
			continue
		}
		seen[e.key] = e.pos
		if kindOf(e.value) == nothing {
			r.fail(e.pos, fmt.Sprintf("%q has no value", e.key), "give it one (is what should be its value indented below it?) or remove the key")
			e.value, ok = nil, false
		}
		out = append(out, e)
	}
	return out, ok
}

func quote(n *yaml.Node) string {
	if !isScalar(n) {
		return ""
	}
	return fmt.Sprintf("quote it: %q", n.Value)
}

// place is where a map and each of its keys' values stand. Raw types embed it.
type place struct {
	Pos    Pos
	keys   map[string]Pos
	strays bool // some key is unknown, and may have been meant to be any that is missing
}

func (p *place) setPlace(q place) { *p = q }

func (p place) usable() bool { return p.Pos.known() }

// of returns the place of a key's value; of the map, if the key is not there.
func (p *place) of(key string) Pos {
	if pos, ok := p.keys[key]; ok {
		return pos
	}
	return p.Pos
}

func (r *reader) place(n *yaml.Node, entries []entry) place {
	p := place{Pos: r.pos(n), keys: map[string]Pos{}}
	for _, e := range entries {
		p.keys[e.key] = e.pos
		if e.value != nil {
			p.keys[e.key] = r.pos(e.value)
		}
	}
	return p
}

// field is one key of an object S.
type field[S any] struct {
	name     string
	doc      string
	required bool // by the schema
	late     bool // a missing one is reported by another check, which knows more
	schema   schema
	read     func(*reader, *yaml.Node, *S) bool
}

// key says that the object S has a key of form f, kept where at points.
func key[T, S any](name string, f form[T], at func(*S) *T, doc string) field[S] {
	return field[S]{name: name, doc: doc, schema: f.schema, read: func(r *reader, n *yaml.Node, s *S) bool {
		v, ok := f.read(r, n)
		*at(s) = v // also what is sound in a part with mistakes: its references are still checked
		return ok
	}}
}

// must makes the key required.
func (f field[S]) must() field[S] {
	f.required = true
	return f
}

// object is a map with known keys. If *S has setPlace, it learns its place.
func object[S any](fields ...field[S]) form[S] {
	all := objectSchema(fields)
	return objectAs(all, all, fields)
}

// objectAs is object with its schema, and one that says for hints which keys are
// wanted.
func objectAs[S any](all, wanted schema, fields []field[S]) form[S] {
	return form[S]{
		read: func(r *reader, n *yaml.Node) (S, bool) {
			var s S
			entries, ok := r.entries(n, func(n *yaml.Node) string { return mapHint(wanted, n) })
			if !ok && entries == nil {
				return s, false
			}
			if p, can := any(&s).(interface{ setPlace(place) }); can {
				at := r.place(n, entries)
				at.strays = slices.ContainsFunc(entries, func(e entry) bool { return indexField(fields, e.key) < 0 })
				p.setPlace(at)
			}
			ok = readFields(r, fields, entries, &s) && ok
			return s, missing(r, r.pos(n), fields, entries) && ok
		},
		schema: all,
	}
}

func readFields[S any](r *reader, fields []field[S], entries []entry, s *S) bool {
	ok := true
	for _, e := range entries {
		switch i := indexField(fields, e.key); {
		case i < 0:
			hint := oneOf(names(fields))
			if near := nearest(e.key, fields, entries); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			r.fail(e.pos, fmt.Sprintf("unknown key %q", e.key), hint)
			ok = false
		case e.value != nil: // else it is reported
			ok = fields[i].read(r, e.value, s) && ok
		}
	}
	return ok
}

// nearest is the key that was probably meant: rather one that is missing.
func nearest[S any](word string, fields []field[S], entries []entry) string {
	var wanted []string
	for _, f := range fields {
		if f.required && !slices.ContainsFunc(entries, func(e entry) bool { return e.key == f.name }) {
			wanted = append(wanted, f.name)
		}
	}
	return cmp.Or(suggest.Nearest(word, wanted), suggest.Nearest(word, names(fields)))
}

func indexField[S any](fields []field[S], name string) int {
	return slices.IndexFunc(fields, func(f field[S]) bool { return f.name == name })
}

// missing reports the required keys that are not there, except those that an
// unknown key was probably meant to be.
func missing[S any](r *reader, pos Pos, fields []field[S], entries []entry) bool {
	ok := true
	there := map[string]bool{}
	for _, e := range entries {
		there[e.key] = true
		if indexField(fields, e.key) < 0 {
			there[nearest(e.key, fields, entries)] = true
		}
	}
	for _, f := range fields {
		if f.required && !f.late && !there[f.name] {
			r.fail(pos, fmt.Sprintf("%q is missing", f.name), f.doc)
			ok = false
		}
	}
	return ok
}

func names[S any](fields []field[S]) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

func objectSchema[S any](fields []field[S]) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		properties[f.name] = documented(f.schema, f.doc)
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// documented returns the schema with a description, which editors show.
func documented(s schema, doc string) schema {
	out := schema{"description": doc}
	for k, v := range s {
		out[k] = v
	}
	return out
}
