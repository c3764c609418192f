package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// terraformPlan is terraform plan for a pull request: anybody who may open one
// decides what the code asks for, so nothing here shows a secret or changes
// anything. One thing remains: the state itself is read, with every secret that
// Terraform has written into it.
func terraformPlan() *Grant {
	return &Grant{
		Name:    "terraform-plan",
		Area:    Infrastructure,
		Summary: "refresh and plan one Terraform state without seeing secrets of the named services, so that a pull request may run it",
		Never:   "read the value of a secret or parameter, an object besides the state, a log, an item or a message; pass or assume a role; write the state; below level configuration, see environment variables, user data or code",
		Params: slices.Concat([]Param{
			{
				Name: "services", Type: List, Required: true, Max: 30, Pattern: `^(` + strings.Join(planServiceNames(), "|") + `)$`, Example: "ec2",
				Summary: "up to 30 services whose resources are refreshed, by the prefix of their actions: " + strings.Join(planServiceNames(), ", "),
				Wider:   "no level reads services that are not named",
			},
			bucketParam(),
			required(keyParam("no level reads more than one state: a state holds every secret that Terraform has seen")),
		}, workspaceParams("no level reads workspaces that are not named"), stateParams([]string{"lock", "configuration"})),
		Levels: []Level{
			{Name: "read", Summary: "read the state and refresh: plan -lock=false; a secret that Terraform has written into the state shows, so keep such states from pull requests"},
			{Name: "lock", Summary: "also take the lock of the state", Adds: "taking and releasing the lock, so that a plan can hold up an apply or release its lock"},
			{Name: "configuration", Summary: "also refresh resources whose configuration may hold secrets, such as functions, task definitions and instances", Adds: planLeaks()},
		},
		Unscopable: planUnscopable(),
		Why:        planWhy(),
		Cases:      planCases,
		statements: planStatements,
	}
}

func planServiceNames() []string { return slices.Sorted(maps.Keys(planServices())) }

// planLeaks lists what level configuration may show.
func planLeaks() string {
	var shown []string
	for _, reads := range planServices() {
		for _, r := range reads {
			if r.shows != "" {
				shown = append(shown, r.shows)
			}
		}
	}
	return "seeing " + strings.Join(set(shown), ", ") + ", and links to the code of functions"
}

func planUnscopable() []Unscopable {
	u := Unscopable{Reason: "read across the account and know no resource; where the service has regions, a condition bounds them to the role's"}
	for _, service := range planServiceNames() {
		for _, r := range planServices()[service] {
			if r.on == "" {
				u.Actions = append(u.Actions, service+":"+r.action)
			}
		}
	}
	return []Unscopable{u}
}

func planWhy() Why {
	why := Why{
		"dynamodb:DescribeTable": "terraform: asked for by the documentation of the backend, beside the items",
		"dynamodb:DeleteItem":    "terraform plan: releases the lock in the table",
		"dynamodb:GetItem":       "terraform plan: reads the digest of the state, and who holds the lock",
		"dynamodb:PutItem":       "terraform plan: takes the lock in the table",
		"kms:Decrypt":            "terraform plan: reads a state that the key encrypts",
		"kms:GenerateDataKey":    "terraform plan: writes the lock file of a state that the key encrypts",
		"s3:DeleteObject":        "terraform plan: removes the lock file (use_lockfile)",
		"s3:GetObject":           "terraform plan: reads the state, and who holds the lock file",
		"s3:PutObject":           "terraform plan: writes the lock file",
	}
	for service, reads := range planServices() {
		for _, r := range reads {
			why[service+":"+r.action] = "terraform plan: refreshes " + r.of
		}
	}
	return why
}

func planStatements(s Scope, level string, args Args) []iam.Statement {
	t := newState(s, "TerraformPlanState", args)
	t.locks = level != "read"
	t.objects = []string{args.one("key")}
	t.inWorkspaces(args)
	out := t.statements()
	for _, service := range args["services"] {
		out = append(out, planService(s, service, level)...)
	}
	return out
}

// planService allows what refreshes the resources of one service: a statement for
// what knows no resource, and one for each kind of resource.
func planService(s Scope, service, level string) []iam.Statement {
	actions := map[string][]string{} // by what they are about
	for _, r := range planServices()[service] {
		if r.shows == "" || level == "configuration" {
			actions[r.on] = append(actions[r.on], service+":"+r.action)
		}
	}
	var out []iam.Statement
	for _, on := range slices.Sorted(maps.Keys(actions)) {
		sid := "TerraformPlan" + strings.ToUpper(service[:1]) + service[1:] + identifier(on)
		switch {
		case on == "" && service == "route53":
			out = append(out, allow(sid, actions[on], everything())) // it has no regions
		case on == "":
			out = append(out, allow(sid, actions[on], everything(), when("StringEquals", "aws:RequestedRegion", s.Region)))
		case service == "s3":
			out = append(out, allow(sid, actions[on], []string{s.s3(on)}, when("StringEquals", "aws:ResourceAccount", s.Account)))
		default:
			out = append(out, allow(sid, actions[on], []string{s.planned(service, on)}))
		}
	}
	return out
}

// planned is the ARN of resources of a service, some of which have no regions.
func (s Scope) planned(service, on string) string {
	switch {
	case service == "iam", service == "cloudfront", strings.HasPrefix(on, "global-cluster:"):
		return s.arnIn(service, "", s.Account, on)
	case service == "route53":
		return s.arnIn(service, "", "", on)
	}
	return s.arn(service, on)
}

// identifier is what of a text may stand in a statement id.
func identifier(text string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, text)
}

func planCases() []Case {
	const (
		key     = "shop/terraform.tfstate"
		account = "222222222222"
	)
	here := map[string][]string{"aws:RequestedRegion": {"eu-west-1"}, "aws:ResourceAccount": {account}}
	refresh := func(service string, leaking bool) []call {
		var out []call
		for _, r := range planServices()[service] {
			if (r.shows != "") == leaking {
				out = append(out, calls(sampleOf(service, r.on), here, service+":"+r.action)...)
			}
		}
		return out
	}
	away := map[string][]string{"aws:RequestedRegion": {"us-east-1"}, "aws:ResourceAccount": {"333333333333"}}
	bounded := func(service string) []call { // by a condition, as their resources tell no region or account
		var out []call
		for _, r := range planServices()[service] {
			if r.on == "" && service != "route53" || service == "s3" {
				out = append(out, calls(sampleOf(service, r.on), away, service+":"+r.action)...)
			}
		}
		return out
	}
	read := readState(key)
	lock := flat(
		calls(stateBucket+"/"+key+lockSuffix, nil, "s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
		calls(lockTable, item("acme-state/"+key), "dynamodb:PutItem", "dynamodb:DeleteItem"),
		calls(stateKey, viaS3(), "kms:GenerateDataKey"),
	)
	common := flat(
		calls(stateBucket, listing(key), "s3:ListBucket"), calls(lockTable, nil, "dynamodb:DescribeTable"),
		calls(stateKey, viaS3(), "kms:Decrypt"),
	)
	var out []Case
	add := func(service string, never []call) {
		args := stateArgs(Args{"key": {key}, "services": {service}})
		plain, leaks, other := refresh(service, false), refresh(service, true), refresh(next(planServiceNames(), service), false)
		out = append(out, flat(
			cases("", args, flat(read, common, plain), flat(never, lock, other, leaks)),
			cases("lock", args, flat(read, common, lock, plain), flat(never, other, leaks)),
			cases("configuration", args, flat(read, common, lock, plain, leaks), flat(never, other)),
		)...)
	}
	for _, service := range planServiceNames() {
		add(service, bounded(service))
	}
	add("ec2", flat(planSecrets(here), planChanges(key, here)))
	return out
}

// next is the name after one of a list, which begins anew at its end.
func next(names []string, name string) string {
	return names[(slices.Index(names, name)+1)%len(names)]
}

// sampleOf is one resource of those that a call is about.
func sampleOf(service, on string) string {
	if on == "" {
		return "*"
	}
	if service == "s3" {
		return "arn:aws:s3:::acme-www"
	}
	return CaseScope().planned(service, strings.ReplaceAll(on, "*", "shop"))
}

// planSecrets are the calls that show secrets by their purpose.
func planSecrets(here map[string][]string) []call {
	const region = ":eu-west-1:222222222222:"
	return flat(
		calls("arn:aws:secretsmanager"+region+"secret:shop-Ab12Cd", here, "secretsmanager:GetSecretValue"),
		calls("*", here, "secretsmanager:BatchGetSecretValue", "ec2:DescribeVpnConnections"),
		calls("arn:aws:ssm"+region+"parameter/shop", here, "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory"),
		calls("arn:aws:s3:::acme-www/index.html", here, "s3:GetObject", "s3:GetObjectVersion"),
		calls("arn:aws:dynamodb"+region+"table/shop", here, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"),
		calls("arn:aws:sqs"+region+"shop", here, "sqs:ReceiveMessage"),
		calls("arn:aws:logs"+region+"log-group:shop:*", here, "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"),
		calls("arn:aws:ec2"+region+"instance/i-0abc", here, "ec2:GetPasswordData", "ec2:GetConsoleOutput", "ec2:GetConsoleScreenshot"),
		calls("arn:aws:ecr"+region+"repository/shop", here, "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
		calls("arn:aws:kms"+region+"key/99999999-12ab-34cd-56ef-1234567890ab", here, "kms:Decrypt"),
		calls("arn:aws:lambda"+region+"layer:libs:3", here, "lambda:GetLayerVersion"),
		calls("arn:aws:rds"+region+"db:shop", here, "rds:DownloadDBLogFilePortion"),
		calls("arn:aws:cloudfront::222222222222:distribution/E2EXAMPLE1ABCD", here, "cloudfront:GetDistributionConfig"),
	)
}

// planChanges are calls that change something, or lead on.
func planChanges(key string, here map[string][]string) []call {
	return flat(
		calls(stateBucket+"/"+key, nil, "s3:PutObject", "s3:DeleteObject"),
		calls(stateBucket+"/web/terraform.tfstate", nil, "s3:GetObject"), calls(stateBucket+"/web/terraform.tfstate"+lockSuffix, nil, "s3:PutObject"),
		calls(lockTable, item("acme-state/"+key+digestSuffix), "dynamodb:PutItem", "dynamodb:DeleteItem"),
		calls(lockTable, item("acme-state/web/terraform.tfstate"), "dynamodb:GetItem", "dynamodb:PutItem"),
		calls(lockTable, nil, "dynamodb:GetItem", "dynamodb:PutItem"), calls(stateBucket, listing("web/"), "s3:ListBucket"), calls(stateKey, nil, "kms:Decrypt"),
		calls("arn:aws:iam::222222222222:role/admin", passedTo("ec2.amazonaws.com"), "iam:PassRole", "sts:AssumeRole"),
		calls("arn:aws:iam::222222222222:role/admin", here, "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
		calls("arn:aws:ec2:eu-west-1:222222222222:vpc/vpc-1", here, "ec2:DeleteVpc", "ec2:CreateTags"),
		calls("arn:aws:lambda:eu-west-1:222222222222:function:shop", here, "lambda:InvokeFunction", "lambda:UpdateFunctionCode"),
		calls("arn:aws:ecs:eu-west-1:222222222222:task/prod/0a1b", here, "ecs:ExecuteCommand"),
	)
}
