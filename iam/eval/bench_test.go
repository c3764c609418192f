package eval_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam/eval"
)

// benchCase is a request whose decision is known.
type benchCase struct {
	name    string
	layers  eval.Layers
	request eval.Request
	want    eval.Decision
}

func benchCases(t testing.TB) []benchCase {
	identity := func(src string) []*eval.Policy { return []*eval.Policy{compile(t, "p", eval.Identity, src)} }
	onBucket := eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: eval.NewContext(eval.PrincipalContext(alice))}
	return []benchCase{
		{name: "exact allow", layers: eval.Layers{Identity: identity(v12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/key"`))}, request: onBucket, want: eval.Allowed},
		{name: "implicit deny", layers: eval.Layers{Identity: identity(allowSQS)}, request: onBucket},
		{name: "forty statements", layers: eval.Layers{Identity: identity(fortyStatements())}, request: onBucket, want: eval.Allowed},
		{name: "boundary", layers: eval.Layers{
			Identity: identity(v12(`"Effect":"Allow","Action":["ecr:*","s3:Get*"],"Resource":"*"`)),
			Boundary: []*eval.Policy{compile(t, "b", eval.Boundary, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","ecr:*"],"Resource":"*"},{"Effect":"Deny","Action":["iam:*","organizations:*"],"Resource":"*"}]}`)},
		}, request: onBucket, want: eval.Allowed},
		{
			name: "variables and conditions", layers: eval.Layers{Identity: identity(v12(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*/${aws:PrincipalTag/key, 'key'}",
			"Condition":{"StringLike":{"aws:username":"al*"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}`))},
			request: eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: eval.NewContext(map[string][]string{
				"aws:username": {"alice"}, "aws:SourceIp": {"10.2.3.4"}, "aws:SecureTransport": {"true"}, "aws:CurrentTime": {"2026-11-21T12:00:00Z"},
			})}, want: eval.Allowed,
		},
		{
			name: "OIDC trust", layers: eval.Layers{Resource: compile(t, "trust", eval.Trust, v12(`"Effect":"Allow","Principal":`+toGitHub+`,"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":["repo:acme/shop:environment:production","repo:acme@1/shop@2:environment:production"]}}`))},
			request: eval.Request{Principal: github, Action: "sts:AssumeRoleWithWebIdentity", Resource: roleARN, Context: eval.NewContext(map[string][]string{
				"token.actions.githubusercontent.com:aud": {"sts.amazonaws.com"}, "token.actions.githubusercontent.com:sub": {"repo:acme/shop:environment:production"},
			})}, want: eval.Allowed,
		},
		{name: "resource policy across accounts", layers: eval.Layers{
			Identity: identity(allowAll), Resource: compile(t, "r", eval.Resource, grants(toAccount)),
		}, request: eval.Request{Principal: session, Action: "s3:GetObject", Resource: bucket, ResourceAccount: other}, want: eval.Allowed},
	}
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
	b.Run("mix", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c := &cases[i%len(cases)]
			c.layers.Decide(&c.request)
			i++
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	for _, c := range benchCases(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.layers.Explain(&c.request)
			}
		})
	}
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
