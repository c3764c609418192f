package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MarshalJSON prints the document in one canonical way: compact, elements in
// AWS's order, a list of one as a string, operators in AWS's spelling, and
// only characters that IAM takes (others as \u escapes). A document in which a
// statement has the same operator and key twice cannot be written in JSON.
func (d Document) MarshalJSON() ([]byte, error) {
	for i, s := range d.Statements {
		if c, ok := doubled(s.Conditions); ok {
			return nil, fmt.Errorf("print policy: statement %d has %s on %s twice", i, c.Operator, c.Key)
		}
	}
	return d.compact(), nil
}

// UnmarshalJSON reads the document with Parse. Positions count from the
// start of the document's own text.
func (d *Document) UnmarshalJSON(src []byte) error {
	doc, err := Parse(src)
	if err != nil {
		return err
	}
	*d = *doc
	return nil
}

// Indented prints what MarshalJSON does, for people: two spaces, one list
// item per line, and a newline at the end.
func (d *Document) Indented() []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, d.compact(), "", "  "); err != nil {
		return append(d.compact(), '\n') // cannot happen: compact writes JSON
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// Size counts the document as AWS's quotas do: characters of the printed
// policy, white space not counted.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (d *Document) Size() int {
	n := 0
	for _, r := range string(d.compact()) {
		if !strings.ContainsRune(" \t\r\n", r) {
			n++
		}
	}
	return n
}

// doubled finds a condition that JSON cannot hold beside an earlier one.
func doubled(cs []Condition) (Condition, bool) {
	seen := map[[2]string]bool{}
	for _, c := range cs {
		id := [2]string{spelling(c.Operator), strings.ToLower(c.Key)}
		if seen[id] {
			return c, true
		}
		seen[id] = true
	}
	return Condition{}, false
}

// spelling is AWS's spelling of an operator; unknown ones stay as they are.
func spelling(operator string) string {
	if op, ok := ParseOperator(operator); ok {
		return op.String()
	}
	return operator
}

func (d *Document) compact() []byte {
	w := &writer{}
	w.open('{')
	if d.Version != "" {
		w.name("Version")
		w.text(d.Version)
	}
	if d.ID != "" {
		w.name("Id")
		w.text(d.ID)
	}
	w.name("Statement")
	w.open('[')
	for i := range d.Statements {
		w.comma()
		w.statement(&d.Statements[i])
	}
	w.close(']')
	w.close('}')
	return w.buf
}

// writer writes compact JSON.
type writer struct {
	buf  []byte
	more bool // a comma must come before the next member or item
}

func (w *writer) open(c byte)  { w.buf, w.more = append(w.buf, c), false }
func (w *writer) close(c byte) { w.buf, w.more = append(w.buf, c), true }

func (w *writer) comma() {
	if w.more {
		w.buf = append(w.buf, ',')
	}
	w.more = true
}

func (w *writer) name(s string) {
	w.comma()
	w.text(s)
	w.buf = append(w.buf, ':')
	w.more = true
}

// text writes a string. IAM takes tab, line feed, carriage return and U+0020
// to U+00FF; everything else must be escaped.
func (w *writer) text(s string) {
	w.buf = append(w.buf, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.buf = append(w.buf, '\\', byte(r))
		case r == '\n':
			w.buf = append(w.buf, '\\', 'n')
		case r == '\t':
			w.buf = append(w.buf, '\\', 't')
		case r == '\r':
			w.buf = append(w.buf, '\\', 'r')
		case r < ' ' || r > 0xFF && r < 0x10000:
			w.buf = fmt.Appendf(w.buf, `\u%04x`, r)
		case r >= 0x10000:
			hi, lo := utf16.EncodeRune(r)
			w.buf = fmt.Appendf(w.buf, `\u%04x\u%04x`, hi, lo)
		default:
			w.buf = utf8.AppendRune(w.buf, r)
		}
	}
	w.buf = append(w.buf, '"')
}

func (w *writer) list(name string, items []string) {
	if items == nil {
		return
	}
	w.name(name)
	if len(items) == 1 {
		w.text(items[0])
		return
	}
	w.open('[')
	for _, item := range items {
		w.comma()
		w.text(item)
	}
	w.close(']')
}

func (w *writer) statement(s *Statement) {
	w.open('{')
	if s.SID != "" {
		w.name("Sid")
		w.text(s.SID)
	}
	w.name("Effect")
	w.text(string(s.Effect))
	w.principal("Principal", s.Principal)
	w.principal("NotPrincipal", s.NotPrincipal)
	w.list("Action", s.Actions)
	w.list("NotAction", s.NotActions)
	w.list("Resource", s.Resources)
	w.list("NotResource", s.NotResources)
	w.conditions(s.Conditions)
	w.close('}')
}

func (w *writer) principal(name string, p *Principal) {
	if p == nil {
		return
	}
	w.name(name)
	if p.Everyone {
		w.text("*")
		return
	}
	w.open('{')
	w.list("AWS", p.AWS)
	w.list("Service", p.Service)
	w.list("Federated", p.Federated)
	w.list("CanonicalUser", p.CanonicalUser)
	w.close('}')
}

// conditions groups by operator, in the order of first appearance.
func (w *writer) conditions(cs []Condition) {
	if len(cs) == 0 {
		return
	}
	w.name("Condition")
	w.open('{')
	done := map[string]bool{}
	for i, c := range cs {
		operator := spelling(c.Operator)
		if done[operator] {
			continue
		}
		done[operator] = true
		w.name(operator)
		w.open('{')
		for _, same := range cs[i:] {
			if spelling(same.Operator) == operator {
				w.values(same)
			}
		}
		w.close('}')
	}
	w.close('}')
}

func (w *writer) values(c Condition) {
	if c.Values == nil {
		c.Values = []string{}
	}
	w.list(c.Key, c.Values)
}
