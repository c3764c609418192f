package eval_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/eval"
)

// Rules 24 and 60: the keys that follow from who asks for what.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func TestModelContext(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	yes := true
	for _, tc := range []struct {
		name    string
		model   eval.Model
		request eval.Request
		given   map[string][]string
		want    map[string]string // one value each
		many    map[string][]string
		absent  []string
	}{
		{
			name: "24 a session has its role's ARN",
			model: eval.Model{
				UserID: "AROAEXAMPLE:run-1", PrincipalTags: map[string]string{"team": "a"}, PrincipalOrg: "o-1", PrincipalPaths: []string{"o-1/r-1/ou-1/"},
				Issued: noon.Add(-time.Hour), Now: noon, MFA: &yes, SourceIdentity: "alice", SourceIP: "10.0.0.1", Region: "eu-west-1",
			},
			request: eval.Request{Principal: session, Action: "s3:GetObject", Resource: bucket, ResourceAccount: other},
			want: map[string]string{
				"aws:PrincipalArn": roleARN, "aws:PrincipalAccount": home, "aws:PrincipalType": "AssumedRole", "aws:userid": "AROAEXAMPLE:run-1",
				"aws:PrincipalTag/team": "a", "aws:PrincipalOrgID": "o-1", "aws:TokenIssueTime": "2026-11-21T11:00:00Z",
				"aws:CurrentTime": "2026-11-21T12:00:00Z", "aws:EpochTime": "1795262400", "aws:MultiFactorAuthPresent": "true",
				"aws:SourceIdentity": "alice", "aws:SourceIp": "10.0.0.1", "aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true",
				"aws:ResourceAccount": other, "aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false",
			},
			many:   map[string][]string{"aws:PrincipalOrgPaths": {"o-1/r-1/ou-1/"}},
			absent: []string{"aws:username", "aws:SourceVpc", "aws:CalledVia", "aws:ResourceOrgID"},
		},
		{
			name:    "a user",
			model:   eval.Model{ResourceOrg: "o-2", ResourceTags: map[string]string{"env": "prod"}, Tags: map[string]string{"b": "1", "a": "2"}},
			request: eval.Request{Principal: alice, Action: "s3:PutObject", Resource: bucket},
			want: map[string]string{
				"aws:PrincipalArn": alice.ARN, "aws:PrincipalType": "User", "aws:username": "alice", "aws:ResourceAccount": home,
				"aws:ResourceOrgID": "o-2", "aws:ResourceTag/env": "prod", "aws:RequestTag/a": "2",
			},
			many:   map[string][]string{"aws:TagKeys": {"a", "b"}},
			absent: []string{"aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:userid", "aws:CurrentTime"},
		},
		{
			name:    "through an endpoint there is no source address",
			model:   eval.Model{Endpoint: "vpce-1", VPC: "vpc-1", VPCSourceIP: "10.0.0.1", SourceIP: "10.0.0.1", Plain: true, ServiceCalling: true, CalledVia: []string{"athena.amazonaws.com", "glue.amazonaws.com"}},
			request: eval.Request{Principal: root, Action: "s3:ListAllMyBuckets", Resource: "*"},
			want: map[string]string{
				"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1", "aws:VpcSourceIp": "10.0.0.1", "aws:SecureTransport": "false",
				"aws:userid": home, "aws:PrincipalType": "Account", "aws:ViaAWSService": "true",
				"aws:CalledViaFirst": "athena.amazonaws.com", "aws:CalledViaLast": "glue.amazonaws.com",
			},
			many:   map[string][]string{"aws:CalledVia": {"athena.amazonaws.com", "glue.amazonaws.com"}},
			absent: []string{"aws:SourceIp", "aws:ResourceAccount"},
		},
		{
			name:    "60 a service on somebody's behalf",
			model:   eval.Model{SourceARN: "arn:aws:cloudtrail:eu-west-1:111111111111:trail/t", SourceAccount: home},
			request: eval.Request{Principal: ec2, Action: "s3:PutObject", Resource: bucket, ResourceAccount: home},
			want: map[string]string{
				"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111111111111:trail/t", "aws:SourceAccount": home,
				"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": "ec2.amazonaws.com",
			},
			absent: []string{"aws:PrincipalArn", "aws:ViaAWSService", "aws:PrincipalAccount"},
		},
		{
			name:    "what is given wins, in any case",
			model:   eval.Model{SourceIP: "10.0.0.1"},
			request: eval.Request{Principal: alice, Action: "s3:PutObject", Resource: bucket},
			given:   map[string][]string{"AWS:sourceIP": {"192.0.2.1"}, "aws:UserName": nil},
			want:    map[string]string{"aws:SourceIp": "192.0.2.1"},
			absent:  []string{"aws:username"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx := tc.model.Context(&tc.request, tc.given)
			want := tc.many
			if want == nil {
				want = map[string][]string{}
			}
			for key, value := range tc.want {
				want[key] = []string{value}
			}
			for _, key := range tc.absent {
				want[key] = nil
			}
			got := map[string][]string{}
			for key := range want {
				got[key], _ = ctx.Get(key)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParsePrincipal(t *testing.T) {
	for _, tc := range []struct {
		name string
		want eval.Principal // zero: an error
	}{
		{name: home, want: root},
		{name: root.ARN, want: root},
		{name: alice.ARN, want: alice},
		{name: "arn:aws:iam::111111111111:user/dev/alice", want: eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::111111111111:user/dev/alice", Account: home}},
		{name: roleARN, want: role},
		{name: session.ARN, want: eval.Principal{Kind: eval.RoleSession, ARN: session.ARN, Account: home}},
		{name: fed.ARN, want: eval.Principal{Kind: eval.FederatedUser, ARN: fed.ARN, Account: home}},
		{name: github.ARN, want: github},
		{name: "arn:aws:iam::111111111111:oidc-provider/gitlab.example.com/a", want: eval.Principal{Kind: eval.WebIdentity, ARN: "arn:aws:iam::111111111111:oidc-provider/gitlab.example.com/a", Account: home}},
		{name: saml.ARN, want: saml},
		{name: "ec2.amazonaws.com", want: ec2},
		{name: "logs.eu-west-1.amazonaws.com", want: eval.Principal{Kind: eval.Service, ARN: "logs.eu-west-1.amazonaws.com"}},
		{name: "cognito-identity.amazonaws.com", want: eval.Principal{Kind: eval.WebIdentity, ARN: "cognito-identity.amazonaws.com"}},
		{name: "accounts.google.com", want: eval.Principal{Kind: eval.WebIdentity, ARN: "accounts.google.com"}},
		{name: ""},
		{name: "*"},
		{name: "alice"},
		{name: ".amazonaws.com"},
		{name: "arn:aws:iam::111111111111:role/*"},
		{name: "arn:aws:iam::111111111111:group/g"},
		{name: "arn:aws:iam::111111111111:root/x"},
		{name: "arn:aws:sts::111111111111:assumed-role/ci"},
		{name: "arn:aws:iam::aws:role/ci"},
		{name: "arn:aws:s3:::bucket"},
	} {
		got, err := eval.ParsePrincipal(tc.name)
		if got != tc.want || (err == nil) != (tc.want != eval.Principal{}) {
			t.Errorf("ParsePrincipal(%q) = %+v, %v, want %+v", tc.name, got, err, tc.want)
		}
	}
}

// Rule 23: a session whose role's path is not known belongs to the role of its
// name, and takes the path from its context.
func TestSessionWithoutPath(t *testing.T) {
	bare := eval.Principal{Kind: eval.RoleSession, ARN: session.ARN, Account: home}
	withPath := bare.WithRole(eval.NewContext(map[string][]string{"aws:PrincipalArn": {roleARN}}))
	if withPath != session {
		t.Errorf("WithRole = %+v, want %+v", withPath, session)
	}
	for name, ctx := range map[string]string{
		"another role": "arn:aws:iam::111111111111:role/team/cd", "another account": "arn:aws:iam::222222222222:role/team/ci", "no role": alice.ARN,
	} {
		if got := bare.WithRole(eval.NewContext(map[string][]string{"aws:PrincipalArn": {ctx}})); got != bare {
			t.Errorf("%s: WithRole = %+v", name, got)
		}
	}
	for _, tc := range []struct {
		named string
		who   eval.Principal
		want  eval.Decision
	}{
		{named: roleARN, who: bare, want: eval.Allowed},
		{named: "arn:aws:iam::111111111111:role/ci", who: bare, want: eval.Allowed},
		{named: "arn:aws:iam::111111111111:role/ci", who: session, want: eval.ImplicitDeny},
		{named: "arn:aws:iam::222222222222:role/ci", who: bare, want: eval.ImplicitDeny},
		{named: "arn:aws:iam::111111111111:role/xci", who: bare, want: eval.ImplicitDeny},
		{named: "arn:aws:iam::111111111111:user/ci", who: bare, want: eval.ImplicitDeny},
		{named: "arn:aws-cn:iam::111111111111:role/ci", who: bare, want: eval.ImplicitDeny},
	} {
		l := eval.Layers{Resource: compile(t, "bucket", eval.Resource, grants(`{"AWS":"`+tc.named+`"}`))}
		if got := decide(t, &l, &eval.Request{Principal: tc.who, Action: "s3:GetObject", Resource: bucket}); got != tc.want {
			t.Errorf("%s named, %s with role %q: %v, want %v", tc.named, tc.who.ARN, tc.who.RoleARN, got, tc.want)
		}
	}
}
