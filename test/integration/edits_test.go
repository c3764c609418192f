package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// edits are changes of the spec, one on top of the other, and what the plan
// says of each.
var edits = []struct {
	name          string
	old, new      string // replaced in the spec
	says, saysNot []string
}{
	{
		name: "a role is added",
		old:  "roles:\n",
		new:  "roles:\n  find:\n    trust: [{ service: ec2 }]\n    grants: [consul-auto-discovery]\n",
		says: []string{"+ role edits-find CreateRole", "role edits-find new", "1 to create, 0 to change, 0 to delete, in 2 calls"},
	},
	{
		name: "a grant is widened",
		old:  "[shop]", new: "[shop, web]",
		says: []string{
			"~ role edits-push PutRolePolicy ecr-docker-push its statements differ", "role edits-push ! widens",
			"on arn:aws:ecr:eu-west-1:222222222222:repository/web", "! access widens: arn:aws:iam::222222222222:role/postern/edits/edits-push",
		},
		saysNot: []string{"repository/shop"},
	},
	{
		name: "a grant is narrowed",
		old:  "[shop, web]", new: "[web]",
		says:    []string{"- ecr:BatchCheckLayerAvailability", "on arn:aws:ecr:eu-west-1:222222222222:repository/shop", "in 1 call"},
		saysNot: []string{"widens", "repository/web"},
	},
	{
		name: "somebody joins",
		old:  "[build]", new: "[build, checks]",
		says:    []string{"~ role edits-push UpdateAssumeRolePolicy", "! widens", "+ may be assumed by", "repo:acme/shop:pull_request"},
		saysNot: []string{"ref:refs/heads/main"},
	},
	{
		name: "somebody leaves",
		old:  "[build, checks]", new: "[checks]",
		says:    []string{"~ role edits-push UpdateAssumeRolePolicy", "- may no longer be assumed by", "repo:acme/shop:ref:refs/heads/main"},
		saysNot: []string{"widens", "pull_request"},
	},
	{
		name: "access gets an end",
		old:  "{ repositories: [web] }\n", new: "{ repositories: [web] }\n        until: 2037-01-01\n",
		says: []string{"PutRolePolicy ecr-docker-push its statements differ", "in 1 call"}, saysNot: []string{"widens"},
	},
	{
		name: "a session gets longer",
		old:  "  push:\n", new: "  push:\n    session: 3h\n",
		says: []string{"UpdateRole", "in 1 call"}, saysNot: []string{"widens"},
	},
	{
		name: "a role is removed",
		old:  "  find:\n    trust: [{ service: ec2 }]\n    grants: [consul-auto-discovery]\n", new: "",
		says:    []string{"- role edits-find DeleteRolePolicy", "DeleteRole nothing in the spec needs it", "0 to create, 0 to change, 1 to delete"},
		saysNot: []string{"widens", "edits-push"},
	},
}

const edited = `{
  "providers": {"token.actions.githubusercontent.com": {"audiences": ["sts.amazonaws.com"], "tags": {"postern:shared": "true"}}},
  "roles": {
    "edits-push": {
      "path": "/postern/edits/",
      "max_session": 10800,
      "tags": {"postern:stack": "edits"},
      "trust": {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},
        "Condition": {"StringEquals": {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": "repo:acme/shop:pull_request"
        }}
      }]},
      "inline": {"ecr-docker-push": {"Version": "2012-10-17", "Statement": [
        {
          "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*",
          "Condition": {"DateLessThan": {"aws:CurrentTime": "2037-01-01T00:00:00Z"}}
        },
        {
          "Effect": "Allow", "Resource": "arn:aws:ecr:eu-west-1:222222222222:repository/web",
          "Action": [
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
            "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"
          ],
          "Condition": {"DateLessThan": {"aws:CurrentTime": "2037-01-01T00:00:00Z"}}
        }
      ]}}
    }
  }
}`

// specEdits changes the spec step by step; each plan says what it gives and
// takes, and nothing else.
func specEdits(w *world) {
	spec := testdata(w, "edits.yaml")
	w.write(spec)
	w.apply()
	for _, e := range edits {
		if strings.Count(spec, e.old) != 1 {
			w.Fatalf("%s: %q stands %d times in\n%s", e.name, e.old, strings.Count(spec, e.old), spec)
		}
		spec = strings.Replace(spec, e.old, e.new, 1)
		w.write(spec)
		r := w.run(2, "plan", "--detailed-exitcode", w.spec)
		if !says(w, r.out, e.says...) || !saysNot(w, r.out, e.saysNot...) {
			w.Errorf("when %s", e.name)
		}
		w.apply()
	}
	w.stands(work, edited)
}

// planFile carries out exactly what was written, once, and refuses a plan that
// AWS has overtaken without changing anything.
func planFile(w *world) {
	w.writeFile("edits.yaml")
	file := filepath.Join(w.dir, "edits.plan")
	w.run(2, "plan", "--detailed-exitcode", "-o", file, w.spec)
	planned := callsIn(w, readFile(w, file))
	if want := []string{"CreateOpenIDConnectProvider", "CreateRole", "PutRolePolicy"}; !slices.Equal(planned, want) {
		w.Errorf("the plan has %v, want %v", planned, want)
	}
	// The file is all that it takes: the spec has moved on, and does not count.
	w.write(strings.Replace(testdata(w, "edits.yaml"), "[shop]", "[other]", 1))
	made := callsIn(w, []byte(w.run(0, "apply", "--yes", "--json", file).out))
	if !slices.Equal(made, planned) {
		w.Errorf("made %v, planned %v", made, planned)
	}
	before := w.glance(work)
	inline := before.Roles["edits-push"].Inline["ecr-docker-push"]
	if text := compact(w, inline); !strings.Contains(text, "repository/shop") || strings.Contains(text, "repository/other") {
		w.Errorf("the policy is not that of the plan: %s", text)
	}

	w.refusedAsStale(file) // it is done already
	w.run(2, "plan", "--detailed-exitcode", "-o", file, w.spec)
	w.aws(work, "iam", "tag-role", "--role-name", "edits-push", "--tags", "Key=owner,Value=mallory")
	w.refusedAsStale(file)
	before.Roles["edits-push"].Tags["owner"] = "mallory"
	if diff := cmp.Diff(before, w.glance(work), cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("refused, and changed (-before +after):\n%s", diff)
	}
}

func (w *world) refusedAsStale(file string) {
	w.Helper()
	r := w.run(1, "apply", "--yes", file)
	says(w, r.err, "the plan is stale", "postern plan -o")
	saysNot(w, r.err+r.out, "calls made", "CreateRole", "PutRolePolicy")
}

// callsIn are the calls of a plan file, or of what apply --json prints, which
// must all be done. Stages run in order, so the calls of one role each do.
func callsIn(t testing.TB, text []byte) []string {
	t.Helper()
	var file struct {
		Changes []struct {
			Verb, State string
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var calls []string
	for _, c := range file.Changes {
		if c.State != "" && c.State != "done" {
			t.Errorf("%s is %s", c.Verb, c.State)
		}
		calls = append(calls, c.Verb)
	}
	return calls
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compact(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decoded(t testing.TB, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}
