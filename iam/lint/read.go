package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// read takes a document apart as far as its form permits.
func read(src []byte) *document {
	d := &document{src: src}
	d.root, d.broken = scan(src)
	if d.broken != nil {
		return d
	}
	if d.root.kind != object {
		d.mistype(d.root, "policy", object)
		return d
	}
	d.readMembers(d.root, documentElements, func(m member) {
		switch m.key.text {
		case "Version":
			d.version = d.text(m)
		case "Id":
			d.text(m)
		case "Statement":
			d.readStatements(m.value)
		}
	})
	return d
}

// mistype notes a value of the wrong kind.
func (d *document) mistype(n *node, what string, want kind) {
	d.mistyped = append(d.mistyped, problem{n, fmt.Sprintf("%s must be %s, not %s", what, want, n.kind)})
}

// readMembers calls use with each member that has one of the names, the first
// time, and notes the others.
func (d *document) readMembers(n *node, names []string, use func(member)) {
	seen := map[string]bool{}
	for _, m := range n.members {
		name := m.key.text
		switch {
		case seen[name]:
			d.doubled = append(d.doubled, problem{m.key, fmt.Sprintf("element %q stands twice", name)})
			continue
		case !slices.Contains(names, name):
			d.unknown = append(d.unknown, m.key)
		default:
			use(m)
		}
		seen[name] = true
	}
}

func (d *document) text(m member) *node {
	if m.value.kind != text {
		d.mistype(m.value, m.key.text, text)
		return nil
	}
	return m.value
}

func (d *document) readStatements(n *node) {
	switch n.kind {
	case object:
		d.readStatement(n)
	case array:
		for _, item := range n.items {
			if item.kind != object {
				d.mistype(item, "statement", object)
				continue
			}
			d.readStatement(item)
		}
	default:
		d.mistyped = append(d.mistyped, problem{n, fmt.Sprintf("Statement must be an object or a list of objects, not %s", n.kind)})
	}
}

func (d *document) readStatement(n *node) {
	s := &statement{node: n, members: map[string]member{}, lists: map[string]*list{}, principals: map[string]*principal{}}
	d.statements = append(d.statements, s)
	d.readMembers(n, statementElements, func(m member) {
		name := m.key.text
		s.members[name] = m
		switch name {
		case sid:
			s.sid = d.text(m)
		case effect:
			s.effect = d.text(m)
		case actions, notAction, resources, notResource:
			s.lists[name] = &list{m.key, m.value, d.strings(m.value, name)}
		case principals, notPrincipal:
			s.principals[name] = d.readPrincipal(m)
		case conditions:
			s.condition = m.value
			d.readCondition(s)
		}
	})
}

// strings reads a string or a list of strings.
func (d *document) strings(n *node, what string) []*node {
	items := n.items
	if n.kind != array {
		items = []*node{n}
	}
	var values []*node
	for _, item := range items {
		if item.kind == text {
			values = append(values, item)
			continue
		}
		d.mistyped = append(d.mistyped, problem{item, fmt.Sprintf("%s must be a string or a list of strings, not %s", what, item.kind)})
	}
	return values
}

func (d *document) readPrincipal(m member) *principal {
	p := &principal{key: m.key, node: m.value}
	switch m.value.kind {
	case text:
		if p.everyone = m.value.text == "*"; !p.everyone {
			d.principals = append(d.principals, problem{m.value, fmt.Sprintf("%s is %q: it must be \"*\" or name kinds of principals", m.key.text, m.value.text)})
		}
	case object:
		d.readPrincipalKinds(p, m.key.text)
	default:
		d.principals = append(d.principals, problem{m.value, fmt.Sprintf("%s must be \"*\" or an object, not %s", m.key.text, m.value.kind)})
	}
	return p
}

func (d *document) readPrincipalKinds(p *principal, what string) {
	seen := map[string]bool{}
	for _, m := range p.node.members {
		name := m.key.text
		switch {
		case seen[name]:
			d.doubled = append(d.doubled, problem{m.key, fmt.Sprintf("principal type %q stands twice", name)})
		case !slices.Contains(principalKinds, name):
			d.badKeys = append(d.badKeys, m.key)
		default:
			for _, v := range d.strings(m.value, what+" "+name) {
				p.values = append(p.values, principalValue{name, v})
			}
		}
		seen[name] = true
	}
}

func (d *document) readCondition(s *statement) {
	if s.condition.kind != object {
		d.mistype(s.condition, conditions, object)
		return
	}
	d.findDoubles(s.condition, "operator")
	for _, m := range s.condition.members {
		if m.value.kind != object {
			d.mistype(m.value, "condition "+m.key.text, object)
			continue
		}
		d.findDoubles(m.value, "condition key")
		op, known := iam.ParseOperator(m.key.text)
		for _, k := range m.value.members {
			s.conditions = append(s.conditions, &condition{
				operator: m.key, key: k.key, value: k.value, values: d.scalars(k.value, k.key.text), op: op, known: known,
			})
		}
	}
}

// scalars reads what a condition compares with: a string, number or boolean, or
// a list of them.
func (d *document) scalars(n *node, what string) []*node {
	items := n.items
	if n.kind != array {
		items = []*node{n}
	}
	var values []*node
	for _, item := range items {
		switch item.kind {
		case text, number, boolean:
			values = append(values, item)
		default:
			d.mistyped = append(d.mistyped, problem{item, fmt.Sprintf("value of %s must be a string, number or boolean, or a list of them, not %s", what, item.kind)})
		}
	}
	return values
}

// findDoubles notes names of an object that are equal, at least but for their
// case.
func (d *document) findDoubles(n *node, what string) {
	seen := map[string]string{}
	for _, m := range n.members {
		name := m.key.text
		first, ok := seen[strings.ToLower(name)]
		switch {
		case !ok:
			seen[strings.ToLower(name)] = name
		case first == name:
			d.doubled = append(d.doubled, problem{m.key, fmt.Sprintf("%s %q stands twice", what, name)})
		default:
			d.foldDouble = append(d.foldDouble, problem{m.key, fmt.Sprintf("%s %q stands twice, the other time as %q", what, name, first)})
		}
	}
}
