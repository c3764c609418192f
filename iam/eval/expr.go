package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Op says how an Expr is made of its terms.
type Op uint8

// The operators of an Expr.
const (
	All  Op = iota // every term holds; true without terms
	Any            // some term holds; false without terms
	Leaf           // Open holds
)

// Expr is a condition over what is open in a request: an and/or tree.
type Expr struct {
	Op    Op
	Terms []Expr // All and Any
	Open  Open   // Leaf
}

// Names of what can be open in a statement.
const (
	ElementPolicy    = "Policy"    // the whole policy: it is not known
	ElementStatement = "Statement" // the statement cannot be evaluated in full
	ElementPrincipal = "Principal"
	ElementAction    = "Action"
	ElementResource  = "Resource" // it holds a variable whose value is open
	ElementCondition = "Condition"
)

// Open is one thing that is not known, and where it stands. The same condition
// in several statements is named once.
type Open struct {
	Kind      Kind
	Level     int
	Policy    string
	Statement int // from 0
	SID       string
	Effect    iam.Effect
	Pos       iam.Pos
	Negated   bool // it must not hold
	Element   string
	Condition iam.Condition // of ElementCondition
}

func leaf(o Open) Expr { return Expr{Op: Leaf, Open: o} }

func constant(holds bool) Expr {
	if holds {
		return Expr{Op: All}
	}
	return Expr{Op: Any}
}

func (e Expr) isTrue() bool  { return e.Op == All && len(e.Terms) == 0 }
func (e Expr) isFalse() bool { return e.Op == Any && len(e.Terms) == 0 }

func all(terms ...Expr) Expr   { return combine(All, terms) }
func anyOf(terms ...Expr) Expr { return combine(Any, terms) }

// not moves the negation to the leaves.
func (e Expr) not() Expr {
	if e.Op == Leaf {
		e.Open.Negated = !e.Open.Negated
		return e
	}
	terms := make([]Expr, len(e.Terms))
	for i, t := range e.Terms {
		terms[i] = t.not()
	}
	if e.Op == All {
		return anyOf(terms...)
	}
	return all(terms...)
}

// combine makes the smallest equal expression: it flattens, drops what is
// constant or stands twice, and what another term says already.
func combine(op Op, terms []Expr) Expr {
	var flat []Expr
	for _, t := range terms {
		switch {
		case t.Op == op:
			flat = append(flat, t.Terms...)
		case t.Op != Leaf && len(t.Terms) == 0:
			return t // false in an All, true in an Any
		default:
			flat = append(flat, t)
		}
	}
	flat = absorb(flat)
	if contradicts(flat) {
		return Expr{Op: other(op)}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return Expr{Op: op, Terms: flat}
}

func other(op Op) Op {
	if op == All {
		return Any
	}
	return All
}

// absorb drops each term that another one makes moot: "a or (a and b)" is "a",
// and so is "a and (a or b)".
func absorb(terms []Expr) []Expr {
	of := make([][]string, len(terms))
	for i, t := range terms {
		of[i] = parts(t)
	}
	// moot says whether the term j makes the term i moot; of equal ones the
	// first stays.
	moot := func(i, j int) bool {
		return i != j && within(of[j], of[i]) && (j < i || !within(of[i], of[j]))
	}
	var out []Expr
	for i, t := range terms {
		drop := false
		for j := range terms {
			drop = drop || moot(i, j)
		}
		if !drop {
			out = append(out, t)
		}
	}
	return out
}

// within says whether every part of the one is also a part of the other.
func within(one, other []string) bool {
	return len(one) <= len(other) && !slices.ContainsFunc(one, func(part string) bool { return !slices.Contains(other, part) })
}

func parts(e Expr) []string {
	if e.Op == Leaf {
		return []string{e.id()}
	}
	out := make([]string, len(e.Terms))
	for i, t := range e.Terms {
		out[i] = t.id()
	}
	return out
}

// contradicts says whether something and its opposite are both there.
func contradicts(terms []Expr) bool {
	seen := map[string]bool{}
	for _, t := range terms {
		if t.Op == Leaf {
			seen[t.id()] = true
		}
	}
	for _, t := range terms {
		if t.Op == Leaf && seen[t.not().id()] {
			return true
		}
	}
	return false
}

// id is equal for expressions that say the same in the same words.
func (e Expr) id() string {
	if e.Op != Leaf {
		return fmt.Sprintf("%d%q", e.Op, parts(e))
	}
	o := e.Open
	if o.Element != ElementCondition {
		return fmt.Sprintf("%v %s %s %v %d %q %d", o.Negated, o.Element, o.Effect, o.Kind, o.Level, o.Policy, o.Statement)
	}
	id := fmt.Sprintf("%v %s %s %q", o.Negated, strings.ToLower(o.Condition.Operator), strings.ToLower(o.Condition.Key), o.Condition.Values)
	if slices.ContainsFunc(o.Condition.Values, func(v string) bool { return strings.Contains(v, "${") }) {
		id += " " + o.Policy // its version says whether that is a variable
	}
	return id
}

// String is the expression for people, such as
// `StringEquals aws:SourceVpc vpc-1 and not (Bool aws:SecureTransport false)`.
func (e Expr) String() string {
	switch {
	case e.isTrue():
		return "always"
	case e.isFalse():
		return "never"
	case e.Op == Leaf:
		return e.Open.String()
	}
	word := " and "
	if e.Op == Any {
		word = " or "
	}
	texts := make([]string, len(e.Terms))
	for i, t := range e.Terms {
		texts[i] = t.String()
		if t.Op != Leaf {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return strings.Join(texts, word)
}

// String is the open thing for people.
func (o Open) String() string {
	var text string
	switch o.Element {
	case ElementCondition:
		text = o.Condition.Operator + " " + o.Condition.Key + " " + strings.Join(o.Condition.Values, "|")
	case ElementPolicy:
		text = "a policy that is not known allows"
		if o.Effect == iam.Deny {
			text = "a policy that is not known denies"
		}
	default:
		text = fmt.Sprintf("%s of statement %d of %s %s matches", o.Element, o.Statement, o.Kind, o.Policy)
	}
	if o.Negated {
		return "not (" + text + ")"
	}
	return text
}
