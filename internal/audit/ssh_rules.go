package audit

const api = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_"

// sshRules are about logins with IAM users' SSH keys: who decides who gets in.
func sshRules() []Rule {
	return []Rule{
		{
			ID: "SSH-001", Title: "members of groups",
			Why:     "Who is in a group of IAM that hosts let in has an account on each of them after the next sync, and sudo if the group gives it.",
			Sources: []string{api + "AddUserToGroup.html"},
			find:    decides(sshMembers),
		},
		{
			ID: "SSH-002", Title: "one group in the place of another",
			Why: "Hosts know groups by name. Who can rename two groups, of which one may be new, can give a group's name to the other, whose members are then let in. " +
				"It takes the permission on the old and on the new name.",
			Sources: []string{api + "UpdateGroup.html"},
			find:    decides(sshGroupNames),
		},
		{
			ID: "SSH-003", Title: "keys of other users",
			Why:     "Who can upload a key for a user logs in as that user.",
			Sources: []string{api + "UploadSSHPublicKey.html"},
			find:    decides(sshKeys),
		},
		{
			ID: "SSH-004", Title: "withdrawn keys of other users",
			Why:     "A key that is inactive lets nobody in. Who can make it active again lets in whoever has it: the thief for whose sake it was withdrawn.",
			Sources: []string{api + "UpdateSSHPublicKey.html"},
			find:    decides(sshWithdrawnKeys),
		},
		{
			ID: "SSH-005", Title: "keys in tags of other users",
			Why: "With --ed25519-tag a tag of the IAM user is a key. Who can write it logs in as that user, and permissions on tags are given more freely than those on keys.",
			Sources: []string{
				api + "TagUser.html",
				"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html",
			},
			find: decides(sshKeyTags),
		},
		{
			ID: "SSH-006", Title: "groups in tags of instances",
			Why: "With --instance-tags a tag of the instance names the groups that it lets in. Who can write it lets in any group, and gives it sudo.",
			Sources: []string{
				"https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html",
				"https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html",
			},
			find: decides(sshInstanceTags),
		},
		{
			ID: "SSH-007", Title: "locking people out",
			Why:     "Who is taken out of the groups, or loses the key, cannot log in after the next sync. A host takes nothing from many at once.",
			Sources: []string{api + "RemoveUserFromGroup.html", api + "DeleteSSHPublicKey.html", api + "UntagUser.html"},
			find:    decides(sshLockout),
		},
		{
			ID: "SSH-008", Title: "users without an account",
			Why:  "Names that hosts cannot use, or that two users come to, are refused rather than bent: these users cannot log in.",
			find: perAccount(sshNames),
		},
		{
			ID: "SSH-009", Title: "groups without members",
			Why:  "Nobody comes in by such a group. Perhaps it is the wrong one.",
			find: perAccount(sshEmptyGroups),
		},
	}
}
