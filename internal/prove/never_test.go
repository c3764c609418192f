package prove

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/estate"
)

const (
	admin    = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	provider = `"Principal":{"Federated":"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity"`
)

// webTrust trusts GitHub under conditions, in which "gh:" stands for the issuer.
func webTrust(conditions string) string {
	return `{"Effect":"Allow",` + provider + `,"Condition":{` + strings.ReplaceAll(conditions, `"gh:`, `"token.actions.githubusercontent.com:`) + `}}`
}

// awsTrust trusts a principal of AWS under conditions.
func awsTrust(arn, conditions string) string {
	return `{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"sts:AssumeRole","Condition":{` + conditions + `}}`
}

// reaches reports whether the identity can become a role of others in prod, of
// which only the trust policy matters.
func reaches(t *testing.T, identity, trust string) bool {
	t.Helper()
	text := "stack: shop\nregion: eu-west-1\naccounts:\n  security: { id: \"111111111111\" }\n  prod: { id: \"222222222222\" }\n" +
		"identities:\n  one: " + identity + "\nroles:\n  own:\n    account: prod\n    trust: [one]\n    grants: [consul-auto-discovery]\n" +
		"never:\n  - { identities: [one], actions: [iam:CreateUser] }\n"
	_, r := setUp(t, text, func(a *estate.Account) {
		a.Roles = append(a.Roles, estate.Role{
			Name: "legacy", Path: "/", Trust: statement(t, trust),
			Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, admin)}},
		})
	})
	return !r.Rails[0].Holds
}

func TestWhoEntersAForeignRole(t *testing.T) {
	const (
		branch  = `{ github: { repository: acme/shop, branch: main } }`
		pinned  = `{ github: { repository: acme/shop, branch: main, repository_id: 456789, owner_id: 123456 } }`
		pull    = `{ github: { repository: acme/shop, pull_request: true } }`
		jenkins = `{ aws_role: "arn:aws:iam::333333333333:role/ci/jenkins" }`
		account = `{ aws_account: { id: "333333333333", external_id: ours } }`
		anySub  = `"StringLike":{"gh:sub":"repo:acme/shop:*"}`
		year    = `"aws:CurrentTime":"20`
	)
	tests := []struct {
		name     string
		identity string
		trust    string
		want     bool
	}{
		{name: "another audience may be asked for", identity: branch, trust: webTrust(anySub + `,"StringEquals":{"gh:aud":"https://github.com/acme"}`), want: true},
		{name: "the workflow file is open", identity: branch, trust: webTrust(`"StringLike":{"gh:sub":"repo:acme/shop:*","gh:job_workflow_ref":"acme/shop/.github/workflows/release.yml@*"}`), want: true},
		{name: "a pull request may come from any ref", identity: pull, trust: webTrust(anySub + `,"StringEquals":{"gh:ref":"refs/heads/release"}`), want: true},
		{name: "anyone may have started it", identity: branch, trust: webTrust(anySub + `,"StringEquals":{"gh:actor":"bob"}`), want: true},
		{name: "another branch is another ref", identity: branch, trust: webTrust(anySub + `,"StringEquals":{"gh:ref":"refs/heads/release"}`)},
		{name: "another repository", identity: branch, trust: webTrust(`"StringEquals":{"gh:repository":"acme/other"}`)},
		{name: "another repository's id", identity: pinned, trust: webTrust(`"StringEquals":{"gh:repository_id":"1"}`)},
		{name: "an id that nobody here knows", identity: branch, trust: webTrust(`"StringEquals":{"gh:repository_id":"1"}`), want: true},
		{name: "the legacy subject of pinned ids", identity: pinned, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme/shop:ref:refs/heads/main"}`), want: true},
		{name: "the immutable subject of pinned ids", identity: pinned, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme@123456/shop@456789:ref:refs/heads/main"}`), want: true},
		{name: "the immutable subject of others' ids", identity: pinned, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme@1/shop@2:ref:refs/heads/main"}`)},
		{name: "an immutable subject without known ids", identity: branch, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme@1/shop@2:ref:refs/heads/main"}`), want: true},
		{name: "an immutable subject of another branch", identity: branch, trust: webTrust(`"StringLike":{"gh:sub":"repo:acme@1/shop@*:ref:refs/heads/release"}`)},
		{name: "an immutable subject of another repository", identity: branch, trust: webTrust(`"StringLike":{"gh:sub":"repo:acme@1/other@*:*"}`)},
		{name: "a subject with a variable", identity: branch, trust: webTrust(`"StringLike":{"gh:sub":"repo:acme/${aws:RequestedRegion}*"}`), want: true},
		{name: "one of many branches", identity: `{ github: { repository: acme/shop, branch: "release/*" } }`, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme/shop:ref:refs/heads/release/one"}`), want: true},
		{name: "none of many branches", identity: `{ github: { repository: acme/shop, branch: "release/*" } }`, trust: webTrust(`"StringEquals":{"gh:sub":"repo:acme/shop:ref:refs/heads/main"}`)},
		{name: "another provider", identity: branch, trust: strings.Replace(webTrust(anySub), "oidc-provider/", "oidc-provider/not-", 1)},

		{name: "one session of a role", identity: jenkins, trust: awsTrust("arn:aws:sts::333333333333:assumed-role/jenkins/build", ""), want: true},
		{name: "a session of another role", identity: jenkins, trust: awsTrust("arn:aws:sts::333333333333:assumed-role/other/build", "")},
		{name: "a session in another account", identity: jenkins, trust: awsTrust("arn:aws:sts::444444444444:assumed-role/jenkins/build", "")},
		{name: "the role's ARN is known", identity: jenkins, trust: awsTrust("arn:aws:iam::333333333333:root", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::333333333333:role/people/*"}`)},
		{name: "the role's ARN matches", identity: jenkins, trust: awsTrust("arn:aws:iam::333333333333:root", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::333333333333:role/ci/*"}`), want: true},
		{name: "whoever asks chooses the external id", identity: `{ aws_role: { arn: "arn:aws:iam::333333333333:role/ci/jenkins", external_id: ours } }`, trust: awsTrust("arn:aws:iam::333333333333:role/ci/jenkins", `"StringEquals":{"sts:ExternalId":"theirs"}`), want: true},

		{name: "a role of the account", identity: account, trust: awsTrust("arn:aws:iam::333333333333:role/ci", ""), want: true},
		{name: "a user of the account", identity: account, trust: awsTrust("arn:aws:iam::333333333333:user/ci", ""), want: true},
		{name: "a session in the account", identity: account, trust: awsTrust("arn:aws:sts::333333333333:assumed-role/ci/one", ""), want: true},
		{name: "a federated user of the account, who assumes no roles", identity: account, trust: awsTrust("arn:aws:sts::333333333333:federated-user/bob", "")},
		{name: "some principal of the account", identity: account, trust: awsTrust("*", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::333333333333:role/ci"}`), want: true},
		{name: "a principal of another account", identity: account, trust: awsTrust("*", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444444444444:role/ci"}`)},
		{name: "of an organisation", identity: `{ aws_account: { id: "333333333333", org_id: o-aaaaaaaaaa } }`, trust: awsTrust("333333333333", `"StringEquals":{"aws:PrincipalOrgID":"o-aaaaaaaaaa"}`), want: true},
		{name: "of another organisation", identity: `{ aws_account: { id: "333333333333", org_id: o-aaaaaaaaaa } }`, trust: awsTrust("333333333333", `"StringEquals":{"aws:PrincipalOrgID":"o-bbbbbbbbbb"}`)},
		{name: "a role of another account", identity: account, trust: awsTrust("arn:aws:iam::444444444444:role/ci", "")},

		{name: "access that begins later", identity: branch, trust: webTrust(anySub + `,"DateGreaterThan":{` + year + `27-01-01T00:00:00Z"}`), want: true},
		{name: "access that has ended", identity: branch, trust: webTrust(anySub + `,"DateLessThan":{` + year + `20-01-01T00:00:00Z"}`)},
		{name: "access for a while to come", identity: branch, trust: webTrust(anySub + `,"DateGreaterThan":{` + year + `27-01-01"},"DateLessThan":{` + year + `28"}`), want: true},
		{name: "an end before the beginning", identity: branch, trust: webTrust(anySub + `,"DateGreaterThan":{` + year + `28-01-01"},"DateLessThan":{` + year + `27"}`)},
		{name: "a denial that lapses", identity: branch, trust: "[" + webTrust(anySub) + `,{"Effect":"Deny",` + provider + `,"Condition":{"DateLessThan":{` + year + `27-01-01T00:00:00Z"}}}]`, want: true},
		{name: "a denial since long ago", identity: branch, trust: "[" + webTrust(anySub) + `,{"Effect":"Deny",` + provider + `,"Condition":{"DateGreaterThan":{` + year + `20-01-01T00:00:00Z"}}}]`},
		{name: "a denial for ever", identity: branch, trust: "[" + webTrust(anySub) + `,{"Effect":"Deny",` + provider + `}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := reaches(t, tt.identity, tt.trust); got != tt.want {
				t.Errorf("reaches it: %v", got)
			}
		})
	}
}

// TestNeverOn edits the policies of role deploy and tries guard rails about
// certain resources.
func TestNeverOn(t *testing.T) {
	tests := []struct {
		name   string
		policy string
		rail   string
		holds  bool
	}{
		{name: "a short form is of any service", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::222222222222:role/admin"}`, rail: `actions: [sts:AssumeRole], on: [role/admin]`},
		{name: "of any region", policy: `{"Effect":"Allow","Action":"ecr:DeleteRepository","Resource":"arn:aws:ecr:us-east-1:222222222222:repository/shop"}`, rail: `actions: ["ecr:Delete*"], on: [repository/shop]`},
		{name: "of any account", policy: `{"Effect":"Allow","Action":"ecr:DeleteRepository","Resource":"arn:aws:ecr:eu-west-1:444444444444:repository/shop"}`, rail: `actions: ["ecr:Delete*"], on: [repository/shop]`},
		{name: "without account", policy: `{"Effect":"Allow","Action":"route53:*","Resource":"arn:aws:route53:::hostedzone/Z1"}`, rail: `actions: ["route53:Change*"], on: [hostedzone/Z1]`},
		{name: "without region and account", policy: `{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::acme-state/*"}`, rail: `actions: ["s3:Delete*"], on: [acme-state/prod]`},
		{name: "another bucket", policy: `{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::other/*"}`, rail: `actions: ["s3:Delete*"], on: [acme-state/prod]`, holds: true},
		{name: "another repository", policy: `{"Effect":"Allow","Action":"ecr:DeleteRepository","Resource":"arn:aws:ecr:*:222222222222:repository/other"}`, rail: `actions: ["ecr:Delete*"], on: [repository/payments]`, holds: true},
		{name: "a pattern", policy: `{"Effect":"Allow","Action":"ecr:DeleteRepository","Resource":"arn:aws:ecr:*:222222222222:repository/other"}`, rail: `actions: ["ecr:Delete*"], on: ["repository/o*"]`},
		{name: "a grant that has ended", policy: `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}`, rail: `actions: [iam:CreateUser]`, holds: true},
		{name: "a grant that begins later", policy: `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"DateGreaterThan":{"aws:EpochTime":"1900000000"}}}`, rail: `actions: [iam:CreateUser]`},
		{name: "a grant for others", policy: `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/people/*"}}}`, rail: `actions: [iam:CreateUser]`, holds: true},

		{name: "may give itself anything", policy: `{"Effect":"Allow","Action":"iam:PutRole*","Resource":"*"}`, rail: `actions: [s3:DeleteBucket]`},
		{name: "may give itself anything on a resource", policy: `{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"arn:aws:iam::222222222222:role/admin"}`, rail: `actions: [s3:DeleteBucket], on: ["arn:aws:s3:::acme"]`},
		{name: "writing roles without their permissions", policy: `{"Effect":"Allow","Action":["iam:TagRole","iam:UpdateRoleDescription"],"Resource":"*"}`, rail: `actions: [s3:DeleteBucket]`, holds: true},

		{name: "a role of an account not looked at", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444444444444:role/x"}`, rail: `actions: [s3:DeleteBucket]`},
		{name: "any role", policy: `{"Effect":"Allow","Action":"sts:*","Resource":"arn:aws:iam::*:role/x"}`, rail: `actions: [s3:DeleteBucket], on: [acme]`},
		{name: "roles of the accounts alone", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::222222222222:role/x-*","arn:aws:iam::111111111111:role/y"]}`, rail: `actions: [s3:DeleteBucket]`, holds: true},
		{name: "any role but those of others", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":["arn:aws:iam::222222222222:role/*","arn:aws:iam::111111111111:role/*"]}`, rail: `actions: [s3:DeleteBucket]`, holds: true},
		{name: "any role, but the resource is here", policy: `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`, rail: `actions: ["dynamodb:*"], on: ["arn:aws:dynamodb:*:222222222222:table/x"]`, holds: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, _, _ := strings.Cut(shop, "never:")
			_, r := setUp(t, text+"never:\n  - { identities: [release], "+tt.rail+" }\n", func(a *estate.Account) {
				role := roleNamed(t, a, "shop-deploy")
				role.Inline = append(role.Inline, estate.InlinePolicy{Name: "by-hand", Document: statement(t, "["+tt.policy+"]")})
			})
			v := r.Rails[0]
			if v.Holds != tt.holds {
				t.Fatalf("holds: %v, %+v", v.Holds, v.Violations)
			}
			if !tt.holds && (len(v.Violations) != 1 || v.Violations[0].Policy != "inline policy by-hand") {
				t.Errorf("%+v", v.Violations)
			}
		})
	}
}

// TestPassRole follows what a role may hand to a service.
func TestPassRole(t *testing.T) {
	pass := func(resource, service string) string {
		return `{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + resource + `","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `"}}}`
	}
	const task = "arn:aws:iam::222222222222:role/task"
	tests := []struct {
		name   string
		policy string
		want   []Reached
	}{
		{name: "to the service that the role trusts", policy: pass(task, "ecs-tasks.amazonaws.com"), want: []Reached{{
			ARN: task, Via: []string{"arn:aws:iam::222222222222:role/postern/shop/shop-deploy"}, PassedTo: "ecs-tasks.amazonaws.com",
		}}},
		{name: "to another service", policy: pass(task, "lambda.amazonaws.com")},
		{name: "another role", policy: pass(task+"-2", "ecs-tasks.amazonaws.com")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := setUp(t, shop, func(a *estate.Account) {
				a.Roles = append(a.Roles, estate.Role{
					Name: "task", Path: "/", Trust: statement(t, `{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}}`),
					Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}`)}},
				})
				role := roleNamed(t, a, "shop-deploy")
				role.Inline = append(role.Inline, estate.InlinePolicy{Name: "by-hand", Document: statement(t, tt.policy)})
			})
			for _, e := range r.Entries {
				if e.Identity != "release" {
					continue
				}
				if diff := cmp.Diff(tt.want, e.Roles[1:]); len(e.Roles) > 1 && diff != "" || len(e.Roles)-1 != len(tt.want) {
					t.Errorf("reached (-want +got):\n%s", diff)
				}
			}
			if r.Rails[0].Holds != (tt.want == nil) {
				t.Errorf("%+v", r.Rails[0])
			}
		})
	}
}

// TestRoleIdentityAlone: what a role of the estate may do before it becomes
// another counts.
func TestRoleIdentityAlone(t *testing.T) {
	const host = `{ aws_role: "arn:aws:iam::222222222222:role/host" }`
	tests := []struct{ name, text, identity string }{
		{"declared", strings.Replace(shop, "identities:\n", "identities:\n  host: "+host+"\n", 1), "host"},
		{"where it is trusted", strings.Replace(shop, "trust: [checks]", "trust: [checks, "+host+"]", 1), "AWS role host of account 222222222222 (role preview)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := setUp(t, tt.text, func(a *estate.Account) {
				a.Roles = append(a.Roles, estate.Role{
					Name: "host", Path: "/", Trust: statement(t, `{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}`),
					Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}`)}},
				})
			})
			v := r.Rails[0]
			if v.Holds || v.Violations[0].Principal != "arn:aws:iam::222222222222:role/host" || v.Violations[0].Identity != tt.identity {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestServiceEntersTheStackAlone: a service works with many roles of an account
// that have nothing to do with the stack.
func TestServiceEntersTheStackAlone(t *testing.T) {
	text := strings.Replace(shop, "identities:\n", "identities:\n  servers: { service: ec2 }\n", 1)
	text = strings.Replace(text, "trust: [ { service: ec2 } ]", "trust: [servers]", 1)
	_, r := setUp(t, text, func(a *estate.Account) {
		a.Roles = append(a.Roles, estate.Role{
			Name: "other", Path: "/", Trust: statement(t, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`),
			Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, admin)}},
		})
	})
	if v := r.Rails[0]; !v.Holds {
		t.Errorf("%+v", v)
	}
}

// TestNeverRoleFollows: a guard rail on a role is one on what it can become.
func TestNeverRoleFollows(t *testing.T) {
	text, _, _ := strings.Cut(shop, "never:")
	_, r := setUp(t, text+"never:\n  - { roles: [deploy], actions: [iam:CreateUser] }\n", func(a *estate.Account) {
		a.Roles = append(a.Roles, estate.Role{
			Name: "host", Path: "/", Trust: statement(t, awsTrust("arn:aws:iam::222222222222:role/postern/shop/shop-deploy", "")),
			Inline: []estate.InlinePolicy{{Name: "all", Document: statement(t, admin)}},
		})
	})
	if v := r.Rails[0]; v.Holds || v.Violations[0].Principal != "arn:aws:iam::222222222222:role/host" {
		t.Errorf("%+v", v)
	}
}

func TestSaysWhatWasNotSeen(t *testing.T) {
	text := strings.Replace(shop, "grants: [ { ecr-docker-push: { repositories: [shop] } } ]",
		"grants: [ { ecs-service-deployment: { services: [prod/shop], pass_roles: [shop-task] } } ]\n"+
			"    custom: [ { because: it audits, actions: sts:AssumeRole, resources: [\"arn:aws:iam::222222222222:role/x\", \"arn:aws:iam::222222222222:role/postern/shop/shop-preview\"] } ]", 1)
	text = strings.Replace(text, "identities:\n", "identities:\n  host: { aws_role: \"arn:aws:iam::222222222222:role/host\" }\n", 1)
	s, observed := setUp(t, text, nil)
	offline := Run(Input{Spec: s, Estate: compileSpec(t, s), Now: now})
	const own = "role deploy may "
	wantNotes := []string{
		own + "assume arn:aws:iam::222222222222:role/x: not of the stack, so that only a proof on AWS sees what that gives",
		own + "pass arn:aws:iam::222222222222:role/shop-task: not of the stack, so that only a proof on AWS sees what that gives",
		"identity host is arn:aws:iam::222222222222:role/host: not of the stack, so that only a proof on AWS sees what that gives",
	}
	if diff := cmp.Diff(wantNotes, offline.Notes); diff != "" {
		t.Errorf("offline (-want +got):\n%s", diff)
	}
	wantNotes = []string{
		own + "assume arn:aws:iam::222222222222:role/x: no such role stands in the accounts that were read",
		own + "pass arn:aws:iam::222222222222:role/shop-task: no such role stands in the accounts that were read",
	}
	if diff := cmp.Diff(wantNotes, observed.Notes); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
	unseen := []string{"resource policies, which may allow more", "SCPs and RCPs, which may allow less", "other accounts"}
	if diff := cmp.Diff(unseen, observed.Unseen); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append(unseen, "what else stands in these accounts"), offline.Unseen); diff != "" {
		t.Errorf("offline (-want +got):\n%s", diff)
	}
}
