package catalog

import "github.com/postern-dev/postern/iam"

// lambdaDeploy deploys new versions of functions that exist. Whoever changes a
// function's code acts with the function's role: that is what a deployment is.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
func lambdaDeploy() *Grant {
	return &Grant{
		Name:    "lambda-deploy",
		Area:    Applications,
		Summary: "put new code into existing Lambda functions, publish a version, point an alias at it and watch",
		Never:   "create or delete a function, invoke one, open one to other accounts or a URL, pass a role that is not named, change triggers, push or pull images: for a function that is one, take ecr-docker-push with pull, or ecr-docker-pull, beside it",
		Params: []Param{
			{
				Name: "functions", Type: List, Max: 50, Required: true, Pattern: `^[A-Za-z0-9_-]{1,64}$`, Example: "shop-api",
				Summary: "up to 50 names of functions, without version or alias",
				Wider:   "no level reaches functions that are not named",
			},
			folderParam("packages", "with the packages, if they are uploaded before the function takes them"),
			folderKeyParam("packages"),
			{Name: "get_function", Type: Bool, Default: "false", Example: "true", Summary: "also GetFunction, which Terraform and the waiters that end in -v2 call; it shows a link to download the code"},
			withLevels(passRolesParam("the roles that a function's configuration may name"), []string{"configuration"}),
		},
		Levels: []Level{
			{Name: "code", Summary: "new code, versions and aliases of the named functions; whoever changes a function's code acts with its role"},
			{
				Name: "configuration", Summary: "also environment, runtime, handler, memory, layers and, if named, the role of the functions",
				Adds: "changing the functions' configuration, to layers of the account, and handing them the roles of pass_roles",
			},
		},
		Why: Why{
			"iam:PassRole":                       "aws lambda update-function-configuration --role: gives the function another role",
			"lambda:GetAlias":                    "aws lambda get-alias: sees which version is live, to be able to go back",
			"lambda:GetFunction":                 "aws lambda wait function-updated-v2, Terraform: with get_function",
			"lambda:GetFunctionConfiguration":    "aws lambda wait function-updated, published-version-active: wait until AWS has taken the change",
			"lambda:GetLayerVersion":             "aws lambda update-function-configuration --layers: AWS asks whether the caller may read the layer",
			"lambda:ListVersionsByFunction":      "aws lambda list-versions-by-function: finds the version to go back to",
			"lambda:PublishVersion":              "aws lambda publish-version: fixes what was uploaded under a number",
			"lambda:UpdateAlias":                 "aws lambda update-alias: points live traffic at the version, all or a part of it",
			"lambda:UpdateFunctionCode":          "aws lambda update-function-code: uploads the package or names the image",
			"lambda:UpdateFunctionConfiguration": "aws lambda update-function-configuration: changes environment, runtime or handler",
			"kms:Decrypt":                        "aws lambda update-function-code --s3-bucket, aws s3 cp in parts: from and to a bucket with a KMS key",
			"kms:GenerateDataKey":                "aws s3 cp: uploads to a bucket with a KMS key",
			"s3:AbortMultipartUpload":            "aws s3 cp: gives up a large upload that failed, with packages",
			"s3:GetObject":                       "aws lambda update-function-code --s3-bucket: Lambda fetches the package as the caller",
			"s3:PutObject":                       "aws s3 cp: uploads the package, with packages",
		},
		Cases:      lambdaCases,
		statements: lambdaStatements,
	}
}

func lambdaStatements(s Scope, level string, args Args) []iam.Statement {
	functions := each(args["functions"], func(name string) string { return s.arn("lambda", "function:"+name) })
	versions := each(functions, func(arn string) string { return arn + ":*" })
	read := []string{"lambda:GetAlias", "lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction"}
	if args.on("get_function") {
		read = append(read, "lambda:GetFunction")
	}
	out := []iam.Statement{
		allow("LambdaDeploy", []string{"lambda:PublishVersion", "lambda:UpdateFunctionCode"}, functions),
		// A call that names a version or an alias is for that ARN.
		allow("LambdaAlias", []string{"lambda:UpdateAlias"}, flat(functions, versions)),
		allow("LambdaWatch", read, flat(functions, versions)),
	}
	out = append(out, s.inFolder("LambdaPackages", args.one("packages"), args.one("kms_key"), "s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")...)
	if level == "configuration" {
		out = append(out,
			allow("LambdaConfigure", []string{"lambda:UpdateFunctionConfiguration"}, functions),
			allow("LambdaLayers", []string{"lambda:GetLayerVersion"}, []string{s.arn("lambda", "layer:*:*")}))
	}
	if roles := args["pass_roles"]; len(roles) > 0 {
		out = append(out, passRoles("LambdaPassRoles", s, roles, "lambda"))
	}
	return out
}

func lambdaCases() []Case {
	const (
		lambda = "arn:aws:lambda:eu-west-1:222222222222:"
		shop   = lambda + "function:shop-api"
		code   = "arn:aws:s3:::acme-code/lambda/shop/api.zip"
		role   = "arn:aws:iam::222222222222:role/"
	)
	to := func(principal string) map[string][]string {
		return map[string][]string{"iam:PassedToService": {principal}}
	}
	deploy := func(function string) []call {
		return calls(function, nil, "lambda:UpdateFunctionCode", "lambda:PublishVersion", "lambda:UpdateAlias",
			"lambda:GetFunctionConfiguration", "lambda:GetAlias", "lambda:ListVersionsByFunction")
	}
	watch := calls(shop+":live", nil, "lambda:GetFunctionConfiguration", "lambda:GetAlias", "lambda:UpdateAlias")
	get := calls(shop, nil, "lambda:GetFunction")
	pack := calls(code, nil, "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload")
	configure := flat(
		calls(shop, nil, "lambda:UpdateFunctionConfiguration"),
		calls(lambda+"layer:libs:3", nil, "lambda:GetLayerVersion"),
	)
	pass := calls(role+"shop-api", to("lambda.amazonaws.com"), "iam:PassRole")
	never := flat(
		deploy(lambda+"function:shop-api2"), deploy(lambda+"function:web"),
		deploy("arn:aws:lambda:eu-west-1:333333333333:function:shop-api"), deploy("arn:aws:lambda:us-east-1:222222222222:function:shop-api"),
		calls(shop, nil, "lambda:CreateFunction", "lambda:DeleteFunction", "lambda:InvokeFunction", "lambda:AddPermission",
			"lambda:CreateFunctionUrlConfig", "lambda:PutFunctionConcurrency", "lambda:DeleteAlias", "lambda:GetPolicy"),
		calls("*", nil, "lambda:ListFunctions", "lambda:CreateEventSourceMapping"),
		calls(role+"admin", to("lambda.amazonaws.com"), "iam:PassRole"),
		calls(role+"shop-api", to("ec2.amazonaws.com"), "iam:PassRole"), calls(role+"shop-api", nil, "iam:PassRole"),
		calls("arn:aws:s3:::acme-code/web/api.zip", nil, "s3:GetObject"), calls(code, nil, "s3:DeleteObject"),
	)
	functions := []string{"shop-api"}
	return flat(
		cases("", Args{"functions": functions}, flat(deploy(shop), watch), flat(never, get, pack, configure, pass)),
		cases("code", Args{"functions": functions, "packages": {"acme-code/lambda/shop"}, "get_function": {"true"}, "kms_key": {stateKeyID}},
			flat(deploy(shop), get, pack, folderKey()), flat(never, neverFolderKey(), configure, pass)),
		cases("code", Args{"functions": functions, "packages": {"acme-code"}},
			flat(pack, calls("arn:aws:s3:::acme-code/web/api.zip", nil, "s3:GetObject")), flat(folderKey(), calls("arn:aws:s3:::acme-code2/a.zip", nil, "s3:GetObject"))),
		cases("configuration", Args{"functions": functions, "pass_roles": {"shop-api"}},
			flat(deploy(shop), watch, configure, pass), flat(never, pack,
				calls("arn:aws:lambda:eu-west-1:333333333333:layer:libs:3", nil, "lambda:GetLayerVersion"))),
		cases("configuration", Args{"functions": functions, "get_function": {"true"}, "packages": {"acme-code"}, "kms_key": {stateKeyID}}, flat(get, pack, folderKey(), configure), pass),
	)
}
