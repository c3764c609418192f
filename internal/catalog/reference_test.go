package catalog_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/catalog"
)

// TestReferenceKnows compares every statement with AWS's service
// authorization reference: an action must know one of the statement's
// resources, or else stand on "*" for a reason; a condition must use a key
// that AWS sends with the action, or the statement would never hold.
func TestReferenceKnows(t *testing.T) {
	for _, r := range renderings(t, catalog.CaseScope()) {
		for _, s := range r.doc.Statements {
			for _, name := range s.Actions {
				known, ok := action.Lookup(name)
				if !ok || known.String() != name {
					t.Fatalf("%s: AWS has no action %s", r, name)
				}
				checkResources(t, r, s, known)
				checkTagging(t, r, s, known)
				for _, c := range s.Conditions {
					if !sendsKey(known, c.Key) {
						t.Errorf("%s: %s: AWS sends no %s with %s", r, s.SID, c.Key, name)
					}
				}
			}
		}
	}
}

// starred are the actions that must stand on "*" although AWS's reference knows
// resources of theirs. The reason stands in Unscopable.
var starred = map[string]bool{
	"ecs:ListTasks": true, // a list by service names no container instance
}

// unlisted are parts of ARNs that AWS judges an action by although its reference
// does not say so.
var unlisted = map[string]string{
	"cloudformation:CreateChangeSet": ":aws:transform/",   // see cloudformation.go
	"ecs:RunTask":                    ":task-definition/", // by family too, without a revision: see ecs.go
}

func checkResources(t *testing.T, r rendering, s iam.Statement, known *action.Action) {
	t.Helper()
	name := known.String()
	if slices.Contains(s.Resources, "*") {
		if len(s.Resources) > 1 || !known.WildcardOnly && !starred[name] {
			t.Errorf("%s: %s: %s stands on \"*\" but knows resources", r, s.SID, name)
		}
		return
	}
	for _, resource := range s.Resources {
		if part := unlisted[name]; part != "" && strings.Contains(resource, part) {
			continue
		}
		if !slices.ContainsFunc(known.ResourceTypes(), func(k *action.ResourceType) bool { return k.Overlaps(resource) }) {
			t.Errorf("%s: %s: %s does not act on %s", r, s.SID, name, resource)
		}
	}
}

// checkTagging demands that a right to tag holds for what the role creates, and
// not for what is there, where AWS can tell them apart.
func checkTagging(t *testing.T, r rendering, s iam.Statement, known *action.Action) {
	t.Helper()
	key := known.Service + ":CreateAction"
	bound := slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool { return c.Key == key && c.Operator == "StringEquals" })
	if known.Level == action.Tagging && slices.Contains(known.Keys(), key) && !bound {
		t.Errorf("%s: %s: %s without %s", r, s.SID, known, key)
	}
}

// sendsKey reports whether requests for an action carry the key: its own, or
// one that all requests do. Tags are no such keys: AWS documents for each
// action whether it knows them.
func sendsKey(known *action.Action, key string) bool {
	k, ok := action.ConditionKey(known.Service, key)
	always := k.Global && k.Name != "aws:TagKeys" && !strings.Contains(k.Name, "${")
	return ok && (always || slices.Contains(known.Keys(), k.Name))
}

// TestWhy compares the actions that a grant renders with those that it gives
// a reason for, both ways.
func TestWhy(t *testing.T) {
	rendered := map[string]map[string]bool{}
	for _, r := range renderings(t, catalog.CaseScope()) {
		if rendered[r.grant.Name] == nil {
			rendered[r.grant.Name] = map[string]bool{}
		}
		for _, s := range r.doc.Statements {
			for _, a := range s.Actions {
				rendered[r.grant.Name][a] = true
			}
		}
	}
	oneLine := regexp.MustCompile(`^[A-Za-z][^\n]{15,140}[^.\n]$`)
	for _, g := range catalog.All() {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(g.Why)), slices.Sorted(maps.Keys(rendered[g.Name]))); diff != "" {
			t.Errorf("%s: actions (-in Why +rendered):\n%s", g.Name, diff)
		}
		for name, why := range g.Why {
			if tool, call, ok := strings.Cut(why, ": "); !ok || tool == "" || call == "" || !oneLine.MatchString(why) {
				t.Errorf("%s: %s: %q is not one line of the form \"tool: call\"", g.Name, name, why)
			}
		}
	}
}

func TestCasesNameRealActions(t *testing.T) {
	for _, g := range catalog.All() {
		for _, c := range g.Cases() {
			if a, ok := action.Lookup(c.Action); !ok || a.String() != c.Action {
				t.Errorf("%s: AWS has no action %s", g.Name, c.Action)
			}
		}
	}
}
