package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var tagChecks = []*check{
	{code: "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", severity: SecurityWarning, run: tagCheck(true, false)},
	{code: "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", severity: SecurityWarning, run: tagCheck(true, true)},
	{code: "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", severity: Suggestion, run: tagCheck(false, false)},
	{code: "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", severity: Suggestion, run: tagCheck(false, true)},
}

const resourceTag = "aws:ResourceTag/"

// tagCheck reports conditions on aws:ResourceTag for actions of services whose
// requests never carry it: there the condition does not hold, so that a Deny
// denies nothing and an Allow allows nothing.
func tagCheck(deny, byException bool) func(*pass) {
	return func(p *pass) {
		for s, c := range p.conditions() {
			key := c.key.text
			if len(key) <= len(resourceTag) || !strings.EqualFold(key[:len(resourceTag)], resourceTag) || !c.known || c.missingHolds() {
				continue
			}
			if deny != s.denies() || deny == s.allows() || byException != s.has(notAction) {
				continue
			}
			if byException {
				p.report(c.key, "%s, but many services know no %s: it has no effect on them", verb(deny, "all else"), key).hint("list the actions in Action")
				continue
			}
			if without := untagged(s); len(without) > 0 {
				p.report(c.key, "%s of %s: they know no %s%s", verb(deny, "nothing"), strings.Join(without, ", "), key, asOf()).
					hint("give their actions a statement without the condition")
			}
		}
	}
}

func verb(deny bool, object string) string {
	if deny {
		return "this denies " + object
	}
	return "this allows " + object
}

// untagged lists the services of a statement's actions of which none of those
// actions knows tags of resources.
func untagged(s *statement) []string {
	knows := map[string]bool{}
	for _, v := range s.values(actions) {
		prefix, name, _ := strings.Cut(v.text, ":")
		svc, ok := action.ServiceByPrefix(prefix)
		if !ok || iam.HasWildcard(prefix) || !hasAction(svc, name) {
			continue
		}
		knows[svc.Prefix] = knows[svc.Prefix] || anyTagged(svc, name)
	}
	var without []string
	for prefix, ok := range knows {
		if !ok {
			without = append(without, prefix)
		}
	}
	slices.Sort(without)
	return without
}

// anyTagged reports whether an action that matches may carry a resource's tags.
func anyTagged(s *action.Service, pattern string) bool {
	if !iam.HasWildcard(pattern) {
		a, ok := s.Action(pattern)
		return ok && carries(a, "aws:ResourceTag/${TagKey}")
	}
	for k := range s.ConditionKeys {
		if strings.EqualFold(k, "aws:ResourceTag/${TagKey}") {
			return true
		}
	}
	return false
}
