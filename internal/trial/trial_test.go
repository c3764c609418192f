package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/wire"
)

// fakeGate is an AWS that lets in whom, and allows what, its functions say.
// An error that it gives is passed on as it is.
type fakeGate struct {
	admits func(who string) bool // "ROLE: " and a token's subject and audience, a service with its keys, or a user
	allows func(r wire.Request) bool
	broken error
	asked  []string
}

func (g *fakeGate) enter(roleARN, who string) (Session, error) {
	who = roleARN[strings.LastIndex(roleARN, "-")+1:] + ": " + who
	g.asked = append(g.asked, who)
	switch {
	case g.broken != nil:
		return nil, g.broken
	case !g.admits(who):
		return nil, fmt.Errorf("AccessDenied: %w", ErrRefused)
	}
	return fakeSession{g}, nil
}

func (g *fakeGate) WithToken(_ context.Context, role string, claims map[string]any) (Session, error) {
	return g.enter(role, fmt.Sprint(claims["sub"], " for ", claims["aud"]))
}

func (g *fakeGate) AsService(_ context.Context, role, service string, keys map[string][]string) (Session, error) {
	return g.enter(role, fmt.Sprint(service, keys["aws:SourceAccount"], keys["aws:SourceArn"]))
}

func (g *fakeGate) AsUser(_ context.Context, role, userARN string) (Session, error) {
	return g.enter(role, userARN)
}

type fakeSession struct{ *fakeGate }

func (s fakeSession) Call(_ context.Context, r wire.Request) error {
	if !s.allows(r) {
		return fmt.Errorf("AccessDenied: %w", ErrRefused)
	}
	return nil
}

const shop = `stack: shop
region: eu-west-1
accounts:
  prod: { id: "222222222222" }
identities:
  release: { github: { repository: acme/shop, environment: production } }
  hotfix: { github: { repository: acme/shop, branch: feature } }
  travis: { access_key: { account: prod, because: no tokens there } }
  jenkins: { aws_role: "arn:aws:iam::333333333333:role/jenkins" }
roles:
  deploy: { account: prod, trust: [release, travis, jenkins], grants: [ { ecr-docker-push: { repositories: [shop] } } ] }
  fix: { account: prod, trust: [release, hotfix], grants: [ { ecr-docker-push: { repositories: [shop] } } ] }
  nightly: { account: prod, trust: [ { service: { name: scheduler, source_arn: "arn:aws:scheduler:eu-west-1:222222222222:schedule/*/night" } } ], grants: [consul-auto-discovery] }
  audit: { account: prod, trust: [jenkins], grants: [consul-auto-discovery] }
never:
  - { identities: [release], actions: ["iam:*", s3:PutObject] }
`

func parse(t *testing.T, text string) *spec.Spec {
	t.Helper()
	s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asAWS is a gate that does what the spec asks for.
func asAWS() *fakeGate {
	ours := []string{
		"deploy: repo:acme/shop:environment:production for sts.amazonaws.com", "deploy: arn:aws:iam::222222222222:user/postern/shop/shop-travis",
		"fix: repo:acme/shop:environment:production for sts.amazonaws.com", "fix: repo:acme/shop:ref:refs/heads/feature for sts.amazonaws.com",
		"nightly: scheduler.amazonaws.com[222222222222] [arn:aws:scheduler:eu-west-1:222222222222:schedule/example/night]",
	}
	return &fakeGate{
		admits: func(who string) bool { return strings.Contains("\n"+strings.Join(ours, "\n")+"\n", "\n"+who+"\n") },
		allows: func(r wire.Request) bool { return r.Service != "s3" && r.Service != "iam" },
	}
}

func run(t *testing.T, text string, g *fakeGate) *Report {
	t.Helper()
	r, err := Run(t.Context(), parse(t, text), g)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func role(t *testing.T, r *Report, name string) Role {
	t.Helper()
	for _, role := range r.Roles {
		if role.Name == name {
			return role
		}
	}
	t.Fatalf("no role %s", name)
	return Role{}
}

func TestRun(t *testing.T) {
	g := asAWS()
	r := run(t, shop, g)
	var strangers int
	var deploy []Attempt
	for _, a := range role(t, r, "deploy").Attempts {
		if a.Stranger {
			strangers++
			continue
		}
		a.Detail = ""
		deploy = append(deploy, a)
	}
	want := []Attempt{
		{Who: "release: GitHub acme/shop, environment production", What: "assume the role", Want: true, Allowed: true},
		{Who: "travis", What: "assume the role", Want: true, Allowed: true},
		{Who: "role deploy", What: "ecr:GetAuthorizationToken on *", Want: true, Allowed: true},
		{Who: "role deploy", What: "s3:PutObject on arn:aws:s3:::postern-trial/object"},
	}
	if diff := cmp.Diff(want, deploy); diff != "" {
		t.Errorf("deploy (-want +got):\n%s", diff)
	}
	if strangers < 10 {
		t.Errorf("%d strangers tried deploy", strangers)
	}
	outcomes := map[string]Outcome{}
	for _, role := range r.Roles {
		outcomes[role.Name] = role.Outcome
	}
	if diff := cmp.Diff(map[string]Outcome{"deploy": Right, "fix": Right, "nightly": Right, "audit": NotTried}, outcomes); diff != "" {
		t.Errorf("(-want +got):\n%s\nasked: %s", diff, strings.Join(g.asked, "\n"))
	}
	if r.Right() || r.Wrong() {
		t.Errorf("with a role that nobody tried: right %v, wrong %v", r.Right(), r.Wrong())
	}
	if whole := run(t, strings.Replace(shop, "  audit: { account: prod, trust: [jenkins], grants: [consul-auto-discovery] }\n", "", 1), asAWS()); !whole.Right() || whole.Wrong() {
		t.Error("every role was tried, and the trial is not right")
	}
}

// TestAnotherIdentityIsNoStranger: role fix trusts the branch "feature", which
// is how a stranger of release would come.
func TestAnotherIdentityIsNoStranger(t *testing.T) {
	g := asAWS()
	run(t, shop, g)
	asked := map[string]int{}
	for _, who := range g.asked {
		asked[who]++
	}
	const feature = ": repo:acme/shop:ref:refs/heads/feature for sts.amazonaws.com"
	if asked["deploy"+feature] != 1 {
		t.Error("nobody tried deploy from another branch")
	}
	if n := asked["fix"+feature]; n != 1 {
		t.Errorf("fix was tried %d times from the branch that it trusts", n)
	}
}

func TestWrong(t *testing.T) {
	tests := []struct {
		name   string
		change func(*fakeGate)
		role   string
	}{
		{name: "a stranger gets in", role: "deploy", change: func(g *fakeGate) {
			admits := g.admits
			g.admits = func(who string) bool { return admits(who) || strings.Contains(who, "mallory") }
		}},
		{name: "a machine stays out", role: "deploy", change: func(g *fakeGate) {
			admits := g.admits
			g.admits = func(who string) bool { return admits(who) && !strings.Contains(who, ":user/") }
		}},
		{name: "a service stays out", role: "nightly", change: func(g *fakeGate) {
			admits := g.admits
			g.admits = func(who string) bool { return admits(who) && !strings.Contains(who, "scheduler") }
		}},
		{name: "a granted call is refused", role: "deploy", change: func(g *fakeGate) {
			g.allows = func(wire.Request) bool { return false }
		}},
		{name: "a call that must never be is allowed", role: "deploy", change: func(g *fakeGate) {
			g.allows = func(wire.Request) bool { return true }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := asAWS()
			tt.change(g)
			r := run(t, shop, g)
			if !r.Wrong() || role(t, r, tt.role).Outcome != Wrong {
				t.Errorf("%+v", role(t, r, tt.role))
			}
		})
	}
}

func TestCannotAsk(t *testing.T) {
	g := asAWS()
	g.broken = errors.New("connection refused")
	if r, err := Run(t.Context(), parse(t, shop), g); err == nil || !errors.Is(err, g.broken) {
		t.Errorf("%+v, %v", r, err)
	}
}
