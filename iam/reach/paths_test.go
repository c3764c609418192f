package reach

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
)

const (
	home      = "111111111111"
	startUser = "arn:aws:iam::111111111111:user/start"
	startRole = "arn:aws:iam::111111111111:role/start"
	victim    = "arn:aws:iam::111111111111:user/victim"
	worker    = "arn:aws:iam::111111111111:role/worker"
	staff     = "arn:aws:iam::111111111111:group/staff"
	chiefs    = "arn:aws:iam::111111111111:group/chiefs"
	ownPolicy = "arn:aws:iam::111111111111:policy/own"
	ownEdge   = "arn:aws:iam::111111111111:policy/edge"
	itsPolicy = "arn:aws:iam::111111111111:policy/its"
	saml      = "arn:aws:iam::111111111111:saml-provider/idp"
)

// none allows nothing of the paths.
var none = allow("s3:GetObject", "*")

func allow(action string, resources ...string) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{action}, Resources: resources}}}
}

// resourceOf is what the least policy for a step names.
func resourceOf(p *Path, s Step, by eval.PrincipalKind) string {
	switch s.On {
	case OnSelf:
		return map[eval.PrincipalKind]string{eval.User: startUser, eval.Role: startRole}[by]
	case OnTarget, OnTrust:
		switch {
		case p.Gains == GainsGroup:
			return chiefs
		case p.Target == eval.User:
			return victim
		}
		return worker
	case OnOwnGroup:
		return staff
	case OnOwnPolicy:
		return ownPolicy
	case OnOwnBoundary:
		return ownEdge
	case OnTargetPolicy:
		return itsPolicy
	case OnTargetIssuer:
		return saml
	case OnAnything:
		act, _ := action.Lookup(s.Action)
		return strings.ReplaceAll(arnsOf(act, "aws")[0], "*", "x")
	}
	service, _, _ := strings.Cut(s.Action, ":")
	return "arn:aws:" + service + ":eu-west-1:" + home + ":*"
}

// around is a world with a user or role that has the policies of steps, and one
// of all that a path may lead to. The worker trusts one service and the account.
func around(by eval.PrincipalKind, service string, own []Policy, change func(*Member)) *Graph {
	trust := `{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":["sts:AssumeRole","sts:TagSession"]},
		{"Effect":"Allow","Principal":{"Federated":"` + saml + `"},"Action":"sts:AssumeRoleWithSAML"}`
	if service != "" {
		trust += `,{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}`
	}
	start := Member{
		Who:         eval.Principal{Kind: by, ARN: startUser, Account: home},
		Permissions: Principal{Identity: append(own, Policy{ownPolicy, none}), Boundary: &Policy{ownEdge, anything}},
	}
	if by == eval.Role {
		start.Who.ARN = startRole
		start.Trust = &iam.Document{}
	}
	if change != nil {
		change(&start)
	}
	doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + trust + `]}`))
	if err != nil {
		panic(err)
	}
	its := Principal{Identity: []Policy{{itsPolicy, none}, one("by tag", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/*"}`)}}
	return NewGraph(NewWorld([]Member{
		start,
		{Who: eval.Principal{Kind: eval.User, ARN: victim, Account: home}, Permissions: its},
		{Who: eval.Principal{Kind: eval.Role, ARN: worker, Account: home}, Permissions: its, Trust: doc},
		{Who: eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/x", Account: home}, Trust: doc},
	}, Facts{Now: now}), []Group{
		{ARN: staff, Members: []string{startUser}},
		{ARN: chiefs, Policies: []Policy{{"inline policy chief", anything}}},
	})
}

// edgesOf are the ends of the edges by one path.
func edgesOf(g *Graph, by eval.PrincipalKind, id string) []string {
	from := map[eval.PrincipalKind]string{eval.User: startUser, eval.Role: startRole}[by]
	var out []string
	for _, e := range g.Edges(from) {
		if e.Path.ID == id {
			out = append(out, strings.TrimSpace(e.To+" "+e.Service+strings.Join(e.Groups, " ")))
		}
	}
	return out
}

// TestEveryPath makes each path appear by the least policy, for users and for
// roles, and go when one action, the service's trust or the boundary's leave is
// taken away.
func TestEveryPath(t *testing.T) {
	for _, p := range Paths() {
		for _, by := range []eval.PrincipalKind{eval.User, eval.Role} {
			t.Run(p.ID+" by "+map[eval.PrincipalKind]string{eval.User: "user", eval.Role: "role"}[by], func(t *testing.T) {
				p := &p
				service := ""
				if len(p.Service) > 0 {
					service = p.Service[0]
				}
				var all []Policy
				for _, s := range p.Steps {
					all = append(all, Policy{"step", allow(s.Action, resourceOf(p, s, by))})
				}
				var want []string
				if p.By == eval.Anonymous || p.By == by {
					want = []string{wantOf(p, by, service)}
				}
				if got := edgesOf(around(by, service, all, nil), by, p.ID); !cmp.Equal(got, want) {
					t.Fatalf("with all actions: %q, want %q", got, want)
				}
				for i, s := range p.Steps {
					less := slices.Delete(slices.Clone(all), i, i+1)
					if got := edgesOf(around(by, service, less, nil), by, p.ID); got != nil {
						t.Errorf("without %s: %q", s.Action, got)
					}
					deny := append(slices.Clone(all), Policy{"deny", &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Deny, Actions: []string{s.Action}, Resources: []string{"*"}}}}})
					if got := edgesOf(around(by, service, deny, nil), by, p.ID); got != nil {
						t.Errorf("with %s denied: %q", s.Action, got)
					}
					bounded := func(m *Member) {
						m.Permissions.Boundary = &Policy{ownEdge, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Allow, NotActions: []string{s.Action}, Resources: []string{"*"}}}}}
					}
					if got := edgesOf(around(by, service, all, bounded), by, p.ID); got != nil {
						t.Errorf("with a boundary but for %s: %q", s.Action, got)
					}
				}
				for i, s := range p.Steps {
					under := func(condition iam.Condition) []string {
						changed := slices.Clone(all)
						changed[i].Document = allow(s.Action, resourceOf(p, s, by))
						changed[i].Document.Statements[0].Conditions = []iam.Condition{condition}
						return edgesOf(around(by, service, changed, nil), by, p.ID)
					}
					if got := under(iam.Condition{Operator: "Bool", Key: "aws:MultiFactorAuthPresent", Values: []string{"true"}}); !cmp.Equal(got, want) {
						t.Errorf("with %s under a condition that is open: %q", s.Action, got)
					}
					if got := under(iam.Condition{Operator: "ArnLike", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::*:role/other"}}); got != nil {
						t.Errorf("with %s for another: %q", s.Action, got)
					}
					if s.Action == passRole {
						if got := under(iam.Condition{Operator: "StringEquals", Key: "iam:PassedToService", Values: []string{service}}); !cmp.Equal(got, want) {
							t.Errorf("passed to the service: %q", got)
						}
						if got := under(iam.Condition{Operator: "StringEquals", Key: "iam:PassedToService", Values: []string{"other.amazonaws.com"}}); got != nil {
							t.Errorf("passed to another: %q", got)
						}
					}
					held := func(m *Member) {
						m.Permissions.SCP = [][]Policy{{{"scp", &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Allow, NotActions: []string{s.Action}, Resources: []string{"*"}}}}}}}
					}
					if got := edgesOf(around(by, service, all, held), by, p.ID); got != nil {
						t.Errorf("with an SCP but for %s: %q", s.Action, got)
					}
				}
				if service != "" {
					if got := edgesOf(around(by, "other.amazonaws.com", all, nil), by, p.ID); got != nil {
						t.Errorf("to a role that trusts another service: %q", got)
					}
				}
			})
		}
	}
}

func wantOf(p *Path, by eval.PrincipalKind, service string) string {
	self := map[eval.PrincipalKind]string{eval.User: startUser, eval.Role: startRole}[by]
	switch {
	case p.Gains == GainsGroup:
		return self + " " + chiefs
	case p.Target == eval.User:
		return victim
	case p.Target == eval.Role:
		return strings.TrimSpace(worker + " " + service)
	}
	return self
}

// TestCatalogue holds the paths against a list that was put together by hand
// from what pathfinding.cloud and the scanners that cite it require.
func TestCatalogue(t *testing.T) {
	text, err := os.ReadFile("testdata/pathfinding.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); words[0] != "#" {
			slices.Sort(words[2:])
			want[words[0]] = strings.Join(words[1:], " ")
		}
	}
	got := map[string]string{}
	for _, p := range Paths() {
		if _, twice := got[p.ID]; twice {
			t.Errorf("%s stands twice", p.ID)
		}
		if !strings.HasPrefix(p.Source, "https://") {
			t.Errorf("%s has no source", p.ID)
		}
		if strings.HasPrefix(p.ID, "postern-") {
			continue
		}
		actions := strings.Split(p.Name(), " + ")
		slices.Sort(actions)
		got[p.ID] = string(p.Category) + " " + strings.Join(actions, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) != 71 {
		t.Errorf("%d paths", len(want))
	}
}

// TestPathActions holds the actions against AWS's own list.
func TestPathActions(t *testing.T) {
	unknown := map[string]bool{}
	for _, p := range Paths() {
		for _, s := range p.Steps {
			if _, ok := action.Lookup(s.Action); !ok {
				unknown[s.Action] = true
			}
		}
	}
	if len(unknown) > 0 {
		t.Errorf("not actions of AWS: %q", slices.Sorted(maps.Keys(unknown)))
	}
	if n := len(newMentions().place); n > 128 {
		t.Errorf("an actionSet holds 128 actions, not %d", n)
	}
}

func TestEmpowering(t *testing.T) {
	want := []string{
		"iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey",
		"iam:CreateLoginProfile", "iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary",
		"iam:PutGroupPolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
		"iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy", "iam:UpdateLoginProfile", "iam:UpdateSAMLProvider",
	}
	if diff := cmp.Diff(want, empowering()); diff != "" {
		t.Error(diff)
	}
}
