package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dictionaryBytes bounds the preset dictionary: more would not pay for itself.
const dictionaryBytes = 4 << 10

// encode writes the archive that package action describes at its embedded
// variable.
func (m *model) encode() ([]byte, error) {
	plain := make([]string, len(m.services))
	for i, s := range m.services {
		plain[i] = s.text()
	}
	dict := dictionary(plain)

	var index, members bytes.Buffer
	for i, s := range m.services {
		packed, err := deflate(plain[i], dict)
		if err != nil {
			return nil, err
		}
		members.Write(packed)
		rcp := ""
		if s.rcp {
			rcp = "R"
		}
		fmt.Fprintf(&index, "%s\t%d\t%d\t%s\t%s\n", s.prefix, len(packed), len(plain[i]), rcp, s.arnServices())
	}
	var out bytes.Buffer
	actions, types, keys := m.counts()
	fmt.Fprintf(&out, "postern-reference\t1\n%s\t%s\t%d\t%d\t%d\t%d\n", m.version, m.date, actions, types, keys, len(dict))
	index.WriteTo(&out)
	out.WriteString("\n")
	for _, k := range m.globals {
		fmt.Fprintf(&out, "%s\t%s\n", k.name, k.typ)
	}
	out.WriteString("\n")
	out.Write(dict)
	members.WriteTo(&out)
	return out.Bytes(), nil
}

func (m *model) counts() (actions, types, keys int) {
	for _, s := range m.services {
		actions += len(s.actions)
		types += len(s.types)
		keys += len(s.keys)
	}
	return actions, types, keys
}

// arnServices lists the services that ARNs of the service's types name, "*" for
// any; empty if it is the prefix alone.
func (s *service) arnServices() string {
	var names []string
	for _, t := range s.types {
		for _, arn := range t.arns {
			name := strings.Split(arn, ":")[2]
			if strings.Contains(name, "${") {
				name = "*"
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 || len(names) == 1 && names[0] == s.prefix {
		return ""
	}
	return strings.Join(names, " ")
}

// text is the service as package action parses it.
func (s *service) text() string {
	var b strings.Builder
	b.WriteString(s.name + "\n\n")
	for _, k := range s.keys {
		b.WriteString(k.name + "\t" + string(k.typ) + "\n")
	}
	b.WriteString("\n")
	for _, t := range s.types {
		b.WriteString(t.name + "\t" + strings.Join(t.arns, " ") + "\t" + s.numbers(t.keys) + "\n")
	}
	b.WriteString("\n")
	for _, a := range s.actions {
		b.WriteString(a.name + "\t" + a.level.String()[:1] + "\t" + s.numbers(a.keys) + "\t" + s.resources(a.resources) + "\n")
	}
	return b.String()
}

// numbers refers to keys by their place among those of the service.
func (s *service) numbers(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strconv.Itoa(s.keyIndex(name))
	}
	return strings.Join(out, ",")
}

func (s *service) resources(list []actResource) string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = strconv.Itoa(s.typeIndex(r.name))
		if r.required {
			out[i] += "!"
		}
		if len(r.keys) > 0 {
			out[i] += ":" + s.numbers(r.keys)
		}
	}
	return strings.Join(out, " ")
}

// dictionary gathers the first fields of lines that several services have,
// those that save most at the end, where references to them are shortest.
func dictionary(texts []string) []byte {
	uses := map[string]int{}
	for _, text := range texts {
		seen := map[string]bool{}
		for line := range strings.SplitSeq(text, "\n") {
			field, _, _ := strings.Cut(line, "\t")
			if len(field) > 3 && !seen[field] {
				seen[field] = true
				uses[field]++
			}
		}
	}
	var fields []string
	for field, n := range uses {
		if n >= 3 {
			fields = append(fields, field)
		}
	}
	saved := func(f string) int { return uses[f] * len(f) }
	slices.SortFunc(fields, func(a, b string) int {
		if d := saved(b) - saved(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	size := 0
	for i, f := range fields {
		if size += len(f) + 1; size > dictionaryBytes {
			fields = fields[:i]
			break
		}
	}
	slices.Reverse(fields)
	return []byte(strings.Join(fields, "\n"))
}

func deflate(text string, dict []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, flate.BestCompression, dict)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
