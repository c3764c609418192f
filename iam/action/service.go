package action

import "strings"

// parser reads the text of one service. Fields of a line are separated by tabs,
// and the sections by empty lines:
//
//	NAME
//	(empty line)
//	KEY TYPE                       its condition keys, sorted by folded name
//	(empty line)
//	TYPE ARN[ ARN...] KEYS         its resource types, sorted by folded name
//	(empty line)
//	ACTION LEVEL KEYS RESOURCES    its actions, sorted by folded name
//
// KEYS are numbers of lines of the keys, counted from 0 and separated by commas.
// LEVEL is the level's first letter. RESOURCES are separated by spaces, each the
// number of a resource type, "!" if it is required, and ":KEYS" if it has any.
type parser struct {
	lines
	s    *Service
	sets map[string][]string // KEYS, decoded: few sets serve most actions
}

// maxNumber is more than any line has keys or resource types.
const maxNumber = 1 << 16

// parseService reads what encode of package gen has written.
func parseService(prefix, text string) (*Service, error) {
	p := &parser{lines: lines{rest: text}, s: &Service{Prefix: prefix}, sets: map[string][]string{}}
	p.s.Name = p.next()
	if p.next() != "" {
		p.fail("name of %s: no empty line after it", prefix)
	}
	p.readKeys()
	p.readTypes()
	p.readActions()
	return p.s, p.err
}

// section counts the lines up to the next empty one.
func (p *parser) section() int {
	end := strings.Index(p.rest, "\n\n")
	switch {
	case p.rest == "" || p.rest[0] == '\n':
		return 0
	case end < 0:
		end = len(strings.TrimSuffix(p.rest, "\n"))
	}
	return strings.Count(p.rest[:end], "\n") + 1
}

func (p *parser) readKeys() {
	n := p.section()
	p.s.keys = make([]Key, 0, n)
	p.s.ConditionKeys = make(map[string]Type, n)
	for range n {
		k := p.key(p.next())
		p.s.keys = append(p.s.keys, k)
		p.s.ConditionKeys[k.Name] = k.Type
	}
	p.s.variable = variableKeys(p.s.keys)
	p.next()
}

func (p *parser) readTypes() {
	n := p.section()
	p.s.ResourceTypes = make([]ResourceType, 0, n)
	for range n {
		line := p.next()
		name, rest, _ := strings.Cut(line, "\t")
		arns, keys, ok := strings.Cut(rest, "\t")
		if !ok {
			p.fail("resource type %q", line)
		}
		p.s.ResourceTypes = append(p.s.ResourceTypes, ResourceType{
			Service: p.s.Prefix, Name: name, ARNs: strings.Fields(arns), ConditionKeys: p.keySet(keys),
		})
	}
	p.next()
}

// levelOf gives the level by its letter.
func levelOf(letter string) (Level, bool) {
	switch letter {
	case "R":
		return Read, true
	case "L":
		return List, true
	case "W":
		return Write, true
	case "T":
		return Tagging, true
	case "P":
		return PermissionsManagement, true
	}
	return 0, false
}

func (p *parser) readActions() {
	n := p.section()
	p.s.Actions = make([]Action, n)
	resources := make([]ActionResource, 0, strings.Count(p.rest, " ")+n) // all actions cut from one
	for i := range p.s.Actions {
		line := p.next()
		name, rest, _ := strings.Cut(line, "\t")
		letter, rest, _ := strings.Cut(rest, "\t")
		keys, types, ok := strings.Cut(rest, "\t")
		level, known := levelOf(letter)
		if !ok || !known {
			p.fail("action %q", line)
			return
		}
		first := len(resources)
		resources = p.appendResources(resources, types)
		own := resources[first:len(resources):len(resources)]
		p.s.Actions[i] = Action{
			Service: p.s.Prefix, Name: name, Level: level, ConditionKeys: p.keySet(keys),
			Resources: own, WildcardOnly: len(own) == 0, of: p.s,
		}
	}
}

// appendResources reads RESOURCES.
func (p *parser) appendResources(to []ActionResource, text string) []ActionResource {
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, " ")
		number, keys, _ := strings.Cut(one, ":")
		number, required := strings.CutSuffix(number, "!")
		i := p.small(number)
		if i >= len(p.s.ResourceTypes) {
			p.fail("resource type %q of an action", one)
			return to
		}
		to = append(to, ActionResource{
			Type: p.s.ResourceTypes[i].Name, Required: required, ConditionKeys: p.keySet(keys),
		})
	}
	return to
}

// keySet reads KEYS. Equal ones share their result.
func (p *parser) keySet(text string) []string {
	if text == "" {
		return nil
	}
	if set, ok := p.sets[text]; ok {
		return set
	}
	set := make([]string, 0, strings.Count(text, ",")+1)
	for number := range strings.SplitSeq(text, ",") {
		i := p.small(number)
		if i >= len(p.s.keys) {
			p.fail("condition key %q", number)
			return nil
		}
		set = append(set, p.s.keys[i].Name)
	}
	p.sets[text] = set
	return set
}

// small reads a number of a line; beyond all lines if it is none.
func (p *parser) small(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > maxNumber {
			return maxNumber
		}
		n = n*10 + int(s[i]-'0')
	}
	if s == "" {
		return maxNumber
	}
	return n
}
