package catalog

import "sync"

// planRead is one call by which Terraform's AWS provider refreshes a resource.
type planRead struct {
	action string // without its service
	on     string // what it is about, after region and account; empty: it knows no resource
	of     string // the provider's resource
	shows  string // what secret it may show; empty: none
}

const rdsTags = "aws_db_instance, parameter groups, aws_db_subnet_group: tags"

// planServices are the services that terraform-plan may read, with what the
// provider calls to refresh the commonest of their resources. A call stands
// here with what it shows if its answer may hold a secret: variables, user data,
// code, headers that serve as passwords. Calls whose whole purpose is a secret
// stand nowhere: values of secrets and parameters, objects, log events, items,
// messages, pre-shared keys of VPNs (ec2:DescribeVpnConnections).
//
// https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service
var planServices = sync.OnceValue(func() map[string][]planRead {
	return map[string][]planRead{
		"acm": {
			{"DescribeCertificate", "certificate/*", "aws_acm_certificate", ""},
			{"ListTagsForCertificate", "certificate/*", "aws_acm_certificate: tags", ""},
		},
		"autoscaling": {
			{"DescribeAutoScalingGroups", "", "aws_autoscaling_group", ""},
			{"DescribeLaunchConfigurations", "", "aws_launch_configuration", "user data"},
			{"DescribeLifecycleHooks", "", "aws_autoscaling_lifecycle_hook", ""},
			{"DescribePolicies", "", "aws_autoscaling_policy", ""},
			{"DescribeScheduledActions", "", "aws_autoscaling_schedule", ""},
			{"DescribeTags", "", "aws_autoscaling_group_tag", ""},
			{"DescribeTrafficSources", "", "aws_autoscaling_traffic_source_attachment", ""},
			{"DescribeWarmPool", "", "aws_autoscaling_group: warm pool", ""},
		},
		"cloudfront": {
			{"DescribeFunction", "function/*", "aws_cloudfront_function", ""},
			{"GetCachePolicy", "cache-policy/*", "aws_cloudfront_cache_policy", ""},
			{"GetDistribution", "distribution/*", "aws_cloudfront_distribution", "headers that origins know CloudFront by"},
			{"GetFunction", "function/*", "aws_cloudfront_function: code", "code"},
			{"GetOriginAccessControl", "origin-access-control/*", "aws_cloudfront_origin_access_control", ""},
			{"GetOriginRequestPolicy", "origin-request-policy/*", "aws_cloudfront_origin_request_policy", ""},
			{"GetResponseHeadersPolicy", "response-headers-policy/*", "aws_cloudfront_response_headers_policy", ""},
			{"ListTagsForResource", "distribution/*", "aws_cloudfront_distribution: tags", ""},
		},
		"cloudwatch": {
			{"DescribeAlarms", "alarm:*", "aws_cloudwatch_metric_alarm", ""},
			{"ListTagsForResource", "alarm:*", "aws_cloudwatch_metric_alarm: tags", ""},
		},
		"dynamodb": {
			{"DescribeContinuousBackups", "table/*", "aws_dynamodb_table: recovery", ""},
			{"DescribeTable", "table/*", "aws_dynamodb_table", ""},
			{"DescribeTimeToLive", "table/*", "aws_dynamodb_table: time to live", ""},
			{"ListTagsOfResource", "table/*", "aws_dynamodb_table: tags", ""},
		},
		"ec2": {
			{"DescribeAddresses", "", "aws_eip", ""},
			{"DescribeAddressesAttribute", "", "aws_eip: reverse names", ""},
			{"DescribeAvailabilityZones", "", "data aws_availability_zones", ""},
			{"DescribeDhcpOptions", "", "aws_vpc_dhcp_options", ""},
			{"DescribeFlowLogs", "", "aws_flow_log", ""},
			{"DescribeImages", "", "data aws_ami", ""},
			{"DescribeInstanceAttribute", "instance/*", "aws_instance: its user data", "user data"},
			{"DescribeInstanceCreditSpecifications", "", "aws_instance: CPU credits", ""},
			{"DescribeInstanceTypes", "", "aws_instance: its type", ""},
			{"DescribeInstances", "", "aws_instance", ""},
			{"DescribeInternetGateways", "", "aws_internet_gateway", ""},
			{"DescribeKeyPairs", "", "aws_key_pair", ""},
			{"DescribeLaunchTemplateVersions", "", "aws_launch_template", "user data"},
			{"DescribeLaunchTemplates", "", "aws_launch_template", ""},
			{"DescribeManagedPrefixLists", "", "aws_ec2_managed_prefix_list", ""},
			{"DescribeNatGateways", "", "aws_nat_gateway", ""},
			{"DescribeNetworkAcls", "", "aws_network_acl", ""},
			{"DescribeNetworkInterfaces", "", "aws_network_interface", ""},
			{"DescribePrefixLists", "", "aws_vpc_endpoint: its prefix list", ""},
			{"DescribeRouteTables", "", "aws_route_table, aws_route", ""},
			{"DescribeSecurityGroupRules", "", "aws_vpc_security_group_ingress_rule", ""},
			{"DescribeSecurityGroups", "", "aws_security_group", ""},
			{"DescribeSubnets", "", "aws_subnet", ""},
			{"DescribeTags", "", "aws_instance: tags of its volumes", ""},
			{"DescribeVolumes", "", "aws_ebs_volume, aws_instance", ""},
			{"DescribeVpcAttribute", "vpc/*", "aws_vpc: its DNS settings", ""},
			{"DescribeVpcEndpoints", "", "aws_vpc_endpoint", ""},
			{"DescribeVpcPeeringConnections", "", "aws_vpc_peering_connection", ""},
			{"DescribeVpcs", "", "aws_vpc", ""},
			{"GetManagedPrefixListEntries", "prefix-list/*", "aws_ec2_managed_prefix_list: entries", ""},
		},
		"ecr": {
			{"DescribeRepositories", "repository/*", "aws_ecr_repository", ""},
			{"GetLifecyclePolicy", "repository/*", "aws_ecr_lifecycle_policy", ""},
			{"GetRepositoryPolicy", "repository/*", "aws_ecr_repository_policy", ""},
			{"ListTagsForResource", "repository/*", "aws_ecr_repository: tags", ""},
		},
		"ecs": {
			{"DescribeClusters", "cluster/*", "aws_ecs_cluster", ""},
			{"DescribeServices", "service/*", "aws_ecs_service", ""},
			{"DescribeTaskDefinition", "", "aws_ecs_task_definition", "environment variables"},
			{"ListTagsForResource", "task-definition/*", "aws_ecs_task_definition: tags", ""},
		},
		"eks": {
			{"DescribeAccessEntry", "access-entry/*", "aws_eks_access_entry", ""},
			{"DescribeAddon", "addon/*", "aws_eks_addon", ""},
			{"DescribeCluster", "cluster/*", "aws_eks_cluster", ""},
			{"DescribeNodegroup", "nodegroup/*", "aws_eks_node_group", ""},
			{"DescribePodIdentityAssociation", "podidentityassociation/*", "aws_eks_pod_identity_association", ""},
			{"ListAssociatedAccessPolicies", "access-entry/*", "aws_eks_access_policy_association", ""},
		},
		"elasticloadbalancing": {
			{"DescribeCapacityReservation", "", "aws_lb: reserved capacity", ""},
			{"DescribeListenerAttributes", "", "aws_lb_listener: attributes", ""},
			{"DescribeListenerCertificates", "", "aws_lb_listener_certificate", ""},
			{"DescribeListeners", "", "aws_lb_listener", ""},
			{"DescribeLoadBalancerAttributes", "", "aws_lb: attributes", ""},
			{"DescribeLoadBalancers", "", "aws_lb", ""},
			{"DescribeRules", "", "aws_lb_listener_rule", "headers that rules ask for"},
			{"DescribeTags", "", "aws_lb: tags", ""},
			{"DescribeTargetGroupAttributes", "", "aws_lb_target_group: attributes", ""},
			{"DescribeTargetGroups", "", "aws_lb_target_group", ""},
			{"DescribeTargetHealth", "", "aws_lb_target_group_attachment", ""},
		},
		"events": {
			{"DescribeRule", "rule/*", "aws_cloudwatch_event_rule", ""},
			{"ListTagsForResource", "rule/*", "aws_cloudwatch_event_rule: tags", ""},
			{"ListTargetsByRule", "rule/*", "aws_cloudwatch_event_target", "what rules send"},
		},
		"iam": {
			{"GetInstanceProfile", "instance-profile/*", "aws_iam_instance_profile", ""},
			{"GetOpenIDConnectProvider", "oidc-provider/*", "aws_iam_openid_connect_provider", ""},
			{"GetPolicy", "policy/*", "aws_iam_policy", ""},
			{"GetPolicyVersion", "policy/*", "aws_iam_policy: its text", ""},
			{"GetRole", "role/*", "aws_iam_role", ""},
			{"GetRolePolicy", "role/*", "aws_iam_role_policy", ""},
			{"ListAttachedRolePolicies", "role/*", "aws_iam_role_policy_attachment", ""},
			{"ListInstanceProfilesForRole", "role/*", "aws_iam_role", ""},
			{"ListPolicyVersions", "policy/*", "aws_iam_policy: before it is replaced", ""},
			{"ListRolePolicies", "role/*", "aws_iam_role: inline policies", ""},
		},
		"kms": {
			{"DescribeKey", "key/*", "aws_kms_key", ""},
			{"GetKeyPolicy", "key/*", "aws_kms_key: its policy", ""},
			{"GetKeyRotationStatus", "key/*", "aws_kms_key: rotation", ""},
			{"ListAliases", "", "aws_kms_alias", ""},
			{"ListResourceTags", "key/*", "aws_kms_key: tags", ""},
		},
		"lambda": {
			{"GetAlias", "function:*", "aws_lambda_alias", ""},
			{"GetEventSourceMapping", "event-source-mapping:*", "aws_lambda_event_source_mapping", ""},
			{"GetFunction", "function:*", "aws_lambda_function", "environment variables"},
			{"GetFunctionCodeSigningConfig", "function:*", "aws_lambda_function: code signing", ""},
			{"GetFunctionEventInvokeConfig", "function:*", "aws_lambda_function_event_invoke_config", ""},
			{"GetFunctionUrlConfig", "function:*", "aws_lambda_function_url", ""},
			{"GetPolicy", "function:*", "aws_lambda_permission", ""},
			{"ListTags", "event-source-mapping:*", "aws_lambda_function, aws_lambda_event_source_mapping: tags", ""},
			{"ListTags", "function:*", "aws_lambda_function, aws_lambda_event_source_mapping: tags", ""},
			{"ListVersionsByFunction", "function:*", "aws_lambda_function: its newest version", "environment variables"},
		},
		"logs": {
			{"DescribeLogGroups", "", "aws_cloudwatch_log_group", ""},
			{"DescribeMetricFilters", "log-group:*", "aws_cloudwatch_log_metric_filter", ""},
			{"ListTagsForResource", "log-group:*", "aws_cloudwatch_log_group: tags", ""},
		},
		"rds": {
			{"DescribeDBClusterParameterGroups", "cluster-pg:*", "aws_rds_cluster_parameter_group", ""},
			{"DescribeDBClusterParameters", "cluster-pg:*", "aws_rds_cluster_parameter_group", ""},
			{"DescribeDBClusters", "cluster:*", "aws_rds_cluster", ""},
			{"DescribeDBInstances", "db:*", "aws_db_instance", ""},
			{"DescribeDBParameterGroups", "pg:*", "aws_db_parameter_group", ""},
			{"DescribeDBParameters", "pg:*", "aws_db_parameter_group", ""},
			{"DescribeDBSubnetGroups", "subgrp:*", "aws_db_subnet_group", ""},
			{"DescribeGlobalClusters", "global-cluster:*", "aws_rds_cluster: the global cluster that it is in", ""},
			{"ListTagsForResource", "cluster-pg:*", rdsTags, ""},
			{"ListTagsForResource", "db:*", rdsTags, ""},
			{"ListTagsForResource", "pg:*", rdsTags, ""},
			{"ListTagsForResource", "subgrp:*", rdsTags, ""},
		},
		"route53": {
			{"GetHealthCheck", "healthcheck/*", "aws_route53_health_check", ""},
			{"GetHostedZone", "hostedzone/*", "aws_route53_zone", ""},
			{"ListHostedZones", "", "data aws_route53_zone", ""},
			{"ListResourceRecordSets", "hostedzone/*", "aws_route53_record", ""},
			{"ListTagsForResource", "healthcheck/*", "aws_route53_zone, aws_route53_health_check: tags", ""},
			{"ListTagsForResource", "hostedzone/*", "aws_route53_zone, aws_route53_health_check: tags", ""},
		},
		"s3": {
			{"GetAccelerateConfiguration", "*", "aws_s3_bucket: acceleration", ""},
			{"GetBucketAcl", "*", "aws_s3_bucket_acl", ""},
			{"GetBucketCORS", "*", "aws_s3_bucket_cors_configuration", ""},
			{"GetBucketLogging", "*", "aws_s3_bucket_logging", ""},
			{"GetBucketNotification", "*", "aws_s3_bucket_notification", ""},
			{"GetBucketObjectLockConfiguration", "*", "aws_s3_bucket_object_lock_configuration", ""},
			{"GetBucketOwnershipControls", "*", "aws_s3_bucket_ownership_controls", ""},
			{"GetBucketPolicy", "*", "aws_s3_bucket_policy", ""},
			{"GetBucketPublicAccessBlock", "*", "aws_s3_bucket_public_access_block", ""},
			{"GetBucketRequestPayment", "*", "aws_s3_bucket: who pays", ""},
			{"GetBucketTagging", "*", "aws_s3_bucket: tags", ""},
			{"GetBucketVersioning", "*", "aws_s3_bucket_versioning", ""},
			{"GetBucketWebsite", "*", "aws_s3_bucket_website_configuration", ""},
			{"GetEncryptionConfiguration", "*", "aws_s3_bucket_server_side_encryption_configuration", ""},
			{"GetLifecycleConfiguration", "*", "aws_s3_bucket_lifecycle_configuration", ""},
			{"GetReplicationConfiguration", "*", "aws_s3_bucket_replication_configuration", ""},
			{"ListBucket", "*", "aws_s3_bucket: looks whether it is there, which shows names of objects", ""},
			{"ListTagsForResource", "*", "aws_s3_bucket: tags, since version 6.23 of the provider", ""},
		},
		"secretsmanager": {
			{"DescribeSecret", "secret:*", "aws_secretsmanager_secret, without its value", ""},
			{"GetResourcePolicy", "secret:*", "aws_secretsmanager_secret_policy", ""},
		},
		"sns": {
			{"GetSubscriptionAttributes", "*", "aws_sns_topic_subscription", "links of subscribers"},
			{"GetTopicAttributes", "*", "aws_sns_topic", ""},
			{"ListTagsForResource", "*", "aws_sns_topic: tags", ""},
		},
		"sqs": {
			{"GetQueueAttributes", "*", "aws_sqs_queue", ""},
			{"GetQueueUrl", "*", "data aws_sqs_queue", ""},
			{"ListQueueTags", "*", "aws_sqs_queue: tags", ""},
		},
	}
})
