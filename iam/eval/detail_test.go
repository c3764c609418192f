package eval_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestDetails(t *testing.T) {
	l := eval.Layers{
		Identity: compileList(t, eval.Identity, []string{`{"Version":"2012-10-17","Statement":[
{"Sid":"Put","Effect":"Allow","Action":"s3:Put*","Resource":"*"},
{"Sid":"Other","Effect":"Allow","Action":["sqs:*","s3:Get*"],"Resource":"arn:aws:s3:::other/*"},
{"Sid":"Home","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::x","arn:aws:s3:::bucket/${aws:username}"],"Condition":{"StringLike":{"aws:SourceVpc":["vpc-2","vpc-1*"]},"Bool":{"aws:SecureTransport":"true"}}},
{"Effect":"Deny","NotAction":"s3:*","Resource":"*"},
{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}}]}`}),
		Resource: compile(t, "bucket", eval.Resource, v12(`"Effect":"Allow","Principal":{"AWS":["111111111111","arn:aws:iam::111111111111:user/alice"]},"Action":"s3:GetObject","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":["vpc-9","vpc-12"]}}`)),
	}
	r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/alice", Context: eval.NewContext(map[string][]string{
		"aws:username": {"alice"}, "aws:SourceVpc": {"vpc-12"}, "s3:TlsVersion": {"new"},
	})}
	reason := func(n int, sid string, effect iam.Effect, line int) eval.Reason {
		return eval.Reason{Policy: "identity policy", Statement: n, SID: sid, Effect: effect, Pos: iam.Pos{Line: line, Column: 1}}
	}
	doubtful := reason(4, "", iam.Deny, 6)
	doubtful.Doubt = true
	want := []eval.Detail{
		{Reason: reason(0, "Put", iam.Allow, 2), Element: "Action", Resource: "*"},
		{Reason: reason(1, "Other", iam.Allow, 3), Element: "Resource", Action: "s3:Get*"},
		{
			Reason: reason(2, "Home", iam.Allow, 4), Element: "Condition", Action: "s3:*", Resource: "arn:aws:s3:::bucket/${aws:username}",
			Conditions: []eval.ConditionDetail{
				{Condition: iam.Condition{Operator: "StringLike", Key: "aws:SourceVpc", Values: []string{"vpc-2", "vpc-1*"}}, Outcome: eval.Yes, Present: true, Got: []string{"vpc-12"}, Value: "vpc-1*"},
				{Condition: iam.Condition{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}}},
			},
		},
		{Reason: reason(3, "", iam.Deny, 5), Element: "Action", Action: "s3:*", Resource: "*"},
		{Reason: doubtful, Outcome: eval.Maybe, Element: "Condition", Action: "*", Resource: "*", Conditions: []eval.ConditionDetail{
			{Condition: iam.Condition{Operator: "NumericLessThan", Key: "s3:TlsVersion", Values: []string{"1.2"}}, Outcome: eval.Maybe, Present: true, Got: []string{"new"}},
		}},
		{
			Reason:  eval.Reason{Kind: eval.Resource, Policy: "bucket", Effect: iam.Allow, Pos: iam.Pos{Line: 1, Column: 38}},
			Element: "Condition", Action: "s3:GetObject", Resource: "*", Principal: alice.ARN, Conditions: []eval.ConditionDetail{
				{Condition: iam.Condition{Operator: "StringNotEquals", Key: "aws:SourceVpc", Values: []string{"vpc-9", "vpc-12"}}, Present: true, Got: []string{"vpc-12"}, Value: "vpc-12"},
			},
		},
	}
	if diff := cmp.Diff(want, l.Details(r)); diff != "" {
		t.Errorf("Details (-want +got):\n%s", diff)
	}
	r.Context = eval.NewContext(map[string][]string{"aws:username": {"alice"}, "aws:SourceVpc": {"vpc-12"}}).Open()
	if got := l.Details(r)[2]; got.Outcome != eval.Maybe || !got.Conditions[1].Open {
		t.Errorf("with an open context: %+v", got)
	}
}

// Details and Explain tell of the same matches.
func TestDetailsAgreeWithExplain(t *testing.T) {
	for seed := range uint64(500) {
		l, r := randomCase(t, seed)
		var allows, denies []eval.Reason
		for _, d := range l.Details(r) {
			switch {
			case d.Effect == iam.Deny && d.Outcome != eval.No:
				denies = append(denies, d.Reason)
			case d.Effect == iam.Allow && d.Outcome == eval.Yes:
				allows = append(allows, d.Reason)
			}
			if (d.Element == "") != (d.Outcome == eval.Yes) {
				t.Errorf("seed %d: outcome %v with element %q", seed, d.Outcome, d.Element)
			}
		}
		want := allows
		if len(denies) > 0 {
			want = denies
		}
		if diff := cmp.Diff(l.Explain(r).Reasons, want); diff != "" {
			t.Fatalf("seed %d: Explain, Details:\n%s", seed, diff)
		}
	}
}

// Rule 37: all parts of a call must be allowed.
//
//	https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html
func TestCall(t *testing.T) {
	l := &eval.Layers{Identity: compileList(t, eval.Identity, []string{`{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"ec2:RunInstances","Resource":["arn:aws:ec2:*:*:subnet/subnet-1","arn:aws:ec2:*::image/*","arn:aws:ec2:*:*:instance/*"]},
{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*::image/ami-bad"}]}`})}
	on := func(resources ...string) eval.Call {
		var c eval.Call
		for _, resource := range resources {
			c = append(c, eval.Part{Layers: l, Request: &eval.Request{Principal: alice, Action: "ec2:RunInstances", Resource: "arn:aws:ec2:eu-west-1:" + resource}})
		}
		return c
	}
	for _, tc := range []struct {
		rule string
		call eval.Call
		want eval.Decision
	}{
		{rule: "37 every part is allowed", call: on("111111111111:subnet/subnet-1", ":image/ami-1", "111111111111:instance/*"), want: eval.Allowed},
		{rule: "37 one part is not", call: on("111111111111:subnet/subnet-2", ":image/ami-1"), want: eval.ImplicitDeny},
		{rule: "37 one part is denied", call: on("111111111111:subnet/subnet-2", ":image/ami-bad", "111111111111:subnet/subnet-1"), want: eval.ExplicitDeny},
		{rule: "37 nothing asked, nothing allowed", call: nil, want: eval.ImplicitDeny},
	} {
		got, parts := tc.call.Explain()
		if got != tc.want || tc.call.Decide() != tc.want || len(parts) != len(tc.call) {
			t.Errorf("%s: %v with %d explanations, want %v", tc.rule, got, len(parts), tc.want)
		}
	}
}
