package compile

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
)

// merged says the same in fewer statements: those that differ only in their
// actions become one, and those that differ only in their resources. A
// statement is about every pair of its actions and resources, so either union
// adds no pair that was not there; a union of both would.
func merged(doc *iam.Document) *iam.Document {
	statements := doc.Statements
	for {
		fewer := join(join(statements, byActions), byResources)
		if len(fewer) == len(statements) {
			return document(fewer)
		}
		statements = fewer
	}
}

// byActions and byResources take out the list that a join unites.
func byActions(s *iam.Statement) *[]string   { return &s.Actions }
func byResources(s *iam.Statement) *[]string { return &s.Resources }

// join unites the statements that agree in everything but one list and their
// ids, at the place of the first, under its id.
func join(statements []iam.Statement, list func(*iam.Statement) *[]string) []iam.Statement {
	var out []iam.Statement
	at := map[string]int{}
	for _, s := range statements {
		key, ok := keyWithout(s, list)
		if i, found := at[key]; ok && found {
			have := list(&out[i])
			*have = union(*have, *list(&s))
			continue
		}
		if ok {
			at[key] = len(out)
		}
		out = append(out, s)
	}
	return out
}

// keyWithout is the text of a statement without one of its lists and its id. It
// reports false for what must stay as it is: a statement by exclusion, or one
// that cannot be written.
func keyWithout(s iam.Statement, list func(*iam.Statement) *[]string) (string, bool) {
	if len(s.Actions) == 0 || len(s.Resources) == 0 || s.Principal != nil || s.NotPrincipal != nil {
		return "", false
	}
	s.SID = ""
	s.Actions, s.Resources = union(s.Actions, nil), union(s.Resources, nil)
	*list(&s) = []string{"*"}
	text, err := document([]iam.Statement{s}).MarshalJSON()
	return string(text), err == nil
}

// union is the sorted set of the values of both lists; neither changes.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// distinct numbers the ids that a document has twice: AWS takes each once.
func distinct(doc *iam.Document) *iam.Document {
	taken := map[string]bool{}
	statements := slices.Clone(doc.Statements)
	for i := range statements {
		sid := statements[i].SID
		for n := 2; sid != "" && taken[sid]; n++ {
			sid = fmt.Sprintf("%s%d", statements[i].SID, n)
		}
		statements[i].SID, taken[sid] = sid, true
	}
	return document(statements)
}
