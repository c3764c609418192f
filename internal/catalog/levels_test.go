package catalog_test

import (
	"slices"
	"testing"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/catalog"
)

// exampleRenderings are the policies of a grant's levels, narrowest first, with
// the example values that each level needs, or with those of all its parameters.
// A value that a level needs stays where the next may have it.
func exampleRenderings(t *testing.T, g *catalog.Grant, all bool) []rendering {
	t.Helper()
	var out []rendering
	given := map[string]bool{}
	for _, l := range g.Levels {
		r := rendering{grant: g, level: l.Name, args: g.Example(l.Name)}
		for _, p := range g.Params {
			given[p.Name] = given[p.Name] || all || r.args[p.Name] != nil
			if given[p.Name] && (p.Levels == nil || slices.Contains(p.Levels, l.Name)) {
				r.args[p.Name] = []string{p.Example}
			}
		}
		doc, err := g.Policy(catalog.CaseScope(), l.Name, r.args)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		r.doc = doc
		out = append(out, r)
	}
	return out
}

// TestLevelsAreNested holds that each level allows all that the one before does,
// and more: by proof over all requests, and by the evaluator on the calls of
// all cases.
func TestLevelsAreNested(t *testing.T) {
	for _, g := range catalog.All() {
		for _, all := range []bool{false, true} {
			levels := exampleRenderings(t, g, all)
			for i := range levels[1:] {
				narrow, wide := levels[i], levels[i+1]
				for _, lost := range catalog.Gained(narrow.doc, wide.doc) {
					t.Errorf("%s loses %v on %v of %s", wide, lost.Actions, lost.Resources, narrow)
				}
				if !all && len(catalog.Gained(wide.doc, narrow.doc)) == 0 {
					t.Errorf("%s allows no more than %s", wide, narrow)
				}
				checkNested(t, narrow, wide)
			}
		}
	}
}

func checkNested(t *testing.T, narrow, wide rendering) {
	t.Helper()
	n, w := compiled(t, narrow), compiled(t, wide)
	for _, c := range narrow.grant.Cases() {
		if t.Failed() {
			return // one example says enough
		}
		if decide(t, n, c).Decision == eval.Allowed && decide(t, w, c).Decision != eval.Allowed {
			t.Errorf("%s denies %s on %s with %v, which %s allows", wide, c.Action, c.Resource, c.Context, narrow)
		}
	}
}

func compiled(t *testing.T, r rendering) *eval.Policy {
	t.Helper()
	p, err := eval.Compile(r.grant.Name, eval.Identity, r.doc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
