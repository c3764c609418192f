package prove

import (
	"slices"

	"github.com/postern-dev/postern/iam/reach"
)

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
	could := func(action string) bool {
		_, could := r.permissions.Could(reach.Question{Action: action, Resource: "*", Facts: r.facts})
		return could
	}
	assumes, passes := could("sts:AssumeRole"), could("iam:PassRole")
	for _, to := range m.roles {
		if to == r {
			continue
		}
		if m.assumes(r, to, assumes) {
			r.next = append(r.next, edge{to: to})
		} else if passes && to.account == r.account {
			if service, could := r.permissions.Passes(to.Role, r.facts); could {
				r.next = append(r.next, edge{to: to, passedTo: service})
			}
		}
	}
	return r.next
}

// assumes reports whether a role may assume another. Few may assume any by
// their own policies; the others are spared the question for each of thousands.
func (m *model) assumes(r, to *role, some bool) bool {
	if !some {
		return to.Admits(reach.Caller{Principal: r.who, Facts: m.from()})
	}
	return to.Reachable(r.who, &r.permissions, m.from())
}
