package eval_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/eval"
)

// benchCase is a request whose decision is known.
type benchCase struct {
	name    string
	layers  eval.Layers
	request eval.Request
	want    eval.Decision
}

// benchContext is what comes with a request of the real AWS.
func benchContext(t testing.TB, r *eval.Request) eval.Context {
	t.Helper()
	return (&eval.Model{PrincipalOrg: "o-1"}).Context(r, map[string][]string{
		"aws:CurrentTime": {"2026-11-21T12:00:00Z"}, "aws:SourceIp": {"10.2.3.4"}, "aws:PrincipalTag/team": {"shop"},
		"aws:MultiFactorAuthPresent": {"false"}, "aws:TagKeys": {"team", "env"}, "aws:RequestedRegion": {"eu-west-1"},
		"token.actions.githubusercontent.com:aud": {"sts.amazonaws.com"},
		"token.actions.githubusercontent.com:sub": {"repo:acme/shop:environment:production"},
	})
}

// benchCases is a mix of what occurs: every layer and most sorts of condition.
func benchCases(t testing.TB) []benchCase {
	policy := func(kind eval.Kind, src string) []*eval.Policy {
		return []*eval.Policy{compile(t, "p", kind, src)}
	}
	identity := func(members string) eval.Layers {
		return eval.Layers{Identity: policy(eval.Identity, v12(members))}
	}
	limited := identity(`"Effect":"Allow","Action":["ecr:*","s3:Get*"],"Resource":"*"`)
	limited.Boundary = policy(eval.Boundary, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","ecr:*"],"Resource":"*"},{"Effect":"Deny","Action":["iam:*","organizations:*"],"Resource":"*"}]}`)
	organised := identity(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"`)
	guard := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["organizations:LeaveOrganization","s3:PutAccountPublicAccessBlock"],"Resource":"*"}]}`
	for range 3 {
		organised.SCP = append(organised.SCP, policy(eval.SCP, guard))
	}
	perimeter := identity(`"Effect":"Allow","Action":"s3:*","Resource":"*"`)
	perimeter.RCP = [][]*eval.Policy{policy(eval.RCP, v12(`"Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`))}
	all := limited
	all.SCP, all.RCP = organised.SCP, perimeter.RCP
	both := eval.Layers{Identity: policy(eval.Identity, allowAll), Resource: compile(t, "r", eval.Resource, grants(toAccount))}
	cases := []benchCase{
		{name: "exact allow", layers: identity(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/key"`), want: eval.Allowed},
		{name: "implicit deny", layers: identity(`"Effect":"Allow","Action":"sqs:*","Resource":"*"`)},
		{name: "explicit deny", layers: eval.Layers{Identity: policy(eval.Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*"}]}`)}, want: eval.ExplicitDeny},
		{name: "wildcards inside words", layers: identity(`"Effect":"Allow","Action":"s3:*Obj?ct","Resource":"arn:aws:s3:::b*t/k*y"`), want: eval.Allowed},
		{name: "NotAction", layers: identity(`"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"`), want: eval.Allowed},
		{name: "NotResource", layers: identity(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::secret/*"`), want: eval.Allowed},
		{name: "StringLike", layers: identity(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"aws:username":["bob","al*e"]}}`), want: eval.Allowed},
		{name: "IpAddress", layers: identity(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]}}`), want: eval.Allowed},
		{name: "BoolIfExists", layers: eval.Layers{Identity: policy(eval.Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`)}, want: eval.ExplicitDeny},
		{name: "variable", layers: identity(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*/${aws:PrincipalTag/key, 'key'}"`), want: eval.Allowed},
		{name: "ForAllValues", layers: identity(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","env","cost"]}}`), want: eval.Allowed},
		{name: "date", layers: identity(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}`), want: eval.Allowed},
		{name: "resource policy", layers: eval.Layers{Resource: compile(t, "r", eval.Resource, grants(toAlice))}, want: eval.Allowed},
		{name: "across accounts, both", layers: both, request: eval.Request{ResourceAccount: other}, want: eval.Allowed},
		{name: "across accounts, one", layers: eval.Layers{Identity: policy(eval.Identity, allowAll)}, request: eval.Request{ResourceAccount: other}},
		{name: "boundary", layers: limited, want: eval.Allowed},
		{name: "three levels of SCPs", layers: organised, want: eval.Allowed},
		{name: "boundary, SCPs and RCP", layers: all, want: eval.Allowed},
		{
			name: "OIDC trust", layers: eval.Layers{Resource: compile(t, "trust", eval.Trust, v12(`"Effect":"Allow","Principal":`+toGitHub+`,"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":["repo:acme/shop:environment:production","repo:acme@1/shop@2:environment:production"]}}`))},
			request: eval.Request{Principal: github, Action: "sts:AssumeRoleWithWebIdentity", Resource: roleARN}, want: eval.Allowed,
		},
		{name: "forty statements", layers: eval.Layers{Identity: policy(eval.Identity, fortyStatements())}, want: eval.Allowed},
	}
	for i := range cases {
		r := &cases[i].request
		if r.Action == "" {
			r.Principal, r.Action, r.Resource = alice, "s3:GetObject", bucket
		}
		r.Context = benchContext(t, r)
	}
	return cases
}

// fortyStatements allows reading the bucket in its last statement.
func fortyStatements() string {
	var list []string
	for i := range 39 {
		list = append(list, fmt.Sprintf(`{"Effect":"Allow","Action":["svc%d:Get*","svc%d:List*","svc%d:PutThing"],"Resource":"arn:aws:svc%d:*:111111111111:thing/*"}`, i, i, i, i))
	}
	list = append(list, `{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::bucket/*"}`)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`
}

func TestDecideDoesNotAllocate(t *testing.T) {
	for _, c := range benchCases(t) {
		if got := decide(t, &c.layers, &c.request); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if n := testing.AllocsPerRun(100, func() {
			r := c.request // a request of the caller's stack stays there
			c.layers.Decide(&r)
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		var why eval.Explanation
		if n := testing.AllocsPerRun(100, func() { c.layers.ExplainInto(&c.request, &why) }); n != 0 {
			t.Errorf("%s: explaining again takes %v allocations", c.name, n)
		}
		if diff := cmp.Diff(c.layers.Explain(&c.request), why); diff != "" && len(why.Reasons)+len(why.BlockedBy) > 0 {
			t.Errorf("%s: Explain, ExplainInto:\n%s", c.name, diff)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	cases := benchCases(b)
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.layers.Decide(&c.request)
			}
		})
	}
}

// BenchmarkMix is over all cases, one after the other.
func BenchmarkMix(b *testing.B) {
	cases := benchCases(b)
	mix := func(name string, do func(*benchCase)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				do(&cases[i])
				if i++; i == len(cases) {
					i = 0
				}
			}
		})
	}
	var why eval.Explanation
	mix("Decide", func(c *benchCase) { c.layers.Decide(&c.request) })
	mix("ExplainInto", func(c *benchCase) { c.layers.ExplainInto(&c.request, &why) })
	mix("Explain", func(c *benchCase) { c.layers.Explain(&c.request) })
	mix("Details", func(c *benchCase) { c.layers.Details(&c.request) })
	mix("Judge", func(c *benchCase) { c.layers.Judge(&c.request) })
}

func BenchmarkCompile(b *testing.B) {
	doc := document(b, fortyStatements())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eval.Compile("p", eval.Identity, doc); err != nil {
			b.Fatal(err)
		}
	}
}
