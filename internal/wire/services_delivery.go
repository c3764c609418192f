package wire

import "strings"

func cloudFront() service {
	const (
		distribution = "arn:{partition}:cloudfront::{account}:distribution/{Id}"
		of           = "/2020-05-31/distribution/{Id}"
		invalidation = `<Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I0</Id><Status>Completed</Status></Invalidation>`
	)
	return service{
		name: "cloudfront", protocol: RESTXML, namespace: "http://cloudfront.amazonaws.com/doc/2020-05-31/",
		operations: []operation{
			{
				action: "CreateInvalidation", resource: distribution, method: "POST", path: of + "/invalidation",
				fill:  map[string]string{"CallerReference.0": "postern", "Paths.Quantity.0": "1", "Paths.Items.Path.0": "/*"},
				reply: invalidation,
			},
			{action: "GetInvalidation", resource: distribution, method: "GET", path: of + "/invalidation/{InvalidationId}", fill: map[string]string{"InvalidationId": "I0"}, reply: invalidation},
			{action: "ListInvalidations", resource: distribution, method: "GET", path: of + "/invalidation"},
			{action: "GetDistribution", resource: distribution, method: "GET", path: of},
			{action: "GetDistributionConfig", resource: distribution, method: "GET", path: of + "/config"},
			{action: "UpdateDistribution", resource: distribution, method: "PUT", path: of + "/config"},
			{action: "DeleteDistribution", resource: distribution, method: "DELETE", path: of},
			{action: "ListDistributions", resource: "*", method: "GET", path: "/2020-05-31/distribution"},
		},
	}
}

// route53 judges changes of records by their normalised names.
//
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
func route53() service {
	const (
		zone   = "arn:{partition}:route53:::hostedzone/{Id}"
		change = "ChangeBatch.Changes.Change."

		namespace = `xmlns="https://route53.amazonaws.com/doc/2013-04-01/"`
		changed   = "<ChangeInfo><Id>/change/C0</Id><Status>INSYNC</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
	)
	return service{
		name: "route53", protocol: RESTXML, namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
		operations: []operation{
			{
				action: "ChangeResourceRecordSets", resource: zone, method: "POST", path: "/2013-04-01/hostedzone/{Id}/rrset", named: recordName,
				context: map[string]string{
					"route53:ChangeResourceRecordSetsNormalizedRecordNames": "{" + change + "ResourceRecordSet.Name.*...}",
					"route53:ChangeResourceRecordSetsRecordTypes":           "{" + change + "ResourceRecordSet.Type.*...}",
					"route53:ChangeResourceRecordSetsActions":               "{" + change + "Action.*...}",
				},
				reply: `<ChangeResourceRecordSetsResponse ` + namespace + `>` + changed + `</ChangeResourceRecordSetsResponse>`,
			},
			{action: "GetChange", resource: "arn:{partition}:route53:::change/{Id}", method: "GET", path: "/2013-04-01/change/{Id}", reply: "<GetChangeResponse " + namespace + ">" + changed + "</GetChangeResponse>"},
			{action: "ListResourceRecordSets", resource: zone, method: "GET", path: "/2013-04-01/hostedzone/{Id}/rrset", reply: "<ListResourceRecordSetsResponse " + namespace + "><ResourceRecordSets/></ListResourceRecordSetsResponse>"},
			{action: "GetHostedZone", resource: zone, method: "GET", path: "/2013-04-01/hostedzone/{Id}"},
			{action: "DeleteHostedZone", resource: zone, method: "DELETE", path: "/2013-04-01/hostedzone/{Id}"},
			{action: "ListHostedZones", resource: "*", method: "GET", path: "/2013-04-01/hostedzone"},
			{action: "ListHostedZonesByName", resource: "*", method: "GET", path: "/2013-04-01/hostedzonesbyname"},
		},
	}
}

// recordName normalises the name of a record, and leaves alone what is none:
// ids of zones, types and actions are of capital letters only.
func recordName(name string) string {
	if strings.ToUpper(name) == name {
		return name
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

func cloudFormation() service {
	const stack = "arn:{partition}:cloudformation:{region}:{account}:stack/{StackName}/{_=*}"
	role := passRole("RoleARN", "cloudformation")
	asked := map[string]string{"cloudformation:RoleArn": "{RoleARN...}", "cloudformation:TemplateUrl": "{TemplateURL...}"}
	return service{
		name: "cloudformation", protocol: Query, version: "2010-05-15", namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
		operations: []operation{
			{action: "DescribeStacks", resource: "arn:{partition}:cloudformation:{region}:{account}:stack/{StackName=*}/{_=*}", reply: "<Stacks/>"},
			{action: "DescribeStackEvents", resource: stack, reply: "<StackEvents/>"},
			{action: "DescribeStackResources", resource: stack, rivals: []string{"PhysicalResourceId"}, reply: "<StackResources/>"},
			{action: "GetTemplate", resource: stack},
			{action: "GetTemplateSummary", resource: stack, rivals: []string{"StackSetName", "TemplateURL", "TemplateBody"}},
			{action: "CreateStack", resource: stack, context: asked, needs: []need{role}, tags: "Tags.member.*"},
			{action: "UpdateStack", resource: stack, context: asked, needs: []need{role}, tags: "Tags.member.*"},
			{action: "DeleteStack", resource: stack, context: map[string]string{"cloudformation:RoleArn": "{RoleARN...}"}, needs: []need{role}},
			{action: "CreateChangeSet", resource: stack, context: asked, needs: []need{role}, tags: "Tags.member.*", fill: map[string]string{"ChangeSetName": "postern"}},
			{action: "DescribeChangeSet", resource: stack, fill: map[string]string{"ChangeSetName": "postern"}},
			{action: "ExecuteChangeSet", resource: stack, fill: map[string]string{"ChangeSetName": "postern"}},
			{action: "DeleteChangeSet", resource: stack, fill: map[string]string{"ChangeSetName": "postern"}},
			{action: "CancelUpdateStack", resource: stack},
			{action: "ContinueUpdateRollback", resource: stack, context: map[string]string{"cloudformation:RoleArn": "{RoleARN...}"}, needs: []need{role}},
			{action: "RollbackStack", resource: stack, context: map[string]string{"cloudformation:RoleArn": "{RoleARN...}"}, needs: []need{role}},
			{action: "ValidateTemplate", resource: "*"},
			{action: "ListStacks", resource: "*", reply: "<StackSummaries/>"},
		},
	}
}

func codeDeploy() service {
	const (
		arn   = "arn:{partition}:codedeploy:{region}:{account}:"
		group = arn + "deploymentgroup:{applicationName}/{deploymentGroupName}"
	)
	return service{
		name: "codedeploy", protocol: JSON, target: "CodeDeploy_20141006", contentType: json11,
		operations: []operation{
			{action: "CreateDeployment", resource: group, reply: `{"deploymentId":"d-000000000"}`},
			{action: "GetDeploymentGroup", resource: group, reply: `{"deploymentGroupInfo":{}}`},
			{action: "GetDeploymentConfig", resource: arn + "deploymentconfig:{deploymentConfigName}", reply: `{"deploymentConfigInfo":{}}`},
			{action: "GetApplication", resource: arn + "application:{applicationName}", reply: `{"application":{}}`},
			{action: "GetApplicationRevision", resource: arn + "application:{applicationName}"},
			{action: "RegisterApplicationRevision", resource: arn + "application:{applicationName}"},
			{action: "StopDeployment", resource: "*", fill: map[string]string{"deploymentId": "d-000000000"}},
			{action: "ContinueDeployment", resource: "*", fill: map[string]string{"deploymentId": "d-000000000"}},
			{action: "DeleteApplication", resource: arn + "application:{applicationName}"},
			{action: "DeleteDeploymentGroup", resource: group},
		},
	}
}

func logs() service {
	const group = "arn:{partition}:logs:{region}:{account}:log-group:{logGroupName...}"
	identified := []string{"logGroupIdentifier"}
	return service{
		name: "logs", protocol: JSON, target: "Logs_20140328", contentType: json11,
		operations: []operation{
			{action: "CreateLogGroup", resource: group},
			{action: "DeleteLogGroup", resource: group},
			{action: "DescribeLogGroups", resource: "*", reply: `{"logGroups":[]}`},
			{action: "DescribeLogStreams", resource: group, rivals: identified, reply: `{"logStreams":[]}`},
			{action: "FilterLogEvents", resource: group, rivals: identified, reply: `{"events":[]}`},
			{action: "GetLogEvents", resource: group + ":log-stream:{logStreamName...}", rivals: identified, reply: `{"events":[]}`},
		},
	}
}

func events() service {
	const rule = "arn:{partition}:events:{region}:{account}:rule/{Name...}"
	elsewhere := []string{"EventBusName"} // the ARN of another bus's rule has its name in it
	return service{
		name: "events", protocol: JSON, target: "AWSEvents", contentType: json11,
		operations: []operation{
			{action: "DescribeRule", resource: rule, rivals: elsewhere},
			{action: "EnableRule", resource: rule, rivals: elsewhere},
			{action: "DisableRule", resource: rule, rivals: elsewhere},
			{action: "ListRules", resource: "*", reply: `{"Rules":[]}`},
		},
	}
}
