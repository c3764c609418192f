package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
)

var syntaxChecks = []*check{
	{code: "JSON_SYNTAX_ERROR", severity: Error, run: jsonSyntax, always: true},
	{code: "DATA_TYPE_MISMATCH", severity: Error, run: dataType},
	{code: "INVALID_POLICY_ELEMENT", severity: Error, run: unknownElement},
	{code: "INVALID_VERSION", severity: Error, run: invalidVersion},
	{code: "MISSING_VERSION", severity: Warning, run: missingVersion},
	{code: "MISSING_STATEMENT", severity: Error, run: missingStatement},
	{code: "UNSUPPORTED_CHARACTER", severity: Error, run: unsupportedCharacter, page: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"},
}

// jsonSyntax reports where the text stops being JSON, or a name doubles: most
// readers of JSON would silently take one of the two.
func jsonSyntax(p *pass) {
	if bytes.HasPrefix(p.src, []byte(byteOrderMark)) {
		p.report(&node{end: len(byteOrderMark)}, "the text begins with a byte order mark, which JSON has not").
			hint("save it as UTF-8 without one").fix("remove the byte order mark", Edit{End: len(byteOrderMark)})
	}
	if p.broken != nil {
		f := p.report(p.broken.node, "%s", p.broken.what)
		if comma, ok := p.trailingComma(); ok {
			f.fix("remove the comma", Edit{Start: comma, End: comma + 1})
		}
	}
	for _, d := range p.doubled {
		p.report(d.node, "%s", d.what)
	}
}

// trailingComma finds the comma between a value and the end of its list or object,
// if it is what breaks the text.
func (p *pass) trailingComma() (int, bool) {
	at := p.broken.node.start
	if at >= len(p.src) || p.src[at] != '}' && p.src[at] != ']' {
		return 0, false
	}
	before := bytes.TrimRight(p.src[:at], " \t\r\n")
	value, ok := bytes.CutSuffix(before, []byte(","))
	value = bytes.TrimRight(value, " \t\r\n")
	if !ok || len(value) == 0 || bytes.IndexByte([]byte(",:{["), value[len(value)-1]) >= 0 {
		return 0, false
	}
	return len(before) - 1, true
}

func dataType(p *pass) {
	for _, m := range p.mistyped {
		f := p.report(m.node, "%s", m.what)
		if m.node.kind == number && iam.IsAccountID(m.node.text) {
			f.fix("write it as a string", replace(m.node, m.node.text))
		}
	}
}

func unknownElement(p *pass) {
	for _, key := range p.unknown {
		if key.parent == p.root && p.foreign() {
			continue // MISSING_STATEMENT says it all
		}
		names, where := statementElements, "a statement"
		if key.parent == p.root {
			names, where = documentElements, "a policy"
		}
		f := p.report(key, "%s has no element %q", where, key.text).hint("its elements are %s", strings.Join(names, ", "))
		near := nearest(key.text, names)
		if near == "" || slices.ContainsFunc(key.parent.members, func(m member) bool { return m.key.text == near }) {
			continue
		}
		f.hint("did you mean %q?", near)
		if strings.EqualFold(near, key.text) {
			f.fix("write "+near, replace(key, near))
		} else {
			f.offer("write "+near, replace(key, near))
		}
	}
}

// foreign reports whether an object has nothing that makes a policy of it.
func (p *pass) foreign() bool {
	return !slices.ContainsFunc(p.root.members, func(m member) bool { return nearest(m.key.text, documentElements) != "" })
}

func invalidVersion(p *pass) {
	v := p.version
	switch {
	case v == nil || v.text == iam.Version2012:
	case v.text != iam.Version2008:
		p.report(v, "there is no version %q of the policy language", v.text).
			hint("it is %q: the date of the language, not of the policy", iam.Version2012).
			fix("write "+iam.Version2012, replace(v, iam.Version2012))
	case p.typ == RCP:
		p.report(v, "resource control policies have version %q", iam.Version2012).
			fix("write "+iam.Version2012, replace(v, iam.Version2012))
	}
}

// missingVersion is safe to fix unless the policy has what might be variables:
// the newer version would make them so.
func missingVersion(p *pass) {
	if p.root.kind != object || p.foreign() || slices.ContainsFunc(p.root.members, func(m member) bool { return m.key.text == "Version" }) {
		return
	}
	f := p.report(p.root, "the policy has no Version, which means %q: variables stay plain text", iam.Version2008).
		hint("add \"Version\": %q", iam.Version2012)
	if len(p.root.members) == 0 {
		return
	}
	first := p.root.members[0].key.start
	lead := string(p.src[p.root.start+1 : first]) // its line break and indentation
	edit := Edit{first, first, fmt.Sprintf(`"Version": %q,%s`, iam.Version2012, lead)}
	if strings.TrimSpace(lead) != "" {
		return
	}
	if strings.Contains(string(p.src), "${") {
		f.offer("add Version "+iam.Version2012, edit)
	} else {
		f.fix("add Version "+iam.Version2012, edit)
	}
}

func missingStatement(p *pass) {
	if p.root.kind != object {
		return
	}
	for _, m := range p.root.members {
		if m.key.text == "Statement" && (m.value.kind != array || len(m.value.items) > 0) {
			return // there is something, if only of the wrong kind
		}
	}
	f := p.report(p.root, "the policy has no statement")
	if inner := innerPolicy(p.root); inner != nil {
		f.hint("there is one further in, at %s: give that alone", inner.path())
	}
}

// innerPolicy finds a policy inside of what is none, such as the answer of
// iam get-role.
func innerPolicy(n *node) *node {
	for _, m := range n.members {
		if n.parent != nil && m.key.text == "Statement" {
			return n
		}
	}
	for _, m := range n.members {
		if found := innerPolicy(m.value); found != nil {
			return found
		}
	}
	for _, item := range n.items {
		if found := innerPolicy(item); found != nil {
			return found
		}
	}
	return nil
}

// unsupportedCharacter finds characters that IAM takes only in escaped form, if
// at all: it allows tab, line feed, carriage return and U+0020 to U+00FF.
func unsupportedCharacter(p *pass) {
	for at, r := range string(p.src) {
		if r <= 0xFF || at == 0 {
			continue // what is at 0 is no part of a string: JSON_SYNTAX_ERROR has it
		}
		n := &node{start: at, end: at + utf8.RuneLen(r)}
		escaped := quotedASCII(r)
		p.report(n, "IAM takes no character %U", r).hint("write it as %s, or without it", escaped).
			fix("write "+escaped, Edit{n.start, n.end, escaped})
		if p.full {
			return
		}
	}
}

// quotedASCII is the form in which JSON has r with characters of ASCII only.
func quotedASCII(r rune) string {
	if r < 0x10000 {
		return fmt.Sprintf(`\u%04x`, r)
	}
	r -= 0x10000
	return fmt.Sprintf(`\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
}
