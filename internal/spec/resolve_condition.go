package spec

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// conditions reads the conditions of a statement. A policy holds each pair of
// operator and key once, whatever their case: JSON objects have no double keys.
func (r *resolver) conditions(raw rawCustom) []iam.Condition {
	var out []iam.Condition
	seen := map[string]Pos{}
	for _, op := range raw.Conditions {
		operator, ok := iam.ParseOperator(op.Key)
		if !ok {
			r.add(op.KeyPos, fmt.Sprintf("unknown condition operator %q", op.Key), didYouMean(op.Key, commonOperators))
		}
		for _, key := range op.V {
			c := iam.Condition{Operator: operator.String(), Key: key.Key, Values: values(key.V)}
			out = append(out, c)
			r.checkConditionKey(key.KeyPos, key.Key)
			if !ok {
				continue
			}
			pair := strings.ToLower(c.Operator + " " + c.Key)
			if first, twice := seen[pair]; twice {
				r.add(key.KeyPos, fmt.Sprintf("%s of %s is already at %s", c.Operator, key.Key, first), "a policy has each operator and key once: put the values into one list, of which any may match")
				continue
			}
			seen[pair] = key.KeyPos
			r.checkEnding(raw, c, key.KeyPos)
		}
	}
	return out
}

// checkEnding reports two ends of one statement: until is written into the
// policy as this very condition.
func (r *resolver) checkEnding(raw rawCustom, c iam.Condition, pos Pos) {
	if !raw.Until.IsZero() && c.Operator == "DateLessThan" && strings.EqualFold(c.Key, "aws:CurrentTime") {
		r.add(raw.of("until"), fmt.Sprintf("the statement already ends by the DateLessThan of aws:CurrentTime at %s", pos), "keep one of them: until means the same")
	}
}

// conditionKey takes tag keys and claims of issuers too.
var conditionKey = regexp.MustCompile(`^[A-Za-z0-9./_-]+:[^\s*?]+$`)

func (r *resolver) checkConditionKey(pos Pos, key string) {
	if !conditionKey.MatchString(key) {
		r.add(pos, fmt.Sprintf("%q is not a condition key", key), "write it with its service, such as aws:RequestedRegion or s3:prefix")
	}
}

// commonOperators are those that a typing error is likely meant to be.
var commonOperators = []string{
	"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
	"NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericGreaterThanEquals",
	"DateLessThan", "DateGreaterThan", "Bool", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotLike", "Null",
}
