package prove

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/spec"
)

//go:generate go test . -run TestIdentitiesPage -update

var update = flag.Bool("update", false, "write what docs/identities.md says of its examples")

const identitiesPage = "../../docs/identities.md"

// section is a part of the page: its heading ends in the kind, its example is an
// entry of identities, and what follows the mark, up to the next one, is made here.
var section = regexp.MustCompile("(?ms)^## [^\n]*`([a-z_]+)`\n.*?^```yaml\n(.*?)^```\n\n<!-- trust -->\n(.*?)<!-- end -->$")

// TestIdentitiesPage compiles the example of each kind and compares what the page
// says of its trust: whom AWS lets in, who is refused, and what stays open.
func TestIdentitiesPage(t *testing.T) {
	text, err := os.ReadFile(identitiesPage)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	made := section.ReplaceAllStringFunc(string(text), func(part string) string {
		m := section.FindStringSubmatch(part)
		kinds = append(kinds, m[1])
		return strings.Replace(part, "<!-- trust -->\n"+m[3], "<!-- trust -->\n"+trustOf(t, m[1], m[2]), 1)
	})
	if *update {
		if err := os.WriteFile(identitiesPage, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(made, string(text)); diff != "" {
		t.Errorf("docs/identities.md is out of date: run go generate ./internal/prove (-want +got):\n%s", diff)
	}
	slices.Sort(kinds)
	if diff := cmp.Diff(allKinds(t), kinds); diff != "" {
		t.Errorf("kinds that the page explains (-want +got):\n%s", diff)
	}
}

// allKinds are the kinds of identity that the schema of the spec knows, sorted.
func allKinds(t *testing.T) []string {
	t.Helper()
	var schema struct {
		Properties struct {
			Identities struct {
				AdditionalProperties struct {
					OneOf []struct{ Required []string }
				} `json:"additionalProperties"`
			} `json:"identities"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, one := range schema.Properties.Identities.AdditionalProperties.OneOf {
		kinds = append(kinds, one.Required...)
	}
	slices.Sort(kinds)
	return kinds
}

// trustOf says what comes of an entry of identities that a role trusts.
func trustOf(t *testing.T, kind, entry string) string {
	t.Helper()
	name, _, _ := strings.Cut(entry, ":")
	text := "stack: shop\nregion: eu-west-1\naccounts: { prod: { id: \"222222222222\" } }\nidentities:\n  " +
		strings.ReplaceAll(strings.TrimSpace(entry), "\n", "\n  ") +
		"\nroles:\n  deploy: { trust: [" + name + "], grants: [consul-auto-discovery] }\n"
	s, err := spec.Parse(spec.Source{Name: kind, Data: []byte(text)})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	e := compileSpec(t, s)
	a := RunAttacks(Input{Spec: s, Estate: e, Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}).Targets[0]
	if !a.Enters {
		t.Errorf("%s: the identity itself is refused", kind)
	}
	var refused []string
	for _, one := range a.Attempts {
		if one.Admitted {
			t.Errorf("%s: %s is admitted", kind, one.Attack)
		}
		refused = append(refused, one.Attack)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "```text\n%s```\n\nTried and refused: %s.\n", asked(e.Account("222222222222").Roles[0].Trust.Statements[0]), strings.Join(refused, "; "))
	if len(a.Open) > 0 {
		b.WriteString("\nLeft open:\n\n")
	}
	for _, open := range a.Open {
		fmt.Fprintf(&b, "- %s\n", open)
	}
	return b.String()
}

// asked lists who may ask by a statement, and what must hold.
func asked(st iam.Statement) string {
	p := st.Principal
	lines := []string{strings.Join(slices.Concat(p.Federated, p.Service, p.AWS), ", ") + ": " + strings.Join(st.Actions, ", ")}
	for _, c := range st.Conditions {
		lines = append(lines, "  "+c.Key+" "+c.Operator)
		for _, value := range c.Values {
			lines = append(lines, "    "+value)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
