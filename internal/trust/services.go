package trust

// principal is one AWS service that assumes roles which customers make.
// Service-linked roles are AWS's own and not here.
type principal struct {
	name string // before ".amazonaws.com"

	// account says that the service sends aws:SourceAccount when it assumes a
	// role. A condition on a key that is not sent never holds, so what its
	// documentation does not show is taken as not sent.
	account bool

	// arn is the service segment of the aws:SourceArn it sends; empty: none.
	arn string

	// china says that its name in aws-cn ends in .amazonaws.com.cn. Most end in
	// .amazonaws.com everywhere.
	china bool
}

// sends describes the usual service that protects against the confused deputy:
// it sends both keys.
func sends(name, arn string) principal { return principal{name: name, account: true, arn: arn} }

// silent describes a service that sends neither key when it assumes a role.
func silent(name string) principal { return principal{name: name} }

// principals are the services, by name. Which keys they send is what the
// confused-deputy page of each service's guide shows for the trust policy of
// its role; names in China are those reported to IAM's validation by
// https://github.com/hashicorp/terraform-provider-aws/pull/47141 and
// https://github.com/aws/aws-cdk/pull/20014.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
var principals = []principal{
	sends("airflow", "airflow"),
	sends("airflow-env", "airflow"),
	sends("amplify", "amplify"),
	silent("apigateway"),
	silent("application-autoscaling"),
	sends("appstream", "appstream"),
	sends("appsync", "appsync"),
	silent("athena"),
	sends("autoscaling", "autoscaling"),
	silent("backup"),
	sends("batch", "batch"),
	silent("batchoperations.s3"),
	sends("bedrock", "bedrock"),
	sends("bedrock-agentcore", "bedrock-agentcore"),
	silent("build.apprunner"),
	silent("chatbot"),
	silent("cloudformation"), // stack roles; StackSets alone sends the keys
	silent("cloudtrail"),
	sends("codebuild", "codebuild"),
	{name: "codedeploy", china: true},
	sends("codepipeline", "codepipeline"),
	sends("cognito-idp", "cognito-idp"),
	silent("comprehend"),
	{name: "config", account: true},
	silent("connect"),
	silent("credentials.iot"),
	silent("databrew"),
	silent("datapipeline"),
	sends("datasync", "datasync"),
	silent("dax"),
	sends("dlm", "dlm"),
	sends("dms", "dms"),
	silent("ds"),
	{name: "ec2", china: true},
	silent("ecs"),
	sends("ecs-tasks", "ecs"),
	silent("edgelambda"),
	{name: "eks", arn: "eks"},
	{name: "eks-fargate-pods", arn: "eks"},
	silent("elasticbeanstalk"),
	{name: "elasticmapreduce", account: true, arn: "elasticmapreduce", china: true},
	silent("elastictranscoder"),
	sends("emr-serverless", "emr-serverless"),
	sends("events", "events"),
	silent("export.rds"),
	silent("firehose"),
	sends("fis", "fis"),
	silent("forecast"),
	silent("glue"),
	silent("grafana"),
	sends("greengrass", "greengrass"),
	silent("imagebuilder"),
	silent("inspector"),
	sends("iot", "iot"),
	silent("iotevents"),
	silent("ivs"),
	silent("kafka"),
	sends("kafkaconnect", "kafkaconnect"),
	sends("kendra", "kendra"),
	silent("kinesis"),
	sends("kinesisanalytics", "kinesisanalytics"),
	silent("lakeformation"),
	silent("lambda"), // its guide: aws:SourceArn is for policies on the function
	sends("lexv2", "lex"),
	{name: "logs", arn: "logs", china: true},
	silent("malware-protection-plan.guardduty"),
	silent("mediaconvert"),
	silent("medialive"),
	silent("mediapackage"),
	sends("monitoring.rds", "rds"),
	silent("opensearchservice"),
	sends("osis-pipelines", "osis"),
	sends("personalize", "personalize"),
	sends("pipes", "pipes"),
	silent("quicksight"),
	sends("rds", "rds"),
	silent("redshift"),
	silent("redshift-serverless"),
	silent("rekognition"),
	silent("s3"),
	sends("sagemaker", "sagemaker"),
	sends("scheduler", "scheduler"),
	silent("scheduler.redshift"),
	silent("securitylake"),
	silent("servicecatalog"),
	silent("ses"),
	sends("sms-voice", "sms-voice"),
	silent("sns"),
	sends("spotfleet", "ec2"),
	sends("ssm", "ssm"),
	silent("ssm-incidents"),
	sends("states", "states"),
	silent("storagegateway"),
	silent("streams.metrics.cloudwatch"),
	silent("tasks.apprunner"),
	silent("textract"),
	silent("timestream"),
	silent("transcribe"),
	sends("transfer", "transfer"),
	silent("translate"),
	sends("vpc-flow-logs", "ec2"),
	silent("workspaces"),
	silent("xray"),
}

// standIns are words for things that run under another service's principal, or
// whose principal has another name, with what to write for them.
var standIns = map[string]string{
	"api-gateway":   "apigateway",
	"cloudwatch":    "events, or streams.metrics.cloudwatch for metric streams",
	"cognito":       "cognito-idp",
	"emr":           "elasticmapreduce",
	"eventbridge":   "events, scheduler or pipes",
	"fargate":       "ecs-tasks, or eks-fargate-pods for EKS",
	"stepfunctions": "states",
	"synthetics":    "lambda, which runs the canaries",
}

// withKinds are services that act for whom they say, and alone for anyone, with
// the identity to declare in their place.
var withKinds = map[string]string{
	"irsa":          "kubernetes: { issuer: ..., namespace: ..., service_account: ... }",
	"pods.eks":      "eks_pod_identity: { cluster_arn: ..., namespace: ..., service_account: ... }",
	"rolesanywhere": "roles_anywhere: { trust_anchor: ..., common_name: ... }",
}

// named returns the principal of a short name.
func named(name string) (principal, bool) {
	for _, p := range principals {
		if p.name == name {
			return p, true
		}
	}
	return principal{}, false
}

// Services returns the short names of all service principals that Postern
// knows, sorted.
func Services() []string {
	names := make([]string, len(principals))
	for i, p := range principals {
		names[i] = p.name
	}
	return names
}

// in returns the service's principal as the partition spells it.
func (p principal) in(partition string) string {
	if p.china {
		return p.name + "." + suffix(partition)
	}
	return p.name + "." + suffix("aws")
}

// suffix is the partition's DNS suffix.
func suffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
