package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var keyUseChecks = []*check{
	{code: "UNSUPPORTED_ACTION_FOR_CONDITION_KEY", severity: Error, run: actionWithoutKey},
	{code: "MISSING_PAIRED_CONDITION_KEYS", severity: SecurityWarning, run: pairedKeys},
	{code: "UNTRUSTWORTHY_CONDITION_KEY", severity: SecurityWarning, run: untrustworthyKey},
	{code: "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES", severity: Warning, run: endpointKeys},
	{code: "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT", severity: SecurityWarning, run: attributesWithoutSelect},
	{code: "S3_PREFIX_IN_NEGATIVE_CONTEXT", severity: SecurityWarning, run: negativePrefix},
	{code: "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION", severity: Suggestion, run: alwaysHolds},
	{code: "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION", severity: Suggestion, run: neverHolds},
}

// sorted is a sorted copy.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// actionWithoutKey reports actions whose requests never carry a key that the
// statement asks for. Actions with wildcards are passed over, and so are
// conditions that hold when the key is missing.
func actionWithoutKey(p *pass) {
	for s, c := range p.conditions() {
		k, ok := conditionKey(c.key.text)
		if !ok || k.Global || k.Claim || !c.known || c.missingHolds() {
			continue
		}
		var without []string
		for _, v := range s.values(actions) {
			if a, ok := action.Lookup(v.text); ok && !iam.HasWildcard(v.text) && strings.EqualFold(a.Service, prefixOf(k.Name)) && !carries(a, k.Name) {
				without = append(without, v.text)
			}
		}
		if len(without) > 0 {
			p.report(c.key, "requests for %s carry no %s%s", someOf(without), k.Name, asOf()).
				hint("give them a statement without the condition")
		}
	}
}

// someOf lists a few words, and says how many there are more.
func someOf(words []string) string {
	const few = 3
	if more := len(words) - few; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:few], ", "), more)
	}
	return strings.Join(words, ", ")
}

func prefixOf(s string) string {
	prefix, _, _ := strings.Cut(s, ":")
	return prefix
}

// missingHolds reports whether the condition holds when its key is missing.
func (c *condition) missingHolds() bool {
	return c.op.IfExists || c.negated() || c.op.Name == "Null" || c.op.Set == "ForAllValues"
}

// carries reports whether requests for an action may carry a key.
func carries(a *action.Action, key string) bool {
	return slices.ContainsFunc(a.Keys(), func(k string) bool { return strings.EqualFold(k, key) })
}

// pairedKeys: private addresses mean nothing without the network they are in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-vpcsourceip
func pairedKeys(p *pass) {
	for s, c := range p.conditions() {
		if c.is("aws:VpcSourceIp") && !s.uses("aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn") {
			p.report(c.key, "every network has the addresses of %s", c.key.text).hint("add aws:SourceVpc or aws:SourceVpce")
		}
	}
}

// untrustworthyKey: who makes a request writes these headers as he likes.
func untrustworthyKey(p *pass) {
	for _, c := range p.conditions() {
		if c.is("aws:Referer", "aws:UserAgent") {
			p.report(c.key, "whoever makes the request chooses the value of %s", c.key.text)
		}
	}
}

// endpointKeys are known to some services only; statements about all services
// are wider.
func endpointKeys(p *pass) {
	for s, c := range p.conditions() {
		if !c.is("aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths") {
			continue
		}
		all := s.has(notAction) || slices.ContainsFunc(s.values(actions), func(v *node) bool { return iam.HasWildcard(prefixOf(v.text)) })
		if all {
			p.report(c.key, "some services only know %s, and the statement is about all", c.key.text).hint("name their actions")
		}
	}
}

// attributesWithoutSelect: the key is absent from reads that ask for no
// attribute in particular, and those return them all.
func attributesWithoutSelect(p *pass) {
	for s, c := range p.conditions() {
		if c.is("dynamodb:Attributes") && s.allows() && c.op.Name != "Null" && !s.uses("dynamodb:Select") {
			p.report(c.key, "reads that name no attribute return all of them").
				hint(`add "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}`)
		}
	}
}

// negativePrefix: who lists "pri" sees what lies under "private/".
func negativePrefix(p *pass) {
	for s, c := range p.conditions() {
		if !c.is("s3:prefix") || !strings.HasPrefix(c.op.Name, "String") || s.effect == nil || s.allows() != c.negated() {
			continue
		}
		p.report(c.operator, "a request with a shorter s3:prefix is not held back, and lists the same").
			hint("allow the prefixes with StringLike, or deny all others with StringNotLike")
	}
}

// anything reports whether a pattern operator is given "*".
func (c *condition) anything() bool {
	return c.known && c.like() && slices.ContainsFunc(c.values, func(v *node) bool { return v.text == "*" })
}

func alwaysHolds(p *pass) {
	for _, c := range p.conditions() {
		if c.anything() && !c.negated() && (c.op.IfExists || c.op.Set == "ForAllValues") {
			p.report(c.key, "%s with \"*\" always holds", c.operator.text).hint("leave it out")
		}
	}
}

func neverHolds(p *pass) {
	for _, c := range p.conditions() {
		if c.anything() && c.negated() && !c.op.IfExists && c.op.Set == "" {
			p.report(c.key, "%s with \"*\" matches no value of %s", c.operator.text, c.key.text).
				hint("it holds only if the key is missing: Null says so better")
		}
	}
}
