package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
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
			r.checkConditionKey(key.KeyPos, key.Key, raw.Unknown == "", orUnknown)
			if !ok {
				continue
			}
			pair := strings.ToLower(c.Operator + " " + c.Key)
			if first, twice := seen[pair]; twice {
				r.add(key.KeyPos, fmt.Sprintf("%s of %s is already at %s", c.Operator, key.Key, first), "a policy has each operator and key once: put the values into one list, of which any may match")
				continue
			}
			seen[pair] = key.KeyPos
			r.checkValues(c, key.V)
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
var conditionKey = lazily(`^[A-Za-z0-9./_-]+:[^\s*?]+$`)

func (r *resolver) checkConditionKey(pos Pos, key string, mustBeKnown bool, newer string) {
	if !conditionKey().MatchString(key) {
		r.add(pos, fmt.Sprintf("%q is not a condition key", key), "write it with its service, such as aws:RequestedRegion or s3:prefix")
		return
	}
	if what, candidates := unknownKey(key); what != "" && mustBeKnown {
		r.addUnknown(item[string]{key, pos}, what, candidates, newer)
	}
}

// unknownKey says that AWS has no such condition key, and what it may have been
// meant to be; "" if AWS has it. Claims of token issuers are all known: their
// names have a dot before the colon.
func unknownKey(key string) (what string, candidates []string) {
	if _, ok := action.ConditionKey("", key); ok {
		return "", nil
	}
	prefix, name, _ := strings.Cut(key, ":")
	_, tag, _ := strings.Cut(key, "/")
	if service, ok := action.ServiceByPrefix(prefix); ok {
		for known := range service.ConditionKeys {
			// Some keys are listed with a placeholder of another form:
			// secretsmanager:ResourceTag/tag-key.
			if strings.EqualFold(withTag(known, tag), key) {
				return "", nil
			}
			candidates = append(candidates, withTag(known, tag))
		}
		slices.Sort(candidates)
	}
	if strings.EqualFold(prefix, "aws") {
		for _, k := range action.GlobalKeys() {
			candidates = append(candidates, withTag(k.Name, tag))
		}
	}
	if candidates == nil {
		return fmt.Sprintf("no service has condition keys that begin with %q", prefix+":"), nil
	}
	return fmt.Sprintf("%s has no condition key %q", prefix, name), candidates
}

// withTag puts the tag that is meant for the placeholder of a documented key.
func withTag(known, tag string) string {
	if family, _, tagged := strings.Cut(known, "/"); tagged {
		return family + "/" + tag
	}
	return known
}

// checkValues reports values that the operator cannot compare with anything: a
// condition with one never holds, so the statement would never apply.
func (r *resolver) checkValues(c iam.Condition, written []item[string]) {
	for _, v := range written {
		c.Values = []string{v.V}
		st := iam.Statement{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: []iam.Condition{c}}
		_, err := eval.Compile("", eval.Identity, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{st}})
		if err == nil {
			continue
		}
		what := err.Error()
		if _, reason, ok := strings.Cut(what, fmt.Sprintf("condition %s on %s: ", c.Operator, c.Key)); ok {
			what = reason
		}
		r.add(v.Pos, what, "")
	}
}

// commonOperators are those that a typing error is likely meant to be.
var commonOperators = []string{
	"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
	"NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericGreaterThanEquals",
	"DateLessThan", "DateGreaterThan", "Bool", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotLike", "Null",
}
