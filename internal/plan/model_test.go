package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// model is an account that carries out changes as IAM would, refusing what IAM
// refuses.
type model struct{ *estate.Account }

func find[T any](list []T, is func(T) bool) (int, error) {
	i := slices.IndexFunc(list, is)
	if i < 0 {
		return 0, fmt.Errorf("no such entity")
	}
	return i, nil
}

func (m model) apply(c Change) error {
	in := c.Input
	switch {
	case strings.Contains(string(c.Verb), "OpenIDConnectProvider"):
		return m.provider(c)
	case strings.Contains(string(c.Verb), "InstanceProfile"):
		return m.instanceProfile(c)
	case strings.Contains(string(c.Verb), "Role"):
		return m.role(c)
	case strings.Contains(string(c.Verb), "User"), c.Verb == DeleteAccessKey:
		return m.user(c)
	case strings.Contains(string(c.Verb), "Group"):
		return m.group(c)
	}
	at, err := find(m.Policies, func(p estate.ManagedPolicy) bool { return m.PolicyARN(p.Path, p.Name) == in.PolicyARN })
	switch c.Verb {
	case CreatePolicy:
		m.Policies = append(m.Policies, estate.ManagedPolicy{Name: in.PolicyName, Path: in.Path, Document: in.Document, Tags: in.Tags})
		return nil
	case CreatePolicyVersion:
		if err == nil {
			m.Policies[at].Versions = append(m.Policies[at].Versions, fmt.Sprintf("v%d", len(m.Policies[at].Versions)+1))
			m.Policies[at].Document = in.Document
			if len(m.Policies[at].Versions) > 4 {
				return fmt.Errorf("a policy keeps five versions")
			}
		}
		return err
	case DeletePolicyVersion:
		if err == nil {
			m.Policies[at].Versions = slices.DeleteFunc(m.Policies[at].Versions, func(v string) bool { return v == in.VersionID })
		}
		return err
	case DeletePolicy:
		if err != nil {
			return err
		}
		if m.attached(in.PolicyARN) || len(m.Policies[at].Versions) > 0 {
			return fmt.Errorf("delete conflict: %s is attached or has versions", in.PolicyARN)
		}
		m.Policies = slices.Delete(m.Policies, at, at+1)
		return nil
	}
	return fmt.Errorf("model does not know %s", c.Verb)
}

func (m model) attached(arn string) bool {
	return slices.ContainsFunc(m.Roles, func(r estate.Role) bool { return slices.Contains(r.Attached, arn) }) ||
		slices.ContainsFunc(m.Groups, func(g estate.Group) bool { return slices.Contains(g.Attached, arn) }) ||
		slices.ContainsFunc(m.Users, func(u estate.User) bool { return slices.Contains(u.Attached, arn) })
}

func (m model) provider(c Change) error {
	in := c.Input
	at, err := find(m.Providers, func(p estate.OIDCProvider) bool { return m.ProviderARN(p.URL) == in.ProviderARN })
	switch c.Verb {
	case CreateOpenIDConnectProvider:
		m.Providers = append(m.Providers, estate.OIDCProvider{URL: strings.TrimPrefix(in.URL, "https://"), Audiences: in.ClientIDs, Tags: in.Tags})
		return nil
	case AddClientIDToOpenIDConnectProvider:
		if err == nil {
			m.Providers[at].Audiences = append(m.Providers[at].Audiences, in.ClientIDs...)
		}
	case DeleteOpenIDConnectProvider:
		if err == nil {
			m.Providers = slices.Delete(m.Providers, at, at+1)
		}
	}
	return err
}

func (m model) instanceProfile(c Change) error {
	in := c.Input
	at, err := find(m.InstanceProfiles, func(p estate.InstanceProfile) bool { return p.Name == in.InstanceProfileName })
	if c.Verb == CreateInstanceProfile {
		m.InstanceProfiles = append(m.InstanceProfiles, estate.InstanceProfile{Name: in.InstanceProfileName, Path: in.Path, Tags: in.Tags})
		return nil
	}
	if err != nil {
		return err
	}
	p := &m.InstanceProfiles[at]
	switch c.Verb {
	case AddRoleToInstanceProfile:
		if p.Role != "" {
			return fmt.Errorf("limit exceeded: profile holds a role")
		}
		_, err = find(m.Roles, func(r estate.Role) bool { return r.Name == in.RoleName })
		p.Role = in.RoleName
	case RemoveRoleFromInstanceProfile:
		if p.Role != in.RoleName {
			return fmt.Errorf("no such role in profile")
		}
		p.Role = ""
	case DeleteInstanceProfile:
		if p.Role != "" {
			return fmt.Errorf("delete conflict: profile holds a role")
		}
		m.InstanceProfiles = slices.Delete(m.InstanceProfiles, at, at+1)
	}
	return err
}

func (m model) role(c Change) error {
	in := c.Input
	at, err := find(m.Roles, func(r estate.Role) bool { return r.Name == in.RoleName })
	if c.Verb == CreateRole {
		if err == nil {
			return fmt.Errorf("entity already exists: %s", in.RoleName)
		}
		if err := m.principalsExist(in.Document); err != nil {
			return err
		}
		m.Roles = append(m.Roles, estate.Role{
			Name: in.RoleName, Path: in.Path, Trust: in.Document, Description: in.Description,
			MaxSession: in.MaxSession, Boundary: in.PolicyARN, Tags: maps.Clone(in.Tags),
		})
		return nil
	}
	if err != nil {
		return err
	}
	r := &m.Roles[at]
	switch c.Verb {
	case DeleteRole:
		inProfile := slices.ContainsFunc(m.InstanceProfiles, func(p estate.InstanceProfile) bool { return p.Role == r.Name })
		if len(r.Inline)+len(r.Attached) > 0 || inProfile {
			return fmt.Errorf("delete conflict: role %s holds policies or stands in a profile", r.Name)
		}
		m.Roles = slices.Delete(m.Roles, at, at+1)
	case UpdateRole:
		r.MaxSession, r.Description = in.MaxSession, in.Description
	case UpdateAssumeRolePolicy:
		if err := m.principalsExist(in.Document); err != nil {
			return err
		}
		r.Trust = in.Document
	case PutRolePermissionsBoundary:
		r.Boundary = in.PolicyARN
	case DeleteRolePermissionsBoundary:
		r.Boundary = ""
	case TagRole:
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		maps.Copy(r.Tags, in.Tags)
	case UntagRole:
		for _, k := range in.TagKeys {
			delete(r.Tags, k)
		}
	case PutRolePolicy:
		r.Inline = putInline(r.Inline, in.PolicyName, in.Document)
		return fits(r.Inline, m.Quotas.RoleInlineSize)
	case DeleteRolePolicy:
		r.Inline, err = deleteInline(r.Inline, in.PolicyName)
	case AttachRolePolicy:
		r.Attached = append(r.Attached, in.PolicyARN)
		if len(r.Attached) > m.Quotas.AttachedPerRole {
			return fmt.Errorf("limit exceeded: %d policies attached", len(r.Attached))
		}
	case DetachRolePolicy:
		r.Attached, err = without(r.Attached, in.PolicyARN)
	default:
		return fmt.Errorf("model does not know %s", c.Verb)
	}
	return err
}

func (m model) principalsExist(d *iam.Document) error {
	for _, s := range d.Statements {
		for _, arn := range s.Principal.AWS {
			if !strings.Contains(arn, ":"+m.ID+":") {
				continue
			}
			exists := slices.ContainsFunc(m.Roles, func(r estate.Role) bool { return m.RoleARN(r.Path, r.Name) == arn }) ||
				slices.ContainsFunc(m.Users, func(u estate.User) bool { return m.UserARN(u.Path, u.Name) == arn })
			if !exists {
				return fmt.Errorf("invalid principal in policy: %s", arn)
			}
		}
		for _, arn := range s.Principal.Federated {
			if !slices.ContainsFunc(m.Providers, func(p estate.OIDCProvider) bool { return m.ProviderARN(p.URL) == arn }) {
				return fmt.Errorf("invalid principal in policy: %s", arn)
			}
		}
	}
	return nil
}

func (m model) user(c Change) error {
	in := c.Input
	at, err := find(m.Users, func(u estate.User) bool { return u.Name == in.UserName })
	if c.Verb == CreateUser {
		m.Users = append(m.Users, estate.User{Name: in.UserName, Path: in.Path, Tags: maps.Clone(in.Tags)})
		return nil
	}
	if err != nil {
		return err
	}
	u := &m.Users[at]
	switch c.Verb {
	case DeleteUser:
		if len(u.Groups)+len(u.Keys)+len(u.Inline)+len(u.Attached) > 0 {
			return fmt.Errorf("delete conflict: user %s holds something", u.Name)
		}
		m.Users = slices.Delete(m.Users, at, at+1)
	case AddUserToGroup:
		if _, err := find(m.Groups, func(g estate.Group) bool { return g.Name == in.GroupName }); err != nil {
			return err
		}
		u.Groups = append(u.Groups, in.GroupName)
	case RemoveUserFromGroup:
		u.Groups, err = without(u.Groups, in.GroupName)
	case DeleteAccessKey:
		u.Keys = slices.DeleteFunc(u.Keys, func(k estate.AccessKey) bool { return k.ID == in.AccessKeyID })
	case DeleteUserPolicy:
		u.Inline, err = deleteInline(u.Inline, in.PolicyName)
	case DetachUserPolicy:
		u.Attached, err = without(u.Attached, in.PolicyARN)
	case DeleteUserPermissionsBoundary:
		u.Boundary = ""
	case TagUser:
		if u.Tags == nil {
			u.Tags = map[string]string{}
		}
		maps.Copy(u.Tags, in.Tags)
	case UntagUser:
		for _, k := range in.TagKeys {
			delete(u.Tags, k)
		}
	default:
		return fmt.Errorf("model does not know %s", c.Verb)
	}
	return err
}

func (m model) group(c Change) error {
	in := c.Input
	at, err := find(m.Groups, func(g estate.Group) bool { return g.Name == in.GroupName })
	if c.Verb == CreateGroup {
		m.Groups = append(m.Groups, estate.Group{Name: in.GroupName, Path: in.Path})
		return nil
	}
	if err != nil {
		return err
	}
	g := &m.Groups[at]
	switch c.Verb {
	case DeleteGroup:
		member := slices.ContainsFunc(m.Users, func(u estate.User) bool { return slices.Contains(u.Groups, g.Name) })
		if member || len(g.Inline)+len(g.Attached) > 0 {
			return fmt.Errorf("delete conflict: group %s has members or policies", g.Name)
		}
		m.Groups = slices.Delete(m.Groups, at, at+1)
	case PutGroupPolicy:
		g.Inline = putInline(g.Inline, in.PolicyName, in.Document)
		return fits(g.Inline, m.Quotas.GroupInlineSize)
	case DeleteGroupPolicy:
		g.Inline, err = deleteInline(g.Inline, in.PolicyName)
	case DetachGroupPolicy:
		g.Attached, err = without(g.Attached, in.PolicyARN)
	default:
		return fmt.Errorf("model does not know %s", c.Verb)
	}
	return err
}

func putInline(list []estate.InlinePolicy, name string, doc *iam.Document) []estate.InlinePolicy {
	for i := range list {
		if list[i].Name == name {
			list[i].Document = doc
			return list
		}
	}
	return append(list, estate.InlinePolicy{Name: name, Document: doc})
}

func deleteInline(list []estate.InlinePolicy, name string) ([]estate.InlinePolicy, error) {
	at, err := find(list, func(p estate.InlinePolicy) bool { return p.Name == name })
	if err != nil {
		return list, err
	}
	return slices.Delete(list, at, at+1), nil
}

func without(list []string, member string) ([]string, error) {
	at := slices.Index(list, member)
	if at < 0 {
		return list, fmt.Errorf("no such entity: %s", member)
	}
	return slices.Delete(slices.Clone(list), at, at+1), nil
}

func fits(list []estate.InlinePolicy, most int) error {
	total := 0
	for _, p := range list {
		total += p.Document.Size()
	}
	if total > most {
		return fmt.Errorf("limit exceeded: %d characters of inline policies", total)
	}
	return nil
}
