package reach

import (
	"maps"
	"slices"
	"strings"
)

// Power is what one statement lets a member do in one service.
type Power struct {
	// Service is the prefix of the actions; "*" for a pattern that names all
	// services and of which nothing is denied. Empty if the policy is not known.
	Service   string
	Actions   []string // few patterns: of what a pattern of the policy names, what nothing denies
	Resources []string // patterns of the statement
	Extent    Extent   // of the actions on the resources: Sometimes or Always
	Via       Finding
}

// WhatCan lists what a member might do by its own policies: in their order,
// by statement and then by service. Nothing for who is not a member.
func (w *World) WhatCan(arn string) []Power {
	at, ok := w.byARN[arn]
	if !ok {
		return nil
	}
	m := &w.members[at]
	var out []Power
	for _, g := range m.Permissions.Gains(&Principal{}, m.facts) { // beside who may do nothing
		if g.Via.Unknown {
			out = append(out, Power{Extent: Sometimes, Via: g.Via})
			continue
		}
		services := map[string][]string{}
		for _, action := range g.Actions {
			prefix, _, _ := strings.Cut(action, ":")
			services[prefix] = append(services[prefix], action)
		}
		for _, prefix := range slices.Sorted(maps.Keys(services)) {
			p := Power{Service: prefix, Actions: services[prefix], Resources: g.Resources, Via: g.Via}
			p.Extent = m.extent(&p)
			out = append(out, p)
		}
	}
	return out
}

// extent is Always if it is for each action and resource. That something is
// possible is known by now.
func (m *member) extent(p *Power) Extent {
	for _, resource := range p.Resources {
		if hasVariables(resource) || m.Permissions.Over(p.Actions, []string{resource}, m.facts) != Always {
			return Sometimes
		}
	}
	return Always
}
