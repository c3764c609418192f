package catalog

import "github.com/postern-dev/postern/iam"

// consulAutoDiscovery is what Consul, Nomad and Vault need to find each other
// by EC2 tag (the "retry_join provider=aws" of go-discover).
//
// https://developer.hashicorp.com/consul/docs/deploy/server/cloud-auto-join
func consulAutoDiscovery() *Grant {
	return &Grant{
		Name:    "consul-auto-discovery",
		Area:    Hosts,
		Summary: "find the EC2 instances of a cluster by their tags or Auto Scaling group",
		Never:   "start, stop, change or tag anything",
		Params: []Param{{
			Name: "regions", Type: List, Max: 30, Regions: true, Pattern: regionForm().String(), Example: "eu-west-1", Levels: []string{"region"},
			Summary: "up to 30 regions to look in; without it the role's own",
			Wider:   "for every region use level account",
		}},
		Levels: []Level{
			{Name: "region", Summary: "look in the role's own region, or in the named ones"},
			{Name: "account", Summary: "look in every region", Adds: "the regions that are not named"},
		},
		Unscopable: []Unscopable{
			{Actions: []string{"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeTags"}, Reason: "list across the account and know no resource; at level region a condition bounds them to regions"},
		},
		Why: Why{
			"autoscaling:DescribeAutoScalingGroups": "run-consul of hashicorp/terraform-aws-consul: reads how many servers the group has",
			"ec2:DescribeInstances":                 "retry_join provider=aws: finds instances by tag and reads their addresses",
			"ec2:DescribeTags":                      "run-consul of hashicorp/terraform-aws-consul: reads the tags of its own instance",
		},
		Cases:      consulCases,
		statements: consulStatements,
	}
}

func consulStatements(s Scope, level string, args Args) []iam.Statement {
	actions := []string{"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeTags"}
	if level == "account" {
		return []iam.Statement{allow("ConsulDiscover", actions, everything())}
	}
	regions := args["regions"]
	if len(regions) == 0 {
		regions = []string{s.Region}
	}
	return []iam.Statement{allow("ConsulDiscover", actions, everything(), when("StringEquals", "aws:RequestedRegion", regions...))}
}

func consulCases() []Case {
	discover := []string{"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeTags"}
	in := func(region string) map[string][]string { return map[string][]string{"aws:RequestedRegion": {region}} }
	never := flat(
		calls("arn:aws:ec2:eu-west-1:222222222222:instance/i-0abc", in("eu-west-1"),
			"ec2:TerminateInstances", "ec2:RunInstances", "ec2:CreateTags"),
		calls("*", in("eu-west-1"), "ec2:DescribeVolumes", "iam:ListUsers"),
	)
	return flat(
		cases("", nil, calls("*", in("eu-west-1"), discover...), flat(never, calls("*", in("us-east-1"), discover...))),
		cases("region", Args{"regions": {"eu-west-1", "eu-central-1"}},
			calls("*", in("eu-central-1"), discover...), calls("*", in("us-east-1"), discover...)),
		cases("account", nil, calls("*", in("us-east-1"), discover...), never),
	)
}
