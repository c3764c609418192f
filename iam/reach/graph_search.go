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
			if e.Path.Gains == GainsPart {
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
	s := g.spread()
	var out []Chain
	for i := range g.world.members {
		at := node{at: i}
		if s.end[at] {
			continue
		}
		var c Chain
		for !s.end[at] {
			e, ok := s.next[at]
			if !ok {
				break
			}
			c.Edges = append(c.Edges, e.Edge)
			at = e.to
		}
		if s.end[at] {
			out = append(out, c)
		}
	}
	return out
}

// spread is the way from each node to the nearest administrator.
type spread struct {
	end  map[node]bool
	next map[node]step
}

type step struct {
	Edge
	to node
}

// spread finds all edges between nodes that members come to, and goes back
// along them from the administrators.
func (g *Graph) spread() *spread {
	s := &spread{end: map[node]bool{}, next: map[node]step{}}
	back := map[node][]step{} // to is where the edge comes from
	var queue, frontier []node
	seen := map[node]bool{}
	add := func(n node) {
		if !seen[n] {
			seen[n] = true
			queue = append(queue, n)
			s.end[n] = g.administers(n)
		}
	}
	for i := range g.world.members {
		add(node{at: i})
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if s.end[n] {
			frontier = append(frontier, n)
			continue
		}
		for _, e := range g.neighbours(n, s, add) {
			back[e.to] = append(back[e.to], step{e.Edge, n})
		}
	}
	for len(frontier) > 0 {
		to := frontier[0]
		frontier = frontier[1:]
		for _, e := range back[to] {
			if _, has := s.next[e.to]; !has {
				s.next[e.to] = step{e.Edge, to}
				frontier = append(frontier, e.to)
			}
		}
	}
	return s
}

// neighbours are the first edges of a node to each other. One to an
// administrator is enough: no way is shorter.
func (g *Graph) neighbours(n node, s *spread, add func(node)) []step {
	var out []step
	has := map[node]bool{}
	wanted := func(to node) bool { return !has[to] }
	g.walk(n, wanted, func(e Edge, to node) bool {
		if e.Path.Gains == GainsPart {
			return true
		}
		add(to)
		if s.end[to] {
			out = []step{{e, to}}
			return false
		}
		has[to] = true
		out = append(out, step{e, to})
		return true
	})
	return out
}
