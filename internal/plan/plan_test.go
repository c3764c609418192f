package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

const (
	testStack   = "shop"
	testPath    = "/postern/shop/"
	testAccount = "222222222222"
	testIssuer  = "token.actions.githubusercontent.com"
)

// world draws an account of the stack: roles that trust some of a few
// identities and hold some of a few policies. The same draw serves for what is
// wanted and for what stands there.
func world(t *rapid.T, label string) estate.Account {
	a := estate.Account{ID: testAccount, Partition: "aws", Quotas: estate.DefaultQuotas()}
	a.Quotas.RoleInlineSize = 700 // about six of the policies below
	a.Quotas.AttachedPerRole = 3
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"shop-a", "shop-b", "shop-c"}), 0, 3, rapid.ID).Draw(t, label+" roles")
	if rapid.Bool().Draw(t, label+" machine user") {
		a.Groups = []estate.Group{{Name: "shop-u", Path: testPath, Inline: drawInline(t, label+" group")}}
		a.Users = []estate.User{{Name: "shop-u", Path: testPath, Groups: []string{"shop-u"}, Tags: map[string]string{estate.TagStack: testStack}}}
	}
	for _, name := range names {
		a.Roles = append(a.Roles, drawRole(t, label+" "+name, name, &a))
	}
	for _, r := range a.Roles {
		for _, arn := range r.Attached {
			if a.PolicyDocument(arn) == nil {
				p := managed(arn)
				a.Policies = append(a.Policies, p)
			}
		}
		federated := func(s iam.Statement) bool { return len(s.Principal.Federated) > 0 }
		if slices.ContainsFunc(r.Trust.Statements, federated) && len(a.Providers) == 0 {
			a.Providers = []estate.OIDCProvider{{URL: testIssuer, Audiences: []string{"sts.amazonaws.com"}, Tags: map[string]string{estate.TagShared: "true"}}}
		}
		if r.Description == "profile" {
			a.InstanceProfiles = append(a.InstanceProfiles, estate.InstanceProfile{Name: r.Name, Path: testPath, Role: r.Name})
		}
	}
	return a
}

func drawRole(t *rapid.T, label, name string, a *estate.Account) estate.Role {
	r := estate.Role{
		Name: name, Path: testPath, MaxSession: time.Hour, Tags: map[string]string{estate.TagStack: testStack},
		Description: rapid.SampledFrom([]string{"", "profile"}).Draw(t, label+" description"),
		Boundary:    rapid.SampledFrom([]string{"", boundaryOne, boundaryTwo}).Draw(t, label+" boundary"),
		Inline:      drawInline(t, label),
	}
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 3, rapid.ID).Draw(t, label+" attached") {
		r.Attached = append(r.Attached, fmt.Sprintf("arn:aws:iam::222222222222:policy/postern/shop/shop-m%d", n))
	}
	slices.Sort(r.Attached)
	r.Trust = &iam.Document{Version: iam.Version2012}
	whom := []string{"main", "tag", "ec2", "jenkins"}
	if len(a.Users) > 0 {
		whom = append(whom, "user")
	}
	if len(a.Roles) > 0 {
		whom = append(whom, "role")
	}
	for _, who := range rapid.SliceOfNDistinct(rapid.SampledFrom(whom), 1, 3, rapid.ID).Draw(t, label+" trust") {
		r.Trust.Statements = append(r.Trust.Statements, trustStatement(who, a))
	}
	return r
}

func trustStatement(who string, a *estate.Account) iam.Statement {
	s := iam.Statement{SID: who, Effect: iam.Allow, Actions: []string{"sts:AssumeRole"}, Principal: &iam.Principal{}}
	switch who {
	case "ec2":
		s.Principal.Service = []string{"ec2.amazonaws.com"}
	case "jenkins":
		s.Principal.AWS = []string{"arn:aws:iam::333333333333:role/jenkins"}
	case "user":
		s.Principal.AWS = []string{a.UserARN(testPath, "shop-u")}
	case "role":
		s.Principal.AWS = []string{a.RoleARN(testPath, a.Roles[0].Name)}
	default:
		s.Actions = []string{"sts:AssumeRoleWithWebIdentity"}
		s.Principal.Federated = []string{a.ProviderARN(testIssuer)}
		s.Conditions = []iam.Condition{{Operator: "StringEquals", Key: testIssuer + ":sub", Values: []string{who}}}
	}
	return s
}

func drawInline(t *rapid.T, label string) []estate.InlinePolicy {
	var out []estate.InlinePolicy
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 3, rapid.ID).Draw(t, label+" inline") {
		version := rapid.IntRange(1, 2).Draw(t, label+" version")
		out = append(out, estate.InlinePolicy{Name: fmt.Sprintf("grant-%d", n), Document: allow(fmt.Sprintf("s3:Do%dv%d", n, version))})
	}
	return out
}

func allow(action string) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{action}, Resources: []string{"arn:aws:s3:::bucket/*"},
	}}}
}

func managed(arn string) estate.ManagedPolicy {
	name := arn[len("arn:aws:iam::222222222222:policy/postern/shop/"):]
	return estate.ManagedPolicy{Name: name, Path: testPath, Document: allow("s3:Managed" + name), Tags: map[string]string{estate.TagStack: testStack}}
}

func estateOf(a estate.Account) *estate.Estate {
	return &estate.Estate{Accounts: []estate.Account{a}}
}

func clone(t testing.TB, a estate.Account) estate.Account {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var out estate.Account
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Policies of others in the account.
const (
	boundaryOne = "arn:aws:iam::222222222222:policy/b1"
	boundaryTwo = "arn:aws:iam::222222222222:policy/b2"
	denyPolicy  = "arn:aws:iam::222222222222:policy/deny"
	adminPolicy = "arn:aws:iam::222222222222:policy/admin"
)

func foreignPolicies() []estate.ManagedPolicy {
	deny := allow("s3:Do1*")
	deny.Statements[0].Effect = iam.Deny
	both := allow("s3:Do1*")
	both.Statements[0].Actions = []string{"s3:Do1*", "s3:Do2*", "s3:Managed*"}
	two := allow("s3:Do2*")
	two.Statements[0].Actions = []string{"s3:Do2*", "s3:Do3*", "s3:Do4*"}
	return []estate.ManagedPolicy{
		{Name: "b1", Path: "/", Document: both},
		{Name: "b2", Path: "/", Document: two},
		{Name: "deny", Path: "/", Document: deny},
		{Name: "admin", Path: "/", Document: allow("s3:*")},
	}
}

// drift does to an account what people do behind Postern's back.
func drift(t *rapid.T, a *estate.Account) {
	a.Policies = append(a.Policies, foreignPolicies()...)
	for i := range a.Roles {
		r := &a.Roles[i]
		kinds := []string{"inline", "inline deny", "trust", "untag", "session"}
		if len(r.Attached) < 3 {
			kinds = append(kinds, "attach")
		}
		if len(r.Attached) < 2 {
			kinds = append(kinds, "attach deny")
		}
		for _, kind := range rapid.SliceOfNDistinct(rapid.SampledFrom(kinds), 0, 3, rapid.ID).Draw(t, "drift of "+r.Name) {
			driftOnce(r, kind)
		}
	}
}

func driftOnce(r *estate.Role, kind string) {
	deny := allow("s3:Do2*")
	deny.Statements[0].Effect = iam.Deny
	switch kind {
	case "inline":
		r.Inline = append(r.Inline, estate.InlinePolicy{Name: "by-hand", Document: allow("*")})
	case "inline deny":
		r.Inline = append(r.Inline, estate.InlinePolicy{Name: "stop-by-hand", Document: deny})
	case "attach":
		r.Attached = append(r.Attached, adminPolicy)
	case "attach deny":
		r.Attached = append(r.Attached, denyPolicy)
	case "trust":
		r.Trust.Statements = append(r.Trust.Statements, iam.Statement{
			Effect: iam.Allow, Actions: []string{"sts:AssumeRole"}, Principal: &iam.Principal{AWS: []string{"arn:aws:iam::444444444444:root"}},
		})
	case "untag":
		r.Tags = nil
	case "session":
		r.MaxSession = 2 * time.Hour
	}
}

func makePlan(t testing.TB, want, have estate.Account) *Plan {
	t.Helper()
	p, err := Make(Sides{Stack: testStack, Desired: estateOf(want), Observed: estateOf(have)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkOften is rapid.Check with enough draws to meet what takes several rare
// choices at once.
func checkOften(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for range 15 {
		rapid.Check(t, property)
	}
}

// TestConverge carries out plans between random estates on a model of IAM:
// each call is one that IAM takes, afterwards there is nothing left to do, and
// stopping after any call leaves something that the next plan finishes.
func TestConverge(t *testing.T) {
	checkOften(t, func(rt *rapid.T) {
		want, have := world(rt, "want"), world(rt, "have")
		drift(rt, &have)
		have = clone(t, have)
		stop := rapid.IntRange(0, 40).Draw(rt, "stop after")
		for i, c := range makePlan(t, want, have).Changes {
			if i == stop {
				break
			}
			if err := (model{&have}).apply(c); err != nil {
				rt.Fatalf("call %d, %s %+v: %v", i, c.Verb, c.Input, err)
			}
		}
		for i, c := range makePlan(t, want, have).Changes {
			if err := (model{&have}).apply(c); err != nil {
				rt.Fatalf("second run, call %d, %s %+v: %v", i, c.Verb, c.Input, err)
			}
		}
		if left := makePlan(t, want, have); !left.Empty() || len(left.Access) > 0 {
			rt.Fatalf("left to do: %+v %+v", left.Changes, left.Access)
		}
	})
}

// TestNoGap checks after every call of a plan that no identity can do through
// a role what it could do neither before nor after the whole plan.
func TestNoGap(t *testing.T) {
	checkOften(t, func(rt *rapid.T) {
		want, have := world(rt, "want"), world(rt, "have")
		drift(rt, &have)
		have = clone(t, have)
		may := reachable(&want)
		for k := range reachable(&have) {
			may[k] = true
		}
		for i, c := range makePlan(t, want, have).Changes {
			if err := (model{&have}).apply(c); err != nil {
				rt.Fatalf("call %d, %s %+v: %v", i, c.Verb, c.Input, err)
			}
			for k := range reachable(&have) {
				if !may[k] {
					rt.Fatalf("after call %d, %s on %s: gap: %s", i, c.Verb, c.Entity, k)
				}
			}
		}
	})
}

// reachable lists who may do what through which role: "role: principal → permission".
// A permission counts if no denial covers it and the boundary contains it.
func reachable(a *estate.Account) map[string]bool {
	out := map[string]bool{}
	ap := &accountPlan{stack: testStack, want: a, have: a}
	boundaries := map[string][]Permission{}
	for _, p := range foreignPolicies() {
		boundaries[p.ARN(a)] = documentPermissions(p.Document)
	}
	for _, r := range a.Roles {
		for _, p := range effective(ap.permissions(a, r.Inline, r.Attached), boundaries[r.Boundary], r.Boundary != "") {
			for _, who := range whom(r.Trust, iam.Allow) {
				out[fmt.Sprintf("%s: %s → %s", r.Name, who, p)] = true
			}
		}
	}
	return out
}

// effective lists which of the few actions of this test's policies are allowed.
func effective(permissions, boundary []Permission, bounded bool) []string {
	covered := func(list []Permission, effect iam.Effect, action string) bool {
		return slices.ContainsFunc(list, func(p Permission) bool { return p.Effect == effect && iam.MatchFold(p.Action, action) })
	}
	var out []string
	for _, action := range testActions() {
		if covered(permissions, iam.Allow, action) && !covered(permissions, iam.Deny, action) && (!bounded || covered(boundary, iam.Allow, action)) {
			out = append(out, action)
		}
	}
	return out
}

func testActions() []string {
	actions := []string{"iam:CreateUser", "s3:Other"}
	for n := range 5 {
		actions = append(actions, fmt.Sprintf("s3:Do%dv1", n), fmt.Sprintf("s3:Do%dv2", n), fmt.Sprintf("s3:Managedshop-m%d", n))
	}
	return actions
}
