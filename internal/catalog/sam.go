package catalog

import "github.com/postern-dev/postern/iam"

// samDeploy is sam deploy and sam delete for named stacks, through a service
// role and a bucket that are named. What sam deploy --resolve-s3 and
// --resolve-image-repos make for themselves is not in it: name a bucket
// (--s3-bucket, --s3-prefix), and take ecr-docker-push for images.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html
func samDeploy() *Grant {
	return &Grant{
		Name:    "sam-deploy",
		Area:    Infrastructure,
		Summary: "upload packages and deploy named AWS SAM stacks through a service role that is named",
		Never:   "touch another stack, deploy with the caller's own permissions or another role, create buckets or repositories, push images (take ecr-docker-push beside it), run macros other than AWS's Serverless transform",
		Params: append(stackParams(), required(
			folderParam("artifacts", "that packages and templates are uploaded to: --s3-bucket and --s3-prefix")),
			folderKeyParam("artifacts")),
		Levels: append(stackLevels(), Level{
			Name: "delete", Summary: "also sam delete, of the stacks and the packages", Adds: "deleting the stacks with all they hold that is not retained, and reading their templates",
		}),
		Why: Why{
			"cloudformation:CancelUpdateStack":      "aws cloudformation cancel-update-stack: stops an update that goes wrong",
			"cloudformation:ContinueUpdateRollback": "aws cloudformation continue-update-rollback: gets a stuck stack out",
			"cloudformation:CreateChangeSet":        "sam deploy: says what would change; for the Serverless transform, that it may run",
			"cloudformation:DeleteChangeSet":        "aws cloudformation delete-change-set: drops a change that nobody confirmed",
			"cloudformation:DeleteStack":            "sam delete: removes the stack and what it holds",
			"cloudformation:DescribeChangeSet":      "sam deploy: waits for the change set and shows it",
			"cloudformation:DescribeStackEvents":    "sam deploy: prints what happens",
			"cloudformation:DescribeStackResources": "aws cloudformation describe-stack-resources: finds what the stack made",
			"cloudformation:DescribeStacks":         "sam deploy: sees whether the stack is there, waits for it, prints its outputs",
			"cloudformation:ExecuteChangeSet":       "sam deploy: makes the change",
			"cloudformation:GetTemplate":            "sam delete: finds the packages of the stack",
			"cloudformation:GetTemplateSummary":     "sam deploy: learns which parameters the stack has",
			"cloudformation:RollbackStack":          "aws cloudformation rollback-stack: goes back to the last stable state",
			"iam:PassRole":                          "sam deploy --role-arn: hands the service role to CloudFormation",
			"kms:Decrypt":                           "sam deploy: CloudFormation and Lambda fetch the files from a bucket with a KMS key",
			"kms:GenerateDataKey":                   "sam deploy: uploads to a bucket with a KMS key",
			"s3:AbortMultipartUpload":               "sam deploy: gives up a large upload that failed",
			"s3:DeleteObject":                       "sam delete: removes the packages",
			"s3:GetObject":                          "sam deploy: skips what is there already; CloudFormation and Lambda fetch the files as the caller",
			"s3:PutObject":                          "sam deploy: uploads packages and template",
		},
		Cases:      samCases,
		statements: samStatements,
	}
}

func required(p Param) Param {
	p.Required = true
	return p
}

func samStatements(s Scope, level string, args Args) []iam.Statement {
	t := newStacks(s, "Sam", level, args)
	t.transforms, t.files = []string{"Serverless-2016-10-31"}, args.one("artifacts")
	out := t.statements()
	if level == "delete" {
		out = append(out,
			allow("SamReadTemplate", []string{"cloudformation:GetTemplate"}, t.arns),
			allow("SamDeleteFiles", []string{"s3:DeleteObject"}, []string{s.s3(t.files + "/*")}))
	}
	return out
}

func samCases() []Case {
	const file = "arn:aws:s3:::acme-deploy/shop/0a1b"
	files := flat(
		calls(file, nil, "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"),
		calls(serverless, nil, "cloudformation:CreateChangeSet"), folderKey(),
	)
	remove := flat(calls(shopStack, nil, "cloudformation:GetTemplate"), calls(file, nil, "s3:DeleteObject"), deleteStack())
	never := flat(
		neverStack(), neverFolderKey(),
		calls("arn:aws:s3:::acme-deploy/web/0a1b", nil, "s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
		calls("arn:aws:s3:::acme-deploy", nil, "s3:CreateBucket", "s3:ListBucket", "s3:PutBucketPolicy"),
		calls(file, nil, "s3:DeleteObjectVersion"),
		calls("arn:aws:cloudformation:eu-west-1:aws:transform/Include", nil, "cloudformation:CreateChangeSet"),
		calls("arn:aws:cloudformation:eu-west-1:222222222222:stack/aws-sam-cli-managed-default/0a1b", withRole(shopStackRole), "cloudformation:CreateChangeSet"),
	)
	shop := Args{"stacks": {"shop"}, "execution_role": {"shop-cloudformation"}, "artifacts": {"acme-deploy/shop"}, "kms_key": {stateKeyID}}
	return flat(
		cases("", shop, flat(deployStack(), files), flat(never, recoverStack(), remove)),
		cases("recover", shop, flat(deployStack(), files, recoverStack()), flat(never, remove)),
		cases("delete", shop, flat(deployStack(), files, recoverStack(), remove), never),
	)
}
