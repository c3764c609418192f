package lint

import (
	"bytes"
	"encoding/json"
	"slices"
)

// maxRounds bounds Fixed: a fix can make room for another, hardly ever twice.
const maxRounds = 20

// Fixed applies the safe fixes of all findings, and of those that then appear,
// and returns the text with the findings that are gone for it. The text is src
// itself if there are none.
func Fixed(src []byte, opt Options) ([]byte, []Finding) {
	if opt.Type == "" {
		opt.Type, _ = Guess(src) // a fix must not turn the policy into one of another type
	}
	var done []Finding
	for range maxRounds {
		var findings []Finding
		for _, f := range Run(src, opt) {
			if f.Fix != nil && f.Fix.Safe {
				findings = append(findings, f)
			}
		}
		fixed, applied := Apply(src, findings)
		if len(applied) == 0 {
			break
		}
		src, done = fixed, append(done, applied...)
	}
	return src, done
}

// Apply changes the text as the fixes of findings say, safe or not, and returns
// the findings that were applied: of two whose edits overlap only the first. The
// findings must be of this very text.
func Apply(src []byte, findings []Finding) ([]byte, []Finding) {
	var edits []Edit
	var applied []Finding
	for _, f := range findings {
		if f.Fix == nil || !fits(edits, f.Fix.Edits, len(src)) {
			continue
		}
		edits = append(edits, f.Fix.Edits...)
		applied = append(applied, f)
	}
	slices.SortFunc(edits, func(a, b Edit) int { return a.Start - b.Start })
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

// fits reports whether none of more overlaps or touches one of edits: of two
// neighbours in a list each removal takes a comma, and together one too many.
func fits(edits, more []Edit, size int) bool {
	for _, m := range more {
		if m.Start < 0 || m.End < m.Start || m.End > size {
			return false
		}
		if slices.ContainsFunc(edits, func(e Edit) bool { return m.Start <= e.End && e.Start <= m.End }) {
			return false
		}
	}
	return true
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
