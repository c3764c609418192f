package integration

import "strings"

const (
	anything  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	wideTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::333333333333:root"}}]}`
	wide      = "arn:aws:iam::222222222222:policy/wide"
)

// drifts are edits that somebody makes with the AWS CLI, and what the plan
// says of each.
var drifts = []struct {
	name, edit string // the CLI's arguments after "iam", between blanks
	says       []string
	lacks      deviation // what the peer must not lack
}{
	{
		name: "an inline policy appears",
		edit: "put-role-policy --role-name drift-push --policy-name stray --policy-document " + anything,
		says: []string{"~ role drift-push DeleteRolePolicy stray not in the spec", "- * on *", "0 to create, 1 to change, 0 to delete, in 1 call"},
	},
	{
		name: "the trust policy is edited",
		edit: "update-assume-role-policy --role-name drift-push --policy-document " + wideTrust,
		says: []string{
			"~ role drift-push UpdateAssumeRolePolicy", "may no longer be assumed by arn:aws:iam::333333333333:root",
			"may be assumed by arn:aws:iam::222222222222:user/postern/drift/drift-robot",
		},
	},
	{
		name: "a tag is removed",
		edit: "untag-role --role-name drift-push --tag-keys team",
		says: []string{"TagRole tags differ", "in 1 call"},
	},
	{
		name: "a tag is added",
		edit: "tag-role --role-name drift-push --tags Key=owner,Value=mallory",
		says: []string{"UntagRole owner tags not in the spec", "in 1 call"},
	},
	{
		name: "the longest session changes",
		edit: "update-role --role-name drift-push --max-session-duration 43200",
		says: []string{"UpdateRole", "in 1 call"},
	},
	{
		name: "a managed policy is attached",
		edit: "attach-role-policy --role-name drift-push --policy-arn " + wide,
		says: []string{"DetachRolePolicy " + wide, "- * on *", "in 1 call"},
	},
	{
		name: "a boundary is set",
		edit: "put-role-permissions-boundary --role-name drift-push --permissions-boundary " + wide,
		says: []string{"DeleteRolePermissionsBoundary", "in 1 call"},
	},
	{
		name: "a user joins the machine's group",
		edit: "add-user-to-group --user-name mallory --group-name drift-robot",
		says: []string{"~ group drift-robot RemoveUserFromGroup mallory only the machine user belongs to the stack's group"},
	},
	{
		name: "the machine leaves its group",
		edit: "remove-user-from-group --user-name drift-robot --group-name drift-robot",
		says: []string{"~ user drift-robot AddUserToGroup drift-robot"},
	},
	{
		name: "the machine gets a policy of its own",
		edit: "attach-user-policy --user-name drift-robot --policy-arn " + wide,
		says: []string{"~ user drift-robot DetachUserPolicy " + wide},
	},
	{
		name: "the group may do more",
		edit: "put-group-policy --group-name drift-robot --policy-name assume-roles --policy-document " + anything,
		says: []string{"~ group drift-robot PutGroupPolicy assume-roles its statements differ", "- * on *"},
	},
	{
		name: "a policy is deleted",
		edit: "delete-role-policy --role-name drift-push --policy-name ecr-docker-push",
		says: []string{"PutRolePolicy ecr-docker-push not there yet", "widens", "+ ecr:GetAuthorizationToken"},
	},
	{
		name: "the audience is taken from the provider", lacks: noAddClientID,
		edit: "remove-client-id-from-open-id-connect-provider --client-id sts.amazonaws.com --open-id-connect-provider-arn " +
			"arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com",
		says: []string{"AddClientIDToOpenIDConnectProvider sts.amazonaws.com"},
	},
}

// drift lets somebody meddle with a stack. Every edit shows, and apply heals
// it: in the end all is as it was.
func drift(w *world) {
	w.aws(work, "iam", "create-user", "--user-name", "mallory")
	w.aws(work, "iam", "create-policy", "--policy-name", "wide", "--policy-document", anything)
	w.writeFile("drift.yaml")
	w.apply()
	w.stands(work, testdata(w, "drift.json"))
	for _, d := range drifts {
		if w.peer.lacks(w, d.lacks) {
			continue
		}
		w.aws(work, append([]string{"iam"}, strings.Fields(d.edit)...)...)
		r := w.run(2, "plan", "--detailed-exitcode", w.spec)
		if !says(w, r.out, d.says...) {
			w.Errorf("when %s", d.name)
		}
		w.apply()
	}
	w.stands(work, testdata(w, "drift.json"))
}
