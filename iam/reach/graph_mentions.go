package reach

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// mentions tells which actions of Paths a policy has an Allow statement about,
// whatever else it says. Most policies of an estate have none, which spares
// asking them about each.
type mentions struct {
	place     map[string]int  // of each action, in lower case
	services  map[string]bool // of the actions
	documents map[*iam.Document]actionSet
	needs     []actionSet // of each path; a role's trust may be enough to assume it
}

// actionSet is a set of actions of Paths.
type actionSet [2]uint64

func (s *actionSet) set(i int) { s[i/64] |= 1 << (i % 64) }

func newMentions() *mentions {
	m := &mentions{place: map[string]int{}, services: map[string]bool{}, documents: map[*iam.Document]actionSet{}}
	for _, p := range Paths() {
		var needs actionSet
		for _, s := range p.Steps {
			action := strings.ToLower(s.Action)
			if _, known := m.place[action]; !known {
				m.place[action] = len(m.place)
			}
			if s.Action != assumeRole {
				needs.set(m.place[action])
			}
			service, _, _ := strings.Cut(action, ":")
			m.services[service] = true
		}
		m.needs = append(m.needs, needs)
	}
	return m
}

// all reports whether a set has what a path needs.
func (m *mentions) all(set actionSet, path int) bool {
	needs := m.needs[path]
	return set[0]&needs[0] == needs[0] && set[1]&needs[1] == needs[1]
}

func (m *mentions) has(set actionSet, action string) bool {
	i := m.place[strings.ToLower(action)]
	return set[i/64]&(1<<(i%64)) != 0
}

// policies are the actions that any of the policies mentions. One that is not
// known may mention all.
func (m *mentions) policies(list []Policy) actionSet {
	var out actionSet
	for _, p := range list {
		if p.Document == nil {
			return actionSet{^uint64(0), ^uint64(0)}
		}
		one, known := m.documents[p.Document]
		if !known {
			one = m.document(p.Document)
			m.documents[p.Document] = one
		}
		out[0] |= one[0]
		out[1] |= one[1]
	}
	return out
}

func (m *mentions) document(d *iam.Document) actionSet {
	var out actionSet
	for _, s := range d.Statements {
		if s.Effect != iam.Allow {
			continue
		}
		if len(s.NotActions) > 0 { // of which the few that it leaves out matter little here
			return actionSet{^uint64(0), ^uint64(0)}
		}
		for _, pattern := range s.Actions {
			m.pattern(strings.ToLower(pattern), &out)
		}
	}
	return out
}

func (m *mentions) pattern(pattern string, out *actionSet) {
	service, _, _ := strings.Cut(pattern, ":")
	switch {
	case !iam.HasWildcard(pattern):
		if i, known := m.place[pattern]; known {
			out.set(i)
		}
	case iam.HasWildcard(service) || m.services[service]:
		for action, i := range m.place {
			if iam.Match(pattern, action) {
				out.set(i)
			}
		}
	}
}
