package compile

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/spec"
)

// AssumeRolesPolicy is the name of the group policy of a machine user.
const AssumeRolesPolicy = "assume-roles"

// machineUser makes the user of an access_key identity and the group that
// holds its one permission: to become exactly the roles that trust it.
func (c *compiler) machineUser(id spec.Identity) {
	account := c.accounts[id.AccessKey.Account]
	name := RoleName(c.spec.Stack, id.Name)
	if len(name) > maxRoleName {
		c.fail(id.Pos, "shorten the stack's or the identity's name", "user name %s has %d characters, AWS takes %d", name, len(name), maxRoleName)
	}
	account.Users = append(account.Users, estate.User{
		Name: name, Path: c.path(), Groups: []string{name}, Tags: c.tags(nil),
	})
	group := estate.Group{Name: name, Path: c.path()}
	if roles := c.rolesThatTrust(id.Name); len(roles) > 0 {
		doc := document([]iam.Statement{{
			SID: "BecomeNamedRoles", Effect: iam.Allow, Actions: []string{"sts:AssumeRole"}, Resources: roles,
		}})
		if size, most := doc.Size(), account.Quotas.GroupInlineSize; size > most {
			c.fail(id.Pos, "split the identity in two, each trusted by some of the roles",
				"identity %s may assume %d roles, which takes %d characters of group policy; account %s takes %d", id.Name, len(roles), size, account.ID, most)
		}
		group.Inline = []estate.InlinePolicy{{Name: AssumeRolesPolicy, Document: doc}}
	}
	account.Groups = append(account.Groups, group)
}

func (c *compiler) rolesThatTrust(identity string) []string {
	var arns []string
	for i := range c.spec.Roles {
		r := &c.spec.Roles[i]
		if slices.ContainsFunc(r.Trust, func(t spec.Trust) bool { return t.Identity == identity }) {
			arns = append(arns, RoleARN(c.spec, r))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
