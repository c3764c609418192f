package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
)

func parse(t testing.TB, text string) *spec.Spec {
	t.Helper()
	s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compileText(t testing.TB, text string) *estate.Estate {
	t.Helper()
	e, err := Estate(parse(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const head = `stack: shop
region: eu-west-1
accounts:
  security: { id: "111111111111" }
  prod: { id: "222222222222", admin_role: postern-admin }
`

// doc parses a policy that the test wrote down, so that what is compared was
// not printed by the code under test.
func doc(t testing.TB, text string) *iam.Document {
	t.Helper()
	d, err := iam.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var ignorePos = cmpopts.IgnoreTypes(iam.Pos{})

func TestMachineUser(t *testing.T) {
	e := compileText(t, head+`
identities:
  travis:
    access_key: { account: security, because: Travis CI issues no OIDC tokens }
roles:
  deploy:
    account: prod
    trust: [travis]
    grants: [consul-auto-discovery]
  read:
    account: security
    trust: [{ identity: travis, until: 2027-06-30 }]
    grants: [consul-auto-discovery]
`)
	tags := map[string]string{"postern:stack": "shop"}
	security := e.Account("111111111111")
	wantUsers := []estate.User{{Name: "shop-travis", Path: "/postern/shop/", Groups: []string{"shop-travis"}, Tags: tags}}
	if diff := cmp.Diff(wantUsers, security.Users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	wantGroups := []estate.Group{{
		Name: "shop-travis", Path: "/postern/shop/",
		Inline: []estate.InlinePolicy{{Name: "assume-roles", Document: doc(t, `{
			"Version": "2012-10-17",
			"Statement": {"Sid": "BecomeNamedRoles", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [
				"arn:aws:iam::111111111111:role/postern/shop/shop-read",
				"arn:aws:iam::222222222222:role/postern/shop/shop-deploy"]}}`)}},
	}}
	if diff := cmp.Diff(wantGroups, security.Groups, ignorePos); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	wantTrust := doc(t, `{
		"Version": "2012-10-17",
		"Statement": {"Sid": "Travis", "Effect": "Allow",
			"Principal": {"AWS": "arn:aws:iam::111111111111:user/postern/shop/shop-travis"},
			"Action": "sts:AssumeRole",
			"Condition": {"DateLessThan": {"aws:CurrentTime": "2027-06-30T00:00:00Z"}}}}`)
	if got := security.Roles[0].Trust; !iam.Equal(wantTrust, got) {
		t.Errorf("trust: got %s", got.Indented())
	}
}

func TestRole(t *testing.T) {
	e := compileText(t, head+`
identities:
  release: { github: { repository: acme/shop, environment: production } }
roles:
  consul:
    account: prod
    description: Finds its peers
    trust: [release, { service: ec2 }]
    session: 2h
    boundary: arn:aws:iam::222222222222:policy/edge
    instance_profile: true
    tags: { team: web }
    grants:
      - consul-auto-discovery: {}
        until: 2027-06-30
    custom:
      - because: reads its own name
        actions: [ec2:DescribeRegions]
        resources: ["*"]
`)
	prod := e.Account("222222222222")
	if len(prod.Roles) != 1 {
		t.Fatalf("roles: %+v", prod.Roles)
	}
	got := prod.Roles[0]
	inline := got.Inline
	got.Inline, got.Trust = nil, nil
	want := estate.Role{
		Name: "shop-consul", Path: "/postern/shop/", Description: "Finds its peers", MaxSession: 2 * time.Hour,
		Boundary: "arn:aws:iam::222222222222:policy/edge",
		Tags:     map[string]string{"postern:stack": "shop", "team": "web"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("role (-want +got):\n%s", diff)
	}
	if len(inline) != 2 || inline[0].Name != "consul-auto-discovery" || inline[1].Name != "custom" {
		t.Fatalf("inline policies: %+v", inline)
	}
	for _, s := range inline[0].Document.Statements {
		ends := func(c iam.Condition) bool {
			return cmp.Equal(c, iam.Condition{Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{"2027-06-30T00:00:00Z"}})
		}
		if !slices.ContainsFunc(s.Conditions, ends) {
			t.Errorf("the grant does not end by itself: %+v", s)
		}
	}
	wantProfiles := []estate.InstanceProfile{{Name: "shop-consul", Path: "/postern/shop/", Role: "shop-consul", Tags: map[string]string{"postern:stack": "shop"}}}
	if diff := cmp.Diff(wantProfiles, prod.InstanceProfiles); diff != "" {
		t.Errorf("instance profiles (-want +got):\n%s", diff)
	}
	wantProviders := []estate.OIDCProvider{{
		URL: "token.actions.githubusercontent.com", Audiences: []string{"sts.amazonaws.com"}, Tags: map[string]string{"postern:shared": "true"},
	}}
	if diff := cmp.Diff(wantProviders, prod.Providers); diff != "" {
		t.Errorf("providers (-want +got):\n%s", diff)
	}
	if n := len(e.Account("111111111111").Providers); n != 0 {
		t.Errorf("%d providers in an account without OIDC roles", n)
	}
}

// bigSpec has a role with one grant for n repositories.
func bigSpec(n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("team-with-a-long-name/service-number-%05d", i))
	}
	return head + `
roles:
  r:
    account: prod
    trust: [{ service: ec2 }]
    grants:
      - consul-auto-discovery
      - ecr-docker-push: { repositories: [` + strings.Join(names, ", ") + `] }
`
}

func TestPackSpillsToManagedPolicies(t *testing.T) {
	s := parse(t, bigSpec(95))
	quotas := estate.DefaultQuotas()
	quotas.RoleInlineSize, quotas.ManagedPolicySize = 1000, 3000
	e, err := Estate(s, Quotas{"222222222222": quotas})
	if err != nil {
		t.Fatal(err)
	}
	prod := e.Account("222222222222")
	role := prod.Roles[0]
	if len(role.Inline) != 1 || role.Inline[0].Name != "consul-auto-discovery" {
		t.Errorf("inline: %+v", role.Inline)
	}
	if len(role.Attached) < 2 {
		t.Fatalf("attached: %v", role.Attached)
	}
	resources := map[string]int{}
	for _, arn := range role.Attached {
		d := prod.PolicyDocument(arn)
		if d == nil {
			t.Fatalf("%s is attached and not there", arn)
		}
		if size := d.Size(); size > quotas.ManagedPolicySize {
			t.Errorf("%s has %d characters", arn, size)
		}
		for _, st := range d.Statements {
			for _, action := range st.Actions {
				for _, r := range st.Resources {
					resources[action+" "+r]++
				}
			}
		}
	}
	whole, err := Estate(s, Quotas{"222222222222": func() estate.Quotas { q := estate.DefaultQuotas(); q.RoleInlineSize = 1 << 20; return q }()})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for _, p := range whole.Account("222222222222").Roles[0].Inline {
		if p.Name == "consul-auto-discovery" {
			continue
		}
		for _, st := range p.Document.Statements {
			for _, action := range st.Actions {
				for _, r := range st.Resources {
					want[action+" "+r]++
				}
			}
		}
	}
	if diff := cmp.Diff(want, resources); diff != "" {
		t.Errorf("splitting changed what is allowed (-whole +split):\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	small := estate.DefaultQuotas()
	small.RoleInlineSize, small.ManagedPolicySize, small.AttachedPerRole = 400, 800, 3
	tests := []struct {
		name, text string
		quotas     Quotas
		want       string
	}{
		{
			name: "more managed policies than a role takes", text: bigSpec(95), quotas: Quotas{"222222222222": small},
			want: "role r: needs 31 managed policies beside its inline ones; the account attaches 3 to a role",
		},
		{
			name: "one resource too long for a policy", text: bigSpec(1),
			quotas: Quotas{"222222222222": {RoleInlineSize: 10, ManagedPolicySize: 50, AttachedPerRole: 10, TrustPolicySize: 2048}},
			want:   "role r: a statement of ecr-docker-push has more than the 50 characters",
		},
		{
			name: "trust policy too long", text: bigSpec(1),
			quotas: Quotas{"222222222222": {RoleInlineSize: 10000, ManagedPolicySize: 6000, AttachedPerRole: 10, TrustPolicySize: 60}},
			want:   "account 222222222222 takes 60",
		},
		{
			name: "roles that trust each other", text: head + `
roles:
  a: { account: prod, trust: [{ aws_role: "arn:aws:iam::222222222222:role/postern/shop/shop-b" }], grants: [consul-auto-discovery] }
  b: { account: prod, trust: [{ aws_role: "arn:aws:iam::222222222222:role/postern/shop/shop-a" }], grants: [consul-auto-discovery] }
`,
			want: "circle: a trusts b trusts a",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Estate(parse(t, tt.text), tt.quotas)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestTrustPolicyIsSharedOut: the hint of a trust policy that is too long names
// roles whose own policies fit.
func TestTrustPolicyIsSharedOut(t *testing.T) {
	identities, names := "", []string{}
	for i := range 7 {
		name := fmt.Sprintf("svc%d", i)
		names = append(names, name)
		identities += fmt.Sprintf("  %s: { github: { repository: acme/service-%d, repository_id: %d, owner_id: 7, environment: production } }\n", name, i, i+1)
	}
	stack := func(trusted string) string {
		return "stack: shop\nregion: eu-west-1\naccounts: { prod: { id: \"222222222222\" } }\nidentities:\n" + identities +
			"roles:\n  r: { trust: [" + trusted + "], grants: [consul-auto-discovery] }\n"
	}
	_, err := Estate(parse(t, stack(strings.Join(names, ", "))), nil)
	var failed *fault.Error
	if !errors.As(err, &failed) {
		t.Fatalf("all in one role: %v", err)
	}
	const want = "split the role in 2, trusted by svc0, svc1, svc2, svc3; by svc4, svc5, svc6, or ask AWS to raise the quota"
	if failed.Hint != want {
		t.Errorf("hint %q, want %q", failed.Hint, want)
	}
	for _, trusted := range []string{"svc0, svc1, svc2, svc3", "svc4, svc5, svc6"} {
		if _, err := Estate(parse(t, stack(trusted)), nil); err != nil {
			t.Errorf("%s: %v", trusted, err)
		}
	}
	if _, err := Estate(parse(t, stack("svc0, svc1, svc2, svc3, svc4")), nil); err == nil {
		t.Error("one more fits too")
	}
	_, err = Estate(parse(t, stack("svc0")), Quotas{"222222222222": {RoleInlineSize: 10000, TrustPolicySize: 60}})
	if !errors.As(err, &failed) || failed.Hint != "ask AWS to raise the quota" {
		t.Errorf("one identity: %v, hint %q", err, failed.Hint)
	}
}

func TestEndingMakesNoPairTwice(t *testing.T) {
	until := time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)
	own := iam.Condition{Operator: "datelessthan", Key: "AWS:currenttime", Values: []string{"2099-01-01T00:00:00Z"}}
	epoch := iam.Condition{Operator: "DateLessThan", Key: "aws:EpochTime", Values: []string{"1814313600"}}
	number := iam.Condition{Operator: "NumericLessThan", Key: "aws:EpochTime", Values: []string{"1814313600"}}
	usual := iam.Condition{Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{"2027-06-30T00:00:00Z"}}
	for _, test := range []struct {
		name       string
		have, want []iam.Condition
	}{
		{"none", nil, []iam.Condition{usual}},
		{"the usual one", []iam.Condition{own}, []iam.Condition{own, epoch}},
		{"the next one too", []iam.Condition{own, epoch}, []iam.Condition{own, epoch, number}},
		{"all", []iam.Condition{usual, epoch, number}, nil},
	} {
		got, ok := ending(test.have, until)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want != nil) {
			t.Errorf("%s: %v %s", test.name, ok, diff)
		}
	}
}

// TestUnprintable compiles what Parse would have refused.
func TestUnprintable(t *testing.T) {
	s := parse(t, head+`
roles:
  r:
    account: prod
    trust: [{ service: ec2 }]
    custom: [{ because: why, actions: s3:GetObject, resources: "arn:aws:s3:::b/*" }]
`)
	twice := iam.Condition{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}}
	s.Roles[0].Custom[0].Statement.Conditions = []iam.Condition{twice, twice}
	small := estate.DefaultQuotas()
	small.RoleInlineSize = 10 // the policy becomes a managed one, named by its text
	for _, quotas := range []Quotas{nil, {"222222222222": small}} {
		_, err := Estate(s, quotas)
		if want := "postern.yaml:8:3: policy custom of role r: "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got error %v, want one that begins with %q", err, want)
		}
	}
}

func TestArgsKnowTheStacksRoles(t *testing.T) {
	s := parse(t, head+`
roles:
  deploy:
    account: prod
    trust: [{ service: ec2 }]
    grants:
      - ecs-service-deployment: { services: [prod/shop], pass_roles: [media, shop-task, other, team/media, elsewhere, prod] }
  media: { account: prod, trust: [{ service: ec2 }] }
  task: { account: prod, trust: [{ service: ecs-tasks }] }
  elsewhere: { account: security, trust: [{ service: ecs-tasks }] }
`)
	want := []string{"postern/shop/shop-media", "postern/shop/shop-task", "other", "team/media", "elsewhere", "prod"}
	if diff := cmp.Diff(want, Args(s, "prod", s.Roles[0].Grants[0])["pass_roles"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("media", s.Roles[0].Grants[0].Args["pass_roles"][0]); diff != "" {
		t.Errorf("the spec has changed: %s", diff)
	}
	e, err := Estate(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(e.Account("222222222222").Roles[0].Inline[0].Document.Indented())
	if arn := `"arn:aws:iam::222222222222:role/postern/shop/shop-media"`; !strings.Contains(text, arn) {
		t.Errorf("%s is not passed:\n%s", arn, text)
	}
}
