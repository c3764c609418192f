package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// part is a statement and the entries that it stands for.
type part struct {
	names     []string
	statement iam.Statement
}

// join adds a part, to one that it differs from in the subjects alone if there
// is such. Of the values of a condition any may match, so the same tokens pass;
// and thirty repositories fit where five would.
func join(parts []part, p part) []part {
	for i, have := range parts {
		if joined, ok := joinStatements(have.statement, p.statement); ok {
			parts[i] = part{append(have.names, p.names...), joined}
			return parts
		}
	}
	return append(parts, p)
}

func joinStatements(a, b iam.Statement) (iam.Statement, bool) {
	at := subjectOf(a)
	if at < 0 || at != subjectOf(b) {
		return a, false
	}
	x, y := a.Conditions[at], b.Conditions[at]
	if !anyOf(x.Operator) || x.Operator != y.Operator || !iam.Equal(without(a, at), without(b, at)) {
		return a, false
	}
	a.Conditions = slices.Clone(a.Conditions)
	for _, subject := range y.Values {
		if !slices.Contains(x.Values, subject) {
			x.Values = append(slices.Clip(x.Values), subject)
		}
	}
	a.Conditions[at] = x
	return a, true
}

// anyOf reports whether a condition with several values holds if it would hold
// with one of them: not so for the negated operators.
func anyOf(operator string) bool {
	op, _ := iam.ParseOperator(operator)
	return op.Set == "" && compares(operator)
}

// subjectOf returns the index of an Allow's first condition on the subject of an
// OIDC token, or -1.
func subjectOf(st iam.Statement) int {
	return slices.IndexFunc(st.Conditions, func(c iam.Condition) bool {
		return slices.ContainsFunc(issuers(st), func(issuer string) bool { return strings.EqualFold(c.Key, issuer+":sub") })
	})
}

// without is a document of the statement alone, with the condition's values
// left out, to compare the rest.
func without(st iam.Statement, at int) *iam.Document {
	st.SID = ""
	st.Conditions = slices.Clone(st.Conditions)
	st.Conditions[at].Values = nil
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{st}}
}

// Split returns a policy of the same meaning in which every statement names one
// subject at most, so that policies can be compared subject by subject. Join is
// its inverse.
func Split(doc *iam.Document) *iam.Document {
	out := *doc
	out.Statements = nil
	for _, st := range doc.Statements {
		at := subjectOf(st)
		if at < 0 || !anyOf(st.Conditions[at].Operator) {
			out.Statements = append(out.Statements, st)
			continue
		}
		for _, subject := range st.Conditions[at].Values {
			one := st
			one.Conditions = slices.Clone(st.Conditions)
			one.Conditions[at].Values = []string{subject}
			out.Statements = append(out.Statements, one)
		}
	}
	return &out
}

// Join returns a policy of the same meaning in which statements that differ in
// the subject alone are one, under the Sid of the first.
func Join(doc *iam.Document) *iam.Document {
	out := *doc
	out.Statements = nil
	var parts []part
	for _, st := range doc.Statements {
		parts = join(parts, part{nil, st})
	}
	for _, p := range parts {
		out.Statements = append(out.Statements, p.statement)
	}
	return &out
}

// maxSID keeps a statement's name short enough to be read.
const maxSID = 64

// sidOf names a statement by its entries: "release and checks", or "release
// and 29 more".
func sidOf(names []string) string {
	distinct := []string{}
	for _, n := range names {
		if !slices.Contains(distinct, n) {
			distinct = append(distinct, n)
		}
	}
	all := strings.Join(distinct, " and ")
	if len(all) <= maxSID {
		return all
	}
	return fmt.Sprintf("%s and %d more", distinct[0], len(distinct)-1)
}
