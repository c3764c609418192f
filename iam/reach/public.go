package reach

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Exposure is a statement by which everyone gets in.
type Exposure struct {
	Into string // the role, for a trust policy
	// Tokens is set if everyone who has a token of this issuer gets in, which
	// is whoever wants one.
	Tokens string
	Via    Finding
}

// Public lists the trust policies of the World that let everyone in.
func (w *World) Public() []Exposure {
	var out []Exposure
	for i := range w.members {
		m := &w.members[i]
		if m.Who.Kind != eval.Role || m.Trust == nil {
			continue
		}
		for _, e := range Public(Policy{Name: "trust policy of " + m.Who.ARN, Document: m.Trust}, w.facts) {
			e.Into = m.Who.ARN
			out = append(out, e)
		}
	}
	return out
}

// Public lists the statements of a resource's policy that let everyone in, or
// everyone with a token of an issuer who gives one to anybody. A condition that
// pins who asks, or from where, keeps a statement from being public, and so does
// a denial for all whom it does not pin.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func Public(policy Policy, facts Facts) []Exposure {
	var out []Exposure
	for _, party := range parties(policy.Document) {
		issuer, shared := sharedIssuer(party)
		if party != Everyone && !shared {
			continue
		}
		doc, places := granted(policy.Document, party, false)
		p := Principal{Identity: []Policy{{policy.Name, doc}}}
		for f := range p.Findings(Question{Action: "*", Resource: "*", Facts: facts}) {
			if slices.ContainsFunc(f.Open, func(c iam.Condition) bool { return pins(c, issuer) }) || closed(policy.Document, &f, party, issuer) {
				continue
			}
			f.Index = places[f.Index]
			out = append(out, Exposure{Tokens: issuer, Via: f})
		}
	}
	return out
}

// closed reports whether denials leave nothing of a statement to everyone: each
// denies all but those whom it names, or whom its conditions pin.
func closed(doc *iam.Document, f *Finding, party, issuer string) bool {
	denied := func(action, resource string) bool {
		return slices.ContainsFunc(doc.Statements, func(s iam.Statement) bool {
			return s.Effect == iam.Deny && meansAllBut(&s, party, issuer) && covers(alone(s), action, resource)
		})
	}
	for _, a := range f.Actions {
		for _, r := range f.Resources {
			if !denied(a, r) {
				return false
			}
		}
	}
	return true
}

// meansAllBut reports whether a denial means all of a party but few.
func meansAllBut(s *iam.Statement, party, issuer string) bool {
	switch {
	case s.NotPrincipal != nil:
		if issuer != "" || slices.Contains(partiesOf(s.NotPrincipal), Everyone) {
			return false
		}
	case s.Principal == nil || !includes(partiesOf(s.Principal), party):
		return false
	}
	return !slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool { return !unpins(c, issuer) })
}

// unpins reports whether a condition fails for few alone: it is a pinning one,
// turned round.
func unpins(c iam.Condition, issuer string) bool {
	op, ok := iam.ParseOperator(c.Operator)
	if !ok || op.Set != "" {
		return false
	}
	positive := strings.Replace(op.Name, "Not", "", 1)
	return positive != op.Name && pins(iam.Condition{Operator: positive, Key: c.Key, Values: c.Values}, issuer)
}

// sharedIssuers give tokens to whoever has an account with them, as anybody can.
var sharedIssuers = []string{
	"accounts.google.com", "agent.buildkite.com", "app.terraform.io", "cognito-identity.amazonaws.com", "gitlab.com",
	"graph.facebook.com", "token.actions.githubusercontent.com", "www.amazon.com",
}

// sharedIssuer is the issuer of a provider's tokens, if it is shared.
func sharedIssuer(provider string) (issuer string, shared bool) {
	_, issuer, arn := strings.Cut(provider, ":oidc-provider/")
	if !arn {
		issuer = provider
	}
	if !slices.Contains(sharedIssuers, issuer) {
		return "", false
	}
	return issuer, true
}

// pinning are the condition keys that say who asks or from where.
var pinning = []string{
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceAccount", "aws:SourceArn",
	"aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpce", "aws:userid",
	"aws:VpcSourceIp", "kms:CallerAccount", "s3:DataAccessPointAccount", "s3:DataAccessPointArn",
}

// naming are the claims of tokens that say whose they are. The audience does not:
// whoever asks for a token chooses it, but at Google and Cognito, where it is
// the application's id.
var naming = []string{
	"app_id", "email", "enterprise", "enterprise_id", "id", "job_workflow_ref", "namespace_id", "namespace_path", "oaud", "organization_id",
	"organization_slug", "pipeline_id", "project_id", "project_path", "repository", "repository_id", "repository_owner",
	"repository_owner_id", "sub", "terraform_organization_id", "terraform_workspace_id", "user_id",
}

// pins reports whether a condition holds for few: it compares a key that says
// who asks with values, none of which stands for all.
func pins(c iam.Condition, issuer string) bool {
	op, ok := iam.ParseOperator(c.Operator)
	if !ok || op.IfExists || op.Set == iam.ForAllValues || strings.HasPrefix(op.Name, "Not") || strings.Contains(op.Name, "NotEquals") ||
		strings.Contains(op.Name, "NotLike") || op.Name == "Null" {
		return false
	}
	keys, key := pinning, c.Key
	if issuer != "" {
		keys = naming
		claim, of := strings.CutPrefix(strings.ToLower(c.Key), issuer+":")
		if !of {
			return false
		}
		if key = claim; claim == "aud" {
			return issuer == "accounts.google.com" || issuer == "cognito-identity.amazonaws.com"
		}
	}
	return slices.ContainsFunc(keys, func(pin string) bool { return strings.EqualFold(pin, key) }) &&
		!slices.ContainsFunc(c.Values, func(v string) bool { return standsForMany(op.Name, key, v, issuer != "") })
}

// standsForMany tells values that name nobody in particular: ARNs whose account
// is open, ranges of more addresses than the largest network has, ids of which a
// part is open, and, in tokens, texts with nothing before their first wildcard, or
// no more than the kind of name, as in "repo:*".
func standsForMany(operator, key, value string, token bool) bool {
	if operator == "IpAddress" {
		network, err := netip.ParsePrefix(value)
		return err == nil && network.Bits() < widestNetwork
	}
	if operator == "StringEquals" || operator == "StringEqualsIgnoreCase" || !iam.HasWildcard(value) {
		return hasVariables(value)
	}
	if strings.HasPrefix(value, "arn:") {
		arn, err := iam.ParseARN(value)
		return err != nil || !iam.IsAccountID(arn.Account)
	}
	fixed := value[:strings.IndexAny(value, "*?")]
	if !token {
		end, ok := ends[strings.ToLower(key)]
		return !ok || !strings.Contains(fixed, end)
	}
	_, name, kind := strings.Cut(fixed, ":")
	return fixed == "" || kind && name == ""
}

// ends are the keys whose values may go on with anything after the id of a role
// or an organisation, and what that ends with.
var ends = map[string]string{"aws:userid": ":", "aws:principalorgpaths": "/", "aws:sourceorgpaths": "/"}

// widestNetwork is the length of the prefix of the largest networks that anybody has.
const widestNetwork = 8
