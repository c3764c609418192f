package sandbox

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/sigv4"
)

func accountOperations() []operation {
	return []operation{
		{name: "GetAccountAuthorizationDetails", run: getAccountAuthorizationDetails, allow: needs("iam:GetAccountAuthorizationDetails", everything), reads: true},
		{name: "GetAccountSummary", run: getAccountSummary, allow: needs("iam:GetAccountSummary", everything), reads: true},
		{name: "ListAccountAliases", run: listAccountAliases, allow: needs("iam:ListAccountAliases", everything), reads: true},
		{name: "CreateAccountAlias", run: createAccountAlias, allow: needs("iam:CreateAccountAlias", everything)},
		{name: "DeleteAccountAlias", run: deleteAccountAlias, allow: needs("iam:DeleteAccountAlias", everything)},
		{name: "ListVirtualMFADevices", run: listVirtualMFADevices, allow: needs("iam:ListVirtualMFADevices", everything), reads: true},
	}
}

type inlineDetailXML struct{ PolicyName, PolicyDocument string }

func inlineDetails(h holder) list[inlineDetailXML] {
	return listOf(slices.Sorted(maps.Keys(h.Inline)), func(name string) inlineDetailXML {
		return inlineDetailXML{name, sigv4.Escape(h.Inline[name])}
	})
}

type userDetailXML struct {
	Path, UserName, UserId, Arn, CreateDate string
	UserPolicyList                          list[inlineDetailXML]
	GroupList                               list[string]
	AttachedManagedPolicies                 list[attachedXML]
	PermissionsBoundary                     *boundaryXML
	Tags                                    list[tagXML]
}

type groupDetailXML struct {
	Path, GroupName, GroupId, Arn, CreateDate string
	GroupPolicyList                           list[inlineDetailXML]
	AttachedManagedPolicies                   list[attachedXML]
}

// roleDetailXML has neither Description nor MaxSessionDuration: AWS's neither.
type roleDetailXML struct {
	Path, RoleName, RoleId, Arn, CreateDate string
	AssumeRolePolicyDocument                string
	InstanceProfileList                     list[profileXML]
	RolePolicyList                          list[inlineDetailXML]
	AttachedManagedPolicies                 list[attachedXML]
	PermissionsBoundary                     *boundaryXML
	Tags                                    list[tagXML]
	RoleLastUsed                            *roleUseXML
}

type policyDetailXML struct {
	PolicyName, PolicyId, Arn, Path, DefaultVersionId string
	AttachmentCount, PermissionsBoundaryUsageCount    int
	IsAttachable                                      bool
	Description                                       string `xml:",omitempty"`
	CreateDate, UpdateDate                            string
	PolicyVersionList                                 list[versionXML]
}

func (c *call) userDetail(u *user) userDetailXML {
	return userDetailXML{
		u.Path, u.Name, u.ID, c.account.arn("user", u.Path, u.Name), stamp(u.Created),
		inlineDetails(u.holder),
		list[string]{u.Groups},
		listOf(u.Attached, attachedOf), boundaryOf(u.holder), tagList(u.Tags),
	}
}

func (c *call) groupDetail(g *group) groupDetailXML {
	return groupDetailXML{
		g.Path, g.Name, g.ID, c.account.arn("group", g.Path, g.Name), stamp(g.Created),
		inlineDetails(g.holder), listOf(g.Attached, attachedOf),
	}
}

func (c *call) roleDetail(r *role) roleDetailXML {
	return roleDetailXML{
		r.Path, r.Name, r.ID, c.account.arn("role", r.Path, r.Name), stamp(r.Created), sigv4.Escape(c.s.trustNow(r)),
		listOf(c.profilesOf(r.Name), c.fullProfile), inlineDetails(r.holder), listOf(r.Attached, attachedOf),
		boundaryOf(r.holder), tagList(r.Tags), c.roleUse(r),
	}
}

func (c *call) policyDetail(p *policy) policyDetailXML {
	x := c.briefPolicy(p)
	return policyDetailXML{
		x.PolicyName, x.PolicyId, x.Arn, x.Path, x.DefaultVersionId, x.AttachmentCount, x.PermissionsBoundaryUsageCount,
		x.IsAttachable, p.Description, x.CreateDate, x.UpdateDate,
		listOf(p.Versions, func(v policyVersion) versionXML { return p.versionXML(v, true) }),
	}
}

type authorizationDetails struct {
	UserDetailList  list[userDetailXML]
	GroupDetailList list[groupDetailXML]
	RoleDetailList  list[roleDetailXML]
	Policies        list[policyDetailXML]
	paging
}

// detail is one entity of the account, ready to be put into a page.
type detail struct {
	key string
	add func(*authorizationDetails)
}

// getAccountAuthorizationDetails pages through all kinds as one list.
func getAccountAuthorizationDetails(c *call) (any, error) {
	filter := c.params.list("Filter")
	wanted := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	var details []detail
	if wanted("User") {
		for _, u := range c.account.Users.live {
			details = append(details, detail{"1" + u.Name, func(d *authorizationDetails) {
				d.UserDetailList.Member = append(d.UserDetailList.Member, c.userDetail(u))
			}})
		}
	}
	if wanted("Group") {
		for _, g := range c.account.Groups.live {
			details = append(details, detail{"2" + g.Name, func(d *authorizationDetails) {
				d.GroupDetailList.Member = append(d.GroupDetailList.Member, c.groupDetail(g))
			}})
		}
	}
	if wanted("Role") {
		for _, r := range c.account.Roles.live {
			details = append(details, detail{"3" + r.Name, func(d *authorizationDetails) {
				d.RoleDetailList.Member = append(d.RoleDetailList.Member, c.roleDetail(r))
			}})
		}
	}
	for _, p := range c.detailedPolicies(wanted) {
		details = append(details, detail{"4" + c.policyARN(p), func(d *authorizationDetails) {
			d.Policies.Member = append(d.Policies.Member, c.policyDetail(p))
		}})
	}
	details, next, err := page(c.params, details, func(d detail) string { return d.key })
	if err != nil {
		return nil, err
	}
	out := authorizationDetails{paging: next}
	for _, d := range details {
		d.add(&out)
	}
	return out, nil
}

// detailedPolicies are the account's own policies, and of AWS's those in use.
func (c *call) detailedPolicies(wanted func(string) bool) []*policy {
	var out []*policy
	if wanted("LocalManagedPolicy") {
		out = c.account.Policies.all()
	}
	if wanted("AWSManagedPolicy") {
		for _, p := range awsManagedPolicies() {
			if attached, bounding := c.uses(c.policyARN(p)); attached+bounding > 0 {
				out = append(out, p)
			}
		}
	}
	return out
}

type summaryEntry struct {
	Key   string `xml:"key"`
	Value int    `xml:"value"`
}

type summaryXML struct {
	Entries []summaryEntry `xml:"entry"`
}

func getAccountSummary(c *call) (any, error) {
	q, a := c.s.quotas, c.account
	versions := 0
	for _, p := range a.Policies.live {
		versions += len(p.Versions)
	}
	values := map[string]int{
		"Users": len(a.Users.live), "UsersQuota": q.Users,
		"Groups": len(a.Groups.live), "GroupsQuota": q.Groups, "GroupsPerUserQuota": groupsPerUser,
		"Roles": len(a.Roles.live), "RolesQuota": q.Roles,
		"Policies": len(a.Policies.live), "PoliciesQuota": q.Policies,
		"PolicyVersionsInUse": versions, "PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": versionsPerPolicy,
		"InstanceProfiles": len(a.Profiles.live), "InstanceProfilesQuota": q.InstanceProfiles,
		"Providers": len(a.Providers.live), "ServerCertificates": 0, "ServerCertificatesQuota": 20,
		"AccessKeysPerUserQuota": keysPerUser, "SigningCertificatesPerUserQuota": 2,
		"AssumeRolePolicySizeQuota": q.TrustPolicySize, "PolicySizeQuota": q.ManagedPolicySize,
		"UserPolicySizeQuota": q.UserInlineSize, "GroupPolicySizeQuota": q.GroupInlineSize, "RolePolicySizeQuota": q.RoleInlineSize,
		"AttachedPoliciesPerUserQuota": attachedPerEntity, "AttachedPoliciesPerGroupQuota": attachedPerEntity,
		"AttachedPoliciesPerRoleQuota": q.AttachedPerRole,
		"MFADevices":                   0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0,
		"AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0, "GlobalEndpointTokenVersion": 1,
	}
	var out summaryXML
	for _, key := range slices.Sorted(maps.Keys(values)) {
		out.Entries = append(out.Entries, summaryEntry{key, values[key]})
	}
	return struct{ SummaryMap summaryXML }{out}, nil
}

func listAccountAliases(c *call) (any, error) {
	return struct {
		AccountAliases list[string]
		paging
	}{list[string]{c.account.Aliases}, paging{}}, nil
}

func createAccountAlias(c *call) (any, error) {
	alias, err := c.params.required("AccountAlias")
	if err != nil {
		return nil, err
	}
	if len(alias) < 3 || len(alias) > 63 || strings.Trim(alias, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, invalid("1 validation error detected: Value '%s' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", alias)
	}
	c.account.Aliases = []string{alias} // an account has one; a second replaces it
	return nil, nil
}

func deleteAccountAlias(c *call) (any, error) {
	alias := c.params["AccountAlias"]
	if !slices.Contains(c.account.Aliases, alias) {
		return nil, noSuchEntity("The account alias with name %s cannot be found.", alias)
	}
	c.account.Aliases = nil
	return nil, nil
}

func listVirtualMFADevices(*call) (any, error) {
	return struct {
		VirtualMFADevices list[string]
		paging
	}{}, nil
}
