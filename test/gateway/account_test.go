package gateway

import (
	"net/http"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

// accountScenarios look at an account, or become the roles of another tool's.
func accountScenarios() []scenario {
	const (
		cdk      = "arn:aws:iam::" + account + ":role/cdk-hnb659fds-"
		at       = "-" + account + "-" + region
		runTask  = "ecs run-task --cluster prod --task-definition shop-migrate:1"
		logGroup = "/ecs/shop-migrate"
	)
	return []scenario{
		{
			name: "AWS CLI becomes the roles of a CDK bootstrap", grant: "cdk-deploy", level: "deploy",
			prepare: func(s *stage) {
				s.json("ssm", "AmazonSSM.PutParameter", `{"Name":"/cdk-bootstrap/hnb659fds/version","Value":"21","Type":"String","Overwrite":true}`)
			},
			tool: needAWS, breaks: "sts:AssumeRole",
			run: func(s *stage) error {
				return s.aws(
					"sts assume-role --role-session-name cdk --role-arn "+cdk+"lookup-role"+at,
					"sts assume-role --role-session-name cdk --role-arn "+cdk+"file-publishing-role"+at,
					"sts assume-role --role-session-name cdk --role-arn "+cdk+"image-publishing-role"+at,
					"sts assume-role --role-session-name cdk --role-arn "+cdk+"deploy-role"+at,
					"ssm get-parameter --name /cdk-bootstrap/hnb659fds/version",
				)
			},
			refused: "sts:TagSession", refuses: func(s *stage) error {
				return s.aws("sts assume-role --role-session-name cdk --tags Key=team,Value=web --role-arn " + cdk + "lookup-role" + at)
			},
			denied: []wire.Call{
				{Action: "sts:AssumeRole", Resource: cdk + "cfn-exec-role" + at},
				{Action: "sts:AssumeRole", Resource: "arn:aws:iam::444444444444:role/cdk-hnb659fds-deploy-role-444444444444-" + region},
				{Action: "ssm:GetParameter", Resource: ssmARN + "parameter/cdk-bootstrap/other/version"},
				{Action: "ssm:PutParameter", Resource: ssmARN + "parameter/cdk-bootstrap/hnb659fds/version"},
			},
		},
		{
			name: "AWS CLI finds the servers of a cluster", grant: "consul-auto-discovery", level: "region",
			tool: needAWS, breaks: "ec2:DescribeInstances",
			run: func(s *stage) error {
				return s.aws("ec2 describe-instances --filters Name=tag:consul,Values=server", "ec2 describe-tags", "autoscaling describe-auto-scaling-groups")
			},
			refused: "ec2:DescribeInstances", refuses: func(s *stage) error { return s.aws("ec2 describe-instances --region us-east-1") },
			denied: []wire.Call{
				{Action: "ec2:TerminateInstances", Resource: "arn:aws:ec2:" + region + ":" + account + ":instance/" + shellNode},
				{Action: "ec2:DescribeVolumes", Resource: "*"},
			},
		},
		{
			name: "AWS CLI runs a task", grant: "ecs-run-task",
			args: catalog.Args{
				"clusters": {"prod"}, "families": {"shop-migrate"}, "pass_roles": {"shop-task"}, "log_groups": {"ecs/shop-migrate"},
				"tags": {"true"}, "stop": {"true"},
			},
			tool: needAWS, breaks: "ecs:RunTask",
			answers: []string{"ecs:RunTask", "ecs:DescribeTasks", "ecs:StopTask"}, // moto runs tasks on instances that register
			prepare: func(s *stage) {
				const target = "Logs_20140328."
				s.json("logs", target+"CreateLogGroup", `{"logGroupName":"`+logGroup+`"}`)
				s.json("logs", target+"CreateLogStream", `{"logGroupName":"`+logGroup+`","logStreamName":"shop/migrate/0a1b"}`)
			},
			run: func(s *stage) error {
				s.commands = append(s.commands, "aws logs tail") // version 2 of the AWS CLI has it; it makes the two calls on the group
				return s.aws(
					runTask+" --tags key=commit,value=0a1b --overrides taskRoleArn=arn:aws:iam::"+account+":role/shop-task",
					"ecs wait tasks-stopped --cluster prod --tasks 0a1b2c3d",
					"logs describe-log-streams --log-group-name "+logGroup,
					"logs filter-log-events --log-group-name "+logGroup,
					"logs get-log-events --log-group-name "+logGroup+" --log-stream-name shop/migrate/0a1b",
					"ecs stop-task --cluster prod --task 0a1b2c3d",
				)
			},
			refused: "iam:PassRole", refuses: func(s *stage) error {
				return s.aws(runTask + " --overrides taskRoleArn=arn:aws:iam::" + account + ":role/admin")
			},
			denied: []wire.Call{
				{Action: "ecs:RunTask", Resource: ecsARN + "task-definition/shop-migrate:1"},
				{Action: "ecs:RunTask", Resource: ecsARN + "task-definition/web:1", Context: map[string][]string{"ecs:cluster": {ecsARN + "cluster/prod"}}},
				{Action: "ecs:DescribeTasks", Resource: ecsARN + "task/test/0a1b"},
				{Action: "ecs:RegisterTaskDefinition", Resource: ecsARN + "task-definition/shop-migrate:*"},
				{Action: "logs:GetLogEvents", Resource: "arn:aws:logs:" + region + ":" + account + ":log-group:/ecs/web:log-stream:a"},
				{Action: "logs:DeleteLogGroup", Resource: "arn:aws:logs:" + region + ":" + account + ":log-group:" + logGroup},
			},
		},
		{
			name: "AWS CLI audits an account", grant: "audit-read",
			tool: needAWS, breaks: "iam:GetAccountAuthorizationDetails", prepare: prepareAudit, run: audit,
			// moto keeps no report on services, and looks the key up.
			answers: []string{"iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails", "iam:GetAccessKeyLastUsed"},
			denied: []wire.Call{
				{Action: "iam:CreateUser", Resource: "arn:aws:iam::" + account + ":user/mallory"},
				{Action: "iam:CreateAccessKey", Resource: "arn:aws:iam::" + account + ":user/alice"},
				{Action: "iam:GetSSHPublicKey", Resource: "arn:aws:iam::" + account + ":user/alice"},
				{Action: "secretsmanager:GetSecretValue", Resource: secretARN + "shop/db-AbCdEf"},
				{Action: "sts:AssumeRole", Resource: "arn:aws:iam::" + account + ":role/admin"},
			},
		},
	}
}

const samlProvider = "arn:aws:iam::" + account + ":saml-provider/staff"

func prepareAudit(s *stage) {
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for _, call := range []string{
		"CreateUser&UserName=alice",
		"CreateOpenIDConnectProvider&Url=https://ci.example.com&ClientIDList.member.1=sts.amazonaws.com&ThumbprintList.member.1=0000000000000000000000000000000000000000",
		"CreateSAMLProvider&Name=staff&SAMLMetadataDocument=x",
		"UpdateAccountPasswordPolicy&MinimumPasswordLength=16",
	} {
		s.at("iam", http.MethodPost, "/", form, "Version=2010-05-08&Action="+call)
	}
}

func audit(s *stage) error {
	// Postern reads the account with the calls of postern prove.
	return s.aws(
		"iam get-account-authorization-details",
		"iam get-account-summary",
		"iam get-account-password-policy",
		"iam generate-credential-report",
		"iam get-credential-report",
		"iam list-roles",
		"iam list-instance-profiles",
		"iam list-open-id-connect-providers",
		"iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::"+account+":oidc-provider/ci.example.com",
		"iam list-saml-providers",
		"iam get-saml-provider --saml-provider-arn "+samlProvider,
		"iam list-access-keys --user-name alice",
		"iam get-access-key-last-used --access-key-id AKIA00000000EXAMPLE0",
		"iam generate-service-last-accessed-details --arn arn:aws:iam::"+account+":user/alice",
		"iam get-service-last-accessed-details --job-id 00000000-0000-0000-0000-000000000000",
	)
}
