package catalog

import "github.com/postern-dev/postern/iam"

// packerAMI builds images with Packer's amazon-ebs builder. The policy that
// Packer documents acts on every instance, volume, snapshot and image of the
// account; here everything that a build makes carries a tag from its first
// moment, and what lacks the tag cannot be touched.
//
// Packer puts run_tags on the temporary key pair and security group, on the
// instance and its network interface, and since pull request 327 of its plugin
// on the image and its snapshots as they are created; run_volume_tags on volumes.
// In China it tags afterwards, which this grant refuses.
//
//   - https://developer.hashicorp.com/packer/integrations/hashicorp/amazon#iam-task-or-instance-role
//   - https://github.com/hashicorp/packer-plugin-amazon/pull/327
//   - https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
//
// AWS sends with ModifyImageAttribute nothing of whom an image is shared with,
// so the level that shares asks to be told that this is known; of snapshots it
// does: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
func packerAMI() *Grant {
	return &Grant{
		Name:    "packer-ami",
		Area:    Hosts,
		Summary: "build machine images with Packer's amazon-ebs builder, in named subnets",
		Never:   "build in China, where Packer does not tag what it creates at once, touch an instance, volume, snapshot or image that lacks the build's tag, change an instance's settings, create a role or an instance profile, copy an image, make a snapshot public; below level share, share anything; at level build, open a port",
		Params:  packerParams(),
		Levels: []Level{
			{Name: "build", Summary: "build images with an existing security group", Needs: []string{"security_groups"}},
			{Name: "temporary-group", Summary: "let Packer make a security group for each build", Adds: "making and removing security groups with the tag in the named networks, and opening their ports to any address", Needs: []string{"vpcs"}},
			{Name: "share", Summary: "also share the images with other accounts (ami_users, snapshot_users)", Adds: "sharing snapshots of the build with the named accounts, and its images with any account, or everybody unless the account blocks public access to images: AWS has no condition to withhold it", Needs: []string{"share_with", "accepts"}},
		},
		Unscopable: []Unscopable{
			{
				Actions: packerWatched(),
				Reason:  "list across the account and know no resource; a condition bounds them to the role's region",
			},
		},
		Why: Why{
			"ec2:AuthorizeSecurityGroupIngress": "packer build: opens the port of SSH or WinRM in the temporary security group",
			"ec2:CreateImage":                   "packer build: makes the image of the stopped instance",
			"ec2:CreateKeyPair":                 "packer build: makes the temporary key pair",
			"ec2:CreateSecurityGroup":           "packer build: makes the temporary security group",
			"ec2:CreateTags":                    "packer build: tags what it creates, as it creates it (run_tags, run_volume_tags)",
			"ec2:DeleteKeyPair":                 "packer build: removes the temporary key pair",
			"ec2:DeleteSecurityGroup":           "packer build: removes the temporary security group",
			"ec2:DeleteSnapshot":                "packer build: force_delete_snapshot, or an interrupted build, with replace",
			"ec2:DeleteVolume":                  "packer build: removes volumes that outlive the instance",
			"ec2:DeregisterImage":               "packer build: force_deregister, or an interrupted build, with replace",
			"ec2:DescribeImages":                "packer build: finds the source image, sees whether the name is taken, waits for the image",
			"ec2:DescribeInstanceStatus":        "packer build: waits for the instance",
			"ec2:DescribeInstances":             "packer build: waits for the instance, reads its address",
			"ec2:DescribeRegions":               "packer build: validates the region (unless skip_region_validation)",
			"ec2:DescribeSecurityGroups":        "packer build: finds the security groups",
			"ec2:DescribeSnapshots":             "packer build: finds the snapshots of the image, to tag them",
			"ec2:DescribeSubnets":               "packer build: reads network and zone of the subnet",
			"ec2:DescribeVolumes":               "packer build: finds volumes that outlive the instance",
			"ec2:DescribeVpcs":                  "packer build: finds the network, with vpc_filter",
			"ec2:GetPasswordData":               "packer build: reads the administrator's password of a Windows instance, with windows",
			"ec2:ModifyImageAttribute":          "packer build: ami_users",
			"ec2:ModifySnapshotAttribute":       "packer build: snapshot_users, and ami_users for its snapshots",
			"ec2:RunInstances":                  "packer build: launches the source image",
			"ec2:StopInstances":                 "packer build: stops the instance before it makes the image",
			"ec2:TerminateInstances":            "packer build: removes the instance",
			"iam:GetInstanceProfile":            "packer build: validates iam_instance_profile (unless skip_profile_validation)",
			"iam:PassRole":                      "packer build: launches with iam_instance_profile",
		},
		Cases:      packerCases,
		statements: packerStatements,
	}
}

func packerParams() []Param {
	const tag = `^[A-Za-z0-9_.:=@+-]+$`
	id := func(kind string) string { return `^` + kind + `-[0-9a-f]{8,17}$` }
	groups := []string{"temporary-group", "share"}
	return []Param{
		{
			Name: "build", Type: String, Required: true, Max: 256, Pattern: tag, Example: "shop-base",
			Summary: "value of the tag that run_tags and run_volume_tags of the template set, up to 256 characters",
			Wider:   "no level reaches what other builds make: use the grant once for each",
		},
		{
			Name: "tag", Type: String, Max: 128, Default: "packer", Pattern: tag, Example: "packer",
			Summary: "key of that tag, up to 128 characters",
		},
		{
			Name: "subnets", Type: List, Required: true, Max: 10, Pattern: id("subnet"), Example: "subnet-0123456789abcdef0",
			Summary: "up to 10 ids of subnets that builds run in",
			Wider:   "no level reaches subnets that are not named",
		},
		{
			Name: "instance_types", Type: List, Required: true, Max: 10, Pattern: `^[a-z][a-z0-9-]{1,15}\.[a-z0-9-]{2,20}$`, Example: "t3.small",
			Summary: "up to 10 types of instances that builds run on",
			Wider:   "no level launches types that are not named",
		},
		{
			Name: "security_groups", Type: List, Max: 5, Pattern: id("sg"), Example: "sg-0123456789abcdef0",
			Summary: "up to 5 ids of security groups that builds run with (security_group_ids)",
			Wider:   "to let Packer make one for each build use level temporary-group",
		},
		{
			Name: "vpcs", Type: List, Max: 5, Pattern: id("vpc"), Example: "vpc-0123456789abcdef0", Levels: groups,
			Summary: "up to 5 ids of networks in which Packer may make security groups",
			Wider:   "no level reaches networks that are not named",
		},
		{
			Name: "image_owners", Type: List, Max: 10, Pattern: `^([0-9]{12}|amazon|aws-marketplace)$`, Example: "amazon",
			Summary: "up to 10 owners of source images: account ids, amazon or aws-marketplace; without it anybody's images",
			Wider:   "leave it out to take images of any owner",
		},
		{
			Name: "instance_profiles", Type: List, Max: 5, Pattern: `^([\w+=,.@-]+/){0,8}[\w+=,.@-]{1,128}$`, Example: "packer-build",
			Summary: "up to 5 names of instance profiles that builds run with, with their path if they have one; name their roles in pass_roles",
			Wider:   "no level runs with instance profiles that are not named",
		},
		passRolesParam("the roles in those instance profiles"),
		{
			Name: "share_with", Type: List, Max: 20, Pattern: `^[0-9]{12}$`, Example: "333333333333", Levels: []string{"share"},
			Summary: "up to 20 ids of accounts that snapshots may be shared with, in quotation marks",
			Wider:   "no level makes a snapshot public",
		},
		{
			Name: "accepts", Type: String, Max: 30, Pattern: `^any-account$`, Example: "any-account", Levels: []string{"share"},
			Summary: "any-account says that it is known: images of the build can be shared with any account, whatever share_with says",
			Why:     "AWS tells policies nothing of whom an image is shared with; block public access to images in the account",
		},
		{Name: "windows", Type: Bool, Default: "false", Example: "true", Summary: "also read the administrator's password of the build's instances"},
		{Name: "replace", Type: Bool, Default: "false", Example: "true", Summary: "also deregister images of the build and delete their snapshots, former releases too"},
	}
}

// packer is what one rendering of the grant reaches.
type packer struct {
	Scope
	args  Args
	level string
}

func packerStatements(s Scope, level string, args Args) []iam.Statement {
	p := packer{Scope: s, args: args, level: level}
	out := flat(p.watch(), p.launch(), p.keep())
	if level != "build" {
		out = flat(out, p.group())
	}
	if level == "share" {
		out = flat(out, p.share())
	}
	return flat(out, p.profile())
}

// made holds for what is created with the tag, own for what carries it.
func (p packer) made() iam.Condition {
	return when("StringEquals", "aws:RequestTag/"+p.args.one("tag"), p.args.one("build"))
}

func (p packer) own() iam.Condition {
	return when("StringEquals", "aws:ResourceTag/"+p.args.one("tag"), p.args.one("build"))
}

func (p packer) ec2(kind string) string { return p.arn("ec2", kind) }

// public are images and snapshots: their ARNs have no account.
func (p packer) public(kind string) string { return p.arnIn("ec2", p.Region, "", kind+"/*") }

// packerWatched are the lists that Packer waits on and chooses from.
func packerWatched() []string {
	return []string{
		"ec2:DescribeImages",
		"ec2:DescribeInstanceStatus",
		"ec2:DescribeInstances",
		"ec2:DescribeRegions",
		"ec2:DescribeSecurityGroups",
		"ec2:DescribeSnapshots",
		"ec2:DescribeSubnets",
		"ec2:DescribeVolumes",
		"ec2:DescribeVpcs",
	}
}

func (p packer) watch() []iam.Statement {
	return []iam.Statement{allow("PackerWatch", packerWatched(), everything(), when("StringEquals", "aws:RequestedRegion", p.Region))}
}

// launch allows RunInstances, for which EC2 asks for every resource that takes
// part: the instance is held to tag and type, the rest to what is named.
func (p packer) launch() []iam.Statement {
	run := []string{"ec2:RunInstances"}
	var owners []iam.Condition
	if given := p.args["image_owners"]; len(given) > 0 {
		owners = append(owners, when("StringEquals", "ec2:Owner", given...))
	}
	profile := when("Null", "ec2:InstanceProfile", "true")
	if profiles := p.profiles(); len(profiles) > 0 {
		profile = when("ArnEqualsIfExists", "ec2:InstanceProfile", profiles...)
	}
	named := flat(
		each(p.args["subnets"], func(id string) string { return p.ec2("subnet/" + id) }),
		each(p.args["security_groups"], func(id string) string { return p.ec2("security-group/" + id) }))
	return []iam.Statement{
		allow("PackerLaunch", run, []string{p.ec2("instance/*")}, p.made(),
			when("StringEquals", "ec2:InstanceType", p.args["instance_types"]...), profile),
		allow("PackerLaunchFrom", run, []string{p.public("image")}, owners...),
		allow("PackerLaunchWith", run, flat(named, []string{
			p.ec2("key-pair/packer_*"), p.ec2("network-interface/*"), p.ec2("volume/*"), p.public("snapshot"),
		})),
		allow("PackerKeyPair", []string{"ec2:CreateKeyPair"}, []string{p.ec2("key-pair/packer_*")}, p.made()),
		allow("PackerKeyPairAway", []string{"ec2:DeleteKeyPair"}, []string{p.ec2("key-pair/packer_*")}, p.own()),
		allow("PackerTag", []string{"ec2:CreateTags"}, []string{
			p.ec2("instance/*"), p.ec2("key-pair/packer_*"), p.ec2("network-interface/*"), p.ec2("volume/*"), p.public("image"), p.public("snapshot"),
		}, p.made(), when("StringEquals", "ec2:CreateAction", "CreateImage", "CreateKeyPair", "RunInstances")),
	}
}

// keep makes the image and removes what it was made from.
func (p packer) keep() []iam.Statement {
	actions := []string{"ec2:StopInstances", "ec2:TerminateInstances"}
	if p.args.on("windows") {
		actions = append(actions, "ec2:GetPasswordData")
	}
	out := []iam.Statement{
		allow("PackerInstance", append(actions, "ec2:CreateImage"), []string{p.ec2("instance/*")}, p.own()),
		allow("PackerImage", []string{"ec2:CreateImage"}, []string{p.public("image"), p.public("snapshot")}, p.made()),
		allow("PackerVolume", []string{"ec2:DeleteVolume"}, []string{p.ec2("volume/*")}, p.own()),
	}
	if p.args.on("replace") {
		out = append(out,
			allow("PackerDeregister", []string{"ec2:DeregisterImage"}, []string{p.public("image")}, p.own()),
			allow("PackerDeleteSnapshot", []string{"ec2:DeleteSnapshot"}, []string{p.public("snapshot")}, p.own()))
	}
	return out
}

// group lets Packer make its own security group and launch with it.
func (p packer) group() []iam.Statement {
	groups := []string{p.ec2("security-group/*")}
	vpcs := each(p.args["vpcs"], func(id string) string { return p.ec2("vpc/" + id) })
	if len(vpcs) == 0 { // at level share with existing groups
		return nil
	}
	return []iam.Statement{
		allow("PackerGroup", []string{"ec2:CreateSecurityGroup"}, groups, p.made()),
		allow("PackerGroupIn", []string{"ec2:CreateSecurityGroup"}, vpcs),
		allow("PackerGroupTag", []string{"ec2:CreateTags"}, groups, p.made(), when("StringEquals", "ec2:CreateAction", "CreateSecurityGroup")),
		allow("PackerGroupUse", []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RunInstances"}, groups, p.own()),
	}
}

// share adds accounts to snapshots of the build, and no group: the group "all"
// is everybody. Images know no such bound.
func (p packer) share() []iam.Statement {
	return []iam.Statement{
		allow("PackerShareImage", []string{"ec2:ModifyImageAttribute"}, []string{p.public("image")}, p.own()),
		allow("PackerShareSnapshot", []string{"ec2:ModifySnapshotAttribute"}, []string{p.public("snapshot")}, p.own(),
			when("StringEquals", "ec2:Add/userId", p.args["share_with"]...), when("Null", "ec2:Add/group", "true")),
	}
}

func (p packer) profiles() []string {
	return each(p.args["instance_profiles"], func(name string) string { return p.iam("instance-profile/" + name) })
}

func (p packer) profile() []iam.Statement {
	var out []iam.Statement
	if profiles := p.profiles(); len(profiles) > 0 {
		out = append(out, allow("PackerProfile", []string{"iam:GetInstanceProfile"}, profiles))
	}
	if roles := p.args["pass_roles"]; len(roles) > 0 {
		out = append(out, passRoles("PackerPassRoles", p.Scope, roles, "ec2"))
	}
	return out
}
