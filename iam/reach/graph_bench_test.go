package reach

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/iam"
)

// bigWorld has 10,000 users and roles of 20 accounts: mostly of applications,
// a few that pass roles or deploy, and two administrators in each account.
func bigWorld() ([]Member, []Group) {
	shared := one("arn:aws:iam::aws:policy/ReadOnlyAccess", `{"Effect":"Allow","Action":["s3:Get*","s3:List*","ec2:Describe*","logs:*"],"Resource":"*"}`)
	var members []Member
	var groups []Group
	for a := range 20 {
		account := fmt.Sprintf("%012d", a+1)
		trust := func(service string) *iam.Document {
			return one("", `{"Effect":"Allow","Principal":{"Service":"`+service+`.amazonaws.com"},"Action":"sts:AssumeRole"}`).Document
		}
		lambda, tasks := trust("lambda"), trust("ecs-tasks")
		hub := one("", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000001:root"},"Action":"sts:AssumeRole"}`).Document
		for i := range 500 {
			app := one("inline", fmt.Sprintf(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::app-%d/*"},
				{"Effect":"Allow","Action":["sqs:SendMessage","dynamodb:*","kms:Decrypt"],"Resource":"*"}`, i))
			m := roleOf(account, fmt.Sprintf("app-%d", i), allowAll, Principal{Identity: []Policy{app, shared}})
			m.Trust = lambda
			switch {
			case i < 2:
				m.Trust, m.Permissions = tasks, with(allowAll)
			case i%50 == 3: // it deploys services
				m.Trust, m.Permissions = hub, with(`{"Effect":"Allow","Action":["ecs:*","iam:PassRole"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)
			case i%50 == 4: // it may become one of the roles of the other accounts
				m.Permissions.Identity = append(m.Permissions.Identity, one("hop", fmt.Sprintf(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/app-%d"}`, i-1)))
			case i%10 == 5:
				m = userOf(account, fmt.Sprintf("user-%d", i), Principal{Identity: []Policy{app, shared}})
			}
			members = append(members, m)
		}
		groups = append(groups, Group{ARN: "arn:aws:iam::" + account + ":group/all", Policies: []Policy{shared}})
	}
	return members, groups
}

// BenchmarkGraph works on 10,000 principals.
func BenchmarkGraph(b *testing.B) {
	members, groups := bigWorld()
	world := NewWorld(members, Facts{Now: now})
	g := NewGraph(world, groups)
	b.Run("NewGraph", func(b *testing.B) {
		for b.Loop() {
			NewGraph(world, groups)
		}
	})
	b.Run("Escalations", func(b *testing.B) {
		for b.Loop() {
			if n := len(g.Escalations("arn:aws:iam::000000000001:role/app-4")); n < 2 {
				b.Fatal(n)
			}
		}
	})
	b.Run("Escalators", func(b *testing.B) {
		for b.Loop() {
			if n := len(g.Escalators()); n < 200 {
				b.Fatal(n)
			}
		}
	})
}

// BenchmarkGraphDense has 5,000 principals of one account of whom each can get
// at each role, of which none administers.
func BenchmarkGraphDense(b *testing.B) {
	const power = `{"Effect":"Allow","Action":["iam:PassRole","lambda:*","glue:*","ecs:*"],"Resource":"*"}`
	var members []Member
	for i := range 2500 {
		members = append(members, userOf(near, fmt.Sprintf("u-%d", i), with(power)), roleOf(near, fmt.Sprintf("r-%d", i), trustFn, with(power)))
	}
	g := NewGraph(NewWorld(members, Facts{Now: now}), nil)
	b.Run("Escalations", func(b *testing.B) {
		for b.Loop() {
			if g.Escalations("arn:aws:iam::111111111111:user/u-1") != nil {
				b.Fatal("an escalation")
			}
		}
	})
	b.Run("Escalators", func(b *testing.B) {
		for b.Loop() {
			if g.Escalators() != nil {
				b.Fatal("an escalation")
			}
		}
	})
}

// BenchmarkGraphWays has 10,000 principals of one account who all find a way to
// its one administrator: each controls ten roles by a pattern, and may pass every
// role under a condition.
func BenchmarkGraphWays(b *testing.B) {
	var members []Member
	for i := range 5000 {
		power := fmt.Sprintf(`{"Effect":"Allow","Action":["iam:*","sts:*","lambda:*"],"Resource":"arn:aws:iam::*:role/r-%d*"},
			{"Effect":"Allow","Action":["iam:PassRole","lambda:*","glue:*","ecs:*"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`, i%500)
		role := roleOf(near, fmt.Sprintf("r-%d", i), trustFn, with(power))
		if i == 4999 {
			role.Permissions = with(allowAll)
		}
		members = append(members, userOf(near, fmt.Sprintf("u-%d", i), with(power)), role)
	}
	g := NewGraph(NewWorld(members, Facts{Now: now}), nil)
	for b.Loop() {
		if n := len(g.Escalators()); n != len(members)-1 {
			b.Fatal(n)
		}
	}
}
