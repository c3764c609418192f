package catalog

import (
	"slices"
	"strings"
)

// Area is what a grant's job is about, for readers who look for theirs.
type Area string

// The areas, in the order in which they are listed.
const (
	Containers     Area = "Containers"
	Applications   Area = "Functions and sites"
	Infrastructure Area = "Infrastructure as code"
	Hosts          Area = "Hosts and images"
	Secrets        Area = "Secrets and certificates"
	Accounts       Area = "Other accounts"
	Own            Area = "Postern itself"
)

// Areas lists the areas in their order.
func Areas() []Area {
	return []Area{Containers, Applications, Infrastructure, Hosts, Secrets, Accounts, Own}
}

// In returns the grants of an area, by name.
func In(a Area) []*Grant {
	return slices.DeleteFunc(All(), func(g *Grant) bool { return g.Area != a })
}

// Mentioning returns the grants that speak of a word, such as a tool or a
// service, in what they are for or in why an action is there. A single letter
// is no word.
func Mentioning(word string) []*Grant {
	word = strings.ToLower(word)
	if len(word) < 2 {
		return nil
	}
	return slices.DeleteFunc(All(), func(g *Grant) bool { return !g.mentions(word) })
}

func (g *Grant) mentions(word string) bool {
	if strings.Contains(strings.ToLower(g.Name+"\n"+g.Summary), word) {
		return true
	}
	for action, why := range g.Why {
		if strings.Contains(strings.ToLower(action+"\n"+why), word) {
			return true
		}
	}
	return false
}
