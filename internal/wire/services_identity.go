package wire

// iamService serves Build: the sandbox has operations of its own for IAM. A
// user's path stands in no request, so Read leaves it out.
func iamService() service {
	const (
		arn    = "arn:{partition}:iam::{account}:"
		user   = arn + "user/{_...=}{UserName}"
		group  = arn + "group/{_...=}{GroupName}"
		role   = arn + "role/{_...=}{RoleName}"
		policy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	)
	inline := map[string]string{"PolicyName": "postern", "PolicyDocument": policy}
	managed := map[string]string{"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}
	return service{
		name: "iam", protocol: Query, version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		operations: []operation{
			{action: "GetUser", resource: user},
			{action: "CreateUser", resource: user},
			{action: "DeleteUser", resource: user},
			{action: "ListUsers", resource: "*"},
			{action: "ListAccessKeys", resource: user},
			{action: "CreateAccessKey", resource: user},
			{action: "ListSSHPublicKeys", resource: user},
			{action: "GetSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyId": "APKA0000000000000000", "Encoding": "SSH"}},
			{action: "UploadSSHPublicKey", resource: user, fill: map[string]string{"SSHPublicKeyBody": "postern"}},
			{action: "PutUserPolicy", resource: user, fill: inline},
			{action: "AttachUserPolicy", resource: user, fill: managed},
			{action: "GetGroup", resource: group},
			{action: "ListGroups", resource: "*"},
			{action: "AddUserToGroup", resource: group, fill: map[string]string{"UserName": "postern"}},
			{action: "GetRole", resource: role},
			{action: "CreateRole", resource: role, fill: map[string]string{"AssumeRolePolicyDocument": policy}},
			{action: "DeleteRole", resource: role},
			{action: "ListRoles", resource: "*"},
			{action: "PutRolePolicy", resource: role, fill: inline},
			{action: "AttachRolePolicy", resource: role, fill: managed},
			{action: "UpdateAssumeRolePolicy", resource: role, fill: map[string]string{"PolicyDocument": policy}},
		},
	}
}

func stsService() service {
	return service{
		name: "sts", protocol: Query, version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		operations: []operation{
			{action: "GetCallerIdentity", resource: "*", free: true},
			{action: "AssumeRole", resource: "{RoleArn...}", context: map[string]string{"sts:ExternalId": "{ExternalId}"}, fill: map[string]string{"RoleSessionName": "postern"}},
		},
	}
}
