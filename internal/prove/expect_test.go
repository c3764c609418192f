package prove

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/estate"
)

func TestExpectFails(t *testing.T) {
	add := func(policy string) func(*testing.T, *estate.Account) {
		return func(t *testing.T, a *estate.Account) {
			r := roleNamed(t, a, "shop-deploy")
			r.Inline = append(r.Inline, estate.InlinePolicy{Name: "by-hand", Document: statement(t, policy)})
		}
	}
	tests := []struct {
		name, expect, reason string
		edit                 func(*testing.T, *estate.Account)
	}{
		{name: "nothing allows it", expect: `allow: [ecr:DeleteRepository], on: repository/shop`, reason: "implicitly denied: no policy of the role allows it"},
		{name: "an explicit deny", expect: `allow: [ecr:PutImage], on: repository/shop`, reason: "explicitly denied by inline policy by-hand", edit: add(`{"Effect":"Deny","Action":"ecr:*","Resource":"*"}`)},
		{name: "the role is gone", expect: `allow: [ecr:PutImage], on: repository/shop`, reason: "does not stand", edit: func(_ *testing.T, a *estate.Account) { a.Roles = nil }},
		{name: "the resource is not named", expect: `allow: [ecr:PutImage]`, reason: "inline policy ecr-docker-push allows it on arn:aws:ecr:eu-west-1:222222222222:repository/shop only; name the resource with `on`"},
		{
			name: "a condition is not met", expect: `allow: [s3:GetObject], on: "arn:aws:s3:::acme/x"`, reason: "inline policy by-hand allows it only if aws:SourceVpc StringEquals vpc-1; name the keys under context",
			edit: add(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`),
		},
		{
			name: "a boundary withholds it", expect: `allow: [ecr:PutImage], on: repository/shop`,
			reason: "inline policy ecr-docker-push allows it, the permissions boundary arn:aws:iam::222222222222:policy/edge does not",
			edit: func(t *testing.T, a *estate.Account) {
				roleNamed(t, a, "shop-deploy").Boundary = "arn:aws:iam::222222222222:policy/edge"
				a.Policies = append(a.Policies, estate.ManagedPolicy{Name: "edge", Path: "/", Document: statement(t, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)})
			},
		},

		{name: "allowed against the rail", expect: `deny: [ecr:PutImage], on: repository/shop`, reason: "inline policy ecr-docker-push allows ecr:PutImage"},
		{name: "denied nowhere means on any resource", expect: `deny: [ecr:PutImage]`, reason: "inline policy ecr-docker-push allows ecr:PutImage"},
		{name: "denied on a pattern", expect: `deny: [ecr:PutImage], on: "repository/sh*"`, reason: "inline policy ecr-docker-push allows ecr:PutImage"},
		{
			name: "a policy whose content is not known", expect: `deny: [s3:GetObject], on: "arn:aws:s3:::acme/x"`, reason: "the content of arn:aws:iam::aws:policy/PowerUserAccess is not known",
			edit: func(t *testing.T, a *estate.Account) {
				r := roleNamed(t, a, "shop-deploy")
				r.Attached = append(r.Attached, "arn:aws:iam::aws:policy/PowerUserAccess")
			},
		},
		{
			name: "allowed under a condition", expect: `deny: [s3:GetObject]`, reason: "inline policy by-hand allows s3:GetObject under conditions",
			edit: add(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := expectation(t, tt.expect, func(a *estate.Account) {
				if tt.edit != nil {
					tt.edit(t, a)
				}
			})
			if v.Holds || len(v.Violations) != 1 || !strings.Contains(v.Violations[0].Reason, tt.reason) {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestExpectHolds(t *testing.T) {
	const vpc = `{"Effect":"Allow","Action":["s3:GetObject","sts:AssumeRole","route53:GetHostedZone"],"Resource":["arn:aws:s3:::acme/x","arn:aws:iam::222222222222:role/admin","arn:aws:route53:::hostedzone/Z1"],"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`
	const at = `, context: { aws:SourceVpc: vpc-1 }`
	tests := []struct{ name, expect string }{
		{"the context meets the condition", `allow: [s3:GetObject], on: acme/x` + at},
		{"roles are IAM's", `allow: [sts:AssumeRole], on: role/admin` + at},
		{"zones have no account", `allow: [route53:GetHostedZone], on: hostedzone/Z1` + at},
		{"the context rules the statement out", `deny: [s3:GetObject], context: { aws:SourceVpc: vpc-2 }`},
		{"another resource", `deny: [s3:GetObject], on: "acme/y*"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := expectation(t, tt.expect, func(a *estate.Account) {
				r := roleNamed(t, a, "shop-deploy")
				r.Inline = append(r.Inline, estate.InlinePolicy{Name: "by-hand", Document: statement(t, vpc)})
			})
			if !v.Holds || v.Checked != 1 {
				t.Errorf("%+v", v)
			}
		})
	}
}

// expectation is the verdict on one expectation of role deploy.
func expectation(t *testing.T, expect string, edit func(*estate.Account)) Verdict {
	t.Helper()
	text, _, _ := strings.Cut(shop, "never:")
	_, r := setUp(t, text+"expect:\n  - { role: deploy, "+expect+" }\n", edit)
	return r.Rails[0]
}

// TestUndecided: a boundary of which only AWS knows the content leaves open
// what is expected, until the estate is observed.
func TestUndecided(t *testing.T) {
	const boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
	text, _, _ := strings.Cut(shop, "never:")
	text += "expect:\n  - { role: deploy, allow: [ecr:PutImage], on: repository/shop }\n  - { role: deploy, allow: [ecr:DeleteRepository], on: repository/shop }\n"
	s, _ := setUp(t, text, nil)
	e := compileSpec(t, s)
	roleNamed(t, e.Account("222222222222"), "shop-deploy").Boundary = boundary
	r := Run(Input{Spec: s, Estate: e, Now: now})
	if v := r.Rails[0]; v.Holds || !v.Undecided || len(v.Doubts) != 1 || !strings.Contains(v.Doubts[0].Reason, boundary) {
		t.Errorf("what the role's own policies allow: %+v", v)
	}
	if v := r.Rails[1]; v.Holds || v.Undecided {
		t.Errorf("what nothing allows: %+v", v)
	}
	r.Rails = r.Rails[:1]
	if !r.Holds() {
		t.Error("undecided offline fails")
	}
	r.Observed = true
	if r.Holds() {
		t.Error("undecided on what stands in AWS does not fail")
	}
}
