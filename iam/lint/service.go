package lint

import (
	"slices"
	"strings"
)

var serviceChecks = []*check{
	{code: "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", severity: SecurityWarning, types: []Type{Resource}, run: restrictService},
	{code: "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", severity: Suggestion, types: []Type{Resource}, run: recommendSource},
	{code: "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", severity: Error, types: []Type{Resource}, run: unsupportedServiceKey},
	{code: "IRRELEVANT_CONDITION_KEY_IN_POLICY", severity: Suggestion, types: []Type{Resource}, run: irrelevantKey},
}

// sources are the keys that tell for whom a service acts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
var sources = []string{"aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner"}

const sourceHint = "add aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths"

// lesser are keys that hold services back a little, and can be spoofed or are
// of the network.
var lesser = []string{"aws:Referer", "aws:SourceIp", "aws:UserAgent", "aws:SourceVpc", "aws:SourceVpce"}

// openService gives the service principals that the statement allows something
// without asking for whom they act.
func openService(s *statement) []*node {
	if !s.allows() || s.uses(sources...) {
		return nil
	}
	return s.of("Service")
}

func restrictService(p *pass) {
	for _, s := range p.statements {
		for _, v := range openService(s) {
			if !s.uses(lesser...) {
				p.report(v, "%s may do this for anyone who asks it to", v.text).hint(sourceHint)
			}
		}
	}
}

func recommendSource(p *pass) {
	for _, s := range p.statements {
		if len(openService(s)) == 0 {
			continue
		}
		for _, c := range s.conditions {
			if c.is(lesser...) {
				p.report(c.key, "%s does not tell for whom the service acts", c.key.text).hint(sourceHint)
			}
		}
	}
}

// unsupportedServiceKey reports conditions about an IAM principal in statements
// for services, which are none.
func unsupportedServiceKey(p *pass) {
	for _, s := range p.statements {
		pr := s.principals[principals]
		services := s.of("Service")
		if pr == nil || len(services) == 0 || len(services) != len(pr.values) {
			continue
		}
		for _, c := range s.conditions {
			if aboutPrincipal(c.key.text) && !c.missingHolds() {
				p.report(c.key, "requests of %s carry no %s", services[0].text, c.key.text).hint("services are told apart by aws:SourceArn and aws:SourceAccount")
			}
		}
	}
}

// aboutPrincipal reports whether a key says something about an IAM principal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
func aboutPrincipal(key string) bool {
	key = strings.ToLower(key)
	return slices.Contains([]string{
		"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltype", "aws:userid", "aws:username",
		"aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime", "aws:sourceidentity", "aws:federatedprovider",
	}, key) || strings.HasPrefix(key, "aws:principaltag/")
}

// irrelevantKey: the resource is the one that the policy is attached to.
func irrelevantKey(p *pass) {
	for _, c := range p.conditions() {
		if c.is("s3:ResourceAccount", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths") {
			p.report(c.key, "%s is always the same in the policy of one resource", c.key.text).hint("it is for identity policies and endpoint policies")
		}
	}
}
