package lint

import (
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

var actionChecks = []*check{
	{code: "INVALID_ACTION", severity: Error, run: invalidAction},
	{code: "INVALID_SERVICE_IN_ACTION", severity: Error, run: invalidServiceInAction},
	{code: "UNSUPPORTED_ACTION_IN_POLICY", severity: Error, types: []Type{Trust}, run: unsupportedAction},
	{code: "WILDCARD_IN_SERVICE_NAME", severity: Suggestion, run: wildcardInService},
	{code: "REDUNDANT_ACTION", severity: Suggestion, run: redundantAction},
}

// invalidAction reports what no service has. Whether the service exists is for
// invalidServiceInAction.
func invalidAction(p *pass) {
	for _, v := range p.values(actions, notAction) {
		prefix, name, ok := strings.Cut(v.text, ":")
		switch {
		case v.text == "*" || strings.Contains(v.text, "${"):
		case !ok || prefix == "" || name == "":
			p.report(v, "%q is no action: it has the form service:action", v.text)
		case strings.ContainsAny(v.text, ", \t"):
			p.report(v, "%q is no action", v.text).hint("actions of a list are separate strings, without white space")
		default:
			p.unknownAction(v, prefix, name)
		}
	}
}

func (p *pass) unknownAction(v *node, prefix, name string) {
	s, ok := action.ServiceByPrefix(prefix)
	if !ok || hasAction(s, name) {
		return
	}
	if iam.HasWildcard(name) {
		p.report(v, "no action of %s matches %q%s", s.Prefix, v.text, asOf())
		return
	}
	names := make([]string, len(s.Actions))
	for i := range s.Actions {
		names[i] = s.Actions[i].Name
	}
	p.report(v, "%s has no action %q%s", s.Prefix, name, asOf()).didYouMean(v, s.Prefix+":", name, names)
}

// hasAction reports whether a service has an action that a pattern matches.
func hasAction(s *action.Service, pattern string) bool {
	if !iam.HasWildcard(pattern) {
		_, ok := s.Action(pattern)
		return ok
	}
	for i := range s.Actions {
		if iam.MatchFold(pattern, s.Actions[i].Name) {
			return true
		}
	}
	return false
}

func invalidServiceInAction(p *pass) {
	services := action.Services()
	for _, v := range p.values(actions, notAction) {
		prefix, name, ok := strings.Cut(v.text, ":")
		if !ok || prefix == "" || strings.Contains(v.text, "${") || knownService(prefix) {
			continue
		}
		f := p.report(v, "AWS has no service %q%s", prefix, asOf())
		if near := nearest(prefix, services); near != "" {
			f.hint("did you mean %q?", near+":"+name).offer("write "+near, replace(v, near+":"+name))
		}
	}
}

// knownService reports whether a prefix, which may have wildcards, is that of a
// service.
func knownService(prefix string) bool {
	if !iam.HasWildcard(prefix) {
		_, ok := action.ServiceByPrefix(prefix)
		return ok
	}
	for _, s := range action.Services() {
		if iam.MatchFold(prefix, s) {
			return true
		}
	}
	return false
}

// roleActions are what a trust policy can allow: to assume the role, and what
// is said on the way.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
var roleActions = []string{
	"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession",
}

func unsupportedAction(p *pass) {
	for _, v := range p.values(actions, notAction) {
		ok := false
		for _, a := range roleActions {
			ok = ok || iam.MatchFold(v.text, a)
		}
		if !ok {
			p.report(v, "%q does nothing in a trust policy", v.text).hint("it is about %s", strings.Join(roleActions, ", "))
		}
	}
}

func wildcardInService(p *pass) {
	for _, v := range p.values(actions, notAction) {
		if prefix, _, ok := strings.Cut(v.text, ":"); ok && iam.HasWildcard(prefix) {
			p.report(v, "%q names services by a wildcard: it takes in what AWS adds later", v.text)
		}
	}
	for _, v := range p.values(resources, notResource) {
		if parts := strings.SplitN(v.text, ":", 4); len(parts) > 3 && iam.HasWildcard(parts[2]) && !strings.Contains(parts[2], "${") {
			p.report(v, "%q names services by a wildcard: it takes in what AWS adds later", v.text)
		}
	}
}
