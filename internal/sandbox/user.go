package sandbox

import (
	"slices"
	"strings"
)

func userOperations() []operation {
	family := userFamily()
	on := family.resource
	return slices.Concat(family.policyOperations(), family.boundaryOperations(), family.tagOperations(), []operation{
		{name: "CreateUser", run: createUser, allow: all(
			needs("iam:CreateUser", newUser),
			given("Tags", needs("iam:TagUser", newUser)),
		)},
		{name: "GetUser", run: getUser, allow: needs("iam:GetUser", on), reads: true},
		{name: "ListUsers", run: listUsers, allow: needs("iam:ListUsers", listing("user")), reads: true},
		{name: "UpdateUser", run: updateUser, allow: needs("iam:UpdateUser", on)},
		{name: "DeleteUser", run: deleteUser, allow: needs("iam:DeleteUser", on)},
		{name: "ListGroupsForUser", run: listGroupsForUser, allow: needs("iam:ListGroupsForUser", on), reads: true},
		// What users of the sandbox never have, but tools ask for before they delete one.
		{name: "GetLoginProfile", run: noLoginProfile, allow: needs("iam:GetLoginProfile", on), reads: true},
		{name: "DeleteLoginProfile", run: noLoginProfile, allow: needs("iam:DeleteLoginProfile", on)},
		{name: "ListMFADevices", run: emptyOfUser[mfaDevices], allow: needs("iam:ListMFADevices", on), reads: true},
		{name: "ListSigningCertificates", run: emptyOfUser[certificates], allow: needs("iam:ListSigningCertificates", on), reads: true},
		{name: "ListServiceSpecificCredentials", run: emptyOfUser[serviceCredentials], allow: needs("iam:ListServiceSpecificCredentials", on), reads: true},
	})
}

// userName is the user that a call is about: the caller, if it names none.
func (c *call) userName() (string, error) {
	if c.params.has("UserName") {
		return c.params.name("UserName", maxNameLong)
	}
	if c.who.user == nil {
		return "", invalid("Must specify userName when calling with non-User credentials")
	}
	return c.who.user.Name, nil
}

func (c *call) findUser() (*user, error) {
	name, err := c.userName()
	if err != nil {
		return nil, err
	}
	u, ok := c.account.Users.get(name)
	if !ok {
		return nil, noSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, nil
}

// userResource names the user even if it does not exist: authorisation comes
// before existence.
func userResource(c *call) resource {
	name, err := c.userName()
	if err != nil {
		return resource{arn: c.account.arn("user", "/", c.params["UserName"])}
	}
	u, ok := c.account.Users.get(name)
	if !ok {
		return resource{arn: c.account.arn("user", "/", name)}
	}
	return resource{arn: c.account.arn("user", u.Path, u.Name), tags: u.Tags, boundary: u.Boundary}
}

// created is the resource of a call that creates kind: path and name are the
// request's.
func created(kind, param string) func(*call) resource {
	return func(c *call) resource {
		path := c.params["Path"]
		if path == "" {
			path = "/"
		}
		return resource{arn: c.account.arn(kind, path, c.params[param])}
	}
}

func newUser(c *call) resource { return created("user", "UserName")(c) }

// listing is the resource of a call that lists: it is judged on "*", but AWS's
// denials name the account's root of that kind.
func listing(kind string) func(*call) resource {
	return func(c *call) resource {
		prefix := c.params["PathPrefix"]
		if prefix == "" {
			prefix = "/"
		}
		return resource{arn: "*", show: c.account.arn(kind, prefix, "")}
	}
}

// everything is the resource of calls about the account as a whole.
func everything(*call) resource { return resource{arn: "*"} }

func userFamily() family {
	return family{
		word: "User", noun: "user", resource: userResource,
		inlineSize: func(s *Server) int { return s.quotas.UserInlineSize }, attached: func(*Server) int { return attachedPerEntity },
		open: func(c *call) (entity, error) {
			u, err := c.findUser()
			if err != nil {
				return entity{}, err
			}
			u = u.clone()
			return entity{name: u.Name, holder: &u.holder, tags: &u.Tags, save: func() { c.account.Users.put(u.Name, u, c.due()) }}, nil
		},
	}
}

type boundaryXML struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }

func boundaryOf(h holder) *boundaryXML {
	if h.Boundary == "" {
		return nil
	}
	return &boundaryXML{"Policy", h.Boundary}
}

type userXML struct {
	Path, UserName, UserId, Arn, CreateDate string
	PermissionsBoundary                     *boundaryXML
	Tags                                    *list[tagXML]
}

// briefUser is a user as lists show it: without tags and boundary.
func (c *call) briefUser(u *user) userXML {
	return userXML{
		Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: c.account.arn("user", u.Path, u.Name), CreateDate: stamp(u.Created),
	}
}

func (c *call) fullUser(u *user) userXML {
	x := c.briefUser(u)
	x.PermissionsBoundary, x.Tags = boundaryOf(u.holder), tagsOrNone(u.Tags)
	return x
}

func createUser(c *call) (any, error) {
	name, err := c.params.name("UserName", maxNameUser)
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
	if sameName(&c.account.Users, name) {
		return nil, alreadyExists("User with name %s already exists.", name)
	}
	if len(c.account.Users.live) >= c.s.quotas.Users {
		return nil, limitExceeded("Cannot exceed quota for UsersPerAccount: %d", c.s.quotas.Users)
	}
	u := &user{
		Name: name, Path: path, ID: newID(userPrefix, idLength), Created: c.now.UTC(), Tags: tags,
		holder: holder{Inline: map[string]string{}},
	}
	if err := c.setBoundary(&u.holder); err != nil {
		return nil, err
	}
	c.account.Users.put(name, u, c.due())
	return struct{ User userXML }{c.fullUser(u)}, nil
}

func getUser(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	return struct{ User userXML }{c.fullUser(u)}, nil
}

func listUsers(c *call) (any, error) {
	users := under(c.params, c.account.Users.all(), func(u *user) string { return u.Path })
	users, next, err := page(c.params, users, func(u *user) string { return u.Name })
	if err != nil {
		return nil, err
	}
	return struct {
		Users list[userXML]
		paging
	}{listOf(users, c.briefUser), next}, nil
}

func updateUser(c *call) (any, error) {
	if _, err := c.params.required("UserName"); err != nil {
		return nil, err
	}
	old, err := c.findUser()
	if err != nil {
		return nil, err
	}
	u := old.clone()
	if c.params.has("NewPath") {
		if u.Path, err = (params{"Path": c.params["NewPath"]}).path(); err != nil {
			return nil, err
		}
	}
	if c.params.has("NewUserName") {
		name, err := c.params.name("NewUserName", maxNameUser)
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(name, old.Name) && sameName(&c.account.Users, name) {
			return nil, alreadyExists("User with name %s already exists.", name)
		}
		c.rename(u, name)
	}
	c.account.Users.put(u.Name, u, c.due())
	return nil, nil
}

// rename moves a user's keys along.
func (c *call) rename(u *user, name string) {
	for _, key := range c.keysOf(u.Name) {
		moved := *key
		moved.User = name
		c.account.Keys.put(moved.ID, &moved, c.due())
	}
	c.account.Users.remove(u.Name, c.due())
	u.Name = name
}

func deleteUser(c *call) (any, error) {
	if _, err := c.params.required("UserName"); err != nil {
		return nil, err
	}
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	switch {
	case len(c.keysOf(u.Name)) > 0:
		err = deleteConflict("Cannot delete entity, must delete access keys first.")
	case len(u.SSHKeys) > 0:
		err = deleteConflict("Cannot delete entity, must delete SSH public keys first.")
	case len(u.Groups) > 0:
		err = deleteConflict("Cannot delete entity, must remove users from group first.")
	default:
		err = u.deletable()
	}
	if err != nil {
		return nil, err
	}
	c.account.Users.remove(u.Name, c.due())
	return nil, nil
}

// deletable refuses to delete an entity that still has policies.
func (h holder) deletable() error {
	switch {
	case len(h.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	case len(h.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	return nil
}

func listGroupsForUser(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	var groups []*group
	for _, name := range u.Groups {
		if g, ok := c.account.Groups.get(name); ok {
			groups = append(groups, g)
		}
	}
	return c.groupPage(groups)
}

func noLoginProfile(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	return nil, noSuchEntity("Login Profile for User %s cannot be found.", u.Name)
}

type (
	mfaDevices struct {
		MFADevices list[string]
		paging
	}
	certificates struct {
		Certificates list[string]
		paging
	}
	serviceCredentials struct{ ServiceSpecificCredentials list[string] }
)

func emptyOfUser[T any](c *call) (any, error) {
	if _, err := c.findUser(); err != nil {
		return nil, err
	}
	var empty T
	return empty, nil
}
