package catalog

import "github.com/postern-dev/postern/iam"

// cdkDeploy lets the CDK's command line become the roles that cdk bootstrap made,
// which do all the rest. How far a deployment reaches is up to the policies of
// the bootstrap's cfn-exec-role: administrator, unless cdk bootstrap was told
// otherwise (--cloudformation-execution-policies).
//
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
func cdkDeploy() *Grant {
	return &Grant{
		Name:    "cdk-deploy",
		Area:    Infrastructure,
		Summary: "become the roles of a CDK bootstrap, which look things up, upload assets and deploy",
		Never:   "become any other role, the bootstrap's cfn-exec-role among them, pass a role, bootstrap an account or change its bootstrap",
		Params: []Param{
			{
				Name: "qualifier", Type: String, Max: 10, Default: "hnb659fds", Pattern: `^[a-z0-9]{1,10}$`, Example: "hnb659fds",
				Summary: "the bootstrap's qualifier (cdk bootstrap --qualifier), up to 10 characters",
				Wider:   "no level becomes roles of another bootstrap: use the grant once for each",
			},
			{
				Name: "regions", Type: List, Max: 20, Regions: true, Pattern: regionForm().String(), Example: "eu-west-1",
				Summary: "up to 20 regions that are bootstrapped; without it the role's own",
				Wider:   "no level reaches regions that are not named",
			},
			{
				Name: "accounts", Type: List, Max: 20, Pattern: `^[0-9]{12}$`, Example: "222222222222",
				Summary: "up to 20 ids of accounts whose bootstrap trusts this role's; without it the role's own",
				Wider:   "no level reaches accounts that are not named",
			},
		},
		Levels: []Level{
			{Name: "lookup", Summary: "look up what is there: cdk synth and cdk diff with lookups; the lookup role can read most of the account (ReadOnlyAccess, without kms:Decrypt)"},
			{Name: "deploy", Summary: "upload assets and deploy: cdk deploy", Adds: "whatever the bootstrap's cfn-exec-role may do, through CloudFormation"},
		},
		Why: Why{
			"ssm:GetParameter": "cdk deploy: sees which version the bootstrap has, where no role of it can be assumed yet",
			"sts:AssumeRole":   "cdk synth, diff, deploy: become the bootstrap's role for each step",
		},
		Cases:      cdkCases,
		statements: cdkStatements,
	}
}

func cdkStatements(s Scope, level string, args Args) []iam.Statement {
	roles := []string{"lookup"}
	if level == "deploy" {
		roles = []string{"deploy", "file-publishing", "image-publishing", "lookup"}
	}
	accounts, regions := args["accounts"], args["regions"]
	if len(accounts) == 0 {
		accounts = []string{s.Account}
	}
	if len(regions) == 0 {
		regions = []string{s.Region}
	}
	var arns, versions []string
	for _, account := range accounts {
		for _, region := range regions {
			bootstrap := "cdk-" + args.one("qualifier")
			arns = append(arns, each(roles, func(role string) string {
				return s.arnIn("iam", "", account, "role/"+bootstrap+"-"+role+"-role-"+account+"-"+region)
			})...)
			versions = append(versions, s.arnIn("ssm", region, account, "parameter/cdk-bootstrap/"+args.one("qualifier")+"/version"))
		}
	}
	return []iam.Statement{
		allow("CdkAssumeRoles", []string{"sts:AssumeRole"}, arns),
		allow("CdkBootstrapVersion", []string{"ssm:GetParameter"}, versions),
	}
}

func cdkCases() []Case {
	role := func(account, name, place string) []call {
		return calls("arn:aws:iam::"+account+":role/cdk-hnb659fds-"+name+"-role-"+place, nil, "sts:AssumeRole")
	}
	const here, there = "222222222222-eu-west-1", "222222222222-us-east-1"
	version := calls("arn:aws:ssm:eu-west-1:222222222222:parameter/cdk-bootstrap/hnb659fds/version", nil, "ssm:GetParameter")
	publish := flat(role("222222222222", "deploy", here), role("222222222222", "file-publishing", here), role("222222222222", "image-publishing", here))
	lookup := role("222222222222", "lookup", here)
	never := flat(
		role("222222222222", "cfn-exec", here),
		role("333333333333", "deploy", "333333333333-eu-west-1"), role("222222222222", "deploy", "333333333333-eu-west-1"),
		role("222222222222", "deploy", here+"2"),
		calls("arn:aws:iam::222222222222:role/cdk-other-deploy-role-"+here, nil, "sts:AssumeRole"),
		calls("arn:aws:iam::222222222222:role/admin", nil, "sts:AssumeRole", "iam:PassRole"),
		calls("arn:aws:iam::222222222222:role/cdk-hnb659fds-deploy-role-"+here, nil, "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "sts:TagSession"),
		calls("arn:aws:ssm:eu-west-1:222222222222:parameter/cdk-bootstrap/hnb659fds/version", nil, "ssm:PutParameter", "ssm:GetParameterHistory"),
		calls("arn:aws:ssm:eu-west-1:222222222222:parameter/shop/password", nil, "ssm:GetParameter"),
		calls("arn:aws:cloudformation:eu-west-1:222222222222:stack/CDKToolkit/0a1b", nil, "cloudformation:UpdateStack", "cloudformation:CreateChangeSet"),
	)
	elsewhere := Args{"regions": {"us-east-1", "eu-west-1"}, "accounts": {"444444444444", "555555555555"}}
	return flat(
		cases("", nil, flat(lookup, version), flat(never, publish, role("222222222222", "lookup", there))),
		cases("deploy", nil, flat(lookup, version, publish), flat(never, role("222222222222", "deploy", there))),
		cases("deploy", elsewhere,
			flat(role("444444444444", "deploy", "444444444444-us-east-1"), role("555555555555", "image-publishing", "555555555555-eu-west-1")),
			flat(never, lookup, version, publish)),
		cases("deploy", Args{"qualifier": {"other"}}, calls("arn:aws:iam::222222222222:role/cdk-other-deploy-role-"+here, nil, "sts:AssumeRole"), flat(lookup, version, publish)),
	)
}
