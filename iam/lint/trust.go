package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

var trustOnly = []Type{Trust}

var trustChecks = []*check{
	{code: "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", severity: Error, types: trustOnly, run: trustNotPrincipal},
	{code: "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", severity: Error, types: trustOnly, run: trustResource},
	{code: "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", severity: Error, types: trustOnly, run: trustWildcard},
	{code: "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", severity: Error, types: trustOnly, run: federatedSyntax},
	{code: "MISMATCHED_ACTION_FOR_PRINCIPAL", severity: Error, types: trustOnly, run: mismatchedAction},
	{code: "MISSING_ACTION_FOR_CONDITION_KEY", severity: Error, types: trustOnly, run: missingActionForKey},
	{code: "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", severity: Error, types: trustOnly, run: rolesAnywhere},
	{code: "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", severity: Suggestion, types: trustOnly, run: redundantPrincipal},
}

func trustNotPrincipal(p *pass) {
	for _, s := range p.statements {
		if s.has(notPrincipal) {
			p.report(s.members[notPrincipal].key, "trust policies have no NotPrincipal").hint("name in Principal who may assume the role")
		}
	}
}

func trustResource(p *pass) {
	for _, s := range p.statements {
		for _, e := range []string{resources, notResource} {
			if m, ok := s.members[e]; ok {
				p.report(m.key, "trust policies have no %s: they are about their role", e).fix("remove "+e, remove(m.value))
			}
		}
	}
}

func trustWildcard(p *pass) {
	for _, s := range p.statements {
		if pr := s.principals[principals]; pr != nil && pr.everyone && s.allows() {
			p.report(pr.node, "a role cannot be for everyone").hint(`name accounts, or write {"AWS": "*"} with a condition such as aws:PrincipalOrgID`)
		}
	}
}

// wellKnown are the identity providers that AWS knows by name.
var wellKnown = []string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}

// provider is the kind of identity provider that a Federated principal names.
func provider(s string) string {
	a, err := iam.ParseARN(s)
	switch {
	case slices.Contains(wellKnown, s) || s == "appleid.apple.com":
		return "OIDC"
	case err != nil || a.Service != "iam" || !iam.IsAccountID(a.Account) && !iam.HasWildcard(a.Account):
		return ""
	case strings.HasPrefix(a.Resource, "oidc-provider/"):
		return "OIDC"
	case strings.HasPrefix(a.Resource, "saml-provider/"):
		return "SAML"
	}
	return ""
}

func federatedSyntax(p *pass) {
	for _, s := range p.statements {
		for _, v := range s.of("Federated") {
			if provider(v.text) == "" && !iam.HasWildcard(v.text) {
				p.report(v, "%q is no identity provider", v.text).
					hint("write the ARN of an oidc-provider or saml-provider, or one of %s", strings.Join(wellKnown, ", "))
			}
		}
	}
}

// entries are the actions that assume a role, with the kind of identity
// provider that each needs; none stands for AWS principals and services.
var entries = []struct{ action, provider string }{
	{"sts:AssumeRole", ""}, {"sts:AssumeRoleWithSAML", "SAML"}, {"sts:AssumeRoleWithWebIdentity", "OIDC"},
}

// mismatchedAction reports principals that none of the statement's actions can
// let in, and actions that none of its principals can use.
func mismatchedAction(p *pass) {
	for _, s := range p.statements {
		kinds := kindsOf(s)
		if len(kinds) == 0 {
			continue
		}
		for _, v := range s.values(actions) {
			for _, e := range entries {
				if strings.EqualFold(v.text, e.action) && !slices.Contains(kinds, e.provider) {
					p.report(v, "no principal of the statement can use %s", e.action).hint(entryHint)
				}
			}
		}
	}
}

const entryHint = "SAML providers need sts:AssumeRoleWithSAML, OIDC providers sts:AssumeRoleWithWebIdentity, all others sts:AssumeRole"

// kindsOf lists the kinds of provider among the principals, and "" for those
// that are none. It is empty if one is not understood.
func kindsOf(s *statement) []string {
	pr := s.principals[principals]
	if pr == nil {
		return nil
	}
	var kinds []string
	for _, v := range pr.values {
		kind := ""
		if v.kind == "Federated" {
			if kind = provider(v.text); kind == "" {
				return nil
			}
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// companions are the actions without which a key is never there: tags and source
// identity are only passed along with a permission of their own.
var companions = []struct {
	action string
	keys   []string
	prefix string
}{
	{"sts:TagSession", []string{"sts:TransitiveTagKeys", "aws:TagKeys"}, "aws:RequestTag/"},
	{"sts:SetSourceIdentity", []string{"sts:SourceIdentity"}, ""},
}

func missingActionForKey(p *pass) {
	for s, c := range p.conditions() {
		for _, need := range companions {
			tagged := need.prefix != "" && len(c.key.text) > len(need.prefix) && strings.EqualFold(c.key.text[:len(need.prefix)], need.prefix)
			if (tagged || c.is(need.keys...)) && s.allows() && !s.has(notAction) && !grants(s, need.action) && !c.missingHolds() {
				p.report(c.key, "%s is there only if the statement allows %s too", c.key.text, need.action).hint("add %s to Action", need.action)
			}
		}
	}
}

// grants reports whether an Action of the statement matches an action.
func grants(s *statement, action string) bool {
	return slices.ContainsFunc(s.values(actions), func(v *node) bool { return iam.MatchFold(v.text, action) })
}

func rolesAnywhere(p *pass) {
	need := []string{"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"}
	given := map[string]bool{}
	var at *node
	for _, s := range p.statements {
		for _, v := range s.of("Service") {
			if v.text != "rolesanywhere.amazonaws.com" || !s.allows() {
				continue
			}
			at = v
			for _, a := range need {
				given[a] = given[a] || grants(s, a)
			}
		}
	}
	missing := slices.DeleteFunc(need, func(a string) bool { return given[a] })
	if at != nil && len(missing) > 0 {
		p.report(at, "Roles Anywhere needs %s as well", strings.Join(missing, " and "))
	}
}

// redundantPrincipal reports sessions of a role that is listed itself.
func redundantPrincipal(p *pass) {
	for _, s := range p.statements {
		values := s.of("AWS")
		if len(values) > maxCompared {
			continue
		}
		for _, v := range values {
			session, err := iam.ParseARN(v.text)
			rest, ok := strings.CutPrefix(session.Resource, "assumed-role/")
			if err != nil || !ok || session.Service != "sts" {
				continue
			}
			name, _, _ := strings.Cut(rest, "/")
			i := slices.IndexFunc(values, func(other *node) bool { return isRole(other.text, session.Account, name) })
			if i < 0 {
				continue
			}
			f := p.report(v, "the session is one of %s, which is listed", values[i].text)
			if v.removable() && v.parent.kind == array {
				f.fix("remove "+v.text, remove(v))
			}
		}
	}
}

// isRole reports whether s is the ARN of a role of that name.
func isRole(s, account, name string) bool {
	a, err := iam.ParseARN(s)
	return err == nil && a.Service == "iam" && a.Account == account && strings.HasPrefix(a.Resource, "role/") &&
		a.Resource[strings.LastIndexByte(a.Resource, '/')+1:] == name
}
