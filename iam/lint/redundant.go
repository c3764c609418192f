package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// redundantStatement finds statements that say what an earlier one does, in
// whatever order and but for the Sid.
func redundantStatement(p *pass) {
	doc, err := iam.Parse(p.src)
	if err != nil || len(doc.Statements) != len(p.statements) {
		return // AWS refuses the policy for another reason
	}
	seen := map[string]int{}
	for i, s := range doc.Normalized().Statements {
		said := fingerprint(s)
		first, ok := seen[said]
		if !ok {
			seen[said] = i
			continue
		}
		f := p.report(p.statements[i].node, "the statement says what %s does", p.statements[first].path())
		if n := p.statements[i].node; n.removable() && n.parent.kind == array {
			f.fix("remove the statement", remove(n))
		}
	}
}

// fingerprint is equal for statements of equal meaning.
func fingerprint(s iam.Statement) string {
	s.SID = ""
	for _, list := range []*[]string{&s.Actions, &s.NotActions} {
		lowered := make([]string, len(*list))
		for i, a := range *list {
			lowered[i] = strings.ToLower(a)
		}
		if *list != nil {
			*list = lowered
		}
	}
	doc := iam.Document{Statements: []iam.Statement{s}}
	return string(doc.Indented())
}

// maxCompared bounds the lists whose values are compared with each other. AWS
// takes no policy with as many.
const maxCompared = 1000

// redundantIn reports values of a list that another value of it includes, the
// later one of two that are equal.
func (p *pass) redundantIn(values []*node, covers func(wide, narrow string) bool) {
	if len(values) > maxCompared {
		return
	}
	for i, v := range values {
		for j, other := range values {
			if i == j || !covers(other.text, v.text) || j > i && covers(v.text, other.text) {
				continue
			}
			f := p.report(v, "%q is included in %q", v.text, other.text)
			if other.text == v.text {
				f.Message = "\"" + v.text + "\" stands twice"
			}
			if v.removable() && v.parent.kind == array {
				f.fix("remove "+v.text, remove(v))
			}
			break
		}
		if p.full {
			return
		}
	}
}

func redundantAction(p *pass) {
	for _, s := range p.statements {
		p.redundantIn(existing(s.values(actions)), coversAction)
		p.redundantIn(existing(s.values(notAction)), coversAction)
	}
}

// existing leaves out actions that AWS does not have: a misspelt one is to be
// put right, not taken out because a pattern beside it matches it.
func existing(values []*node) []*node {
	return slices.DeleteFunc(slices.Clone(values), func(v *node) bool {
		_, ok := action.Lookup(v.text)
		return !ok && !iam.HasWildcard(v.text)
	})
}

// coversAction compares actions without regard to case. Two that differ hold
// each other's only if one has a wildcard, which most have not.
func coversAction(wide, narrow string) bool {
	head := strings.IndexAny(wide, "*?")
	if head < 0 {
		return strings.EqualFold(wide, narrow)
	}
	return len(narrow) >= head && strings.EqualFold(wide[:head], narrow[:head]) && iam.CoversFold(wide, narrow)
}

func redundantResource(p *pass) {
	for _, s := range p.statements {
		p.redundantIn(s.values(resources), coversResource)
		p.redundantIn(s.values(notResource), coversResource)
	}
}

// coversResource compares ARNs part by part: whether a star in one of the first
// five reaches past a colon, nothing here should depend on.
func coversResource(wide, narrow string) bool {
	if wide == "*" || wide == narrow {
		return true
	}
	head := strings.IndexAny(wide, "*?")
	if head < 0 || !strings.HasPrefix(narrow, wide[:head]) || strings.Contains(wide, "${") || strings.Contains(narrow, "${") {
		return false // who knows what variables stand for
	}
	a, b := strings.SplitN(wide, ":", 6), strings.SplitN(narrow, ":", 6)
	if len(a) != 6 || len(b) != 6 {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !iam.Covers(a[i], b[i]) {
			return false
		}
	}
	return true
}
