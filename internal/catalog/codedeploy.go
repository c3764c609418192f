package catalog

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// codeDeploy starts deployments of CodeDeploy, to instances, Lambda or ECS. What
// they act with is the deployment group's service role.
//
// https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
func codeDeploy() *Grant {
	const name = `[A-Za-z0-9._+=,@-]{1,100}`
	return &Grant{
		Name:    "codedeploy",
		Area:    Applications,
		Summary: "register a revision of a CodeDeploy application, deploy it to a deployment group and watch",
		Never:   "create, change or delete an application, a deployment group or a configuration, pass a role, change instances",
		Params: []Param{
			{
				Name: "groups", Type: List, Max: 20, Pattern: `^` + name + `/` + name + `$`, Example: "shop/prod", Levels: []string{"group"},
				Summary: "up to 20 deployment groups as application/group",
				Wider:   "for every group of an application use level application",
			},
			{
				Name: "applications", Type: List, Max: 20, Pattern: `^` + name + `$`, Example: "shop", Levels: []string{"application"},
				Summary: "up to 20 names of applications",
				Wider:   "no level reaches applications that are not named",
			},
			folderParam("revisions", "that the revisions are uploaded to: aws deploy push"),
			folderKeyParam("revisions"),
			{Name: "stop", Type: Bool, Default: "false", Example: "true", Summary: "also stop deployments and go on with ones that wait; AWS cannot bound it to the groups"},
		},
		Levels: []Level{
			{Name: "group", Summary: "deploy to the named groups", Needs: []string{"groups"}},
			{Name: "application", Summary: "deploy to every group of the named applications", Adds: "the applications' other groups, present and future", Needs: []string{"applications"}},
		},
		Unscopable: []Unscopable{
			{Actions: []string{"codedeploy:ContinueDeployment", "codedeploy:StopDeployment"}, Reason: "know no resource: they reach every deployment of the account; a condition bounds them to the role's region"},
		},
		Why: Why{
			"codedeploy:ContinueDeployment":          "aws deploy continue-deployment: sends traffic over in a blue/green deployment, with stop",
			"codedeploy:CreateDeployment":            "aws deploy create-deployment, aws ecs deploy: start the deployment",
			"codedeploy:GetApplication":              "aws ecs deploy: looks whether the application is one for ECS",
			"codedeploy:GetApplicationRevision":      "aws deploy create-deployment: CodeDeploy looks whether the revision is registered",
			"codedeploy:GetDeployment":               "aws deploy wait deployment-successful: follows the deployment",
			"codedeploy:GetDeploymentConfig":         "aws deploy create-deployment: CodeDeploy reads how fast to go",
			"codedeploy:GetDeploymentGroup":          "aws ecs deploy: looks whether the group is for this cluster and service",
			"codedeploy:RegisterApplicationRevision": "aws deploy push, create-deployment: make the revision known",
			"codedeploy:StopDeployment":              "aws deploy stop-deployment: stops one that goes wrong, with stop",
			"kms:Decrypt":                            "aws deploy push: uploads large revisions in parts to a bucket with a KMS key",
			"kms:GenerateDataKey":                    "aws deploy push: uploads to a bucket with a KMS key",
			"s3:AbortMultipartUpload":                "aws deploy push: gives up a large upload that failed",
			"s3:GetObject":                           "aws deploy create-deployment: looks whether the revision is there",
			"s3:PutObject":                           "aws deploy push: uploads the revision, with revisions",
		},
		Cases:      codeDeployCases,
		statements: codeDeployStatements,
	}
}

func codeDeployStatements(s Scope, level string, args Args) []iam.Statement {
	names, groups := args["applications"], each(args["applications"], func(name string) string { return name + "/*" })
	if level == "group" {
		names, groups = nil, args["groups"]
		for _, group := range groups {
			application, _, _ := strings.Cut(group, "/")
			names = append(names, application)
		}
		names = set(names)
	}
	applications := each(names, func(name string) string { return s.arn("codedeploy", "application:"+name) })
	out := []iam.Statement{
		allow("CodeDeployRevision", []string{"codedeploy:GetApplication", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"}, applications),
		allow("CodeDeployDeploy", []string{"codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup"},
			each(groups, func(group string) string { return s.arn("codedeploy", "deploymentgroup:"+group) })),
		allow("CodeDeployConfig", []string{"codedeploy:GetDeploymentConfig"}, []string{s.arn("codedeploy", "deploymentconfig:*")}),
	}
	if args.on("stop") {
		out = append(out, allow("CodeDeployStop", []string{"codedeploy:ContinueDeployment", "codedeploy:StopDeployment"}, everything(),
			when("StringEquals", "aws:RequestedRegion", s.Region)))
	}
	return append(out, s.inFolder("CodeDeployUpload", args.one("revisions"), args.one("kms_key"), "s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")...)
}

func codeDeployCases() []Case {
	const (
		deploy = "arn:aws:codedeploy:eu-west-1:222222222222:"
		bundle = "arn:aws:s3:::acme-deploy/shop/1.zip"
	)
	register := func(application string) []call {
		return calls(deploy+"application:"+application, nil, "codedeploy:RegisterApplicationRevision", "codedeploy:GetApplicationRevision", "codedeploy:GetApplication")
	}
	start := func(group string) []call {
		return calls(deploy+"deploymentgroup:"+group, nil, "codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup")
	}
	use := flat(register("shop"), start("shop/prod"), calls(deploy+"deploymentconfig:CodeDeployDefault.OneAtATime", nil, "codedeploy:GetDeploymentConfig"))
	upload := flat(calls(bundle, nil, "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"), folderKey())
	stop := func(region string) []call {
		return calls("*", map[string][]string{"aws:RequestedRegion": {region}}, "codedeploy:StopDeployment", "codedeploy:ContinueDeployment")
	}
	never := flat(
		neverFolderKey(), register("shop2"), start("shop2/prod"), start("web/prod"), stop("us-east-1"),
		calls(deploy+"deploymentgroup:shop/prod", nil, "codedeploy:UpdateDeploymentGroup", "codedeploy:DeleteDeploymentGroup", "codedeploy:CreateDeploymentGroup"),
		calls(deploy+"application:shop", nil, "codedeploy:DeleteApplication", "codedeploy:UpdateApplication"),
		calls("arn:aws:iam::222222222222:role/codedeploy", passedTo("codedeploy.amazonaws.com"), "iam:PassRole"),
		calls("arn:aws:codedeploy:us-east-1:222222222222:deploymentgroup:shop/prod", nil, "codedeploy:CreateDeployment"),
		calls("arn:aws:codedeploy:eu-west-1:333333333333:deploymentgroup:shop/prod", nil, "codedeploy:CreateDeployment"),
		calls("arn:aws:s3:::acme-deploy/web/1.zip", nil, "s3:GetObject"), calls(bundle, nil, "s3:DeleteObject"),
	)
	all := func(name, value string) Args {
		return Args{name: {value}, "revisions": {"acme-deploy/shop"}, "kms_key": {stateKeyID}, "stop": {"true"}}
	}
	return flat(
		cases("", Args{"groups": {"shop/prod"}}, use, flat(never, upload, stop("eu-west-1"), start("shop/test"), start("shop/prod2"))),
		cases("group", all("groups", "shop/prod"), flat(use, upload, stop("eu-west-1")), flat(never, start("shop/test"))),
		cases("application", all("applications", "shop"), flat(use, upload, stop("eu-west-1"), start("shop/test")), never),
	)
}
