package lint

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

const notPrincipalPage = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"

var principalChecks = []*check{
	{code: "INVALID_PRINCIPAL_FORMAT", severity: Error, run: principalFormat},
	{code: "INVALID_PRINCIPAL_KEY", severity: Error, run: principalKey},
	{code: "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", severity: Error, run: wildcardInPrincipal},
	{code: "INVALID_ROLE_REFERENCE", severity: Warning, run: idReference("AROA", "role")},
	{code: "INVALID_USER_REFERENCE", severity: Warning, run: idReference("AIDA", "user")},
	{code: "FEDERATED_PRINCIPAL_NOT_SUPPORTED", severity: Error, types: []Type{Resource}, run: federatedPrincipal},
	{code: "ALLOW_WITH_NOT_PRINCIPAL", severity: SecurityWarning, types: []Type{Resource}, run: allowNotPrincipal},
	{code: "DENY_WITH_NOT_PRINCIPAL", severity: Warning, types: []Type{Resource}, run: denyNotPrincipal, page: notPrincipalPage},
	{code: "PUBLIC_PRINCIPAL", severity: SecurityWarning, types: []Type{Resource, Trust}, run: publicPrincipal, page: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous"},
}

func principalFormat(p *pass) {
	for _, bad := range p.principals {
		p.report(bad.node, "%s", bad.what).hint(`write {"AWS": "arn:…"}, {"Service": "…"} or {"Federated": "…"}`)
	}
	for _, v := range p.principalValues() {
		if v.kind == "AWS" && !iam.HasWildcard(v.text) && !strings.Contains(v.text, "${") && !isAWSPrincipal(v.text) {
			p.report(v.node, "%q is no AWS principal", v.text).hint("write an account id, or the ARN of a user, role or session")
		}
	}
}

// isAWSPrincipal reports whether s has the form of one: an account, the ARN of a
// principal, or the unique id that AWS puts for a deleted one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func isAWSPrincipal(s string) bool {
	if iam.IsAccountID(s) || isUniqueID(s) {
		return true
	}
	a, err := iam.ParseARN(s)
	if err != nil || a.Region != "" || !iam.IsAccountID(a.Account) && !originAccess(a) {
		return false
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch a.Service {
	case "iam":
		return a.Resource == "root" || (kind == "user" || kind == "role") && name != ""
	case "sts":
		return (kind == "assumed-role" || kind == "federated-user" || kind == "self") && name != "" || kind == "self"
	}
	return false
}

// originAccess reports whether the ARN is that of CloudFront's way into S3.
func originAccess(a iam.ARN) bool { return a.Service == "iam" && a.Account == "cloudfront" }

// isUniqueID reports whether s is an id such as AROA1234567890EXAMPLE.
func isUniqueID(s string) bool {
	return len(s) >= 16 && strings.HasPrefix(s, "A") && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func principalKey(p *pass) {
	for _, key := range p.badKeys {
		f := p.report(key, "there is no kind of principals %q", key.text).hint("there are %s", strings.Join(principalKinds, ", "))
		for _, k := range principalKinds {
			if strings.EqualFold(k, key.text) {
				f.hint("write %q: case counts", k).fix("write "+k, replace(key, k))
			}
		}
	}
}

func wildcardInPrincipal(p *pass) {
	for _, v := range p.principalValues() {
		if iam.HasWildcard(v.text) && (v.kind != "AWS" || v.text != "*") && !strings.Contains(v.text, "${") {
			p.report(v.node, "%q: principals take no wildcards, but for \"*\" as a whole", v.text).
				hint(`name them, or allow more and add a condition on aws:PrincipalArn`)
		}
	}
}

// idReference reports unique ids: AWS puts them in the place of the ARN of a
// principal that was deleted, and they match nobody.
func idReference(prefix, what string) func(*pass) {
	return func(p *pass) {
		for _, v := range p.principalValues() {
			if v.kind == "AWS" && isUniqueID(v.text) && strings.HasPrefix(v.text, prefix) {
				p.report(v.node, "%s is the id of a %s: people cannot tell whose", v.text, what).hint("write the %s's ARN; if there is none, the %s was deleted", what, what)
			}
		}
	}
}

func federatedPrincipal(p *pass) {
	for _, v := range p.principalValues() {
		if v.kind == "Federated" {
			p.report(v.node, "only trust policies know identity providers").hint("name the role that they assume")
		}
	}
}

func allowNotPrincipal(p *pass) {
	for _, s := range p.statements {
		if s.allows() && s.has(notPrincipal) {
			p.report(s.members[notPrincipal].key, "this allows everyone else in the world, anonymous requests too").hint("name in Principal who may")
		}
	}
}

// denyNotPrincipal: whoever has a permissions boundary is denied, listed or not,
// and roles are only met with their account and each session listed too.
func denyNotPrincipal(p *pass) {
	for _, s := range p.statements {
		if s.denies() && s.has(notPrincipal) {
			p.report(s.members[notPrincipal].key, "NotPrincipal denies everyone who has a permissions boundary, listed or not").
				hint(`write "Principal": "*" and {"ArnNotEquals": {"aws:PrincipalArn": …}}`)
		}
	}
}

// publicPrincipal reports statements that allow everyone something without any
// condition.
func publicPrincipal(p *pass) {
	for _, s := range p.statements {
		pr := s.principals[principals]
		if pr == nil || !s.allows() || len(s.conditions) > 0 {
			continue
		}
		at := pr.node
		public := pr.everyone && p.typ != Trust // there it is an error anyway
		for _, v := range s.of("AWS") {
			if v.text == "*" {
				public, at = true, v
			}
		}
		if public {
			p.report(at, "this lets in everyone in the world").hint("name accounts or roles, or add a condition such as aws:PrincipalOrgID")
		}
	}
}
