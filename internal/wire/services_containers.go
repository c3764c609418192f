package wire

func ecr() service {
	const repository = "arn:{partition}:ecr:{region}:{account}:repository/{repositoryName...}"
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	image := map[string]string{"imageIds.0.imageTag": "latest"}
	return service{
		name: "ecr", protocol: JSON, target: "AmazonEC2ContainerRegistry_V20150921", contentType: json11, owner: "registryId",
		operations: []operation{
			{action: "GetAuthorizationToken", resource: "*", reply: `{"authorizationData":[]}`},
			{action: "DescribeImages", resource: repository, reply: `{"imageDetails":[]}`},
			{action: "DescribeRepositories", resource: "arn:{partition}:ecr:{region}:{account}:repository/{repositoryNames.*...=*}", reply: `{"repositories":[]}`},
			{action: "ListImages", resource: repository, reply: `{"imageIds":[]}`},
			{action: "BatchGetImage", resource: repository, fill: image, reply: `{"images":[],"failures":[]}`},
			{action: "BatchCheckLayerAvailability", resource: repository, fill: map[string]string{"layerDigests.0": digest}, reply: `{"layers":[],"failures":[]}`},
			{action: "GetDownloadUrlForLayer", resource: repository, fill: map[string]string{"layerDigest": digest}},
			{action: "InitiateLayerUpload", resource: repository, reply: `{"uploadId":"00000000-0000-0000-0000-000000000000","partSize":10485760}`},
			{action: "UploadLayerPart", resource: repository},
			{action: "CompleteLayerUpload", resource: repository},
			{action: "PutImage", resource: repository, fill: map[string]string{"imageManifest": "{}", "imageTag": "latest"}},
			{action: "DescribeImageScanFindings", resource: repository, fill: map[string]string{"imageId.imageTag": "latest"}},
			{action: "BatchDeleteImage", resource: repository, fill: image, reply: `{"imageIds":[],"failures":[]}`},
			{action: "CreateRepository", resource: repository},
			{action: "DeleteRepository", resource: repository},
			{action: "GetRepositoryPolicy", resource: repository},
			{action: "SetRepositoryPolicy", resource: repository, fill: map[string]string{"policyText": "{}"}},
			{action: "GetLifecyclePolicy", resource: repository},
			{action: "PutLifecyclePolicy", resource: repository, fill: map[string]string{"lifecyclePolicyText": "{}"}},
			{action: "PutImageTagMutability", resource: repository, fill: map[string]string{"imageTagMutability": "MUTABLE"}},
		},
	}
}

func ecs() service {
	const (
		arn        = "arn:{partition}:ecs:{region}:{account}:"
		cluster    = arn + "cluster/{cluster=default}"
		definition = arn + "task-definition/{taskDefinition...}"
	)
	// Roles of ECS's own with which it works on volumes and load balancers.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/infrastructure_IAM_role.html
	volumes := passRole("volumeConfigurations.*.managedEBSVolume.roleArn", "ecs")
	lattice := passRole("vpcLatticeConfigurations.*.roleArn", "ecs")
	balancers := passRole("loadBalancers.*.advancedConfiguration.roleArn", "ecs")
	in := map[string]string{"ecs:cluster": cluster}
	runs := map[string]string{"ecs:cluster": cluster, "ecs:task-definition": definition}
	tag := func(by, resource string) need {
		return need{action: "ecs:TagResource", resource: resource, context: map[string]string{"ecs:CreateAction": by}, given: "tags"}
	}
	return service{
		name: "ecs", protocol: JSON, target: "AmazonEC2ContainerServiceV20141113", contentType: json11,
		operations: []operation{
			{action: "DescribeServices", resource: arn + "service/{cluster=default}/{services.*}", context: in, reply: `{"services":[],"failures":[]}`},
			{action: "UpdateService", resource: arn + "service/{cluster=default}/{service}", context: runs, reply: `{"service":{}}`, needs: []need{volumes, lattice, balancers}},
			{
				action: "CreateService", resource: arn + "service/{cluster=default}/{serviceName}", context: runs, reply: `{"service":{}}`,
				tags: "tags.*", needs: []need{tag("CreateService", arn+"service/{cluster=default}/{serviceName}"), passRole("role", "ecs"), volumes, lattice, balancers},
			},
			{action: "DeleteService", resource: arn + "service/{cluster=default}/{service}", context: in, reply: `{"service":{}}`},
			{action: "DescribeTaskDefinition", resource: "*", fill: map[string]string{"taskDefinition": "postern"}, reply: `{"taskDefinition":{}}`},
			{action: "ListTaskDefinitions", resource: "*", reply: `{"taskDefinitionArns":[]}`},
			{action: "DeregisterTaskDefinition", resource: "*", fill: map[string]string{"taskDefinition": "postern:1"}, reply: `{"taskDefinition":{}}`},
			{
				action: "RegisterTaskDefinition", resource: arn + "task-definition/{family}:{_=*}", fill: map[string]string{"family": "postern"}, reply: `{"taskDefinition":{}}`,
				tags: "tags.*", needs: []need{
					passRole("taskRoleArn", "ecs-tasks"), passRole("executionRoleArn", "ecs-tasks"),
					tag("RegisterTaskDefinition", arn+"task-definition/{family}:{_=*}"),
				},
			},
			// Without a container instance, AWS judges ListTasks on all of the cluster's.
			{action: "ListTasks", resource: arn + "container-instance/{cluster=default}/{_=*}", context: in, reply: `{"taskArns":[]}`},
			{action: "DescribeTasks", resource: arn + "task/{cluster=default}/{tasks.*}", context: in, reply: `{"tasks":[{"lastStatus":"STOPPED"}],"failures":[]}`},
			{action: "DescribeServiceDeployments", resource: arn + "service-deployment/{serviceDeploymentArns.*...}", reply: `{"serviceDeployments":[],"failures":[]}`},
			{action: "ListServiceDeployments", resource: arn + "service/{cluster=default}/{service}", context: in, reply: `{"serviceDeployments":[]}`},
			{
				action: "RunTask", resource: definition, context: in, reply: `{"tasks":[],"failures":[]}`,
				tags: "tags.*", needs: []need{
					volumes, passRole("overrides.taskRoleArn", "ecs-tasks"), passRole("overrides.executionRoleArn", "ecs-tasks"),
					tag("RunTask", arn+"task/{cluster=default}/{_=*}"),
				},
			},
			{action: "StopTask", resource: arn + "task/{cluster=default}/{task}", context: in, reply: `{"task":{}}`},
			{action: "DescribeClusters", resource: arn + "cluster/{clusters.*=default}", reply: `{"clusters":[],"failures":[]}`},
			{action: "CreateCluster", resource: arn + "cluster/{clusterName=default}", reply: `{"cluster":{}}`},
			{action: "DeleteCluster", resource: cluster, reply: `{"cluster":{}}`},
		},
	}
}

func eks() service {
	const (
		arn     = "arn:{partition}:eks:{region}:{account}:"
		cluster = arn + "cluster/{name}"
		of      = "/clusters/{name}"
	)
	// The ARN of what is in a cluster ends in an id that no request has.
	below := func(kind, name string) string { return arn + kind + "/{name}/{" + name + "}/{_=*}" }
	return service{
		name: "eks", protocol: RESTJSON,
		operations: []operation{
			{action: "DescribeCluster", resource: cluster, method: "GET", path: of, reply: `{"cluster":{}}`},
			{action: "ListClusters", resource: "*", method: "GET", path: "/clusters", reply: `{"clusters":[]}`},
			{action: "DeleteCluster", resource: cluster, method: "DELETE", path: of, reply: `{"cluster":{}}`},
			{action: "UpdateClusterConfig", resource: cluster, method: "POST", path: of + "/update-config", reply: `{"update":{}}`},
			{action: "ListNodegroups", resource: cluster, method: "GET", path: of + "/node-groups", reply: `{"nodegroups":[]}`},
			{action: "DescribeNodegroup", resource: below("nodegroup", "nodegroupName"), method: "GET", path: of + "/node-groups/{nodegroupName}", reply: `{"nodegroup":{}}`},
			{action: "ListAddons", resource: cluster, method: "GET", path: of + "/addons", reply: `{"addons":[]}`},
			{action: "DescribeAddon", resource: below("addon", "addonName"), method: "GET", path: of + "/addons/{addonName}", reply: `{"addon":{}}`},
			{action: "ListFargateProfiles", resource: cluster, method: "GET", path: of + "/fargate-profiles", reply: `{"fargateProfileNames":[]}`},
			{action: "DescribeFargateProfile", resource: below("fargateprofile", "fargateProfileName"), method: "GET", path: of + "/fargate-profiles/{fargateProfileName}"},
			{action: "CreateAccessEntry", resource: cluster, method: "POST", path: of + "/access-entries", reply: `{"accessEntry":{}}`},
		},
	}
}

// lambda fetches a package from S3 with the caller's permissions.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
func lambda() service {
	const (
		arn      = "arn:{partition}:lambda:{region}:{account}:"
		function = arn + "function:{FunctionName}"
		version  = function + ":{Qualifier}"
		of       = "/2015-03-31/functions/{FunctionName}"
	)
	fetch := func(under string) []need {
		const object = "arn:{partition}:s3:::"
		named := object + "{" + under + "S3Bucket}/{" + under + "S3Key...}"
		return []need{
			{action: "s3:GetObject", resource: named, given: under + "S3Key"},
			{action: "s3:GetObjectVersion", resource: named, given: under + "S3ObjectVersion"},
		}
	}
	layers := need{action: "lambda:GetLayerVersion", resource: arn + "layer:{Layers.*...}"}
	role := passRole("Role", "lambda")
	return service{
		name: "lambda", protocol: RESTJSON,
		operations: []operation{
			{action: "GetFunction", name: "GetFunction (qualified)", resource: version, method: "GET", path: of, query: "Qualifier=1", reply: `{"Configuration":{}}`},
			{action: "GetFunctionConfiguration", name: "GetFunctionConfiguration (qualified)", resource: version, method: "GET", path: of + "/configuration", query: "Qualifier=1"},
			{action: "GetFunction", resource: function, method: "GET", path: of, reply: `{"Configuration":{}}`},
			{action: "GetFunctionConfiguration", resource: function, method: "GET", path: of + "/configuration"},
			{action: "UpdateFunctionCode", resource: function, method: "PUT", path: of + "/code", needs: fetch("")},
			{
				action: "UpdateFunctionConfiguration", resource: function, method: "PUT", path: of + "/configuration",
				context: map[string]string{"lambda:Layer": "{Layers.*...}"}, needs: []need{role, layers},
			},
			{action: "PublishVersion", resource: function, method: "POST", path: of + "/versions"},
			{action: "ListVersionsByFunction", resource: function, method: "GET", path: of + "/versions", reply: `{"Versions":[]}`},
			{action: "GetAlias", resource: function, method: "GET", path: of + "/aliases/{Name}"},
			{action: "CreateAlias", resource: function, method: "POST", path: of + "/aliases"},
			{action: "UpdateAlias", resource: function, method: "PUT", path: of + "/aliases/{Name}"},
			{
				action: "CreateFunction", resource: function, method: "POST", path: "/2015-03-31/functions", tags: "Tags",
				context: map[string]string{"lambda:Layer": "{Layers.*...}"},
				needs:   append(fetch("Code."), role, layers, need{action: "lambda:TagResource", resource: function, given: "Tags"}),
			},
			{action: "DeleteFunction", resource: function, method: "DELETE", path: of},
			{action: "InvokeFunction", name: "Invoke", resource: function, method: "POST", path: of + "/invocations"},
			{action: "AddPermission", resource: function, method: "POST", path: of + "/policy"},
			{action: "GetPolicy", resource: function, method: "GET", path: of + "/policy"},
			{action: "GetFunctionUrlConfig", resource: function, method: "GET", path: "/2021-10-31/functions/{FunctionName}/url"},
			{action: "PutFunctionConcurrency", resource: function, method: "PUT", path: "/2017-10-31/functions/{FunctionName}/concurrency"},
			{action: "ListFunctions", resource: "*", method: "GET", path: "/2015-03-31/functions", reply: `{"Functions":[]}`},
		},
	}
}
