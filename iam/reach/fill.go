package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Filled returns the policies as they read for requests of which the facts are
// true: in resources, the variables whose values these tell are filled in. A
// variable without a value and without a default matches nothing. Names are taken
// as they stand: what a user could do under another, if it may call itself so by
// iam:UpdateUser, is not looked for, by a Graph neither.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (p Principal) Filled(facts Facts) Principal {
	return (&filler{}).principal(p, &facts)
}

// filler fills in documents. One that several members share, and that reads the
// same for them, stays one.
type filler struct {
	variables map[*iam.Document][]string // what stands between "${" and "}" in resources
	filled    map[reading]*iam.Document
}

// reading is a document with what its variables stand for.
type reading struct {
	document *iam.Document
	values   string
}

func (l *filler) principal(p Principal, f *Facts) Principal {
	p.Identity = l.policies(p.Identity, f)
	if p.Boundary != nil {
		edge := Policy{p.Boundary.Name, l.document(p.Boundary.Document, f)}
		p.Boundary = &edge
	}
	for i, level := range p.SCP {
		list := l.policies(level, f)
		if len(list) > 0 && &list[0] != &level[0] {
			p.SCP = slices.Clone(p.SCP)
			p.SCP[i] = list
		}
	}
	return p
}

// policies is the list itself if nothing is filled in: members of an account
// share its SCPs.
func (l *filler) policies(list []Policy, f *Facts) []Policy {
	shared := true
	for i, policy := range list {
		d := l.document(policy.Document, f)
		if d == policy.Document {
			continue
		}
		if shared {
			list, shared = slices.Clone(list), false
		}
		list[i].Document = d
	}
	return list
}

func (l *filler) document(d *iam.Document, f *Facts) *iam.Document {
	if d == nil || d.Version != iam.Version2012 { // the older language has no variables
		return d
	}
	if l.variables == nil {
		l.variables, l.filled = map[*iam.Document][]string{}, map[reading]*iam.Document{}
	}
	variables, seen := l.variables[d]
	if !seen {
		variables = variablesOf(d)
		l.variables[d] = variables
	}
	if len(variables) == 0 {
		return d
	}
	as := reading{document: d}
	for _, v := range variables {
		value, known := f.variable(v)
		as.values += fmt.Sprintf("%d%q", known, value)
	}
	out := l.filled[as]
	if out == nil {
		out = f.fill(d)
		l.filled[as] = out
	}
	return out
}

// variablesOf are the variables in a document's resources, each once.
func variablesOf(d *iam.Document) []string {
	var out []string
	for i := range d.Statements {
		for _, list := range [][]string{d.Statements[i].Resources, d.Statements[i].NotResources} {
			for _, pattern := range list {
				for body := range variables(pattern) {
					out = appendNew(out, body)
				}
			}
		}
	}
	return out
}

// variables gives what stands between "${" and "}".
func variables(pattern string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, rest, found := strings.Cut(pattern, "${")
			body, after, closed := iam.CutVariable(rest)
			if !found || !closed || !yield(body) {
				return
			}
			pattern = after
		}
	}
}

func (f *Facts) fill(d *iam.Document) *iam.Document {
	out := *d
	out.Statements = slices.Clone(d.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Resources = f.fillList(s.Resources, false)
		s.NotResources = f.fillList(s.NotResources, true)
	}
	return &out
}

// fillList fills in the patterns of a list. Without a value, a pattern of
// NotResource stays as it is: it must not open what it keeps shut.
func (f *Facts) fillList(list []string, not bool) []string {
	if !slices.ContainsFunc(list, hasVariables) {
		return list
	}
	out := []string{} // not nil, which would stand for no such element
	for _, pattern := range list {
		filled, possible := f.fillPattern(pattern)
		switch {
		case possible:
			out = append(out, filled)
		case not:
			out = append(out, pattern)
		}
	}
	return out
}

// fillPattern is not possible if a variable has no value: then the pattern
// matches nothing.
func (f *Facts) fillPattern(pattern string) (filled string, possible bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		b.WriteString(before)
		body, after, closed := iam.CutVariable(rest)
		if !found || !closed {
			b.WriteString(pattern[len(before):])
			return b.String(), true
		}
		value, known := f.variable(body)
		switch known {
		case fails:
			return "", false
		case holds:
			b.WriteString(value)
		case depends:
			b.WriteString("${" + body + "}")
		}
		pattern = after
	}
}

// variable is what a variable stands for: it holds with the value, fails if
// there is none, and depends if that is not known or no pattern can say it.
func (f *Facts) variable(body string) (string, outcome) {
	key, fallback, optional := strings.Cut(body, ",")
	values, known := find(f.Keys, key)
	value, quoted := unquoted(strings.TrimSpace(fallback))
	switch {
	case !known || len(values) > 1 || optional && !quoted:
		return "", depends
	case len(values) == 1:
		value = values[0]
	case !optional:
		return "", fails
	}
	if strings.ContainsAny(value, "*?$'{") { // it would be read as something else
		return "", depends
	}
	return value, holds
}

// unquoted is what stands in single quotes.
func unquoted(text string) (inside string, quoted bool) {
	inside, opened := strings.CutPrefix(text, "'")
	inside, closed := strings.CutSuffix(inside, "'")
	return inside, opened && closed
}
