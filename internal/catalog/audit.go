package catalog

import "github.com/postern-dev/postern/iam"

// auditRead reads what says who may do what: IAM's own configuration, and at
// the wider level the organization's policies. It reads no data of any
// service, so it needs none of the reach of SecurityAudit or ReadOnlyAccess.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func auditRead() *Grant {
	return &Grant{
		Name:    "audit-read",
		Area:    Own,
		Summary: "read an account's IAM configuration and the age and use of its credentials, for an audit",
		Never:   "change anything, read a secret, a password or data of any service, sign in as anybody; at level account, read the organization's policies",
		Levels: []Level{
			{Name: "account", Summary: "read users, groups, roles, policies, providers and the use of their credentials in the account"},
			{Name: "organization", Summary: "also read the organization's tree and policies: from its management account or a delegated administrator", Adds: "the organization's accounts, units, service control and resource control policies"},
		},
		Unscopable: []Unscopable{
			{
				Actions: []string{
					"iam:GenerateCredentialReport",
					"iam:GetAccountAuthorizationDetails",
					"iam:GetAccountPasswordPolicy",
					"iam:GetAccountSummary",
					"iam:GetCredentialReport",
					"iam:ListInstanceProfiles",
					"iam:ListOpenIDConnectProviders",
					"iam:ListRoles",
					"iam:ListSAMLProviders",
				},
				Reason: "describe the account as a whole and know no resource",
			},
			{Actions: []string{"iam:GetServiceLastAccessedDetails"}, Reason: "the action names a report by its id and knows no resource; it shows reports that others asked for, too"},
			{
				Actions: []string{
					"organizations:DescribeOrganization",
					"organizations:ListAccounts",
					"organizations:ListPolicies",
					"organizations:ListRoots",
				},
				Reason: "describe the organization as a whole and know no resource",
			},
		},
		Why: Why{
			"iam:GenerateCredentialReport":                   "aws iam generate-credential-report: has IAM write the report",
			"iam:GenerateServiceLastAccessedDetails":         "aws iam generate-service-last-accessed-details: asks which grants are used at all",
			"iam:GetAccessKeyLastUsed":                       "aws iam get-access-key-last-used: finds keys that nobody uses",
			"iam:GetAccountAuthorizationDetails":             "postern prove, audits: read all users, groups, roles and policies",
			"iam:GetAccountPasswordPolicy":                   "aws iam get-account-password-policy: reads the rule for console passwords",
			"iam:GetAccountSummary":                          "postern prove, audits: read the account's quotas, whether root has keys",
			"iam:GetCredentialReport":                        "aws iam get-credential-report: reads age and use of passwords and keys",
			"iam:GetOpenIDConnectProvider":                   "postern prove: reads the audiences of each OIDC provider",
			"iam:GetSAMLProvider":                            "aws iam get-saml-provider: reads when its metadata ends",
			"iam:GetServiceLastAccessedDetails":              "aws iam get-service-last-accessed-details: reads which grants are used",
			"iam:ListAccessKeys":                             "postern prove: reads number, age and state of each user's keys",
			"iam:ListInstanceProfiles":                       "postern prove: finds which roles instances can have",
			"iam:ListOpenIDConnectProviders":                 "postern prove: finds the OIDC providers, which no other call shows",
			"iam:ListRoles":                                  "postern prove: reads the longest session and the description of roles",
			"iam:ListSAMLProviders":                          "aws iam list-saml-providers: finds the SAML providers",
			"organizations:DescribeOrganization":             "aws organizations describe-organization: finds the management account",
			"organizations:DescribePolicy":                   "aws organizations describe-policy: reads a service control or resource control policy",
			"organizations:ListAccounts":                     "aws organizations list-accounts: tells accounts of the organization from strangers",
			"organizations:ListAccountsForParent":            "aws organizations list-accounts-for-parent: walks down the tree",
			"organizations:ListOrganizationalUnitsForParent": "aws organizations list-organizational-units-for-parent: walks down the tree",
			"organizations:ListParents":                      "aws organizations list-parents: finds the units above an account",
			"organizations:ListPolicies":                     "aws organizations list-policies: finds the policies",
			"organizations:ListPoliciesForTarget":            "aws organizations list-policies-for-target: finds what binds an account or a unit",
			"organizations:ListRoots":                        "aws organizations list-roots: finds the top of the tree",
			"organizations:ListTargetsForPolicy":             "aws organizations list-targets-for-policy: finds what a policy binds",
		},
		Cases:      auditCases,
		statements: auditStatements,
	}
}

func auditStatements(s Scope, level string, _ Args) []iam.Statement {
	users, roles := s.iam("user/*"), s.iam("role/*")
	out := []iam.Statement{
		allow("AuditAccount", []string{
			"iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetAccountPasswordPolicy",
			"iam:GetAccountSummary", "iam:GetCredentialReport", "iam:GetServiceLastAccessedDetails",
			"iam:ListInstanceProfiles", "iam:ListOpenIDConnectProviders", "iam:ListRoles", "iam:ListSAMLProviders",
		}, everything()),
		allow("AuditOIDC", []string{"iam:GetOpenIDConnectProvider"}, []string{s.iam("oidc-provider/*")}),
		allow("AuditSAML", []string{"iam:GetSAMLProvider"}, []string{s.iam("saml-provider/*")}),
		allow("AuditKeys", []string{"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"}, []string{users}),
		allow("AuditUse", []string{"iam:GenerateServiceLastAccessedDetails"}, []string{s.iam("group/*"), s.iam("policy/*"), roles, users}),
	}
	if level == "organization" {
		out = append(out, s.auditOrganization()...)
	}
	return out
}

// auditOrganization reads the tree and its policies. Their ARNs carry the
// account that manages the organization, which need not be the role's own.
func (s Scope) auditOrganization() []iam.Statement {
	of := func(kind string) string { return s.arnIn("organizations", "", "*", kind+"/o-*") }
	tree := []string{of("account"), of("ou"), of("root")}
	return []iam.Statement{
		allow("AuditOrganization", []string{
			"organizations:DescribeOrganization", "organizations:ListAccounts", "organizations:ListPolicies", "organizations:ListRoots",
		}, everything()),
		allow("AuditOrgTree", []string{"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"}, tree[1:]),
		allow("AuditOrgParents", []string{"organizations:ListParents"}, tree[:2]),
		allow("AuditOrgTargets", []string{"organizations:ListPoliciesForTarget"}, tree),
		allow("AuditOrgPolicies", []string{"organizations:DescribePolicy", "organizations:ListTargetsForPolicy"}, []string{
			of("policy"), s.arnIn("organizations", "", "aws", "policy/*"), // AWS's own, such as FullAWSAccess
		}),
	}
}

func auditCases() []Case {
	const (
		iam    = "arn:aws:iam::222222222222:"
		policy = iam + "policy/team/deploy"
		org    = "arn:aws:organizations::111111111111:"
	)
	account := flat(
		calls("*", nil, "iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetAccountPasswordPolicy", "iam:GetAccountSummary",
			"iam:GetCredentialReport", "iam:GetServiceLastAccessedDetails", "iam:ListInstanceProfiles", "iam:ListOpenIDConnectProviders", "iam:ListRoles", "iam:ListSAMLProviders"),
		calls(iam+"oidc-provider/token.actions.githubusercontent.com", nil, "iam:GetOpenIDConnectProvider"),
		calls(iam+"saml-provider/okta", nil, "iam:GetSAMLProvider"),
		calls(iam+"user/team/ada", nil, "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:GenerateServiceLastAccessedDetails"),
		calls(iam+"role/deploy", nil, "iam:GenerateServiceLastAccessedDetails"),
		calls(policy, nil, "iam:GenerateServiceLastAccessedDetails"),
	)
	organization := flat(
		calls("*", nil, "organizations:DescribeOrganization", "organizations:ListAccounts", "organizations:ListPolicies", "organizations:ListRoots"),
		calls(org+"ou/o-abcdefghij/ou-ab12-x", nil, "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent", "organizations:ListParents", "organizations:ListPoliciesForTarget"),
		calls(org+"account/o-abcdefghij/222222222222", nil, "organizations:ListParents", "organizations:ListPoliciesForTarget"),
		calls(org+"policy/o-abcdefghij/service_control_policy/p-1", nil, "organizations:DescribePolicy", "organizations:ListTargetsForPolicy"),
		calls("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", nil, "organizations:DescribePolicy"),
	)
	never := flat(
		calls(iam+"user/team/ada", nil, "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:CreateLoginProfile", "iam:GetSSHPublicKey", "iam:TagUser"),
		calls(iam+"role/deploy", nil, "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:PassRole", "sts:AssumeRole"),
		calls(policy, nil, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
		calls(iam+"oidc-provider/token.actions.githubusercontent.com", nil, "iam:DeleteOpenIDConnectProvider", "iam:AddClientIDToOpenIDConnectProvider"),
		calls(org+"policy/o-abcdefghij/service_control_policy/p-1", nil, "organizations:UpdatePolicy", "organizations:AttachPolicy", "organizations:DeletePolicy"),
		calls("arn:aws:s3:::acme-data/x", nil, "s3:GetObject"),
		calls("arn:aws:s3:::acme-data", nil, "s3:ListBucket", "s3:GetBucketPolicy"),
		calls("arn:aws:secretsmanager:eu-west-1:222222222222:secret:shop/db-Ab12Cd", nil, "secretsmanager:GetSecretValue"),
		calls("arn:aws:ssm:eu-west-1:222222222222:parameter/shop", nil, "ssm:GetParameter"),
		calls(stateKey, nil, "kms:Decrypt"),
		calls("arn:aws:logs:eu-west-1:222222222222:log-group:shop", nil, "logs:FilterLogEvents"),
		calls("*", nil, "ec2:DescribeInstances", "organizations:LeaveOrganization", "iam:ListUsers"),
		calls("arn:aws:iam::333333333333:user/bob", nil, "iam:ListAccessKeys"),
	)
	return flat(
		cases("", nil, account, flat(never, organization)),
		cases("organization", nil, flat(account, organization), never),
	)
}
