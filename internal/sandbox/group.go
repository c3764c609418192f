package sandbox

import "slices"

const groupsPerUser = 10

func groupOperations() []operation {
	family := groupFamily()
	on := family.resource
	return slices.Concat(family.policyOperations(), []operation{
		{name: "CreateGroup", run: createGroup, allow: needs("iam:CreateGroup", created("group", "GroupName"))},
		{name: "GetGroup", run: getGroup, allow: needs("iam:GetGroup", on), reads: true},
		{name: "ListGroups", run: listGroups, allow: needs("iam:ListGroups", listing("group")), reads: true},
		{name: "DeleteGroup", run: deleteGroup, allow: needs("iam:DeleteGroup", on)},
		{name: "AddUserToGroup", run: addUserToGroup, allow: needs("iam:AddUserToGroup", on)},
		{name: "RemoveUserFromGroup", run: removeUserFromGroup, allow: needs("iam:RemoveUserFromGroup", on)},
	})
}

func groupFamily() family {
	return family{
		word: "Group", noun: "group", resource: groupResource,
		inlineSize: func(s *Server) int { return s.quotas.GroupInlineSize }, attached: func(*Server) int { return attachedPerEntity },
		open: func(c *call) (entity, error) {
			g, err := c.findGroup()
			if err != nil {
				return entity{}, err
			}
			g = g.clone()
			return entity{name: g.Name, holder: &g.holder, save: func() { c.account.Groups.put(g.Name, g, c.due()) }}, nil
		},
	}
}

func groupResource(c *call) resource {
	g, ok := c.account.Groups.get(c.params["GroupName"])
	if !ok {
		return resource{arn: c.account.arn("group", "/", c.params["GroupName"])}
	}
	return resource{arn: c.account.arn("group", g.Path, g.Name)}
}

func (c *call) findGroup() (*group, error) {
	name, err := c.params.name("GroupName", maxNameLong)
	if err != nil {
		return nil, err
	}
	g, ok := c.account.Groups.get(name)
	if !ok {
		return nil, noSuchEntity("The group with name %s cannot be found.", name)
	}
	return g, nil
}

type groupXML struct{ Path, GroupName, GroupId, Arn, CreateDate string }

func (c *call) groupXML(g *group) groupXML {
	return groupXML{g.Path, g.Name, g.ID, c.account.arn("group", g.Path, g.Name), stamp(g.Created)}
}

func (c *call) groupPage(groups []*group) (any, error) {
	groups, next, err := page(c.params, groups, func(g *group) string { return g.Name })
	if err != nil {
		return nil, err
	}
	return struct {
		Groups list[groupXML]
		paging
	}{listOf(groups, c.groupXML), next}, nil
}

func createGroup(c *call) (any, error) {
	name, err := c.params.name("GroupName", maxNameLong)
	if err != nil {
		return nil, err
	}
	path, err := c.params.path()
	if err != nil {
		return nil, err
	}
	if sameName(&c.account.Groups, name) {
		return nil, alreadyExists("Group with name %s already exists.", name)
	}
	if len(c.account.Groups.live) >= c.s.quotas.Groups {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerAccount: %d", c.s.quotas.Groups)
	}
	g := &group{
		Name: name, Path: path, ID: newID(groupPrefix, idLength), Created: c.now.UTC(),
		holder: holder{Inline: map[string]string{}},
	}
	c.account.Groups.put(name, g, c.due())
	return struct{ Group groupXML }{c.groupXML(g)}, nil
}

func getGroup(c *call) (any, error) {
	g, err := c.findGroup()
	if err != nil {
		return nil, err
	}
	members, next, err := page(c.params, c.members(g.Name), func(u *user) string { return u.Name })
	if err != nil {
		return nil, err
	}
	return struct {
		Group groupXML
		Users list[userXML]
		paging
	}{c.groupXML(g), listOf(members, c.briefUser), next}, nil
}

// members are the users of a group.
func (c *call) members(group string) []*user {
	return slices.DeleteFunc(c.account.Users.all(), func(u *user) bool { return !slices.Contains(u.Groups, group) })
}

func listGroups(c *call) (any, error) {
	return c.groupPage(under(c.params, c.account.Groups.all(), func(g *group) string { return g.Path }))
}

func deleteGroup(c *call) (any, error) {
	g, err := c.findGroup()
	if err != nil {
		return nil, err
	}
	if len(c.members(g.Name)) > 0 {
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	if err := g.deletable(); err != nil {
		return nil, err
	}
	c.account.Groups.remove(g.Name, c.due())
	return nil, nil
}

// membership finds the group and the user of a call that names both.
func (c *call) membership() (*group, *user, error) {
	g, err := c.findGroup()
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.params.required("UserName"); err != nil {
		return nil, nil, err
	}
	u, err := c.findUser()
	if err != nil {
		return nil, nil, err
	}
	return g, u.clone(), nil
}

func addUserToGroup(c *call) (any, error) {
	g, u, err := c.membership()
	if err != nil {
		return nil, err
	}
	if slices.Contains(u.Groups, g.Name) {
		return nil, nil
	}
	if len(u.Groups) >= groupsPerUser {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerUser: %d", groupsPerUser)
	}
	u.Groups = append(u.Groups, g.Name)
	slices.Sort(u.Groups)
	c.account.Users.put(u.Name, u, c.due())
	return nil, nil
}

func removeUserFromGroup(c *call) (any, error) {
	g, u, err := c.membership()
	if err != nil {
		return nil, err
	}
	i := slices.Index(u.Groups, g.Name)
	if i < 0 {
		return nil, noSuchEntity("The user with name %s is not in the group %s.", u.Name, g.Name)
	}
	u.Groups = slices.Delete(u.Groups, i, i+1)
	c.account.Users.put(u.Name, u, c.due())
	return nil, nil
}
