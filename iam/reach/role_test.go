package reach

import (
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

const target = "arn:aws:iam::222222222222:role/target"

func TestAdmits(t *testing.T) {
	ci := eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::333333333333:role/path/ci", Account: "333333333333"}
	near := eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::222222222222:role/ci", Account: "222222222222"}
	tests := []struct {
		name   string
		trust  string // the principal of an Allow, or whole statements
		caller Caller
		want   bool
	}{
		{name: "the role", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:role/path/ci"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: ci, MayAsk: true}, want: true},
		{name: "the role of another account, which may not ask", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:role/path/ci"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: ci}},
		{name: "a role of the same account, named", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/ci"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: near}, want: true},
		{name: "a role of the same account, by its account", trust: `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: near}},
		{name: "and it may ask", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: near, MayAsk: true}, want: true},
		{name: "one session, which it may call as it likes", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::333333333333:assumed-role/ci/build"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: ci, MayAsk: true}, want: true},
		{name: "a session that a denial passes by", trust: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:role/path/ci"},"Action":"sts:AssumeRole"},
			{"Effect":"Deny","NotPrincipal":{"AWS":["333333333333","arn:aws:iam::333333333333:role/path/ci","arn:aws:sts::333333333333:assumed-role/ci/build"]},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: ci, MayAsk: true}, want: true},
		{name: "another action", trust: `{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"sts:TagSession"}`, caller: Caller{Principal: ci, MayAsk: true}},
		{name: "denied", trust: `{"Effect":"Allow","Principal":"*","Action":"sts:*"},{"Effect":"Deny","Principal":{"AWS":"333333333333"},"Action":"sts:*"}`, caller: Caller{Principal: ci, MayAsk: true}},
		{name: "a service", trust: `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: eval.Principal{Kind: eval.Service, ARN: "ec2.amazonaws.com"}}, want: true},
		{name: "another service", trust: `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, caller: Caller{Principal: eval.Principal{Kind: eval.Service, ARN: "ecs.amazonaws.com"}}},
		{name: "a SAML identity", trust: `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::222222222222:saml-provider/idp"},"Action":"sts:AssumeRoleWithSAML"}`, caller: Caller{Principal: eval.Principal{Kind: eval.SAML, ARN: "arn:aws:iam::222222222222:saml-provider/idp", Account: "222222222222"}}, want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRole(target, "222222222222", document(t, tt.trust))
			if got := r.Admits(tt.caller); got != tt.want {
				t.Errorf("admits: %v", got)
			}
		})
	}
	if !NewRole(target, "222222222222", nil).Admits(Caller{Principal: ci}) {
		t.Error("a trust policy that is not known keeps somebody out")
	}
}

func TestAdmitsAccount(t *testing.T) {
	tests := []struct {
		name, principal, conditions string
		want                        bool
	}{
		{name: "the account", principal: `{"AWS":"333333333333"}`, want: true},
		{name: "a role", principal: `{"AWS":"arn:aws:iam::333333333333:role/ci"}`, want: true},
		{name: "a user", principal: `{"AWS":"arn:aws:iam::333333333333:user/ci"}`, want: true},
		{name: "a federated user, who assumes no roles", principal: `{"AWS":"arn:aws:sts::333333333333:federated-user/ci"}`},
		{name: "a role of another", principal: `{"AWS":"arn:aws:iam::444444444444:role/ci"}`},
		{name: "everyone", principal: `"*"`, want: true},
		{name: "everyone of the account", principal: `"*"`, conditions: `"StringEquals":{"aws:PrincipalAccount":"333333333333"}`, want: true},
		{name: "everyone of another", principal: `"*"`, conditions: `"StringEquals":{"aws:PrincipalAccount":"444444444444"}`},
		{name: "everyone with an ARN of another", principal: `"*"`, conditions: `"StringLike":{"aws:PrincipalArn":"arn:aws:iam::444444444444:*"}`},
		{name: "a role whose ARN is not the one asked for", principal: `{"AWS":"arn:aws:iam::333333333333:role/ci"}`, conditions: `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::333333333333:role/other"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRole(target, "222222222222", document(t, `{"Effect":"Allow","Principal":`+tt.principal+`,"Action":"sts:AssumeRole","Condition":{`+tt.conditions+`}}`))
			if got := r.AdmitsAccount("333333333333", Facts{Now: now}); got != tt.want {
				t.Errorf("admits: %v", got)
			}
		})
	}
}

// TestAdmitsWhomADenialSpares: a principal that a NotPrincipal names gets by
// where an unnamed one does not.
func TestAdmitsWhomADenialSpares(t *testing.T) {
	r := NewRole(target, "222222222222", document(t, `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},
		{"Effect":"Deny","NotPrincipal":{"AWS":["333333333333","arn:aws:iam::333333333333:role/ci"]},"Action":"sts:*"}`))
	for account, want := range map[string]bool{"333333333333": true, "444444444444": false} {
		if got := r.AdmitsAccount(account, Facts{}); got != want {
			t.Errorf("admits account %s: %v", account, got)
		}
	}
}

func TestPasses(t *testing.T) {
	const trust = `{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":"sts:AssumeRole"}`
	pass := func(resource, conditions string) string {
		return `{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + resource + `","Condition":{` + conditions + `}}`
	}
	tests := []struct {
		name, trust, policy, want string
	}{
		{name: "to any service", trust: trust, policy: pass("*", ""), want: "ecs-tasks.amazonaws.com"},
		{name: "to one that the role trusts", trust: trust, policy: pass(target, `"StringLike":{"iam:PassedToService":"lambda.*"}`), want: "lambda.amazonaws.com"},
		{name: "to one that it does not", trust: trust, policy: pass(target, `"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}`)},
		{name: "another role", trust: trust, policy: pass(target+"-2", "")},
		{name: "a role for people", trust: `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, policy: pass("*", "")},
		{name: "a service that is denied", trust: trust + `,{"Effect":"Deny","Principal":{"Service":["lambda.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":"sts:*"}`, policy: pass("*", "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Principal{Identity: []Policy{{Name: "one", Document: document(t, tt.policy)}}}
			got, could := p.Passes(NewRole(target, "222222222222", document(t, tt.trust)), Facts{})
			if got != tt.want || could != (tt.want != "") {
				t.Errorf("passes to %q, %v", got, could)
			}
		})
	}
	p := Principal{Identity: []Policy{{Name: "one", Document: document(t, pass("*", ""))}}}
	if _, could := p.Passes(NewRole(target, "222222222222", nil), Facts{}); !could {
		t.Error("a role whose trust is not known cannot be passed")
	}
}

func TestEscapes(t *testing.T) {
	tests := []struct {
		name, policy, empowers string
		leaves                 bool
	}{
		{name: "nothing", policy: `{"Effect":"Allow","Action":["iam:Get*","iam:List*","s3:*","iam:PassRole"],"Resource":"*"}`},
		{name: "policies", policy: `{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::222222222222:role/x"}`, empowers: "iam:PutRolePolicy"},
		{name: "all but what is named", policy: `{"Effect":"Allow","NotAction":["iam:*","sts:*"],"Resource":"*"}`},
		{name: "a role here", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::222222222222:role/*"}`},
		{name: "a role of the other account", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::333333333333:role/x"}`},
		{name: "a role elsewhere", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444444444444:role/x"}`, leaves: true},
		{name: "roles of several accounts", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::?????????333:role/x"}`, leaves: true},
		{name: "any role", policy: `{"Effect":"Allow","Action":"sts:*","Resource":"*"}`, leaves: true},
		{name: "any but some of here", policy: `{"Effect":"Allow","Action":"sts:*","NotResource":"arn:aws:iam::222222222222:role/*"}`, leaves: true},
		{name: "denied elsewhere", policy: `{"Effect":"Allow","Action":"sts:*","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"arn:aws:iam::222222222222:role/*"}`},
		{name: "a user elsewhere", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444444444444:user/x"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Principal{Identity: []Policy{{Name: "one", Document: document(t, tt.policy)}}}
			if action, _, could := p.Empowers(Facts{}); action != tt.empowers || could != (tt.empowers != "") {
				t.Errorf("empowers by %q, %v", action, could)
			}
			if _, could := p.Leaves("aws", []string{"222222222222", "333333333333"}, Facts{}); could != tt.leaves {
				t.Errorf("leaves: %v", could)
			}
		})
	}
}

func TestRoleName(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::222222222222:role/ci":                   "ci",
		"arn:aws:iam::222222222222:role/a/b/ci":               "ci",
		"arn:aws:sts::222222222222:assumed-role/ci/session":   "ci",
		"arn:aws:iam::222222222222:role/assumed-role/path/ci": "ci",
	} {
		if got := roleName(arn); got != want {
			t.Errorf("%s: %s", arn, got)
		}
		if _, err := iam.ParseARN(arn); err != nil {
			t.Error(err)
		}
	}
}
