package catalog

import "github.com/postern-dev/postern/iam"

// ecrDockerPush is what docker push, buildx and kaniko need.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
func ecrDockerPush() *Grant {
	return &Grant{
		Name:    "ecr-docker-push",
		Area:    Containers,
		Summary: "log in to the account's ECR registry, see whether an image exists, and push it",
		Never:   "create, delete or configure a repository, delete or untag an image, change who may use one",
		Params: append(ecrParams(),
			Param{Name: "pull", Type: Bool, Default: "false", Example: "true", Summary: "also pull: needed by buildx registry caches, multi-architecture manifests and layers that are mounted from another repository"},
			Param{Name: "list", Type: Bool, Default: "false", Example: "true", Summary: "also list the images of the repositories"},
			Param{Name: "scan", Type: Bool, Default: "false", Example: "true", Summary: "also read the findings of image scans"},
		),
		Levels: []Level{
			{Name: "repository", Summary: "push to the named repositories", Needs: []string{"repositories"}},
			{Name: "prefix", Summary: "push to every repository below the named prefixes", Adds: "repositories that are created later, if their name begins so", Needs: []string{"prefixes"}},
			{Name: "registry", Summary: "push to every repository of the account in the region", Adds: "every repository, present and future"},
		},
		Unscopable: []Unscopable{ecrToken()},
		Why: Why{
			"ecr:BatchCheckLayerAvailability": "docker push: asks which layers the repository already has (HEAD of a blob)",
			"ecr:BatchGetImage":               "docker push, buildx, kaniko: ask for a manifest by tag or digest before they put one",
			"ecr:CompleteLayerUpload":         "docker push: ends the upload of each layer",
			"ecr:DescribeImageScanFindings":   "aws ecr wait image-scan-complete, describe-image-scan-findings: with scan",
			"ecr:DescribeImages":              "aws ecr describe-images: sees whether a tag is taken, before a build",
			"ecr:GetAuthorizationToken":       "aws ecr get-login-password, amazon-ecr-login, docker-credential-ecr-login: log in",
			"ecr:GetDownloadUrlForLayer":      "docker pull, buildx imagetools and --cache-from: read layers back, blob mounting, with pull",
			"ecr:InitiateLayerUpload":         "docker push: starts the upload of each layer",
			"ecr:ListImages":                  "aws ecr list-images: with list",
			"ecr:PutImage":                    "docker push: puts the manifest under its tag",
			"ecr:UploadLayerPart":             "docker push: sends each layer",
		},
		Cases:      ecrCases,
		statements: ecrStatements,
	}
}

// ecrParams name the repositories at the levels repository and prefix.
func ecrParams() []Param {
	const name = `^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*/){0,8}[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`
	return []Param{
		{
			Name: "repositories", Type: List, Max: 100, Pattern: name, Example: "team/web", Levels: []string{"repository"},
			Summary: "up to 100 repository names of the account's registry, without registry host or tag",
			Wider:   "for all below a name use level prefix, for the whole registry level registry",
		},
		{
			Name: "prefixes", Type: List, Max: 20, Pattern: name, Example: "team", Levels: []string{"prefix"},
			Summary: "up to 20 name prefixes; team stands for every repository team/…",
			Wider:   "for the whole registry use level registry",
		},
	}
}

// ecrRepositories are the ARNs of what a level reaches.
func ecrRepositories(s Scope, level string, args Args) []string {
	switch level {
	case "repository":
		return each(args["repositories"], func(name string) string { return s.arn("ecr", "repository/"+name) })
	case "prefix":
		return each(args["prefixes"], func(name string) string { return s.arn("ecr", "repository/"+name+"/*") })
	}
	return []string{s.arn("ecr", "repository/*")}
}

func ecrToken() Unscopable {
	return Unscopable{
		Actions: []string{"ecr:GetAuthorizationToken"},
		Reason:  "the token is one for the whole registry and the action knows no resource; what it opens is bounded by the other statements",
	}
}

func ecrStatements(s Scope, level string, args Args) []iam.Statement {
	actions := []string{
		"ecr:BatchCheckLayerAvailability",
		"ecr:BatchGetImage", // docker push asks for the manifest before it puts one
		"ecr:CompleteLayerUpload",
		"ecr:DescribeImages",
		"ecr:InitiateLayerUpload",
		"ecr:PutImage",
		"ecr:UploadLayerPart",
	}
	if args.on("pull") {
		actions = append(actions, "ecr:GetDownloadUrlForLayer")
	}
	if args.on("list") {
		actions = append(actions, "ecr:ListImages")
	}
	if args.on("scan") {
		actions = append(actions, "ecr:DescribeImageScanFindings")
	}
	return []iam.Statement{
		allow("EcrLogin", []string{"ecr:GetAuthorizationToken"}, everything()),
		allow("EcrPush", actions, ecrRepositories(s, level, args)),
	}
}

func ecrCases() []Case {
	const (
		registry = "arn:aws:ecr:eu-west-1:222222222222:repository/"
		shop     = registry + "shop"
		web      = registry + "team/web"
	)
	push := []string{
		"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
		"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
	}
	extras := []string{"ecr:GetDownloadUrlForLayer", "ecr:ListImages", "ecr:DescribeImageScanFindings"}
	with := func(name, value string) Args {
		return Args{name: {value}, "pull": {"true"}, "list": {"true"}, "scan": {"true"}}
	}
	login := calls("*", nil, "ecr:GetAuthorizationToken")
	never := func(repository string) []call {
		return append(calls(repository, nil, "ecr:CreateRepository", "ecr:DeleteRepository", "ecr:BatchDeleteImage",
			"ecr:SetRepositoryPolicy", "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy"),
			call{action: "iam:CreateUser", resource: "arn:aws:iam::222222222222:user/mallory"})
	}
	elsewhere := calls("arn:aws:ecr:us-east-1:222222222222:repository/shop", nil, "ecr:PutImage")
	foreign := calls("arn:aws:ecr:eu-west-1:333333333333:repository/shop", nil, "ecr:PutImage")

	return flat(
		cases("", Args{"repositories": {"shop"}},
			flat(login, calls(shop, nil, push...)),
			flat(never(shop), calls(shop, nil, extras...), calls(web, nil, "ecr:PutImage"),
				calls(registry+"shop2", nil, "ecr:PutImage"), calls(shop+"/sub", nil, "ecr:PutImage"), elsewhere, foreign)),
		cases("repository", with("repositories", "shop"),
			calls(shop, nil, extras...), calls(web, nil, extras...)),
		cases("prefix", with("prefixes", "team"),
			flat(login, calls(web, nil, push...), calls(web, nil, extras...)),
			flat(never(web), calls(shop, nil, "ecr:PutImage"), calls(registry+"team", nil, "ecr:PutImage"),
				calls(registry+"teamster/web", nil, "ecr:PutImage"))),
		cases("registry", Args{"pull": {"true"}, "list": {"true"}, "scan": {"true"}},
			flat(login, calls(shop, nil, push...), calls(shop, nil, extras...), calls(web, nil, "ecr:PutImage")),
			flat(never(shop), elsewhere, foreign)),
	)
}
