package catalog_test

import (
	"slices"
	"strings"
	"testing"

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
				for _, c := range s.Conditions {
					if !sendsKey(known, c.Key) {
						t.Errorf("%s: %s: AWS sends no %s with %s", r, s.SID, c.Key, name)
					}
				}
			}
		}
	}
}

func checkResources(t *testing.T, r rendering, s iam.Statement, known *action.Action) {
	t.Helper()
	name := known.String()
	if slices.Equal(s.Resources, []string{"*"}) {
		// A list by service names no container instance: see ecs.go.
		if !known.WildcardOnly && name != "ecs:ListTasks" {
			t.Errorf("%s: %s: %s stands on \"*\" but knows resources", r, s.SID, name)
		}
		return
	}
	for _, resource := range s.Resources {
		if name == "ecs:RunTask" && !strings.Contains(resource, "task-definition/") {
			t.Errorf("%s: %s: %s", r, s.SID, resource)
		}
		if name == "ecs:RunTask" {
			continue // also judged by ARNs without a revision: see ecs.go
		}
		if !slices.ContainsFunc(known.ResourceTypes(), func(k *action.ResourceType) bool { return k.Overlaps(resource) }) {
			t.Errorf("%s: %s: %s does not act on %s", r, s.SID, name, resource)
		}
	}
}

// sendsKey reports whether requests for an action carry the key: its own, or
// the region, which all do.
func sendsKey(known *action.Action, key string) bool {
	k, ok := action.ConditionKey(known.Service, key)
	return ok && (k.Name == "aws:RequestedRegion" || slices.Contains(known.Keys(), k.Name))
}

func TestCasesNameRealActions(t *testing.T) {
	for _, g := range catalog.All() {
		for _, c := range g.Cases {
			if a, ok := action.Lookup(c.Action); !ok || a.String() != c.Action {
				t.Errorf("%s: AWS has no action %s", g.Name, c.Action)
			}
		}
	}
}
