package catalog_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
)

// rendering is one policy of the catalogue.
type rendering struct {
	grant *catalog.Grant
	level string
	args  catalog.Args
	doc   *iam.Document
}

func (r rendering) String() string {
	args, _ := json.Marshal(r.args)
	return r.grant.Name + "/" + r.level + string(args)
}

// renderings are the policies of all cases, each once.
func renderings(t testing.TB, s catalog.Scope) []rendering {
	t.Helper()
	var out []rendering
	seen := map[string]bool{}
	for _, g := range catalog.All() {
		for _, c := range g.Cases() {
			r := rendering{grant: g, level: c.Level, args: c.Args}
			if r.level == "" {
				r.level = g.DefaultLevel()
			}
			if seen[r.String()] {
				continue
			}
			seen[r.String()] = true
			doc, err := g.Policy(s, c.Level, moved(g, s, c.Args))
			if err != nil {
				t.Fatalf("%s: %v", r, err)
			}
			r.doc = doc
			out = append(out, r)
		}
	}
	return out
}

// moved puts the scope's own region and partition for those of another.
func moved(g *catalog.Grant, s catalog.Scope, args catalog.Args) catalog.Args {
	if s.Partition == catalog.CaseScope().Partition {
		return args
	}
	out := maps.Clone(args)
	for _, p := range g.Params {
		if out[p.Name] == nil {
			continue
		}
		var values []string
		for _, v := range out[p.Name] {
			if p.Regions {
				v = s.Region
			}
			values = append(values, strings.Replace(v, "arn:aws:", "arn:"+s.Partition+":", 1))
		}
		out[p.Name] = values
	}
	return out
}

// TestUnscopable compares the actions that stand on "*" with those that the
// grant admits to, both ways.
func TestUnscopable(t *testing.T) {
	found := map[string]map[string]bool{}
	for _, r := range renderings(t, catalog.CaseScope()) {
		if found[r.grant.Name] == nil {
			found[r.grant.Name] = map[string]bool{}
		}
		for _, s := range r.doc.Statements {
			if slices.Contains(s.Resources, "*") {
				for _, a := range s.Actions {
					found[r.grant.Name][a] = true
				}
			}
		}
	}
	for _, g := range catalog.All() {
		var admitted []string
		for _, u := range g.Unscopable {
			admitted = append(admitted, u.Actions...)
		}
		slices.Sort(admitted)
		if diff := cmp.Diff(admitted, slices.Sorted(maps.Keys(found[g.Name]))); diff != "" {
			t.Errorf("%s: actions on \"*\" (-admitted +rendered):\n%s", g.Name, diff)
		}
	}
}

var (
	alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	oneAction    = regexp.MustCompile(`^[a-z0-9]+:[A-Za-z0-9]+$`)
)

// lintStatement holds for every statement of every policy of the catalogue,
// whatever the arguments.
func lintStatement(t *testing.T, r rendering, s iam.Statement) {
	t.Helper()
	if !alphanumeric.MatchString(s.SID) || s.Effect != iam.Allow || s.Principal != nil || s.NotActions != nil || s.NotResources != nil {
		t.Errorf("%s: %+v is not a plain Allow with an alphanumeric id", r, s)
	}
	if len(s.Actions) == 0 || len(s.Resources) == 0 || !slices.IsSorted(s.Actions) {
		t.Errorf("%s: %s: no or unsorted actions, or no resources: %+v", r, s.SID, s)
	}
	for _, a := range s.Actions {
		if !oneAction.MatchString(a) {
			t.Errorf("%s: %s: %q is not one action", r, s.SID, a)
		}
		if a == "iam:PassRole" {
			lintPassRole(t, r, s)
		}
	}
	for _, res := range s.Resources {
		if res != "*" && strings.ContainsAny(res, "*?$") && !promised(r, res) {
			t.Errorf("%s: %s: %q is wider than the level promises", r, s.SID, res)
		}
	}
	for _, c := range s.Conditions {
		for _, v := range c.Values {
			like := strings.Contains(c.Operator, "Like")
			if strings.ContainsAny(strings.TrimSuffix(v, "*"), "*?$") && (!like || !promised(r, v)) || strings.HasSuffix(v, "*") && !like {
				t.Errorf("%s: %s: %s %s: %q", r, s.SID, c.Operator, c.Key, v)
			}
		}
	}
}

func lintPassRole(t *testing.T, r rendering, s iam.Statement) {
	t.Helper()
	if len(s.Actions) != 1 || strings.Contains(strings.Join(s.Resources, ""), "*") {
		t.Errorf("%s: %s: PassRole on more than named roles: %+v", r, s.SID, s)
	}
	if len(s.Conditions) != 1 || s.Conditions[0].Operator != "StringEquals" || s.Conditions[0].Key != "iam:PassedToService" {
		t.Errorf("%s: %s: PassRole without a service: %+v", r, s.SID, s.Conditions)
	}
}

func TestStatementsAreSound(t *testing.T) {
	owner := map[string]string{} // of a statement id
	for _, r := range renderings(t, catalog.CaseScope()) {
		inDocument := map[string]bool{}
		for _, s := range r.doc.Statements {
			lintStatement(t, r, s)
			if inDocument[s.SID] {
				t.Errorf("%s: two statements %s", r, s.SID)
			}
			inDocument[s.SID] = true
			if o := owner[s.SID]; o != "" && o != r.grant.Name {
				t.Errorf("%s and %s both use the id %s: they could not share a policy", o, r.grant.Name, s.SID)
			}
			owner[s.SID] = r.grant.Name
		}
		if r.doc.Version != iam.Version2012 {
			t.Errorf("%s: version %q", r, r.doc.Version)
		}
	}
}

// TestNothingIsSaidTwice: no statement allows what another allows without
// conditions.
func TestNothingIsSaidTwice(t *testing.T) {
	for _, r := range renderings(t, catalog.CaseScope()) {
		for i, s := range r.doc.Statements {
			for j, other := range r.doc.Statements {
				lockAndService := s.SID == "TerraformPlanStateLockTable" && other.SID == "TerraformPlanDynamodbtable" // two parameters, either may go
				if i == j || len(other.Conditions) > 0 || lockAndService {
					continue
				}
				for _, a := range s.Actions {
					for _, resource := range s.Resources {
						if slices.Contains(other.Actions, a) && slices.ContainsFunc(other.Resources, func(wide string) bool { return iam.Covers(wide, resource) }) {
							t.Errorf("%s: %s allows %s on %s, as %s does", r, s.SID, a, resource, other.SID)
						}
					}
				}
			}
		}
	}
}

// TestPartitions renders everything in the other partitions: no ARN may stay
// in the commercial one, or in the account of the cases.
func TestPartitions(t *testing.T) {
	for _, s := range []catalog.Scope{
		{Partition: "aws-cn", Region: "cn-north-1", Account: "444444444444"},
		{Partition: "aws-us-gov", Region: "us-gov-west-1", Account: "444444444444"},
	} {
		for _, r := range renderings(t, s) {
			text := string(r.doc.Indented())
			for _, foreign := range []string{"arn:aws:", catalog.CaseScope().Region + ":", catalog.CaseScope().Account} {
				if strings.Contains(text, foreign) {
					t.Errorf("%s: %s contains %q:\n%s", s.Partition, r, foreign, text)
				}
			}
		}
	}
}

// TestServiceNamesByPartition compares the names under which condition keys
// know services: in China some carry another suffix.
func TestServiceNamesByPartition(t *testing.T) {
	terragrunt, _ := catalog.Lookup("terragrunt")
	deploy, _ := catalog.Lookup("auto-deploy-ec2")
	for _, tt := range []struct {
		scope       catalog.Scope
		via, passed []string
	}{
		{catalog.CaseScope(), []string{"s3.eu-west-1.amazonaws.com"}, []string{"ec2.amazonaws.com"}},
		{catalog.Scope{Partition: "aws-us-gov", Region: "us-gov-west-1", Account: "222222222222"}, []string{"s3.us-gov-west-1.amazonaws.com"}, []string{"ec2.amazonaws.com"}},
		{
			catalog.Scope{Partition: "aws-cn", Region: "cn-north-1", Account: "222222222222"},
			[]string{"s3.cn-north-1.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn"},
			[]string{"ec2.amazonaws.com", "ec2.amazonaws.com.cn"},
		},
	} {
		state, err := terragrunt.Statements(tt.scope, "bucket", catalog.Args{"bucket": {"acme-state"}, "kms_key": {"1234abcd-12ab-34cd-56ef-1234567890ab"}})
		if err != nil {
			t.Fatal(err)
		}
		release, err := deploy.Statements(tt.scope, "release", catalog.Args{"service": {"shop"}, "groups": {"shop"}, "pass_roles": {"shop"}, "accepts": {"any-instance-profile"}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.via, conditionValues(state, "kms:ViaService")); diff != "" {
			t.Errorf("%s: kms:ViaService (-want +got):\n%s", tt.scope.Partition, diff)
		}
		if diff := cmp.Diff(tt.passed, conditionValues(release, "iam:PassedToService")); diff != "" {
			t.Errorf("%s: iam:PassedToService (-want +got):\n%s", tt.scope.Partition, diff)
		}
	}
}

// TestStateElsewhere: the state's bucket, table and key may live in another
// region than the role, the key in another account too.
func TestStateElsewhere(t *testing.T) {
	g, _ := catalog.Lookup("terraform-remote-state-s3")
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	args := catalog.Args{"bucket": {"acme-state"}, "key": {"a.tfstate"}, "lock_table": {"locks"}, "region": {"us-east-1"}, "kms_key": {id}}
	for _, tt := range []struct {
		name, key        string
		wantARN, wantVia string
	}{
		{"key by id", id, "arn:aws:kms:us-east-1:222222222222:key/" + id, "s3.us-east-1.amazonaws.com"},
		{
			"key by ARN", "arn:aws:kms:us-west-2:333333333333:key/" + id,
			"arn:aws:kms:us-west-2:333333333333:key/" + id, "s3.us-west-2.amazonaws.com",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args["kms_key"] = []string{tt.key}
			got, err := g.Statements(catalog.CaseScope(), "key", args)
			if err != nil {
				t.Fatal(err)
			}
			resources := map[string][]string{}
			for _, s := range got {
				resources[s.SID] = s.Resources
			}
			want := map[string][]string{
				"TerraformStateList":      {"arn:aws:s3:::acme-state"},
				"TerraformStateRead":      {"arn:aws:s3:::acme-state/a.tfstate"},
				"TerraformStateWrite":     {"arn:aws:s3:::acme-state/a.tfstate"},
				"TerraformStateLockFile":  {"arn:aws:s3:::acme-state/a.tfstate.tflock"},
				"TerraformStateLockTable": {"arn:aws:dynamodb:us-east-1:222222222222:table/locks"},
				"TerraformStateLockItems": {"arn:aws:dynamodb:us-east-1:222222222222:table/locks"},
				"TerraformStateKey":       {tt.wantARN},
			}
			if diff := cmp.Diff(want, resources); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{tt.wantVia}, conditionValues(got, "kms:ViaService")); diff != "" {
				t.Errorf("kms:ViaService (-want +got):\n%s", diff)
			}
		})
	}
}

func conditionValues(statements []iam.Statement, key string) []string {
	var out []string
	for _, s := range statements {
		for _, c := range s.Conditions {
			if c.Key == key {
				out = append(out, c.Values...)
			}
		}
	}
	return out
}

// TestOrderDoesNotMatter: a spec that only reorders a list plans no change.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, r := range renderings(t, catalog.CaseScope()) {
		shuffled := catalog.Args{}
		for name, values := range r.args {
			values = slices.Clone(values)
			slices.Reverse(values)
			if len(values) > 1 {
				values = append(values, values[0])
			}
			shuffled[name] = values
		}
		again, err := r.grant.Policy(catalog.CaseScope(), r.level, shuffled)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if diff := cmp.Diff(r.doc, again); diff != "" {
			t.Errorf("%s: order or repeats matter (-want +got):\n%s", r, diff)
		}
	}
}

// TestArgumentsAreNotKept: a caller may change its arguments and its result.
func TestArgumentsAreNotKept(t *testing.T) {
	g, _ := catalog.Lookup("consul-auto-discovery")
	args := catalog.Args{"regions": {"us-east-1", "eu-west-1"}}
	first, err := g.Statements(catalog.CaseScope(), "", args)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(catalog.Args{"regions": {"us-east-1", "eu-west-1"}}, args); diff != "" {
		t.Errorf("the arguments changed (-want +got):\n%s", diff)
	}
	first[0].Conditions[0].Values[0] = "*"
	second, _ := g.Statements(catalog.CaseScope(), "", args)
	if got := second[0].Conditions[0].Values[0]; got != "eu-west-1" {
		t.Errorf("a change of one result shows in the next: %q", got)
	}
}

// TestSizes keeps one grant small enough that a role can hold two: a role's
// inline policies share 10,240 characters.
func TestSizes(t *testing.T) {
	for _, r := range renderings(t, catalog.CaseScope()) {
		if size := r.doc.Size(); size > 10240/2 {
			t.Errorf("%s: %d characters", r, size)
		}
	}
}

// TestPolicy compares one whole policy, so that the tests above are not the
// only readers of what a user gets.
func TestPolicy(t *testing.T) {
	g, _ := catalog.Lookup("ecs-service-deployment")
	got, err := g.Policy(catalog.CaseScope(), "", catalog.Args{"services": {"prod/shop"}, "pass_roles": {"team/shop-task"}})
	if err != nil {
		t.Fatal(err)
	}
	const (
		ecs     = "arn:aws:ecs:eu-west-1:222222222222:"
		service = ecs + "service/prod/shop"
	)
	want := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{
		{SID: "EcsReadDefinitions", Effect: iam.Allow, Actions: []string{"ecs:DescribeTaskDefinition"}, Resources: []string{"*"}},
		{SID: "EcsRegister", Effect: iam.Allow, Actions: []string{"ecs:RegisterTaskDefinition"}, Resources: []string{ecs + "task-definition/shop:*"}},
		{
			SID: "EcsUpdateService", Effect: iam.Allow, Actions: []string{"ecs:UpdateService"}, Resources: []string{service},
			Conditions: []iam.Condition{{
				Operator: "ArnLikeIfExists", Key: "ecs:task-definition",
				Values: []string{ecs + "task-definition/shop", ecs + "task-definition/shop:*"},
			}},
		},
		{SID: "EcsWatchService", Effect: iam.Allow, Actions: []string{"ecs:DescribeServices", "ecs:ListServiceDeployments"}, Resources: []string{service}},
		{
			SID: "EcsWatchDeployment", Effect: iam.Allow, Actions: []string{"ecs:DescribeServiceDeployments"},
			Resources: []string{service, ecs + "service-deployment/prod/shop/*"},
		},
		{
			SID: "EcsListTasks", Effect: iam.Allow, Actions: []string{"ecs:ListTasks"}, Resources: []string{"*"},
			Conditions: []iam.Condition{{Operator: "ArnEquals", Key: "ecs:cluster", Values: []string{ecs + "cluster/prod"}}},
		},
		{SID: "EcsReadTasks", Effect: iam.Allow, Actions: []string{"ecs:DescribeTasks"}, Resources: []string{ecs + "task/prod/*"}},
		{
			SID: "EcsPassRoles", Effect: iam.Allow, Actions: []string{"iam:PassRole"}, Resources: []string{"arn:aws:iam::222222222222:role/team/shop-task"},
			Conditions: []iam.Condition{{Operator: "StringEquals", Key: "iam:PassedToService", Values: []string{"ecs-tasks.amazonaws.com"}}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}
