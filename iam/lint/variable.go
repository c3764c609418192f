package lint

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

var variableChecks = []*check{
	{code: "MISSING_BRACE_IN_VARIABLE", severity: Error, run: variableCheck(missingBrace)},
	{code: "EMPTY_VARIABLE", severity: Error, run: variableCheck(emptyVariable)},
	{code: "MISSING_QUOTE_IN_VARIABLE", severity: Error, run: variableCheck(missingQuote)},
	{code: "UNSUPPORTED_SPACE_IN_VARIABLE", severity: Error, run: variableCheck(spaceInVariable)},
	{code: "UNSUPPORTED_SYMBOL_IN_VARIABLE", severity: Error, run: variableCheck(symbolInVariable)},
	{code: "VARIABLE_UNSUPPORTED_IN_ELEMENT", severity: Error, run: variableInElement},
	{code: "VARIABLE_UNSUPPORTED_IN_VERSION", severity: Error, run: variableInVersion},
	{code: "INVALID_VARIABLE_FOR_OPERATOR", severity: Error, run: variableForOperator},
}

// variable is "${name, 'default'}" taken apart.
type variable struct {
	closed   bool
	name     string // without the space around it
	spaced   bool   // there is space in or before the name
	fallback string // what follows the comma, without the space around it
	comma    bool
}

// variables lists what begins like a variable.
func variables(s string) []variable {
	var found []variable
	for {
		_, rest, ok := strings.Cut(s, "${")
		if !ok {
			return found
		}
		inner, after, closed := strings.Cut(rest, "}")
		v := variable{closed: closed}
		name, fallback, comma := strings.Cut(inner, ",")
		v.name, v.fallback, v.comma = strings.TrimSpace(name), strings.TrimSpace(fallback), comma
		v.spaced = strings.ContainsAny(name, " \t")
		found = append(found, v)
		s = after
	}
}

// variable reports whether the condition's key has the form of a variable,
// which is a mistake of its own.
func (c *condition) variable() bool { return strings.Contains(c.key.text, "${") }

// escape reports whether the variable is one of ${*}, ${?} and ${$}.
func (v variable) escape() bool { return v.name == "*" || v.name == "?" || v.name == "$" }

// variableCheck looks at each variable where there can be some.
func variableCheck(wrong func(variable) string) func(*pass) {
	return func(p *pass) {
		look := func(n *node) {
			for _, v := range variables(n.text) {
				if what := wrong(v); what != "" {
					p.report(n, "%s", what)
					return
				}
			}
		}
		for _, v := range p.values(resources, notResource) {
			look(v)
		}
		for _, c := range p.conditions() {
			for _, v := range c.values {
				look(v)
			}
		}
	}
}

func missingBrace(v variable) string {
	if v.closed {
		return ""
	}
	return "a variable has no closing brace"
}

func emptyVariable(v variable) string {
	if !v.closed || v.name != "" {
		return ""
	}
	return "a variable has no name"
}

func missingQuote(v variable) string {
	f := v.fallback
	if !v.closed || !v.comma || len(f) > 1 && f[0] == '\'' && f[len(f)-1] == '\'' {
		return ""
	}
	return "the default of variable " + v.name + " must stand in single quotes"
}

func spaceInVariable(v variable) string {
	if !v.closed || v.name == "" || !v.spaced {
		return ""
	}
	return "the name of variable " + v.name + " has space in it or before it"
}

func symbolInVariable(v variable) string {
	if !v.closed || v.escape() {
		return ""
	}
	if i := strings.IndexAny(v.name, "*?$\"'{;"); i >= 0 {
		return "the name of variable " + v.name + " has a symbol that names cannot have: " + v.name[i:i+1]
	}
	return ""
}

func variableInElement(p *pass) {
	look := func(n *node, where string) {
		if strings.Contains(n.text, "${") {
			p.report(n, "%s takes no variables: %q is plain text there", where, n.text).hint("Resource and Condition do")
		}
	}
	for _, v := range p.values(actions, notAction) {
		look(v, "Action")
	}
	for _, v := range p.principalValues() {
		look(v.node, "Principal")
	}
	for _, c := range p.conditions() {
		look(c.key, "the name of a condition key")
	}
}

func variableInVersion(p *pass) {
	if p.version != nil && p.version.text == iam.Version2012 {
		return
	}
	look := func(n *node) {
		if strings.Contains(n.text, "${") && n.kind == text {
			p.report(n, "%q is plain text: variables need Version %q", n.text, iam.Version2012)
		}
	}
	for _, v := range p.values(resources, notResource) {
		look(v)
	}
	for _, c := range p.conditions() {
		for _, v := range c.values {
			look(v)
		}
	}
}

func variableForOperator(p *pass) {
	for _, c := range p.conditions() {
		if !c.known || strings.HasPrefix(c.op.Name, "String") || strings.HasPrefix(c.op.Name, "Arn") || c.op.Name == "Bool" {
			continue // Bool takes them too, by AWS's page on variables
		}
		for _, v := range c.values {
			if strings.Contains(v.text, "${") {
				p.report(v, "%s takes no variables", c.op.Name).hint("operators on strings and ARNs do")
			}
		}
	}
}
