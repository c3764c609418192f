package lockdown

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/postern-dev/postern/internal/fault"
)

// live is a table as the kernel lists it.
type live struct {
	flags    uint32
	sets     map[string]*nftables.Set
	elements map[string][]nftables.SetElement
	chains   map[string]*nftables.Chain
	rules    map[string][][]expr.Any
}

// read returns what stands, nil if our table is not there.
func (c *conn) read() (*State, error) {
	// The lists come one by one. Where somebody applies a table meanwhile, they
	// are a mixture of two, which would look like drift, or fail. Others may
	// change tables of theirs all the time: two rounds that say the same will do.
	var before *State
	for range 10 {
		s, whole, err := c.round()
		if whole || err == nil && s.like(before) {
			return s, explain("read table "+Table, err)
		}
		before = s
	}
	return nil, &fault.Error{What: "read table " + Table + ": somebody replaces it all the time", Hint: "find out who: `nft monitor` names the program"}
}

// round lists the table once; whole: no table of anybody's has changed meanwhile.
func (c *conn) round() (s *State, whole bool, err error) {
	was, err := c.generation()
	if err != nil {
		return nil, true, err
	}
	l, failed := list(c.nft)
	is, err := c.generation()
	if err != nil {
		return nil, true, err
	}
	if failed != nil || l == nil {
		return nil, is == was, failed
	}
	return l.state(), is == was, nil
}

// like reports whether two readings are of one table.
func (s *State) like(o *State) bool {
	return s != nil && o != nil && reflect.DeepEqual(s.Policy, o.Policy) && reflect.DeepEqual(s.Drift(s.Policy), o.Drift(o.Policy))
}

func list(conn *nftables.Conn) (*live, error) {
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(tables, func(t *nftables.Table) bool { return t.Name == Table })
	if i < 0 {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	l := &live{
		flags: tables[i].Flags, sets: map[string]*nftables.Set{}, elements: map[string][]nftables.SetElement{},
		chains: map[string]*nftables.Chain{}, rules: map[string][][]expr.Any{},
	}
	if err := l.listSets(conn, tables[i]); err != nil {
		return nil, err
	}
	return l, l.listChains(conn, tables[i])
}

func (l *live) listSets(conn *nftables.Conn, t *nftables.Table) error {
	sets, err := conn.GetSets(t)
	if err != nil {
		return err
	}
	for _, s := range sets {
		l.sets[s.Name] = s
		if l.elements[s.Name], err = conn.GetSetElements(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *live) listChains(conn *nftables.Conn, t *nftables.Table) error {
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return err
	}
	for _, c := range chains {
		if c.Table.Name != Table {
			continue
		}
		l.chains[c.Name] = c
		rules, err := conn.GetRules(t, c)
		if err != nil {
			return err
		}
		for _, r := range rules {
			l.rules[c.Name] = append(l.rules[c.Name], r.Exprs)
		}
	}
	return nil
}

// state reads the policy back, and what was counted.
func (l *live) state() *State {
	s := &State{live: *l}
	s.Policy.Observe = true
	for _, e := range slices.Concat(l.rules[denyChain]...) {
		switch e := e.(type) {
		case *expr.Log:
			s.Policy.LogGroup = e.Group
		case *expr.Reject:
			s.Policy.Observe = false
		}
	}
	if rules := l.rules["guard"]; len(rules) > 0 {
		for _, e := range rules[len(rules)-1] {
			if c, ok := e.(*expr.Counter); ok {
				s.Unowned = c.Packets
			}
		}
	}
	for _, e := range l.keys(allowSet, uidKey) {
		s.Policy.Allow = append(s.Policy.Allow, binary.NativeEndian.Uint32(e.Key))
	}
	for _, e := range l.keys(deniedSet, uidKey) {
		s.Denied = append(s.Denied, Denial{binary.NativeEndian.Uint32(e.Key), packets(e)})
	}
	slices.SortFunc(s.Denied, func(a, b Denial) int { return cmp.Compare(a.UID, b.UID) })
	for _, f := range families {
		for _, e := range l.keys(f.endpoints(), f.key) {
			s.Policy.Endpoints = append(s.Policy.Endpoints, addrOf(e.Key))
		}
		for _, e := range l.keys(f.denied(), f.key) {
			s.DeniedFrom = append(s.DeniedFrom, Forwarded{addrOf(e.Key), packets(e)})
		}
		s.Policy.ForwardFrom = append(s.Policy.ForwardFrom, prefixes(l.keys(f.passing(), f.key))...)
	}
	slices.SortFunc(s.DeniedFrom, func(a, b Forwarded) int { return a.From.Compare(b.From) })
	s.Policy = s.Policy.Normalised()
	return s
}

// keys gives a set's elements that can be of the type. Others are drift: the set
// was made by somebody else, or has nft's `*`, which stands for every key and has
// none.
func (l *live) keys(name string, key keyType) []nftables.SetElement {
	return slices.DeleteFunc(slices.Clone(l.elements[name]), func(e nftables.SetElement) bool {
		return len(e.Key) != int(dataTypes[key].Bytes)
	})
}

func packets(e nftables.SetElement) uint64 {
	if e.Counter == nil {
		return 0
	}
	return e.Counter.Packets
}

func addrOf(key []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(key)
	return addr
}

// prefixes puts ranges together. What is no prefix was not written by us, and
// is drift.
func prefixes(elements []nftables.SetElement) []netip.Prefix {
	elements = inOrder(elements)
	var out []netip.Prefix
	for i, e := range elements {
		if e.IntervalEnd {
			continue
		}
		var end []byte
		if i+1 < len(elements) {
			end = elements[i+1].Key
		}
		for bits := 0; bits <= len(e.Key)*8; bits++ {
			p := netip.PrefixFrom(addrOf(e.Key), bits)
			if p == p.Masked() && bytes.Equal(behind(p), end) {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// inOrder sorts by key; where one range ends and the next begins at the same
// key, the end comes first.
func inOrder(elements []nftables.SetElement) []nftables.SetElement {
	return slices.SortedFunc(slices.Values(elements), func(a, b nftables.SetElement) int {
		if c := bytes.Compare(a.Key, b.Key); c != 0 || a.IntervalEnd == b.IntervalEnd {
			return c
		}
		if a.IntervalEnd {
			return -1
		}
		return 1
	})
}

// Drift tells how what stands differs from what the policy asks for: one
// sentence each, none if it is the same.
func (s *State) Drift(p Policy) []string {
	var out []string
	want := describe(p)
	if s.live.flags != 0 {
		out = append(out, "the table has flags that we do not set: a dormant table guards nothing")
	}
	for _, w := range want.sets {
		out = append(out, s.live.setDrift(w)...)
	}
	for _, w := range want.chains {
		out = append(out, s.live.chainDrift(w)...)
	}
	for _, name := range s.live.foreign(want) {
		out = append(out, fmt.Sprintf("chain %s is not of our making", name))
	}
	return out
}

func (l *live) foreign(want table) []string {
	var out []string
	for name := range l.chains {
		if !slices.ContainsFunc(want.chains, func(c chain) bool { return c.name == name }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (l *live) setDrift(want set) []string {
	is, ok := l.sets[want.name]
	switch {
	case !ok:
		return []string{fmt.Sprintf("set %s is missing", want.name)}
	case is.KeyType.Name != string(want.key) || is.Interval != want.interval || is.Size != want.size:
		return []string{fmt.Sprintf("set %s is of another kind", want.name)}
	case is.Timeout != want.timeout, is.HasTimeout != (want.timeout != 0):
		return []string{fmt.Sprintf("the elements of set %s expire otherwise", want.name)}
	case want.timeout != 0 && slices.ContainsFunc(l.elements[want.name], uncounted):
		return []string{fmt.Sprintf("set %s does not count", want.name)}
	case want.timeout != 0:
		return nil // its elements are what was counted
	}
	more, less := difference(l.elements[want.name], want.members())
	var out []string
	if len(more) > 0 {
		out = append(out, fmt.Sprintf("set %s also has %s", want.name, listed(want.key, more)))
	}
	if len(less) > 0 {
		out = append(out, fmt.Sprintf("set %s lacks %s", want.name, listed(want.key, less)))
	}
	return out
}

func uncounted(e nftables.SetElement) bool { return e.Counter == nil }

// difference gives the elements that are and should not be, and the reverse.
func difference(is, want []nftables.SetElement) (more, less []nftables.SetElement) {
	without := func(a, b []nftables.SetElement) (out []nftables.SetElement) {
		has := map[string]bool{}
		for _, e := range b {
			has[fmt.Sprint(e.Key, e.IntervalEnd)] = true
		}
		for _, e := range a {
			if !has[fmt.Sprint(e.Key, e.IntervalEnd)] {
				out = append(out, e)
			}
		}
		return inOrder(out)
	}
	return without(is, want), without(want, is)
}

func listed(key keyType, elements []nftables.SetElement) string {
	var out bytes.Buffer
	for i, e := range elements {
		if i > 0 {
			out.WriteString(", ")
		}
		if i == 10 {
			fmt.Fprintf(&out, "and %d more", len(elements)-i)
			break
		}
		switch {
		case len(e.Key) == 0:
			out.WriteString("* (everything)")
		case key == uidKey:
			fmt.Fprint(&out, binary.NativeEndian.Uint32(e.Key))
		default:
			fmt.Fprint(&out, addrOf(e.Key))
		}
	}
	return out.String()
}

func (l *live) chainDrift(want chain) []string {
	is, ok := l.chains[want.name]
	if !ok {
		return []string{fmt.Sprintf("chain %s is missing", want.name)}
	}
	var out []string
	if w := want.netlink(nil); !same(w.Hooknum, is.Hooknum) || !same(w.Priority, is.Priority) || !same(w.Policy, is.Policy) || w.Type != is.Type {
		out = append(out, fmt.Sprintf("chain %s is hooked elsewhere", want.name))
	}
	rules := l.rules[want.name]
	if len(rules) != len(want.rules) {
		return append(out, fmt.Sprintf("chain %s has %d rules, not %d", want.name, len(rules), len(want.rules)))
	}
	for i, r := range want.rules {
		if !reflect.DeepEqual(bare(rules[i]), bare(r.expressions())) {
			out = append(out, fmt.Sprintf("rule %d of chain %s is another one", i+1, want.name))
		}
	}
	return out
}

func same[T ~uint32 | ~int32](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// bare leaves out what the kernel counts and numbers.
func bare(list []expr.Any) []expr.Any {
	out := make([]expr.Any, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case *expr.Counter:
			out[i] = &expr.Counter{}
		case *expr.Lookup:
			out[i] = &expr.Lookup{SourceRegister: e.SourceRegister, SetName: e.SetName, Invert: e.Invert}
		case *expr.Dynset:
			out[i] = &expr.Dynset{SrcRegKey: e.SrcRegKey, SetName: e.SetName, Operation: e.Operation, Timeout: e.Timeout, Invert: e.Invert}
		default:
			out[i] = e
		}
	}
	return out
}
