package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// breadth is how a statement of Allow comes to an action on any role: by which
// elements.
type breadth uint8

const (
	star             breadth = iota + 1 // Action names it, Resource has a wildcard
	starBoth                            // Action has a wildcard too
	starNotAction                       // NotAction does not except it
	excepted                            // Action names it, NotResource excepts some
	exceptedStar                        // Action has a wildcard
	exceptedByAction                    // NotAction does not except it
)

// passer is for the two actions that give a service a role.
type passer struct {
	action  string
	what    string            // that is too wide
	tight   string            // the condition key that narrows it
	resolve func(string) bool // whether a Resource is narrow enough
}

var (
	passRole = passer{action: "iam:PassRole", what: "any role can be passed to any service", tight: "iam:PassedToService", resolve: anyRole}
	makeSLR  = passer{action: "iam:CreateServiceLinkedRole", what: "service-linked roles of any service can be created", tight: "iam:AWSServiceName", resolve: anyServiceRole}
)

// identityOnly: Access Analyzer reads a boundary and an SCP as it does an identity
// policy. They grant nothing, and begin by allowing everything.
var identityOnly = []Type{Identity}

var passRoleChecks = []*check{
	{code: "PASS_ROLE_WITH_STAR_IN_RESOURCE", severity: SecurityWarning, types: identityOnly, run: passRole.check(star)},
	{code: "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", severity: SecurityWarning, types: identityOnly, run: passRole.check(starBoth)},
	{code: "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", severity: SecurityWarning, types: identityOnly, run: passRole.check(starNotAction)},
	{code: "PASS_ROLE_WITH_NOT_RESOURCE", severity: SecurityWarning, types: identityOnly, run: passRole.check(excepted)},
	{code: "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", severity: SecurityWarning, types: identityOnly, run: passRole.check(exceptedStar)},
	{code: "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE", severity: SecurityWarning, types: identityOnly, run: passRole.check(exceptedByAction)},
	{code: "CREATE_SLR_WITH_STAR_IN_RESOURCE", severity: Warning, types: identityOnly, run: makeSLR.check(star)},
	{code: "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE", severity: Warning, types: identityOnly, run: makeSLR.check(starBoth)},
	{code: "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", severity: Warning, types: identityOnly, run: makeSLR.check(starNotAction)},
	{code: "CREATE_SLR_WITH_NOT_RESOURCE", severity: Warning, types: identityOnly, run: makeSLR.check(excepted)},
	{code: "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", severity: Warning, types: identityOnly, run: makeSLR.check(exceptedStar)},
	{code: "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE", severity: Warning, types: identityOnly, run: makeSLR.check(exceptedByAction)},
}

// anyRole reports whether a Resource takes in roles of every name: a wildcard
// where the name, or its first words, should be.
func anyRole(resource string) bool {
	const some = "arn:aws:iam::123456789012:role/"
	return iam.Match(resource, some+"x") && iam.Match(resource, some+"Admin/y")
}

// anyServiceRole is anyRole for service-linked roles, whose path names the
// service.
func anyServiceRole(resource string) bool {
	const some = "arn:aws:iam::123456789012:role/aws-service-role/"
	return iam.Match(resource, some+"a.amazonaws.com/x") && iam.Match(resource, some+"b.amazonaws.com/y")
}

func (b passer) check(want breadth) func(*pass) {
	return func(p *pass) {
		for _, s := range p.statements {
			if !s.allows() || s.narrows(b.tight) {
				continue
			}
			if got, at := b.breadth(s); got == want {
				p.report(at, "%s", b.what).hint("name the roles in Resource, or add a condition on %s", b.tight)
			}
		}
	}
}

// narrows reports whether the statement compares the key with values of which
// one at least is not just a star.
func (s *statement) narrows(key string) bool {
	return slices.ContainsFunc(s.conditions, func(c *condition) bool {
		return c.is(key) && c.known && c.op.Name != "Null" && !c.anything()
	})
}

// breadth says how the statement comes to the action on any role, and at which
// place; 0 if it does not.
func (b passer) breadth(s *statement) (breadth, *node) {
	exact, at := b.named(s)
	if at == nil {
		return 0, nil
	}
	wide := s.lists[notResource] != nil
	for _, r := range s.values(resources) {
		wide = wide || b.resolve(iam.ReplaceVariables(r.text, "*")) && strings.Contains(r.text, "*")
	}
	base := star
	switch {
	case !wide:
		return 0, nil
	case s.lists[notResource] != nil:
		base = excepted
	}
	switch {
	case s.lists[notAction] != nil:
		return base + 2, at
	case !exact:
		return base + 1, at
	}
	return base, at
}

// named finds the action in the statement: by its very name, by a pattern, or by
// not being excepted.
func (b passer) named(s *statement) (exact bool, at *node) {
	for _, v := range s.values(actions) {
		if strings.EqualFold(v.text, b.action) {
			return true, v
		}
		if iam.MatchFold(v.text, b.action) {
			at = v
		}
	}
	if l := s.lists[notAction]; l != nil {
		for _, v := range l.values {
			if iam.MatchFold(v.text, b.action) {
				return false, nil
			}
		}
		at = l.node
	}
	return false, at
}
