package wire

import "strings"

// services is the table. Operations are those that the catalogue's roles make
// and those that their tests must see refused.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func services() []service {
	return []service{
		ecr(), ecs(), dynamodb(), secretsManager(), ssm(), kms(), s3(), ec2(), autoScaling(), iamService(), stsService(),
	}
}

const json11 = "application/x-amz-json-1.1"

func ecr() service {
	const repository = "arn:{partition}:ecr:{region}:{account}:repository/{repositoryName...}"
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	image := map[string]string{"imageIds.0.imageTag": "latest"}
	return service{
		name: "ecr", protocol: JSON, target: "AmazonEC2ContainerRegistry_V20150921", contentType: json11,
		operations: []operation{
			{action: "GetAuthorizationToken", resource: "*", reply: `{"authorizationData":[]}`},
			{action: "DescribeImages", resource: repository, reply: `{"imageDetails":[]}`},
			{action: "DescribeRepositories", resource: "arn:{partition}:ecr:{region}:{account}:repository/{repositoryNames.0...=*}", reply: `{"repositories":[]}`},
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
	in := map[string]string{"ecs:cluster": cluster}
	return service{
		name: "ecs", protocol: JSON, target: "AmazonEC2ContainerServiceV20141113", contentType: json11,
		operations: []operation{
			{action: "DescribeServices", resource: arn + "service/{cluster=default}/{services.0}", context: in, reply: `{"services":[],"failures":[]}`},
			{action: "UpdateService", resource: arn + "service/{cluster=default}/{service}", context: in, reply: `{"service":{}}`},
			{action: "CreateService", resource: arn + "service/{cluster=default}/{serviceName}", context: in, reply: `{"service":{}}`},
			{action: "DeleteService", resource: arn + "service/{cluster=default}/{service}", context: in, reply: `{"service":{}}`},
			{action: "DescribeTaskDefinition", resource: "*", fill: map[string]string{"taskDefinition": "postern"}, reply: `{"taskDefinition":{}}`},
			{action: "ListTaskDefinitions", resource: "*", reply: `{"taskDefinitionArns":[]}`},
			{action: "DeregisterTaskDefinition", resource: "*", fill: map[string]string{"taskDefinition": "postern:1"}, reply: `{"taskDefinition":{}}`},
			{action: "RegisterTaskDefinition", resource: arn + "task-definition/{family}:{_=*}", fill: map[string]string{"family": "postern"}, reply: `{"taskDefinition":{}}`},
			// Without a container instance, AWS judges ListTasks on all of the cluster's.
			{action: "ListTasks", resource: arn + "container-instance/{cluster=default}/{_=*}", context: in, reply: `{"taskArns":[]}`},
			{action: "DescribeTasks", resource: arn + "task/{cluster=default}/{tasks.0}", context: in, reply: `{"tasks":[],"failures":[]}`},
			{action: "ListServiceDeployments", resource: arn + "service/{cluster=default}/{service}", context: in, reply: `{"serviceDeployments":[]}`},
			{action: "RunTask", resource: definition, context: in, reply: `{"tasks":[],"failures":[]}`},
			{action: "DescribeClusters", resource: arn + "cluster/{clusters.0=default}", reply: `{"clusters":[],"failures":[]}`},
			{action: "CreateCluster", resource: arn + "cluster/{clusterName=default}", reply: `{"cluster":{}}`},
			{action: "DeleteCluster", resource: cluster, reply: `{"cluster":{}}`},
		},
	}
}

func dynamodb() service {
	const table = "arn:{partition}:dynamodb:{region}:{account}:table/{TableName}"
	key := map[string]string{"Key.LockID.S": "postern"}
	byKey := map[string]string{"dynamodb:LeadingKeys": "{Key.LockID.S...}"}
	return service{
		name: "dynamodb", protocol: JSON, target: "DynamoDB_20120810", contentType: "application/x-amz-json-1.0",
		operations: []operation{
			{action: "GetItem", resource: table, context: byKey, fill: key},
			{action: "PutItem", resource: table, context: map[string]string{"dynamodb:LeadingKeys": "{Item.LockID.S...}"}, fill: map[string]string{"Item.LockID.S": "postern"}},
			{action: "UpdateItem", resource: table, context: byKey, fill: key},
			{action: "DeleteItem", resource: table, context: byKey, fill: key},
			{action: "Query", resource: table, reply: `{"Items":[],"Count":0,"ScannedCount":0}`},
			{action: "Scan", resource: table, reply: `{"Items":[],"Count":0,"ScannedCount":0}`},
			{action: "DescribeTable", resource: table, reply: `{"Table":{}}`},
			{action: "CreateTable", resource: table, reply: `{"TableDescription":{}}`},
			{action: "DeleteTable", resource: table, reply: `{"TableDescription":{}}`},
		},
	}
}

// secretSuffix stands for the six characters that Secrets Manager appends to a
// secret's name in its ARN, for requests that give the name alone.
const secretSuffix = "-000000"

func secretsManager() service {
	const secret = "arn:{partition}:secretsmanager:{region}:{account}:secret:{SecretId...}"
	suffixed := func(name string) string { return name + secretSuffix }
	// A request by ARN would need the ARN here; a name finds the same secret.
	bare := func(name string) string {
		if i := len(name) - len(secretSuffix); i > 0 && name[i] == '-' {
			return name[:i]
		}
		return name
	}
	return service{
		name: "secretsmanager", protocol: JSON, target: "secretsmanager", contentType: json11,
		operations: []operation{
			{action: "GetSecretValue", resource: secret, named: suffixed, given: bare, reply: `{"SecretString":""}`},
			{action: "DescribeSecret", resource: secret, named: suffixed, given: bare},
			{action: "PutSecretValue", resource: secret, named: suffixed, given: bare, fill: map[string]string{"SecretString": "postern"}},
			{action: "DeleteSecret", resource: secret, named: suffixed, given: bare},
		},
	}
}

func ssm() service {
	const parameter = "arn:{partition}:ssm:{region}:{account}:parameter/{Name...}"
	rootless := func(name string) string { return strings.TrimPrefix(name, "/") }
	rooted := func(name string) string {
		if strings.Contains(name, "/") {
			return "/" + name
		}
		return name
	}
	return service{
		name: "ssm", protocol: JSON, target: "AmazonSSM", contentType: json11,
		operations: []operation{
			{action: "GetParameter", resource: parameter, named: rootless, given: rooted, reply: `{"Parameter":{}}`},
			{action: "PutParameter", resource: parameter, named: rootless, given: rooted, fill: map[string]string{"Value": "postern"}, reply: `{"Version":1}`},
			{action: "DeleteParameter", resource: parameter, named: rootless, given: rooted},
		},
	}
}

func kms() service {
	const key = "arn:{partition}:kms:{region}:{account}:key/{KeyId}"
	return service{
		name: "kms", protocol: JSON, target: "TrentService", contentType: json11,
		operations: []operation{
			// A real Decrypt may leave the key to the ciphertext, which means nothing here.
			{action: "Decrypt", resource: key, fill: map[string]string{"CiphertextBlob": "cG9zdGVybg=="}, reply: `{"Plaintext":""}`},
			{action: "Encrypt", resource: key, fill: map[string]string{"Plaintext": "cG9zdGVybg=="}, reply: `{"CiphertextBlob":""}`},
			{action: "GenerateDataKey", resource: key, fill: map[string]string{"KeySpec": "AES_256"}, reply: `{"Plaintext":"","CiphertextBlob":""}`},
			{action: "DescribeKey", resource: key, reply: `{"KeyMetadata":{"KeyId":""}}`},
			{action: "ScheduleKeyDeletion", resource: key},
		},
	}
}

func s3() service {
	const (
		bucket = "arn:{partition}:s3:::{bucket}"
		object = bucket + "/{key...}"
		list   = `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>`
	)
	listed := map[string]string{"s3:prefix": "{prefix...}", "s3:delimiter": "{delimiter...}", "s3:max-keys": "{max-keys...}"}
	return service{
		name: "s3", protocol: RESTS3,
		// Operations with a marker in the query stand before those without.
		operations: []operation{
			{action: "ListBucket", name: "ListObjectsV2", resource: bucket, method: "GET", query: "list-type=2", context: listed, reply: list},
			{action: "GetBucketVersioning", resource: bucket, method: "GET", query: "versioning=", reply: `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutBucketVersioning", resource: bucket, method: "PUT", query: "versioning="},
			{action: "GetBucketLocation", resource: bucket, method: "GET", query: "location=", reply: `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "GetBucketPolicy", resource: bucket, method: "GET", query: "policy=", reply: `{}`},
			{action: "PutBucketPolicy", resource: bucket, method: "PUT", query: "policy="},
			{action: "DeleteBucketPolicy", resource: bucket, method: "DELETE", query: "policy="},
			{action: "GetBucketPublicAccessBlock", resource: bucket, method: "GET", query: "publicAccessBlock=", reply: `<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutBucketPublicAccessBlock", resource: bucket, method: "PUT", query: "publicAccessBlock="},
			{action: "GetEncryptionConfiguration", resource: bucket, method: "GET", query: "encryption=", reply: `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutEncryptionConfiguration", resource: bucket, method: "PUT", query: "encryption="},
			{action: "PutLifecycleConfiguration", resource: bucket, method: "PUT", query: "lifecycle="},
			{action: "PutBucketTagging", resource: bucket, method: "PUT", query: "tagging="},
			{action: "PutBucketAcl", resource: bucket, method: "PUT", query: "acl="},
			{action: "PutBucketOwnershipControls", resource: bucket, method: "PUT", query: "ownershipControls="},
			{action: "ListBucket", name: "HeadBucket", resource: bucket, method: "HEAD"},
			{action: "ListBucket", name: "ListObjects", resource: bucket, method: "GET", context: listed, reply: list},
			{action: "CreateBucket", resource: bucket, method: "PUT"},
			{action: "DeleteBucket", resource: bucket, method: "DELETE"},
			{action: "GetObjectVersion", name: "GetObject", resource: object, method: "GET", query: "versionId=null"},
			{action: "PutObjectAcl", resource: object, method: "PUT", query: "acl="},
			{action: "DeleteObjectVersion", name: "DeleteObject", resource: object, method: "DELETE", query: "versionId=null"},
			{action: "GetObject", resource: object, method: "GET"},
			{action: "GetObject", name: "HeadObject", resource: object, method: "HEAD"},
			{action: "PutObject", resource: object, method: "PUT"},
			{action: "DeleteObject", resource: object, method: "DELETE"},
		},
	}
}

func ec2() service {
	const instance = "arn:{partition}:ec2:{region}:{account}:instance/{InstanceId.1}"
	return service{
		name: "ec2", protocol: EC2, version: "2016-11-15", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
		operations: []operation{
			{action: "DescribeInstances", resource: "*", reply: "<reservationSet/>"},
			{action: "DescribeTags", resource: "*", reply: "<tagSet/>"},
			{action: "DescribeImages", resource: "*", reply: "<imagesSet/>"},
			{action: "DescribeInstanceStatus", resource: "*", reply: "<instanceStatusSet/>"},
			{action: "DescribeVolumes", resource: "*", reply: "<volumeSet/>"},
			{action: "DescribeLaunchTemplates", resource: "*", reply: "<launchTemplates/>"},
			{action: "DescribeLaunchTemplateVersions", resource: "*", reply: "<launchTemplateVersionSet/>"},
			{action: "TerminateInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "StopInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "StartInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "RebootInstances", resource: instance, reply: "<return>true</return>"},
		},
	}
}

func autoScaling() service {
	const group = "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:{_=00000000-0000-0000-0000-000000000000}:autoScalingGroupName/{AutoScalingGroupName...}"
	return service{
		name: "autoscaling", protocol: Query, version: "2011-01-01", namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
		operations: []operation{
			{action: "DescribeAutoScalingGroups", resource: "*", reply: "<AutoScalingGroups/>"},
			{action: "DescribeInstanceRefreshes", resource: "*", fill: map[string]string{"AutoScalingGroupName": "postern"}, reply: "<InstanceRefreshes/>"},
			{action: "DescribeScalingActivities", resource: "*", reply: "<Activities/>"},
			{action: "StartInstanceRefresh", resource: group, reply: "<InstanceRefreshId>00000000-0000-0000-0000-000000000000</InstanceRefreshId>"},
			{action: "CancelInstanceRefresh", resource: group},
			{action: "RollbackInstanceRefresh", resource: group},
			{action: "UpdateAutoScalingGroup", resource: group},
			{action: "SetDesiredCapacity", resource: group, fill: map[string]string{"DesiredCapacity": "1"}},
			{action: "CreateAutoScalingGroup", resource: group, fill: map[string]string{"MinSize": "0", "MaxSize": "0"}},
			{action: "DeleteAutoScalingGroup", resource: group},
		},
	}
}

// iamService serves Build: the sandbox has operations of its own for IAM. A
// user's path stands in no request, so Read leaves it out.
func iamService() service {
	const (
		arn    = "arn:{partition}:iam::{account}:"
		user   = arn + "user/{_...=}{UserName}"
		group  = arn + "group/{_...=}{GroupName}"
		role   = arn + "role/{_...=}{RoleName}"
		policy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	)
	inline := map[string]string{"PolicyName": "postern", "PolicyDocument": policy}
	managed := map[string]string{"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}
	return service{
		name: "iam", protocol: Query, version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		operations: []operation{
			{action: "GetUser", resource: user},
			{action: "CreateUser", resource: user},
			{action: "DeleteUser", resource: user},
			{action: "ListUsers", resource: "*"},
			{action: "ListAccessKeys", resource: user},
			{action: "CreateAccessKey", resource: user},
			{action: "ListSSHPublicKeys", resource: user},
			{action: "GetSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyId": "APKA0000000000000000", "Encoding": "SSH"}},
			{action: "UploadSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyBody": "postern"}},
			{action: "PutUserPolicy", resource: user, fill: inline},
			{action: "AttachUserPolicy", resource: user, fill: managed},
			{action: "GetGroup", resource: group},
			{action: "ListGroups", resource: "*"},
			{action: "AddUserToGroup", resource: group, fill: map[string]string{"UserName": "postern"}},
			{action: "GetRole", resource: role},
			{action: "CreateRole", resource: role, fill: map[string]string{"AssumeRolePolicyDocument": policy}},
			{action: "DeleteRole", resource: role},
			{action: "ListRoles", resource: "*"},
			{action: "PutRolePolicy", resource: role, fill: inline},
			{action: "AttachRolePolicy", resource: role, fill: managed},
			{action: "UpdateAssumeRolePolicy", resource: role, fill: map[string]string{"PolicyDocument": policy}},
		},
	}
}

func stsService() service {
	return service{
		name: "sts", protocol: Query, version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		operations: []operation{
			{action: "GetCallerIdentity", resource: "*"},
			{action: "AssumeRole", resource: "{RoleArn...}", fill: map[string]string{"RoleSessionName": "postern"}},
		},
	}
}
