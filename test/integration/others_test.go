package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const githubProvider = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"

const foreignTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",` +
	`"Principal":{"Federated":"` + githubProvider + `"},` +
	`"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:acme/other:ref:refs/heads/main"}}}]}`

const foreign = `{
  "users": {"mallory": {"path": "/"}},
  "roles": {"theirs": {"path": "/", "max_session": 3600, "trust": ` + foreignTrust + `}},
  "providers": {
    "gitlab.com": {"audiences": ["gitlab"]},
    "token.actions.githubusercontent.com": {"audiences": ["sts.amazonaws.com"], "tags": {"postern:shared": "true"}}
  }
}`

// destroyOnlyOurs takes a stack down among things of others, who have put some
// of theirs into it. What is theirs stays, even the provider that came with
// the stack, until they do without it.
func destroyOnlyOurs(w *world) {
	w.aws(work, "iam", "create-user", "--user-name", "mallory")
	w.aws(work, "iam", "create-open-id-connect-provider", "--url", "https://gitlab.com", "--client-id-list", "gitlab",
		"--thumbprint-list", strings.Repeat("a", 40))
	w.writeFile("drift.yaml")
	w.apply()
	w.aws(work, "iam", "create-role", "--role-name", "theirs", "--assume-role-policy-document", foreignTrust)
	w.aws(work, "iam", "add-user-to-group", "--user-name", "mallory", "--group-name", "drift-robot")
	w.aws(work, "iam", "create-access-key", "--user-name", "drift-robot")

	r := w.run(2, "plan", "--destroy", "--detailed-exitcode", w.spec)
	says(w, r.out, "- role drift-push", "- user drift-robot", "- group drift-robot", "RemoveUserFromGroup mallory its group goes", "0 to create, 0 to change, 3 to delete")
	saysNot(w, r.out, "theirs", "gitlab.com", "OIDC provider")
	w.run(0, "destroy", "--yes", w.spec)
	w.stands(work, foreign)
	says(w, w.run(0, "destroy", "--yes", w.spec).out, "no changes") // and again

	w.aws(work, "iam", "delete-role", "--role-name", "theirs")
	says(w, w.run(0, "destroy", "--yes", w.spec).out, "DeleteOpenIDConnectProvider", "no role of the account trusts it any more")
	w.stands(work, `{"users": {"mallory": {"path": "/"}}, "providers": {"gitlab.com": {"audiences": ["gitlab"]}}}`)
}

// takenNames lets others hold the names that the stack needs: it is refused as
// a whole.
func takenNames(w *world) {
	w.aws(work, "iam", "create-role", "--role-name", "drift-push", "--path", "/team/", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}`)
	w.aws(work, "iam", "create-user", "--user-name", "drift-robot")
	before := w.glance(work)
	w.writeFile("drift.yaml")
	for _, args := range [][]string{{"plan", "--detailed-exitcode"}, {"apply", "--yes"}, {"up", "--yes"}} {
		r := w.run(1, append(args, w.spec)...)
		says(w, r.err,
			"arn:aws:iam::222222222222:role/team/drift-push: the stack needs a role named drift-push",
			"arn:aws:iam::222222222222:user/drift-robot: the stack needs a user named drift-robot",
			"rename it in the spec", "2 errors")
	}
	says(w, w.run(0, "destroy", "--yes", w.spec).out, "no changes") // nothing here is ours
	if diff := cmp.Diff(before, w.glance(work), cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("refused, and changed (-before +after):\n%s", diff)
	}
}

// repositories are n long names; a hundred of them take most of the 10,240
// characters that a role's inline policies may have.
func repositories(team string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("department-of-magic/%s-service-number-%03d", team, i))
	}
	return names
}

// tooMuch is a spec whose role does not fit inline.
func tooMuch(spec string, owls, toads int) string {
	grants := "[" + strings.Join(repositories("owl", owls), ", ") + "] }\n" +
		"      - ecr-docker-push: { repositories: [" + strings.Join(repositories("toad", toads), ", ") + "]"
	return strings.Replace(spec, "[shop]", grants, 1)
}

// spill grants so much that it does not fit inline, then less, then little.
func spill(w *world) {
	spec := testdata(w, "edits.yaml")
	w.write(tooMuch(spec, 90, 80))
	w.apply()
	w.spilled(90, 80)

	w.write(tooMuch(spec, 85, 80))
	saysNot(w, w.run(2, "plan", "--detailed-exitcode", w.spec).out, "widens")
	w.apply()
	w.spilled(85, 80)

	w.write(spec)
	w.apply()
	s := w.glance(work)
	if r := s.Roles["edits-push"]; len(r.Attached) != 0 || len(r.Inline) != 1 || len(s.Policies) != 0 {
		w.Errorf("it fits again, and the managed policies are still there: %+v, %v", r, s.Policies)
	}
	w.run(0, "destroy", "--yes", w.spec)
	w.stands(work, `{}`)
}

// spilled wants the second grant inline, and the first in managed policies
// which are the stack's only ones, are all attached, each within AWS's size,
// and together grant what the inline one would.
func (w *world) spilled(owls, toads int) {
	w.Helper()
	s := w.glance(work)
	var attached, inManaged, inInline []string
	for name, p := range s.Policies {
		attached = append(attached, "arn:aws:iam::222222222222:policy/postern/edits/"+name)
		if size := len(compact(w, p.Document)); p.Path != "/postern/edits/" || size > 6144 {
			w.Errorf("policy %s has path %s and %d characters", name, p.Path, size)
		}
		inManaged = append(inManaged, resourcesOf(w, p.Document)...)
	}
	slices.Sort(attached)
	if diff := cmp.Diff(attached, s.Roles["edits-push"].Attached); diff != "" || len(attached) < 2 {
		w.Errorf("policies (-standing +attached):\n%s", diff)
	}
	for _, document := range s.Roles["edits-push"].Inline {
		inInline = append(inInline, resourcesOf(w, document)...)
	}
	slices.Sort(inManaged)
	got := object{"managed": inManaged, "inline": inInline}
	want := object{"managed": repositoryARNs("owl", owls), "inline": repositoryARNs("toad", toads)}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("repositories (-want +got):\n%s", diff)
	}
}

func repositoryARNs(team string, n int) []string {
	var arns []string
	for _, name := range repositories(team, n) {
		arns = append(arns, "arn:aws:ecr:eu-west-1:222222222222:repository/"+name)
	}
	return arns
}

// resourcesOf are the resources of a policy's statements but "*", with which
// nothing but logging in may come.
func resourcesOf(t testing.TB, document object) []string {
	t.Helper()
	var out []string
	statements, _ := document["Statement"].([]any)
	for _, each := range statements {
		s, _ := each.(object)
		resources, _ := s["Resource"].([]any)
		for _, r := range resources {
			arn, _ := r.(string)
			if arn != "*" {
				out = append(out, arn)
			} else if actions := compact(t, s["Action"]); actions != `["ecr:GetAuthorizationToken"]` {
				t.Errorf("%s on *", actions)
			}
		}
	}
	return out
}
