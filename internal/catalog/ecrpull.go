package catalog

import "github.com/postern-dev/postern/iam"

// ecrDockerPull is what docker pull and the kubelet need.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
func ecrDockerPull() *Grant {
	return &Grant{
		Name:    "ecr-docker-pull",
		Area:    Containers,
		Summary: "log in to the account's ECR registry and pull images",
		Never:   "push, delete or untag an image, list repositories, create or configure one, fill a pull-through cache, change who may use one",
		Params: append(ecrParams(),
			Param{Name: "list", Type: Bool, Default: "false", Example: "true", Summary: "also list and describe the images of the repositories"},
		),
		Levels: []Level{
			{Name: "repository", Summary: "pull from the named repositories", Needs: []string{"repositories"}},
			{Name: "prefix", Summary: "pull from every repository below the named prefixes", Adds: "repositories that are created later, if their name begins so", Needs: []string{"prefixes"}},
			{Name: "registry", Summary: "pull from every repository of the account in the region", Adds: "every repository, present and future"},
		},
		Unscopable: []Unscopable{ecrToken()},
		Why: Why{
			"ecr:BatchGetImage":          "docker pull: reads the manifest by tag or digest",
			"ecr:DescribeImages":         "aws ecr describe-images: finds the newest image, its digest and size, with list",
			"ecr:GetAuthorizationToken":  "aws ecr get-login-password, docker-credential-ecr-login, the kubelet: log in",
			"ecr:GetDownloadUrlForLayer": "docker pull: reads each layer",
			"ecr:ListImages":             "aws ecr list-images: with list",
		},
		Cases:      ecrPullCases,
		statements: ecrPullStatements,
	}
}

func ecrPullStatements(s Scope, level string, args Args) []iam.Statement {
	actions := []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
	if args.on("list") {
		actions = append(actions, "ecr:DescribeImages", "ecr:ListImages")
	}
	return []iam.Statement{
		allow("EcrPullLogin", []string{"ecr:GetAuthorizationToken"}, everything()),
		allow("EcrPull", actions, ecrRepositories(s, level, args)),
	}
}

func ecrPullCases() []Case {
	const (
		registry = "arn:aws:ecr:eu-west-1:222222222222:repository/"
		shop     = registry + "shop"
		web      = registry + "team/web"
	)
	login := calls("*", nil, "ecr:GetAuthorizationToken")
	pull := func(repository string) []call {
		return calls(repository, nil, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
	}
	list := func(repository string) []call { return calls(repository, nil, "ecr:DescribeImages", "ecr:ListImages") }
	never := func(repository string) []call {
		return flat(
			calls(repository, nil, "ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
				"ecr:BatchDeleteImage", "ecr:SetRepositoryPolicy", "ecr:DeleteRepository", "ecr:PutLifecyclePolicy"),
			pull("arn:aws:ecr:us-east-1:222222222222:repository/shop"),
			pull("arn:aws:ecr:eu-west-1:333333333333:repository/shop"),
			calls("*", nil, "ecr:DescribeRegistry", "ecr:GetRegistryPolicy"),
		)
	}
	yes := []string{"true"}
	return flat(
		cases("", Args{"repositories": {"shop"}}, flat(login, pull(shop)),
			flat(never(shop), list(shop), pull(web), pull(registry+"shop2"), pull(shop+"/sub"))),
		cases("repository", Args{"repositories": {"shop"}, "list": yes}, list(shop), list(web)),
		cases("prefix", Args{"prefixes": {"team"}, "list": yes}, flat(login, pull(web), list(web)),
			flat(never(web), pull(shop), pull(registry+"team"), pull(registry+"teamster/web"))),
		cases("registry", Args{"list": yes}, flat(login, pull(shop), pull(web), list(shop)), never(shop)),
	)
}
