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
			a := p.arn(v.text)
			if !a.wellFormed() || iam.HasWildcard(a.parts[partService]) || slices.ContainsFunc(services, func(svc *action.Service) bool { return a.of(svc) }) {
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
		arns := p.resourceARNs(s)
		if len(arns) == 0 {
			continue
		}
		for _, v := range s.values(actions) {
			if strings.Contains(v.text, "${") || iam.HasWildcard(prefixOf(v.text)) {
				continue
			}
			names := p.expand(v.text)
			if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return p.meets(n, arns) }) {
				f := p.report(v, "%s matches none of the statement's resources%s", v.text, asOf())
				if a, ok := action.Lookup(names[0]); ok && len(names) == 1 {
					f.hint("%s", wants(a))
				}
			}
		}
	}
}

// resourceARNs lists the statement's resources; none if one takes in everything
// or is no ARN, which is said elsewhere.
func (p *pass) resourceARNs(s *statement) []arn {
	var arns []arn
	for _, v := range s.values(resources) {
		a := p.arn(v.text)
		if len(a.parts) < partCount || !a.wellFormed() {
			return nil
		}
		arns = append(arns, a)
	}
	return arns
}

// meets reports whether one of the ARNs can be a resource of the action.
func (p *pass) meets(name string, arns []arn) bool {
	a, ok := action.Lookup(name)
	if !ok {
		return true
	}
	for _, t := range a.ResourceTypes() {
		for _, s := range p.shapesOfType(t) {
			for _, one := range arns {
				if partFits(one.parts[partService], s.parts[partService]) && one.fits(s, -1) {
					return true
				}
			}
		}
	}
	return false
}

// wants says what resources an action is for.
func wants(a *action.Action) string {
	if a.WildcardOnly {
		return `it has no resources: its Resource is "*"`
	}
	return "its resources are such as " + shortest(a.ResourceTypes(), 1)
}
