package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/wire"
)

var here = wire.Scope{Partition: "aws", Region: "eu-west-1", Account: "222222222222"}

func TestRead(t *testing.T) {
	ecs := func(op, body string) wire.Request {
		return wire.Request{Service: "ecs", Method: "POST", Path: "/", Target: "AmazonEC2ContainerServiceV20141113." + op, Body: []byte(body)}
	}
	form := func(service, body string) wire.Request {
		return wire.Request{Service: service, Method: "POST", Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte(body)}
	}
	for _, test := range []struct {
		name string
		in   wire.Request
		want wire.Call
		no   bool
	}{
		{
			name: "repository with a slash",
			in: wire.Request{
				Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
				Body: []byte(`{"repositoryName":"team/shop","maxResults":1}`),
			},
			want: wire.Call{Action: "ecr:DescribeImages", Resource: "arn:aws:ecr:eu-west-1:222222222222:repository/team/shop"},
		},
		{
			name: "no resource", in: wire.Request{Service: "ecr", Method: "POST", Target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", Body: []byte(`{}`)},
			want: wire.Call{Action: "ecr:GetAuthorizationToken", Resource: "*"},
		},
		{name: "missing resource", in: wire.Request{Service: "ecr", Target: "AmazonEC2ContainerRegistry_V20150921.DescribeImages", Body: []byte(`{}`)}, no: true},
		{name: "target of another service", in: wire.Request{Service: "ecr", Target: "Other.GetAuthorizationToken", Body: []byte(`{}`)}, no: true},
		{name: "broken body", in: ecs("DescribeServices", `{`), no: true},
		{
			name: "cluster by ARN, service by name", in: ecs("UpdateService", `{"cluster":"arn:aws:ecs:eu-west-1:222222222222:cluster/prod","service":"shop"}`),
			want: wire.Call{
				Action: "ecs:UpdateService", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:222222222222:cluster/prod"}},
			},
		},
		{
			name: "default cluster, service by ARN", in: ecs("DescribeServices", `{"services":["arn:aws:ecs:eu-west-1:222222222222:service/prod/shop"]}`),
			want: wire.Call{
				Action: "ecs:DescribeServices", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/default/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:222222222222:cluster/default"}},
			},
		},
		{
			name: "lock item", in: wire.Request{Service: "dynamodb", Target: "DynamoDB_20120810.GetItem", Body: []byte(`{"TableName":"lock","Key":{"LockID":{"S":"a/b"}}}`)},
			want: wire.Call{
				Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:eu-west-1:222222222222:table/lock",
				Context: map[string][]string{"dynamodb:LeadingKeys": {"a/b"}},
			},
		},
		{
			name: "secret by ARN", in: wire.Request{Service: "secretsmanager", Target: "secretsmanager.GetSecretValue", Body: []byte(`{"SecretId":"arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-AbCdEf"}`)},
			want: wire.Call{Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-AbCdEf"},
		},
		{
			name: "secret by name", in: wire.Request{Service: "secretsmanager", Target: "secretsmanager.GetSecretValue", Body: []byte(`{"SecretId":"a/b"}`)},
			want: wire.Call{Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-000000"},
		},
		{
			name: "parameter with a path", in: wire.Request{Service: "ssm", Target: "AmazonSSM.GetParameter", Body: []byte(`{"Name":"/shop/url"}`)},
			want: wire.Call{Action: "ssm:GetParameter", Resource: "arn:aws:ssm:eu-west-1:222222222222:parameter/shop/url"},
		},
		{
			name: "object with odd characters", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state/env%3A/a%20b//c", Query: "x-id=GetObject"},
			want: wire.Call{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-state/env:/a b//c"},
		},
		{
			name: "list with prefix", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state", Query: "list-type=2&prefix=shop%2F"},
			want: wire.Call{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-state", Context: map[string][]string{"s3:prefix": {"shop/"}}},
		},
		{
			name: "a key parameter is not the key", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state", Query: "list-type=2&key=x"},
			want: wire.Call{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-state"},
		},
		{name: "an unknown sub-resource is not the plain call", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state/key", Query: "torrent="}, no: true},
		{name: "no bucket", in: wire.Request{Service: "s3", Method: "GET", Path: "/"}, no: true},
		{name: "ec2", in: form("ec2", "Action=DescribeInstances&Version=2016-11-15"), want: wire.Call{Action: "ec2:DescribeInstances", Resource: "*"}},
		{
			name: "auto scaling", in: form("autoscaling", "Action=StartInstanceRefresh&Version=2011-01-01&AutoScalingGroupName=shop"),
			want: wire.Call{
				Action:   "autoscaling:StartInstanceRefresh",
				Resource: "arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/shop",
			},
		},
		{name: "unknown service", in: form("sqs", "Action=SendMessage"), no: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := wire.Read(test.in, here)
			if ok == test.no {
				t.Fatalf("Read(%+v) = %+v, %t", test.in, got, ok)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Read(%+v) (-want +got):\n%s", test.in, diff)
			}
		})
	}
}

func TestBuild(t *testing.T) {
	for _, test := range []struct {
		name string
		call wire.Call
		want wire.Request
		no   bool
	}{
		{
			name: "array field",
			call: wire.Call{Action: "ecs:DescribeServices", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/shop"},
			want: wire.Request{
				Service: "ecs", Method: "POST", Path: "/", Target: "AmazonEC2ContainerServiceV20141113.DescribeServices",
				Type: "application/x-amz-json-1.1", Body: []byte(`{"cluster":"prod","services":["shop"]}`),
			},
		},
		{
			name: "action in any case", call: wire.Call{Action: "ecr:getauthorizationtoken", Resource: "*"},
			want: wire.Request{
				Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
				Type: "application/x-amz-json-1.1", Body: []byte(`{}`),
			},
		},
		{
			name: "user with a path", call: wire.Call{Action: "iam:CreateUser", Resource: "arn:aws:iam::222222222222:user/a/b/alice"},
			want: wire.Request{
				Service: "iam", Method: "POST", Path: "/", Type: "application/x-www-form-urlencoded; charset=utf-8",
				Body: []byte("Action=CreateUser&UserName=alice&Version=2010-05-08"),
			},
		},
		{
			name: "condition in the request",
			call: wire.Call{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-state", Context: map[string][]string{"s3:prefix": {"shop/"}, "aws:SourceIp": {"::1"}}},
			want: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state", Query: "list-type=2&prefix=shop%2F"},
		},
		{
			name: "lock item", call: wire.Call{
				Action: "dynamodb:DeleteItem", Resource: "arn:aws:dynamodb:eu-west-1:222222222222:table/lock",
				Context: map[string][]string{"dynamodb:LeadingKeys": {"acme-state/shop"}},
			},
			want: wire.Request{
				Service: "dynamodb", Method: "POST", Path: "/", Target: "DynamoDB_20120810.DeleteItem", Type: "application/x-amz-json-1.0",
				Body: []byte(`{"Key":{"LockID":{"S":"acme-state/shop"}},"TableName":"lock"}`),
			},
		},
		{
			name: "object with odd characters", call: wire.Call{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-state/a b+c//é"},
			want: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state/a%20b%2Bc//%C3%A9"},
		},
		{name: "another region", call: wire.Call{Action: "ecr:DescribeImages", Resource: "arn:aws:ecr:us-east-1:222222222222:repository/shop"}, no: true},
		{name: "another kind of resource", call: wire.Call{Action: "ecr:DescribeImages", Resource: "arn:aws:s3:::shop"}, no: true},
		{name: "a resource is needed", call: wire.Call{Action: "ecr:DescribeImages", Resource: "*"}, no: true},
		{name: "unknown action", call: wire.Call{Action: "sqs:SendMessage", Resource: "*"}, no: true},
		{name: "no action", call: wire.Call{Action: "*", Resource: "*"}, no: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := wire.BuildCall(test.call, here.Region)
			if ok == test.no {
				t.Fatalf("BuildCall(%+v) = %+v, %t", test.call, got, ok)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("BuildCall(%+v) (-want +got):\n%s", test.call, diff)
			}
		})
	}
}

func TestEncodeFailure(t *testing.T) {
	for _, test := range []struct {
		protocol wire.Protocol
		want     string
		status   int
	}{
		{wire.Query, `<Type>Sender</Type>
    <Code>AccessDenied</Code>
    <Message>no &lt;b&gt;</Message>`, 403},
		{wire.EC2, "<Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. no &lt;b&gt;</Message>", 403},
		{wire.JSON, `{"__type":"AccessDeniedException","message":"no \u003cb\u003e"}`, 400},
		{wire.RESTS3, "<Code>AccessDenied</Code><Message>no &lt;b&gt;</Message>", 403},
	} {
		f := test.protocol.Refuse(wire.Denied, "no <b>")
		_, body := test.protocol.Encode(f)
		if f.Status != test.status || !strings.Contains(string(body), test.want) {
			t.Errorf("protocol %d: status %d, body %s", test.protocol, f.Status, body)
		}
	}
}

// FuzzRead: whatever Read understands names a whole resource, and Reply has an
// answer to it.
func FuzzRead(f *testing.F) {
	f.Add("ecr", "POST", "/", "", "AmazonEC2ContainerRegistry_V20150921.DescribeImages", []byte(`{"repositoryName":"a"}`))
	f.Add("s3", "GET", "/bucket/key", "list-type=2&prefix=a", "", []byte(""))
	f.Add("ec2", "POST", "/", "", "", []byte("Action=TerminateInstances&InstanceId.1=i-1"))
	f.Add("ecs", "POST", "/", "", "AmazonEC2ContainerServiceV20141113.ListTasks", []byte(`{"cluster":"arn:"}`))
	f.Fuzz(func(t *testing.T, service, method, path, query, target string, body []byte) {
		r := wire.Request{Service: service, Method: method, Path: path, Query: query, Target: target, Body: body}
		c, ok := wire.Read(r, here)
		if !ok {
			return
		}
		if c.Action == "" || c.Resource == "" {
			t.Errorf("Read(%+v) = %+v", r, c)
		}
		if _, _, ok := wire.Reply(r, "id"); !ok {
			t.Errorf("no reply to %+v", r)
		}
	})
}
