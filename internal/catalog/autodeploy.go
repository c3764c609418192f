package catalog

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// autoDeployEC2 deploys one service that runs on EC2: Auto Scaling groups by
// name, launch templates and instances by tag.
//
// A version of a launch template can name any image, user data and instance
// profile. Who launches it by a call of its own is asked for iam:PassRole; a
// group that launches it is not, and two things make a group do so:
//
//   - it follows $Latest or $Default
//     (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html).
//     UpdateAutoScalingGroup is held to fixed versions here, but a group may
//     follow already.
//   - an instance refresh states the template and the version that it moves the
//     group to (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html),
//     and no condition key tells of it.
//
// So no statement keeps who makes versions from holding any instance profile,
// and the levels that make versions ask to be told that this is known.
func autoDeployEC2() *Grant {
	releasing := []string{"release", "instances"}
	return &Grant{
		Name:    "auto-deploy-ec2",
		Area:    Hosts,
		Summary: "replace the instances of a service's Auto Scaling groups, release new versions to them, run and stop its instances",
		Never:   "create or delete a group or a launch template, change a group that is not named, make versions of another service's launch templates, touch another service's instances, retag anything; at level refresh, make a version of any launch template",
		Params: []Param{
			{
				Name: "service", Type: String, Required: true, Max: 256, Pattern: `^[A-Za-z0-9_.:=@+-]+$`, Example: "shop",
				Summary: "value of the tag that the service's launch templates and instances carry, up to 256 characters",
				Wider:   "no level reaches more than one service: use the grant once for each",
			},
			{
				Name: "tag", Type: String, Max: 128, Default: "service", Pattern: `^[A-Za-z0-9_.:=@+-]+$`, Example: "service",
				Summary: "key of that tag, up to 128 characters; launch templates must set it on their instances",
			},
			{
				Name: "groups", Type: List, Max: 20, Pattern: `^[A-Za-z0-9_.=@+-]([A-Za-z0-9_.=@+ -]{0,253}[A-Za-z0-9_.=@+-])?$`, Example: "shop",
				Summary: "up to 20 names of the service's Auto Scaling groups",
				Wider:   "no level reaches groups that are not named",
			},
			withLevels(passRolesParam("the roles in the instance profiles of the launch templates"), releasing),
			{
				Name: "accepts", Type: String, Max: 30, Pattern: `^any-instance-profile$`, Example: "any-instance-profile", Levels: releasing,
				Summary: "any-instance-profile says that it is known: a release can run instances with any instance profile of the account, whatever pass_roles says",
				Why:     "AWS asks for no iam:PassRole when a group launches a version of a launch template, so whoever makes versions holds the roles of all instance profiles",
			},
		},
		Levels: []Level{
			{
				Name: "refresh", Needs: []string{"groups"},
				Summary: "replace the instances of the groups by fresh ones, and watch; AWS lets whoever starts a refresh move the group to any launch template and version that exists, and has no condition to withhold it",
			},
			{
				Name: "release", Needs: []string{"groups", "accepts"},
				Summary: "make versions of the launch templates that carry the tag, and move the groups to them",
				Adds:    "new launch template versions, and with them the role of any instance profile of the account: AWS checks it only for calls that launch or update, not for what a group launches; changing the groups' template version and size, and launching instances from the templates",
			},
			{
				Name: "instances", Needs: []string{"accepts"},
				Summary: "also run, start, stop and terminate single instances of the service; groups may be left out",
				Adds:    "starting, stopping, rebooting and terminating the instances that carry the tag",
			},
		},
		Unscopable: []Unscopable{
			{
				Actions: deploymentWatch(),
				Reason:  "list across the account and know no resource; a condition bounds them to the role's region",
			},
		},
		Why: Why{
			"autoscaling:CancelInstanceRefresh":               "aws autoscaling cancel-instance-refresh: stops a release that goes wrong",
			"autoscaling:DescribeAutoScalingGroups":           "aws autoscaling describe-auto-scaling-groups: reads size, template version and instances",
			"autoscaling:DescribeInstanceRefreshes":           "aws autoscaling describe-instance-refreshes: follows the refresh",
			"autoscaling:DescribeScalingActivities":           "aws autoscaling describe-scaling-activities: says why an instance did not come up",
			"autoscaling:RollbackInstanceRefresh":             "aws autoscaling rollback-instance-refresh: goes back to the version before",
			"autoscaling:SetDesiredCapacity":                  "aws autoscaling set-desired-capacity: sizes the group during a release",
			"autoscaling:StartInstanceRefresh":                "aws autoscaling start-instance-refresh: replaces the instances",
			"autoscaling:TerminateInstanceInAutoScalingGroup": "aws autoscaling terminate-instance-in-auto-scaling-group: replaces one instance",
			"autoscaling:UpdateAutoScalingGroup":              "aws autoscaling update-auto-scaling-group: moves the group to a template version",
			"ec2:CreateLaunchTemplateVersion":                 "aws ec2 create-launch-template-version: names the new image",
			"ec2:CreateTags":                                  "aws ec2 run-instances: tags what it launches",
			"ec2:DescribeInstanceStatus":                      "aws ec2 describe-instance-status, wait instance-status-ok: waits for the instance's checks",
			"ec2:DescribeInstances":                           "aws ec2 describe-instances, wait instance-running: find and follow the instances",
			"ec2:DescribeLaunchTemplateVersions":              "aws ec2 describe-launch-template-versions: reads the version that the next one is made from",
			"ec2:DescribeLaunchTemplates":                     "aws ec2 describe-launch-templates: finds the template and its latest version",
			"ec2:RebootInstances":                             "aws ec2 reboot-instances: at level instances",
			"ec2:RunInstances":                                "aws ec2 run-instances: from the template; aws autoscaling update-auto-scaling-group: checked when it names a template",
			"ec2:StartInstances":                              "aws ec2 start-instances: at level instances",
			"ec2:StopInstances":                               "aws ec2 stop-instances: at level instances",
			"ec2:TerminateInstances":                          "aws ec2 terminate-instances: at level instances",
			"iam:PassRole":                                    "aws ec2 run-instances, update-auto-scaling-group: hand on the role in the template's instance profile",
		},
		Cases:      autoDeployCases,
		statements: autoDeployStatements,
	}
}

func withLevels(p Param, levels []string) Param {
	p.Levels = levels
	return p
}

func autoDeployStatements(s Scope, level string, args Args) []iam.Statement {
	d := deployment{Scope: s, args: args, tag: args.one("tag"), service: args.one("service")}
	out := slices.Concat(d.watch(), d.refresh())
	if level != "refresh" {
		out = slices.Concat(out, d.release(), d.launch())
	}
	if level == "instances" {
		out = append(out, d.instances())
	}
	return out
}

// deployment is what one rendering of the grant reaches.
type deployment struct {
	Scope
	args         Args
	tag, service string
}

// groups are the ARNs of the Auto Scaling groups, whose unique id is known to
// AWS alone.
func (d deployment) groups() []string {
	return each(d.args["groups"], func(name string) string {
		return d.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+name)
	})
}

// tagged holds for resources that carry the service's tag.
func (d deployment) tagged() iam.Condition {
	return when("StringEquals", "aws:ResourceTag/"+d.tag, d.service)
}

func (d deployment) ec2(kind string) string { return d.arn("ec2", kind+"/*") }

func deploymentWatch() []string {
	return []string{
		"autoscaling:DescribeAutoScalingGroups",
		"autoscaling:DescribeInstanceRefreshes",
		"autoscaling:DescribeScalingActivities",
		"ec2:DescribeInstanceStatus",
		"ec2:DescribeInstances",
		"ec2:DescribeLaunchTemplateVersions",
		"ec2:DescribeLaunchTemplates",
	}
}

func (d deployment) watch() []iam.Statement {
	return []iam.Statement{allow("AutoDeployWatch", deploymentWatch(), everything(), when("StringEquals", "aws:RequestedRegion", d.Region))}
}

func (d deployment) refresh() []iam.Statement {
	if len(d.args["groups"]) == 0 {
		return nil
	}
	return []iam.Statement{allow("AutoDeployRefresh", []string{
		"autoscaling:CancelInstanceRefresh",
		"autoscaling:RollbackInstanceRefresh",
		"autoscaling:StartInstanceRefresh",
	}, d.groups())}
}

func (d deployment) release() []iam.Statement {
	out := []iam.Statement{allow("AutoDeployTemplates", []string{"ec2:CreateLaunchTemplateVersion"},
		[]string{d.ec2("launch-template")}, d.tagged())}
	if len(d.args["groups"]) == 0 {
		return out
	}
	return append(out,
		allow("AutoDeployUpdateGroups", []string{"autoscaling:UpdateAutoScalingGroup"}, d.groups(),
			// Absent when the call leaves the template alone.
			when("BoolIfExists", "autoscaling:LaunchTemplateVersionSpecified", "true"),
			// A launch configuration would go round the tagged templates.
			when("Null", "autoscaling:LaunchConfigurationName", "true")),
		allow("AutoDeployScaleGroups", []string{
			"autoscaling:SetDesiredCapacity",
			"autoscaling:TerminateInstanceInAutoScalingGroup",
		}, d.groups()))
}

// launch allows RunInstances from the service's launch templates. EC2 asks
// for every resource that takes part, so the tagged template is the gate and
// the other statements only demand that there is a template.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-launch-templates-to-control-launching-instances.html
func (d deployment) launch() []iam.Statement {
	run := []string{"ec2:RunInstances"}
	template := when("ArnLike", "ec2:LaunchTemplate", d.ec2("launch-template"))
	out := []iam.Statement{
		allow("AutoDeployLaunchTemplate", run, []string{d.ec2("launch-template")}, d.tagged()),
		allow("AutoDeployLaunchTagged", run, []string{d.ec2("instance")}, template,
			when("StringEquals", "aws:RequestTag/"+d.tag, d.service)),
		allow("AutoDeployLaunchWith", run, []string{
			d.arnIn("ec2", d.Region, "", "image/*"),    // images and snapshots have
			d.arnIn("ec2", d.Region, "", "snapshot/*"), // no account in their ARNs
			d.ec2("key-pair"),
			d.ec2("network-interface"),
			d.ec2("security-group"),
			d.ec2("subnet"),
			d.ec2("volume"),
		}, template),
		allow("AutoDeployTagAtLaunch", []string{"ec2:CreateTags"},
			[]string{d.ec2("instance"), d.ec2("network-interface"), d.ec2("volume")},
			when("StringEquals", "ec2:CreateAction", "RunInstances")),
	}
	if roles := d.args["pass_roles"]; len(roles) > 0 {
		out = append(out, passRoles("AutoDeployPassRoles", d.Scope, roles, "ec2"))
	}
	return out
}

func (d deployment) instances() iam.Statement {
	return allow("AutoDeployInstances", []string{
		"ec2:RebootInstances",
		"ec2:StartInstances",
		"ec2:StopInstances",
		"ec2:TerminateInstances",
	}, []string{d.ec2("instance")}, d.tagged())
}

func autoDeployCases() []Case {
	const (
		ec2      = "arn:aws:ec2:eu-west-1:222222222222:"
		instance = ec2 + "instance/i-0abc"
		template = ec2 + "launch-template/lt-0abc"
		groups   = "arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:0a1b:autoScalingGroupName/"
		role     = "arn:aws:iam::222222222222:role/"
	)
	type context = map[string][]string
	here, there := context{"aws:RequestedRegion": {"eu-west-1"}}, context{"aws:RequestedRegion": {"us-east-1"}}
	ours, theirs := context{"aws:ResourceTag/service": {"shop"}}, context{"aws:ResourceTag/service": {"web"}}
	from := context{"ec2:LaunchTemplate": {template}}
	launching := context{"ec2:LaunchTemplate": {template}, "aws:RequestTag/service": {"shop"}}
	tagging := context{"ec2:CreateAction": {"RunInstances"}, "aws:RequestTag/service": {"shop"}}
	to := func(principal string) context { return context{"iam:PassedToService": {principal}} }

	describe := []string{
		"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "autoscaling:DescribeScalingActivities",
		"ec2:DescribeInstanceStatus", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates",
	}
	watch := calls("*", here, describe...)
	refresh := calls(groups+"shop", nil, "autoscaling:StartInstanceRefresh", "autoscaling:CancelInstanceRefresh", "autoscaling:RollbackInstanceRefresh")
	update := flat(
		calls(groups+"shop", nil, "autoscaling:UpdateAutoScalingGroup", "autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"),
		calls(groups+"shop", context{"autoscaling:LaunchTemplateVersionSpecified": {"true"}}, "autoscaling:UpdateAutoScalingGroup"),
	)
	launch := flat(
		calls(template, ours, "ec2:CreateLaunchTemplateVersion", "ec2:RunInstances"),
		calls(instance, launching, "ec2:RunInstances"),
		calls(ec2+"subnet/subnet-1", from, "ec2:RunInstances"),
		calls("arn:aws:ec2:eu-west-1::image/ami-1", from, "ec2:RunInstances"),
		calls(instance, tagging, "ec2:CreateTags"),
		calls(role+"shop-instance", to("ec2.amazonaws.com"), "iam:PassRole"),
	)
	manage := calls(instance, ours, "ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances")
	never := flat(
		calls("*", there, describe...),
		calls(groups+"web", nil, "autoscaling:StartInstanceRefresh", "autoscaling:UpdateAutoScalingGroup", "autoscaling:SetDesiredCapacity"),
		calls(groups+"shop", nil, "autoscaling:CreateAutoScalingGroup", "autoscaling:DeleteAutoScalingGroup", "autoscaling:CreateOrUpdateTags"),
		calls(groups+"shop", context{"autoscaling:LaunchTemplateVersionSpecified": {"false"}}, "autoscaling:UpdateAutoScalingGroup"),
		calls(groups+"shop", context{"autoscaling:LaunchConfigurationName": {"old"}}, "autoscaling:UpdateAutoScalingGroup"),
		calls(template, ours, "ec2:CreateLaunchTemplate", "ec2:DeleteLaunchTemplate", "ec2:ModifyLaunchTemplate"),
		calls(template, theirs, "ec2:CreateLaunchTemplateVersion", "ec2:RunInstances"),
		calls(template, nil, "ec2:CreateLaunchTemplateVersion"),
		calls(role+"shop-instance", nil, "iam:PassRole"),
		calls(instance, context{"aws:RequestTag/service": {"shop"}}, "ec2:RunInstances"),
		calls(instance, from, "ec2:RunInstances"),
		calls(ec2+"subnet/subnet-1", nil, "ec2:RunInstances"),
		calls(instance, context{"aws:RequestTag/service": {"shop"}}, "ec2:CreateTags"),
		calls(instance, theirs, "ec2:TerminateInstances", "ec2:StopInstances"),
		calls(instance, nil, "ec2:TerminateInstances"),
		calls(instance, ours, "ec2:GetPasswordData", "ec2:ModifyInstanceAttribute", "ec2:AssociateIamInstanceProfile"),
		calls(role+"admin", to("ec2.amazonaws.com"), "iam:PassRole"),
		calls(role+"shop-instance", to("lambda.amazonaws.com"), "iam:PassRole"),
	)
	accepts := []string{"any-instance-profile"}
	all := Args{"service": {"shop"}, "groups": {"shop"}, "pass_roles": {"shop-instance"}, "accepts": accepts}

	return flat(
		cases("", Args{"service": {"shop"}, "groups": {"shop"}}, flat(watch, refresh), flat(never, update, launch, manage)),
		cases("release", all, flat(watch, refresh, update, launch), flat(never, manage)),
		cases("instances", all, flat(watch, refresh, update, launch, manage), never),
		cases("instances", Args{"service": {"shop"}, "tag": {"Name"}, "accepts": accepts},
			flat(calls(instance, context{"aws:ResourceTag/Name": {"shop"}}, "ec2:StopInstances"),
				calls(instance, context{"ec2:LaunchTemplate": {template}, "aws:RequestTag/Name": {"shop"}}, "ec2:RunInstances")),
			flat(refresh, update, manage, calls(instance, launching, "ec2:RunInstances"),
				calls(template, context{"aws:ResourceTag/Name": {"web"}}, "ec2:CreateLaunchTemplateVersion", "ec2:RunInstances"),
				calls(role+"shop-instance", to("ec2.amazonaws.com"), "iam:PassRole"))),
	)
}
