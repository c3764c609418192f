package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

var elementChecks = []*check{
	{code: "MISSING_EFFECT", severity: Error, run: missingEffect},
	{code: "INVALID_EFFECT", severity: Error, run: invalidEffect},
	{code: "MISSING_ACTION", severity: Error, run: missingAction},
	{code: "MISSING_RESOURCE", severity: Error, types: []Type{Identity, Resource, SCP, RCP, Boundary}, run: missingResource},
	{code: "MISSING_PRINCIPAL", severity: Error, types: []Type{Resource, Trust, RCP}, run: missingPrincipal},
	{code: "UNSUPPORTED_PRINCIPAL", severity: Error, types: []Type{Identity, Boundary}, run: unsupportedPrincipal},
	{code: "UNSUPPORTED_ELEMENT_COMBINATION", severity: Error, run: elementCombination},
	{code: "EMPTY_ARRAY_ACTION", severity: Suggestion, run: emptyActions},
	{code: "EMPTY_ARRAY_RESOURCE", severity: Suggestion, run: emptyResources},
	{code: "EMPTY_ARRAY_PRINCIPAL", severity: Suggestion, run: emptyPrincipals},
	{code: "EMPTY_OBJECT_PRINCIPAL", severity: Suggestion, run: emptyPrincipalObject},
	{code: "EMPTY_OBJECT_CONDITION", severity: Suggestion, run: emptyConditionObject},
}

func missingEffect(p *pass) {
	for _, s := range p.statements {
		if !s.has(effect) {
			p.report(s.node, "the statement has no Effect").hint("it is %q or %q", iam.Allow, iam.Deny)
		}
	}
}

func invalidEffect(p *pass) {
	for _, s := range p.statements {
		if s.effect == nil || s.allows() || s.denies() {
			continue
		}
		f := p.report(s.effect, "there is no effect %q", s.effect.text).hint("it is %q or %q", iam.Allow, iam.Deny)
		for _, e := range []iam.Effect{iam.Allow, iam.Deny} {
			if strings.EqualFold(s.effect.text, string(e)) {
				f.hint("write %q: case counts", e).fix("write "+string(e), replace(s.effect, string(e)))
			}
		}
	}
}

func missingAction(p *pass) {
	for _, s := range p.statements {
		if !s.has(actions, notAction) {
			p.report(s.node, "the statement has neither Action nor NotAction")
		}
	}
}

// missingResource excepts ECR: the policy of a repository is about it alone.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
func missingResource(p *pass) {
	for _, s := range p.statements {
		if !s.has(resources, notResource) && !(p.typ == Resource && s.only("ecr", "ecr-public")) {
			p.report(s.node, "the statement has neither Resource nor NotResource")
		}
	}
}

// only reports whether all actions of the statement are of some services.
func (s *statement) only(services ...string) bool {
	values := s.values(actions)
	return len(values) > 0 && !slices.ContainsFunc(values, func(v *node) bool {
		return !slices.Contains(services, strings.ToLower(prefixOf(v.text)))
	})
}

func missingPrincipal(p *pass) {
	for _, s := range p.statements {
		if !s.has(principals, notPrincipal) {
			p.report(s.node, "the statement has no Principal: it is for nobody")
		}
	}
}

func unsupportedPrincipal(p *pass) {
	for _, s := range p.statements {
		for _, e := range []string{principals, notPrincipal} {
			if s.has(e) {
				p.report(s.members[e].key, "%s policies have no %s: they are for whom they are attached to", article(p.typ), e).
					hint("take it out; what names principals is a resource policy")
			}
		}
	}
}

// article is the type as the beginning of a sentence about policies of it.
func article(t Type) string {
	if t == Boundary {
		return "boundary"
	}
	return string(t)
}

func elementCombination(p *pass) {
	for _, s := range p.statements {
		for _, e := range []string{principals, actions, resources} {
			if s.has(e) && s.has("Not"+e) {
				p.report(s.members["Not"+e].key, "a statement cannot have both %s and Not%s", e, e)
			}
		}
	}
}

// emptyLists reports elements whose list is empty.
func (p *pass) emptyLists(format string, elements ...string) {
	for _, s := range p.statements {
		for _, e := range elements {
			if l := s.lists[e]; l != nil && l.node.kind == array && len(l.node.items) == 0 {
				p.report(l.node, format, e)
			}
		}
	}
}

func emptyActions(p *pass) {
	p.emptyLists("%s is an empty list: the statement is about nothing", actions, notAction)
}

func emptyResources(p *pass) {
	p.emptyLists("%s is an empty list: the statement is about nothing", resources, notResource)
}

func emptyPrincipals(p *pass) {
	for _, s := range p.statements {
		for e, pr := range s.principals {
			for _, m := range pr.node.members {
				if m.value.kind == array && len(m.value.items) == 0 {
					p.report(m.value, "%s %s is an empty list", e, m.key.text)
				}
			}
		}
	}
}

func emptyPrincipalObject(p *pass) {
	for _, s := range p.statements {
		for e, pr := range s.principals {
			if pr.node.kind == object && len(pr.node.members) == 0 {
				p.report(pr.node, "%s is empty: the statement is for nobody", e)
			}
		}
	}
}

func emptyConditionObject(p *pass) {
	for _, s := range p.statements {
		if s.condition == nil || s.condition.kind != object {
			continue
		}
		if len(s.condition.members) == 0 {
			p.report(s.condition, "Condition is empty: it holds for every request").fix("remove Condition", remove(s.condition))
		}
		for _, m := range s.condition.members {
			if m.value.kind == object && len(m.value.members) == 0 {
				f := p.report(m.value, "%s is empty: it holds for every request", m.key.text)
				if m.value.removable() {
					f.fix("remove "+m.key.text, remove(m.value))
				}
			}
		}
	}
}
