package wire_test

import (
	"net/http"
	"testing"

	"github.com/postern-dev/postern/internal/wire"
)

// TestUnclear are requests that say one thing to this reader and could say
// another to who carries them out: AWS, or an emulator that reads bodies, lists
// and paths more generously.
func TestUnclear(t *testing.T) {
	for _, test := range []struct {
		name string
		in   wire.Request
	}{
		// JSON
		{"a field's twin in other letters", ecrCall("PutImage", `{"repositoryName":"shop","RepositoryName":"web"}`)},
		{"text that is not UTF-8", ecrCall("PutImage", "{\"repositoryName\":\"shop\xff\"}")},
		{"half a surrogate", ecrCall("PutImage", `{"repositoryName":"shop\ud800"}`)},
		{"a registry that is a list", ecrCall("PutImage", `{"repositoryName":"shop","registryId":["333333333333"]}`)},
		{"a registry that is no account", ecrCall("PutImage", `{"repositoryName":"shop","registryId":"*"}`)},
		{"a text where a list belongs", ecsCall("DescribeClusters", `{"clusters":"prod"}`)},
		{"a list in a list", ecsCall("DescribeClusters", `{"clusters":[["prod"]]}`)},
		{"a list where a text belongs", ecsCall("ListTasks", `{"cluster":["prod"]}`)},
		{"no name", ecsCall("ListTasks", `{"cluster":""}`)},
		{"a name with a slash", ecsCall("UpdateService", `{"cluster":"prod","service":"shop/web"}`)},
		{"a role in a list", ecsCall("RegisterTaskDefinition", `{"family":"shop","taskRoleArn":["arn:aws:iam::222222222222:role/admin"]}`)},
		{"a form where JSON belongs", typed(ecrCall("PutImage", `{"repositoryName":"shop"}`), "application/x-www-form-urlencoded")},
		{"CBOR where JSON belongs", typed(ecrCall("PutImage", `{"repositoryName":"shop"}`), "application/x-amz-cbor-1.1")},
		{"JSON in UTF-7", typed(ecrCall("PutImage", `{"repositoryName":"shop"}`), "application/x-amz-json-1.1; charset=utf-7")},
		{"a compressed body", headed(ecrCall("PutImage", `{"repositoryName":"shop"}`), "Content-Encoding", "gzip")},
		{"a rule of another bus", jsonCall("events", "AWSEvents.DisableRule", `{"Name":"nightly","EventBusName":"prod"}`)},
		{"a log group named twice", jsonCall("logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"shop","logGroupIdentifier":"web"}`)},
		{"a key's alias", jsonCall("kms", "TrentService.Decrypt", `{"KeyId":"alias/shop"}`)},
		{"an instance that is a task", jsonCall("ssm", "AmazonSSM.StartSession", `{"Target":"ecs:prod_0a1b_2c3d"}`)},
		{"another target", func() wire.Request {
			r := ecrCall("PutImage", `{"repositoryName":"shop"}`)
			r.Target += ".DeleteRepository"
			return r
		}()},

		// Query
		{"no version", formCall("ec2", "Action=TerminateInstances&InstanceId.1=i-1")},
		{"another version", formCall("elasticloadbalancing", "Action=DescribeLoadBalancers&Version=2012-06-01")},
		{"a parameter's twin in other letters", formCall("ec2", "Action=TerminateInstances&action=DescribeInstances&InstanceId.1=i-1&Version=2016-11-15")},
		{"an index with a zero before it", formCall("ec2", "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.01=i-2&Version=2016-11-15")},
		{"a list without index", formCall("ec2", "Action=TerminateInstances&InstanceId.1=i-1&InstanceId=i-2&Version=2016-11-15")},
		{"the other spelling of a list", formCall("ec2", "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.member.1=i-2&Version=2016-11-15")},
		{"parts where a form belongs", typed(formCall("ec2", "Action=DescribeInstances&Version=2016-11-15"), "multipart/form-data; boundary=x")},
		{"a form of no type", typed(formCall("ec2", "Action=DescribeInstances&Version=2016-11-15"), "")},
		{"a form that is put", method(formCall("ec2", "Action=DescribeInstances&Version=2016-11-15"), "PUT")},
		{"a launch template named twice", formCall("ec2", "Action=CreateLaunchTemplateVersion&LaunchTemplateId=lt-1&LaunchTemplateName=web&Version=2016-11-15")},
		{"a stack's resource by its id", formCall("cloudformation", "Action=DescribeStackResources&StackName=shop&PhysicalResourceId=i-1&Version=2010-05-15")},

		// REST
		{"a target in a path's place", func() wire.Request {
			r := lambdaCall("GET", "/2015-03-31/functions/shop", "", "")
			r.Target = "AWSLambda.DeleteFunction"
			return r
		}()},
		{"an action in the query", lambdaCall("GET", "/2015-03-31/functions/shop", "Action=DeleteFunction", "")},
		{"an encoded slash", wire.Request{Service: "eks", Method: "DELETE", Path: "/clusters/prod%2Faddons%2Fcni"}},
		{"an encoded percent", wire.Request{Service: "eks", Method: "GET", Path: "/clusters/pr%256Fd"}},
		{"a parent", wire.Request{Service: "eks", Method: "GET", Path: "/clusters/%2E%2E"}},
		{"a slash too many", wire.Request{Service: "eks", Method: "GET", Path: "/clusters//prod"}},
		{"a function with an alias", lambdaCall("POST", "/2015-03-31/functions/shop:live/invocations", "", "")},
		{"a function of another account", lambdaCall("PUT", "/2015-03-31/functions/333333333333:function:shop/code", "", "{}")},
		{"an alias with a function's name", lambdaCall("PUT", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:222222222222:function:web:shop/code", "", "{}")},
		{"a form where REST has JSON", typed(lambdaCall("PUT", "/2015-03-31/functions/shop/code", "", "{}"), "application/x-www-form-urlencoded")},
		{"a second document", cloudFrontCall(`<InvalidationBatch/><InvalidationBatch/>`)},
		{"text before the document", cloudFrontCall(`a&Action=b<InvalidationBatch/>`)},
		{"text that no parser reads", cloudFrontCall(`<InvalidationBatch><![CDATA[&Action=b&]]></InvalidationBatch>`)},
		{"entities of its own", cloudFrontCall(`<!DOCTYPE a [<!ENTITY lt "x">]><InvalidationBatch/>`)},
		{"a comment", cloudFrontCall(`<InvalidationBatch><Id>a<!-- b --></Id></InvalidationBatch>`)},

		// S3
		{"no bucket", s3Call("GET", "//shop/a", "", "")},
		{"an encoded slash before the bucket", s3Call("GET", "/%2Fshop/a", "", "")},
		{"an encoded slash behind the bucket", s3Call("GET", "/shop%2Fa", "", "")},
		{"a bucket that is an ARN", s3Call("GET", "/arn:aws:s3:eu-west-1:222222222222:accesspoint%2Fshop/a", "", "")},
		{"a key with a parent", s3Call("GET", "/shop/public/../secret", "", "")},
		{"a key with an encoded parent", s3Call("GET", "/shop/public/%2e%2e/secret", "", "")},
		{"a key with itself", s3Call("GET", "/shop/./secret", "", "")},
		{"a key that is not UTF-8", s3Call("GET", "/shop/%ff", "", "")},
		{"a sub-resource in other letters", s3Call("PUT", "/shop", "Policy=", "")},
		{"a version given twice", s3Call("GET", "/shop/a", "versionId=1&versionId=2", "")},
		{"a form where an object belongs", typed(s3Call("PUT", "/shop/a", "", "acl="), "application/x-www-form-urlencoded")},
		{"parts where an object belongs", typed(s3Call("PUT", "/shop/a", "", "acl="), "multipart/form-data; boundary=x")},
		{"deletions in chunks", headed(s3Call("POST", "/shop", "delete=", `<Delete><Object><Key>a</Key></Object></Delete>`), "Content-Encoding", "aws-chunked")},
		{"a deletion with an element in its key", s3Call("POST", "/shop", "delete=", `<Delete><Object><Key>a<b/></Key></Object><Object><Key>c</Key></Object></Delete>`)},
		{"a deletion of two languages", s3Call("POST", "/shop", "delete=", `<Delete><Object><Key>a</Key></Object><Object xmlns:x="y"><x:Key>b</x:Key></Object></Delete>`)},
		{"a copy of nothing", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "")},
		{"a copy from behind slashes", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "//web/secret")},
		{"a copy from above", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "/shop/public/../secret")},
		{"a copy of one of two versions", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "/shop/b?versionId=1&versionId=2")},
		{"a copy whose plus could be a space", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "/shop/b+c")},
		{"a copy of a fragment", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "/shop/b#c")},
		{"a copy of an access point's", headed(s3Call("PUT", "/shop/a", "", ""), "X-Amz-Copy-Source", "arn:aws:s3:eu-west-1:222222222222:accesspoint/shop/object/b")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := wire.Read(test.in, here); ok {
				t.Errorf("Read(%+v) = %+v", test.in, got)
			}
		})
	}
}

func jsonCall(service, target, body string) wire.Request {
	return wire.Request{Service: service, Method: http.MethodPost, Path: "/", Target: target, Type: "application/x-amz-json-1.1", Body: []byte(body)}
}

func ecrCall(op, body string) wire.Request {
	return jsonCall("ecr", "AmazonEC2ContainerRegistry_V20150921."+op, body)
}

func ecsCall(op, body string) wire.Request {
	return jsonCall("ecs", "AmazonEC2ContainerServiceV20141113."+op, body)
}

func formCall(service, body string) wire.Request {
	return wire.Request{Service: service, Method: http.MethodPost, Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte(body)}
}

func lambdaCall(method, path, query, body string) wire.Request {
	return wire.Request{Service: "lambda", Method: method, Path: path, Query: query, Type: "application/json", Body: []byte(body)}
}

func cloudFrontCall(body string) wire.Request {
	return wire.Request{Service: "cloudfront", Method: http.MethodPost, Path: "/2020-05-31/distribution/E1/invalidation", Type: "application/xml", Body: []byte(body)}
}

func s3Call(method, path, query, body string) wire.Request {
	return wire.Request{Service: "s3", Method: method, Path: path, Query: query, Body: []byte(body)}
}

func typed(r wire.Request, contentType string) wire.Request {
	r.Type = contentType
	return r
}

func method(r wire.Request, method string) wire.Request {
	r.Method = method
	return r
}

func headed(r wire.Request, name, v string) wire.Request {
	r.Header = http.Header{name: {v}}
	return r
}
