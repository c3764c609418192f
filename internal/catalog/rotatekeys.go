package catalog

import "github.com/postern-dev/postern/iam"

// rotateAccessKeys is what Postern itself needs to rotate the access keys of a
// stack's machine users, which all lie under the stack's path.
//
// GetAccessKeyLastUsed names a key and no user; IAM finds the user and judges
// the call by it:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func rotateAccessKeys() *Grant {
	return &Grant{
		Name:    "rotate-access-keys",
		Area:    Own,
		Summary: "rotate the access keys of a stack's machine users",
		Never:   "create, change or delete a user, change what a user may do, give one a password, touch the keys of a user outside of the stack",
		Params: []Param{
			stackParam(),
			{
				Name: "users", Type: List, Max: 50, Pattern: `^[\w+=,.@-]{1,64}$`, Example: "shop-travis", Levels: []string{"user"},
				Summary: "up to 50 names of the stack's machine users, as AWS names them: STACK-IDENTITY",
				Wider:   "for every machine user of the stack use level stack",
			},
		},
		Levels: []Level{
			{Name: "user", Summary: "rotate the keys of the named machine users; whoever makes a key can use it", Needs: []string{"users"}},
			{Name: "stack", Summary: "rotate the keys of every machine user of the stack", Adds: "the stack's other machine users, present and future"},
		},
		Why: Why{
			"iam:CreateAccessKey":      "key rotation: makes the next key",
			"iam:DeleteAccessKey":      "key rotation: removes the old key after its grace",
			"iam:GetAccessKeyLastUsed": "key rotation: sees whether a job still uses the old key",
			"iam:ListAccessKeys":       "key rotation: reads which keys there are, and how old they are",
			"iam:UpdateAccessKey":      "key rotation: deactivates the old key, and activates it again if a job still needs it",
		},
		Cases:      rotateCases,
		statements: rotateStatements,
	}
}

// stackParam names a stack of Postern, and with it a path: /postern/STACK/.
func stackParam() Param {
	return Param{
		Name: "stack", Type: String, Required: true, Max: 32, Pattern: `^[a-z][a-z0-9-]{0,31}$`, Example: "shop",
		Summary: "name of the stack, as its spec has it",
		Wider:   "no level reaches more than one stack: use the grant once for each",
	}
}

// ofStack is an IAM resource under a stack's path.
func (s Scope) ofStack(kind, stack, name string) string {
	return s.iam(kind + "/postern/" + stack + "/" + name)
}

func rotateStatements(s Scope, _ string, args Args) []iam.Statement {
	stack := args.one("stack")
	users := each(args["users"], func(name string) string { return s.ofStack("user", stack, name) })
	if len(users) == 0 {
		users = []string{s.ofStack("user", stack, "*")}
	}
	return []iam.Statement{allow("RotateAccessKeys", []string{
		"iam:CreateAccessKey",
		"iam:DeleteAccessKey",
		"iam:GetAccessKeyLastUsed",
		"iam:ListAccessKeys",
		"iam:UpdateAccessKey",
	}, users)}
}

func rotateCases() []Case {
	const (
		user   = "arn:aws:iam::222222222222:user/"
		travis = user + "postern/shop/shop-travis"
		nagios = user + "postern/shop/shop-nagios"
		policy = "arn:aws:iam::222222222222:policy/postern/shop/x"
	)
	rotate := func(arn string) []call {
		return calls(arn, nil, "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:UpdateAccessKey")
	}
	never := flat(
		calls(travis, nil, "iam:CreateUser", "iam:DeleteUser", "iam:UpdateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary",
			"iam:DeleteUserPermissionsBoundary", "iam:CreateLoginProfile", "iam:UploadSSHPublicKey", "iam:CreateServiceSpecificCredential", "iam:TagUser"),
		calls("arn:aws:iam::222222222222:group/postern/shop/shop-travis", nil, "iam:AddUserToGroup", "iam:PutGroupPolicy"),
		calls(policy, nil, "iam:CreatePolicyVersion"),
		calls("*", nil, "iam:ListUsers", "iam:GetAccountAuthorizationDetails"),
		rotate(user+"ada"), rotate(user+"shop-travis"), rotate(user+"postern/web/shop-travis"), rotate(user+"postern/shopping/x"),
		rotate("arn:aws:iam::333333333333:user/postern/shop/shop-travis"),
	)
	return flat(
		cases("", Args{"stack": {"shop"}, "users": {"shop-travis"}}, rotate(travis), flat(never, rotate(nagios))),
		cases("stack", Args{"stack": {"shop"}}, flat(rotate(travis), rotate(nagios)), never),
	)
}
