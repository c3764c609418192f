package lint

import (
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var keyChecks = []*check{
	{code: "INVALID_CONDITION_KEY_FORMAT", severity: Error, run: keyFormat},
	{code: "INVALID_GLOBAL_CONDITION_KEY", severity: Error, run: invalidGlobalKey},
	{code: "INVALID_SERVICE_CONDITION_KEY", severity: Error, run: invalidServiceKey},
	{code: "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", severity: Error, run: doubledKeys},
	{code: "MISSING_TAG_KEY_IN_CONDITION", severity: Error, run: missingTagKey},
	{code: "DEPRECATED_GLOBAL_CONDITION_KEY", severity: Warning, run: deprecatedKey},
}

func keyFormat(p *pass) {
	for _, c := range p.conditions() {
		prefix, name, ok := strings.Cut(c.key.text, ":")
		if !ok || prefix == "" || name == "" || iam.HasWildcard(c.key.text) {
			p.report(c.key, "%q is no condition key: it has the form service:key", c.key.text)
		}
	}
}

// deprecated are keys of old whose successor AWS names.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
const deprecated = "aws:ARN"

func deprecatedKey(p *pass) {
	for _, c := range p.conditions() {
		if c.is(deprecated) {
			p.report(c.key, "%s is out of use", deprecated).hint("use aws:PrincipalArn").
				offer("write aws:PrincipalArn", replace(c.key, "aws:PrincipalArn"))
		}
	}
}

// unexplained reports whether a key has the form of one, and AWS has none like
// it, and no check of its own says why.
func (c *condition) unexplained() (prefix, name string, ok bool) {
	prefix, name, ok = strings.Cut(c.key.text, ":")
	if !ok || prefix == "" || name == "" || iam.HasWildcard(c.key.text) || c.variable() || c.is(deprecated) || tagless(c.key.text) {
		return "", "", false
	}
	_, known := c.keyType()
	return prefix, name, !known
}

func invalidGlobalKey(p *pass) {
	var names []string
	for _, k := range action.GlobalKeys() {
		names = append(names, k.Name)
	}
	for _, c := range p.conditions() {
		prefix, _, ok := c.unexplained()
		if ok && strings.EqualFold(prefix, "aws") {
			p.report(c.key, "AWS has no global condition key %q%s", c.key.text, asOf()).didYouMean(c.key, "", c.key.text, names)
		}
	}
}

func invalidServiceKey(p *pass) {
	for _, c := range p.conditions() {
		prefix, _, ok := c.unexplained()
		if !ok {
			continue
		}
		s, known := action.ServiceByPrefix(prefix)
		if !known {
			continue // said by invalidService
		}
		var names []string
		for k := range s.ConditionKeys {
			names = append(names, k)
		}
		p.report(c.key, "%s has no condition key %q%s", s.Prefix, c.key.text, asOf()).didYouMean(c.key, "", c.key.text, sorted(names))
	}
}

func doubledKeys(p *pass) {
	for _, d := range p.foldDouble {
		p.report(d.node, "%s: AWS takes no notice of case", d.what)
	}
}

// tagless reports whether a key is that of tags, but names none.
func tagless(key string) bool {
	base := strings.TrimSuffix(key, "/")
	k, ok := conditionKey(base + "/x")
	if !ok || k.Claim {
		return false
	}
	_, itself := action.ConditionKey("", base)
	return !itself && strings.Contains(k.Name, "${") && strings.EqualFold(k.Name[:strings.Index(k.Name, "${")], base+"/")
}

func missingTagKey(p *pass) {
	for _, c := range p.conditions() {
		if tagless(c.key.text) {
			p.report(c.key, "%s must name a tag", c.key.text).hint("write %s/name-of-the-tag", strings.TrimSuffix(c.key.text, "/"))
		}
	}
}
