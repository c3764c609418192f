package iam

import "strings"

// Operator is a condition operator taken apart, in AWS's spelling.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type Operator struct {
	Set      string // "", ForAllValues or ForAnyValue
	Name     string // "StringEquals"
	IfExists bool
}

// The set operators, for keys with several values.
const (
	ForAllValues = "ForAllValues"
	ForAnyValue  = "ForAnyValue"
)

// operatorNames are all operators without their affixes.
var operatorNames = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
	"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
}

// ParseOperator reads "ForAnyValue:StringLikeIfExists" and the like, without
// regard to case. False means that AWS has no such operator.
func ParseOperator(s string) (Operator, bool) {
	var op Operator
	if set, rest, ok := strings.Cut(s, ":"); ok {
		switch {
		case strings.EqualFold(set, ForAllValues):
			op.Set = ForAllValues
		case strings.EqualFold(set, ForAnyValue):
			op.Set = ForAnyValue
		default:
			return Operator{}, false
		}
		s = rest
	}
	if cut := len(s) - len("IfExists"); cut > 0 && strings.EqualFold(s[cut:], "IfExists") {
		op.IfExists, s = true, s[:cut]
	}
	for _, name := range operatorNames {
		if strings.EqualFold(name, s) {
			op.Name = name
			return op, !(op.IfExists && name == "Null")
		}
	}
	return Operator{}, false
}

// String is the operator as it stands in a policy.
func (o Operator) String() string {
	s := o.Name
	if o.Set != "" {
		s = o.Set + ":" + s
	}
	if o.IfExists {
		s += "IfExists"
	}
	return s
}
