package catalog_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
)

// reference is what AWS says of an action. testdata/extract.mjs writes it.
type reference struct {
	Resources []resourceType `json:"resources"`
	Keys      []string       `json:"keys"` // condition keys that AWS sends with it
}

type resourceType struct {
	ARN string `json:"arn"` // such as "arn:${Partition}:s3:::${BucketName}"
}

func readReference(t *testing.T) map[string]reference {
	t.Helper()
	src, err := os.ReadFile("testdata/actions.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]reference
	if err := json.Unmarshal(src, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// names tells whether a resource of a policy can be one of the type.
func names(template, resource string) bool {
	if strings.HasSuffix(template, ":::${BucketName}") && strings.Contains(resource, "/") {
		return false // an object: bucket names hold no slash
	}
	return iam.Overlaps(variable.ReplaceAllString(template, "*"), resource)
}

// TestReferenceKnows compares every statement with AWS's service
// authorization reference: an action must know one of the statement's
// resources, or else stand on "*" for a reason; a condition must use a key
// that AWS sends with the action, or the statement would never hold.
func TestReferenceKnows(t *testing.T) {
	ref := readReference(t)
	for _, r := range renderings(t, catalog.CaseScope()) {
		for _, s := range r.doc.Statements {
			for _, action := range s.Actions {
				known, ok := ref[action]
				if !ok {
					t.Fatalf("%s: AWS has no action %s (or run testdata/extract.mjs)", r, action)
				}
				checkResources(t, r, s, action, known)
				for _, c := range s.Conditions {
					if !sendsKey(known, c.Key) {
						t.Errorf("%s: %s: AWS sends no %s with %s", r, s.SID, c.Key, action)
					}
				}
			}
		}
	}
}

func checkResources(t *testing.T, r rendering, s iam.Statement, action string, known reference) {
	t.Helper()
	if slices.Equal(s.Resources, []string{"*"}) {
		// A list by service names no container instance: see ecs.go.
		if len(known.Resources) > 0 && action != "ecs:ListTasks" {
			t.Errorf("%s: %s: %s stands on \"*\" but knows resources", r, s.SID, action)
		}
		return
	}
	for _, resource := range s.Resources {
		if action == "ecs:RunTask" && !strings.Contains(resource, "task-definition/") {
			t.Errorf("%s: %s: %s", r, s.SID, resource)
		}
		if action == "ecs:RunTask" {
			continue // also judged by ARNs without a revision: see ecs.go
		}
		if !slices.ContainsFunc(known.Resources, func(k resourceType) bool { return names(k.ARN, resource) }) {
			t.Errorf("%s: %s: %s does not act on %s", r, s.SID, action, resource)
		}
	}
}

func sendsKey(known reference, key string) bool {
	if key == "aws:RequestedRegion" {
		return true // a global key, in every request
	}
	name, tag, _ := strings.Cut(key, "/")
	return slices.ContainsFunc(known.Keys, func(k string) bool {
		kname, ktag, _ := strings.Cut(k, "/")
		return strings.EqualFold(name, kname) && (tag == "") == (ktag == "")
	})
}

func TestCasesNameRealActions(t *testing.T) {
	ref := readReference(t)
	for _, g := range catalog.All() {
		for _, c := range g.Cases {
			if _, ok := ref[c.Action]; !ok {
				t.Errorf("%s: AWS has no action %s (or run testdata/extract.mjs)", g.Name, c.Action)
			}
		}
	}
}
