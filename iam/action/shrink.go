package action

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// Shrink writes a list of actions with few patterns: together they expand to
// exactly the actions of the list and to none beside them. The result is
// sorted. An entry that is a pattern stands for what it expands to; one that
// AWS does not know stays as it is.
//
// Few, not always fewest: a pattern leaves out whole words, at one place or at
// both ends, and patterns are chosen greedily. What AWS adds later may match one:
// whoever wants a list that never grows keeps it long.
func Shrink(actions []string) []string {
	wanted := map[*Service]bitset{}
	var out []string
	for _, pattern := range actions {
		expanded := Expand(pattern)
		if len(expanded) == 0 {
			out = append(out, pattern)
		}
		for _, name := range expanded {
			a, _ := Lookup(name)
			if wanted[a.of] == nil {
				wanted[a.of] = newBitset(len(a.of.Actions))
			}
			wanted[a.of].set(a.index())
		}
	}
	if wantsAll(wanted) {
		return sortedUnique(append(out, "*"))
	}
	for s, set := range wanted {
		for _, name := range s.shrink(set) {
			out = append(out, s.Prefix+":"+name)
		}
	}
	return sortedUnique(out)
}

func sortedUnique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// index is the action's place among those of its service.
func (a *Action) index() int {
	return sort.Search(len(a.of.Actions), func(i int) bool { return compareFold(a.of.Actions[i].Name, a.Name) >= 0 })
}

// wantsAll reports whether every action of every service is wanted.
func wantsAll(wanted map[*Service]bitset) bool {
	total := 0
	for _, set := range wanted {
		total += set.count()
	}
	return total == reference().info.Actions
}

// cover is a pattern and the actions that it matches.
type cover struct {
	pattern string
	set     bitset
}

// shrink finds patterns for a set of the service's actions.
func (s *Service) shrink(wanted bitset) []string {
	if n := wanted.count(); n > 1 && n == len(s.Actions) {
		return []string{"*"}
	}
	covers := s.covers(wanted)
	var chosen []cover
	for left := slices.Clone(wanted); left.count() > 0; {
		best := cover{}
		gain := 0
		for _, c := range covers {
			if n := c.set.common(left); n > gain || n == gain && n > 0 && narrower(c.pattern, best.pattern) {
				best, gain = c, n
			}
		}
		chosen = append(chosen, best)
		left.remove(best.set)
	}
	return patterns(needed(chosen))
}

// needed drops the covers whose actions the others match as well, those that
// match least first.
func needed(chosen []cover) []cover {
	slices.SortFunc(chosen, func(a, b cover) int {
		return cmp.Or(cmp.Compare(a.set.count(), b.set.count()), strings.Compare(a.pattern, b.pattern))
	})
	for i := 0; i < len(chosen); {
		own := slices.Clone(chosen[i].set)
		for j, other := range chosen {
			if j != i {
				own.remove(other.set)
			}
		}
		if own.count() == 0 {
			chosen = slices.Delete(chosen, i, i+1)
		} else {
			i++
		}
	}
	return chosen
}

func patterns(covers []cover) []string {
	out := make([]string, len(covers))
	for i, c := range covers {
		out[i] = c.pattern
	}
	return out
}

// narrower orders patterns for the same actions: more letters first, as the
// one that is likely to match least of what AWS adds.
func narrower(a, b string) bool {
	if d := literals(b) - literals(a); d != 0 {
		return d < 0
	}
	return a < b
}

func literals(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }

// covers lists the patterns worth trying: the wanted actions themselves, and
// what matches several of them and nothing that is not wanted. Of patterns for
// the same actions it keeps the narrowest.
func (s *Service) covers(wanted bitset) []cover {
	best := map[string]cover{}
	keep := func(c cover) {
		key := c.set.key()
		if have, ok := best[key]; !ok || narrower(c.pattern, have.pattern) {
			best[key] = c
		}
	}
	names := make([]string, len(s.Actions))
	for i := range names {
		names[i] = strings.ToLower(s.Actions[i].Name)
	}
	tried := map[string]bool{}
	for i, a := range s.Actions {
		if !wanted.has(i) {
			continue
		}
		one := newBitset(len(s.Actions))
		one.set(i)
		keep(cover{a.Name, one})
		for _, pattern := range candidates(a.Name) {
			if tried[pattern] {
				continue
			}
			tried[pattern] = true
			if set, ok := matches(pattern, names, wanted); ok {
				keep(cover{pattern, set})
			}
		}
	}
	return slices.SortedFunc(maps.Values(best), func(a, b cover) int { return strings.Compare(a.pattern, b.pattern) })
}

// candidates are the patterns that might stand for an action and others. All of
// them cut the name between words: "*ableImage" would save a line, and hold for
// who knows what tomorrow.
func candidates(name string) []string {
	var out []string
	cuts := wordBorders(name)
	for i, from := range cuts {
		for _, to := range cuts[i:] {
			switch outside := name[:from] + "*" + name[to:]; {
			case from == to || from == 0 && to == len(name):
			case from == 0 || to == len(name):
				out = append(out, outside)
			default:
				out = append(out, outside, "*"+name[from:to]+"*")
			}
		}
	}
	return out
}

// wordBorders are the places before each capital that begins a word, and both ends.
func wordBorders(name string) []int {
	capital := func(i int) bool { return lower(name[i]) != name[i] }
	small := func(i int) bool { return i < len(name) && 'a' <= name[i] && name[i] <= 'z' }
	cuts := []int{0}
	for i := 1; i < len(name); i++ {
		if capital(i) && (!capital(i-1) || small(i+1)) {
			cuts = append(cuts, i)
		}
	}
	return append(cuts, len(name))
}

// matches gives the actions that a pattern of candidates matches, if there are
// several and all are wanted. names are those of the actions, in lower case.
func matches(pattern string, names []string, wanted bitset) (bitset, bool) {
	head, tail, _ := strings.Cut(strings.ToLower(pattern), "*")
	middle, around := strings.CutSuffix(tail, "*")
	around = around && head == "" && middle != ""
	set, n := newBitset(len(names)), 0
	for i, name := range names {
		switch {
		case around && !strings.Contains(name, middle):
			continue
		case !around && (len(name) < len(head)+len(tail) || !strings.HasPrefix(name, head) || !strings.HasSuffix(name, tail)):
			continue
		case !wanted.has(i):
			return nil, false
		}
		set.set(i)
		n++
	}
	return set, n > 1
}

// bitset is a set of the actions of one service, by their place.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bitset) count() int { return b.common(b) }

// common counts what b and c share.
func (b bitset) common(c bitset) int {
	n := 0
	for i := range b {
		n += bits.OnesCount64(b[i] & c[i])
	}
	return n
}

// remove takes out of b what is in c.
func (b bitset) remove(c bitset) {
	for i := range b {
		b[i] &^= c[i]
	}
}

// key is b as a map's key.
func (b bitset) key() string {
	k := make([]byte, 0, 8*len(b))
	for _, w := range b {
		for range 8 {
			k = append(k, byte(w))
			w >>= 8
		}
	}
	return string(k)
}
