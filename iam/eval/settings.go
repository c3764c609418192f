package eval

import "github.com/postern-dev/postern/iam"

// Settings choose how to read what AWS's pages leave open or contradict. The
// zero value denies in doubt.
type Settings struct {
	// ForAnyValueIfExists is the outcome of ForAnyValue:…IfExists on an absent
	// key: the page on IfExists says that it holds, the page on ForAnyValue that
	// it does not.
	ForAnyValueIfExists Reading
	// Unparsable is the outcome of a condition, negated or not, whose request
	// value is no number, date, address or base64.
	Unparsable Reading
	// ShortARN is what an ARN operator does with a pattern of fewer than six
	// parts, such as "*" or "arn:aws:sns:*", that matches as a text: AWS compares
	// six parts, and does not say what becomes of a pattern that lacks some. Fails
	// lets it match nothing, Holds takes it as a text.
	ShortARN Reading
	// AllowNotPrincipal reads NotPrincipal with Allow as everyone but those
	// named. AWS advises against it and takes it in resource policies only; by
	// default such a statement allows nobody.
	AllowNotPrincipal bool
}

// Reading is how a condition is taken that AWS leaves open.
type Reading uint8

// The readings.
const (
	Doubt Reading = iota // an Allow does not match, a Deny does
	Fails                // the condition does not hold
	Holds                // the condition holds
)

func (r Reading) truth() truth {
	switch r {
	case Fails:
		return no
	case Holds:
		return yes
	}
	return maybe
}

// whenAbsent is the outcome of an operator when the request has no such key.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (set Settings) whenAbsent(op iam.Operator, negated bool) truth {
	switch {
	case op.Set == iam.ForAllValues:
		return yes
	case op.Set == iam.ForAnyValue && op.IfExists:
		return set.ForAnyValueIfExists.truth()
	case op.Set == iam.ForAnyValue:
		return no
	}
	return truthOf(op.IfExists || negated)
}

// whenUnparsable is what a relation answers, so that the condition gives the
// reading after its negation.
func (set Settings) whenUnparsable(negated bool) truth {
	t := set.Unparsable.truth()
	if negated {
		return t.not()
	}
	return t
}
