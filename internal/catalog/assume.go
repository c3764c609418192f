package catalog

import "github.com/postern-dev/postern/iam"

// assumeRoles is the caller's side of access across accounts: it may become
// exactly the roles that are named. What those may do, and whom they trust,
// stands with them.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html
func assumeRoles() *Grant {
	return &Grant{
		Name:    "assume-roles",
		Area:    Accounts,
		Summary: "become named roles, mostly of other accounts",
		Never:   "become a role that is not named, pass a role to a service; at level assume, set session tags or a source identity",
		Params: []Param{
			{
				Name: "roles", Type: List, Required: true, Max: 30, Example: "arn:aws:iam::333333333333:role/allow-auto-deploy",
				Pattern: `^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([\w+=,.@-]+/){0,8}[\w+=,.@-]{1,64}$`,
				Summary: "up to 30 ARNs of roles, with their paths if they have one",
				Wider:   "no level reaches roles that are not named: every role that trusts this one's account would be open",
			},
			{
				Name: "external_id", Type: String, Max: 1224, Pattern: `^[A-Za-z0-9_+=,.@:-][A-Za-z0-9_+=,.@:-]+$`, Example: "acme-deploy",
				Summary: "external id that every call must state, if the roles ask for one",
			},
		},
		Levels: []Level{
			{Name: "assume", Summary: "become the named roles"},
			{Name: "tag-session", Summary: "also tag the sessions, as aws-actions/configure-aws-credentials does unless role-skip-session-tagging is set", Adds: "session tags and a source identity of the caller's choice, which policies of the other accounts may go by"},
		},
		Why: Why{
			"sts:AssumeRole":        "aws sts assume-role, source_profile, role-chaining: become the role",
			"sts:SetSourceIdentity": "aws sts assume-role --source-identity: keeps who began the chain in CloudTrail",
			"sts:TagSession":        "aws-actions/configure-aws-credentials, aws sts assume-role --tags: tag the session",
		},
		Cases:      assumeCases,
		statements: assumeStatements,
	}
}

func assumeStatements(_ Scope, level string, args Args) []iam.Statement {
	assume := allow("AssumeRoles", []string{"sts:AssumeRole"}, args["roles"])
	if id := args.one("external_id"); id != "" {
		assume.Conditions = []iam.Condition{when("StringEquals", "sts:ExternalId", id)}
	}
	if level == "assume" {
		return []iam.Statement{assume}
	}
	return []iam.Statement{assume, allow("AssumeRolesTagged", []string{"sts:SetSourceIdentity", "sts:TagSession"}, args["roles"])}
}

func assumeCases() []Case {
	const (
		iam    = "arn:aws:iam::333333333333:"
		deploy = iam + "role/allow-auto-deploy"
		keys   = "arn:aws:iam::444444444444:role/postern/fleet/fleet-ssh-keys"
	)
	assume := func(context map[string][]string, arns ...string) []call {
		var out []call
		for _, arn := range arns {
			out = append(out, call{"sts:AssumeRole", arn, context})
		}
		return out
	}
	id := func(v string) map[string][]string { return map[string][]string{"sts:ExternalId": {v}} }
	tag := calls(deploy, nil, "sts:TagSession", "sts:SetSourceIdentity")
	never := flat(
		assume(nil, iam+"role/allow-auto-deploy2", iam+"role/team/allow-auto-deploy", iam+"role/admin",
			"arn:aws:iam::444444444444:role/allow-auto-deploy", "arn:aws:iam::222222222222:role/allow-auto-deploy"),
		calls(iam+"role/admin", nil, "sts:TagSession"),
		calls(deploy, nil, "iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:GetRole"),
		calls(iam+"user/allow-auto-deploy", nil, "sts:GetFederationToken"),
	)
	roles := []string{deploy, keys}
	return flat(
		cases("", Args{"roles": roles}, flat(assume(nil, deploy, keys), assume(id("any"), deploy)), flat(never, tag)),
		cases("assume", Args{"roles": roles, "external_id": {"acme-deploy"}}, assume(id("acme-deploy"), deploy, keys),
			flat(never, tag, assume(nil, deploy), assume(id("acme"), deploy))),
		cases("tag-session", Args{"roles": roles}, flat(assume(nil, deploy, keys), tag), never),
	)
}
