package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/catalog"
)

// admitted are the steps of escalation that grants open, by what they lead to,
// and the words by which the grant says so. Named are the roles and users
// that its arguments stand for; what has a role is something that stands already
// and runs with any role.
var admitted = map[string]map[string]string{
	"assume-roles":    {"sts-001 to named": "become the named roles"},
	"auto-deploy-ec2": {"ec2-001 to named": "whoever makes versions holds the roles of all instance profiles"},
	"cdk-deploy":      {"sts-001 to named": "become the roles of a CDK bootstrap"},
	"cloudformation-deploy": {
		"cloudformation-005 to named":           "what a template may do is up to the role of its stack",
		"cloudformation-005 to what has a role": "every call must name it", // CreateChangeSet takes no other role
	},
	"ecs-run-task":           {"ecs-008 to named": passing},
	"ecs-service-deployment": {"ecs-004 to named": passing, "ecs-008 to named": passing},
	"lambda-deploy": {
		"lambda-003 to named":                               passing,
		"lambda-003 to what has a role":                     "whoever changes a function's code acts with its role",
		"postern-function-configuration to named":           passing,
		"postern-function-configuration to what has a role": "whoever changes a function's code acts with its role",
	},
	"packer-ami": {"ec2-001 to named": passing},
	"postern-apply": {
		"iam-012 to named": "what the boundary allows can be given to anybody",
		"iam-019 to named": "what the boundary allows can be given to anybody",
		"iam-021 to named": "what the boundary allows can be given to anybody",
	},
	"rotate-access-keys": {
		"iam-002 to named": "whoever makes a key can use it",
		"iam-003 to named": "whoever makes a key can use it",
	},
	"sam-deploy": {
		"cloudformation-005 to named":           "what a template may do is up to the role of its stack",
		"cloudformation-005 to what has a role": "every call must name it",
	},
	"ssm-run-command": {"ssm-002 to what has a role": "whoever runs a command holds the instance's role as far as the document lets them"},
	"terragrunt":      {"postern-bucket-policy to itself": "changing the bucket's policy"},
}

const passing = "whoever deploys with a role holds it"

// TestEscalations holds a role that has nothing but one grant, at every level,
// against all known ways of escalation: a grant opens none but those that its
// text admits.
func TestEscalations(t *testing.T) {
	found := map[string]map[string]string{}
	for _, r := range renderings(t, catalog.CaseScope()) {
		for _, e := range escalations(r) {
			step := e.Path.ID + " to " + reached(r, e)
			if found[r.grant.Name] == nil {
				found[r.grant.Name] = map[string]string{}
			}
			found[r.grant.Name][step] = admitted[r.grant.Name][step]
		}
	}
	if diff := cmp.Diff(admitted, found); diff != "" {
		t.Errorf("steps of escalation (-admitted +open):\n%s", diff)
	}
	for name, steps := range admitted {
		g, _ := catalog.Lookup(name)
		for step, words := range steps {
			if words == "" || !strings.Contains(prose(g), words) {
				t.Errorf("%s: %s: the grant does not say %q", name, step, words)
			}
		}
	}
}

// reached says of whose permissions an edge leads to.
func reached(r rendering, e reach.Edge) string {
	switch {
	case e.To == e.From:
		return "itself"
	case slices.Contains(named(r.doc), e.To):
		return "named"
	case e.Path.Presumes():
		return "what has a role"
	}
	return e.To
}

// prose is what a grant says to its reader.
func prose(g *catalog.Grant) string {
	text := []string{g.Summary, g.Never}
	for _, l := range g.Levels {
		text = append(text, l.Summary, l.Adds)
	}
	for _, p := range g.Params {
		text = append(text, p.Summary, p.Wider, p.Why)
	}
	return strings.Join(text, "\n")
}

const home = "arn:aws:iam::222222222222:"

// escalations are the single steps that lead a role with nothing but the policy
// on, in a world that makes it easy: beside the role live an administrator's
// role, which every service and everybody of the account may be, and his user;
// and whatever roles, users and groups the policy names, as open as that.
func escalations(r rendering) []reach.Edge {
	all := reach.Policy{Name: home + "policy/stack-boundary", Document: document(iam.Statement{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}})}
	open := document(iam.Statement{
		Effect: iam.Allow, Actions: []string{"sts:AssumeRole", "sts:TagSession"},
		Principal: &iam.Principal{Service: everyService(), AWS: []string{home + "root"}},
	})
	holder := reach.Member{
		Who:         eval.Principal{Kind: eval.Role, ARN: home + "role/holder", Account: "222222222222"},
		Permissions: reach.Principal{Identity: []reach.Policy{{Name: "grant", Document: r.doc}}, Boundary: &all},
	}
	members, groups := []reach.Member{holder}, []reach.Group(nil)
	for _, arn := range append(named(r.doc), home+"role/admin", home+"user/admin") {
		parsed, _ := iam.ParseARN(arn)
		one := reach.Member{
			Who:         eval.Principal{Kind: eval.User, ARN: arn, Account: parsed.Account},
			Permissions: reach.Principal{Identity: []reach.Policy{all}},
		}
		switch kind, _, _ := strings.Cut(parsed.Resource, "/"); kind {
		case "role":
			one.Who.Kind, one.Trust = eval.Role, open
			members = append(members, one)
		case "user":
			members = append(members, one)
		case "group":
			groups = append(groups, reach.Group{ARN: arn, Policies: []reach.Policy{all}})
		}
	}
	return reach.NewGraph(reach.NewWorld(members, reach.Facts{}), groups).Edges(holder.Who.ARN)
}

func document(s iam.Statement) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}
}

// everyService are the services that run roles for somebody.
func everyService() []string {
	var out []string
	for _, p := range reach.Paths() {
		out = append(out, p.Service...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// named are entities of IAM for which a policy's resources stand.
func named(doc *iam.Document) []string {
	var out []string
	for _, s := range doc.Statements {
		for _, resource := range s.Resources {
			if strings.HasPrefix(resource, "arn:aws:iam:") {
				out = append(out, strings.ReplaceAll(resource, "*", "some"))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
