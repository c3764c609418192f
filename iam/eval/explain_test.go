package eval_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestExplain(t *testing.T) {
	l := eval.Layers{
		Identity: []*eval.Policy{
			compile(t, "ci-inline", eval.Identity, `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Push", "Effect": "Allow", "Action": "s3:Put*", "Resource": "*"},
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::bucket/*"},
    {"Sid": "Keep", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}
  ]
}`),
			compile(t, "managed", eval.Identity, allowAll),
		},
		Boundary: []*eval.Policy{compile(t, "boundary", eval.Boundary, v12(`"Sid":"S3","Effect":"Allow","NotAction":["s3:List*"],"Resource":"*"`))},
		Resource: compile(t, "bucket", eval.Resource, v12(`"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"*"`)),
	}
	reason := func(kind eval.Kind, policy string, n int, sid string, effect iam.Effect, line, column int) eval.Reason {
		return eval.Reason{Kind: kind, Policy: policy, Statement: n, SID: sid, Effect: effect, Pos: iam.Pos{Line: line, Column: column}}
	}
	for _, tc := range []struct {
		action string
		want   eval.Explanation
	}{
		{action: "s3:GetObject", want: eval.Explanation{
			Decision: eval.Allowed,
			Reasons: []eval.Reason{
				reason(eval.Identity, "ci-inline", 1, "Read", iam.Allow, 5, 5),
				reason(eval.Identity, "managed", 0, "", iam.Allow, 1, 38),
				reason(eval.Boundary, "boundary", 0, "S3", iam.Allow, 1, 38),
			},
		}},
		{action: "s3:ListBucket", want: eval.Explanation{
			Decision: eval.ImplicitDeny,
			Reasons: []eval.Reason{
				reason(eval.Identity, "ci-inline", 1, "Read", iam.Allow, 5, 5),
				reason(eval.Identity, "managed", 0, "", iam.Allow, 1, 38),
			},
			BlockedBy: []eval.Kind{eval.Boundary},
		}},
		{action: "s3:DeleteObject", want: eval.Explanation{
			Decision: eval.ExplicitDeny,
			Reasons: []eval.Reason{
				reason(eval.Identity, "ci-inline", 2, "Keep", iam.Deny, 6, 5),
				reason(eval.Resource, "bucket", 0, "", iam.Deny, 1, 38),
			},
			BlockedBy: []eval.Kind{eval.Identity, eval.Resource},
		}},
	} {
		got := l.Explain(&eval.Request{Principal: alice, Action: tc.action, Resource: bucket})
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.action, diff)
		}
	}
}

func ExampleLayers_Explain() {
	doc, err := iam.Parse([]byte(`{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::state/*"},
    {"Sid": "KeepSecrets", "Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::state/secret/*"}
  ]
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	policy, err := eval.Compile("ci", eval.Identity, doc)
	if err != nil {
		fmt.Println(err)
		return
	}
	layers := eval.Layers{Identity: []*eval.Policy{policy}}
	why := layers.Explain(&eval.Request{
		Principal: eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::111111111111:role/ci", Account: "111111111111"},
		Action:    "s3:GetObject",
		Resource:  "arn:aws:s3:::state/secret/key",
	})
	reason := why.Reasons[0]
	fmt.Printf("%v by %s %q, statement %s at %v\n", why.Decision, reason.Kind, reason.Policy, reason.SID, reason.Pos)
	// Output: explicitly denied by identity policy "ci", statement KeepSecrets at 5:5
}

func TestExplainTellsDoubt(t *testing.T) {
	l := eval.Layers{Identity: []*eval.Policy{compile(t, "p", eval.Identity, `{"Version":"2012-10-17","Statement":[
{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}},
{"Effect":"Deny","Action":"*","Resource":"*"}]}`)}}
	want := eval.Explanation{
		Decision: eval.ExplicitDeny,
		Reasons: []eval.Reason{
			{Policy: "p", Statement: 0, Effect: iam.Deny, Pos: iam.Pos{Line: 2, Column: 1}, Doubt: true},
			{Policy: "p", Statement: 1, Effect: iam.Deny, Pos: iam.Pos{Line: 3, Column: 1}},
		},
		BlockedBy: []eval.Kind{eval.Identity},
	}
	r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: eval.NewContext(map[string][]string{"s3:TlsVersion": {"new"}})}
	if diff := cmp.Diff(want, l.Explain(r)); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
	broken, err := eval.Compile("p", eval.Identity, document(t, v12(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Foo":{"a":"b"}}`)))
	if err == nil {
		t.Error("compiled an unknown operator")
	}
	l = eval.Layers{Identity: []*eval.Policy{broken}}
	if reasons := l.Explain(r).Reasons; len(reasons) != 1 || !reasons[0].Doubt {
		t.Errorf("a statement that did not compile is not in doubt: %+v", reasons)
	}
}

func TestZeroLayersDeny(t *testing.T) {
	var l eval.Layers
	want := eval.Explanation{Decision: eval.ImplicitDeny, BlockedBy: []eval.Kind{eval.Identity}}
	if diff := cmp.Diff(want, l.Explain(&eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket})); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
	if got := decide(t, &l, &eval.Request{}); got != eval.ImplicitDeny {
		t.Errorf("the zero request is %v", got)
	}
}

func TestContext(t *testing.T) {
	source := map[string][]string{"aws:TagKeys": {"a", "b"}, "aws:Empty": {}}
	c := eval.NewContext(source)
	source["aws:TagKeys"][0] = "changed"
	with := c.With("AWS:tagkeys", "c").With("aws:new", "n")
	without := c.With("aws:tagKEYS")
	for _, tc := range []struct {
		name, key string
		ctx       eval.Context
		want      []string
	}{
		{name: "any case", ctx: c, key: "AWS:TAGKEYS", want: []string{"a", "b"}},
		{name: "no values", ctx: c, key: "aws:Empty"},
		{name: "replaced", ctx: with, key: "aws:TagKeys", want: []string{"c"}},
		{name: "added", ctx: with, key: "aws:New", want: []string{"n"}},
		{name: "not added to the first", ctx: c, key: "aws:New"},
		{name: "removed", ctx: without, key: "aws:TagKeys"},
		{name: "zero", key: "aws:TagKeys"},
	} {
		got, ok := tc.ctx.Get(tc.key)
		if diff := cmp.Diff(tc.want, got); diff != "" || ok != (tc.want != nil) {
			t.Errorf("%s: Get = %v, %v, want %v", tc.name, got, ok, tc.want)
		}
	}
}

func TestPrincipalContext(t *testing.T) {
	one := func(s string) []string { return []string{s} }
	for _, tc := range []struct {
		who  eval.Principal
		want map[string][]string
	}{
		{who: eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::111111111111:user/ops/alice", Account: home}, want: map[string][]string{
			"aws:PrincipalArn": one("arn:aws:iam::111111111111:user/ops/alice"), "aws:PrincipalAccount": one(home),
			"aws:PrincipalType": one("User"), "aws:username": one("alice"), "aws:PrincipalIsAWSService": one("false"),
		}},
		{who: session, want: map[string][]string{
			"aws:PrincipalArn": one(roleARN), "aws:PrincipalAccount": one(home), "aws:PrincipalType": one("AssumedRole"), "aws:PrincipalIsAWSService": one("false"),
		}},
		{who: role, want: map[string][]string{
			"aws:PrincipalArn": one(roleARN), "aws:PrincipalAccount": one(home), "aws:PrincipalType": one("AssumedRole"), "aws:PrincipalIsAWSService": one("false"),
		}},
		{who: root, want: map[string][]string{
			"aws:PrincipalArn": one(root.ARN), "aws:PrincipalAccount": one(home), "aws:PrincipalType": one("Account"), "aws:PrincipalIsAWSService": one("false"),
		}},
		{who: fed, want: map[string][]string{
			"aws:PrincipalArn": one(fed.ARN), "aws:PrincipalAccount": one(home), "aws:PrincipalType": one("FederatedUser"), "aws:PrincipalIsAWSService": one("false"),
		}},
		{who: ec2, want: map[string][]string{"aws:PrincipalIsAWSService": one("true"), "aws:PrincipalServiceName": one("ec2.amazonaws.com")}},
		{who: github, want: map[string][]string{}},
		{who: nobody, want: map[string][]string{"aws:PrincipalType": one("Anonymous")}},
	} {
		if diff := cmp.Diff(tc.want, eval.PrincipalContext(tc.who)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tc.who.Kind, diff)
		}
	}
}

func TestNames(t *testing.T) {
	var got []string
	for k := eval.Identity; k <= eval.RCP+1; k++ {
		got = append(got, k.String())
	}
	for k := eval.Anonymous; k <= eval.SAML+1; k++ {
		got = append(got, k.String())
	}
	for d := eval.ImplicitDeny; d <= eval.Allowed+1; d++ {
		got = append(got, d.String())
	}
	want := []string{
		"identity policy", "permissions boundary", "session policy", "resource policy", "trust policy",
		"VPC endpoint policy", "service control policy", "resource control policy", "Kind(8)",
		"anonymous", "account root user", "user", "role", "role session", "federated user", "service", "web identity", "SAML identity", "PrincipalKind(9)",
		"implicitly denied", "explicitly denied", "allowed", "Decision(3)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
