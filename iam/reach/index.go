package reach

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// index finds the statements that concern a question: those whose actions and
// resources have something in common with it. No other can allow or deny any of
// it. Patterns repeat: each is tried once, however many statements hold it.
type index struct {
	size      int // statements
	documents []indexed
	scps      []scp // of accounts; members of one should share the slice
	actions   postings
	resources postings
}

// postings tell which statements hold a pattern.
type postings struct {
	patterns   []string
	statements [][]int32 // of each pattern
	always     []int32   // those that list what they are not about
}

// indexed is a document and where its statements begin among all.
type indexed struct {
	document *iam.Document
	first    int
}

// scp is an account's SCPs.
type scp struct {
	levels [][]Policy
	places [][]int32 // of their documents
}

// unknown is the place of documents that are not known.
const unknown = 0

type indexBuilder struct {
	index
	places            map[*iam.Document]int32
	accounts          map[*[]Policy]int // place of SCPs by their first level
	actions, resource map[string]int    // place of a pattern
}

func newIndexBuilder() *indexBuilder {
	return &indexBuilder{
		index:  index{documents: make([]indexed, unknown+1), scps: make([]scp, 1)},
		places: map[*iam.Document]int32{nil: unknown}, accounts: map[*[]Policy]int{}, actions: map[string]int{}, resource: map[string]int{},
	}
}

// document adds the statements of a document, unless it has them, and returns
// its place.
func (b *indexBuilder) document(d *iam.Document) int32 {
	if at, ok := b.places[d]; ok {
		return at
	}
	at := int32(len(b.documents)) //nolint:gosec // far fewer than 2^31
	b.places[d] = at
	b.documents = append(b.documents, indexed{d, b.size})
	for _, s := range d.Statements {
		b.index.actions.add(b.actions, s.Actions, s.NotActions, b.size)
		if s.Effect == iam.Deny && slices.ContainsFunc(s.Resources, hasVariables) { // see mightDeny
			s = withoutResource(s)
		}
		b.index.resources.add(b.resource, s.Resources, s.NotResources, b.size)
		b.size++
	}
	return at
}

func (b *indexBuilder) layer(policies []Policy) []int32 {
	out := make([]int32, len(policies))
	for i, policy := range policies {
		out[i] = b.document(policy.Document)
	}
	return out
}

// levels adds the SCPs of an account, unless it has them, and returns their
// place; 0 if there are none.
func (b *indexBuilder) levels(levels [][]Policy) int {
	if len(levels) == 0 {
		return 0
	}
	if at, ok := b.accounts[&levels[0]]; ok && len(b.scps[at].levels) == len(levels) {
		return at
	}
	at := scp{levels: levels}
	for _, level := range levels {
		at.places = append(at.places, b.layer(level))
	}
	b.scps = append(b.scps, at)
	b.accounts[&levels[0]] = len(b.scps) - 1
	return len(b.scps) - 1
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

// concerns are the statements that concern a question.
func (x *index) concerns(q *Question) bitset {
	actions := x.actions.matching(x.size, func(pattern string) bool { return overlapsAction(pattern, q.Action) })
	resources := x.resources.matching(x.size, q.about)
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

// bitset is a set of statements.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
