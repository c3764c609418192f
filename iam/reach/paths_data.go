package reach

import (
	"sync"

	"github.com/postern-dev/postern/iam/eval"
)

// Paths are the known ways of escalation: the 65 of pathfinding.cloud of
// 2025-12-17, the six that it had added by 2026-05, and some that it lacks.
// Actions are as it requires them; those that only help to look around are left
// out. The caller must not change them.
//
// https://github.com/DataDog/pathfinding.cloud (Apache-2.0)
var Paths = sync.OnceValue(func() []Path {
	var out []Path
	for _, list := range [][]Path{ownPaths(), otherPaths(), newRolePaths(), oldRolePaths(), openPaths()} {
		for _, p := range list {
			out = append(out, sourced(p))
		}
	}
	return out
})

func ownPaths() []Path {
	return []Path{
		itself("iam-001", "iam:CreatePolicyVersion", OnOwnPolicy, 0, GainsAnything),
		itself("iam-005", "iam:PutRolePolicy", OnSelf, eval.Role, GainsAnything),
		itself("iam-007", "iam:PutUserPolicy", OnSelf, eval.User, GainsAnything),
		itself("iam-008", "iam:AttachUserPolicy", OnSelf, eval.User, GainsAnything),
		itself("iam-009", "iam:AttachRolePolicy", OnSelf, eval.Role, GainsAnything),
		itself("iam-010", "iam:AttachGroupPolicy", OnOwnGroup, eval.User, GainsAnything),
		itself("iam-011", "iam:PutGroupPolicy", OnOwnGroup, eval.User, GainsAnything),
		itself("iam-013", "iam:AddUserToGroup", OnTarget, eval.User, GainsGroup),
		from(rhino, itself("postern-set-default-policy-version", "iam:SetDefaultPolicyVersion", OnOwnPolicy, 0, GainsAnything)),
		from(boundaries, itself("postern-delete-role-boundary", "iam:DeleteRolePermissionsBoundary", OnSelf, eval.Role, GainsUnbound)),
		from(boundaries, itself("postern-put-role-boundary", "iam:PutRolePermissionsBoundary", OnSelf, eval.Role, GainsUnbound)),
		from(boundaries, itself("postern-delete-user-boundary", "iam:DeleteUserPermissionsBoundary", OnSelf, eval.User, GainsUnbound)),
		from(boundaries, itself("postern-put-user-boundary", "iam:PutUserPermissionsBoundary", OnSelf, eval.User, GainsUnbound)),
		from(boundaries, itself("postern-boundary-version", "iam:CreatePolicyVersion", OnOwnBoundary, 0, GainsUnbound)),
		from(boundaries, itself("postern-default-boundary-version", "iam:SetDefaultPolicyVersion", OnOwnBoundary, 0, GainsUnbound)),
	}
}

func otherPaths() []Path {
	key := Step{"iam:CreateAccessKey", OnTarget}
	assume := Step{assumeRole, OnTarget}
	trust := Step{"iam:UpdateAssumeRolePolicy", OnTrust}
	attach := Step{"iam:AttachRolePolicy", OnTarget}
	put := Step{"iam:PutRolePolicy", OnTarget}
	version := Step{"iam:CreatePolicyVersion", OnTargetPolicy}
	return []Path{
		takes("iam-002", eval.User, GainsTarget, key),
		takes("iam-003", eval.User, GainsTarget, key, Step{"iam:DeleteAccessKey", OnTarget}),
		takes("iam-004", eval.User, GainsTarget, Step{"iam:CreateLoginProfile", OnTarget}),
		takes("iam-006", eval.User, GainsTarget, Step{"iam:UpdateLoginProfile", OnTarget}),
		takes("iam-012", eval.Role, GainsTarget, trust),
		takes("iam-014", eval.Role, GainsAnything, attach, assume),
		takes("iam-015", eval.User, GainsAnything, Step{"iam:AttachUserPolicy", OnTarget}, key),
		takes("iam-016", eval.Role, GainsAnything, version, assume),
		takes("iam-017", eval.Role, GainsAnything, put, assume),
		takes("iam-018", eval.User, GainsAnything, Step{"iam:PutUserPolicy", OnTarget}, key),
		takes("iam-019", eval.Role, GainsAnything, attach, trust),
		takes("iam-020", eval.Role, GainsAnything, version, trust),
		takes("iam-021", eval.Role, GainsAnything, put, trust),
		takes("sts-001", eval.Role, GainsTarget, assume),
		from(sessionTags, takes("postern-tag-session", eval.Role, GainsTarget, Step{tagSession, OnTarget}, assume)),
		from(serviceCreds, takes("postern-create-service-credential", eval.User, GainsPart, Step{"iam:CreateServiceSpecificCredential", OnTarget})),
		from(serviceCreds, takes("postern-reset-service-credential", eval.User, GainsPart, Step{"iam:ResetServiceSpecificCredential", OnTarget})),
		from(samlProvider, takes("postern-update-saml-provider", eval.Role, GainsTarget, Step{"iam:UpdateSAMLProvider", OnTargetIssuer})),
	}
}

const (
	appRunner      = "tasks.apprunner.amazonaws.com apprunner.amazonaws.com"
	agentCore      = "bedrock-agentcore.amazonaws.com"
	cloudFormation = "cloudformation.amazonaws.com"
	codeBuild      = "codebuild.amazonaws.com"
	dataPipeline   = "datapipeline.amazonaws.com elasticmapreduce.amazonaws.com ec2.amazonaws.com"
	ec2            = "ec2.amazonaws.com"
	ecsTasks       = "ecs-tasks.amazonaws.com"
	glue           = "glue.amazonaws.com"
	lambda         = "lambda.amazonaws.com"
	sageMaker      = "sagemaker.amazonaws.com"
	// Systems Manager reaches instances of EC2, and machines elsewhere that took
	// on a role by a hybrid activation.
	managedNodes = "ec2.amazonaws.com ssm.amazonaws.com"
)

func newRolePaths() []Path {
	return []Path{
		hands("apprunner-001", appRunner, "apprunner:CreateService"),
		hands("bedrock-001", agentCore, "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
		hands("cloudformation-001", cloudFormation, "cloudformation:CreateStack"),
		hands("cloudformation-003", cloudFormation, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
		hands("cloudformation-004", cloudFormation, "cloudformation:UpdateStackSet"),
		// It is counted among those that pass a role, but the stack has it already.
		changeSet(runs("cloudformation-005", cloudFormation, "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet")),
		hands("codebuild-001", codeBuild, "codebuild:CreateProject", "codebuild:StartBuild"),
		hands("codebuild-004", codeBuild, "codebuild:CreateProject", "codebuild:StartBuildBatch"),
		hands("datapipeline-001", dataPipeline, "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"),
		hands("ec2-001", ec2, "ec2:RunInstances"),
		hands("ec2-003", ec2, "ec2:RequestSpotInstances"),
		hands("ecs-001", ecsTasks, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
		hands("ecs-002", ecsTasks, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
		hands("ecs-003", ecsTasks, "ecs:RegisterTaskDefinition", "ecs:CreateService"),
		hands("ecs-004", ecsTasks, "ecs:RegisterTaskDefinition", "ecs:RunTask"),
		hands("ecs-005", ecsTasks, "ecs:RegisterTaskDefinition", "ecs:StartTask"),
		hands("ecs-007", ecsTasks, "ecs:StartTask", "ecs:RegisterContainerInstance"),
		hands("ecs-008", ecsTasks, "ecs:RunTask"),
		hands("ecs-009", ecsTasks, "ecs:StartTask"),
		hands("glue-001", glue, "glue:CreateDevEndpoint"),
		hands("glue-003", glue, "glue:CreateJob", "glue:StartJobRun"),
		hands("glue-004", glue, "glue:CreateJob", "glue:CreateTrigger"),
		hands("glue-005", glue, "glue:UpdateJob", "glue:StartJobRun"),
		hands("glue-006", glue, "glue:UpdateJob", "glue:CreateTrigger"),
		hands("glue-007", glue, "glue:CreateSession", "glue:RunStatement"),
		hands("lambda-001", lambda, "lambda:CreateFunction", "lambda:InvokeFunction"),
		hands("lambda-002", lambda, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
		hands("lambda-006", lambda, "lambda:CreateFunction", "lambda:AddPermission"),
		hands("sagemaker-001", sageMaker, "sagemaker:CreateNotebookInstance"),
		hands("sagemaker-002", sageMaker, "sagemaker:CreateTrainingJob"),
		hands("sagemaker-003", sageMaker, "sagemaker:CreateProcessingJob"),
		from(pmapper, hands("postern-autoscaling-group", ec2, "autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup")),
		from(stepFunction, hands("postern-state-machine", "states.amazonaws.com", "states:CreateStateMachine", "states:StartExecution")),
		from(scheduler, hands("postern-schedule", "scheduler.amazonaws.com", "scheduler:CreateSchedule")),
		from(automation, hands("postern-automation", "ssm.amazonaws.com", "ssm:StartAutomationExecution")),
		from(podIdentity, hands("postern-pod-identity", "pods.eks.amazonaws.com", "eks:CreatePodIdentityAssociation")),
		from(anywhere, hands("postern-roles-anywhere", "rolesanywhere.amazonaws.com", "rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile")),
	}
}

func changeSet(p Path) Path {
	p.Category = NewPassRole
	return p
}

func oldRolePaths() []Path {
	return []Path{
		runs("apprunner-002", appRunner, "apprunner:UpdateService"),
		runs("bedrock-002", agentCore, "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
		runs("cloudformation-002", cloudFormation, "cloudformation:UpdateStack"),
		runs("codebuild-002", codeBuild, "codebuild:StartBuild"),
		runs("codebuild-003", codeBuild, "codebuild:StartBuildBatch"),
		runs("ec2-002", ec2, "ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
		runs("ec2-004", ec2, "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
		runs("ec2-005", ec2, "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
		runs("ec2instanceconnect-003", ec2, "ec2-instance-connect:SendSSHPublicKey"),
		runs("ecs-006", ecsTasks, "ecs:ExecuteCommand", "ecs:DescribeTasks"),
		runs("glue-002", glue, "glue:UpdateDevEndpoint"),
		runs("lambda-003", lambda, "lambda:UpdateFunctionCode"),
		runs("lambda-004", lambda, "lambda:UpdateFunctionCode", "lambda:InvokeFunction"),
		runs("lambda-005", lambda, "lambda:UpdateFunctionCode", "lambda:AddPermission"),
		runs("sagemaker-004", sageMaker, "sagemaker:CreatePresignedNotebookInstanceUrl"),
		runs("sagemaker-005", sageMaker, "sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance", "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance"),
		runs("ssm-001", managedNodes, "ssm:StartSession"),
		runs("ssm-002", managedNodes, "ssm:SendCommand"),
		from(rhino, runs("postern-function-configuration", lambda, "lambda:UpdateFunctionConfiguration")),
	}
}

// openPaths give access by other policies than those of users and roles. Those
// of Organizations and IAM Identity Center work in the management account, or one
// that it delegates to.
func openPaths() []Path {
	return []Path{
		from(writable, opens("postern-bucket-policy", "buckets of S3", "s3:PutBucketPolicy")),
		from(writable, opens("postern-key-policy", "keys of KMS", "kms:PutKeyPolicy")),
		from(keyGrants, opens("postern-key-grant", "keys of KMS", "kms:CreateGrant")),
		from(writable, opens("postern-secret-policy", "secrets", "secretsmanager:PutResourcePolicy")),
		from(writable, opens("postern-topic-permission", "topics of SNS", "sns:AddPermission")),
		from(writable, opens("postern-topic-policy", "topics of SNS", "sns:SetTopicAttributes")),
		from(writable, opens("postern-queue-permission", "queues of SQS", "sqs:AddPermission")),
		from(writable, opens("postern-queue-policy", "queues of SQS", "sqs:SetQueueAttributes")),
		from(writable, opens("postern-function-policy", "functions of Lambda", "lambda:AddPermission")),
		from(writable, opens("postern-repository-policy", "repositories of ECR", "ecr:SetRepositoryPolicy")),
		from(detachPolicy, opens("postern-detach-organization-policy", limits, "organizations:DetachPolicy")),
		from(updatePolicy, opens("postern-update-organization-policy", limits, "organizations:UpdatePolicy")),
		from(moveAccount, opens("postern-move-account", limits, "organizations:MoveAccount")),
		from(permitSets, opens("postern-assign-permission-set", assigned, "sso:CreateAccountAssignment")),
		from(permitSets, opens("postern-permission-set-policy", assigned, "sso:PutInlinePolicyToPermissionSet", "sso:ProvisionPermissionSet")),
		from(permitSets, opens("postern-permission-set-attachment", assigned, "sso:AttachManagedPolicyToPermissionSet", "sso:ProvisionPermissionSet")),
	}
}

const (
	limits   = "what policies of the organization withhold"
	assigned = "accounts, to users of IAM Identity Center"
)
