package prove

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/spec"
)

const shop = `stack: shop
region: eu-west-1
accounts:
  security: { id: "111111111111" }
  prod: { id: "222222222222", admin_role: postern-admin }
identities:
  release: { github: { repository: acme/shop, environment: production } }
  checks: { github: { repository: acme/shop, pull_request: true } }
  travis: { access_key: { account: security, because: no tokens there } }
roles:
  deploy:
    account: prod
    trust: [release, travis]
    grants: [ { ecr-docker-push: { repositories: [shop] } } ]
  preview:
    account: prod
    trust: [checks]
    grants: [ { terraform-remote-state-s3: { bucket: acme-state, key: shop/terraform.tfstate, level: read } } ]
  consul:
    account: prod
    trust: [ { service: ec2 } ]
    grants: [ consul-auto-discovery ]
never:
  - { identities: ["*"], actions: [iam:CreateUser, "organizations:*"] }
  - { identities: [checks], actions: ["s3:Put*", secretsmanager:GetSecretValue, iam:PassRole] }
  - { roles: [consul], actions: ["ec2:*"], on: ["arn:aws:ec2:eu-west-1:222222222222:instance/*"] }
expect:
  - { role: deploy, allow: [ecr:PutImage], on: repository/shop }
  - { role: deploy, deny: [ecr:PutImage], on: repository/other }
`

var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// setUp compiles the spec and lets edit change what then stands in AWS.
func setUp(t *testing.T, text string, edit func(prod *estate.Account)) (*spec.Spec, *Report) {
	t.Helper()
	s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	e := compileSpec(t, s)
	if edit != nil {
		edit(e.Account("222222222222"))
	}
	return s, Run(Input{Spec: s, Estate: e, Observed: true, Now: now})
}

func compileSpec(t *testing.T, s *spec.Spec) *estate.Estate {
	t.Helper()
	e, err := compile.Estate(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func statement(t *testing.T, text string) *iam.Document {
	t.Helper()
	d, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func roleNamed(t *testing.T, a *estate.Account, name string) *estate.Role {
	t.Helper()
	for i := range a.Roles {
		if a.Roles[i].Name == name {
			return &a.Roles[i]
		}
	}
	t.Fatalf("no role %s", name)
	return nil
}

func TestWhoMayBecomeWhat(t *testing.T) {
	_, r := setUp(t, shop, nil)
	got := map[string][]string{}
	for _, e := range r.Entries {
		for _, role := range e.Roles {
			got[e.Identity] = append(got[e.Identity], role.Role)
		}
	}
	want := map[string][]string{
		"release": {"deploy"}, "checks": {"preview"}, "travis": {"deploy"},
		"AWS service ec2.amazonaws.com (role consul)": {"consul"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRailsHold(t *testing.T) {
	_, r := setUp(t, strings.Replace(shop, `  - { roles: [consul], actions: ["ec2:*"], on: ["arn:aws:ec2:eu-west-1:222222222222:instance/*"] }
`, "", 1), nil)
	for _, v := range r.Rails {
		if !v.Holds || v.Checked == 0 {
			t.Errorf("%+v", v)
		}
	}
	if len(r.Rails) != 4 {
		t.Errorf("%d verdicts", len(r.Rails))
	}
}

// TestRailFails edits what stands in AWS and expects the guard rail with the
// text to fail, blaming the policy.
func TestRailFails(t *testing.T) {
	foreign := func(trust, policy string) func(*testing.T, *estate.Account) {
		return func(t *testing.T, a *estate.Account) {
			a.Roles = append(a.Roles, estate.Role{
				Name: "legacy", Path: "/", Trust: statement(t, trust),
				Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, policy)}},
			})
		}
	}
	inline := func(role, policy string) func(*testing.T, *estate.Account) {
		return func(t *testing.T, a *estate.Account) {
			r := roleNamed(t, a, role)
			r.Inline = append(r.Inline, estate.InlinePolicy{Name: "by-hand", Document: statement(t, policy)})
		}
	}
	tests := []struct {
		name      string
		edit      func(*testing.T, *estate.Account)
		rail      string
		principal string
		policy    string
	}{
		{
			name: "an inline policy by hand", edit: inline("shop-deploy", `{"Effect":"Allow","Action":"iam:Create*","Resource":"*"}`),
			rail: "iam:CreateUser", principal: "shop-deploy", policy: "inline policy by-hand",
		},
		{
			name: "under a condition", edit: inline("shop-preview", `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`),
			rail: "s3:Put*", principal: "shop-preview", policy: "inline policy by-hand",
		},
		{
			name: "by NotAction", edit: inline("shop-deploy", `{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`),
			rail: "iam:CreateUser", principal: "shop-deploy", policy: "inline policy by-hand",
		},
		{
			name: "a policy whose content is not known", edit: func(t *testing.T, a *estate.Account) {
				r := roleNamed(t, a, "shop-preview")
				r.Attached = append(r.Attached, "arn:aws:iam::aws:policy/PowerUserAccess")
			},
			rail: "s3:Put*", principal: "shop-preview", policy: "arn:aws:iam::aws:policy/PowerUserAccess",
		},
		{
			name: "a role of others that any branch can enter", edit: foreign(`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},
				"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/*"}}}`, admin),
			rail: "s3:Put*", principal: "role/legacy", policy: "inline policy all",
		},
		{
			name: "a role of others with a condition that nobody can decide here", edit: foreign(`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},
				"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, admin),
			rail: "s3:Put*", principal: "role/legacy", policy: "inline policy all",
		},
		{
			name: "through a role that may become another", edit: func(t *testing.T, a *estate.Account) {
				foreign(`{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}`, admin)(t, a)
				inline("shop-deploy", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`)(t, a)
			},
			rail: "iam:CreateUser", principal: "role/legacy", policy: "inline policy all",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := setUp(t, shop, func(a *estate.Account) { tt.edit(t, a) })
			i := slices.IndexFunc(r.Rails, func(v Verdict) bool { return strings.Contains(v.Rail, tt.rail) })
			if r.Rails[i].Holds {
				t.Fatalf("%q holds", r.Rails[i].Rail)
			}
			blamed := slices.ContainsFunc(r.Rails[i].Violations, func(v Violation) bool {
				return strings.Contains(v.Principal, tt.principal) && v.Policy == tt.policy
			})
			if !blamed {
				t.Errorf("violations: %+v", r.Rails[i].Violations)
			}
		})
	}
}

// TestStillHolds edits in ways that must not upset a guard rail.
func TestStillHolds(t *testing.T) {
	tests := []struct {
		name  string
		trust string
	}{
		{"another repository's role", `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},
			"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:acme/other:pull_request"}}}`},
		{"a role for people of the account", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"sts:AssumeRole"}`},
		{"a role for other instances", `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := setUp(t, shop, func(a *estate.Account) {
				a.Roles = append(a.Roles, estate.Role{
					Name: "other", Path: "/", Trust: statement(t, tt.trust),
					Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)}},
				})
			})
			for _, v := range r.Rails[:2] {
				if !v.Holds {
					t.Errorf("%s: %+v", v.Rail, v.Violations)
				}
			}
		})
	}
}

func TestDenyAndBoundaryProtect(t *testing.T) {
	const grant = `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`
	tests := []struct {
		name string
		edit func(r *estate.Role, a *estate.Account)
	}{
		{"an unconditional Deny", func(r *estate.Role, _ *estate.Account) {
			r.Inline = append(r.Inline,
				estate.InlinePolicy{Name: "a", Document: statement(t, grant)},
				estate.InlinePolicy{Name: "b", Document: statement(t, `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`)})
		}},
		{"a boundary without it", func(r *estate.Role, a *estate.Account) {
			r.Inline = append(r.Inline, estate.InlinePolicy{Name: "a", Document: statement(t, grant)})
			r.Boundary = "arn:aws:iam::222222222222:policy/edge"
			a.Policies = append(a.Policies, estate.ManagedPolicy{Name: "edge", Path: "/", Document: statement(t, `{"Effect":"Allow","Action":["ecr:*","s3:*"],"Resource":"*"}`)})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := setUp(t, shop, func(a *estate.Account) { tt.edit(roleNamed(t, a, "shop-deploy"), a) })
			if v := r.Rails[0]; !v.Holds {
				t.Errorf("%+v", v.Violations)
			}
		})
	}
	t.Run("a conditional Deny does not", func(t *testing.T) {
		_, r := setUp(t, shop, func(a *estate.Account) {
			role := roleNamed(t, a, "shop-deploy")
			role.Inline = append(role.Inline,
				estate.InlinePolicy{Name: "a", Document: statement(t, grant)},
				estate.InlinePolicy{Name: "b", Document: statement(t, `{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)})
		})
		if r.Rails[0].Holds {
			t.Error("the guard rail holds")
		}
	})
}

// TestMachineUserAlone: what the user may do by itself counts.
func TestMachineUserAlone(t *testing.T) {
	s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(shop)})
	if err != nil {
		t.Fatal(err)
	}
	e := compileSpec(t, s)
	security := e.Account("111111111111")
	security.Groups[0].Inline = append(security.Groups[0].Inline, estate.InlinePolicy{Name: "more", Document: statement(t, `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}`)})
	v := Run(Input{Spec: s, Estate: e, Observed: true, Now: now}).Rails[0]
	if v.Holds || v.Violations[0].Principal != "arn:aws:iam::111111111111:user/postern/shop/shop-travis" {
		t.Errorf("%+v", v)
	}
}
