package prove

import "slices"

// edge is a step from a role to one that it can use.
type edge struct {
	to       *role
	passedTo string // the service that it is handed to; empty: it is assumed
}

// reached follows roles that may use further roles, nearest first.
func (m *model) reached(direct []*role) []Reached {
	type step struct {
		edge
		via []string
	}
	var queue []step
	seen := map[*role]bool{}
	for _, r := range direct {
		queue = append(queue, step{edge: edge{to: r}})
		seen[r] = true
	}
	var out []Reached
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		out = append(out, Reached{ARN: at.to.ARN, Role: at.to.name, Via: at.via, PassedTo: at.passedTo})
		for _, e := range m.edges(at.to) {
			if !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, step{edge: e, via: append(slices.Clone(at.via), at.to.ARN)})
			}
		}
	}
	return out
}

// edges finds, once, the roles that a role can use: those that it may assume,
// and those of its account that it may pass to a service which they trust.
// Whether it may make the service run something with the role is not asked.
func (m *model) edges(r *role) []edge {
	if r.walked {
		return r.next
	}
	r.walked = true
	for _, to := range m.roles {
		if to == r {
			continue
		}
		if to.Reachable(r.who, &r.permissions, m.from()) {
			r.next = append(r.next, edge{to: to})
		} else if to.account == r.account {
			if service, could := r.permissions.Passes(to.Role, r.facts); could {
				r.next = append(r.next, edge{to: to, passedTo: service})
			}
		}
	}
	return r.next
}
