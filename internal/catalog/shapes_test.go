package catalog_test

import (
	"regexp"
	"slices"
	"strings"
)

// shapes are the resources with a wildcard that each level may render, after
// partition and service; <r>, <a> and <v> stand for the region, the account
// and a value from the arguments.
var shapes = map[string]map[string][]string{
	"auto-deploy-ec2": {
		"refresh": {autoScalingGroup},
		"release": {
			autoScalingGroup, "ec2:<r>:<a>:launch-template/*", "ec2:<r>:<a>:instance/*", "ec2:<r>::image/*", "ec2:<r>::snapshot/*",
			"ec2:<r>:<a>:key-pair/*", "ec2:<r>:<a>:network-interface/*", "ec2:<r>:<a>:security-group/*", "ec2:<r>:<a>:subnet/*", "ec2:<r>:<a>:volume/*",
		},
		"instances": {
			autoScalingGroup, "ec2:<r>:<a>:launch-template/*", "ec2:<r>:<a>:instance/*", "ec2:<r>::image/*", "ec2:<r>::snapshot/*",
			"ec2:<r>:<a>:key-pair/*", "ec2:<r>:<a>:network-interface/*", "ec2:<r>:<a>:security-group/*", "ec2:<r>:<a>:subnet/*", "ec2:<r>:<a>:volume/*",
		},
	},
	"assume-roles":          {"assume": nil, "tag-session": nil},
	"audit-read":            {"account": auditShapes, "organization": append(auditShapes, "organizations::*:account/o-*", "organizations::*:ou/o-*", "organizations::*:root/o-*", "organizations::*:policy/o-*", "organizations::aws:policy/*")},
	"consul-auto-discovery": {"region": nil, "account": nil},
	"cdk-deploy":            {"lookup": nil, "deploy": nil},
	"cloudformation-deploy": {"deploy": stackShapes, "recover": stackShapes, "delete": stackShapes},
	"codedeploy": {
		"group":       {"codedeploy:<r>:<a>:deploymentconfig:*", "s3:::<v>/*"},
		"application": {"codedeploy:<r>:<a>:deploymentconfig:*", "codedeploy:<r>:<a>:deploymentgroup:<v>/*", "s3:::<v>/*"},
	},
	"ecr-docker-pull": {
		"repository": nil,
		"prefix":     {"ecr:<r>:<a>:repository/<v>/*"},
		"registry":   {"ecr:<r>:<a>:repository/*"},
	},
	"ecs-run-task": {
		"family":  {"ecs:<r>:<a>:task-definition/<v>:*", "ecs:<r>:<a>:task/<v>/*", "logs:<r>:<a>:log-group:<v>:*", "logs:<r>:<a>:log-group:<v>:log-stream:*"},
		"account": {"ecs:<r>:<a>:task-definition/*", "ecs:<r>:<a>:task/<v>/*", "logs:<r>:<a>:log-group:<v>:*", "logs:<r>:<a>:log-group:<v>:log-stream:*"},
	},
	"eks-describe": {
		"cluster": nil,
		"nodes":   {"eks:<r>:<a>:nodegroup/<v>/*", "eks:<r>:<a>:addon/<v>/*", "eks:<r>:<a>:fargateprofile/<v>/*"},
		"account": {"eks:<r>:<a>:cluster/*", "eks:<r>:<a>:nodegroup/*/*", "eks:<r>:<a>:addon/*/*", "eks:<r>:<a>:fargateprofile/*/*"},
	},
	"lambda-deploy": {
		"code":          {"lambda:<r>:<a>:function:<v>:*", "s3:::<v>/*"},
		"configuration": {"lambda:<r>:<a>:function:<v>:*", "s3:::<v>/*", "lambda:<r>:<a>:layer:*:*"},
	},
	"s3-static-site": {"prefix": {"s3:::<v>/<v>/*"}, "bucket": {"s3:::<v>/*"}},
	"sam-deploy":     {"deploy": stackShapes, "recover": stackShapes, "delete": stackShapes},
	"ecr-docker-push": {
		"repository": nil,
		"prefix":     {"ecr:<r>:<a>:repository/<v>/*"},
		"registry":   {"ecr:<r>:<a>:repository/*"},
	},
	"ecs-service-deployment": {
		"service": {"ecs:<r>:<a>:task-definition/<v>:*", "ecs:<r>:<a>:service-deployment/<v>/<v>/*", "ecs:<r>:<a>:task/<v>/*"},
		"cluster": {
			"ecs:<r>:<a>:task-definition/<v>:*", "ecs:<r>:<a>:task-definition/*", "ecs:<r>:<a>:service/<v>/*",
			"ecs:<r>:<a>:service-deployment/<v>/*", "ecs:<r>:<a>:task/<v>/*",
		},
		"account": {
			"ecs:<r>:<a>:task-definition/<v>:*", "ecs:<r>:<a>:task-definition/*", "ecs:<r>:<a>:service/*",
			"ecs:<r>:<a>:service-deployment/*", "ecs:<r>:<a>:task/*",
		},
	},
	"packer-ami": {"build": packerShapes, "temporary-group": append(packerShapes, "ec2:<r>:<a>:security-group/*"), "share": append(packerShapes, "ec2:<r>:<a>:security-group/*")},
	"postern-apply": {
		"plan":          {"iam::<a>:oidc-provider/*", "iam::<a>:user/postern/<v>/*"},
		"apply":         {"iam::<a>:oidc-provider/*", "iam::<a>:user/postern/<v>/*", "iam::<a>:role/postern/<v>/*", "iam::<a>:policy/postern/<v>/*"},
		"machine-users": {"iam::<a>:oidc-provider/*", "iam::<a>:user/postern/<v>/*", "iam::<a>:role/postern/<v>/*", "iam::<a>:policy/postern/<v>/*", "iam::<a>:group/postern/<v>/*"},
	},
	"pulumi-state-s3": {
		"read":    {"s3:::<v>/.pulumi/<v>/*", "s3:::<v>/.pulumi/stacks/<v>.json*"},
		"stack":   {"s3:::<v>/.pulumi/<v>/*", "s3:::<v>/.pulumi/stacks/<v>.json*"},
		"project": {"s3:::<v>/.pulumi/<v>/<v>/*"},
		"bucket":  {"s3:::<v>/.pulumi/*"},
	},
	"rotate-access-keys":  {"user": nil, "stack": {"iam::<a>:user/postern/<v>/*"}},
	"route53-acme":        {"name": {"route53:::change/*"}, "zone": {"route53:::change/*"}},
	"secrets-read":        {"secret": {"secretsmanager:<r>:<a>:secret:<v>-??????"}, "prefix": {"secretsmanager:<r>:<a>:secret:<v>-??????", "secretsmanager:<r>:<a>:secret:<v>/*"}},
	"ssm-parameters-read": {"parameter": nil, "path": {"ssm:<r>:<a>:parameter/<v>/*"}},
	"ssm-run-command": {
		"instances": {"s3:::<v>/<v>/*"},
		"tag":       {"s3:::<v>/<v>/*", "ec2:<r>:<a>:instance/i-*", "ssm:<r>:<a>:managed-instance/mi-*"},
		"shell":     {"s3:::<v>/<v>/*", "ec2:<r>:<a>:instance/i-*", "ssm:<r>:<a>:managed-instance/mi-*"},
	},
	"ssh-key-lookup": {
		"path":    {"iam::<a>:user/<v>/*"},
		"group":   {"iam::<a>:user/*"},
		"account": {"iam::<a>:user/*", "iam::<a>:group/*"},
	},
	"terraform-plan": {"read": planShapes, "lock": planShapes, "configuration": planShapes},
	"terraform-remote-state-s3": {
		"read":   nil,
		"key":    nil,
		"prefix": {"s3:::<v>/<v>/*", "s3:::<v>/<v>/*.tflock"},
		"bucket": {"s3:::<v>/*", "s3:::<v>/*.tflock"},
	},
	"terragrunt": {
		"read":      {"s3:::<v>/<v>/*"},
		"prefix":    {"s3:::<v>/<v>/*", "s3:::<v>/<v>/*.tflock"},
		"bucket":    {"s3:::<v>/*", "s3:::<v>/*.tflock"},
		"bootstrap": {"s3:::<v>/*", "s3:::<v>/*.tflock"},
	},
}

var packerShapes = []string{
	"ec2:<r>:<a>:instance/*", "ec2:<r>:<a>:volume/*", "ec2:<r>:<a>:network-interface/*", "ec2:<r>:<a>:key-pair/packer_*",
	"ec2:<r>::image/*", "ec2:<r>::snapshot/*",
}

var auditShapes = []string{
	"iam::<a>:oidc-provider/*", "iam::<a>:saml-provider/*", "iam::<a>:user/*", "iam::<a>:role/*", "iam::<a>:group/*", "iam::<a>:policy/*",
}

var stackShapes = []string{"cloudformation:<r>:<a>:stack/<v>/*", "s3:::<v>/*"}

var planShapes = []string{
	"acm:<r>:<a>:certificate/*", "cloudfront::<a>:cache-policy/*", "cloudfront::<a>:distribution/*", "cloudfront::<a>:function/*",
	"cloudfront::<a>:origin-access-control/*", "cloudfront::<a>:origin-request-policy/*", "cloudfront::<a>:response-headers-policy/*",
	"cloudwatch:<r>:<a>:alarm:*", "dynamodb:<r>:<a>:table/*", "ec2:<r>:<a>:instance/*", "ec2:<r>:<a>:prefix-list/*", "ec2:<r>:<a>:vpc/*",
	"ecr:<r>:<a>:repository/*", "ecs:<r>:<a>:cluster/*", "ecs:<r>:<a>:service/*", "ecs:<r>:<a>:task-definition/*",
	"eks:<r>:<a>:access-entry/*", "eks:<r>:<a>:addon/*", "eks:<r>:<a>:cluster/*", "eks:<r>:<a>:nodegroup/*", "eks:<r>:<a>:podidentityassociation/*",
	"events:<r>:<a>:rule/*", "iam::<a>:instance-profile/*", "iam::<a>:oidc-provider/*", "iam::<a>:policy/*", "iam::<a>:role/*", "kms:<r>:<a>:key/*",
	"lambda:<r>:<a>:function:*", "lambda:<r>:<a>:event-source-mapping:*", "logs:<r>:<a>:log-group:*", "rds::<a>:global-cluster:*", "rds:<r>:<a>:cluster-pg:*", "rds:<r>:<a>:cluster:*",
	"rds:<r>:<a>:db:*", "rds:<r>:<a>:pg:*", "rds:<r>:<a>:subgrp:*", "route53:::healthcheck/*", "route53:::hostedzone/*", "s3:::*",
	"secretsmanager:<r>:<a>:secret:*", "sns:<r>:<a>:*", "sqs:<r>:<a>:*",
}

const autoScalingGroup = "autoscaling:<r>:<a>:autoScalingGroup:*:autoScalingGroupName/<v>"

// promised tells whether the level of r promises a resource with a wildcard.
func promised(r rendering, resource string) bool {
	fill := strings.NewReplacer("<r>", `[a-z0-9-]+`, "<a>", `[0-9]{12}`, "<v>", `[^*?$]+`)
	return slices.ContainsFunc(shapes[r.grant.Name][r.level], func(shape string) bool {
		return regexp.MustCompile("^arn:aws[a-z-]*:" + fill.Replace(regexp.QuoteMeta(shape)) + "$").MatchString(resource)
	})
}
