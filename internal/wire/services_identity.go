package wire

import "strings"

// iamService serves BuildCall: the sandbox has operations of its own for IAM. Of
// what is there already no request says the path, so Read leaves it out.
func iamService() service {
	const (
		arn    = "arn:{partition}:iam::{account}:"
		user   = arn + "user/{_...=}{UserName}"
		group  = arn + "group/{_...=}{GroupName}"
		role   = arn + "role/{_...=}{RoleName}"
		policy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	)
	// What is created has the path that the request gives.
	const (
		newUser = arn + "user/{Path...=}{UserName}"
		newRole = arn + "role/{Path...=}{RoleName}"
	)
	inside := func(v string) string { return strings.TrimPrefix(v, "/") }
	rooted := func(v string) string {
		if v == "" || strings.HasSuffix(v, "/") {
			return "/" + v
		}
		return v
	}
	bounded := map[string]string{"iam:PermissionsBoundary": "{PermissionsBoundary...}"}
	attached := map[string]string{"iam:PolicyARN": "{PolicyArn...}"}
	tag := func(action, resource string) []need {
		return []need{{action: "iam:" + action, resource: resource, given: "Tags"}}
	}
	inline := map[string]string{"PolicyName": "postern", "PolicyDocument": policy}
	managed := map[string]string{"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}
	return service{
		name: "iam", protocol: Query, version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		operations: append([]operation{
			{action: "GetUser", resource: user},
			{action: "CreateUser", resource: newUser, named: inside, given: rooted, context: bounded, tags: "Tags.member.*", needs: tag("TagUser", newUser)},
			{action: "DeleteUser", resource: user},
			{action: "ListUsers", resource: "*"},
			{action: "ListAccessKeys", resource: user},
			{action: "CreateAccessKey", resource: user},
			{action: "ListSSHPublicKeys", resource: user},
			{action: "GetSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyId": "APKA0000000000000000", "Encoding": "SSH"}},
			{action: "UploadSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyBody": "postern"}},
			{action: "PutUserPolicy", resource: user, fill: inline},
			{action: "AttachUserPolicy", resource: user, context: attached, fill: managed},
			{action: "GetGroup", resource: group},
			{action: "ListGroups", resource: "*"},
			{action: "AddUserToGroup", resource: group, fill: map[string]string{"UserName": "postern"}},
			{action: "GetRole", resource: role},
			{
				action: "CreateRole", resource: newRole, named: inside, given: rooted, context: bounded, fill: map[string]string{"AssumeRolePolicyDocument": policy},
				tags: "Tags.member.*", needs: tag("TagRole", newRole),
			},
			{action: "DeleteRole", resource: role},
			{action: "ListRoles", resource: "*"},
			{action: "PutRolePolicy", resource: role, fill: inline},
			{action: "AttachRolePolicy", resource: role, context: attached, fill: managed},
			{action: "UpdateAssumeRolePolicy", resource: role, fill: map[string]string{"PolicyDocument": policy}},
			// Whose key it is no request says: it is judged as that of a user of whom nothing is known.
			{action: "GetAccessKeyLastUsed", resource: arn + "user/{_=*}", fill: map[string]string{"AccessKeyId": "AKIA0000000000000000"}, reply: "<UserName/>"},
			{action: "GetOpenIDConnectProvider", resource: arn + "oidc-provider/{OpenIDConnectProviderArn...}"},
			{action: "GetSAMLProvider", resource: arn + "saml-provider/{SAMLProviderArn}"},
			{action: "GenerateServiceLastAccessedDetails", resource: "{Arn...}", reply: "<JobId>00000000-0000-0000-0000-000000000000</JobId>"},
			{action: "GetServiceLastAccessedDetails", resource: "*", fill: map[string]string{"JobId": "00000000-0000-0000-0000-000000000000"}, reply: `<JobStatus>COMPLETED</JobStatus>
				<JobCreationDate>2026-01-01T00:00:00Z</JobCreationDate><JobCompletionDate>2026-01-01T00:00:00Z</JobCompletionDate><ServicesLastAccessed/>`},
		}, anywhere(
			"GenerateCredentialReport", "GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "GetAccountSummary", "GetCredentialReport",
			"ListInstanceProfiles", "ListOpenIDConnectProviders", "ListSAMLProviders",
		)...),
	}
}

// stsService asks for the tags and the source identity of a session besides.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func stsService() service {
	const role = "{RoleArn...}"
	return service{
		name: "sts", protocol: Query, version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		operations: []operation{
			{action: "GetCallerIdentity", resource: "*", free: true},
			{
				action: "AssumeRole", resource: role, fill: map[string]string{"RoleSessionName": "postern"}, tags: "Tags.member.*",
				context: map[string]string{
					"sts:ExternalId": "{ExternalId...}", "sts:RoleSessionName": "{RoleSessionName...}", "sts:SourceIdentity": "{SourceIdentity...}",
					"sts:TransitiveTagKeys": "{TransitiveTagKeys.member.*...}",
				},
				needs: []need{
					{action: "sts:TagSession", resource: role, given: "Tags"},
					{action: "sts:TagSession", resource: role, given: "TransitiveTagKeys"},
					{action: "sts:SetSourceIdentity", resource: role, given: "SourceIdentity"},
				},
			},
		},
	}
}
