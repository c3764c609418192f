package reach

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Users and roles of one name, on paths and in two accounts, so that it matters
// whom a policy means. A third account is not in the World.
const linked = "arn:aws:iam::222222222222:role/aws-service-role/x.amazonaws.com/linked"

var (
	kinRoles = []string{"arn:aws:iam::222222222222:role/r0", "arn:aws:iam::222222222222:role/team/u0", "arn:aws:iam::333333333333:role/u0", "arn:aws:iam::333333333333:role/R1", linked}
	kinUsers = []string{"arn:aws:iam::222222222222:user/u0", "arn:aws:iam::222222222222:user/team/u1", "arn:aws:iam::333333333333:user/u0"}
	kin      = slices.Concat(kinRoles, kinUsers)
	// kinNames are whom trust policies name.
	kinNames = slices.Concat(kin, []string{
		"222222222222", "444444444444", "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root", "arn:aws:iam::444444444444:root", "*", "AROAEXAMPLEEXAMPLE123",
		"arn:aws:sts::222222222222:assumed-role/r0/build", "arn:aws:sts::222222222222:assumed-role/u0/u0", "arn:aws:sts::333333333333:assumed-role/R1/u1",
		"arn:aws:sts::222222222222:federated-user/u0", "arn:aws:iam::444444444444:role/x/far", "arn:aws:iam::444444444444:user/far", "arn:aws:sts::444444444444:assumed-role/far/build",
	})
	kinActions   = []string{"sts:AssumeRole", "sts:TagSession", "iam:TagUser", "iam:ListUsers"}
	kinPatterns  = []string{"sts:AssumeRole", "STS:assume*", "*", "sts:*", "sts:TagSession", "iam:*", "iam:Tag*", "s3:*"}
	kinResources = slices.Concat(kin, []string{
		"*", "arn:aws:iam::*:*", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/${aws:username}", "arn:aws:iam::*:*/${aws:UserName}", "arn:aws:iam::*:role/R?",
		"arn:aws:iam::${aws:PrincipalAccount}:*", "${aws:PrincipalArn}", "arn:aws:iam::*:role/${aws:PrincipalTag/team}", "arn:aws:iam::*:user/${aws:PrincipalTag/team, 'u0'}",
		"arn:aws:iam::*:role/${aws:username, 'R}1'}", "arn:aws:iam::*:role/${aws:userid}", "arn:aws:iam::*:user/${aws:TagKeys}", "arn:aws:iam::*:user/u${*}",
	})
	kinKeys = []string{
		"aws:PrincipalArn", "aws:PrincipalAccount", "aws:username", "aws:userid", "aws:PrincipalType", "aws:PrincipalTag/team", "sts:RoleSessionName", "aws:TagKeys", "aws:PrincipalIsAWSService",
		"aws:PrincipalServiceName", "sts:ExternalId",
	}
	kinValues = []string{
		"u0", "U0", "u?", "*", "build", "ssh", "team", "true", "false", "User", "AssumedRole", "ec2.amazonaws.com", "222222222222", "AROA*:build", "AROA?:${aws:username}", "${aws:username}",
		"${aws:username, 'u0'}", "${aws:PrincipalTag/team}", "${aws:PrincipalArn}", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::*:user/${aws:username}", "arn:aws:sts::*:assumed-role/*",
	}
)

func drawOf(t *rapid.T, list []string, most int) []string {
	return rapid.SliceOfN(rapid.SampledFrom(list), 1, most).Draw(t, "list")
}

func drawKinConditions(t *rapid.T) (out []iam.Condition) {
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2}).Draw(t, "conditions") {
		c := drawCondition(t)
		c.Key = rapid.SampledFrom(kinKeys).Draw(t, "key")
		switch {
		case strings.HasPrefix(c.Operator, "Date"):
			c = iam.Condition{Operator: "Bool", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}}
		case c.Operator != "Null":
			c.Values = drawOf(t, kinValues, 3)
		}
		out = append(out, c)
	}
	return out
}

func drawKinStatement(t *rapid.T) iam.Statement {
	s := iam.Statement{Effect: rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Allow, iam.Allow, iam.Deny}).Draw(t, "effect"), Conditions: drawKinConditions(t)}
	s.Actions, s.Resources = drawOf(t, kinPatterns, 2), drawOf(t, kinResources, 3)
	if rapid.IntRange(0, 5).Draw(t, "NotAction") == 0 {
		s.Actions, s.NotActions = nil, s.Actions
	}
	if rapid.IntRange(0, 4).Draw(t, "NotResource") == 0 {
		s.Resources, s.NotResources = nil, s.Resources
	}
	return s
}

func drawKinTrust(t *rapid.T) iam.Statement {
	s := drawTrust(t)
	s.Actions, s.Conditions = drawOf(t, []string{"sts:AssumeRole", "sts:*", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"}, 2), drawKinConditions(t)
	for _, p := range []*iam.Principal{s.Principal, s.NotPrincipal} {
		if p != nil && len(p.AWS) > 0 {
			p.AWS = drawOf(t, kinNames, 3)
		}
	}
	return s
}

// drawKin returns the members, and the SCPs of their accounts.
func drawKin(t *rapid.T) []Member {
	shared := Policy{Name: "shared", Document: drawDocument(t, drawKinStatement)}
	scp := map[string][][]Policy{}
	for _, account := range []string{"222222222222", "333333333333"} {
		if rapid.IntRange(0, 3).Draw(t, "SCP") == 0 {
			scp[account] = [][]Policy{{{Name: "scp", Document: drawDocument(t, drawKinStatement)}, {Name: "all", Document: anything}}}
		}
	}
	var out []Member
	for _, arn := range kin {
		who, _ := eval.ParsePrincipal(arn)
		m := Member{Who: who, Permissions: Principal{SCP: scp[who.Account]}}
		if rapid.Bool().Draw(t, "has the shared policy") {
			m.Permissions.Identity = append(m.Permissions.Identity, shared)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "policies") {
			m.Permissions.Identity = append(m.Permissions.Identity, Policy{Name: fmt.Sprint("own", i), Document: drawDocument(t, drawKinStatement)})
		}
		if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 {
			m.Permissions.Boundary = &Policy{Name: "edge", Document: drawDocument(t, drawKinStatement)}
		}
		if who.Kind == eval.Role {
			m.Trust = drawDocument(t, drawKinTrust)
		}
		out = append(out, m)
	}
	return append(out, Root("aws", "222222222222", scp["222222222222"]))
}

// asker is somebody who makes a request, and what an answer may call it.
type asker struct {
	eval.Principal
	policies Principal
	names    []string
}

// askersOf are the members, roles as two of their sessions, and some from
// outside, whose own account lets them do anything.
func askersOf(members []Member) (out []asker) {
	for _, m := range members {
		if m.Who.Kind != eval.Role {
			out = append(out, asker{m.Who, m.Permissions, []string{m.Who.ARN}})
			continue
		}
		for _, name := range []string{"build", "u1"} {
			session := eval.Principal{Kind: eval.RoleSession, ARN: "arn:aws:sts::" + m.Who.Account + ":assumed-role/" + roleName(m.Who.ARN) + "/" + name, RoleARN: m.Who.ARN, Account: m.Who.Account}
			out = append(out, asker{session, m.Permissions, []string{m.Who.ARN}})
		}
	}
	all := Principal{Identity: []Policy{{Name: "all", Document: anything}}}
	far, role := "444444444444", "arn:aws:iam::444444444444:role/x/far"
	session, account := "arn:aws:sts::444444444444:assumed-role/far/build", "arn:aws:iam::444444444444:root"
	return append(out,
		asker{eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::444444444444:user/far", Account: far}, all, []string{"*", account, "arn:aws:iam::444444444444:user/far"}},
		asker{eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::444444444444:user/u0", Account: far}, all, []string{"*", account}},
		asker{eval.Principal{Kind: eval.RoleSession, ARN: session, RoleARN: role, Account: far}, all, []string{"*", account, role, session}},
		asker{eval.Principal{Kind: eval.Service, ARN: "ec2.amazonaws.com"}, Principal{}, []string{"*", "ec2.amazonaws.com"}},
	)
}

// drawKinRequest returns condition keys that say nothing of who asks, and facts
// that are true of them.
func drawKinRequest(t *rapid.T) (map[string][]string, Facts) {
	context := map[string][]string{}
	facts := Facts{Keys: map[string][]string{}, Like: map[string]Pattern{}, Among: map[string]string{}}
	values := map[string][]string{
		"aws:PrincipalTag/team": {"u0", "r0", "*"}, "sts:RoleSessionName": {"build", "u0"}, "sts:ExternalId": {"secret", "other"}, "aws:TagKeys": {"ssh", "team", "cost"},
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		most := 1
		if key == "aws:TagKeys" {
			most = 2
		}
		held := rapid.SliceOfN(rapid.SampledFrom(values[key]), 0, most).Draw(t, key)
		if len(held) > 0 {
			context[key] = held
		}
		switch known := rapid.IntRange(0, 4).Draw(t, "known"); {
		case known == 0:
			facts.Keys[strings.ToUpper(key)] = held
		case known == 1 && most == 1 && len(held) == 1:
			facts.Like[key] = rapid.SampledFrom([]Pattern{{Text: "*"}, {Text: held[0]}, {Text: held[0][:1] + "*"}}).Draw(t, "pattern")
		case known == 2 && len(held) > 0:
			facts.Among[key] = rapid.SampledFrom(held).Draw(t, "one of them")
		}
	}
	return context, facts
}

// request is one of somebody, with the keys that AWS adds.
func (k *asker) request(action, resource string, context map[string][]string) *eval.Request {
	keys := maps.Clone(context)
	maps.Copy(keys, eval.PrincipalContext(k.Principal))
	switch k.Kind {
	case eval.User:
		keys["aws:userid"] = []string{"AIDAX"}
	case eval.RoleSession:
		keys["aws:userid"] = []string{"AROAX:" + k.ARN[strings.LastIndexByte(k.ARN, '/')+1:]}
	}
	return &eval.Request{Principal: k.Principal, Action: action, Resource: resource, ResourceAccount: accountIn(resource), Context: eval.NewContext(keys)}
}

// TestWhoCanAgainstTheEngine: whoever the engine allows a request is among the
// answers to every question that the request belongs to; who always can is
// allowed it.
func TestWhoCanAgainstTheEngine(t *testing.T) {
	entered, did, always := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		members := drawKin(t)
		context, facts := drawKinRequest(t)
		w := NewWorld(members, facts)
		action := rapid.SampledFrom(kinActions).Draw(t, "action")
		resource := rapid.SampledFrom(kinRoles).Draw(t, "role")
		enters := strings.HasPrefix(action, "sts:")
		var trust *eval.Policy
		if m, _ := w.Member(resource); enters {
			trust = mustCompile(t, eval.Trust, m.Trust)
		} else {
			resource = rapid.SampledFrom(append(kinUsers, "*")).Draw(t, "resource")
		}
		asks := rapid.SampledFrom(append(matching(kinPatterns, iam.MatchFold, action, true), action, strings.ToUpper(action))).Draw(t, "asked action")
		of := rapid.SampledFrom(append(matching(kinResources, matchARN, resource, true), "*", resource)).Draw(t, "asked resource")
		answers := map[string]Answer{}
		for _, a := range w.WhoCan(asks, of) {
			answers[a.Principal.ARN] = a
		}
		for _, k := range askersOf(members) {
			layers := layersOf(t, k.policies)
			layers.Resource = trust
			r := k.request(action, resource, context)
			if !enters { // of its own side alone
				r.ResourceAccount = k.Account
			}
			decision := layers.Decide(r)
			at := slices.IndexFunc(k.names, func(name string) bool { _, listed := answers[name]; return listed })
			switch {
			case k.Kind == eval.Root && (enters || accountIn(resource) != "" && accountIn(resource) != k.Account): // see Root
			case !enters && len(k.names) > 1:
			case decision == eval.Allowed && at < 0:
				t.Fatalf("%s may %s %s with %v, and is not among who can %s %s: %v\n%+v", k.ARN, action, resource, context, asks, of, slices.Sorted(maps.Keys(answers)), k.policies)
			case decision == eval.Allowed && enters:
				entered++
			case decision == eval.Allowed:
				did++
			case at >= 0 && answers[k.names[at]].Extent == Always && (!enters || asks == assumeRole) && !layers.MightAllow(r):
				t.Fatalf("%s may not %s %s with %v, and always can %s %s\n%+v", k.ARN, action, resource, context, asks, of, k.policies)
			}
			if at >= 0 && answers[k.names[at]].Extent == Always {
				always++
			}
		}
	})
	if entered == 0 || did == 0 || always == 0 {
		t.Errorf("%d entered, %d did something, %d always: nothing was tried", entered, did, always)
	}
}
