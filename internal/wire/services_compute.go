package wire

func ec2() service {
	const instance = "arn:{partition}:ec2:{region}:{account}:instance/{InstanceId.*}"
	return service{
		name: "ec2", protocol: EC2, version: "2016-11-15", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
		operations: append([]operation{
			{action: "DescribeInstances", resource: "*", reply: "<reservationSet/>"},
			{action: "DescribeTags", resource: "*", reply: "<tagSet/>"},
			{action: "DescribeImages", resource: "*", reply: "<imagesSet/>"},
			{action: "DescribeInstanceStatus", resource: "*", reply: "<instanceStatusSet/>"},
			{action: "DescribeVolumes", resource: "*", reply: "<volumeSet/>"},
			{action: "DescribeLaunchTemplates", resource: "*", reply: "<launchTemplates/>"},
			{action: "DescribeLaunchTemplateVersions", resource: "*", reply: "<launchTemplateVersionSet/>"},
			{action: "CreateLaunchTemplateVersion", resource: "arn:{partition}:ec2:{region}:{account}:launch-template/{LaunchTemplateId}", rivals: []string{"LaunchTemplateName"}, reply: "<launchTemplateVersion/>"},
			{action: "TerminateInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "StopInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "StartInstances", resource: instance, reply: "<instancesSet/>"},
			{action: "RebootInstances", resource: instance, reply: "<return>true</return>"},
		}, anywhere(
			"DescribeAddresses", "DescribeAvailabilityZones", "DescribeDhcpOptions", "DescribeFlowLogs", "DescribeInstanceTypes",
			"DescribeInternetGateways", "DescribeKeyPairs", "DescribeManagedPrefixLists", "DescribeNatGateways", "DescribeNetworkAcls",
			"DescribeNetworkInterfaces", "DescribePrefixLists", "DescribeRegions", "DescribeRouteTables", "DescribeSecurityGroupRules",
			"DescribeSecurityGroups", "DescribeSnapshots", "DescribeSubnets", "DescribeVpcEndpoints", "DescribeVpcPeeringConnections", "DescribeVpcs",
		)...),
	}
}

func autoScaling() service {
	const group = "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:{_=00000000-0000-0000-0000-000000000000}:autoScalingGroupName/{AutoScalingGroupName...}"
	linked := passRole("ServiceLinkedRoleARN", "autoscaling")
	return service{
		name: "autoscaling", protocol: Query, version: "2011-01-01", namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
		operations: append([]operation{
			{action: "DescribeAutoScalingGroups", resource: "*", reply: "<AutoScalingGroups/>"},
			{action: "DescribeInstanceRefreshes", resource: "*", fill: map[string]string{"AutoScalingGroupName": "postern"}, reply: "<InstanceRefreshes/>"},
			{action: "DescribeScalingActivities", resource: "*", reply: "<Activities/>"},
			{action: "StartInstanceRefresh", resource: group, reply: "<InstanceRefreshId>00000000-0000-0000-0000-000000000000</InstanceRefreshId>"},
			{action: "CancelInstanceRefresh", resource: group},
			{action: "RollbackInstanceRefresh", resource: group},
			{action: "UpdateAutoScalingGroup", resource: group, needs: []need{linked}},
			{action: "SetDesiredCapacity", resource: group, fill: map[string]string{"DesiredCapacity": "1"}},
			{action: "CreateAutoScalingGroup", resource: group, needs: []need{linked}, fill: map[string]string{"MinSize": "0", "MaxSize": "0"}},
			{action: "DeleteAutoScalingGroup", resource: group},
		}, anywhere(
			"DescribeLaunchConfigurations", "DescribeLifecycleHooks", "DescribePolicies", "DescribeScheduledActions", "DescribeTags",
			"DescribeTrafficSources", "DescribeWarmPool",
		)...),
	}
}

func loadBalancing() service {
	const arn = "arn:{partition}:elasticloadbalancing:{region}:{account}:"
	return service{
		name: "elasticloadbalancing", protocol: Query, version: "2015-12-01", namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		operations: append([]operation{
			{action: "DescribeTargetGroups", resource: "*", reply: "<TargetGroups/>"},
			{action: "DescribeTargetHealth", resource: "*", reply: "<TargetHealthDescriptions/>"},
			{action: "DescribeLoadBalancers", resource: "*", reply: "<LoadBalancers/>"},
			{action: "DescribeListeners", resource: "*", reply: "<Listeners/>"},
			{action: "DescribeRules", resource: "*", reply: "<Rules/>"},
			{action: "RegisterTargets", resource: arn + "targetgroup/{TargetGroupArn...}"},
			{action: "DeregisterTargets", resource: arn + "targetgroup/{TargetGroupArn...}"},
			{action: "ModifyListener", resource: arn + "listener/{ListenerArn...}", reply: "<Listeners/>"},
			{action: "ModifyRule", resource: arn + "listener-rule/{RuleArn...}", reply: "<Rules/>"},
		}, anywhere(
			"DescribeListenerAttributes", "DescribeListenerCertificates", "DescribeLoadBalancerAttributes", "DescribeTags", "DescribeTargetGroupAttributes",
		)...),
	}
}
