package trust

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// OIDC is a token of any other issuer: one subject, compared exactly. Of the
// claims beside it AWS can ask only for issuers that it knows.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
type OIDC struct {
	Issuer   string // URL
	Audience string
	Subject  string
	Claims   map[string]string // further claims, compared exactly
}

// Kind is "oidc".
func (OIDC) Kind() string { return "oidc" }

// Describe names the issuer and the subject.
func (o OIDC) Describe() string {
	return "OIDC " + withoutScheme(o.Issuer) + ", subject " + o.Subject
}

func (o OIDC) statement(s Scope) iam.Statement { return o.Tokens(s).statement(s) }

// Caller is who has the token.
func (o OIDC) Caller(s Scope) Caller { return o.Tokens(s).Sample.caller(s) }

// Tokens asks for the subject and the claims.
func (o OIDC) Tokens(s Scope) Tokens {
	var pins []Claim
	for _, name := range slices.Sorted(maps.Keys(o.Claims)) {
		pins = append(pins, Claim{name, o.Claims[name]})
	}
	return o.plain().tokens(s, pins...)
}

func (o OIDC) plain() plainToken {
	p := plainToken{issuer: withoutScheme(o.Issuer), audience: o.Audience, subject: o.Subject, more: Claims{}}
	for name, value := range o.Claims {
		p.more[name] = value
	}
	return p
}

// Attackers are other subjects of the issuer, and other issuers.
func (o OIDC) Attackers(s Scope) []Attack {
	subject := func(sub string) func(*plainToken) { return func(p *plainToken) { p.subject = sub } }
	changes := []change[plainToken]{
		{"another issuer", "anyone can run one that says the same; nobody should add it as provider", func(p *plainToken) { p.issuer = another(p.issuer, "issuer.example.net", "issuer.example.org") }},
		{"another subject", "every user of the issuer; a trust in aud alone lets it in", subject(other("mallory", o.Subject))},
		{"a subject that begins alike", "whoever may choose a name there; a * at the end lets it in", subject(evil(o.Subject))},
		{"a subject that ends alike", "whoever may choose a name there; a * at the beginning lets it in", subject("mallory-" + o.Subject)},
	}
	for _, name := range slices.Sorted(maps.Keys(o.Claims)) {
		changes = append(changes, change[plainToken]{"another " + name, "whoever has the subject otherwise; a trust in sub alone lets it in", func(p *plainToken) {
			p.more = p.more.with(map[string]string{name: evil(o.Claims[name])})
		}})
	}
	return o.Tokens(s).attacks(s, evil(o.Audience), forge(o.plain(), changes...))
}

// kindsOf are the issuers that have a kind of their own; those with a "/" at
// the end stand for all below.
var kindsOf = []struct{ issuer, kind string }{
	{GitHubIssuer, "github"},
	{GitHubIssuer + "/", "github"},
	{GitLabHost, "gitlab"},
	{"oidc.circleci.com/", "circleci"},
	{"api.bitbucket.org/", "bitbucket"},
	{BuildkiteIssuer, "buildkite"},
	{"vstoken.dev.azure.com/", "azure_devops"},
	{"app.terraform.io", "hcp_terraform"},
	{PulumiIssuer, "pulumi_cloud"},
}

// checkKnown refuses the issuers whose tokens AWS reads in a way of their own.
// It has some built in: "you don't need to create a separate IAM identity
// provider" for them. Of Google's tokens it compares azp with the key aud, and
// aud with the key oaud.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func (o OIDC) checkKnown() []Problem {
	issuer := withoutScheme(o.Issuer)
	for _, known := range kindsOf {
		if issuer == known.issuer || strings.HasPrefix(issuer, known.issuer) && strings.HasSuffix(known.issuer, "/") {
			return []Problem{{Field: "issuer", Msg: fmt.Sprintf("%q has a kind of its own, which knows what its subjects mean", o.Issuer), Hint: "declare " + known.kind}}
		}
	}
	if who, err := eval.ParsePrincipal(issuer); err != nil || who.Kind != eval.WebIdentity {
		return nil
	}
	hint := "no identity of a stack can stand for it: trust policies name it without provider, and it has condition keys of its own"
	if issuer == "accounts.google.com" {
		hint = "no identity of a stack can stand for it: of its tokens AWS compares azp with the key aud, and aud with the key oaud"
	}
	return []Problem{{Field: "issuer", Msg: fmt.Sprintf("%q is built into AWS, which reads its tokens in a way of their own", o.Issuer), Hint: hint}}
}

// Check refuses a wildcard in the subject, claims that AWS would not see, and
// issuers whose kind knows more.
func (o OIDC) Check() []Problem {
	problems := append(checkIssuer(o.Issuer, "https://issuer.example.com"), o.checkKnown()...)
	problems = append(problems, checkParts(
		subjectPart{"audience", o.Audience, " ", "write the aud of the tokens, such as sts.amazonaws.com"},
		subjectPart{"subject", o.Subject, "", "write the whole sub of the tokens: every user of the issuer would be trusted"},
	)...)
	for _, name := range slices.Sorted(maps.Keys(o.Claims)) {
		if name == "aud" || name == "sub" || name == "iss" {
			problems = append(problems, Problem{Field: "claims", Msg: name + " has a key of its own", Hint: "write audience, subject or issuer"})
		} else if !Offered(withoutScheme(o.Issuer), name) {
			problems = append(problems, Problem{Field: "claims", Msg: fmt.Sprintf("AWS makes no condition key of %s for %s: the condition would never hold", name, withoutScheme(o.Issuer)), Hint: "remove it, or have the issuer put it into sub"})
		} else {
			problems = append(problems, checkParts(subjectPart{"claims", o.Claims[name], "", "write the value of " + name})...)
		}
	}
	return problems
}
