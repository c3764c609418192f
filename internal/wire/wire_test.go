package wire_test

import (
	"net/http"
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
	const definitions = "arn:aws:ecs:eu-west-1:222222222222:task-definition/shop:*"
	prod := map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:222222222222:cluster/prod"}}
	passed := func(to string) map[string][]string { return map[string][]string{"iam:PassedToService": {to}} }
	copied := map[string][]string{"s3:x-amz-acl": {"public-read"}, "s3:x-amz-copy-source": {"other/a b"}}
	for _, test := range []struct {
		name string
		in   wire.Request
		want []wire.Call
		no   bool
	}{
		{
			name: "repository with a slash",
			in: wire.Request{
				Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
				Body: []byte(`{"repositoryName":"team/shop","maxResults":1}`),
			},
			want: []wire.Call{{Action: "ecr:DescribeImages", Resource: "arn:aws:ecr:eu-west-1:222222222222:repository/team/shop"}},
		},
		{
			name: "registry of another account",
			in: wire.Request{
				Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.PutImage",
				Body: []byte(`{"registryId":"333333333333","repositoryName":"shop"}`),
			},
			want: []wire.Call{{Action: "ecr:PutImage", Resource: "arn:aws:ecr:eu-west-1:333333333333:repository/shop"}},
		},
		{
			name: "no resource", in: wire.Request{Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", Body: []byte(`{}`)},
			want: []wire.Call{{Action: "ecr:GetAuthorizationToken", Resource: "*"}},
		},
		{name: "missing resource", in: wire.Request{Service: "ecr", Method: "POST", Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921.DescribeImages", Body: []byte(`{}`)}, no: true},
		{name: "target of another service", in: wire.Request{Service: "ecr", Method: "POST", Path: "/", Target: "Other.GetAuthorizationToken", Body: []byte(`{}`)}, no: true},
		{name: "broken body", in: ecs("DescribeServices", `{`), no: true},
		{
			name: "cluster by ARN, service by name", in: ecs("UpdateService", `{"cluster":"arn:aws:ecs:eu-west-1:222222222222:cluster/prod","service":"shop"}`),
			want: []wire.Call{{
				Action: "ecs:UpdateService", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:eu-west-1:222222222222:cluster/prod"}},
			}},
		},
		{
			name: "service by ARN", in: ecs("DescribeServices", `{"cluster":"prod","services":["arn:aws:ecs:eu-west-1:222222222222:service/prod/shop","web"]}`),
			want: []wire.Call{
				{Action: "ecs:DescribeServices", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/shop", Context: prod},
				{Action: "ecs:DescribeServices", Resource: "arn:aws:ecs:eu-west-1:222222222222:service/prod/web", Context: prod},
			},
		},
		{name: "service by the ARN of another cluster", in: ecs("DescribeServices", `{"services":["arn:aws:ecs:eu-west-1:222222222222:service/prod/shop"]}`), no: true},
		{
			name: "service of another account", in: ecs("UpdateService", `{"cluster":"arn:aws:ecs:us-east-1:333333333333:cluster/prod","service":"shop"}`),
			want: []wire.Call{{
				Action: "ecs:UpdateService", Resource: "arn:aws:ecs:us-east-1:333333333333:service/prod/shop",
				Context: map[string][]string{"ecs:cluster": {"arn:aws:ecs:us-east-1:333333333333:cluster/prod"}},
			}},
		},
		{name: "two accounts", in: ecs("UpdateService", `{"cluster":"arn:aws:ecs:eu-west-1:333333333333:cluster/prod","service":"arn:aws:ecs:eu-west-1:222222222222:service/prod/shop"}`), no: true},
		{name: "an ARN of another service", in: ecs("UpdateService", `{"cluster":"arn:aws:eks:eu-west-1:222222222222:cluster/prod","service":"shop"}`), no: true},
		{name: "a key twice", in: ecs("UpdateService", `{"cluster":"prod","service":"shop","service":"web"}`), no: true},
		{name: "a dotted key is not a path", in: ecs("DescribeServices", `{"cluster":"prod","services.0":"shop"}`), no: true},
		{name: "a parameter twice", in: form("autoscaling", "Action=StartInstanceRefresh&AutoScalingGroupName=shop&AutoScalingGroupName=web"), no: true},
		{
			name: "a parameter with the name of what no request says", in: form("autoscaling", "Action=StartInstanceRefresh&AutoScalingGroupName=shop&Version=2011-01-01&_=1&account=333333333333"),
			want: []wire.Call{{
				Action:   "autoscaling:StartInstanceRefresh",
				Resource: "arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/shop",
			}},
		},
		{name: "a role that is none", in: ecs("RegisterTaskDefinition", `{"family":"shop","taskRoleArn":"arn:aws:iam::222222222222:user/alice"}`), no: true},
		{name: "a condition that cannot be read", in: ecs("UpdateService", `{"cluster":"prod","service":"shop","taskDefinition":"arn:aws:ecs"}`), no: true},
		{
			name: "a task definition hands over roles and sets tags",
			in:   ecs("RegisterTaskDefinition", `{"family":"shop","taskRoleArn":"arn:aws:iam::222222222222:role/team/task","executionRoleArn":"run","tags":[{"key":"team","value":"web"}]}`),
			want: []wire.Call{
				{Action: "ecs:RegisterTaskDefinition", Resource: definitions, Context: map[string][]string{"aws:RequestTag/team": {"web"}, "aws:TagKeys": {"team"}}},
				{Action: "iam:PassRole", Resource: "arn:aws:iam::222222222222:role/team/task", Context: passed("ecs-tasks.amazonaws.com")},
				{Action: "iam:PassRole", Resource: "arn:aws:iam::222222222222:role/run", Context: passed("ecs-tasks.amazonaws.com")},
				{
					Action: "ecs:TagResource", Resource: definitions,
					Context: map[string][]string{"ecs:CreateAction": {"RegisterTaskDefinition"}, "aws:RequestTag/team": {"web"}, "aws:TagKeys": {"team"}},
				},
			},
		},
		{
			name: "a function's package", in: wire.Request{
				Service: "lambda", Method: "PUT", Path: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A222222222222%3Afunction%3Ashop/code",
				Body: []byte(`{"S3Bucket":"packages","S3Key":"shop/1.zip"}`),
			},
			want: []wire.Call{
				{Action: "lambda:UpdateFunctionCode", Resource: "arn:aws:lambda:eu-west-1:222222222222:function:shop"},
				{Action: "s3:GetObject", Resource: "arn:aws:s3:::packages/shop/1.zip"},
			},
		},
		{
			name: "an alias is an ARN of its own", in: wire.Request{Service: "lambda", Method: "GET", Path: "/2015-03-31/functions/shop/configuration", Query: "Qualifier=live"},
			want: []wire.Call{{Action: "lambda:GetFunctionConfiguration", Resource: "arn:aws:lambda:eu-west-1:222222222222:function:shop:live"}},
		},
		{name: "an alias where the table knows none", in: wire.Request{Service: "lambda", Method: "POST", Path: "/2015-03-31/functions/shop/invocations", Query: "Qualifier=live"}, no: true},
		{name: "a path that a body contradicts", in: wire.Request{Service: "lambda", Method: "PUT", Path: "/2015-03-31/functions/shop/code", Body: []byte(`{"FunctionName":"web"}`)}, no: true},
		{
			name: "invalidation", in: wire.Request{Service: "cloudfront", Method: "POST", Path: "/2020-05-31/distribution/E1/invalidation", Body: []byte(`<InvalidationBatch><Paths/></InvalidationBatch>`)},
			want: []wire.Call{{Action: "cloudfront:CreateInvalidation", Resource: "arn:aws:cloudfront::222222222222:distribution/E1"}},
		},
		{
			name: "records", in: wire.Request{
				Service: "route53", Method: "POST", Path: "/2013-04-01/hostedzone/Z1/rrset/",
				Body: []byte(`<C xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>
					<Change><Action>UPSERT</Action><ResourceRecordSet><Name>_acme-challenge.Example.com.</Name><Type>TXT</Type></ResourceRecordSet></Change>
					<Change><Action>DELETE</Action><ResourceRecordSet><Name>www.example.com</Name><Type>A</Type></ResourceRecordSet></Change>
				</Changes></ChangeBatch></C>`),
			},
			want: []wire.Call{{
				Action: "route53:ChangeResourceRecordSets", Resource: "arn:aws:route53:::hostedzone/Z1",
				Context: map[string][]string{
					"route53:ChangeResourceRecordSetsActions":               {"UPSERT", "DELETE"},
					"route53:ChangeResourceRecordSetsNormalizedRecordNames": {"_acme-challenge.example.com", "www.example.com"},
					"route53:ChangeResourceRecordSetsRecordTypes":           {"TXT", "A"},
				},
			}},
		},
		{
			name: "a copy reads its source", in: wire.Request{
				Service: "s3", Method: "PUT", Path: "/site/index.html",
				Header: http.Header{"X-Amz-Copy-Source": {"/other/a%20b?versionId=7"}, "X-Amz-Acl": {"public-read"}},
			},
			want: []wire.Call{
				{Action: "s3:PutObject", Resource: "arn:aws:s3:::site/index.html", Context: copied},
				{Action: "s3:GetObject", Resource: "arn:aws:s3:::other/a b"},
				{Action: "s3:GetObjectVersion", Resource: "arn:aws:s3:::other/a b"},
				{Action: "s3:PutObjectAcl", Resource: "arn:aws:s3:::site/index.html"},
			},
		},
		{
			name: "a presigned URL carries headers", in: wire.Request{Service: "s3", Method: "PUT", Path: "/site/a", Query: "X-Amz-Acl=private&X-Amz-Signature=0"},
			want: []wire.Call{
				{Action: "s3:PutObject", Resource: "arn:aws:s3:::site/a", Context: map[string][]string{"s3:x-amz-acl": {"private"}}},
				{Action: "s3:PutObjectAcl", Resource: "arn:aws:s3:::site/a"},
			},
		},
		{
			name: "many deletions", in: wire.Request{Service: "s3", Method: "POST", Path: "/site", Query: "delete=", Body: []byte(`<Delete><Object><Key>a</Key></Object><Object><Key>b/c</Key></Object></Delete>`)},
			want: []wire.Call{{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::site/a"}, {Action: "s3:DeleteObject", Resource: "arn:aws:s3:::site/b/c"}},
		},
		{name: "two sub-resources", in: wire.Request{Service: "s3", Method: "GET", Path: "/site", Query: "versioning=&policy="}, no: true},
		{
			name: "a key of the bucket's", in: wire.Request{Service: "s3", Method: "PUT", Path: "/state/a", Header: http.Header{
				"X-Amz-Server-Side-Encryption": {"aws:kms"}, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": {"arn:aws:kms:eu-west-1:222222222222:key/k1"},
			}},
			want: []wire.Call{
				{Action: "s3:PutObject", Resource: "arn:aws:s3:::state/a", Context: map[string][]string{
					"s3:x-amz-server-side-encryption": {"aws:kms"}, "s3:x-amz-server-side-encryption-aws-kms-key-id": {"arn:aws:kms:eu-west-1:222222222222:key/k1"},
				}},
				{Action: "kms:GenerateDataKey", Resource: "arn:aws:kms:eu-west-1:222222222222:key/k1", Context: map[string][]string{"kms:ViaService": {"s3.eu-west-1.amazonaws.com"}}},
			},
		},
		{
			name: "command on instances", in: wire.Request{Service: "ssm", Method: "POST", Path: "/", Target: "AmazonSSM.SendCommand", Body: []byte(`{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1","i-2"]}`)},
			want: []wire.Call{
				{Action: "ssm:SendCommand", Resource: "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"},
				{Action: "ssm:SendCommand", Resource: "arn:aws:ec2:eu-west-1:222222222222:instance/i-1"},
				{Action: "ssm:SendCommand", Resource: "arn:aws:ec2:eu-west-1:222222222222:instance/i-2"},
			},
		},
		{
			name: "who am I", in: form("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
			want: []wire.Call{{Action: "sts:GetCallerIdentity", Resource: "*", Free: true}},
		},
		{
			name: "lock item", in: wire.Request{Service: "dynamodb", Method: "POST", Path: "/", Target: "DynamoDB_20120810.GetItem", Body: []byte(`{"TableName":"lock","Key":{"LockID":{"S":"a/b"}}}`)},
			want: []wire.Call{{
				Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:eu-west-1:222222222222:table/lock",
				Context: map[string][]string{"dynamodb:LeadingKeys": {"a/b"}},
			}},
		},
		{
			name: "secret by ARN", in: wire.Request{Service: "secretsmanager", Method: "POST", Path: "/", Target: "secretsmanager.GetSecretValue", Body: []byte(`{"SecretId":"arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-AbCdEf"}`)},
			want: []wire.Call{{Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-AbCdEf"}},
		},
		{
			name: "secret by name", in: wire.Request{Service: "secretsmanager", Method: "POST", Path: "/", Target: "secretsmanager.GetSecretValue", Body: []byte(`{"SecretId":"a/b"}`)},
			want: []wire.Call{{Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/b-000000"}},
		},
		{
			name: "parameter with a path", in: wire.Request{Service: "ssm", Method: "POST", Path: "/", Target: "AmazonSSM.GetParameter", Body: []byte(`{"Name":"/shop/url"}`)},
			want: []wire.Call{{Action: "ssm:GetParameter", Resource: "arn:aws:ssm:eu-west-1:222222222222:parameter/shop/url"}},
		},
		{
			name: "object with odd characters", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state/env%3A/a%20b//c", Query: "x-id=GetObject"},
			want: []wire.Call{{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-state/env:/a b//c"}},
		},
		{
			name: "list with prefix", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state", Query: "list-type=2&prefix=shop%2F"},
			want: []wire.Call{{Action: "s3:ListBucket", Resource: "arn:aws:s3:::acme-state", Context: map[string][]string{"s3:prefix": {"shop/"}}}},
		},
		{name: "a key parameter is not the key", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state", Query: "list-type=2&key=x"}, no: true},
		{name: "an unknown sub-resource is not the plain call", in: wire.Request{Service: "s3", Method: "GET", Path: "/acme-state/key", Query: "torrent="}, no: true},
		{name: "no bucket", in: wire.Request{Service: "s3", Method: "GET", Path: "/"}, no: true},
		{name: "ec2", in: form("ec2", "Action=DescribeInstances&Version=2016-11-15"), want: []wire.Call{{Action: "ec2:DescribeInstances", Resource: "*"}}},
		{
			name: "auto scaling", in: form("autoscaling", "Action=StartInstanceRefresh&Version=2011-01-01&AutoScalingGroupName=shop"),
			want: []wire.Call{{
				Action:   "autoscaling:StartInstanceRefresh",
				Resource: "arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/shop",
			}},
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
				Body: []byte("Action=CreateUser&Path=%2Fa%2Fb%2F&UserName=alice&Version=2010-05-08"),
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
		calls, ok := wire.Read(r, here)
		if !ok {
			return
		}
		for _, c := range calls {
			if c.Action == "" || c.Resource == "" {
				t.Errorf("Read(%+v) = %+v", r, c)
			}
		}
		if len(calls) == 0 {
			t.Errorf("Read(%+v) asks for nothing", r)
		}
		if _, _, ok := wire.Reply(r, "id"); !ok {
			t.Errorf("no reply to %+v", r)
		}
	})
}
