package catalog

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// posternApply is what Postern itself needs for one stack. All that a stack
// owns lies under /postern/STACK/, so paths confine the grant; but who may write
// a role's policies and trust can become whatever the role may do. The
// permissions boundary holds that back: a role can be made, and given
// permissions, only under the named one, which nothing here can change or take
// away.
//
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
//   - docs/permissions.md; a test in internal/cli holds the actions against the calls that internal/aws makes
func posternApply() *Grant {
	writing := []string{"apply", "machine-users"}
	return &Grant{
		Name:    "postern-apply",
		Area:    Own,
		Summary: "run postern for one stack: plan at level plan, apply and destroy above",
		Never:   "change anything outside of the stack's path, make a role or give it permissions without the boundary, change or remove the boundary, make an access key, become a role; at level plan, change anything",
		Params: []Param{
			stackParam(),
			{
				Name: "boundary", Type: String, Max: 200, Pattern: `^(arn:aws(-[a-z]+)*:iam::aws:policy/)?[\w+=,.@-]{1,128}$`, Example: "stack-boundary", Levels: writing,
				Summary: "name of a managed policy of the account, without a path, or the ARN of one of AWS's: every role of the stack has it as its permissions boundary",
				Why:     "without a boundary whoever holds this could make a role with any permission and become it",
			},
			{
				Name: "issuers", Type: List, Max: 10, Pattern: `^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~-]+)*$`, Example: "token.actions.githubusercontent.com", Levels: writing,
				Summary: "up to 10 OIDC issuers whose providers may be made, extended and removed, without https://; providers are shared by all stacks of the account",
				Wider:   "no level reaches providers that are not named",
			},
			{
				Name: "instance_profiles", Type: List, Max: 20, Pattern: `^[\w+=,.@-]{1,64}$`, Example: "shop-consul", Levels: writing,
				Summary: "up to 20 roles of the stack that go into instance profiles, as AWS names them: STACK-ROLE",
				Wider:   "no level passes roles that are not named",
			},
			{
				Name: "accepts", Type: String, Max: 30, Pattern: `^unbounded-groups$`, Example: "unbounded-groups", Levels: []string{"machine-users"},
				Summary: "unbounded-groups says that it is known: a group of the stack can give any user of the account any permission",
				Why:     "IAM knows no permissions boundary of groups and judges AddUserToGroup by the group alone",
			},
		},
		Levels: []Level{
			{Name: "plan", Summary: "read the account and say what would change: plan, prove"},
			{Name: "apply", Summary: "make and remove the stack's roles, policies, instance profiles and providers", Adds: "writing roles and policies under the stack's path: what the boundary allows can be given to anybody", Needs: []string{"boundary"}},
			{Name: "machine-users", Summary: "also make and remove the stack's machine users, for access_key identities", Adds: "writing users and groups under the stack's path; groups know no boundary, so together with any user of the account this is every permission", Needs: []string{"boundary", "accepts"}},
		},
		Unscopable: []Unscopable{
			{
				Actions: []string{
					"iam:GetAccountAuthorizationDetails",
					"iam:GetAccountSummary",
					"iam:ListInstanceProfiles",
					"iam:ListOpenIDConnectProviders",
					"iam:ListRoles",
				},
				Reason: "describe the account as a whole and know no resource",
			},
		},
		Why:        posternWhy(),
		Cases:      posternCases,
		statements: posternStatements,
	}
}

// posternWhy makes the reasons of the calls that changes stand for, which all
// read alike, and adds the others.
func posternWhy() Why {
	why := Why{
		"iam:GetAccountAuthorizationDetails": "postern plan: reads all users, groups, roles and policies",
		"iam:GetAccountSummary":              "postern plan: reads the account's quotas",
		"iam:GetGroup":                       "postern apply: sees whether a group is the stack's own, after a failure and before a deletion",
		"iam:GetInstanceProfile":             "postern apply: sees whether an instance profile is the stack's own",
		"iam:GetLoginProfile":                "postern apply: says what keeps a user from being deleted",
		"iam:GetOpenIDConnectProvider":       "postern plan: reads the audiences of each OIDC provider",
		"iam:GetPolicy":                      "postern apply: sees whether a policy is the stack's own",
		"iam:GetPolicyVersion":               "postern apply: sees whether a lost answer made the version",
		"iam:GetRole":                        "postern apply: sees whether a role is the stack's own",
		"iam:GetUser":                        "postern apply: sees whether a user is the stack's own",
		"iam:ListAccessKeys":                 "postern plan: reads the keys of the stack's machine users",
		"iam:ListEntitiesForPolicy":          "postern apply: says what keeps a policy from being deleted",
		"iam:ListInstanceProfiles":           "postern plan: reads the instance profiles",
		"iam:ListMFADevices":                 "postern apply: says what keeps a user from being deleted",
		"iam:ListOpenIDConnectProviders":     "postern plan: finds the OIDC providers",
		"iam:ListRoles":                      "postern plan: reads sessions and descriptions of the stack's roles",
		"iam:ListSSHPublicKeys":              "postern apply: says what keeps a user from being deleted",
		"iam:ListServiceSpecificCredentials": "postern apply: says what keeps a user from being deleted",
		"iam:ListSigningCertificates":        "postern apply: says what keeps a user from being deleted",
		"iam:PassRole":                       "postern apply: AddRoleToInstanceProfile hands the role to EC2",
		"iam:TagInstanceProfile":             "postern apply: CreateInstanceProfile tags what it makes",
		"iam:TagOpenIDConnectProvider":       "postern apply: CreateOpenIDConnectProvider tags what it makes",
		"iam:TagPolicy":                      "postern apply: CreatePolicy tags what it makes",
	}
	for _, actions := range [][]string{
		roleChanges, boundedRoleChanges, {"iam:AttachRolePolicy"}, profileChanges, policyChanges, providerChanges, userChanges, groupChanges,
	} {
		for _, a := range actions {
			if why[a] == "" {
				why[a] = "postern apply, destroy: the change " + strings.TrimPrefix(a, "iam:") + " of a plan"
			}
		}
	}
	return why
}

// The calls that a plan's changes stand for, and those that look at what they
// touch. Bounded are those by which a role gains permissions.
var (
	boundedRoleChanges = []string{"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
	roleChanges        = []string{
		"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetRole",
		"iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
	}
	profileChanges = []string{
		"iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
		"iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
	}
	policyChanges = []string{
		"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
		"iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy", "iam:TagPolicy",
	}
	providerChanges = []string{
		"iam:AddClientIDToOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider",
		"iam:DeleteOpenIDConnectProvider", "iam:TagOpenIDConnectProvider",
	}
	userChanges = []string{
		"iam:CreateUser", "iam:DeleteAccessKey", "iam:DeleteUser", "iam:DeleteUserPermissionsBoundary", "iam:DeleteUserPolicy", "iam:DetachUserPolicy",
		"iam:GetLoginProfile", "iam:GetUser", "iam:ListMFADevices", "iam:ListSSHPublicKeys",
		"iam:ListServiceSpecificCredentials", "iam:ListSigningCertificates", "iam:TagUser", "iam:UntagUser",
	}
	groupChanges = []string{
		"iam:AddUserToGroup", "iam:CreateGroup", "iam:DeleteGroup", "iam:DeleteGroupPolicy",
		"iam:DetachGroupPolicy", "iam:GetGroup", "iam:PutGroupPolicy", "iam:RemoveUserFromGroup",
	}
)

func posternStatements(s Scope, level string, args Args) []iam.Statement {
	own := func(kind string) []string { return []string{s.ofStack(kind, args.one("stack"), "*")} }
	out := []iam.Statement{
		allow("PosternRead", []string{
			"iam:GetAccountAuthorizationDetails", "iam:GetAccountSummary", "iam:ListInstanceProfiles", "iam:ListOpenIDConnectProviders", "iam:ListRoles",
		}, everything()),
		allow("PosternReadProviders", []string{"iam:GetOpenIDConnectProvider"}, []string{s.iam("oidc-provider/*")}),
		allow("PosternReadKeys", []string{"iam:ListAccessKeys"}, own("user")),
	}
	if level == "plan" {
		return out
	}
	bounded := when("StringEquals", "iam:PermissionsBoundary", s.managedPolicy(args.one("boundary")))
	out = append(out,
		allow("PosternRoles", roleChanges, own("role")),
		allow("PosternRolesBounded", boundedRoleChanges, own("role"), bounded),
		allow("PosternRolesAttach", []string{"iam:AttachRolePolicy"}, own("role"), bounded, when("ArnLike", "iam:PolicyARN", own("policy")...)),
		allow("PosternPolicies", policyChanges, own("policy")))
	if issuers := args["issuers"]; len(issuers) > 0 {
		out = append(out, allow("PosternProviders", providerChanges, each(issuers, func(host string) string { return s.iam("oidc-provider/" + host) })))
	}
	out = append(out, s.posternProfiles(args)...)
	if level == "machine-users" {
		out = append(out, allow("PosternUsers", userChanges, own("user")), allow("PosternGroups", groupChanges, own("group")))
	}
	return out
}

// posternProfiles allows the named roles in instance profiles of the same
// name, as compile makes them.
func (s Scope) posternProfiles(args Args) []iam.Statement {
	names := args["instance_profiles"]
	if len(names) == 0 {
		return nil
	}
	stack, path := args.one("stack"), "postern/"+args.one("stack")+"/"
	return []iam.Statement{
		allow("PosternProfiles", profileChanges, each(names, func(name string) string { return s.ofStack("instance-profile", stack, name) })),
		passRoles("PosternPassRoles", s, each(names, func(name string) string { return path + name }), "ec2"),
	}
}

// managedPolicy is the ARN of a policy of the account, given by name, or of
// one of AWS's, given by ARN.
func (s Scope) managedPolicy(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return s.iam("policy/" + name)
}

func posternCases() []Case {
	const (
		account  = "arn:aws:iam::222222222222:"
		role     = account + "role/postern/shop/shop-deploy"
		profile  = account + "instance-profile/postern/shop/shop-consul"
		policy   = account + "policy/postern/shop/shop-deploy-ecr-0a1b2c3d"
		boundary = account + "policy/stack-boundary"
		github   = account + "oidc-provider/token.actions.githubusercontent.com"
		user     = account + "user/postern/shop/shop-travis"
		group    = account + "group/postern/shop/shop-travis"
		admin    = "arn:aws:iam::aws:policy/AdministratorAccess"
	)
	type context = map[string][]string
	under := func(arn string) context { return context{"iam:PermissionsBoundary": {arn}} }
	attach := func(boundary, policy string) []call {
		return calls(role, context{"iam:PermissionsBoundary": {boundary}, "iam:PolicyARN": {policy}}, "iam:AttachRolePolicy")
	}
	to := func(service string) context { return context{"iam:PassedToService": {service}} }

	read := flat(
		calls("*", nil, "iam:GetAccountAuthorizationDetails", "iam:GetAccountSummary", "iam:ListInstanceProfiles", "iam:ListOpenIDConnectProviders", "iam:ListRoles"),
		calls(github, nil, "iam:GetOpenIDConnectProvider"), calls(user, nil, "iam:ListAccessKeys"),
	)
	roles := flat(
		calls(role, nil, roleChanges...), calls(role, under(boundary), boundedRoleChanges...),
		attach(boundary, policy), calls(policy, nil, policyChanges...),
	)
	profiles := flat(calls(profile, nil, profileChanges...), calls(account+"role/postern/shop/shop-consul", to("ec2.amazonaws.com"), "iam:PassRole"))
	providers := calls(github, nil, providerChanges...)
	users := flat(calls(user, nil, userChanges...), calls(group, nil, groupChanges...))
	never := flat(
		calls(role, nil, boundedRoleChanges...), calls(role, under(admin), boundedRoleChanges...), calls(role, under(policy), boundedRoleChanges...),
		calls(role, under(boundary), "iam:DeleteRolePermissionsBoundary"), calls(role, nil, "iam:DeleteRolePermissionsBoundary", "sts:AssumeRole"),
		attach(boundary, admin), attach(admin, policy), attach(boundary, account+"policy/postern/web/x"),
		calls(account+"role/admin", nil, roleChanges...), calls(account+"role/admin", under(boundary), boundedRoleChanges...),
		calls(account+"role/postern/web/web-deploy", nil, "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"),
		calls(account+"role/postern/shopping/x", under(boundary), "iam:CreateRole"),
		calls(boundary, nil, "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"),
		calls(policy, nil, "iam:SetDefaultPolicyVersion"),
		calls(account+"role/postern/shop/shop-deploy", to("ec2.amazonaws.com"), "iam:PassRole"),
		calls(account+"role/postern/shop/shop-consul", to("lambda.amazonaws.com"), "iam:PassRole"),
		calls(account+"role/admin", to("ec2.amazonaws.com"), "iam:PassRole"),
		calls(account+"instance-profile/other", nil, "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile"),
		calls(account+"oidc-provider/gitlab.com", nil, providerChanges...), calls(github, nil, "iam:UpdateOpenIDConnectProviderThumbprint", "iam:RemoveClientIDFromOpenIDConnectProvider"),
		calls(user, nil, "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:CreateLoginProfile", "iam:PutUserPolicy", "iam:AttachUserPolicy"),
		calls(account+"user/ada", nil, "iam:DeleteUser", "iam:ListAccessKeys"), calls(account+"group/admins", nil, "iam:AddUserToGroup", "iam:PutGroupPolicy"),
		calls(group, nil, "iam:AttachGroupPolicy"),
		calls("arn:aws:s3:::acme-data/x", nil, "s3:GetObject"),
	)
	stack, bound := []string{"shop"}, []string{"stack-boundary"}
	all := func(more Args) Args {
		more["stack"], more["boundary"] = stack, bound
		more["issuers"], more["instance_profiles"] = []string{"token.actions.githubusercontent.com"}, []string{"shop-consul"}
		return more
	}
	return flat(
		cases("", Args{"stack": stack}, read, flat(never, roles, profiles, providers, users)),
		cases("apply", Args{"stack": stack, "boundary": bound}, flat(read, roles), flat(never, profiles, providers, users)),
		cases("apply", all(Args{}), flat(read, roles, profiles, providers), flat(never, users)),
		cases("machine-users", all(Args{"accepts": {"unbounded-groups"}}), flat(read, roles, profiles, providers, users), never),
	)
}
