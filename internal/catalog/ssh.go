package catalog

import "github.com/postern-dev/postern/iam"

// sshKeyLookup is what a host needs to let the members of IAM groups log in
// with the public keys that IAM keeps for them.
func sshKeyLookup() *Grant {
	const (
		name = `^([\w+=,.@-]+/){0,8}[\w+=,.@-]{1,128}$`
		path = `^[\w+=,.@-]+(/[\w+=,.@-]+){0,7}$`
	)
	return &Grant{
		Name:    "ssh-key-lookup",
		Area:    Hosts,
		Summary: "read the members of IAM groups and the members' public SSH keys",
		Never:   "upload, change or delete a key, list all users, change a group",
		Params: []Param{
			{
				Name: "groups", Type: List, Max: 50, Pattern: name, Example: "ssh-users", Levels: []string{"path", "group"},
				Summary: "up to 50 names of IAM groups in the account, with their path if they have one",
				Wider:   "for every group use level account",
			},
			{
				Name: "user_paths", Type: List, Max: 20, Pattern: path, Example: "staff", Levels: []string{"path"},
				Summary: "up to 20 IAM paths, without the outer slashes; staff stands for every user below /staff/",
				Wider:   "for users of any path use level group",
			},
			{Name: "tags", Type: Bool, Default: "false", Example: "true", Summary: "also read the users' tags, one of which can hold a key: postern host ssh sync --ed25519-tag"},
		},
		Levels: []Level{
			{Name: "path", Summary: "members of the named groups, keys of users below the named paths", Needs: []string{"groups", "user_paths"}},
			{Name: "group", Summary: "members of the named groups, keys of any user", Adds: "public keys of users outside the paths", Needs: []string{"groups"}},
			{Name: "account", Summary: "members of any group, keys of any user", Adds: "the members of every other group"},
		},
		Why: Why{
			"iam:GetGroup":          "user sync: reads the members of a group",
			"iam:GetSSHPublicKey":   "sshd's AuthorizedKeysCommand: reads a key",
			"iam:ListSSHPublicKeys": "sshd's AuthorizedKeysCommand: finds the active keys of a user",
			"iam:ListUserTags":      "user sync: reads the key in a user's tag",
		},
		Cases:      sshCases,
		statements: sshStatements,
	}
}

func sshStatements(s Scope, level string, args Args) []iam.Statement {
	groups := each(args["groups"], func(name string) string { return s.iam("group/" + name) })
	if level == "account" {
		groups = []string{s.iam("group/*")}
	}
	users := each(args["user_paths"], func(path string) string { return s.iam("user/" + path + "/*") })
	if level != "path" {
		users = []string{s.iam("user/*")}
	}
	out := []iam.Statement{
		allow("SshGroupMembers", []string{"iam:GetGroup"}, groups),
		allow("SshPublicKeys", []string{"iam:GetSSHPublicKey", "iam:ListSSHPublicKeys"}, users),
	}
	if args.on("tags") {
		out = append(out, allow("SshUserTags", []string{"iam:ListUserTags"}, users))
	}
	return out
}

func sshCases() []Case {
	const (
		group = "arn:aws:iam::222222222222:group/"
		user  = "arn:aws:iam::222222222222:user/"
	)
	keys := []string{"iam:GetSSHPublicKey", "iam:ListSSHPublicKeys"}
	never := func(member string) []call {
		return flat(
			calls(member, nil, "iam:UploadSSHPublicKey", "iam:UpdateSSHPublicKey", "iam:DeleteSSHPublicKey",
				"iam:CreateAccessKey", "iam:GetUser", "iam:AddUserToGroup", "iam:TagUser"),
			calls("*", nil, "iam:ListUsers"),
			calls(group+"ssh-users", nil, "iam:AddUserToGroup", "iam:PutGroupPolicy"),
		)
	}
	const tags = "iam:ListUserTags"
	return flat(
		cases("", Args{"groups": {"ssh-users"}, "user_paths": {"staff"}, "tags": {"true"}},
			calls(user+"staff/ada", nil, tags),
			flat(never(user+"staff/ada"), calls(user+"bob", nil, tags))),
		cases("group", Args{"groups": {"ssh-users"}, "tags": {"true"}},
			calls(user+"bob", nil, tags), flat(never(user+"bob"), calls("arn:aws:iam::333333333333:user/bob", nil, tags))),
		cases("account", Args{"tags": {"true"}},
			calls(user+"staff/ada", nil, tags), flat(never(user+"staff/ada"), calls("arn:aws:iam::333333333333:user/bob", nil, tags))),
		cases("", Args{"groups": {"ssh-users", "ops/ssh-sudo"}, "user_paths": {"staff"}},
			flat(calls(group+"ssh-users", nil, "iam:GetGroup"), calls(group+"ops/ssh-sudo", nil, "iam:GetGroup"),
				calls(user+"staff/ada", nil, keys...), calls(user+"staff/eu/ada", nil, keys...)),
			flat(never(user+"staff/ada"), calls(group+"admins", nil, "iam:GetGroup"), calls(group+"ssh-sudo", nil, "iam:GetGroup"),
				calls(user+"bob", nil, keys...), calls(user+"staffing/bob", nil, keys...), calls(user+"staff/ada", nil, tags),
				calls("arn:aws:iam::333333333333:group/ssh-users", nil, "iam:GetGroup"))),
		cases("group", Args{"groups": {"ssh-users"}},
			flat(calls(group+"ssh-users", nil, "iam:GetGroup"), calls(user+"bob", nil, keys...)),
			flat(never(user+"bob"), calls(group+"admins", nil, "iam:GetGroup"),
				calls("arn:aws:iam::333333333333:user/bob", nil, keys...))),
		cases("account", nil,
			flat(calls(group+"admins", nil, "iam:GetGroup"), calls(user+"staff/ada", nil, keys...)),
			flat(never(user+"staff/ada"), calls("arn:aws:iam::333333333333:group/admins", nil, "iam:GetGroup"))),
	)
}
