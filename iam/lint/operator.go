package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var operatorChecks = []*check{
	{code: "INVALID_CONDITION_OPERATOR", severity: Error, run: invalidOperator},
	{code: "NULL_WITH_IF_EXISTS", severity: Error, run: nullIfExists},
	{code: "NULL_WITH_QUALIFIER", severity: Suggestion, run: nullWithSet},
	{code: "MISSING_QUALIFIER", severity: Error, run: missingSet},
	{code: "FORALLVALUES_WITH_SINGLE_VALUED_KEY", severity: SecurityWarning, run: forAllSingle},
	{code: "TYPE_MISMATCH", severity: Warning, run: typeMismatch},
	{code: "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", severity: SecurityWarning, run: stringLikeARN},
	{code: "EMPTY_ARRAY_CONDITION", severity: Suggestion, run: emptyCondition(plain)},
	{code: "EMPTY_ARRAY_CONDITION_FORALLVALUES", severity: Suggestion, run: emptyCondition(forAll)},
	{code: "EMPTY_ARRAY_CONDITION_FORANYVALUE", severity: Suggestion, run: emptyCondition(forAny)},
	{code: "EMPTY_ARRAY_CONDITION_IFEXISTS", severity: Suggestion, run: emptyCondition(ifExists)},
}

// operators lists the names of operators, each once.
func (p *pass) operators() []*node {
	var names []*node
	for _, s := range p.statements {
		if s.condition == nil || s.condition.kind != object {
			continue
		}
		for _, m := range s.condition.members {
			names = append(names, m.key)
		}
	}
	return names
}

// nullExists reports whether an operator is Null with the suffix that it
// cannot have, and the operator without it.
func nullExists(name string) (string, bool) {
	const suffix = "IfExists"
	cut := len(name) - len(suffix)
	if cut <= 0 || !strings.EqualFold(name[cut:], suffix) {
		return "", false
	}
	op, ok := iam.ParseOperator(name[:cut])
	return op.String(), ok && op.Name == "Null"
}

func invalidOperator(p *pass) {
	for _, n := range p.operators() {
		if _, ok := iam.ParseOperator(n.text); ok {
			continue
		}
		if _, ok := nullExists(n.text); ok {
			continue // said by nullIfExists
		}
		p.report(n, "there is no condition operator %q", n.text).didYouMean(n, "", n.text, operatorNames())
	}
}

// operatorNames lists the operators that people misspell, with their suffix.
func operatorNames() []string {
	var names []string
	for _, family := range [][]string{
		{"String", "Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"},
		{"Numeric", "Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"},
		{"Date", "Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"},
		{"Arn", "Equals", "Like", "NotEquals", "NotLike"},
		{"", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"},
	} {
		for _, name := range family[1:] {
			names = append(names, family[0]+name, family[0]+name+"IfExists", "ForAnyValue:"+family[0]+name, "ForAllValues:"+family[0]+name)
		}
	}
	return names
}

func nullIfExists(p *pass) {
	for _, n := range p.operators() {
		if without, ok := nullExists(n.text); ok {
			p.report(n, "Null asks whether a key is there: IfExists cannot stand with it").fix("write "+without, replace(n, without))
		}
	}
}

func nullWithSet(p *pass) {
	for _, n := range p.operators() {
		if op, ok := iam.ParseOperator(n.text); ok && op.Name == "Null" && op.Set != "" {
			p.report(n, "%s is always %t: leave out %s", n.text, op.Set == iam.ForAllValues, op.Set)
		}
	}
}

// missingSet reports keys of several values in conditions that are made for
// one. Which of the two set operators is meant, only the author knows.
func missingSet(p *pass) {
	for _, c := range p.conditions() {
		t, ok := c.keyType()
		if ok && t.IsArray() && c.known && c.op.Set == "" && c.op.Name != "Null" {
			p.report(c.key, "%s has several values: %s does not say how many of them must match", c.key.text, c.op.Name).
				hint("write %s:%s or %s:%s", iam.ForAnyValue, c.op.Name, iam.ForAllValues, c.op.Name)
		}
	}
}

// forAllSingle reports statements that allow what they should not when the key
// is missing: ForAllValues then holds. A denial is only stricter for it, and a
// Null beside it closes the gap.
func forAllSingle(p *pass) {
	for s, c := range p.conditions() {
		t, ok := c.keyType()
		if !ok || t.IsArray() || c.op.Set != iam.ForAllValues || c.op.Name == "Null" || audience(c) || !s.allows() || s.present(c.key.text) {
			continue
		}
		p.report(c.operator, "ForAllValues holds when %s is missing, and the key has one value", c.key.text).
			hint("leave out ForAllValues")
	}
}

// present reports whether the statement demands that a key be there.
func (s *statement) present(key string) bool {
	return slices.ContainsFunc(s.conditions, func(c *condition) bool {
		return c.op.Name == "Null" && c.op.Set == "" && c.is(key) && c.one("false")
	})
}

// suits reports whether an operator is for keys of a type. Many
// keys that hold ARNs are documented as strings, so that neither is wrong.
func suits(op iam.Operator, t action.Type) bool {
	switch t = t.Element(); {
	case op.Name == "Null":
		return true
	case strings.HasPrefix(op.Name, "String"):
		return t == action.TypeString || t == action.TypeARN
	case strings.HasPrefix(op.Name, "Arn"):
		return t == action.TypeARN || t == action.TypeString
	case strings.HasPrefix(op.Name, "Numeric"):
		return t == action.TypeNumeric || t == action.TypeDate // seconds since 1970
	case strings.HasPrefix(op.Name, "Date"):
		return t == action.TypeDate || t == action.TypeNumeric
	case op.Name == "BinaryEquals":
		return t == action.TypeBinary
	case op.Name == "Bool":
		return t == action.TypeBool
	}
	return t == action.TypeIPAddress
}

// families names the operators for a type of key.
var families = map[action.Type]string{
	action.TypeString: "String", action.TypeARN: "Arn", action.TypeBool: "Bool", action.TypeDate: "Date",
	action.TypeNumeric: "Numeric", action.TypeIPAddress: "IpAddress", action.TypeBinary: "BinaryEquals",
}

func typeMismatch(p *pass) {
	for _, c := range p.conditions() {
		t, ok := c.keyType()
		if !ok || !c.known || suits(c.op, t) || t.Element() == action.TypeBool && c.boolText() {
			continue
		}
		p.report(c.operator, "%s is of type %s: %s is for others", c.key.text, t, c.op.Name).
			hint("use the %s operators", families[t.Element()])
	}
}

// boolText reports whether a key of type Bool is compared as the string "true"
// or "false", which works: AWS has it in its own policies.
func (c *condition) boolText() bool {
	return strings.HasPrefix(c.op.Name, "String") && (c.one("true") || c.one("false"))
}

// stringLikeARN: a star of StringLike reaches past the colons of an ARN, into
// the account, and that of ArnLike does not.
func stringLikeARN(p *pass) {
	for _, c := range p.conditions() {
		t, ok := c.keyType()
		if !ok || t.Element() != action.TypeARN || c.op.Name != "StringLike" && c.op.Name != "StringNotLike" || !c.anyWild() {
			continue
		}
		better := c.op
		better.Name = strings.Replace(c.op.Name, "String", "Arn", 1)
		f := p.report(c.operator, "%s is an ARN, and a star of %s reaches past its colons", c.key.text, c.op.Name).hint("use %s", better)
		if len(c.key.parent.members) == 1 {
			f.offer("write "+better.String(), replace(c.operator, better.String()))
		}
	}
}

func (c *condition) anyWild() bool {
	return slices.ContainsFunc(c.values, func(v *node) bool { return iam.HasWildcard(iam.ReplaceVariables(v.text, "*")) && v.text != "*" })
}

// plain, forAll, forAny and ifExists say what an empty list of values does, and
// are empty for operators of the other kinds.
func plain(op iam.Operator) string {
	if op.Set == "" && !op.IfExists {
		return "nothing is compared with"
	}
	return ""
}

func forAll(op iam.Operator) string {
	if op.Set == iam.ForAllValues {
		return "this holds only if the key is missing: Null says so better"
	}
	return ""
}

func forAny(op iam.Operator) string {
	if op.Set == iam.ForAnyValue {
		return "this never holds"
	}
	return ""
}

func ifExists(op iam.Operator) string {
	if op.Set == "" && op.IfExists {
		return "this holds only if the key is missing: Null says so better"
	}
	return ""
}

func emptyCondition(what func(iam.Operator) string) func(*pass) {
	return func(p *pass) {
		for _, c := range p.conditions() {
			if c.value.kind != array || len(c.value.items) > 0 || !c.known {
				continue
			}
			if w := what(c.op); w != "" {
				p.report(c.value, "%s has an empty list of values: %s", c.key.text, w)
			}
		}
	}
}
