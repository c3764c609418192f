package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

func (r *resolver) guardRails() {
	for _, n := range r.raw.Never {
		r.spec.Never = append(r.spec.Never, r.never(n))
	}
	for _, e := range r.raw.Expect {
		r.spec.Expect = append(r.spec.Expect, r.expect(e))
	}
}

func (r *resolver) never(raw rawNever) Never {
	_, identities := raw.keys["identities"]
	_, roles := raw.keys["roles"]
	if !identities && !roles && !raw.strays {
		r.add(raw.Pos, "this guard rail guards nobody", `name identities or roles; identities: ["*"] is everybody`)
	}
	r.checkPatterns("identity", raw.Identities, r.names.identities)
	r.checkPatterns("role", raw.Roles, r.names.roles)
	for _, a := range raw.Actions {
		if !isEveryAction(a.V) {
			r.actionOf(a, railPattern, "")
		}
	}
	r.checkOn(raw.On)
	return Never{
		Identities: values(raw.Identities), Roles: values(raw.Roles),
		Actions: values(raw.Actions), On: values(raw.On), Pos: raw.Pos,
	}
}

// checkPatterns reports what matches nothing: a guard rail that guards nobody
// only looks like one. "*" always stands, since roles may trust on the spot.
func (r *resolver) checkPatterns(what string, patterns []item[string], known []string) {
	for _, p := range patterns {
		matches := func(name string) bool { return iam.Match(p.V, name) }
		switch {
		case p.V == "*" || slices.ContainsFunc(known, matches):
		case strings.ContainsAny(p.V, "*?"):
			r.add(p.Pos, fmt.Sprintf("no %s matches %q", what, p.V), oneOf(known))
		default:
			r.unknown(what, p, known)
		}
	}
}

// shortResource is a resource without the first five parts of its ARN.
var shortResource = lazily(`^[^\s:][^\s]*$`)

func (r *resolver) checkOn(on []item[string]) {
	for _, res := range on {
		switch {
		case strings.HasPrefix(res.V, "arn:"):
			r.checkResource(res)
		case !shortResource().MatchString(res.V):
			r.add(res.Pos, fmt.Sprintf("%q is not a resource", res.V), "write an ARN, or its last part, such as repository/shop")
		}
	}
}

// checkOneResource refuses patterns where one call is to be tried. "*" alone is
// how IAM names the resource of actions that have none.
func (r *resolver) checkOneResource(on []item[string]) {
	for _, res := range on {
		if res.V != "*" && strings.ContainsAny(res.V, "*?") {
			r.add(res.Pos, fmt.Sprintf("%q is a pattern; what must be allowed is tried as one call", res.V), "name a resource; patterns can stand under never, and beside deny alone")
		}
	}
}

func (r *resolver) expect(raw rawExpect) Expect {
	_, allow := raw.keys["allow"]
	_, deny := raw.keys["deny"]
	if !allow && !deny && !raw.strays {
		r.add(raw.Pos, "nothing is expected here", "name actions under allow or deny")
	}
	if known := r.names.roles; raw.Role.Pos.known() && !slices.Contains(known, raw.Role.V) {
		r.unknown("role", raw.Role, known)
	}
	for _, a := range append(raw.Allow, raw.Deny...) {
		if strings.ContainsAny(a.V, "*?") {
			r.add(a.Pos, fmt.Sprintf("%q is a pattern; an expectation is about one call", a.V), "name each action; patterns can stand under never")
		} else {
			r.checkAction(a)
		}
	}
	r.checkOn(raw.On)
	if allow {
		r.checkOneResource(raw.On)
	}
	e := Expect{Role: raw.Role.V, Allow: values(raw.Allow), Deny: values(raw.Deny), On: values(raw.On), Pos: raw.Pos}
	for _, c := range raw.Context {
		r.checkConditionKey(c.KeyPos, c.Key, true, "")
		if e.Context == nil {
			e.Context = map[string][]string{}
		}
		e.Context[c.Key] = values(c.V)
	}
	return e
}
