package trust

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
)

const github = `"Federated":"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"`

// web is an OIDC trust statement with conditions given as operators, in which
// "gh:" stands for GitHub's issuer.
func web(conditions string) string {
	conditions = strings.ReplaceAll(conditions, "gh:", GitHubIssuer+":")
	return `{"Effect":"Allow","Principal":{` + github + `},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` + conditions + `}}`
}

// assume is a trust statement for a principal.
func assume(principal, conditions string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole","Condition":{` + conditions + `}}`
}

func TestLint(t *testing.T) {
	const (
		aud  = `"StringEquals":{"gh:aud":"sts.amazonaws.com"`
		sub  = `"gh:sub":"repo:acme/shop:environment:prod"`
		role = `{"AWS":"arn:aws:iam::333333333333:role/jenkins"}`
		root = `{"AWS":"arn:aws:iam::333333333333:root"}`
	)
	like := func(pattern string) string { return web(aud + `},"StringLike":{"gh:sub":"` + pattern + `"}`) }
	for _, test := range []struct {
		name, statement string
		want            []string // words of each message
	}{
		{"sound OIDC", web(aud + `,` + sub + `}`), nil},
		{"sound role", assume(role, ``), nil},
		{"sound service", assume(`{"Service":"ec2.amazonaws.com"}`, ``), nil},
		{"sound deny for everyone", `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-a"}}}`, nil},

		{"NotPrincipal", `{"Effect":"Allow","NotPrincipal":` + role + `,"Action":"sts:AssumeRole"}`, []string{"NotPrincipal"}},
		{"NotPrincipal deny", `{"Effect":"Deny","NotPrincipal":` + role + `,"Action":"sts:AssumeRole"}`, []string{"NotPrincipal"}},
		{"no principal", `{"Effect":"Allow","Action":"sts:AssumeRole"}`, []string{"names no principal"}},

		{"everyone", assume(`"*"`, ``), []string{"every AWS account in the world"}},
		{"every AWS principal", assume(`{"AWS":"*"}`, `"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}`), []string{"every AWS account in the world"}},
		{"every role", assume(`{"AWS":["arn:aws:iam::333333333333:role/a","arn:aws:iam::333333333333:role/*"]}`, ``), []string{"no wildcard within a principal"}},
		{"every service", assume(`{"Service":"*"}`, ``), []string{"no wildcard within a principal"}},

		{"open account", assume(root, ``), []string{"whole account"}},
		{"open account by id", assume(`{"AWS":"333333333333"}`, `"Bool":{"aws:SecureTransport":"true"}`), []string{"whole account"}},
		{"account by negation", assume(root, `"StringNotEquals":{"sts:ExternalId":"x1"}`), []string{"whole account"}},
		{"account of organisation", assume(root, `"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}`), nil},
		{"account with external id", assume(root, `"StringEquals":{"sts:ExternalId":"x1"}`), nil},
		{"account with tag", assume(root, `"StringEquals":{"aws:PrincipalTag/team":"shop"}`), nil},

		{"MFA", assume(role, `"Bool":{"aws:MultiFactorAuthPresent":"true"}`), []string{"no second factor"}},
		{"MFA age", assume(role, `"NumericLessThan":{"aws:multifactorauthage":"3600"}`), []string{"no second factor"}},
		{"MFA deny", `{"Effect":"Deny","Principal":` + role + `,"Action":"sts:AssumeRole","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`, []string{"no second factor"}},

		{"no subject", web(aud + `}`), []string{"without a condition on token.actions.githubusercontent.com:sub"}},
		{"subject excluded", web(aud + `},"StringNotEquals":{` + sub + `}`), []string{"without a condition on"}},
		{"subject present", web(aud + `},"Null":{"gh:sub":"false"}`), []string{"without a condition on"}},
		{"subject of another issuer", web(aud + `,"gitlab.com:sub":"x"}`), []string{"without a condition on"}},
		{"subject in other case", web(`"StringEquals":{"gh:AUD":"sts.amazonaws.com","gh:SUB":"repo:acme/shop:environment:prod"}`), nil},
		{"no audience", web(`"StringEquals":{` + sub + `}`), []string{"without an exact condition on token.actions.githubusercontent.com:aud"}},
		{"any audience", web(`"StringEquals":{` + sub + `},"StringLike":{"gh:aud":"*"}`), []string{"without an exact condition on"}},
		{"SAML needs neither", assume(`{"Federated":"arn:aws:iam::222222222222:saml-provider/okta"}`, ``), nil},

		{"for all values", web(aud + `},"ForAllValues:StringEquals":{` + sub + `}`), []string{"ForAllValues:StringEquals, which holds when the key is missing"}},
		{"for all tags", assume(role, `"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}`), nil},
		{"for any value", web(aud + `},"ForAnyValue:StringEquals":{` + sub + `}`), nil},
		{"if exists", web(aud + `},"StringEqualsIfExists":{` + sub + `}`), []string{"StringEqualsIfExists, which holds when the key is missing"}},
		{"if external id exists", assume(role, `"StringEqualsIfExists":{"sts:ExternalId":"x1"}`), []string{"StringEqualsIfExists"}},
		{"if source exists", assume(`{"Service":"ssm.amazonaws.com"}`, `"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:ssm:*:222222222222:*"}`), []string{"ArnLikeIfExists"}},
		{"if something else exists", assume(role, `"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}`), nil},

		{"literal wildcard", web(aud + `,"gh:sub":"repo:acme/shop:*"}`), []string{"nothing matches"}},
		{"literal wildcard elsewhere", assume(root, `"StringEquals":{"sts:ExternalId":"x*"}`), []string{"nothing matches"}},
		{"escaped wildcard", web(aud + `,"gh:sub":"repo:acme/shop:environment:a${*}"}`), nil},

		{"any subject", like("*"), []string{"matches anyone's"}},
		{"any owner", like("repo:*"), []string{"reaches other owners"}},
		{"owner prefix", like("repo:acme*"), []string{"reaches other owners"}},
		{"owner wildcard", like("repo:*/shop:ref:refs/heads/main"), []string{"reaches other owners"}},
		{"any repository", like("repo:acme/*"), []string{"reaches other repositories"}},
		{"repository prefix", like("repo:acme/shop*"), []string{"reaches other repositories"}},
		{"any id", like("repo:acme@1/shop@*:ref:refs/heads/main"), []string{"reaches other repositories"}},
		{"any context", like("repo:acme/shop:*"), []string{"pull requests and every branch"}},
		{"release branches", like("repo:acme/shop:ref:refs/heads/release/*"), nil},
		{"environments alike", like("repo:acme/shop:environment:prod-?"), nil},
		{"like without wildcard", like("repo:acme/shop:pull_request"), nil},
		{"GitLab project", like("project_path:acme/shop:ref_type:branch:ref:*"), nil},
		{"GitLab group", like("project_path:acme/*"), []string{"reaches other repositories"}},
		{"Kubernetes", like("system:serviceaccount:shop:*"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + test.statement + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			problems := Lint(doc)
			if len(problems) != len(test.want) {
				t.Fatalf("got %d problems, want %d: %+v", len(problems), len(test.want), problems)
			}
			for i, p := range problems {
				if !strings.Contains(p.Msg, test.want[i]) || p.Hint == "" {
					t.Errorf("problem %d = %+v, want words %q and a hint", i, p, test.want[i])
				}
			}
		})
	}
}

func TestLintNamesTheStatement(t *testing.T) {
	doc := &iam.Document{Statements: []iam.Statement{
		{SID: "Open", Effect: iam.Allow, Principal: &iam.Principal{Everyone: true}},
		{Effect: iam.Allow, Principal: &iam.Principal{Everyone: true}},
	}}
	var got []string
	for _, p := range Lint(doc) {
		got = append(got, p.Msg[:strings.Index(p.Msg, " trusts")])
	}
	if strings.Join(got, "|") != "statement Open|statement 2" {
		t.Errorf("statements are named %q", got)
	}
}
