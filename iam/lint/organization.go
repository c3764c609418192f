package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var rcpOnly = []Type{RCP}

var organizationChecks = []*check{
	{code: "SCP_SYNTAX_ERROR_PRINCIPAL", severity: Error, types: []Type{SCP}, run: scpPrincipal},
	{code: "RCP_SYNTAX_ERROR_PRINCIPAL", severity: Error, types: rcpOnly, run: rcpPrincipal},
	{code: "RCP_SYNTAX_ERROR_ALLOW", severity: Error, types: rcpOnly, run: rcpAllow},
	{code: "RCP_SYNTAX_ERROR_NOTACTION", severity: Error, types: rcpOnly, run: rcpNotAction},
	{code: "RCP_SYNTAX_ERROR_ACTION", severity: Error, types: rcpOnly, run: rcpAction},
	{code: "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY", severity: Warning, types: rcpOnly, run: rcpPrincipalKey},
	{code: "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", severity: Warning, types: rcpOnly, run: rcpSourceKey},
	{code: "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK", severity: Warning, types: rcpOnly, run: rcpNullCheck},
}

func scpPrincipal(p *pass) {
	for _, s := range p.statements {
		for _, e := range []string{principals, notPrincipal} {
			if s.has(e) {
				p.report(s.members[e].key, "service control policies have no %s: they are for all accounts they are attached to", e).
					hint("use a condition on aws:PrincipalArn")
			}
		}
	}
}

func rcpPrincipal(p *pass) {
	for _, s := range p.statements {
		if s.has(notPrincipal) {
			p.report(s.members[notPrincipal].key, "resource control policies have no NotPrincipal").hint(`write "Principal": "*" and a condition`)
		}
		if pr := s.principals[principals]; pr != nil && !pr.everyone {
			p.report(pr.node, `resource control policies have "Principal": "*"`).hint("use a condition on aws:PrincipalArn or aws:PrincipalOrgID")
		}
	}
}

// fullAccess reports whether the policy is RCPFullAWSAccess, which AWS attaches: the
// one that allows.
func (p *pass) fullAccess(s *statement) bool {
	return len(p.statements) == 1 && stars(s.values(actions)) && stars(s.values(resources)) && len(s.conditions) == 0
}

func rcpAllow(p *pass) {
	for _, s := range p.statements {
		if s.allows() && !p.fullAccess(s) {
			p.report(s.effect, "resource control policies only deny").hint("what is not denied stays allowed: AWS's own RCPFullAWSAccess sees to it")
		}
	}
}

func rcpNotAction(p *pass) {
	for _, s := range p.statements {
		if s.has(notAction) {
			p.report(s.members[notAction].key, "resource control policies have no NotAction").hint("list the actions")
		}
	}
}

func rcpAction(p *pass) {
	services := action.RCPServices()
	for s, v := range p.values(actions) {
		prefix, _, ok := strings.Cut(v.text, ":")
		switch {
		case s.allows() && p.fullAccess(s):
		case !ok || iam.HasWildcard(prefix):
			p.report(v, "resource control policies name the service of each action: %q does not", v.text)
		case knownService(prefix) && !slices.Contains(services, strings.ToLower(prefix)):
			p.report(v, "resource control policies do not apply to %s%s", prefix, asOf())
		}
	}
}

// rcpConditions calls report with each condition of a denial on one of the keys
// that is stricter than it looks because it holds where the key is missing.
func (p *pass) rcpConditions(of func(key string) bool, report func(*statement, *condition)) {
	for s, c := range p.conditions() {
		if s.denies() && c.known && c.op.Name != "Null" && c.negated() && of(strings.ToLower(c.key.text)) {
			report(s, c)
		}
	}
}

// rcpPrincipalKey: services that act for themselves have no such key, and would
// be denied with the strangers.
func rcpPrincipalKey(p *pass) {
	p.rcpConditions(aboutPrincipal, func(s *statement, c *condition) {
		if !s.uses("aws:PrincipalIsAWSService") {
			p.report(c.key, "requests of AWS services have no %s, and are denied with it", c.key.text).
				hint(`add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}`)
		}
	})
}

func aboutSource(key string) bool {
	return slices.ContainsFunc(sources, func(s string) bool { return strings.EqualFold(s, key) })
}

func rcpSourceKey(p *pass) {
	p.rcpConditions(aboutSource, func(s *statement, c *condition) {
		if !s.uses("aws:PrincipalIsAWSService") {
			p.report(c.key, "requests of people and roles have no %s, and are denied with it", c.key.text).
				hint(`add "Bool": {"aws:PrincipalIsAWSService": "true"}`)
		}
	})
}

func rcpNullCheck(p *pass) {
	p.rcpConditions(aboutSource, func(s *statement, c *condition) {
		if !s.present("aws:SourceAccount") && !s.present("aws:SourceArn") {
			p.report(c.key, "some requests of services have no %s, and are denied with it", c.key.text).
				hint(`add "Null": {"aws:SourceAccount": "false"}`)
		}
	})
}
