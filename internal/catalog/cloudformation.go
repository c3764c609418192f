package catalog

import "github.com/postern-dev/postern/iam"

// cloudFormationDeploy deploys stacks that act through a service role. Without
// one CloudFormation acts with the caller's own permissions, which then have
// to be those of everything in the template.
//
// A stack keeps the role that it was given last, and CloudFormation uses it for
// whoever may work on the stack, also without iam:PassRole
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html):
// so every call that can bring a role must bring the named one.
func cloudFormationDeploy() *Grant {
	return &Grant{
		Name:    "cloudformation-deploy",
		Area:    Infrastructure,
		Summary: "create and update named CloudFormation stacks through a service role that is named",
		Never:   "touch another stack, deploy with the caller's own permissions or another role, import resources by scanning, change a stack policy, use stack sets",
		Params: append(stackParams(),
			folderParam("templates", "with the templates that are too large to be sent along: aws cloudformation deploy --s3-bucket"),
			folderKeyParam("templates"),
			Param{
				Name: "transforms", Type: List, Max: 10, Pattern: `^[A-Za-z0-9-]{1,64}$`, Example: "Serverless-2016-10-31",
				Summary: "up to 10 names of transforms of AWS that the templates use, without AWS:: before them",
				Wider:   "no level runs transforms that are not named: a macro is code that runs in the account",
			}),
		Levels: append(stackLevels(), Level{
			Name: "delete", Summary: "also delete the named stacks, with all they hold that is not retained", Adds: "deleting the stacks",
		}),
		Why: Why{
			"cloudformation:CancelUpdateStack":      "aws cloudformation cancel-update-stack: stops an update that goes wrong",
			"cloudformation:ContinueUpdateRollback": "aws cloudformation continue-update-rollback: gets a stuck stack out",
			"cloudformation:CreateChangeSet":        "aws cloudformation deploy: says what would change; for a transform, that it may run",
			"cloudformation:DeleteChangeSet":        "aws cloudformation delete-change-set: drops a change that nobody wants",
			"cloudformation:DeleteStack":            "aws cloudformation delete-stack: removes the stack and what it holds",
			"cloudformation:DescribeChangeSet":      "aws cloudformation deploy: waits for the change set and shows it",
			"cloudformation:DescribeStackEvents":    "aws cloudformation describe-stack-events: says which resource failed and why",
			"cloudformation:DescribeStackResources": "aws cloudformation describe-stack-resources: finds what the stack made",
			"cloudformation:DescribeStacks":         "aws cloudformation deploy: sees whether the stack is there, waits for it, reads its outputs",
			"cloudformation:ExecuteChangeSet":       "aws cloudformation deploy: makes the change",
			"cloudformation:GetTemplateSummary":     "aws cloudformation deploy: learns which parameters the stack has",
			"cloudformation:RollbackStack":          "aws cloudformation rollback-stack: goes back to the last stable state",
			"iam:PassRole":                          "aws cloudformation deploy --role-arn: hands the service role to CloudFormation",
			"kms:Decrypt":                           "aws cloudformation deploy --s3-bucket: CloudFormation fetches the template from a bucket with a KMS key",
			"kms:GenerateDataKey":                   "aws cloudformation deploy --s3-bucket: uploads to a bucket with a KMS key",
			"s3:AbortMultipartUpload":               "aws cloudformation deploy --s3-bucket: gives up a large upload that failed",
			"s3:GetObject":                          "aws cloudformation deploy --s3-bucket: CloudFormation fetches the template as the caller",
			"s3:PutObject":                          "aws cloudformation deploy --s3-bucket: uploads the template",
		},
		Cases:      cloudFormationCases,
		statements: cloudFormationStatements,
	}
}

// stackParams name stacks and the role that they are deployed with.
func stackParams() []Param {
	return []Param{
		{
			Name: "stacks", Type: List, Required: true, Max: 20, Pattern: `^[A-Za-z][A-Za-z0-9-]{0,127}$`, Example: "shop",
			Summary: "up to 20 names of stacks",
			Wider:   "no level reaches stacks that are not named: what a template may do is up to the role of its stack",
		},
		{
			Name: "execution_role", Type: String, Required: true, Roles: true, Max: 512, Pattern: `^([\w+=,.@-]+/){0,8}[\w+=,.@-]{1,64}$`, Example: "shop-cloudformation",
			Summary: "name of the role, with its path if it has one, that CloudFormation makes and changes the resources with; every call must name it (--role-arn)",
			Wider:   "no level passes a role that is not named",
		},
	}
}

// stackLevels are the first levels of grants for stacks.
func stackLevels() []Level {
	return []Level{
		{Name: "deploy", Summary: "create and update the named stacks by change sets, and watch"},
		{Name: "recover", Summary: "also cancel an update, roll a stack back and go on with a rollback that is stuck", Adds: "rolling the stacks back; a rollback may skip resources"},
	}
}

// stacks is access to CloudFormation stacks.
type stacks struct {
	Scope
	prefix     string // of the statement ids
	level      string
	arns       []string
	role       string // name, with its path
	transforms []string
	files      string // bucket, or bucket/folder, of templates and packages; empty: none
	key        string // KMS key of that bucket, id or ARN; empty: none
}

func newStacks(s Scope, prefix, level string, args Args) *stacks {
	return &stacks{
		Scope: s, prefix: prefix, level: level, role: args.one("execution_role"), key: args.one("kms_key"),
		arns: each(args["stacks"], func(name string) string { return s.arn("cloudformation", "stack/"+name+"/*") }),
	}
}

func (t *stacks) statements() []iam.Statement {
	role := when("ArnEquals", "cloudformation:RoleArn", t.iam("role/"+t.role))
	out := []iam.Statement{
		allow(t.prefix+"Change", []string{"cloudformation:CreateChangeSet"}, t.arns, role),
		allow(t.prefix+"Execute", []string{"cloudformation:DeleteChangeSet", "cloudformation:ExecuteChangeSet"}, t.arns),
		allow(t.prefix+"Watch", []string{
			"cloudformation:DescribeChangeSet",
			"cloudformation:DescribeStackEvents",
			"cloudformation:DescribeStackResources",
			"cloudformation:DescribeStacks",
			"cloudformation:GetTemplateSummary",
		}, t.arns),
		passRoles(t.prefix+"PassRole", t.Scope, []string{t.role}, "cloudformation"),
	}
	if len(t.transforms) > 0 {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html
		transform := func(name string) string { return t.arnIn("cloudformation", t.Region, "aws", "transform/"+name) }
		out = append(out, allow(t.prefix+"Transform", []string{"cloudformation:CreateChangeSet"}, each(t.transforms, transform)))
	}
	out = append(out, t.inFolder(t.prefix+"Files", t.files, t.key, "s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")...)
	if t.level != "deploy" {
		out = append(out,
			allow(t.prefix+"Cancel", []string{"cloudformation:CancelUpdateStack"}, t.arns),
			// A call that names no role goes on with the one that the stack has.
			allow(t.prefix+"Recover", []string{"cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack"}, t.arns,
				when("ArnEqualsIfExists", "cloudformation:RoleArn", t.iam("role/"+t.role))))
	}
	if t.level == "delete" {
		out = append(out, allow(t.prefix+"Delete", []string{"cloudformation:DeleteStack"}, t.arns, role))
	}
	return out
}

func cloudFormationStatements(s Scope, level string, args Args) []iam.Statement {
	t := newStacks(s, "Cfn", level, args)
	t.transforms, t.files = args["transforms"], args.one("templates")
	return t.statements()
}

// The places in which the cases of the grants for stacks play.
const (
	shopStack     = "arn:aws:cloudformation:eu-west-1:222222222222:stack/shop/0a1b"
	shopStackRole = "arn:aws:iam::222222222222:role/shop-cloudformation"
	serverless    = "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31"
)

func withRole(arn string) map[string][]string {
	return map[string][]string{"cloudformation:RoleArn": {arn}}
}

func passedTo(principal string) map[string][]string {
	return map[string][]string{"iam:PassedToService": {principal}}
}

// deployStack, recoverStack and deleteStack are the calls of the levels.
func deployStack() []call {
	return flat(
		calls(shopStack, withRole(shopStackRole), "cloudformation:CreateChangeSet"),
		calls(shopStack, nil, "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:DescribeChangeSet",
			"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources", "cloudformation:GetTemplateSummary"),
		calls(shopStackRole, passedTo("cloudformation.amazonaws.com"), "iam:PassRole"),
	)
}

func recoverStack() []call {
	return flat(
		calls(shopStack, nil, "cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack"),
		calls(shopStack, withRole(shopStackRole), "cloudformation:RollbackStack"),
	)
}

func deleteStack() []call {
	return calls(shopStack, withRole(shopStackRole), "cloudformation:DeleteStack")
}

// neverStack are the calls that no grant for stacks allows.
func neverStack() []call {
	const (
		other = "arn:aws:iam::222222222222:role/admin"
		cfn   = "arn:aws:cloudformation:eu-west-1:222222222222:"
	)
	return flat(
		calls(shopStack, nil, "cloudformation:CreateChangeSet", "cloudformation:DeleteStack"),
		calls(shopStack, withRole(other), "cloudformation:CreateChangeSet", "cloudformation:DeleteStack", "cloudformation:RollbackStack", "cloudformation:ContinueUpdateRollback"),
		calls(shopStack, withRole(shopStackRole), "cloudformation:CreateStack", "cloudformation:UpdateStack"),
		calls(shopStack, nil, "cloudformation:SetStackPolicy", "cloudformation:UpdateTerminationProtection", "cloudformation:SignalResource"),
		calls(cfn+"stack/shop2/0a1b", withRole(shopStackRole), "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks"),
		calls(cfn+"stack/web/0a1b", nil, "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStackEvents"),
		calls(cfn+"stackset/shop:0a1b", nil, "cloudformation:CreateStackInstances", "cloudformation:UpdateStackSet"),
		calls("arn:aws:cloudformation:us-east-1:222222222222:stack/shop/0a1b", withRole(shopStackRole), "cloudformation:CreateChangeSet"),
		calls("arn:aws:cloudformation:eu-west-1:333333333333:stack/shop/0a1b", nil, "cloudformation:ExecuteChangeSet"),
		calls("*", nil, "cloudformation:CreateStackSet", "cloudformation:ListStacks"),
		calls(other, passedTo("cloudformation.amazonaws.com"), "iam:PassRole"),
		calls(shopStackRole, passedTo("ec2.amazonaws.com"), "iam:PassRole"), calls(shopStackRole, nil, "iam:PassRole"),
		calls("arn:aws:cloudformation:eu-west-1:222222222222:transform/mine", nil, "cloudformation:CreateChangeSet"),
	)
}

func cloudFormationCases() []Case {
	const template = "arn:aws:s3:::acme-deploy/shop/0a1b.template"
	files := flat(calls(template, nil, "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"), folderKey())
	run := calls(serverless, nil, "cloudformation:CreateChangeSet")
	neverFiles := flat(calls("arn:aws:s3:::acme-deploy/web/0a1b.template", nil, "s3:PutObject", "s3:GetObject"), calls(template, nil, "s3:DeleteObject"), neverFolderKey())
	shop := Args{"stacks": {"shop"}, "execution_role": {"shop-cloudformation"}}
	full := Args{
		"stacks": {"shop"}, "execution_role": {"shop-cloudformation"},
		"templates": {"acme-deploy/shop"}, "kms_key": {stateKeyID}, "transforms": {"Serverless-2016-10-31"},
	}
	return flat(
		cases("", shop, deployStack(), flat(neverStack(), recoverStack(), deleteStack(), files, run)),
		cases("deploy", full, flat(deployStack(), files, run), flat(neverStack(), neverFiles, recoverStack(),
			calls("arn:aws:cloudformation:eu-west-1:aws:transform/Include", nil, "cloudformation:CreateChangeSet"))),
		cases("recover", full, flat(deployStack(), recoverStack(), files, run), flat(neverStack(), neverFiles, deleteStack())),
		cases("delete", full, flat(deployStack(), recoverStack(), deleteStack(), files, run), flat(neverStack(), neverFiles)),
	)
}
