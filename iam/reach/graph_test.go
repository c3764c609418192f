package reach

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	trustHome = `{"Effect":"Allow","Principal":{"AWS":"` + near + `"},"Action":"sts:AssumeRole"}`
	trustCode = `{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}`
	trustFn   = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
)

func with(statements string) Principal { return Principal{Identity: []Policy{one("p", statements)}} }

func bounded(p Principal, statements string) Principal {
	edge := one("edge", statements)
	p.Boundary = &edge
	return p
}

// short leaves the account and kind out of ARNs of the account near.
func short(arn string) string {
	arn = strings.TrimPrefix(arn, "arn:aws:iam::")
	return strings.TrimPrefix(arn, near+":")
}

func chainLine(c Chain) string {
	var b strings.Builder
	b.WriteString(short(c.From()))
	for _, e := range c.Edges {
		fmt.Fprintf(&b, " -%s", e.Path.ID)
		for _, group := range e.Groups {
			b.WriteString(" " + short(group))
		}
		if e.Unknown() {
			b.WriteByte('!')
		}
		if e.Conditional() {
			b.WriteByte('?')
		}
		b.WriteString("-> " + short(e.To))
	}
	return b.String()
}

func TestEscalations(t *testing.T) {
	admin := roleOf(near, "admin", trustFn, with(allowAll))
	const start = "arn:aws:iam::" + near + ":user/start"
	tests := []struct {
		name    string
		members []Member
		groups  []Group
		want    []string
	}{
		{name: "nothing", members: []Member{userOf(near, "start", with(readBucket)), admin}},
		{name: "it administers already", members: []Member{userOf(near, "start", with(allowAll))}},
		{name: "it is as good as an administrator", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}`))}},
		{name: "power user", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`)), roleOf(near, "admin", trustHome, with(allowAll))}, want: []string{"user/start -sts-001-> role/admin"}},
		{
			name: "two policies together",
			members: []Member{userOf(near, "start", Principal{Identity: []Policy{
				one("a", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`),
				one("b", `{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}`),
			}}), admin},
			want: []string{"user/start -lambda-001-> role/admin"},
		},
		{
			name:    "it may pass another role",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"lambda:*","Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/else"}`)), roleOf(near, "admin", trustHome, with(allowAll))},
		},
		{
			name:    "it may pass it to another service",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"glue:Create*","Resource":"*"},{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}`)), roleOf(near, "admin", strings.ReplaceAll(trustFn, "lambda", "glue"), with(allowAll))},
		},
		{
			name:    "it may pass it to this one",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"glue:CreateDevEndpoint","Resource":"*"},{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"glue.amazonaws.com"}}}`)), roleOf(near, "admin", strings.ReplaceAll(trustFn, "lambda", "glue"), with(allowAll))},
			want:    []string{"user/start -glue-001-> role/admin"},
		},
		{
			name:    "the resources of the service are of another account",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"lambda:UpdateFunctionCode","Resource":"arn:aws:lambda:*:`+far+`:function:*"}`)), admin},
		},
		{
			name: "three steps, the shortest first", members: []Member{
				userOf(near, "start", with(`{"Effect":"Allow","Action":"codebuild:StartBuild","Resource":"*"}`)),
				roleOf(near, "build", trustCode, with(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::111111111111:role/deploy","arn:aws:iam::111111111111:role/other"]}`)),
				roleOf(near, "deploy", trustHome, with(`{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::111111111111:user/boss"}`)),
				roleOf(near, "other", trustHome, with(`{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::111111111111:role/other"}`)),
				userOf(near, "boss", with(allowAll)),
			},
			want: []string{
				"user/start -codebuild-002-> role/build -sts-001-> role/deploy -iam-002-> user/boss",
				"user/start -codebuild-002-> role/build -sts-001-> role/other -iam-005-> role/other",
			},
		},
		{
			name: "a step to another account, and an administrator's beyond", members: []Member{
				userOf(near, "start", with(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::222222222222:role/hub"}`)),
				roleOf(far, "hub", trustHome, with(allowAll)),
				roleOf(far, "second", `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, with(allowAll)),
				roleOf("333333333333", "spoke", `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, with(allowAll)),
			},
			want: []string{
				"user/start -sts-001-> 222222222222:role/hub",
				"user/start -sts-001-> 222222222222:role/hub -sts-001-> 333333333333:role/spoke",
			},
		},
		{name: "named, so that it needs no permission", members: []Member{userOf(near, "start", Principal{}), roleOf(near, "admin", `{"Effect":"Allow","Principal":{"AWS":"`+start+`"},"Action":"sts:AssumeRole"}`, with(allowAll))}, want: []string{"user/start -sts-001-> role/admin"}},
		{name: "named by another account", members: []Member{userOf(near, "start", Principal{}), roleOf(far, "admin", `{"Effect":"Allow","Principal":{"AWS":"`+start+`"},"Action":"sts:AssumeRole"}`, with(allowAll))}},
		{name: "it could make the role trust it, but not assume it", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"*"},{"Effect":"Deny","Action":"sts:*","Resource":"*"}`)), admin}},
		{name: "it could make the role trust it", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"*"}`)), admin}, want: []string{"user/start -iam-012-> role/admin"}},
		{name: "a boundary holds it", members: []Member{userOf(near, "start", bounded(with(`{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}`), `{"Effect":"Allow","Action":["iam:PutUserPolicy","s3:*"],"Resource":"*"}`))}},
		{
			name:    "a boundary that it may lift, once it gave itself the permission",
			members: []Member{userOf(near, "start", bounded(with(`{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}`), `{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:DeleteUserPermissionsBoundary"],"Resource":"*"}`))},
			want:    []string{"user/start -iam-007-> user/start -postern-delete-user-boundary-> user/start"},
		},
		{
			name: "it may rewrite the boundary", members: []Member{userOf(near, "start", Principal{
				Identity: []Policy{one("p", `{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:CreatePolicyVersion"],"Resource":"*"}`)},
				Boundary: &Policy{"arn:aws:iam::111111111111:policy/edge", one("", `{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:CreatePolicyVersion"],"Resource":"*"}`).Document},
			})},
			want: []string{"user/start -iam-007-> user/start -postern-boundary-version-> user/start"},
		},
		{
			name:    "an SCP holds it",
			members: []Member{userOf(near, "start", Principal{Identity: []Policy{one("p", `{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}`)}, SCP: [][]Policy{{one("scp", `{"Effect":"Allow","NotAction":"iam:Put*","Resource":"*"}`)}}})},
		},
		{
			name: "a group with more", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"*"}`))},
			groups: []Group{{ARN: "arn:aws:iam::111111111111:group/readers", Policies: []Policy{one("r", readBucket)}}, {ARN: "arn:aws:iam::111111111111:group/chiefs", Policies: []Policy{one("c", allowAll)}}},
			want:   []string{"user/start -iam-013 group/chiefs-> user/start"},
		},
		{
			name:    "two groups together, and not a third",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"*"}`)), admin},
			groups: []Group{
				{ARN: "arn:aws:iam::111111111111:group/a", Policies: []Policy{one("r", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`)}},
				{ARN: "arn:aws:iam::111111111111:group/b", Policies: []Policy{one("c", `{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}`)}},
				{ARN: "arn:aws:iam::111111111111:group/c", Policies: []Policy{one("d", `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`)}},
			},
			want: []string{"user/start -iam-013 group/a group/b group/c-> user/start -lambda-001-> role/admin"},
		},
		{
			name:    "what a group denies binds what it allows itself",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"*"}`))},
			groups: []Group{
				{ARN: "arn:aws:iam::111111111111:group/a", Policies: []Policy{one("r", readBucket)}},
				{ARN: "arn:aws:iam::111111111111:group/b", Policies: []Policy{one("c", allowAll), one("d", `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`)}},
			},
		},
		{
			name:    "and nothing that another does",
			members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"*"}`))},
			groups: []Group{
				{ARN: "arn:aws:iam::111111111111:group/a", Policies: []Policy{one("r", `{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)}},
				{ARN: "arn:aws:iam::111111111111:group/b", Policies: []Policy{one("d", `{"Effect":"Deny","Action":"iam:Put*","Resource":"*"}`)}},
			},
			want: []string{"user/start -iam-013 group/a-> user/start -iam-007-> user/start"},
		},
		{name: "it is in the group", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:PutGroupPolicy","Resource":"*"}`))}, groups: []Group{{ARN: "arn:aws:iam::111111111111:group/a", Members: []string{start}}}, want: []string{"user/start -iam-011-> user/start"}},
		{name: "it is in another", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:PutGroupPolicy","Resource":"*"}`))}, groups: []Group{{ARN: "arn:aws:iam::111111111111:group/a"}}},
		{name: "under an open condition", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`))}, want: []string{"user/start -iam-007?-> user/start"}},
		{name: "under a condition that cannot hold", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*","Condition":{"StringEquals":{"aws:username":"boss"}}}`))}},
		{name: "by name of the user", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"arn:aws:iam::*:user/${aws:username}"}`))}, want: []string{"user/start -iam-007-> user/start"}},
		{name: "its own keys alone", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:*LoginProfile"],"Resource":"arn:aws:iam::*:user/${aws:username}"}`)), userOf(near, "boss", with(allowAll))}},
		{name: "an administrator who may do nothing in IAM", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"*"}`)), userOf(near, "boss", with(allowAll+`,{"Effect":"Deny","Action":"iam:*","Resource":"*"}`))}},
		{name: "a service by its name in China", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"ssm:SendCommand","Resource":"*"}`)), roleOf(near, "admin", `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com.cn"},"Action":"sts:AssumeRole"}`, with(allowAll))}, want: []string{"user/start -ssm-002-> role/admin"}},
		{name: "a service's own role", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":["iam:UpdateAssumeRolePolicy","lambda:UpdateFunctionCode"],"Resource":"*"}`)), roleOf(near, "aws-service-role/lambda.amazonaws.com/x", trustFn, with(allowAll))}},
		{name: "part of another's permissions", members: []Member{userOf(near, "start", with(`{"Effect":"Allow","Action":"iam:CreateServiceSpecificCredential","Resource":"*"}`)), userOf(near, "boss", with(allowAll))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := NewGraph(NewWorld(tt.members, Facts{Now: now}), tt.groups)
			var got []string
			for _, c := range g.Escalations(start) {
				got = append(got, chainLine(c))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEdges tells single steps from none.
func TestEdges(t *testing.T) {
	const start = "arn:aws:iam::111111111111:user/start"
	lift := `{"Effect":"Allow","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*"}`
	tests := []struct {
		name string
		own  Principal
		want []string
	}{
		{name: "a boundary to lift", own: bounded(with(lift), lift), want: []string{"postern-delete-user-boundary user/start"}},
		{name: "none to lift", own: with(lift)},
		{name: "all ways to one end", own: with(`{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:DeleteAccessKey","iam:UpdateLoginProfile","iam:ResetServiceSpecificCredential"],"Resource":"*"}`), want: []string{
			"iam-002 user/boss", "iam-003 user/boss", "iam-006 user/boss", "postern-reset-service-credential user/boss",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := NewGraph(NewWorld([]Member{userOf(near, "start", tt.own), userOf(near, "boss", with(allowAll))}, Facts{Now: now}), nil)
			var got []string
			for _, e := range g.Edges(start) {
				got = append(got, e.Path.ID+" "+short(e.To))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEdgesToRoles is about what a role must be like.
func TestEdgesToRoles(t *testing.T) {
	const start = "arn:aws:iam::111111111111:user/start"
	byTag := with(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}`)
	tagging := `{"Effect":"Allow","Principal":{"AWS":"` + near + `"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	trustEC2 := `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	unprofiled := func(m Member) Member {
		m.Unprofiled = true
		return m
	}
	tests := []struct {
		name string
		own  string
		role Member
		want []string
	}{
		{name: "tags", own: `"sts:*"`, role: roleOf(near, "r", tagging, byTag), want: []string{"sts-001", "postern-tag-session"}},
		{name: "tags, across accounts", own: `"sts:*"`, role: roleOf(far, "r", tagging, byTag), want: []string{"sts-001", "postern-tag-session"}},
		{name: "it may not tag", own: `"sts:AssumeRole"`, role: roleOf(near, "r", tagging, byTag), want: []string{"sts-001"}},
		{name: "the role takes no tags", own: `"sts:*"`, role: roleOf(near, "r", trustHome, byTag), want: []string{"sts-001"}},
		{name: "nothing turns on tags", own: `"sts:*"`, role: roleOf(near, "r", tagging, with(readBucket)), want: []string{"sts-001"}},
		{name: "an instance that may be there", own: `"ssm:SendCommand"`, role: roleOf(near, "r", trustEC2, with(readBucket)), want: []string{"ssm-002?"}},
		{name: "no instance profile", own: `"ssm:SendCommand"`, role: unprofiled(roleOf(near, "r", trustEC2, with(readBucket)))},
		{name: "no instance profile, but a machine elsewhere", own: `"ssm:SendCommand"`, role: unprofiled(roleOf(near, "r", trustEC2+","+strings.ReplaceAll(trustEC2, "ec2", "ssm"), with(readBucket))), want: []string{"ssm-002?"}},
		{name: "no instance profile to start with", own: `"ec2:RunInstances","iam:PassRole"`, role: unprofiled(roleOf(near, "r", trustEC2, with(readBucket)))},
		{name: "it may put the role into one", own: `"ec2:RunInstances","iam:PassRole","iam:AddRoleToInstanceProfile"`, role: unprofiled(roleOf(near, "r", trustEC2, with(readBucket))), want: []string{"ec2-001"}},
		{name: "an instance profile", own: `"ec2:RunInstances","iam:PassRole"`, role: roleOf(near, "r", trustEC2, with(readBucket)), want: []string{"ec2-001"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := NewGraph(NewWorld([]Member{userOf(near, "start", with(`{"Effect":"Allow","Action":[`+tt.own+`],"Resource":"*"}`)), tt.role}, Facts{Now: now}), nil)
			var got []string
			for _, e := range g.Edges(start) {
				id := e.Path.ID
				if e.Path.Presumes() {
					id += "?"
				}
				got = append(got, id)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnknownPolicies follows what nobody knows.
func TestUnknownPolicies(t *testing.T) {
	g := NewGraph(NewWorld([]Member{
		userOf(near, "start", Principal{Identity: []Policy{{Name: "arn:aws:iam::aws:policy/New"}}}), userOf(near, "calm", with(readBucket)),
	}, Facts{}), nil)
	if !g.Administers("arn:aws:iam::111111111111:user/start") || g.Administers("arn:aws:iam::111111111111:user/calm") {
		t.Error("what is not known may be anything")
	}
	edges := g.Edges("arn:aws:iam::111111111111:user/start")
	if len(edges) == 0 || !edges[0].Unknown() {
		t.Errorf("edges: %v", edges)
	}
	if g.Edges("arn:aws:iam::111111111111:user/nobody") != nil || g.Escalations("arn:aws:iam::111111111111:user/nobody") != nil {
		t.Error("nobody gets nowhere")
	}
}

// randomWorld has principals with a few policies that lead to one another.
func randomWorld(seed uint64, size int) *Graph {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's
	name := func() string { return fmt.Sprintf("p%d", r.IntN(size)) }
	trusts := []string{trustHome, trustCode, trustFn, trustHome + "," + trustFn}
	var members []Member
	for i := range size {
		grants := []string{
			readBucket,
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::*:role/` + name() + `","arn:aws:iam::*:role/` + name() + `"]}`,
			`{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::111111111111:user/` + name() + `"}`,
			`{"Effect":"Allow","Action":["iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction"],"Resource":["arn:aws:iam::111111111111:role/` + name() + `","arn:aws:lambda:*:*:function:*"]}`,
			`{"Effect":"Allow","Action":"codebuild:StartBuild","Resource":"*"}`,
			`{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"arn:aws:iam::111111111111:role/` + name() + `"}`,
		}
		p := with(grants[r.IntN(len(grants))])
		if r.IntN(size) < 2 {
			p = with(allowAll)
		}
		if r.IntN(2) == 0 {
			members = append(members, userOf(near, fmt.Sprintf("p%d", i), p))
		} else {
			members = append(members, roleOf(near, fmt.Sprintf("p%d", i), trusts[r.IntN(len(trusts))], p))
		}
	}
	return NewGraph(NewWorld(members, Facts{Now: now}), nil)
}

// TestEscalators holds the ways that are found for all at once against those of
// each alone, from several goroutines.
func TestEscalators(t *testing.T) {
	ways := 0
	for seed := range uint64(60) {
		g := randomWorld(seed, 32)
		want, mutex := map[string]int{}, sync.Mutex{}
		var wait sync.WaitGroup
		for _, m := range g.world.members {
			wait.Go(func() {
				chains := g.Escalations(m.Who.ARN)
				if len(chains) == 0 || g.Administers(m.Who.ARN) {
					return
				}
				mutex.Lock()
				want[m.Who.ARN] = len(chains[0].Edges)
				mutex.Unlock()
			})
		}
		wait.Wait()
		got := map[string]int{}
		for _, c := range g.Escalators() {
			got[c.From()] = len(c.Edges)
			for i, e := range c.Edges[1:] {
				if e.From != c.Edges[i].To {
					t.Errorf("broken: %s", chainLine(c))
				}
			}
			if len(c.Edges) > 1 {
				ways++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
	if ways < 20 {
		t.Errorf("only %d ways of several steps", ways)
	}
}
