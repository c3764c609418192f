package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/wire"
)

// TestBesides are requests that ask for more than their name says, and names in
// their rarer forms.
func TestBesides(t *testing.T) {
	const (
		user   = "arn:aws:iam::222222222222:user/team/alice"
		role   = "arn:aws:iam::222222222222:role/deploy"
		bucket = "arn:aws:s3:::shop"
		url    = "arn:aws:ssm:eu-west-1:222222222222:parameter/shop/url"
	)
	passed := wire.Call{Action: "iam:PassRole", Resource: role, Context: map[string][]string{"iam:PassedToService": {"ecs.amazonaws.com"}}}
	session := map[string][]string{"sts:RoleSessionName": {"job"}, "sts:SourceIdentity": {"alice"}, "aws:TagKeys": {"team"}, "aws:RequestTag/team": {"web"}}
	with := func(tags map[string][]string, key, v string) map[string][]string {
		out := map[string][]string{key: {v}}
		for k, v := range tags {
			out[k] = v
		}
		return out
	}
	tags := map[string][]string{"aws:TagKeys": {"team"}, "aws:RequestTag/team": {"web"}}
	for _, test := range []struct {
		name string
		in   wire.Request
		want []wire.Call
	}{
		{
			name: "a session with tags and a source", in: formCall("sts", "Action=AssumeRole&Version=2011-06-15&RoleSessionName=job&SourceIdentity=alice&Tags.member.1.Key=team&Tags.member.1.Value=web&RoleArn="+role),
			want: []wire.Call{
				{Action: "sts:AssumeRole", Resource: role, Context: session},
				{Action: "sts:TagSession", Resource: role, Context: tags},
				{Action: "sts:SetSourceIdentity", Resource: role, Context: tags},
			},
		},
		{
			name: "a user with a path, a boundary and tags",
			in:   formCall("iam", "Action=CreateUser&Version=2010-05-08&UserName=alice&Path=/team/&PermissionsBoundary=arn:aws:iam::222222222222:policy/b&Tags.member.1.Key=team&Tags.member.1.Value=web"),
			want: []wire.Call{
				{Action: "iam:CreateUser", Resource: user, Context: with(tags, "iam:PermissionsBoundary", "arn:aws:iam::222222222222:policy/b")},
				{Action: "iam:TagUser", Resource: user, Context: tags},
			},
		},
		{
			name: "a policy is attached", in: formCall("iam", "Action=AttachRolePolicy&Version=2010-05-08&RoleName=deploy&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess"),
			want: []wire.Call{{Action: "iam:AttachRolePolicy", Resource: role, Context: map[string][]string{"iam:PolicyARN": {"arn:aws:iam::aws:policy/AdministratorAccess"}}}},
		},
		{
			name: "a bucket for everybody", in: headed(s3Call("PUT", "/shop", "", ""), "X-Amz-Acl", "public-read"),
			want: []wire.Call{{Action: "s3:CreateBucket", Resource: bucket}, {Action: "s3:PutBucketAcl", Resource: bucket}},
		},
		{
			name: "a deletion against a retention", in: headed(s3Call("DELETE", "/shop/a", "versionId=1", ""), "X-Amz-Bypass-Governance-Retention", "true"),
			want: []wire.Call{{Action: "s3:DeleteObjectVersion", Resource: bucket + "/a"}, {Action: "s3:BypassGovernanceRetention", Resource: bucket + "/a"}},
		},
		{
			name: "deletions of versions", in: s3Call("POST", "/shop", "delete=", `<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object></Delete>`),
			want: []wire.Call{{Action: "s3:DeleteObject", Resource: bucket + "/a"}, {Action: "s3:DeleteObjectVersion", Resource: bucket + "/a"}},
		},
		{
			name: "a role for volumes",
			in:   ecsCall("UpdateService", `{"cluster":"prod","service":"shop","volumeConfigurations":[{"name":"v","managedEBSVolume":{"roleArn":"`+role+`"}}]}`),
			want: []wire.Call{{
				Action: "ecs:UpdateService", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:222222222222:cluster/prod"}},
			}, passed},
		},
		{
			name: "a document of one's own", in: jsonCall("ssm", "AmazonSSM.StartSession", `{"Target":"i-1","DocumentName":"tunnel"}`),
			want: []wire.Call{
				{Action: "ssm:StartSession", Resource: "arn:aws:ec2:eu-west-1:222222222222:instance/i-1"},
				{Action: "ssm:StartSession", Resource: "arn:aws:ssm:eu-west-1:222222222222:document/tunnel"},
			},
		},
		{
			name: "a parameter's version", in: jsonCall("ssm", "AmazonSSM.GetParameter", `{"Name":"/shop/url:3"}`),
			want: []wire.Call{{Action: "ssm:GetParameter", Resource: url}},
		},
		{
			name: "parameters by ARN, by label and without a slash before them", in: jsonCall("ssm", "AmazonSSM.GetParameters", `{"Names":["`+url+`:live","/shop/url:live","port"]}`),
			want: []wire.Call{
				{Action: "ssm:GetParameters", Resource: url},
				{Action: "ssm:GetParameters", Resource: url},
				{Action: "ssm:GetParameters", Resource: "arn:aws:ssm:eu-west-1:222222222222:parameter/port"},
			},
		},
		{
			name: "a cluster and a service by ARN",
			in:   ecsCall("DescribeServices", `{"cluster":"arn:aws:ecs:eu-west-1:333333333333:cluster/prod","services":["arn:aws:ecs:eu-west-1:333333333333:service/prod/shop"]}`),
			want: []wire.Call{{
				Action: "ecs:DescribeServices", Resource: "arn:aws:ecs:eu-west-1:333333333333:service/prod/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:333333333333:cluster/prod"}},
			}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := wire.Read(test.in, here)
			if diff := cmp.Diff(test.want, got); !ok || diff != "" {
				t.Errorf("%t (-want +got):\n%s", ok, diff)
			}
		})
	}
}
