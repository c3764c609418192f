package gateway

import (
	"strings"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const (
	stackARN  = "arn:aws:cloudformation:" + region + ":" + account + ":stack/"
	stackRole = "arn:aws:iam::" + account + ":role/shop-cloudformation"
	appARN    = "arn:aws:codedeploy:" + region + ":" + account + ":application:"
	deployARN = "arn:aws:codedeploy:" + region + ":" + account + ":deploymentgroup:"
	filesARN  = "arn:aws:s3:::acme-deploy/"
)

// stackScenarios deploy what others then carry out: CloudFormation, CodeDeploy
// and the roles of a CDK bootstrap.
func stackScenarios() []scenario {
	const small = "nothing here is so large that the AWS CLI uploads it in parts"
	return []scenario{
		{
			name: "AWS CLI deploys a CloudFormation stack", grant: "cloudformation-deploy", level: "delete",
			args: catalog.Args{"stacks": {"shop"}, "execution_role": {"shop-cloudformation"}, "templates": {"acme-deploy/shop"}},
			tool: needAWS, breaks: "cloudformation:CreateChangeSet",
			prepare: func(s *stage) { s.bucket("acme-deploy") },
			// moto goes back on no update, and drops only change sets that it knows.
			answers: []string{"cloudformation:DeleteChangeSet", "cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack"},
			run:     deployStack,
			refused: "cloudformation:CreateChangeSet", refuses: func(s *stage) error {
				return s.aws("cloudformation deploy --stack-name shop --template-file " + s.template("three") + " --role-arn " + stackRole + "-2")
			},
			unreached: map[string]string{"CfnFiles s3:AbortMultipartUpload": small},
			denied: []wire.Call{
				{Action: "cloudformation:CreateStack", Resource: stackARN + "shop/0a1b"},
				{Action: "cloudformation:UpdateStack", Resource: stackARN + "shop/0a1b"},
				{Action: "cloudformation:CreateChangeSet", Resource: stackARN + "shop/0a1b"},
				{Action: "cloudformation:ExecuteChangeSet", Resource: stackARN + "shop2/0a1b"},
				{Action: "cloudformation:DeleteStack", Resource: stackARN + "web/0a1b"},
				{Action: "cloudformation:GetTemplate", Resource: stackARN + "web/0a1b"},
				{Action: "cloudformation:ListStacks", Resource: "*"},
				{Action: "s3:PutObject", Resource: filesARN + "web/template"},
			},
		},
		{
			name: "AWS CLI deploys with CodeDeploy", grant: "codedeploy", level: "group",
			args: catalog.Args{"groups": {"shop/prod"}, "revisions": {"acme-deploy/shop"}, "stop": {"true"}},
			tool: needAWS, breaks: "codedeploy:RegisterApplicationRevision",
			prepare: func(s *stage) { s.bucket("acme-deploy") },
			// moto's CodeDeploy knows few calls, and only groups that roles serve.
			answers: []string{
				"codedeploy:RegisterApplicationRevision", "codedeploy:CreateDeployment", "codedeploy:GetApplication", "codedeploy:GetApplicationRevision",
				"codedeploy:GetDeploymentGroup", "codedeploy:GetDeploymentConfig", "codedeploy:StopDeployment", "codedeploy:ContinueDeployment",
			},
			run: deployRevision,
			unreached: map[string]string{
				"CodeDeployUpload s3:AbortMultipartUpload":  "the revision is small and goes up in one part",
				"CodeDeployDeploy codedeploy:GetDeployment": "no request says which group a deployment is of: the gateway refuses it as unclear",
			},
			denied: []wire.Call{
				{Action: "codedeploy:CreateDeployment", Resource: deployARN + "shop/test"},
				{Action: "codedeploy:CreateDeployment", Resource: deployARN + "web/prod"},
				{Action: "codedeploy:RegisterApplicationRevision", Resource: appARN + "web"},
				{Action: "codedeploy:DeleteApplication", Resource: appARN + "shop"},
				{Action: "codedeploy:DeleteDeploymentGroup", Resource: deployARN + "shop/prod"},
				{Action: "s3:PutObject", Resource: filesARN + "web/revision.zip"},
			},
		},
	}
}

// template writes a template whose only resource has a name, and returns its
// path.
func (s *stage) template(name string) string {
	return s.file("template.json", s.encode(map[string]any{"Resources": map[string]any{
		"Topic": map[string]any{"Type": "AWS::SNS::Topic", "Properties": map[string]string{"TopicName": name}},
	}}))
}

func deployStack(s *stage) error {
	deploy := func(name string) string {
		return "cloudformation deploy --stack-name shop --template-file " + s.template(name) + " --role-arn " + stackRole
	}
	for _, name := range []string{"one", "two"} {
		if err := s.aws(deploy(name)); err != nil {
			return err
		}
	}
	// moto looks for a template's bucket in the host name.
	err := s.aws(deploy("three") + " --no-execute-changeset --s3-bucket acme-deploy --s3-prefix shop")
	if err != nil && !strings.Contains(err.Error(), "NoSuchBucket") {
		return err
	}
	const on = "-stack --stack-name shop"
	return s.aws(
		"cloudformation describe-stack-events --stack-name shop",
		"cloudformation describe-stack-resources --stack-name shop",
		"cloudformation delete-change-set --stack-name shop --change-set-name unwanted",
		"cloudformation cancel-update"+on,
		"cloudformation continue-update-rollback --stack-name shop --role-arn "+stackRole,
		"cloudformation rollback"+on+" --role-arn "+stackRole,
		"cloudformation delete"+on+" --role-arn "+stackRole,
	)
}

func deployRevision(s *stage) error {
	s.file("revision/appspec.yml", "version: 0.0\nos: linux\n")
	const (
		to  = " --application-name shop --deployment-group-name prod"
		rev = " --s3-location bucket=acme-deploy,key=shop/revision.zip,bundleType=zip"
	)
	// Among calls of ECS, which other grants allow, aws ecs deploy makes two of these.
	s.commands = append(s.commands, "aws ecs deploy")
	return s.aws(
		"deploy push --application-name shop --source "+s.dir+"/revision --s3-location s3://acme-deploy/shop/revision.zip",
		"s3 cp s3://acme-deploy/shop/revision.zip "+s.dir+"/revision.zip",
		"deploy get-application --application-name shop",
		"deploy get-application-revision --application-name shop --revision revisionType=S3,s3Location={bucket=acme-deploy,key=shop/revision.zip,bundleType=zip}",
		"deploy get-deployment-group"+to,
		"deploy get-deployment-config --deployment-config-name CodeDeployDefault.OneAtATime",
		"deploy create-deployment"+to+rev,
		"deploy stop-deployment --deployment-id d-000000000",
		"deploy continue-deployment --deployment-id d-000000000",
	)
}
