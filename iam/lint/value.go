package lint

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
)

var valueChecks = []*check{
	{code: "INVALID_CONDITION_DATA_TYPE", severity: Error, run: mixedTypes},
	{code: "INVALID_CONDITION_MULTIPLE_BOOLEAN", severity: Error, run: multipleBooleans},
	{code: "TYPE_MISMATCH_BOOLEAN", severity: Warning, run: notBoolean},
	{code: "TYPE_MISMATCH_NUMBER", severity: Warning, run: notNumber},
	{code: "TYPE_MISMATCH_DATE", severity: Warning, run: notDate},
	{code: "TYPE_MISMATCH_STRING", severity: Warning, run: notBase64},
	{code: "INVALID_DATE_VALUE", severity: Warning, run: epochDate},
	{code: "WILDCARD_WITHOUT_LIKE_OPERATOR", severity: Warning, run: wildcardWithoutLike},
	{code: "WILDCARD_USAGE_TOO_PERMISSIVE", severity: Error, run: sensitiveWildcard},
	{code: "VARIABLE_USAGE_TOO_PERMISSIVE", severity: Error, run: sensitiveVariable},
	{code: "REDUNDANT_CONDITION_VALUE_NUM", severity: Suggestion, run: redundantNumber},
}

// compared lists the values that a family of operators is given, without those
// that have variables.
func (p *pass) compared(family ...string) []*node {
	var values []*node
	for _, c := range p.conditions() {
		if !c.known || !slices.ContainsFunc(family, func(f string) bool { return strings.HasPrefix(c.op.Name, f) }) {
			continue
		}
		for _, v := range c.values {
			if !strings.Contains(v.text, "${") {
				values = append(values, v)
			}
		}
	}
	return values
}

// mixedTypes reports the first value that is of another type than those before.
func mixedTypes(p *pass) {
	for _, c := range p.conditions() {
		i := slices.IndexFunc(c.values, func(v *node) bool { return v.kind != c.values[0].kind })
		if i < 0 {
			continue
		}
		var edits []Edit
		for _, v := range c.values {
			if v.kind != text {
				edits = append(edits, replace(v, v.text))
			}
		}
		p.report(c.values[i], "%s is compared with %s and with %s", c.key.text, c.values[0].kind, c.values[i].kind).
			fix("write all values as strings", edits...)
	}
}

func multipleBooleans(p *pass) {
	for _, c := range p.conditions() {
		if c.known && (c.op.Name == "Bool" || c.op.Name == "Null") && len(c.values) > 1 {
			p.report(c.value, "%s takes one value", c.op.Name)
		}
	}
}

func isBoolean(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

func notBoolean(p *pass) {
	for _, v := range p.compared("Bool", "Null") {
		if !isBoolean(v.text) {
			p.report(v, "%q is neither true nor false", v.text)
		}
	}
}

func notNumber(p *pass) {
	for _, v := range p.compared("Numeric") {
		if _, err := strconv.ParseFloat(v.text, 64); err != nil {
			p.report(v, "%q is no number", v.text)
		}
	}
}

// dateForms are those of ISO 8601 that AWS takes (W3C's note on dates).
// https://www.w3.org/TR/NOTE-datetime
var dateForms = []string{
	"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05",
}

func isDate(s string) bool {
	return slices.ContainsFunc(dateForms, func(form string) bool { _, err := time.Parse(form, s); return err == nil })
}

func isEpoch(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && len(s) > len("2006")
}

func notDate(p *pass) {
	for _, v := range p.compared("Date") {
		if !isDate(v.text) && !isEpoch(v.text) {
			p.report(v, "%q is no date", v.text).hint("write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ")
		}
	}
}

func epochDate(p *pass) {
	for _, v := range p.compared("Date") {
		if !isEpoch(v.text) {
			continue
		}
		f := p.report(v, "%s is a date in seconds since 1970: people cannot check it", v.text)
		seconds, err := strconv.ParseInt(v.text, 10, 64)
		if when := time.Unix(seconds, 0).UTC(); err == nil && when.Year() > 0 && when.Year() < 10000 {
			date := when.Format(time.RFC3339)
			f.hint("write %s", date).fix("write "+date, replace(v, date))
		}
	}
}

func notBase64(p *pass) {
	for _, v := range p.compared("BinaryEquals") {
		if _, err := base64.StdEncoding.DecodeString(v.text); err != nil {
			p.report(v, "%q is not in base64", v.text)
		}
	}
}

// wildcardWithoutLike reports stars where they are plain characters.
func wildcardWithoutLike(p *pass) {
	for _, c := range p.conditions() {
		if !c.known || !strings.HasPrefix(c.op.Name, "String") || c.like() {
			continue
		}
		for _, v := range c.values {
			if !iam.HasWildcard(iam.ReplaceVariables(v.text, "")) {
				continue
			}
			f := p.report(v, "%s takes %q literally", c.op.Name, v.text)
			if like, ok := likeOf(c.op); ok {
				f.hint("if the star is meant as a wildcard, use %s", like)
				if len(c.key.parent.members) == 1 {
					f.offer("write "+like.String(), replace(c.operator, like.String()))
				}
			}
			break
		}
	}
}

// likeOf is the operator with wildcards for one without. There is none that
// takes no notice of case.
func likeOf(op iam.Operator) (iam.Operator, bool) {
	switch op.Name {
	case "StringEquals":
		op.Name = "StringLike"
	case "StringNotEquals":
		op.Name = "StringNotLike"
	default:
		return op, false
	}
	return op, true
}

// sensitive are the keys for which a wildcard has no good use: they hold ids.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sensitive
var sensitive = []string{
	"aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:SourceAccount", "aws:SourceOrgID",
	"aws:SourceVpc", "aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgID",
}

// opens reports whether a condition that is met by more lets in more: one of an
// Allow that must match, or one of a Deny that must not.
func opens(s *statement, c *condition) bool {
	return s.effect != nil && s.allows() != c.negated()
}

func sensitiveWildcard(p *pass) {
	for s, c := range p.conditions() {
		if !c.is(sensitive...) || !c.known || !c.like() || !opens(s, c) {
			continue
		}
		for _, v := range c.values {
			if iam.HasWildcard(iam.ReplaceVariables(v.text, "")) {
				p.report(v, "%s holds an id: a wildcard lets in strangers", c.key.text).hint("name the ids")
				break
			}
		}
	}
}

// ownVariables are those whose value is a fact about the request that nobody
// chooses, which makes "the same account as the resource's" a sound condition.
var ownVariables = []string{
	"aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:ResourceAccount", "aws:ResourceOrgID",
}

func sensitiveVariable(p *pass) {
	for s, c := range p.conditions() {
		if !c.is(sensitive...) || !c.known || !opens(s, c) {
			continue
		}
		for _, v := range c.values {
			for _, used := range variables(v.text) {
				if !used.escape() && !slices.ContainsFunc(ownVariables, func(o string) bool { return strings.EqualFold(o, used.name) }) {
					p.report(v, "%s holds an id: variable %s can be anything", c.key.text, used.name).hint("name the ids")
				}
			}
		}
	}
}

// redundantNumber reports bounds of which one includes the others.
func redundantNumber(p *pass) {
	for _, c := range p.conditions() {
		less, more := strings.Contains(c.op.Name, "LessThan"), strings.Contains(c.op.Name, "GreaterThan")
		if !c.known || !strings.HasPrefix(c.op.Name, "Numeric") || !less && !more || len(c.values) < 2 || c.op.Set != "" {
			continue
		}
		widest, ok := bound(c.values, less)
		if !ok {
			continue
		}
		word := "least"
		if less {
			word = "greatest"
		}
		p.report(c.value, "of several bounds only the %s counts: %s", word, widest.text).
			fix("write "+widest.text, Edit{c.value.start, c.value.end, string(p.src[widest.start:widest.end])})
	}
}

// bound is the greatest or least of the values, if all are numbers.
func bound(values []*node, greatest bool) (*node, bool) {
	var best *node
	var most float64
	for _, v := range values {
		x, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return nil, false
		}
		if best == nil || greatest == (x > most) && x != most {
			best, most = v, x
		}
	}
	return best, best != nil
}
