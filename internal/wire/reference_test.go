package wire

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam/action"
)

// TestReference holds the table against AWS's service authorization reference:
// the actions, what they act on and the condition keys that come with them.
func TestReference(t *testing.T) {
	for _, s := range services() {
		for _, op := range s.operations {
			checkReference(t, s.name+":"+op.action, op.resource, op.context)
			for _, n := range op.needs {
				checkReference(t, n.action, n.resource, n.context)
			}
		}
	}
}

func checkReference(t *testing.T, name, resource string, context map[string]string) {
	t.Helper()
	known, ok := action.Lookup(name)
	switch {
	case !ok || known.String() != name:
		t.Errorf("AWS has no action %s", name)
		return
	case resource == "*":
		if !known.WildcardOnly {
			t.Errorf("%s is judged on \"*\", but knows resources", name)
		}
	case !strings.HasPrefix(resource, "{") && !actsOn(known, resource):
		t.Errorf("%s does not act on %s", name, resource)
	}
	for key := range context {
		if !slices.ContainsFunc(known.Keys(), func(k string) bool { return strings.EqualFold(k, key) }) {
			t.Errorf("AWS sends no %s with %s", key, name)
		}
	}
}

func actsOn(known *action.Action, template string) bool {
	arn := field().ReplaceAllStringFunc(strings.ReplaceAll(template, "{partition}", "aws"), func(ref string) string {
		switch name := strings.Trim(ref, "{}"); {
		case name == "region":
			return "eu-west-1"
		case name == "account":
			return "222222222222"
		case strings.Contains(name, "..."):
			return "*"
		}
		return "example"
	})
	return slices.ContainsFunc(known.ResourceTypes(), func(k *action.ResourceType) bool { return k.Overlaps(arn) })
}
