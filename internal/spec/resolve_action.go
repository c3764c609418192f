package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/suggest"
)

var (
	// actionPattern is one action, or a pattern of actions of one service: the
	// most that AWS takes in a policy.
	actionPattern = lazily(`^[a-z0-9-]+:[A-Za-z0-9*?]+$`)
	// railPattern may leave the service open too.
	railPattern = lazily(`^[a-z0-9*?-]+:[A-Za-z0-9*?]+$`)
)

// checkAction reports what is no action or pattern of actions of one service,
// and what AWS does not have: a misspelt action grants nothing, and a guard
// rail against it always holds.
func (r *resolver) checkAction(a item[string]) { r.actionOf(a, actionPattern, "") }

// actionOf is checkAction for one form of pattern. newer is what a hint says
// about an action that may be newer than the reference.
func (r *resolver) actionOf(a item[string], form func() *regexp.Regexp, newer string) {
	if !r.checkActionForm(a, form) {
		return
	}
	if what, candidates := unknownAction(a.V); what != "" {
		r.addUnknown(a, what, candidates, newer)
	}
}

func (r *resolver) checkActionForm(a item[string], form func() *regexp.Regexp) bool {
	service, name, colon := strings.Cut(a.V, ":")
	lower := strings.ToLower(service) + ":" + name
	switch {
	case isEveryAction(a.V):
		r.add(a.Pos, fmt.Sprintf("%q is every action of AWS", a.V), "name the actions, such as s3:GetObject")
	case form().MatchString(a.V):
		return true
	case !colon:
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), "write SERVICE:ACTION, such as s3:GetObject")
	case form().MatchString(lower):
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), fmt.Sprintf("the service is written in lower case: %q", lower))
	case railPattern().MatchString(a.V):
		r.add(a.Pos, fmt.Sprintf("%q has a wildcard in the service, which AWS does not take in a policy", a.V), "name the service, such as s3:Get*; patterns of services can stand under never")
	default:
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), "write SERVICE:ACTION, such as s3:GetObject or s3:Get*")
	}
	return false
}

// isEveryAction reports whether a pattern leaves both parts open: "*", "*:?*".
func isEveryAction(pattern string) bool {
	service, name, _ := strings.Cut(pattern, ":")
	return strings.Trim(service, "*?") == "" && strings.Trim(name, "*?") == "" && strings.ContainsAny(pattern, "*?")
}

// unknownAction says what of an action or a pattern AWS does not have, and what
// it may have been meant to be; "" if AWS has it.
func unknownAction(pattern string) (what string, candidates []string) {
	prefix, name, _ := strings.Cut(pattern, ":")
	if strings.ContainsAny(prefix, "*?") {
		if len(action.Expand(pattern)) == 0 {
			return fmt.Sprintf("no action of AWS matches %q", pattern), nil
		}
		return "", nil
	}
	service, ok := action.ServiceByPrefix(prefix)
	if !ok {
		for _, known := range action.Services() {
			candidates = append(candidates, known+":"+name)
		}
		return fmt.Sprintf("AWS has no service %q", prefix), candidates
	}
	if slices.ContainsFunc(service.Actions, func(a action.Action) bool { return iam.MatchFold(name, a.Name) }) {
		return "", nil
	}
	for i := range service.Actions {
		candidates = append(candidates, service.Actions[i].String())
	}
	if strings.ContainsAny(name, "*?") {
		return fmt.Sprintf("no action of %s matches %q", prefix, pattern), nil
	}
	return fmt.Sprintf("%s has no action %q", prefix, name), candidates
}

// addUnknown reports what AWS's reference does not have. The hint says how old
// the reference is, for AWS adds to it every week.
func (r *resolver) addUnknown(w item[string], what string, candidates []string, newer string) {
	hint := "AWS's reference of " + action.Date() + " is what Postern knows"
	if len(r.problems) < maxGuesses {
		if near := suggest.Nearest(w.V, candidates); near != "" {
			hint = fmt.Sprintf("did you mean %q? %s", near, hint)
		}
	}
	if newer != "" {
		hint += "; " + newer
	}
	r.add(w.Pos, what, hint)
}
