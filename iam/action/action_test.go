package action_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// all lists every service.
func all(t testing.TB) []*action.Service {
	t.Helper()
	var services []*action.Service
	for _, prefix := range action.Services() {
		s, ok := action.ServiceByPrefix(prefix)
		if !ok {
			t.Fatalf("no service %s", prefix)
		}
		services = append(services, s)
	}
	return services
}

// everyAction lists all actions as policies write them, sorted.
var everyAction = sync.OnceValue(func() []string {
	var names []string
	for _, prefix := range action.Services() {
		s, _ := action.ServiceByPrefix(prefix)
		for _, a := range s.Actions {
			names = append(names, prefix+":"+a.Name)
		}
	}
	slices.Sort(names)
	return names
})

// TestCounts holds what is decoded against counts taken from the npm package
// itself, and the header against what is decoded.
func TestCounts(t *testing.T) {
	type counts struct {
		Info                 action.Info
		Levels               map[action.Level]int
		WildcardOnly         int
		Resources, Required  int // pairs of an action and a resource type
		RCP, VariableGlobals int
	}
	want := counts{
		Info: action.Info{
			Version: "0.21.202609261", Date: "2026-09-26",
			Services: 456, Actions: 22091, ResourceTypes: 2334, ConditionKeys: 2575, GlobalKeys: 59,
		},
		Levels: map[action.Level]int{
			action.Read: 5871, action.List: 3719, action.Write: 11357, action.Tagging: 719, action.PermissionsManagement: 425,
		},
		WildcardOnly: 6724,
		Resources:    21931 - 6, // six rows are there twice
		Required:     15730 - 3,
		RCP:          62, VariableGlobals: 3,
	}
	got := counts{Info: action.Info{Version: action.Version(), Date: action.Date()}, Levels: map[action.Level]int{}}
	for _, s := range all(t) {
		got.Info.Services++
		got.Info.Actions += len(s.Actions)
		got.Info.ResourceTypes += len(s.ResourceTypes)
		got.Info.ConditionKeys += len(s.ConditionKeys)
		for _, a := range s.Actions {
			got.Levels[a.Level]++
			if a.WildcardOnly {
				got.WildcardOnly++
			}
			got.Resources += len(a.Resources)
			for _, r := range a.Resources {
				if r.Required {
					got.Required++
				}
			}
		}
	}
	got.RCP = len(action.RCPServices())
	for _, k := range action.GlobalKeys() {
		got.Info.GlobalKeys++
		if strings.Contains(k.Name, "${") {
			got.VariableGlobals++
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want.Info, action.About()); d != "" {
		t.Errorf("About: %s", d)
	}
}

// TestEverythingIsSound looks at each entry: in order, found by its name in any
// case, and referring only to what is there.
func TestEverythingIsSound(t *testing.T) {
	fold := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	for _, s := range all(t) {
		if s.Name == "" || len(s.Actions) == 0 {
			t.Errorf("%s: name %q, %d actions", s.Prefix, s.Name, len(s.Actions))
		}
		if !slices.IsSortedFunc(s.Actions, func(a, b action.Action) int { return fold(a.Name, b.Name) }) {
			t.Errorf("%s: actions are not sorted", s.Prefix)
		}
		for i := range s.Actions {
			a := &s.Actions[i]
			if got, ok := action.Lookup(strings.ToUpper(a.String())); !ok || got != a {
				t.Errorf("%s is not found in capitals", a)
			}
			if len(a.ResourceTypes()) != len(a.Resources) {
				t.Errorf("%s: %v: a resource type is not there", a, a.Resources)
			}
			for _, k := range a.Keys() {
				if _, ok := s.ConditionKeys[k]; !ok {
					t.Errorf("%s: unknown condition key %s", a, k)
				}
			}
		}
		for i := range s.ResourceTypes {
			r := &s.ResourceTypes[i]
			if got, ok := s.ResourceType(strings.ToLower(r.Name)); !ok || got != r {
				t.Errorf("%s: resource type %s is not found", s.Prefix, r.Name)
			}
			for _, arn := range r.ARNs {
				if strings.Count(arn, ":") < 5 || !strings.HasPrefix(arn, "arn:${Partition}:") {
					t.Errorf("%s: %s: template %q", s.Prefix, r.Name, arn)
				}
			}
		}
		for name, typ := range s.ConditionKeys {
			k, ok := s.ConditionKey(strings.ToUpper(name))
			if !ok || k.Name != name || k.Type != typ {
				t.Errorf("%s: condition key %s is found as %v", s.Prefix, name, k)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	got, ok := action.Lookup("iam:passrole")
	if !ok {
		t.Fatal("no iam:PassRole")
	}
	want := &action.Action{
		Service: "iam", Name: "PassRole", Level: action.Write,
		Resources:     []action.ActionResource{{Type: "role", Required: true}},
		ConditionKeys: []string{"iam:AssociatedResourceArn", "iam:PassedToService"},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(action.Action{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"}, got.ResourceTypes()[0].ARNs); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"", ":", "iam", "iam:", ":PassRole", "iam:Pass*", "iam:PassRole ", "nope:PassRole", "iam:PassRolé"} {
		if a, ok := action.Lookup(name); ok {
			t.Errorf("%q is %v", name, a)
		}
	}
}

func TestLevels(t *testing.T) {
	for name, want := range map[string]string{
		"s3:GetObject": "Read", "s3:ListAllMyBuckets": "List", "s3:PutObject": "Write",
		"s3:PutObjectTagging": "Tagging", "s3:PutBucketPolicy": "Permissions management",
	} {
		a, _ := action.Lookup(name)
		if text, err := a.Level.MarshalText(); string(text) != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, text, err, want)
		}
	}
	if got := action.Level(200).String(); got != "" {
		t.Errorf("a level that is none: %q", got)
	}
}

func TestKeysOfAnAction(t *testing.T) {
	for _, tt := range []struct{ name, key, from string }{
		{"iam:PassRole", "iam:PassedToService", "the action"},
		{"iam:PassRole", "iam:ResourceTag/${TagKey}", "its resource type"},
		{"ec2:AttachVolume", "ec2:VolumeType", "one of its resource types"},
		{"ec2:AttachVolume", "ec2:MetadataHttpTokens", "another"},
		{"a4b:CreateRoom", "aws:TagKeys", "its resource type, in this action only"},
	} {
		a, _ := action.Lookup(tt.name)
		if !slices.Contains(a.Keys(), tt.key) {
			t.Errorf("%s has no %s of %s: %v", a, tt.key, tt.from, a.Keys())
		}
		if !slices.IsSorted(a.Keys()) || len(slices.Compact(a.Keys())) != len(a.Keys()) {
			t.Errorf("%s: keys are not sorted, or twice there: %v", a, a.Keys())
		}
	}
}

func TestRCPServices(t *testing.T) {
	got := action.RCPServices()
	for _, prefix := range []string{"s3", "sts", "kms", "sqs", "secretsmanager", "ecr"} {
		if !slices.Contains(got, prefix) {
			t.Errorf("%s is not among %v", prefix, got)
		}
	}
	if slices.Contains(got, "ec2") {
		t.Error("RCPs do not apply to ec2")
	}
}

func TestConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, prefix := range action.Services() {
				if s, ok := action.ServiceByPrefix(prefix); !ok || s.Prefix != prefix {
					t.Errorf("service %s is not there", prefix)
				}
			}
			action.Shrink([]string{"s3:Get*", "ec2:DescribeInstances"})
			action.ConditionKey("sts", "aws:PrincipalTag/team")
			action.ResourceTypesFor("arn:aws:s3:::b/k")
		})
	}
	wg.Wait()
}

func FuzzLookup(f *testing.F) {
	for _, name := range []string{"s3:GetObject", "S3:getobject", "s3:Get*", ":", "", "é:x"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := -1
		for i, known := range everyAction() {
			if len(name) == len(known) && iam.MatchFold(strings.NewReplacer("*", "", "?", "").Replace(name), known) {
				want = i
			}
		}
		got, ok := action.Lookup(name)
		if ok != (want >= 0) || ok && got.String() != everyAction()[want] {
			t.Errorf("Lookup(%q) = %v, %v; want number %d", name, got, ok, want)
		}
	})
}

// Services have their own title where several share a prefix, and tag keys one
// spelling.
func TestSourceIsTidied(t *testing.T) {
	for prefix, want := range map[string]string{"cloudformation": "AWS CloudFormation", "apigateway": "Amazon API Gateway Management", "ses": "Amazon SES", "s3": "Amazon S3"} {
		if s, ok := action.ServiceByPrefix(prefix); !ok || s.Name != want {
			t.Errorf("%s is %q, want %q", prefix, s.Name, want)
		}
	}
	for _, s := range all(t) {
		for name := range s.ConditionKeys {
			if strings.HasSuffix(name, "/") || strings.HasSuffix(name, "/tag-key") || strings.Contains(name, "<") {
				t.Errorf("%s: key %s", s.Prefix, name)
			}
		}
	}
}
