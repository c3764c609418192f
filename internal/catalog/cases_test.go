package catalog_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/catalog"
)

// decide asks the evaluator for one call under one policy alone. The resource
// counts as the role's own account's, wherever its ARN says that it lies, so
// that the policy itself must keep the call out.
func decide(t *testing.T, p *eval.Policy, c catalog.Case) eval.Explanation {
	t.Helper()
	layers := eval.Layers{Identity: []*eval.Policy{p}}
	return layers.Explain(&eval.Request{
		Principal: eval.Principal{
			Kind:    eval.RoleSession,
			ARN:     "arn:aws:sts::222222222222:assumed-role/deploy/job",
			RoleARN: "arn:aws:iam::222222222222:role/deploy",
			Account: "222222222222",
		},
		Action:   c.Action,
		Resource: c.Resource,
		Context:  eval.NewContext(c.Context),
	})
}

func TestCases(t *testing.T) {
	for _, g := range catalog.All() {
		for i, c := range g.Cases() {
			doc, err := g.Policy(catalog.CaseScope(), c.Level, c.Args)
			if err != nil {
				t.Fatalf("%s: case %d: %v", g.Name, i, err)
			}
			p, err := eval.Compile(g.Name, eval.Identity, doc)
			if err != nil {
				t.Fatalf("%s: case %d: %v", g.Name, i, err)
			}
			got := decide(t, p, c)
			if (got.Decision == eval.Allowed) != c.Allowed {
				t.Errorf("%s, level %q, %v: %s on %s with %v: %v, want allowed %v; reasons %+v",
					g.Name, c.Level, c.Args, c.Action, c.Resource, c.Context, got.Decision, c.Allowed, got.Reasons)
			}
		}
	}
}

// TestCasesCoverEveryStatement demands for each level that every statement of
// its policies allows, and is the one to allow, each of its actions in some
// case: what no case needs should not be granted.
func TestCasesCoverEveryStatement(t *testing.T) {
	for _, g := range catalog.All() {
		used := map[string]bool{} // "level statement action"
		denied := map[string]int{}
		for _, c := range g.Cases() {
			level := c.Level
			if level == "" {
				level = g.DefaultLevel()
			}
			if !c.Allowed {
				denied[level]++
				continue
			}
			doc, err := g.Policy(catalog.CaseScope(), level, c.Args)
			if err != nil {
				t.Fatal(err)
			}
			p, err := eval.Compile(g.Name, eval.Identity, doc)
			if err != nil {
				t.Fatal(err)
			}
			for _, reason := range decide(t, p, c).Reasons {
				used[fmt.Sprintf("%s %s %s", level, reason.SID, c.Action)] = true
			}
		}
		for _, l := range g.Levels {
			if denied[l.Name] < 3 {
				t.Errorf("%s: level %s has %d denied cases", g.Name, l.Name, denied[l.Name])
			}
		}
		for _, r := range renderings(t, catalog.CaseScope()) {
			if r.grant != g {
				continue
			}
			for _, s := range r.doc.Statements {
				for _, a := range s.Actions {
					if !used[fmt.Sprintf("%s %s %s", r.level, s.SID, a)] {
						t.Errorf("%s: no case needs %s of statement %s", r, a, s.SID)
					}
				}
			}
		}
	}
}

// TestCasesCoverEveryCondition takes each condition away from each statement: a
// call that must be denied is then allowed, or the condition keeps nothing out
// that a case knows of.
func TestCasesCoverEveryCondition(t *testing.T) {
	kept := map[string]bool{} // "grant statement operator key": whether a case needs it
	for _, r := range renderings(t, catalog.CaseScope()) {
		denied := slices.DeleteFunc(r.grant.Cases(), func(c catalog.Case) bool {
			return c.Allowed || cmp.Or(c.Level, r.grant.DefaultLevel()) != r.level || !maps.EqualFunc(c.Args, r.args, slices.Equal)
		})
		for i, s := range r.doc.Statements {
			for j, condition := range s.Conditions {
				key := strings.Join([]string{r.grant.Name, s.SID, condition.Operator, condition.Key}, " ")
				if kept[key] {
					continue
				}
				loose := rendering{grant: r.grant, doc: &iam.Document{Version: r.doc.Version, Statements: slices.Clone(r.doc.Statements)}}
				loose.doc.Statements[i].Conditions = slices.Delete(slices.Clone(s.Conditions), j, j+1)
				p := compiled(t, loose)
				kept[key] = slices.ContainsFunc(denied, func(c catalog.Case) bool { return decide(t, p, c).Decision == eval.Allowed })
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		if !kept[key] {
			t.Errorf("no case needs the condition %s", key)
		}
	}
}

// TestLevelsWiden demands that the neighbours of a narrow level are tested
// where they matter: for each level but the widest, some call that it denies
// is one that the next allows.
func TestLevelsWiden(t *testing.T) {
	for _, g := range catalog.All() {
		for i := range g.Levels[1:] {
			denied := map[string]bool{}
			key := func(c catalog.Case) string { return fmt.Sprint(c.Action, c.Resource, c.Context) }
			for _, c := range g.Cases() {
				if !c.Allowed && (c.Level == g.Levels[i].Name || i == 0 && c.Level == "") {
					denied[key(c)] = true
				}
			}
			found := false
			for _, c := range g.Cases() {
				found = found || c.Allowed && c.Level == g.Levels[i+1].Name && denied[key(c)]
			}
			if !found {
				t.Errorf("%s: no case shows what level %s adds", g.Name, g.Levels[i+1].Name)
			}
		}
	}
}
