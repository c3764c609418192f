package catalog_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/catalog"
)

func TestAll(t *testing.T) {
	var names []string
	for _, g := range catalog.All() {
		names = append(names, g.Name)
	}
	want := []string{
		"assume-roles", "audit-read", "auto-deploy-ec2", "cdk-deploy", "cloudformation-deploy",
		"codedeploy", "consul-auto-discovery", "ecr-docker-pull", "ecr-docker-push", "ecs-run-task",
		"ecs-service-deployment", "eks-describe", "lambda-deploy", "packer-ami", "postern-apply",
		"pulumi-state-s3", "rotate-access-keys", "route53-acme", "s3-static-site", "sam-deploy",
		"secrets-read", "ssh-key-lookup", "ssm-parameters-read", "ssm-run-command", "terraform-plan", "terraform-remote-state-s3",
		"terragrunt",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	if !slices.IsSorted(names) {
		t.Error("All is not sorted: Lookup cannot find what it holds")
	}
}

// TestAreas: the list by areas is the whole catalogue, each grant once.
func TestAreas(t *testing.T) {
	var listed []*catalog.Grant
	for _, a := range catalog.Areas() {
		in := catalog.In(a)
		if len(in) == 0 {
			t.Errorf("no grant is in %q", a)
		}
		listed = append(listed, in...)
	}
	slices.SortFunc(listed, func(a, b *catalog.Grant) int { return strings.Compare(a.Name, b.Name) })
	if !slices.Equal(listed, catalog.All()) {
		t.Error("the areas do not have each grant once")
	}
}

func TestMentioning(t *testing.T) {
	for word, want := range map[string][]string{
		"kubectl":  {"eks-describe"},
		"CERTBOT":  {"route53-acme"},
		"packer":   {"packer-ami"},
		"cargo":    nil,
		"k":        nil,
		"PutImage": {"ecr-docker-push"},
		"ecr":      {"ecr-docker-pull", "ecr-docker-push"}, // and not what reads secrets
		"SSH":      {"ssh-key-lookup"},
	} {
		var got []string
		for _, g := range catalog.Mentioning(word) {
			got = append(got, g.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("grants that mention %s (-want +got):\n%s", word, diff)
		}
	}
}

func TestAllIsACopy(t *testing.T) {
	catalog.All()[0] = nil
	if catalog.All()[0] == nil {
		t.Error("a caller can change the catalogue")
	}
}

func TestLookup(t *testing.T) {
	for _, want := range catalog.All() {
		if got, ok := catalog.Lookup(want.Name); !ok || got != want {
			t.Errorf("Lookup(%q) = %v, %v", want.Name, got, ok)
		}
	}
	for _, name := range []string{"", "ecr", "ECR-docker-push", "zzz"} {
		if got, ok := catalog.Lookup(name); ok || got != nil {
			t.Errorf("Lookup(%q) = %v, %v; want nothing", name, got, ok)
		}
	}
}

func TestSuggest(t *testing.T) {
	for name, want := range map[string]string{
		"ecr-push":               "",
		"ecr-docker-pus":         "ecr-docker-push",
		"ecs_service_deploy":     "ecs-service-deployment",
		"terraform":              "", // several begin so
		"terraform-remote-state": "terraform-remote-state-s3",
		"consul-autodiscover":    "consul-auto-discovery",
		"administrator":          "",
	} {
		if got := catalog.Suggest(name); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestGrantsExplainThemselves holds every grant to what the catalogue promises
// its readers.
func TestGrantsExplainThemselves(t *testing.T) {
	for _, g := range catalog.All() {
		t.Run(g.Name, func(t *testing.T) {
			if g.Summary == "" || g.Never == "" {
				t.Error("no Summary or no Never")
			}
			if got, want := g.DefaultLevel(), g.Levels[0].Name; got != want {
				t.Errorf("DefaultLevel is %q, not the narrowest: %q", got, want)
			}
			params := map[string]catalog.Param{}
			for _, p := range g.Params {
				params[p.Name] = p
				checkParam(t, g, p)
			}
			for i, l := range g.Levels {
				if l.Summary == "" || (i == 0) != (l.Adds == "") {
					t.Errorf("level %s: Summary %q, Adds %q", l.Name, l.Summary, l.Adds)
				}
				for _, need := range l.Needs {
					p, ok := params[need]
					if !ok || p.Levels != nil && !slices.Contains(p.Levels, l.Name) {
						t.Errorf("level %s needs %q, which may not be given there", l.Name, need)
					}
				}
			}
			for _, u := range g.Unscopable {
				if len(u.Reason) < 20 {
					t.Errorf("%v: %q is no reason", u.Actions, u.Reason)
				}
			}
		})
	}
}

func checkParam(t *testing.T, g *catalog.Grant, p catalog.Param) {
	t.Helper()
	if p.Summary == "" || p.Example == "" {
		t.Errorf("%s: no Summary or no Example", p.Name)
	}
	if p.Required && p.Levels != nil {
		t.Errorf("%s: required, but not at every level", p.Name)
	}
	for _, name := range p.Levels {
		if !slices.ContainsFunc(g.Levels, func(l catalog.Level) bool { return l.Name == name }) {
			t.Errorf("%s: no level %q", p.Name, name)
		}
	}
	if p.Type == catalog.Bool {
		if p.Default != "true" && p.Default != "false" {
			t.Errorf("%s: default %q", p.Name, p.Default)
		}
		return
	}
	if p.Max == 0 {
		t.Errorf("%s: no bound", p.Name)
	}
	if !strings.HasPrefix(p.Pattern, "^") || !strings.HasSuffix(p.Pattern, "$") {
		t.Errorf("%s: pattern %q is not anchored", p.Name, p.Pattern)
	}
	form := regexp.MustCompile(p.Pattern)
	for _, v := range []string{p.Example, p.Default} {
		if v != "" && !form.MatchString(v) {
			t.Errorf("%s: %q does not match the pattern", p.Name, v)
		}
	}
	for _, v := range []string{"*", "a*", "a?", "${aws:username}", "", "a\nb", "/a", "a/", "a//b"} {
		if form.MatchString(v) {
			t.Errorf("%s: the pattern takes %q", p.Name, v)
		}
	}
}
