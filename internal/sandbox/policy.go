package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/sigv4"
)

const versionsPerPolicy = 5

func policyOperations() []operation {
	on := policyResource
	return slices.Concat(policyFamily().tagOperations(), []operation{
		{name: "CreatePolicy", run: createPolicy, allow: all(
			needs("iam:CreatePolicy", newPolicy),
			given("Tags", needs("iam:TagPolicy", newPolicy)),
		)},
		{name: "GetPolicy", run: getPolicy, allow: needs("iam:GetPolicy", on), reads: true},
		{name: "ListPolicies", run: listPolicies, allow: needs("iam:ListPolicies", policyListing), reads: true},
		{name: "DeletePolicy", run: deletePolicy, allow: needs("iam:DeletePolicy", on)},
		{name: "CreatePolicyVersion", run: createPolicyVersion, allow: needs("iam:CreatePolicyVersion", on)},
		{name: "GetPolicyVersion", run: getPolicyVersion, allow: needs("iam:GetPolicyVersion", on), reads: true},
		{name: "ListPolicyVersions", run: listPolicyVersions, allow: needs("iam:ListPolicyVersions", on), reads: true},
		{name: "SetDefaultPolicyVersion", run: setDefaultPolicyVersion, allow: needs("iam:SetDefaultPolicyVersion", on)},
		{name: "DeletePolicyVersion", run: deletePolicyVersion, allow: needs("iam:DeletePolicyVersion", on)},
		{name: "ListEntitiesForPolicy", run: listEntitiesForPolicy, allow: needs("iam:ListEntitiesForPolicy", on), reads: true},
	})
}

// policyFamily has tags alone.
func policyFamily() family {
	return family{
		word: "Policy", noun: "policy", resource: policyResource,
		open: func(c *call) (entity, error) {
			p, err := c.ownPolicy()
			if err != nil {
				return entity{}, err
			}
			return entity{name: p.Name, tags: &p.Tags, save: func() { c.savePolicy(p) }}, nil
		},
	}
}

func policyResource(c *call) resource {
	arn := c.params["PolicyArn"]
	if p, err := c.managedPolicy(arn); err == nil {
		return resource{arn: arn, tags: p.Tags}
	}
	return resource{arn: arn}
}

func newPolicy(c *call) resource { return created("policy", "PolicyName")(c) }

func policyListing(c *call) resource {
	prefix := c.params["PathPrefix"]
	if prefix == "" {
		prefix = "/"
	}
	return resource{arn: "*", show: "policy path " + prefix}
}

func (c *call) policyARN(p *policy) string {
	if p.AWSManaged {
		return "arn:" + c.account.Partition + ":iam::aws:policy" + p.Path + p.Name
	}
	return c.account.arn("policy", p.Path, p.Name)
}

// managedPolicy finds a policy of the account or of AWS's own.
func (c *call) managedPolicy(arn string) (*policy, error) {
	a, err := iam.ParseARN(arn)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
		return nil, invalidInput("ARN %s is not valid.", arn)
	}
	if p, ok := awsManaged(c.account.Partition, arn); ok {
		return p, nil
	}
	p, ok := c.account.Policies.get(lastSegment(arn))
	if !ok || c.policyARN(p) != arn {
		return nil, noSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return p, nil
}

// ownPolicy returns a copy of the customer managed policy that a call names.
func (c *call) ownPolicy() (*policy, error) {
	arn, err := c.params.required("PolicyArn")
	if err != nil {
		return nil, err
	}
	p, err := c.managedPolicy(arn)
	if err != nil {
		return nil, err
	}
	if p.AWSManaged {
		return nil, invalidInput("Cannot change the AWS managed policy %s.", arn)
	}
	return p.clone(), nil
}

func (c *call) savePolicy(p *policy) { c.account.Policies.put(p.Name, p, c.due()) }

type policyXML struct {
	PolicyName, PolicyId, Arn, Path, DefaultVersionId string
	AttachmentCount, PermissionsBoundaryUsageCount    int
	IsAttachable                                      bool
	Description                                       string `xml:",omitempty"`
	CreateDate, UpdateDate                            string
	Tags                                              *list[tagXML]
}

func (c *call) briefPolicy(p *policy) policyXML {
	arn := c.policyARN(p)
	attached, bounding := c.uses(arn)
	return policyXML{
		PolicyName: p.Name, PolicyId: p.ID, Arn: arn, Path: p.Path, DefaultVersionId: p.Default,
		AttachmentCount: attached, PermissionsBoundaryUsageCount: bounding, IsAttachable: true,
		CreateDate: stamp(p.Created), UpdateDate: stamp(p.Updated),
	}
}

func (c *call) fullPolicy(p *policy) policyXML {
	x := c.briefPolicy(p)
	x.Description, x.Tags = p.Description, tagsOrNone(p.Tags)
	return x
}

// uses counts a managed policy's attachments and its uses as a boundary.
func (c *call) uses(arn string) (attached, bounding int) {
	count := func(h holder) {
		if slices.Contains(h.Attached, arn) {
			attached++
		}
		if h.Boundary == arn {
			bounding++
		}
	}
	for _, u := range c.account.Users.live {
		count(u.holder)
	}
	for _, g := range c.account.Groups.live {
		count(g.holder)
	}
	for _, r := range c.account.Roles.live {
		count(r.holder)
	}
	return attached, bounding
}

// managedText takes a managed policy's text from the request.
func (c *call) managedText() (string, error) {
	text := c.params["PolicyDocument"]
	if err := checkIdentityPolicy("policyDocument", text); err != nil {
		return "", err
	}
	if most := c.s.quotas.ManagedPolicySize; policySize(text) > most {
		return "", limitExceeded("Cannot exceed quota for PolicySize: %d", most)
	}
	return text, nil
}

func createPolicy(c *call) (any, error) {
	name, err := c.params.name("PolicyName", maxNameLong)
	if err != nil {
		return nil, err
	}
	p := &policy{Name: name, ID: newID(policyPrefix, idLength), Created: c.now.UTC(), Updated: c.now.UTC()}
	if p.Path, err = c.params.path(); err != nil {
		return nil, err
	}
	if p.Description, err = c.params.description(); err != nil {
		return nil, err
	}
	if p.Tags, err = c.params.tags(); err != nil {
		return nil, err
	}
	text, err := c.managedText()
	if err != nil {
		return nil, err
	}
	if sameName(&c.account.Policies, name) {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", name)
	}
	if len(c.account.Policies.live) >= c.s.quotas.Policies {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", c.s.quotas.Policies)
	}
	p.addVersion(c, text, true)
	c.savePolicy(p)
	return struct{ Policy policyXML }{c.fullPolicy(p)}, nil
}

func (p *policy) addVersion(c *call, text string, asDefault bool) policyVersion {
	p.LastVersion++
	v := policyVersion{ID: fmt.Sprintf("v%d", p.LastVersion), Text: text, Created: c.now.UTC()}
	p.Versions = append(p.Versions, v)
	if asDefault {
		p.Default, p.Updated = v.ID, v.Created
	}
	return v
}

func getPolicy(c *call) (any, error) {
	arn, err := c.params.required("PolicyArn")
	if err != nil {
		return nil, err
	}
	p, err := c.managedPolicy(arn)
	if err != nil {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	return struct{ Policy policyXML }{c.fullPolicy(p)}, nil
}

func listPolicies(c *call) (any, error) {
	var policies []*policy
	scope := c.params["Scope"]
	if scope != "AWS" {
		policies = c.account.Policies.all()
	}
	if scope != "Local" {
		policies = append(policies, awsManagedPolicies()...)
	}
	policies = under(c.params, policies, func(p *policy) string { return p.Path })
	policies = slices.DeleteFunc(policies, func(p *policy) bool {
		attached, bounding := c.uses(c.policyARN(p))
		return c.params["OnlyAttached"] == "true" && attached == 0 ||
			c.params["PolicyUsageFilter"] == "PermissionsPolicy" && attached == 0 ||
			c.params["PolicyUsageFilter"] == "PermissionsBoundary" && bounding == 0
	})
	policies, next, err := page(c.params, policies, c.policyARN)
	if err != nil {
		return nil, err
	}
	return struct {
		Policies list[policyXML]
		paging
	}{listOf(policies, c.briefPolicy), next}, nil
}

func deletePolicy(c *call) (any, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	attached, bounding := c.uses(c.policyARN(p))
	switch {
	case attached > 0:
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	case bounding > 0:
		return nil, deleteConflict("Cannot delete a policy that is used as a permissions boundary.")
	case len(p.Versions) > 1:
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	c.account.Policies.remove(p.Name, c.due())
	return nil, nil
}

type versionXML struct {
	Document         string `xml:",omitempty"` // percent-encoded
	VersionId        string
	IsDefaultVersion bool
	CreateDate       string
}

// versionXML shows a version; lists leave its document out.
func (p *policy) versionXML(v policyVersion, withText bool) versionXML {
	x := versionXML{VersionId: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: stamp(v.Created)}
	if withText {
		x.Document = sigv4.Escape(v.Text)
	}
	return x
}

func createPolicyVersion(c *call) (any, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	text, err := c.managedText()
	if err != nil {
		return nil, err
	}
	if len(p.Versions) >= versionsPerPolicy {
		return nil, limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", versionsPerPolicy)
	}
	v := p.addVersion(c, text, c.params["SetAsDefault"] == "true")
	c.savePolicy(p)
	return struct{ PolicyVersion versionXML }{p.versionXML(v, false)}, nil
}

// findVersion finds the version that a call names.
func (c *call) findVersion(p *policy) (policyVersion, error) {
	id, err := c.params.required("VersionId")
	if err != nil {
		return policyVersion{}, err
	}
	v, ok := p.version(id)
	if !ok {
		return policyVersion{}, noSuchEntity("Policy %s version %s does not exist or is not attachable.", c.policyARN(p), id)
	}
	return v, nil
}

func getPolicyVersion(c *call) (any, error) {
	p, err := c.managedPolicy(c.params["PolicyArn"])
	if err != nil {
		return nil, err
	}
	v, err := c.findVersion(p)
	if err != nil {
		return nil, err
	}
	return struct{ PolicyVersion versionXML }{p.versionXML(v, true)}, nil
}

func listPolicyVersions(c *call) (any, error) {
	p, err := c.managedPolicy(c.params["PolicyArn"])
	if err != nil {
		return nil, err
	}
	versions := slices.Clone(p.Versions)
	slices.Reverse(versions)
	return struct {
		Versions list[versionXML]
		paging
	}{listOf(versions, func(v policyVersion) versionXML { return p.versionXML(v, false) }), paging{}}, nil
}

func setDefaultPolicyVersion(c *call) (any, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	v, err := c.findVersion(p)
	if err != nil {
		return nil, err
	}
	p.Default, p.Updated = v.ID, c.now.UTC()
	c.savePolicy(p)
	return nil, nil
}

func deletePolicyVersion(c *call) (any, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	v, err := c.findVersion(p)
	if err != nil {
		return nil, err
	}
	if v.ID == p.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.")
	}
	p.Versions = slices.DeleteFunc(p.Versions, func(have policyVersion) bool { return have.ID == v.ID })
	c.savePolicy(p)
	return nil, nil
}

type (
	policyUserXML  struct{ UserName, UserId string }
	policyGroupXML struct{ GroupName, GroupId string }
	policyRoleXML  struct{ RoleName, RoleId string }
)

func listEntitiesForPolicy(c *call) (any, error) {
	arn := c.params["PolicyArn"]
	if _, err := c.managedPolicy(arn); err != nil {
		return nil, err
	}
	filter, usage := c.params["EntityFilter"], c.params["PolicyUsageFilter"]
	uses := func(kind string, h holder) bool {
		return (filter == "" || filter == kind) &&
			(usage != "PermissionsBoundary" && slices.Contains(h.Attached, arn) || usage != "PermissionsPolicy" && h.Boundary == arn)
	}
	var out struct {
		PolicyGroups list[policyGroupXML]
		PolicyUsers  list[policyUserXML]
		PolicyRoles  list[policyRoleXML]
		paging
	}
	for _, g := range c.account.Groups.all() {
		if uses("Group", g.holder) {
			out.PolicyGroups.Member = append(out.PolicyGroups.Member, policyGroupXML{g.Name, g.ID})
		}
	}
	for _, u := range c.account.Users.all() {
		if uses("User", u.holder) {
			out.PolicyUsers.Member = append(out.PolicyUsers.Member, policyUserXML{u.Name, u.ID})
		}
	}
	for _, r := range c.account.Roles.all() {
		if uses("Role", r.holder) {
			out.PolicyRoles.Member = append(out.PolicyRoles.Member, policyRoleXML{r.Name, r.ID})
		}
	}
	return out, nil
}

// StandIn puts a policy that allows everything in the place of one that a
// stack takes for granted, such as a permissions boundary, and reports whether
// it had to. Policies of AWS cannot be stood in for.
func (s *Server) StandIn(policyARN string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn, err := iam.ParseARN(policyARN)
	if err != nil {
		return false, fmt.Errorf("stand in for a policy: %w", err)
	}
	a, ok := s.state.Accounts[arn.Account]
	if !ok || !strings.HasPrefix(arn.Resource, "policy/") {
		return false, nil
	}
	name := lastSegment(arn.Resource)
	if sameName(&a.Policies, name) {
		return false, nil
	}
	c := &call{s: s, now: s.opt.Clock(), account: a}
	p := &policy{Name: name, Path: strings.TrimSuffix(strings.TrimPrefix(arn.Resource, "policy"), name), ID: newID(policyPrefix, idLength), Created: c.now.UTC(), Updated: c.now.UTC()}
	p.addVersion(c, awsManagedTexts["AdministratorAccess"], true)
	a.Policies.put(p.Name, p, atOnce(c.now))
	s.changed()
	return true, nil
}
