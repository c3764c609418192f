package compile

import (
	"slices"

	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// refuseCircles reports roles of the stack that trust each other: AWS takes no
// trust policy that names a role which does not exist, so none of them could
// be the first.
func (c *compiler) refuseCircles() {
	byARN := map[string]*spec.Role{}
	for i := range c.spec.Roles {
		r := &c.spec.Roles[i]
		byARN[RoleARN(c.spec, r)] = r
	}
	done := map[*spec.Role]bool{}
	var walk func(r *spec.Role, path []*spec.Role)
	walk = func(r *spec.Role, path []*spec.Role) {
		if at := slices.Index(path, r); at >= 0 {
			c.failCircle(append(path[at:], r))
			return
		}
		if done[r] {
			return
		}
		for _, t := range r.Trust {
			if other := byARN[c.trustedRole(t)]; other != nil {
				walk(other, append(slices.Clone(path), r))
			}
		}
		done[r] = true
	}
	for i := range c.spec.Roles {
		walk(&c.spec.Roles[i], nil)
	}
}

func (c *compiler) trustedRole(t spec.Trust) string {
	role, _ := ProofOf(c.spec, t).(trust.AWSRole)
	return role.ARN
}

func (c *compiler) failCircle(roles []*spec.Role) {
	text := roles[0].Name
	for _, r := range roles[1:] {
		text += " trusts " + r.Name
	}
	c.fail(roles[0].Pos, "drop one of these trusts: AWS takes none that names a role which does not stand yet", "roles trust each other in a circle: %s", text)
}
