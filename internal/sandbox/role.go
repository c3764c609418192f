package sandbox

import (
	"slices"

	"github.com/postern-dev/postern/internal/sigv4"
)

// Bounds of a role's MaxSessionDuration, in seconds.
const (
	minMaxSession = 3600
	maxMaxSession = 43200
)

func roleOperations() []operation {
	family := roleFamily()
	on := family.resource
	return slices.Concat(family.policyOperations(), family.boundaryOperations(), family.tagOperations(), []operation{
		{name: "CreateRole", run: createRole, allow: all(
			needs("iam:CreateRole", newRole),
			given("Tags", needs("iam:TagRole", newRole)),
		)},
		{name: "GetRole", run: getRole, allow: needs("iam:GetRole", on), reads: true},
		{name: "ListRoles", run: listRoles, allow: needs("iam:ListRoles", listing("role")), reads: true},
		{name: "UpdateRole", run: updateRole, allow: needs("iam:UpdateRole", on)},
		{name: "UpdateRoleDescription", run: updateRoleDescription, allow: needs("iam:UpdateRoleDescription", on)},
		{name: "UpdateAssumeRolePolicy", run: updateAssumeRolePolicy, allow: needs("iam:UpdateAssumeRolePolicy", on)},
		{name: "DeleteRole", run: deleteRole, allow: needs("iam:DeleteRole", on)},
	})
}

func roleFamily() family {
	return family{
		word: "Role", noun: "role", resource: roleResource,
		inlineSize: func(s *Server) int { return s.quotas.RoleInlineSize }, attached: func(s *Server) int { return s.quotas.AttachedPerRole },
		open: func(c *call) (entity, error) {
			r, err := c.findRole()
			if err != nil {
				return entity{}, err
			}
			r = r.clone()
			return entity{name: r.Name, holder: &r.holder, tags: &r.Tags, save: func() { c.account.Roles.put(r.Name, r, c.due()) }}, nil
		},
	}
}

func newRole(c *call) resource { return created("role", "RoleName")(c) }

func roleResource(c *call) resource {
	r, ok := c.account.Roles.get(c.params["RoleName"])
	if !ok {
		return resource{arn: c.account.arn("role", "/", c.params["RoleName"])}
	}
	return resource{arn: c.account.arn("role", r.Path, r.Name), tags: r.Tags, boundary: r.Boundary}
}

func (c *call) findRole() (*role, error) {
	name, err := c.params.name("RoleName", maxNameUser)
	if err != nil {
		return nil, err
	}
	r, ok := c.account.Roles.get(name)
	if !ok {
		return nil, noSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, nil
}

type roleXML struct {
	Path, RoleName, RoleId, Arn, CreateDate string
	AssumeRolePolicyDocument                string
	Description                             string `xml:",omitempty"`
	MaxSessionDuration                      int
	PermissionsBoundary                     *boundaryXML
	Tags                                    *list[tagXML]
	RoleLastUsed                            *roleUseXML
}

type roleUseXML struct {
	LastUsedDate string `xml:",omitempty"`
	Region       string `xml:",omitempty"`
}

// briefRole is a role as lists show it.
func (c *call) briefRole(r *role) roleXML {
	return roleXML{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: c.account.arn("role", r.Path, r.Name), CreateDate: stamp(r.Created),
		AssumeRolePolicyDocument: sigv4.Escape(c.s.trustNow(r)), Description: r.Description, MaxSessionDuration: r.MaxSession,
	}
}

func (c *call) fullRole(r *role) roleXML {
	x := c.briefRole(r)
	x.PermissionsBoundary, x.Tags, x.RoleLastUsed = boundaryOf(r.holder), tagsOrNone(r.Tags), c.roleUse(r)
	return x
}

func (c *call) roleUse(r *role) *roleUseXML {
	use, ok := c.account.RoleUses[r.ID]
	if !ok {
		return &roleUseXML{}
	}
	return &roleUseXML{stamp(use.At), use.Region}
}

func createRole(c *call) (any, error) {
	name, err := c.params.name("RoleName", maxNameUser)
	if err != nil {
		return nil, err
	}
	r := &role{
		Name: name, ID: newID(rolePrefix, idLength), Created: c.now.UTC(),
		holder: holder{Inline: map[string]string{}},
	}
	if r.Path, err = c.params.path(); err != nil {
		return nil, err
	}
	if r.Description, err = c.params.description(); err != nil {
		return nil, err
	}
	if r.MaxSession, err = c.params.integer("MaxSessionDuration", minMaxSession, minMaxSession, maxMaxSession); err != nil {
		return nil, err
	}
	if r.Tags, err = c.params.tags(); err != nil {
		return nil, err
	}
	if sameName(&c.account.Roles, name) {
		return nil, alreadyExists("Role with name %s already exists.", name)
	}
	if len(c.account.Roles.live) >= c.s.quotas.Roles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", c.s.quotas.Roles)
	}
	if err := c.setTrust(r, "AssumeRolePolicyDocument"); err != nil {
		return nil, err
	}
	if err := c.setBoundary(&r.holder); err != nil {
		return nil, err
	}
	c.account.Roles.put(name, r, c.due())
	x := c.fullRole(r)
	x.RoleLastUsed = nil
	return struct{ Role roleXML }{x}, nil
}

// setTrust takes a trust policy from a parameter.
func (c *call) setTrust(r *role, param string) error {
	text := c.params[param]
	ids, err := c.s.checkTrust(lowerFirst(param), text)
	if err != nil {
		return err
	}
	if most := c.s.quotas.TrustPolicySize; policySize(text) > most {
		return limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", most)
	}
	r.Trust, r.TrustIDs = text, ids
	return nil
}

func getRole(c *call) (any, error) {
	r, err := c.findRole()
	if err != nil {
		return nil, err
	}
	return struct{ Role roleXML }{c.fullRole(r)}, nil
}

func listRoles(c *call) (any, error) {
	roles := under(c.params, c.account.Roles.all(), func(r *role) string { return r.Path })
	roles, next, err := page(c.params, roles, func(r *role) string { return r.Name })
	if err != nil {
		return nil, err
	}
	return struct {
		Roles list[roleXML]
		paging
	}{listOf(roles, c.briefRole), next}, nil
}

func updateRole(c *call) (any, error) {
	old, err := c.findRole()
	if err != nil {
		return nil, err
	}
	r := old.clone()
	if c.params.has("Description") {
		if r.Description, err = c.params.description(); err != nil {
			return nil, err
		}
	}
	// AWS resets what UpdateRole does not name to the default.
	if r.MaxSession, err = c.params.integer("MaxSessionDuration", minMaxSession, minMaxSession, maxMaxSession); err != nil {
		return nil, err
	}
	c.account.Roles.put(r.Name, r, c.due())
	return struct{}{}, nil
}

func updateRoleDescription(c *call) (any, error) {
	old, err := c.findRole()
	if err != nil {
		return nil, err
	}
	r := old.clone()
	if r.Description, err = c.params.description(); err != nil {
		return nil, err
	}
	c.account.Roles.put(r.Name, r, c.due())
	return struct{ Role roleXML }{c.fullRole(r)}, nil
}

func updateAssumeRolePolicy(c *call) (any, error) {
	old, err := c.findRole()
	if err != nil {
		return nil, err
	}
	r := old.clone()
	if err := c.setTrust(r, "PolicyDocument"); err != nil {
		return nil, err
	}
	c.account.Roles.put(r.Name, r, c.due())
	return nil, nil
}

func deleteRole(c *call) (any, error) {
	r, err := c.findRole()
	if err != nil {
		return nil, err
	}
	if len(c.profilesOf(r.Name)) > 0 {
		return nil, deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
	}
	if err := r.deletable(); err != nil {
		return nil, err
	}
	c.account.Roles.remove(r.Name, c.due())
	delete(c.account.RoleUses, r.ID)
	return nil, nil
}
