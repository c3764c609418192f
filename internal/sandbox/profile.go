package sandbox

import "slices"

func profileOperations() []operation {
	on := profileResource
	pass := needs("iam:PassRole", passedRole)
	return slices.Concat(profileFamily().tagOperations(), []operation{
		{name: "CreateInstanceProfile", run: createProfile, allow: all(
			needs("iam:CreateInstanceProfile", newProfile),
			given("Tags", needs("iam:TagInstanceProfile", newProfile)),
		)},
		{name: "GetInstanceProfile", run: getProfile, allow: needs("iam:GetInstanceProfile", on), reads: true},
		{name: "ListInstanceProfiles", run: listProfiles, allow: needs("iam:ListInstanceProfiles", listing("instance-profile")), reads: true},
		{name: "ListInstanceProfilesForRole", run: listProfilesForRole, allow: needs("iam:ListInstanceProfilesForRole", roleResource), reads: true},
		{name: "DeleteInstanceProfile", run: deleteProfile, allow: needs("iam:DeleteInstanceProfile", on)},
		{name: "AddRoleToInstanceProfile", run: addRoleToProfile, allow: all(needs("iam:AddRoleToInstanceProfile", on), pass)},
		{name: "RemoveRoleFromInstanceProfile", run: removeRoleFromProfile, allow: needs("iam:RemoveRoleFromInstanceProfile", on)},
	})
}

// profileFamily has tags alone.
func profileFamily() family {
	return family{
		word: "InstanceProfile", noun: "instance profile", resource: profileResource,
		open: func(c *call) (entity, error) {
			p, err := c.findProfile()
			if err != nil {
				return entity{}, err
			}
			return entity{name: p.Name, tags: &p.Tags, save: func() { c.saveProfile(p) }}, nil
		},
	}
}

func newProfile(c *call) resource { return created("instance-profile", "InstanceProfileName")(c) }

// passedRole is the role that EC2 will get.
func passedRole(c *call) resource {
	r := roleResource(c)
	r.context = map[string][]string{"iam:PassedToService": {"ec2.amazonaws.com"}}
	return r
}

func profileResource(c *call) resource {
	p, ok := c.account.Profiles.get(c.params["InstanceProfileName"])
	if !ok {
		return resource{arn: c.account.arn("instance-profile", "/", c.params["InstanceProfileName"])}
	}
	return resource{arn: c.account.arn("instance-profile", p.Path, p.Name), tags: p.Tags}
}

// findProfile returns a copy.
func (c *call) findProfile() (*profile, error) {
	name, err := c.params.name("InstanceProfileName", maxNameLong)
	if err != nil {
		return nil, err
	}
	p, ok := c.account.Profiles.get(name)
	if !ok {
		return nil, noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return p.clone(), nil
}

func (c *call) saveProfile(p *profile) { c.account.Profiles.put(p.Name, p, c.due()) }

func (c *call) profilesOf(role string) []*profile {
	return slices.DeleteFunc(c.account.Profiles.all(), func(p *profile) bool { return p.Role != role })
}

type profileXML struct {
	Path, InstanceProfileName, InstanceProfileId, Arn, CreateDate string
	Roles                                                         list[roleXML]
	Tags                                                          *list[tagXML]
}

func (c *call) briefProfile(p *profile) profileXML {
	x := profileXML{
		Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID,
		Arn: c.account.arn("instance-profile", p.Path, p.Name), CreateDate: stamp(p.Created),
	}
	if r, ok := c.account.Roles.get(p.Role); ok {
		x.Roles.Member = []roleXML{c.briefRole(r)}
	}
	return x
}

func (c *call) fullProfile(p *profile) profileXML {
	x := c.briefProfile(p)
	x.Tags = tagsOrNone(p.Tags)
	return x
}

func (c *call) profilePage(profiles []*profile) (any, error) {
	profiles, next, err := page(c.params, profiles, func(p *profile) string { return p.Name })
	if err != nil {
		return nil, err
	}
	return struct {
		InstanceProfiles list[profileXML]
		paging
	}{listOf(profiles, c.briefProfile), next}, nil
}

func createProfile(c *call) (any, error) {
	name, err := c.params.name("InstanceProfileName", maxNameLong)
	if err != nil {
		return nil, err
	}
	path, err := c.params.path()
	if err != nil {
		return nil, err
	}
	tags, err := c.params.tags()
	if err != nil {
		return nil, err
	}
	if sameName(&c.account.Profiles, name) {
		return nil, alreadyExists("Instance Profile %s already exists.", name)
	}
	if len(c.account.Profiles.live) >= c.s.quotas.InstanceProfiles {
		return nil, limitExceeded("Cannot exceed quota for InstanceProfilesPerAccount: %d", c.s.quotas.InstanceProfiles)
	}
	p := &profile{Name: name, Path: path, ID: newID(profilePrefix, idLength), Created: c.now.UTC(), Tags: tags}
	c.saveProfile(p)
	return struct{ InstanceProfile profileXML }{c.fullProfile(p)}, nil
}

func getProfile(c *call) (any, error) {
	p, err := c.findProfile()
	if err != nil {
		return nil, err
	}
	return struct{ InstanceProfile profileXML }{c.fullProfile(p)}, nil
}

func listProfiles(c *call) (any, error) {
	return c.profilePage(under(c.params, c.account.Profiles.all(), func(p *profile) string { return p.Path }))
}

func listProfilesForRole(c *call) (any, error) {
	r, err := c.findRole()
	if err != nil {
		return nil, err
	}
	return c.profilePage(c.profilesOf(r.Name))
}

func deleteProfile(c *call) (any, error) {
	p, err := c.findProfile()
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
	}
	c.account.Profiles.remove(p.Name, c.due())
	return nil, nil
}

func addRoleToProfile(c *call) (any, error) {
	p, err := c.findProfile()
	if err != nil {
		return nil, err
	}
	r, err := c.findRole()
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	p.Role = r.Name
	c.saveProfile(p)
	return nil, nil
}

func removeRoleFromProfile(c *call) (any, error) {
	p, err := c.findProfile()
	if err != nil {
		return nil, err
	}
	name, err := c.params.name("RoleName", maxNameUser)
	if err != nil {
		return nil, err
	}
	if p.Role != name {
		return nil, noSuchEntity("The role with name %s cannot be found.", name)
	}
	p.Role = ""
	c.saveProfile(p)
	return nil, nil
}
