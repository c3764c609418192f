package reach

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// index finds the Allow statements that a question concerns. Patterns repeat:
// each is tried once, however many statements hold it.
type index struct {
	size      int // statements
	actions   postings
	resources postings
}

// postings tell which statements hold a pattern.
type postings struct {
	patterns   []string
	statements [][]int32 // of each pattern
	always     []int32   // those that list what they are not about
}

type indexBuilder struct {
	index
	documents         map[*iam.Document]indexed
	actions, resource map[string]int // place of a pattern
}

func newIndexBuilder() *indexBuilder {
	return &indexBuilder{documents: map[*iam.Document]indexed{}, actions: map[string]int{}, resource: map[string]int{}}
}

// document adds the statements of a document, unless it has them.
func (b *indexBuilder) document(d *iam.Document) indexed {
	if d == nil {
		return indexed{}
	}
	if at, ok := b.documents[d]; ok {
		return at
	}
	at := indexed{b.size, b.size + len(d.Statements)}
	b.documents[d] = at
	for i, s := range d.Statements {
		if s.Effect == iam.Allow {
			b.index.actions.add(b.actions, s.Actions, s.NotActions, b.size+i)
			b.index.resources.add(b.resource, s.Resources, s.NotResources, b.size+i)
		}
	}
	b.size = at.end
	return at
}

func (p *postings) add(place map[string]int, list, not []string, statement int) {
	if len(not) > 0 {
		p.always = append(p.always, int32(statement)) //nolint:gosec // far fewer than 2^31
		return
	}
	for _, pattern := range list {
		pattern = freeVariables(pattern)
		at, ok := place[pattern]
		if !ok {
			at = len(p.patterns)
			place[pattern] = at
			p.patterns = append(p.patterns, pattern)
			p.statements = append(p.statements, nil)
		}
		p.statements[at] = append(p.statements[at], int32(statement)) //nolint:gosec // as above
	}
}

// concerns are the statements whose actions and resources have something in
// common with the question.
func (x *index) concerns(q *Question) bitset {
	actions := x.actions.matching(x.size, func(pattern string) bool { return overlapsAction(pattern, q.Action) })
	resources := x.resources.matching(x.size, func(pattern string) bool {
		return !startApart(pattern, q.Resource) && q.about(pattern)
	})
	for i := range actions {
		actions[i] &= resources[i]
	}
	return actions
}

func (p *postings) matching(size int, matches func(string) bool) bitset {
	out := newBitset(size)
	for _, statement := range p.always {
		out.set(int(statement))
	}
	for i, pattern := range p.patterns {
		if !matches(pattern) {
			continue
		}
		for _, statement := range p.statements[i] {
			out.set(int(statement))
		}
	}
	return out
}

// startApart reports whether two patterns differ before the first wildcard of
// either: then they have nothing in common.
func startApart(a, b string) bool {
	for i := range min(len(a), len(b)) {
		switch {
		case wild(a[i]) || wild(b[i]):
			return false
		case a[i] != b[i]:
			return true
		}
	}
	return false
}

func wild(c byte) bool { return strings.IndexByte("*?", c) >= 0 }

// bitset is a set of statements.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
