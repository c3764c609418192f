package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var resourceChecks = []*check{
	{code: "UNSUPPORTED_RESOURCE_ARN_IN_POLICY", severity: Error, types: []Type{Resource}, run: foreignResource},
	{code: "ACTION_WITHOUT_MATCHING_RESOURCE", severity: Warning, types: []Type{Identity, Boundary, SCP, RCP}, run: actionWithoutResource, page: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"},
	{code: "REDUNDANT_RESOURCE", severity: Suggestion, run: redundantResource},
}

// foreignResource reports ARNs of another service than the statement's actions:
// a policy is attached to one resource.
func foreignResource(p *pass) {
	for _, s := range p.statements {
		services := servicesOf(s)
		if len(services) == 0 {
			continue
		}
		for _, v := range s.values(resources) {
			a := parseARN(v.text)
			if !a.wellFormed() || wild(a.parts[partService]) || slices.ContainsFunc(services, func(svc *action.Service) bool { return a.of(svc) }) {
				continue
			}
			p.report(v, "%q is of another service than the actions", v.text).hint("a policy is about the resource that it is attached to")
		}
	}
}

// servicesOf lists the services of the statement's actions; none if they can be
// any.
func servicesOf(s *statement) []*action.Service {
	var found []*action.Service
	for _, v := range s.values(actions) {
		svc, ok := action.ServiceByPrefix(prefixOf(v.text))
		if !ok {
			return nil
		}
		found = append(found, svc)
	}
	return found
}

// of reports whether ARNs of the service can begin as this one does.
func (a arn) of(s *action.Service) bool {
	if a.parts[partService] == s.Prefix {
		return true
	}
	for i := range s.ResourceTypes {
		for _, template := range s.ResourceTypes[i].ARNs {
			if parts := strings.SplitN(template, ":", 4); len(parts) == 4 && parts[partService] == a.parts[partService] {
				return true
			}
		}
	}
	return false
}

// actionWithoutResource reports actions of an Allow that match none of its
// resources, so that they are never allowed. Such an action of a Deny denies
// nothing, which may be as dangerous; of wildcards, all their actions must be
// without a match.
func actionWithoutResource(p *pass) {
	for _, s := range p.statements {
		patterns := resourcePatterns(s)
		if len(patterns) == 0 {
			continue
		}
		for _, v := range s.values(actions) {
			if strings.Contains(v.text, "${") || wild(prefixOf(v.text)) {
				continue
			}
			names := p.expand(v.text)
			if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return meets(n, patterns) }) {
				f := p.report(v, "%s matches none of the statement's resources%s", v.text, asOf())
				if a, ok := action.Lookup(names[0]); ok && len(names) == 1 {
					f.hint("%s", wants(a))
				}
			}
		}
	}
}

// resourcePatterns lists the statement's resources with stars for variables;
// none if one takes in everything.
func resourcePatterns(s *statement) []string {
	var patterns []string
	for _, v := range s.values(resources) {
		pattern := starVariables(v.text)
		if strings.Trim(pattern, "*") == "" {
			return nil
		}
		patterns = append(patterns, pattern)
	}
	return patterns
}

// meets reports whether one of the patterns can be a resource of the action.
func meets(name string, patterns []string) bool {
	a, ok := action.Lookup(name)
	if !ok {
		return true
	}
	for _, t := range a.ResourceTypes() {
		for _, pattern := range patterns {
			if couldBe(t, pattern) {
				return true
			}
		}
	}
	return false
}

// couldBe is t.Overlaps, but compares the parts of complete ARNs one by one: no
// star of one part stands for the colons of others.
func couldBe(t *action.ResourceType, pattern string) bool {
	a := arn{parts: strings.SplitN(pattern, ":", partCount)}
	if !t.Overlaps(pattern) || len(a.parts) < partCount {
		return t.Overlaps(pattern)
	}
	return slices.ContainsFunc(t.ARNs, func(template string) bool {
		parts := strings.SplitN(fillTemplate(template), ":", partCount)
		if strings.HasSuffix(template, ":::${BucketName}") && strings.Contains(a.parts[partResource], "/") {
			return false // names of buckets have no slash
		}
		return len(parts) < partCount || iam.Overlaps(a.parts[partService], parts[partService]) && a.fits(parts, -1)
	})
}

// wants says what resources an action is for.
func wants(a *action.Action) string {
	if a.WildcardOnly {
		return `it has no resources: its Resource is "*"`
	}
	types := a.ResourceTypes()
	if len(types) == 0 || len(types[0].ARNs) == 0 {
		return ""
	}
	return "its resources are such as " + types[0].ARNs[0]
}
