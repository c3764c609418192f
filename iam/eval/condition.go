package eval

import (
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// condition is one compiled operator on one key.
type condition struct {
	key      string // lower case
	set      setOperator
	absent   truth    // the outcome when the request has no such key
	negated  bool     // StringNotEquals and the like: test is the positive relation
	null     bool     // the Null operator: wantNull instead of test
	wantNull [2]bool  // which of false, true stand among its values
	source   int      // index in the statement's list
	test     relation // nil for Null and where text is set
	text     texts    // a relation on strings, spared the call through the interface
}

// setOperator says how the request's values are taken together.
type setOperator uint8

const (
	oneValue setOperator = iota
	forAllValues
	forAnyValue
)

var setOperators = map[string]setOperator{"": oneValue, iam.ForAllValues: forAllValues, iam.ForAnyValue: forAnyValue}

// relation compares one value of the request with the values of the policy;
// one of those is enough.
type relation interface {
	holds(value string, ctx Context) truth
}

// positive maps each negated operator to the one that it negates.
var positive = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"NumericNotEquals":          "NumericEquals",
	"DateNotEquals":             "DateEquals",
	"NotIpAddress":              "IpAddress",
	"ArnNotEquals":              "ArnLike",
	"ArnNotLike":                "ArnLike",
}

func (cp *compiler) compileCondition(c iam.Condition) (condition, error) {
	op, ok := iam.ParseOperator(c.Operator)
	switch {
	case !ok:
		return condition{}, fmt.Errorf("condition operator %q is unknown", c.Operator)
	case c.Key == "":
		return condition{}, fmt.Errorf("condition %s has no key", c.Operator)
	case len(c.Values) == 0:
		return condition{}, fmt.Errorf("condition %s on %s has no values", c.Operator, c.Key)
	}
	out := condition{key: strings.ToLower(c.Key), set: setOperators[op.Set]}
	name := op.Name
	if pos, ok := positive[name]; ok {
		out.negated, name = true, pos
	}
	out.absent = cp.set.whenAbsent(op, out.negated)
	var err error
	if name == "Null" {
		err = out.compileNull(c.Values)
	} else {
		out.test, err = compileRelation(name, c.Values, style{
			vars: cp.vars, negated: out.negated, unparsable: cp.set.whenUnparsable(out.negated), short: cp.set.ShortARN.truth(),
		})
	}
	if err != nil {
		return condition{}, fmt.Errorf("condition %s on %s: %w", c.Operator, c.Key, err)
	}
	if text, ok := out.test.(texts); ok {
		out.text, out.test = text, nil
	}
	return out, nil
}

func (c *condition) compileNull(values []string) error {
	c.null = true
	if c.set != oneValue {
		return errors.New("a set operator does not go with Null")
	}
	for _, v := range values {
		switch {
		case strings.EqualFold(v, "true"):
			c.wantNull[1] = true
		case strings.EqualFold(v, "false"):
			c.wantNull[0] = true
		default:
			return fmt.Errorf("%q is neither true nor false", v)
		}
	}
	return nil
}

// eval judges the condition. Where AWS's pages contradict each other or leave
// the outcome undefined, it is maybe.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (c *condition) eval(ctx Context) truth {
	e := ctx.find(c.key)
	absent := e == nil || len(e.values) == 0
	switch {
	case e == nil && ctx.open() || e != nil && e.unknown:
		return c.unknown()
	case c.null && absent:
		return truthOf(c.wantNull[1])
	case c.null:
		return truthOf(c.wantNull[0])
	case absent:
		return c.absent
	}
	if c.set == oneValue && len(e.values) == 1 && e.rivals == nil {
		return c.one(e.values[0], ctx)
	}
	t := c.over(e.values, ctx)
	for _, values := range e.rivals {
		t = agree(t, c.over(values, ctx))
	}
	return t
}

// unknown is the outcome when it is not known whether the request has the key.
func (c *condition) unknown() truth {
	if c.null && c.wantNull[0] == c.wantNull[1] {
		return truthOf(c.wantNull[0])
	}
	return maybe
}

func (c *condition) over(values []string, ctx Context) truth {
	switch c.set {
	case forAllValues:
		if isNullSet(values) {
			return yes
		}
		t := yes
		for _, v := range values {
			t = min(t, c.one(v, ctx))
		}
		return t
	case forAnyValue:
		if isNullSet(values) {
			return no
		}
		t := no
		for _, v := range values {
			t = max(t, c.one(v, ctx))
		}
		return t
	}
	// Several values without a set operator are undefined unless they agree.
	t := c.one(values[0], ctx)
	for _, v := range values[1:] {
		t = agree(t, c.one(v, ctx))
	}
	return t
}

// isNullSet tells what the set operators take for no value at all.
func isNullSet(values []string) bool { return len(values) == 1 && values[0] == "" }

func (c *condition) one(value string, ctx Context) truth {
	var t truth
	if c.text != nil {
		t = matchAny(c.text, value, ctx)
	} else {
		t = c.test.holds(value, ctx)
	}
	if c.negated {
		return t.not()
	}
	return t
}
