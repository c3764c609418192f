package estate

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
)

// Permissions finds the policies that bound the users and roles of an account.
type Permissions struct {
	account *Account
	managed map[string]*iam.Document // by ARN
	groups  map[string]*Group        // by name
}

// Permissions gets an account's policies ready to be found.
func (a *Account) Permissions() *Permissions {
	p := &Permissions{account: a, managed: make(map[string]*iam.Document, len(a.Policies)), groups: make(map[string]*Group, len(a.Groups))}
	for i := range a.Policies {
		p.managed[a.Policies[i].ARN(a)] = a.Policies[i].Document
	}
	for i := range a.Groups {
		p.groups[a.Groups[i].Name] = &a.Groups[i]
	}
	return p
}

// Role returns the policies of a role of the account.
func (p *Permissions) Role(r *Role) reach.Principal {
	return reach.Principal{Identity: p.policies("", r.Inline, r.Attached), Boundary: p.boundary(r.Boundary)}
}

// User returns the policies of a user of the account and of its groups. A
// group that is not in the estate is a policy that is not known.
func (p *Permissions) User(u *User) reach.Principal {
	out := reach.Principal{Identity: p.policies("", u.Inline, u.Attached), Boundary: p.boundary(u.Boundary)}
	for _, name := range u.Groups {
		if g := p.groups[name]; g != nil {
			out.Identity = append(out.Identity, p.Group(g)...)
		} else {
			out.Identity = append(out.Identity, reach.Policy{Name: "group " + name})
		}
	}
	return out
}

// Group returns the policies of a group of the account.
func (p *Permissions) Group(g *Group) []reach.Policy {
	return p.policies(" of group "+g.Name, g.Inline, g.Attached)
}

func (p *Permissions) boundary(arn string) *reach.Policy {
	if arn == "" {
		return nil
	}
	return &reach.Policy{Name: arn, Document: p.managed[arn]}
}

// policies are named so that they can be found; of says whose the inline ones
// are, if not the principal's.
func (p *Permissions) policies(of string, inline []InlinePolicy, attached []string) []reach.Policy {
	var out []reach.Policy
	for _, one := range inline {
		out = append(out, reach.Policy{Name: "inline policy " + one.Name + of, Document: one.Document})
	}
	for _, arn := range attached {
		out = append(out, reach.Policy{Name: arn, Document: p.managed[arn]})
	}
	return out
}

// Groups are the groups of all accounts, for a reach.Graph.
func (e *Estate) Groups() []reach.Group {
	var out []reach.Group
	for i := range e.Accounts {
		a := &e.Accounts[i]
		members := map[string][]string{}
		for _, u := range a.Users {
			for _, name := range u.Groups {
				members[name] = append(members[name], a.UserARN(u.Path, u.Name))
			}
		}
		permissions := a.Permissions()
		for j := range a.Groups {
			g := &a.Groups[j]
			out = append(out, reach.Group{ARN: a.GroupARN(g.Path, g.Name), Policies: permissions.Group(g), Members: members[g.Name]})
		}
	}
	return out
}

// Members are the users and roles of all accounts, for a reach.World.
func (e *Estate) Members() []reach.Member {
	var out []reach.Member
	for i := range e.Accounts {
		a := &e.Accounts[i]
		permissions := a.Permissions()
		for j := range a.Users {
			u := &a.Users[j]
			out = append(out, reach.Member{
				Who:         eval.Principal{Kind: eval.User, ARN: a.UserARN(u.Path, u.Name), Account: a.ID},
				Permissions: permissions.User(u),
			})
		}
		for j := range a.Roles {
			r := &a.Roles[j]
			out = append(out, reach.Member{
				Who:         eval.Principal{Kind: eval.Role, ARN: a.RoleARN(r.Path, r.Name), Account: a.ID},
				Permissions: permissions.Role(r), Trust: r.Trust, Unprofiled: r.Unprofiled,
			})
		}
	}
	return slices.Clip(out)
}
