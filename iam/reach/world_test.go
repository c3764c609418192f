package reach

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func one(name, statements string) Policy {
	doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		panic(err)
	}
	return Policy{Name: name, Document: doc}
}

func userOf(account, name string, p Principal) Member {
	return Member{Who: eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::" + account + ":user/" + name, Account: account}, Permissions: p}
}

func roleOf(account, name, trust string, p Principal) Member {
	m := userOf(account, name, p)
	m.Who = eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::" + account + ":role/" + name, Account: account}
	m.Trust = one("trust", trust).Document
	return m
}

const (
	near, far  = "111111111111", "222222222222"
	allowAll   = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	readBucket = `{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::state/*"}`
)

// summary is an answer in one line: who, how far, by what.
func summary(answers []Answer) []string {
	var out []string
	for _, a := range answers {
		line := a.Principal.ARN + " " + a.Extent.String()
		for _, f := range a.Via {
			line += fmt.Sprintf(" %s/%d", f.Policy, f.Index)
			if f.Unknown {
				line += "?"
			}
		}
		out = append(out, line)
	}
	return out
}

func TestWhoCan(t *testing.T) {
	edge := one("edge", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	w := NewWorld([]Member{
		userOf(near, "admin", Principal{Identity: []Policy{one("all", allowAll)}}),
		userOf(near, "reader", Principal{Identity: []Policy{one("read", readBucket)}}),
		userOf(near, "guarded", Principal{Identity: []Policy{one("all", allowAll+`,{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)}}),
		userOf(near, "denied", Principal{Identity: []Policy{one("all", allowAll), one("no", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)}}),
		userOf(near, "bounded", Principal{Identity: []Policy{one("all", allowAll)}, Boundary: &edge}),
		userOf(near, "member", Principal{Identity: []Policy{one("all", allowAll)}, SCP: [][]Policy{{one("full", allowAll)}, {edge}}}),
		userOf(near, "unknown", Principal{Identity: []Policy{{Name: "gone"}}}),
		userOf(near, "but", Principal{Identity: []Policy{one("but", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`)}}),
		userOf(near, "instances", Principal{Identity: []Policy{one("instances", `{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:*"}`)}}),
		userOf(near, "home", Principal{Identity: []Policy{one("home", `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*"}`)}}),
		userOf(near, "self", Principal{Identity: []Policy{one("self", `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"self"}}},
			{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"other"}}}`)}}),
	}, Facts{})
	user := "arn:aws:iam::" + near + ":user/"
	tests := []struct {
		name, action, resource string
		want                   []string
	}{
		{name: "an object", action: "s3:GetObject", resource: "arn:aws:s3:::state/key", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "guarded sometimes all/0",
			user + "reader always read/0", user + "self always self/0", user + "unknown sometimes gone/0?",
		}},
		{name: "any object", action: "s3:GetObject", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "guarded sometimes all/0", user + "home sometimes home/0",
			user + "reader sometimes read/0", user + "self always self/0", user + "unknown sometimes gone/0?",
		}},
		{name: "an action without resource", action: "s3:ListAllMyBuckets", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "guarded sometimes all/0", user + "self always self/0",
			user + "unknown sometimes gone/0?",
		}},
		{name: "an action with a resource or without", action: "ec2:AssociateAddress", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "denied always all/0", user + "guarded always all/0",
			user + "instances sometimes instances/0", user + "unknown sometimes gone/0?",
		}},
		{name: "an action on many types", action: "ec2:CreateTags", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "denied always all/0", user + "guarded always all/0",
			user + "instances sometimes instances/0", user + "unknown sometimes gone/0?",
		}},
		{name: "what the limits admit", action: "SQS:sendmessage", resource: "arn:aws:sqs:eu-west-1:" + near + ":q", want: []string{
			user + "admin always all/0", user + "bounded always all/0", user + "but always but/0", user + "denied always all/0",
			user + "guarded always all/0", user + "member always all/0", user + "unknown sometimes gone/0?",
		}},
		{name: "a pattern", action: "s3:*", resource: "arn:aws:s3:::state/*", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "guarded sometimes all/0",
			user + "reader sometimes read/0", user + "self always self/0", user + "unknown sometimes gone/0?",
		}},
		{name: "what is named for its owner", action: "s3:GetObject", resource: "arn:aws:s3:::home/key", want: []string{
			user + "admin always all/0", user + "but always but/0", user + "guarded sometimes all/0", user + "home always home/0",
			user + "self always self/0", user + "unknown sometimes gone/0?",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summary(w.WhoCan(tt.action, tt.resource))); diff != "" {
				t.Errorf("WhoCan(%s, %s) (-want +got):\n%s", tt.action, tt.resource, diff)
			}
		})
	}
}

// TestDenialWithVariables: what a variable stands for is open, if its key has
// several values.
func TestDenialWithVariables(t *testing.T) {
	m := userOf(near, "one", Principal{Identity: []Policy{one("own", readBucket+`,{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::home-${k:one}/*"}`)}})
	want := []string{m.Who.ARN + " sometimes own/0"}
	if diff := cmp.Diff(want, summary(NewWorld([]Member{m}, Facts{}).WhoCan("s3:GetObject", "arn:aws:s3:::state/key"))); diff != "" {
		t.Errorf("WhoCan (-want +got):\n%s", diff)
	}
}

func TestWhoEntersARole(t *testing.T) {
	ask := one("ask", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`)
	may := Principal{Identity: []Policy{ask}}
	allow := func(principal, conditions string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"],"Condition":{` + conditions + `}}`
	}
	github := "arn:aws:iam::" + near + ":oidc-provider/token.actions.githubusercontent.com"
	w := NewWorld([]Member{
		userOf(near, "may", may), userOf(near, "named", Principal{}), userOf(near, "none", Principal{}), userOf(far, "may", may),
		roleOf(near, "account", allow(`{"AWS":["`+near+`","333333333333"]}`, ""), Principal{}),
		roleOf(near, "user", allow(`{"AWS":"arn:aws:iam::`+near+`:user/named","Service":"ec2.amazonaws.com"}`, ""), Principal{}),
		roleOf(near, "mfa", allow(`{"AWS":"`+near+`"}`, `"Bool":{"aws:MultiFactorAuthPresent":"true"}`), Principal{}),
		roleOf(near, "web", allow(`{"Federated":"`+github+`"}`, ""), Principal{}),
		roleOf(near, "open", allow(`"*"`, ""), Principal{}),
		roleOf(near, "tokens", strings.Replace(allow(`"*"`, ""), `"sts:AssumeRole",`, "", 1), Principal{}),
		roleOf(near, "shut", allow(`"*"`, "")+`,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}`, Principal{}),
		roleOf(near, "tagged", strings.Replace(allow(`{"AWS":"arn:aws:iam::`+near+`:user/named","Service":"pods.eks.amazonaws.com"}`, ""), "sts:AssumeRoleWithWebIdentity", "sts:TagSession", 1), Principal{}),
	}, Facts{})
	trust := func(name string) string { return " trust policy of arn:aws:iam::" + near + ":role/" + name + "/0" }
	nearby, away := "arn:aws:iam::"+near+":user/", "arn:aws:iam::"+far+":user/"
	tests := []struct {
		name, action, resource string
		want                   []string
	}{
		{name: "by its account", action: "sts:AssumeRole", resource: "arn:aws:iam::" + near + ":role/account", want: []string{
			nearby + "may always ask/0" + trust("account"), "arn:aws:iam::333333333333:root sometimes" + trust("account"),
		}},
		{name: "by name, without policies", action: "sts:assumerole", resource: "arn:aws:iam::" + near + ":role/user", want: []string{
			nearby + "named sometimes" + trust("user"), "ec2.amazonaws.com sometimes" + trust("user"),
		}},
		{name: "under a condition", action: "sts:AssumeRole", resource: "arn:aws:iam::" + near + ":role/mfa", want: []string{
			nearby + "may sometimes ask/0" + trust("mfa"),
		}},
		{name: "by a token", action: "sts:AssumeRoleWithWebIdentity", resource: "arn:aws:iam::" + near + ":role/web", want: []string{
			github + " sometimes" + trust("web"),
		}},
		{name: "a role of an account that is not known", action: "sts:AssumeRole", resource: "arn:aws:iam::444444444444:role/x", want: []string{
			nearby + "may sometimes ask/0", away + "may sometimes ask/0",
		}},
		{name: "a role that is not there", action: "sts:AssumeRole", resource: "arn:aws:iam::" + near + ":role/x"},
		{name: "everyone, by another call", action: "sts:AssumeRole", resource: "arn:aws:iam::" + near + ":role/tokens"},
		{name: "everyone, but all are denied", action: "sts:AssumeRole", resource: "arn:aws:iam::" + near + ":role/shut"},
		{name: "everyone with a token, whom a denial for AWS may not mean", action: "sts:AssumeRoleWithWebIdentity", resource: "arn:aws:iam::" + near + ":role/shut", want: []string{
			"* sometimes" + trust("shut"),
		}},
		{name: "by a pattern of calls", action: "sts:Assume*", resource: "arn:aws:iam::" + near + ":role/user", want: []string{
			nearby + "may sometimes ask/0", nearby + "named sometimes" + trust("user"), away + "may sometimes ask/0", "ec2.amazonaws.com sometimes" + trust("user"),
		}},
		{name: "by a pattern of all calls", action: "*", resource: "arn:aws:iam::" + near + ":role/web", want: []string{
			nearby + "may sometimes ask/0", away + "may sometimes ask/0", github + " sometimes" + trust("web"),
		}},
		{name: "who may tag the session", action: "sts:TagSession", resource: "arn:aws:iam::" + near + ":role/tagged", want: []string{
			nearby + "named sometimes" + trust("tagged"), "pods.eks.amazonaws.com sometimes" + trust("tagged"),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summary(w.WhoCan(tt.action, tt.resource))); diff != "" {
				t.Errorf("WhoCan(%s, %s) (-want +got):\n%s", tt.action, tt.resource, diff)
			}
		})
	}
}

// TestNamedAndKeptOut: whom a role's trust policy names needs no leave of its own,
// in its account; denials and what binds the account keep it out.
func TestNamedAndKeptOut(t *testing.T) {
	const role = "arn:aws:iam::" + near + ":role/named"
	scp := func(statements string) [][]Policy { return [][]Policy{{one("scp", statements)}} }
	for _, test := range []struct {
		name string
		p    Principal
		out  bool
	}{
		{name: "nothing"},
		{name: "a denial", p: with(`{"Effect":"Deny","Action":"sts:*","Resource":"*"}`), out: true},
		{name: "a denial of other roles", p: with(`{"Effect":"Deny","Action":"sts:*","Resource":"arn:aws:iam::*:role/other"}`)},
		{name: "a denial of all but itself", p: with(`{"Effect":"Deny","Action":"*","NotResource":"arn:aws:iam::*:user/${aws:username}"}`), out: true},
		{name: "a denial under a condition", p: with(`{"Effect":"Deny","Action":"sts:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`)},
		{name: "a policy that is not known", p: Principal{Identity: []Policy{{Name: "gone"}}}},
		{name: "an SCP", p: Principal{SCP: scp(`{"Effect":"Allow","NotAction":"sts:*","Resource":"*"}`)}, out: true},
		{name: "an SCP that lets it through", p: Principal{SCP: scp(allowAll)}},
		{name: "a boundary without it, which binds no user who is named", p: bounded(Principal{}, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)},
		{name: "a boundary that denies", p: bounded(Principal{}, `{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"`+role+`"}`), out: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			who := userOf(near, "u", test.p)
			w := NewWorld([]Member{who, roleOf(near, "named", `{"Effect":"Allow","Principal":{"AWS":"`+who.Who.ARN+`"},"Action":"sts:AssumeRole"}`, Principal{})}, Facts{})
			var want []string
			if !test.out {
				want = []string{who.Who.ARN + " sometimes trust policy of " + role + "/0"}
			}
			got := summary(w.WhoCan("sts:AssumeRole", role))
			for i := range got {
				got[i] = strings.Replace(got[i], " gone/0?", "", 1)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("WhoCan (-want +got):\n%s", diff)
			}
			if got := len(w.Becomes(who.Who.ARN)) == 0; got != test.out {
				t.Errorf("becomes nobody: %v", got)
			}
			if got := len(NewGraph(w, nil).Edges(who.Who.ARN)) == 0; got != test.out {
				t.Errorf("has no edges: %v", got)
			}
			if got := !w.doors.roles[0].Reachable(who.Who, &test.p, Facts{}); got != test.out {
				t.Errorf("does not reach the role: %v", got)
			}
		})
	}
}

// TestLinkedToAService: SCPs do not bind the roles that services make for
// themselves.
func TestLinkedToAService(t *testing.T) {
	p := with(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	p.SCP = [][]Policy{{one("scp", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)}}
	m := roleOf(near, "aws-service-role/x.amazonaws.com/linked", trustHome, p)
	want := []string{m.Who.ARN + " always p/0"}
	if diff := cmp.Diff(want, summary(NewWorld([]Member{m}, Facts{}).WhoCan("s3:GetObject", "arn:aws:s3:::state/key"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOver(t *testing.T) {
	p := Principal{Identity: []Policy{one("read", readBucket)}}
	tests := []struct {
		name               string
		actions, resources []string
		want               Extent
	}{
		{name: "never", actions: []string{"iam:*", "s3:Put*"}, resources: []string{"*"}, want: Never},
		{name: "some actions", actions: []string{"iam:*", "s3:*"}, resources: []string{"arn:aws:s3:::state/a"}, want: Sometimes},
		{name: "some resources", actions: []string{"s3:GetObject"}, resources: []string{"arn:aws:s3:::state/*", "arn:aws:s3:::other/*"}, want: Sometimes},
		{name: "always", actions: []string{"s3:GetObject", "s3:GetObjectAcl"}, resources: []string{"arn:aws:s3:::state/*"}, want: Always},
	}
	for _, tt := range tests {
		if got := p.Over(tt.actions, tt.resources, Facts{}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
