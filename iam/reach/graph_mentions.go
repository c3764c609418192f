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
}

// actionSet is a set of actions of Paths.
type actionSet [2]uint64

func (s *actionSet) set(i int) { s[i/64] |= 1 << (i % 64) }

func newMentions() *mentions {
	m := &mentions{place: map[string]int{}, services: map[string]bool{}, documents: map[*iam.Document]actionSet{}}
	for _, p := range Paths() {
		for _, s := range p.Steps {
			action := strings.ToLower(s.Action)
			if _, known := m.place[action]; !known {
				m.place[action] = len(m.place)
			}
			service, _, _ := strings.Cut(action, ":")
			m.services[service] = true
		}
	}
	return m
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
	case !strings.ContainsAny(pattern, "*?"):
		if i, known := m.place[pattern]; known {
			out.set(i)
		}
	case strings.ContainsAny(service, "*?") || m.services[service]:
		for action, i := range m.place {
			if iam.Match(pattern, action) {
				out.set(i)
			}
		}
	}
}
