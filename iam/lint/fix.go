package lint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// Bounds of Fixed. AWS takes no policy of more than 20 KB: what it holds of
// mistakes is gone after fewer.
const (
	maxRounds       = 50
	maxFixedAtATime = 1000 // findings of one check
)

// Fixed applies the safe fixes of all findings, and of those that then appear,
// until none is left, and returns the text with the findings that are gone for
// it. The text is src itself if there are none.
func Fixed(src []byte, opt Options) ([]byte, []Finding) {
	var done []Finding
	for range maxRounds {
		if opt.Type == "" {
			opt.Type, _ = Guess(src) // once: a fix must not turn the policy into one of another type
		}
		safe := slices.DeleteFunc(run(src, opt, maxFixedAtATime), func(f Finding) bool { return !f.safe() })
		fixed, applied := Apply(src, safe)
		if len(applied) == 0 {
			break
		}
		src, done = fixed, append(done, applied...)
	}
	return src, done
}

func (f *Finding) safe() bool { return f.Fix != nil && f.Fix.Safe }

// Apply changes the text as the fixes of findings say, safe or not, and returns
// the findings that were applied: of two whose edits overlap only the first. The
// findings must be of this very text.
func Apply(src []byte, findings []Finding) ([]byte, []Finding) {
	var edits editSet
	var applied []Finding
	for _, f := range findings {
		if f.Fix != nil && edits.add(f.Fix.Edits, len(src)) {
			applied = append(applied, f)
		}
	}
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		out.Write(src[at:e.Start])
		out.WriteString(e.Text)
		at = e.End
	}
	out.Write(src[at:])
	return out.Bytes(), applied
}

// separate takes away the safe fixes that overlap one before them.
func separate(findings []Finding) {
	var edits editSet
	for i := range findings {
		if f := &findings[i]; f.safe() && !edits.add(f.Fix.Edits, math.MaxInt) {
			f.Fix = nil
		}
	}
}

// editSet are edits of one text that do not overlap, in its order.
type editSet []Edit

// add takes more into the set, all or none: edits that overlap one of it or
// each other, or are not inside of a text of that size, are refused.
func (s *editSet) add(more []Edit, size int) bool {
	for i, e := range more {
		if e.Start < 0 || e.End < e.Start || e.End > size || slices.ContainsFunc(more[:i], e.overlaps) || !s.hasRoom(e) {
			return false
		}
	}
	for _, e := range more {
		at, _ := s.find(e)
		*s = slices.Insert(*s, at, e)
	}
	return true
}

func (s editSet) find(e Edit) (int, bool) {
	return slices.BinarySearchFunc(s, e, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
}

// hasRoom looks at the neighbours that e would have.
func (s editSet) hasRoom(e Edit) bool {
	i, same := s.find(e)
	return !same && (i == 0 || !s[i-1].overlaps(e)) && (i == len(s) || !s[i].overlaps(e))
}

// overlaps reports whether two edits are about a byte that both replace, or one
// writes into what the other replaces, or both at one place. Neighbours do not
// overlap: of two items of a list each takes a comma of its own with it.
func (e Edit) overlaps(other Edit) bool {
	return e.Start < other.End && other.Start < e.End || e.Start == other.Start && e.End == other.End
}

// quoted is a string in JSON, with &, < and > as they are.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // cannot happen: every string has a form in JSON
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// replace puts a string in the place of n.
func replace(n *node, s string) Edit { return Edit{n.start, n.end, quoted(s)} }

// span is the text of the i-th child of n: an item, or a member with its name.
func (n *node) span(i int) (start, end int) {
	if n.kind == object {
		return n.members[i].key.start, n.members[i].value.end
	}
	return n.items[i].start, n.items[i].end
}

// removable reports whether n is one of several children, so that something is
// left when it goes.
func (n *node) removable() bool {
	return n.parent != nil && len(n.parent.items)+len(n.parent.members) > 1
}

// remove takes n out of its parent, with one of the commas beside it and, for a
// member, its name. n must be removable.
func remove(n *node) Edit {
	start, end := n.parent.span(n.index)
	if n.index > 0 {
		_, start = n.parent.span(n.index - 1)
	} else {
		end, _ = n.parent.span(1)
	}
	return Edit{Start: start, End: end}
}
