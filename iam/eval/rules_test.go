package eval_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Rules 24, 29, 39, 41, 56, 59 and 60: whole requests.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func TestWholeRequests(t *testing.T) {
	const (
		idp      = "token.actions.githubusercontent.com"
		eks      = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
		passRole = `"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/team/*","Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`
	)
	pod := eval.Principal{Kind: eval.WebIdentity, ARN: "arn:aws:iam::111111111111:oidc-provider/" + eks, Account: home}
	trusting := func(who eval.Principal, condition string) string {
		return v12(`"Effect":"Allow","Principal":{"Federated":"` + who.ARN + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition)
	}
	mfaDeny := func(operator string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"` +
			operator + `":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	}
	for _, tc := range []struct {
		rule            string
		who             eval.Principal
		action, on      string // default s3:GetObject on the bucket
		identity, trust string
		resource        string
		context         map[string]string
		want            eval.Decision
	}{
		{rule: "24 the role's ARN, of any session", who: session, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + roleARN + `"}}`), want: eval.Allowed},
		{rule: "24 never the session's", who: session, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:sts::*:assumed-role/*"}}`)},
		{rule: "39 absent, positive", who: alice, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:x":"*"}}`)},
		{rule: "39 absent, negated", who: alice, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:x":"*"}}`), want: eval.Allowed},
		{rule: "39 absent, negated, of every type", who: alice, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:x":"0.0.0.0/0"},"NumericNotEquals":{"aws:y":"1"},"DateNotEquals":{"aws:z":"2026-01-01"},"ArnNotLike":{"aws:w":"arn:*:*:*:*:*"},"StringNotEqualsIgnoreCase":{"aws:v":"a"}}`), want: eval.Allowed},
		{rule: "39 absent, IfExists", who: alice, identity: v12(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThanIfExists":{"aws:x":"1"},"BoolIfExists":{"aws:y":"true"}}`), want: eval.Allowed},
		{rule: "41 Bool without the key does not deny", who: alice, identity: mfaDeny("Bool"), want: eval.Allowed},
		{rule: "41 BoolIfExists without the key does", who: alice, identity: mfaDeny("BoolIfExists"), want: eval.ExplicitDeny},
		{rule: "41 neither with it", who: alice, identity: mfaDeny("BoolIfExists"), context: map[string]string{"aws:MultiFactorAuthPresent": "true"}, want: eval.Allowed},

		{rule: "56 audience and subject", who: github, trust: trusting(github, `{"StringEquals":{"`+idp+`:aud":"sts.amazonaws.com"},"StringLike":{"`+idp+`:sub":"repo:acme/shop:*"}}`), context: map[string]string{idp + ":aud": "sts.amazonaws.com", idp + ":sub": "repo:acme/shop:ref:refs/heads/main"}, want: eval.Allowed},
		{rule: "56 another subject", who: github, trust: trusting(github, `{"StringLike":{"`+idp+`:sub":"repo:acme/shop:*"}}`), context: map[string]string{idp + ":sub": "repo:acme/shop2:pull_request"}},
		{rule: "56 claims beside the subject", who: github, trust: trusting(github, `{"StringEquals":{"`+idp+`:repository_id":"12","`+idp+`:environment":"production"},"StringLike":{"`+idp+`:job_workflow_ref":"acme/ci/.github/workflows/deploy.yml@*"}}`), context: map[string]string{idp + ":repository_id": "12", idp + ":environment": "production", idp + ":job_workflow_ref": "acme/ci/.github/workflows/deploy.yml@refs/heads/main"}, want: eval.Allowed},
		{rule: "56 an issuer with a path", who: pod, trust: trusting(pod, `{"StringEquals":{"`+eks+`:sub":"system:serviceaccount:default:app"}}`), context: map[string]string{eks + ":sub": "system:serviceaccount:default:app"}, want: eval.Allowed},
		{rule: "56 claims of another issuer", who: pod, trust: trusting(pod, `{"StringEquals":{"`+eks+`:sub":"system:serviceaccount:default:app"}}`), context: map[string]string{idp + ":sub": "system:serviceaccount:default:app"}},

		{rule: "59 passing to the service named", who: alice, action: "iam:PassRole", on: roleARN, identity: v12(passRole), context: map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, want: eval.Allowed},
		{rule: "59 passing to another", who: alice, action: "iam:PassRole", on: roleARN, identity: v12(passRole), context: map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}},
		{rule: "59 passing another role", who: alice, action: "iam:PassRole", on: "arn:aws:iam::111111111111:role/admin", identity: v12(passRole), context: map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}},

		{rule: "60 a service for the account", who: ec2, resource: v12(`"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}`), context: map[string]string{"aws:SourceAccount": home}, want: eval.Allowed},
		{rule: "60 a service for another account", who: ec2, resource: v12(`"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}`), context: map[string]string{"aws:SourceAccount": other}},
		{rule: "60 everyone but services is denied", who: ec2, resource: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`, want: eval.Allowed},
		{rule: "60 and a user is not one", who: alice, resource: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`, want: eval.ExplicitDeny},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			var l eval.Layers
			if tc.identity != "" {
				l.Identity = compileList(t, eval.Identity, []string{tc.identity})
			}
			r := &eval.Request{Principal: tc.who, Action: "s3:GetObject", Resource: bucket}
			if tc.action != "" {
				r.Action, r.Resource = tc.action, tc.on
			}
			if tc.resource != "" {
				l.Resource = compile(t, "bucket", eval.Resource, tc.resource)
			}
			if tc.trust != "" {
				l.Resource = compile(t, "trust", eval.Trust, tc.trust)
				r.Action, r.Resource = "sts:AssumeRoleWithWebIdentity", roleARN
			}
			given := map[string][]string{}
			for key, value := range tc.context {
				given[key] = []string{value}
			}
			r.Context = (&eval.Model{}).Context(r, given)
			if got := decide(t, &l, r); got != tc.want {
				t.Errorf("Decide = %v, want %v", got, tc.want)
			}
		})
	}
}

// Rules 29, 43, 46 and 47 are disputed: a setting for each, doubt by default.
func TestSettings(t *testing.T) {
	const anyone = `"Effect":"%","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/bob","111111111111"]},"Action":"*","Resource":"*"`
	condition := func(text string) string { return `"Effect":"%","Action":"*","Resource":"*","Condition":` + text }
	for _, tc := range []struct {
		rule        string
		kind        eval.Kind
		statement   string
		settings    eval.Settings
		allow, deny bool // whether an Allow and a Deny match
	}{
		{rule: "43 doubt", statement: condition(`{"ForAnyValue:StringEqualsIfExists":{"aws:x":"a"}}`), deny: true},
		{rule: "43 fails", statement: condition(`{"ForAnyValue:StringEqualsIfExists":{"aws:x":"a"}}`), settings: eval.Settings{ForAnyValueIfExists: eval.Fails}},
		{rule: "43 holds", statement: condition(`{"ForAnyValue:StringEqualsIfExists":{"aws:x":"a"}}`), settings: eval.Settings{ForAnyValueIfExists: eval.Holds}, allow: true, deny: true},
		{rule: "47 doubt", statement: condition(`{"NumericEquals":{"aws:n":"1"}}`), deny: true},
		{rule: "47 fails", statement: condition(`{"NumericEquals":{"aws:n":"1"}}`), settings: eval.Settings{Unparsable: eval.Fails}},
		{rule: "47 fails, negated", statement: condition(`{"NumericNotEquals":{"aws:n":"1"}}`), settings: eval.Settings{Unparsable: eval.Fails}},
		{rule: "47 fails, of every type", statement: condition(`{"IpAddress":{"aws:n":"0.0.0.0/0"}}`), settings: eval.Settings{Unparsable: eval.Fails}},
		{rule: "47 holds, negated", statement: condition(`{"NotIpAddress":{"aws:n":"0.0.0.0/0"},"DateNotEquals":{"aws:n":"2026-01-01"}}`), settings: eval.Settings{Unparsable: eval.Holds}, allow: true, deny: true},
		{rule: "46 doubt", statement: condition(`{"ArnLike":{"aws:a":"*"}}`), deny: true},
		{rule: "46 doubt, negated", statement: condition(`{"ArnNotLike":{"aws:a":"arn:aws:sns:*"}}`), deny: true},
		{rule: "46 fails", statement: condition(`{"ArnLike":{"aws:a":"*"}}`), settings: eval.Settings{ShortARN: eval.Fails}},
		{rule: "46 fails, negated", statement: condition(`{"ArnNotLike":{"aws:a":"*"}}`), settings: eval.Settings{ShortARN: eval.Fails}, allow: true, deny: true},
		{rule: "46 holds", statement: condition(`{"ArnEquals":{"aws:a":"arn:aws:sns:*"}}`), settings: eval.Settings{ShortARN: eval.Holds}, allow: true, deny: true},
		{rule: "46 holds, of another", statement: condition(`{"ArnEquals":{"aws:a":"arn:aws:sqs:*"}}`), settings: eval.Settings{ShortARN: eval.Holds}},
		{rule: "29 doubt", kind: eval.Resource, statement: anyone, deny: true},
		{rule: "29 as written", kind: eval.Resource, statement: anyone, settings: eval.Settings{AllowNotPrincipal: true}, allow: true, deny: true},
	} {
		for effect, matches := range map[string]bool{"Allow": tc.allow, "Deny": tc.deny} {
			p, err := tc.settings.Compile("p", tc.kind, document(t, v12(strings.Replace(tc.statement, "%", effect, 1))))
			if err != nil && (tc.rule != "29 doubt" || effect == "Deny") {
				t.Fatal(err)
			}
			all := compile(t, "all", eval.Identity, allowAll)
			l := eval.Layers{Identity: []*eval.Policy{all}}
			want := eval.Allowed
			switch {
			case effect == "Deny" && matches:
				want = eval.ExplicitDeny
			case effect == "Allow" && !matches:
				want = eval.ImplicitDeny
			}
			switch {
			case tc.kind == eval.Resource:
				l.Resource = p
				if effect == "Allow" {
					l.Identity = nil
				}
			case effect == "Allow":
				l.Identity = []*eval.Policy{p}
			default:
				l.Identity = []*eval.Policy{all, p}
			}
			r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: eval.NewContext(map[string][]string{"aws:n": {"x"}, "aws:a": {"arn:aws:sns:eu-west-1:111111111111:topic"}})}
			if got := decide(t, &l, r); got != want {
				t.Errorf("%s, %s: %v, want %v", tc.rule, effect, got, want)
			}
		}
	}
}

// Rule 54: keys that differ by case only are an error of the document.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func TestRule54(t *testing.T) {
	src := v12(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"a","AWS:UserName":"b"}}`)
	if _, err := iam.Parse([]byte(src)); err == nil || !strings.Contains(err.Error(), `condition key "AWS:UserName" stands twice`) {
		t.Errorf("Parse: %v", err)
	}
}

// elsewhere are rules whose tests do not carry their number in a case's name.
var elsewhere = map[int]string{
	31: "TestTrustPolicyWithResource and TestCompileErrors",
	54: "TestRule54",
	58: "of who keeps sessions: the layers given are those of the last role",
}

// Every rule has a test that is named for it, and a row with its AWS page in
// docs/conformance.md.
func TestEveryRuleIsTested(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	tested := map[int]bool{}
	named := regexp.MustCompile(`(?:rule|name): +"(\d+) `)
	for _, file := range files {
		for _, m := range named.FindAllStringSubmatch(read(t, file), -1) {
			n, _ := strconv.Atoi(m[1])
			tested[n] = true
		}
	}
	docs := read(t, "../../docs/conformance.md")
	for rule := 1; rule <= 60; rule++ {
		if !tested[rule] && elsewhere[rule] == "" {
			t.Errorf("rule %d has no test", rule)
		}
		if !regexp.MustCompile(`(?m)^\| ` + strconv.Itoa(rule) + ` \|.*\]`).MatchString(docs) {
			t.Errorf("docs/conformance.md has no row for rule %d with its page", rule)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
