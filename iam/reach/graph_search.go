package reach

import (
	"cmp"
	"slices"
)

// Escalations are the shortest ways of a member to each administrator of an
// account that it is not itself: nearest first. Ways through an administrator
// go on into other accounts only.
func (g *Graph) Escalations(arn string) []Chain {
	at, ok := g.world.byARN[arn]
	if !ok {
		return nil
	}
	start := node{at: at}
	seen := map[node]bool{start: true}
	done := map[int]bool{at: g.administers(start)}
	queue := []way{{to: start}}
	var out []Chain
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		g.onward(from.to, seen, func(e Edge, to node) {
			next := way{to: to, edges: append(slices.Clone(from.edges), e)}
			if !e.Path.leads() {
				return
			}
			queue = append(queue, next)
			if !done[to.at] && g.administers(to) {
				done[to.at] = true
				out = append(out, Chain{next.edges})
			}
		})
	}
	slices.SortStableFunc(out, func(a, b Chain) int { return cmp.Compare(len(a.Edges), len(b.Edges)) })
	return out
}

type way struct {
	to    node
	edges []Edge
}

// onward gives the edges to nodes that were not seen before, and marks them as
// seen. From an administrator it gives those that leave the account.
func (g *Graph) onward(from node, seen map[node]bool, visit func(Edge, node)) {
	home, leaves := g.who(from.at).Account, g.administers(from)
	wanted := func(to node) bool {
		return !seen[to] && !(leaves && g.who(to.at).Account == home)
	}
	g.walk(from, wanted, func(e Edge, to node) bool {
		seen[to] = true
		visit(e, to)
		return true
	})
}

// Escalators are the shortest way of each member that has one to any
// administrator, by its ARN. Administrators themselves are left out. Of ways
// that are as long the first in the order of Paths is given.
func (g *Graph) Escalators() []Chain {
	s := spread{graph: g, found: map[node]*step{}}
	s.search()
	var out []Chain
	for i := range g.world.members {
		var c Chain
		for at := s.found[node{at: i}]; at != nil && at.edge != nil; at = s.found[at.to] {
			c.Edges = append(c.Edges, *at.edge)
		}
		if len(c.Edges) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// spread goes back from the administrators, one edge further each round. Most
// edges of an estate lead nowhere, and in a big one they are too many to keep:
// each round looks only for those to what the last one found.
type spread struct {
	graph *Graph
	found map[node]*step // the first of the way from each node
	last  map[node]bool  // those that the last round found
	at    []int          // their members, in order
	plain []bool         // the members of which it found node{at}, as most are
}

// step is an edge; one without is an administrator's.
type step struct {
	edge *Edge
	to   node
}

func (s *spread) search() {
	open := s.start()
	for len(s.last) > 0 {
		round := map[node]*step{}
		left := open[:0]
		for _, n := range open {
			if next := s.step(n); next != nil {
				round[n] = next
			} else {
				left = append(left, n)
			}
		}
		open = left
		s.settle(round)
	}
}

// start finds all nodes: what each member has, what it could make of itself, and
// what it would have with any permissions. It returns those that are no
// administrators.
func (s *spread) start() []node {
	seen, admins := map[node]bool{}, map[node]*step{}
	var open []node
	for i := range s.graph.world.members {
		queue := []node{{at: i}, {at: i, anything: true}}
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			if seen[n] {
				continue
			}
			seen[n] = true
			if s.graph.administers(n) {
				admins[n] = &step{}
				continue
			}
			open = append(open, n)
			s.graph.walkTo(nil, n, func(to node) bool { return to.at == n.at && !seen[to] }, func(_ Edge, to node) bool {
				queue = append(queue, to)
				return true
			})
		}
	}
	s.settle(admins)
	return open
}

// settle ends a round.
func (s *spread) settle(round map[node]*step) {
	s.last, s.plain = map[node]bool{}, make([]bool, len(s.graph.world.members))
	s.at = s.at[:0]
	for n, next := range round {
		s.found[n], s.last[n] = next, true
		s.at = append(s.at, n.at)
		if n == (node{at: n.at}) {
			s.plain[n.at] = true
		}
	}
	slices.Sort(s.at)
	s.at = slices.Compact(s.at)
}

// step is the first edge of a node to what the last round found; nil if it has
// none.
func (s *spread) step(n node) *step {
	var out *step
	wanted := func(to node) bool {
		if to == (node{at: to.at}) {
			return s.plain[to.at]
		}
		return s.last[to]
	}
	s.graph.walkTo(s.at, n, wanted, func(e Edge, to node) bool {
		if !e.Path.leads() {
			return true
		}
		out = &step{&e, to}
		return false
	})
	return out
}
