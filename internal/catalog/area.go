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
// service: those that are called by it, or else those that it stands in, in what
// they are for or in why an action is there. A single letter is no word.
func Mentioning(word string) []*Grant {
	if len(word) < 2 {
		return nil
	}
	among := func(speaks func(*Grant) bool) []*Grant {
		return slices.DeleteFunc(All(), func(g *Grant) bool { return !speaks(g) })
	}
	if named := among(func(g *Grant) bool { return hasWord(g.Name, word) }); len(named) > 0 {
		return named
	}
	return among(func(g *Grant) bool { return g.mentions(word) })
}

func (g *Grant) mentions(word string) bool {
	if hasWord(g.Summary, word) {
		return true
	}
	for action, why := range g.Why {
		if hasWord(action, word) || hasWord(why, word) {
			return true
		}
	}
	return false
}

// hasWord reports whether a word of the text begins so, in whatever case:
// "image" is in "ecr:PutImage", and "ecr" is not in "secret".
func hasWord(text, word string) bool {
	folded, word := strings.ToLower(text), strings.ToLower(word)
	for at := 0; ; at++ {
		i := strings.Index(folded[at:], word)
		if i < 0 {
			return false
		}
		if at += i; at == 0 || !isLetter(text[at-1]) || isUpper(text[at]) && !isUpper(text[at-1]) {
			return true
		}
	}
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isLetter(c byte) bool { return isUpper(c) || 'a' <= c && c <= 'z' }
