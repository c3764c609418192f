package eval

import "slices"

// findings collects the statements that match.
type findings struct{ denies, allows matches }

// match is one of them.
type match struct {
	policy    *Policy
	statement *statement
	level     int
	doubt     bool
}

func (m *match) reason() Reason {
	s := m.statement
	return Reason{
		Kind: m.policy.kind, Level: m.level, Policy: m.policy.name,
		Statement: s.index, SID: s.sid, Effect: s.effect, Pos: s.pos, Doubt: m.doubt,
	}
}

// matches is a list whose first items need no memory of their own.
type matches struct {
	n     int
	first [8]match
	more  []match
}

func (ms *matches) add(m match) {
	if ms.n < len(ms.first) {
		ms.first[ms.n] = m
	} else {
		ms.more = append(ms.more, m)
	}
	ms.n++
}

// reasons appends what the matches are.
func (ms *matches) reasons(to []Reason) []Reason {
	to = slices.Grow(to, ms.n)
	for i := range ms.n {
		if i < len(ms.first) {
			to = append(to, ms.first[i].reason())
		} else {
			to = append(to, ms.more[i-len(ms.first)].reason())
		}
	}
	return to
}
