package catalog

import "maps"

// The places in which the cases of packer-ami play.
const (
	packerEC2      = "arn:aws:ec2:eu-west-1:222222222222:"
	packerPublic   = "arn:aws:ec2:eu-west-1::"
	packerInstance = packerEC2 + "instance/i-0abc"
	packerKey      = packerEC2 + "key-pair/packer_1"
	packerGroup    = packerEC2 + "security-group/sg-0fff0000"
	packerImage    = packerPublic + "image/ami-0abc"
	packerSnapshot = packerPublic + "snapshot/snap-0abc"
	packerIAM      = "arn:aws:iam::222222222222:"
)

// taggedBuild is the context of a call that creates with the tag or acts on
// what carries it, and more.
func taggedBuild(kind, build string, more map[string][]string) map[string][]string {
	context := map[string][]string{"aws:" + kind + "Tag/packer": {build}}
	maps.Copy(context, more)
	return context
}

func packerCases() []Case {
	type context = map[string][]string
	own, theirs := taggedBuild("Resource", "shop-base", nil), taggedBuild("Resource", "web-base", nil)
	made := func(more context) context { return taggedBuild("Request", "shop-base", more) }
	creating := func(action string) context { return made(context{"ec2:CreateAction": {action}}) }
	small := context{"ec2:InstanceType": {"t3.small"}}
	here := context{"aws:RequestedRegion": {"eu-west-1"}}
	to := func(principal string) context { return context{"iam:PassedToService": {principal}} }
	profile := packerIAM + "instance-profile/packer-build"
	describe := []string{
		"ec2:DescribeImages", "ec2:DescribeInstanceStatus", "ec2:DescribeInstances", "ec2:DescribeRegions",
		"ec2:DescribeSecurityGroups", "ec2:DescribeSnapshots", "ec2:DescribeSubnets", "ec2:DescribeVolumes", "ec2:DescribeVpcs",
	}
	run := func(context map[string][]string, arns ...string) []call {
		var out []call
		for _, arn := range arns {
			out = append(out, call{"ec2:RunInstances", arn, context})
		}
		return out
	}

	build := flat(
		calls("*", here, describe...),
		calls(packerKey, made(nil), "ec2:CreateKeyPair"), calls(packerKey, creating("CreateKeyPair"), "ec2:CreateTags"), calls(packerKey, own, "ec2:DeleteKeyPair"),
		run(made(small), packerInstance),
		run(nil, packerEC2+"subnet/subnet-0123456789abcdef0", packerKey, packerEC2+"network-interface/eni-1", packerEC2+"volume/vol-1", packerSnapshot),
		run(context{"ec2:Owner": {"amazon"}}, packerImage),
		calls(packerInstance, creating("RunInstances"), "ec2:CreateTags"), calls(packerEC2+"volume/vol-1", creating("RunInstances"), "ec2:CreateTags"),
		calls(packerInstance, own, "ec2:StopInstances", "ec2:CreateImage", "ec2:TerminateInstances"),
		calls(packerImage, made(nil), "ec2:CreateImage"), calls(packerSnapshot, made(nil), "ec2:CreateImage"),
		calls(packerImage, creating("CreateImage"), "ec2:CreateTags"),
		calls(packerEC2+"volume/vol-1", own, "ec2:DeleteVolume"),
	)
	existing := run(nil, packerEC2+"security-group/sg-0123456789abcdef0")
	group := flat(
		calls(packerGroup, made(nil), "ec2:CreateSecurityGroup"), calls(packerEC2+"vpc/vpc-0123456789abcdef0", nil, "ec2:CreateSecurityGroup"),
		calls(packerGroup, creating("CreateSecurityGroup"), "ec2:CreateTags"),
		calls(packerGroup, own, "ec2:AuthorizeSecurityGroupIngress", "ec2:RunInstances", "ec2:DeleteSecurityGroup"),
	)
	shared := func(account string) context {
		return taggedBuild("Resource", "shop-base", context{"ec2:Add/userId": {account}})
	}
	share := flat(calls(packerImage, own, "ec2:ModifyImageAttribute"), calls(packerSnapshot, shared("333333333333"), "ec2:ModifySnapshotAttribute"))
	replace := flat(calls(packerImage, own, "ec2:DeregisterImage"), calls(packerSnapshot, own, "ec2:DeleteSnapshot"))
	password := calls(packerInstance, own, "ec2:GetPasswordData")
	profiled := flat(
		run(made(context{"ec2:InstanceType": {"t3.small"}, "ec2:InstanceProfile": {profile}}), packerInstance),
		calls(profile, nil, "iam:GetInstanceProfile"),
		calls(packerIAM+"role/packer-build", to("ec2.amazonaws.com"), "iam:PassRole"),
	)
	public := taggedBuild("Resource", "shop-base", context{"ec2:Add/group": {"all"}})
	never := flat(
		calls("*", context{"aws:RequestedRegion": {"us-east-1"}}, describe...),
		calls(packerInstance, theirs, "ec2:StopInstances", "ec2:TerminateInstances", "ec2:CreateImage", "ec2:GetPasswordData"),
		calls(packerInstance, nil, "ec2:StopInstances", "ec2:TerminateInstances", "ec2:CreateImage"),
		calls(packerInstance, own, "ec2:ModifyInstanceAttribute", "ec2:AssociateIamInstanceProfile", "ec2:StartInstances"),
		calls(packerInstance, made(nil), "ec2:CreateTags"),
		calls(packerInstance, context{"ec2:CreateAction": {"RunInstances"}}, "ec2:CreateTags"),
		run(small, packerInstance), run(made(context{"ec2:InstanceType": {"p5.48xlarge"}}), packerInstance), run(made(nil), packerInstance),
		run(made(context{"ec2:InstanceType": {"t3.small"}, "ec2:InstanceProfile": {packerIAM + "instance-profile/admin"}}), packerInstance),
		run(nil, packerEC2+"subnet/subnet-0fff0000", packerGroup, packerEC2+"key-pair/ops"),
		calls(packerEC2+"key-pair/ops", own, "ec2:CreateKeyPair", "ec2:DeleteKeyPair"), calls(packerKey, made(nil), "ec2:ImportKeyPair"),
		calls(packerGroup, nil, "ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:CreateSecurityGroup"),
		calls(packerEC2+"vpc/vpc-0fff0000", nil, "ec2:CreateSecurityGroup"),
		calls(packerImage, theirs, "ec2:DeregisterImage", "ec2:ModifyImageAttribute"), calls(packerImage, nil, "ec2:CreateImage"),
		calls(packerImage, own, "ec2:CopyImage", "ec2:CreateTags"), calls(packerImage, nil, "ec2:ModifyImageAttribute"),
		calls(packerSnapshot, public, "ec2:ModifySnapshotAttribute"), calls(packerSnapshot, shared("999999999999"), "ec2:ModifySnapshotAttribute"),
		calls(packerSnapshot, own, "ec2:ModifySnapshotAttribute"),
		calls(packerSnapshot, taggedBuild("Resource", "shop-base", context{"ec2:Add/userId": {"333333333333"}, "ec2:Add/group": {"all"}}), "ec2:ModifySnapshotAttribute"),
		calls(packerSnapshot, taggedBuild("Resource", "web", context{"ec2:Add/userId": {"333333333333"}}), "ec2:ModifySnapshotAttribute"),
		calls(packerKey, nil, "ec2:CreateKeyPair"), calls(packerKey, theirs, "ec2:DeleteKeyPair"),
		calls(packerGroup, made(nil), "ec2:CreateTags"), calls(packerGroup, context{"ec2:CreateAction": {"CreateSecurityGroup"}}, "ec2:CreateTags"),
		calls(packerSnapshot, theirs, "ec2:DeleteSnapshot", "ec2:ModifySnapshotAttribute"),
		calls(packerEC2+"volume/vol-1", theirs, "ec2:DeleteVolume"), calls(packerEC2+"volume/vol-1", own, "ec2:AttachVolume"),
		calls(packerIAM+"role/admin", to("ec2.amazonaws.com"), "iam:PassRole"),
		calls(packerIAM+"role/packer-build", to("lambda.amazonaws.com"), "iam:PassRole"),
		calls(packerIAM+"role/packer-x", nil, "iam:CreateRole", "iam:PutRolePolicy"), calls(profile, nil, "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"),
	)
	with := func(more Args) Args {
		args := Args{"build": {"shop-base"}, "subnets": {"subnet-0123456789abcdef0"}, "instance_types": {"t3.small"}}
		maps.Copy(args, more)
		return args
	}
	sg, vpc, accounts := []string{"sg-0123456789abcdef0"}, []string{"vpc-0123456789abcdef0"}, []string{"333333333333"}
	all := func(more Args) Args {
		maps.Copy(more, Args{"instance_profiles": {"packer-build"}, "pass_roles": {"packer-build"}, "windows": {"true"}, "replace": {"true"}, "image_owners": {"amazon"}})
		return with(more)
	}
	stranger := run(context{"ec2:Owner": {"999999999999"}}, packerImage)
	return flat(
		cases("", with(Args{"security_groups": sg}), flat(build, existing, stranger), flat(never, group, share, replace, password, profiled)),
		cases("build", all(Args{"security_groups": sg}), flat(build, existing, replace, password, profiled), flat(never, group, share, stranger)),
		cases("temporary-group", all(Args{"vpcs": vpc}), flat(build, group, replace, password, profiled), flat(never, existing, share)),
		cases("share", all(Args{"vpcs": vpc, "share_with": accounts, "accepts": {"any-account"}}), flat(build, group, share, replace, password, profiled), flat(never, existing)),
		cases("share", with(Args{"security_groups": sg, "share_with": accounts, "accepts": {"any-account"}}), flat(build, existing, share), flat(never, group, replace)),
	)
}
