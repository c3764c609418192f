package lint

import "strings"

// Guess says what type of policy a document most likely is, and by what it
// tells, for people to check. Both are empty for a text without statements.
func Guess(src []byte) (Type, string) { return guess(read(src)) }

func guess(d *document) (Type, string) {
	if len(d.statements) == 0 {
		return "", ""
	}
	var principal, resource, role, other, denyAll bool
	for _, s := range d.statements {
		principal = principal || s.has(principals, notPrincipal)
		resource = resource || s.has(resources, notResource)
		for _, a := range s.values(actions) {
			if assumes(a.text) {
				role = true
			} else {
				other = true
			}
		}
		denyAll = denyAll || s.denies() && s.principals[principals] != nil && s.principals[principals].everyone
	}
	switch {
	case !principal && !resource && role && !other:
		return Trust, "it allows sts actions and names no resource"
	case !principal:
		return Identity, "it names no principal"
	case !resource && !other:
		return Trust, "it names principals and no resource"
	case denyAll && onlyDenials(d):
		return RCP, `it denies to principal "*" and allows nothing`
	}
	return Resource, "it names principals and resources"
}

// onlyDenials reports whether all statements deny something to everyone, in
// the one form that resource control policies have.
func onlyDenials(d *document) bool {
	for _, s := range d.statements {
		p := s.principals[principals]
		if !s.denies() || p == nil || !p.everyone || !s.has(actions) || !stars(s.values(resources)) {
			return false
		}
	}
	return true
}

// stars reports whether all values are "*".
func stars(values []*node) bool {
	for _, v := range values {
		if v.text != "*" {
			return false
		}
	}
	return len(values) > 0
}

// assumes reports whether an action belongs into a trust policy.
func assumes(action string) bool {
	for _, a := range roleActions {
		if strings.EqualFold(a, action) {
			return true
		}
	}
	return false
}
