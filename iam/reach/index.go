package reach

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// index finds the statements that concern a question: those whose actions and
// resources have something in common with it. No other can allow or deny any of
// it. Patterns repeat: each is tried once, however many statements hold it.
type index struct {
	statements []int32 // the place of each one's document
	documents  []indexed
	scps       []scp // of accounts; members of one should share the slice
	actions    postings
	resources  postings
	tells      map[string]bool // condition keys, in lower case, of which each member has its own values
	personal   bitset          // statements with conditions that hold for some members by who they are
}

// postings tell which statements hold a pattern.
type postings struct {
	patterns   []string
	statements [][]int32         // of each pattern
	always     []int32           // those that list what they are not about
	sorted     []int32           // places of patterns by their text
	wild       map[string]*bunch // those with wildcards, by what they begin with
}

// bunch is the places of patterns that begin alike.
type bunch struct {
	all   []int32
	tails map[string][]int32 // by what they end with; nil if they are few
}

// indexed is a document, where its statements begin among all, and the members
// of whose identity policies it is one.
type indexed struct {
	document *iam.Document
	first    int
	holders  []int32
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
		index:  index{documents: make([]indexed, unknown+1), scps: make([]scp, 1), tells: map[string]bool{}},
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
	b.documents = append(b.documents, indexed{document: d, first: len(b.statements)})
	for _, s := range d.Statements {
		b.index.actions.add(b.actions, s.Actions, s.NotActions, len(b.statements))
		if s.Effect == iam.Deny && slices.ContainsFunc(s.Resources, hasVariables) { // see mightDeny
			s = withoutResource(s)
		}
		b.index.resources.add(b.resource, s.Resources, s.NotResources, len(b.statements))
		b.statements = append(b.statements, at)
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

// identity adds the identity policies of a member.
func (b *indexBuilder) identity(policies []Policy, member int) []int32 {
	out := b.layer(policies)
	for _, at := range out {
		d := &b.documents[at]
		d.holders = append(d.holders, int32(member)) //nolint:gosec // as above
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

// tell adds condition keys of which each member has values of its own.
func (b *indexBuilder) tell(keys map[string][]string) {
	for key := range keys {
		if !b.tells[key] {
			b.tells[strings.ToLower(key)] = true
		}
	}
}

func (b *indexBuilder) done() index {
	b.index.resources.sort()
	b.personal = newBitset(len(b.statements))
	for _, d := range b.documents[unknown+1:] {
		for i := range d.document.Statements {
			if b.isPersonal(d.document.Statements[i].Conditions) {
				b.personal.set(d.first + i)
			}
		}
	}
	return b.index
}

// isPersonal reports whether conditions may hold for one member and not for
// another by who these are.
func (x *index) isPersonal(conditions []iam.Condition) bool {
	return slices.ContainsFunc(conditions, func(c iam.Condition) bool {
		return slices.ContainsFunc(c.Values, hasVariables) || x.tells[strings.ToLower(c.Key)]
	})
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

// sort gets the patterns ready to be found by how they begin.
func (p *postings) sort() {
	p.wild = map[string]*bunch{}
	p.sorted = make([]int32, len(p.patterns))
	for i, pattern := range p.patterns {
		p.sorted[i] = int32(i) //nolint:gosec // as above
		fixed := fixedPart(pattern)
		if fixed == pattern {
			continue
		}
		if p.wild[fixed] == nil {
			p.wild[fixed] = &bunch{}
		}
		p.wild[fixed].all = append(p.wild[fixed].all, int32(i)) //nolint:gosec // as above
	}
	for _, b := range p.wild {
		b.sort(p.patterns)
	}
	slices.SortFunc(p.sorted, func(a, b int32) int { return strings.Compare(p.patterns[a], p.patterns[b]) })
}

// sort gets many patterns ready to be found by how they end.
func (b *bunch) sort(patterns []string) {
	const few = 32
	if len(b.all) <= few {
		return
	}
	b.tails = map[string][]int32{}
	for _, at := range b.all {
		pattern := patterns[at]
		tail := pattern[strings.LastIndexAny(pattern, "*?")+1:]
		b.tails[tail] = append(b.tails[tail], at)
	}
}

// fixedPart is what a pattern spells out before its first wildcard.
func fixedPart(pattern string) string {
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// near gives the patterns that might have something in common with one: those
// that go on from where it has its first wildcard, and those that have one
// before.
func (p *postings) near(pattern string, yield func(place int32)) {
	fixed := fixedPart(pattern)
	for i := range len(fixed) {
		if b := p.wild[fixed[:i]]; b != nil {
			b.near(pattern[i:], fixed == pattern, yield)
		}
	}
	from, _ := slices.BinarySearchFunc(p.sorted, fixed, func(at int32, fixed string) int { return strings.Compare(p.patterns[at], fixed) })
	for _, at := range p.sorted[from:] {
		if !strings.HasPrefix(p.patterns[at], fixed) {
			return
		}
		yield(at)
	}
}

// near gives the patterns that a text might end with, or all for a pattern.
func (b *bunch) near(text string, literal bool, yield func(place int32)) {
	if !literal || b.tails == nil {
		for _, at := range b.all {
			yield(at)
		}
		return
	}
	for i := range len(text) + 1 {
		for _, at := range b.tails[text[i:]] {
			yield(at)
		}
	}
}

// aboutAction are the statements whose actions have something in common with a
// pattern.
func (x *index) aboutAction(action string) bitset {
	out := newBitset(len(x.statements))
	out.setAll(x.actions.always)
	for i, pattern := range x.actions.patterns {
		if overlapsAction(pattern, action) {
			out.setAll(x.actions.statements[i])
		}
	}
	return out
}

// only is the index for many questions about one action: it has the statements
// of aboutAction alone.
func (x *index) only(actions bitset) *index {
	among := func(list []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(list), func(s int32) bool { return !actions.has(int(s)) })
	}
	out := *x
	out.resources.always = among(x.resources.always)
	out.resources.statements = make([][]int32, len(x.resources.statements))
	for i, list := range x.resources.statements {
		out.resources.statements[i] = among(list)
	}
	return &out
}

// concerned are the statements that concern a question, in order, of those about
// its action.
func (x *index) concerned(q *Question, actions bitset) []int32 {
	lists, size := [][]int32{x.resources.always}, len(x.resources.always)
	x.resources.near(q.Resource, func(at int32) {
		if q.about(x.resources.patterns[at]) {
			lists = append(lists, x.resources.statements[at])
			size += len(x.resources.statements[at])
		}
	})
	if size > len(actions) { // to sort so many would take longer than to go through the set
		both := newBitset(len(x.statements))
		for _, list := range lists {
			both.setAll(list)
		}
		for i := range both {
			both[i] &= actions[i]
		}
		return both.list()
	}
	var out []int32
	for _, list := range lists {
		for _, s := range list {
			if actions.has(int(s)) {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bitset is a set of small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bitset) setAll(list []int32) {
	for _, i := range list {
		b[i/64] |= 1 << (i % 64)
	}
}

func (b bitset) list() []int32 {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	out := make([]int32, 0, n)
	for i, word := range b {
		for ; word != 0; word &= word - 1 {
			out = append(out, int32(i*64+bits.TrailingZeros64(word))) //nolint:gosec // as above
		}
	}
	return out
}
