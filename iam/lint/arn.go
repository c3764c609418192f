package lint

import (
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var arnChecks = []*check{
	{code: "INVALID_ARN_PREFIX", severity: Error, run: arnCheck(badPrefix)},
	{code: "MISSING_ARN_FIELD", severity: Error, run: arnCheck(missingField)},
	{code: "INVALID_PARTITION", severity: Error, run: arnCheck(badPartition)},
	{code: "INVALID_ARN_SERVICE_CASE", severity: Error, run: arnCheck(serviceCase)},
	{code: "INVALID_SERVICE", severity: Error, run: invalidService},
	{code: "INVALID_ARN_REGION", severity: Error, run: arnCheck(badRegion)},
	{code: "INVALID_ARN_ACCOUNT", severity: Error, run: arnCheck(badAccount)},
	{code: "MISSING_ARN_REGION", severity: Error, run: arnCheck(missingRegion)},
	{code: "MISSING_ARN_ACCOUNT", severity: Error, run: arnCheck(missingAccount)},
	{code: "ARN_REGION_NOT_ALLOWED", severity: Error, run: arnCheck(regionNotAllowed)},
	{code: "ARN_ACCOUNT_NOT_ALLOWED", severity: Error, run: arnCheck(accountNotAllowed)},
	{code: "INVALID_ARN_RESOURCE", severity: Error, run: arnCheck(badResource)},
}

// Parts of an ARN.
const (
	partPrefix = iota
	partPartition
	partService
	partRegion
	partAccount
	partResource
	partCount
)

// arn is the ARN of a Resource, cut at its first five colons, with variables
// replaced by stars.
type arn struct {
	parts  []string // up to six; each may have wildcards
	shapes []shape  // that ARNs of the service have
	misfit int      // see misfitOf; partCount if there is none
}

// arnCheck looks at each ARN with one function. An ARN has one mistake at most:
// each check comes after the ones that must pass for it to make sense.
func arnCheck(look func(*pass, *node, arn)) func(*pass) {
	return func(p *pass) {
		for _, v := range p.values(resources, notResource) {
			if v.text != "*" {
				look(p, v, p.arn(v.text))
			}
		}
	}
}

// arn reads an ARN, once for each text.
func (p *pass) arn(s string) arn {
	a, ok := p.arns[s]
	if ok {
		return a
	}
	a = arn{parts: strings.SplitN(iam.ReplaceVariables(s, "*"), ":", partCount), misfit: partCount}
	if a.wellFormed() {
		a.shapes = p.shapesOf(a.parts[partService])
		if slices.Contains(ownedByAWS, a.parts[partService]) && a.parts[partAccount] == "" {
			a.parts[partAccount] = "*"
		}
		if a.misfit = a.misfitOf(); a.misfit == partResource && len(action.ResourceTypesFor(strings.Join(a.parts, ":"))) > 0 {
			a.misfit = partCount // another service documents it: sts has arn:aws:iam::…:root
		}
	}
	p.arns[s] = a
	return a
}

// ownedByAWS are the services with resources of AWS's own, whose ARNs have no
// account though those of their kind do: documents such as AWS-RunShellScript,
// parameters under /aws/service, managed views.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/security_iam_service-with-iam.html
var ownedByAWS = []string{"resource-explorer-2", "ssm"}

// wellFormed reports whether the ARN has all its parts, of which the first
// three are right.
func (a arn) wellFormed() bool {
	return !a.noPrefix() && !a.incomplete() && len(a.parts) == partCount && a.knownPartition() && knownARNService(a.parts[partService])
}

func (a arn) noPrefix() bool { return a.parts[partPrefix] != "arn" }

func badPrefix(p *pass, v *node, a arn) {
	if a.noPrefix() {
		p.report(v, "%q is no ARN: it must begin with \"arn:\", or be \"*\"", v.text)
	}
}

// incomplete reports whether parts are missing. A star at the end stands for
// those that follow, as in "arn:aws:sns:*".
func (a arn) incomplete() bool {
	if len(a.parts) < partCount {
		return len(a.parts) < partService+1 || !strings.HasSuffix(a.parts[len(a.parts)-1], "*")
	}
	return a.parts[partPartition] == "" || a.parts[partService] == "" || a.parts[partResource] == ""
}

func missingField(p *pass, v *node, a arn) {
	if !a.noPrefix() && a.incomplete() {
		p.report(v, "%q has not all parts of an ARN", v.text).hint("it is arn:partition:service:region:account:resource")
	}
}

// partitions of AWS.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

func (a arn) knownPartition() bool {
	for _, p := range partitions {
		if iam.Match(a.parts[partPartition], p) {
			return true
		}
	}
	return false
}

func badPartition(p *pass, v *node, a arn) {
	if !a.noPrefix() && !a.incomplete() && !a.knownPartition() {
		p.report(v, "AWS has no partition %q", a.parts[partPartition]).hint("it has %s", strings.Join(partitions, ", "))
	}
}

// arnServices are the services that ARNs name, in the reference.
var arnServices = sync.OnceValue(func() map[string]bool {
	named := map[string]bool{}
	for _, prefix := range action.Services() {
		named[prefix] = true
		s, _ := action.ServiceByPrefix(prefix)
		for i := range s.ResourceTypes {
			for _, template := range s.ResourceTypes[i].ARNs {
				named[strings.SplitN(template, ":", 4)[partService]] = true
			}
		}
	}
	return named
})

// knownARNService reports whether AWS has a service of that name. It decodes
// the whole reference only for those whose ARNs name another than its actions.
func knownARNService(name string) bool {
	if iam.HasWildcard(name) {
		return true
	}
	if _, ok := action.ServiceByPrefix(name); ok {
		return name == strings.ToLower(name)
	}
	return arnServices()[name]
}

func serviceCase(p *pass, v *node, a arn) {
	if a.noPrefix() || a.incomplete() {
		return
	}
	service := a.parts[partService]
	if lower := strings.ToLower(service); lower != service && knownARNService(lower) {
		fixed := strings.Replace(v.text, ":"+service, ":"+lower, 1)
		p.report(v, "ARNs name services in lower case: %q, not %q", lower, service).offer("write "+fixed, replace(v, fixed))
	}
}

// invalidService reports services that do not exist, in ARNs and in the names of
// condition keys.
func invalidService(p *pass) {
	arnCheck(unknownARNService)(p)
	for _, c := range p.conditions() {
		prefix, _, ok := strings.Cut(c.key.text, ":")
		if !ok || prefix == "" || strings.EqualFold(prefix, "aws") || c.variable() {
			continue
		}
		if _, known := c.keyType(); !known && !knownService(prefix) {
			p.report(c.key, "there is no service %q with condition keys%s", prefix, asOf())
		}
	}
}

func unknownARNService(p *pass, v *node, a arn) {
	if a.noPrefix() || a.incomplete() || !a.knownPartition() {
		return
	}
	service := a.parts[partService]
	if !knownARNService(service) && !knownARNService(strings.ToLower(service)) {
		p.report(v, "AWS has no service %q%s", service, asOf())
	}
}

// areas and directions make the names of regions. AWS adds some each year, so
// that a list would be out of date and the rule is not.
var (
	areas = []string{
		"af", "ap", "ca", "cn", "eu", "eu-isoe", "eusc-de", "il", "me", "mx", "sa", "us", "us-gov", "us-iso", "us-isob", "us-isof",
	}
	directions = []string{"central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"}
)

// isRegion reports whether s, which may have wildcards, can be a region.
func isRegion(s string) bool {
	if iam.HasWildcard(s) {
		return true
	}
	number := strings.LastIndexByte(s, '-')
	if number < 0 || len(s) != number+2 || s[number+1] < '1' || s[number+1] > '9' {
		return false
	}
	for _, area := range areas {
		for _, d := range directions {
			if s[:number] == area+"-"+d {
				return true
			}
		}
	}
	return false
}

func badRegion(p *pass, v *node, a arn) {
	if a.misfit != partCount && a.misfit != partRegion || len(a.parts) < partCount {
		return
	}
	if region := a.parts[partRegion]; region != "" && a.regional() && !isRegion(region) {
		p.report(v, "AWS has no region %q", region)
	}
}

// badAccount looks at ARNs of any service: who owns nothing has no account.
func badAccount(p *pass, v *node, a arn) {
	if !a.wellFormed() {
		return
	}
	account := a.parts[partAccount]
	if account == "" || iam.HasWildcard(account) || iam.IsAccountID(account) || account == "aws" || account == "aws-managed" {
		return
	}
	for _, s := range a.shapes {
		if s.parts[partAccount] == account {
			return // a name that all of the type have: "cloudfront"
		}
	}
	p.report(v, "%q is no account: it has 12 digits", account)
}
