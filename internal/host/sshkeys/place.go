package sshkeys

import (
	"fmt"
	"slices"
	"strings"
)

// add gives those who are new their places: a name and a uid that are nobody
// else's. Who has a place keeps it; of several newcomers for one, none gets it.
func (p *Plan) add(fresh []User) {
	var named []User
	for _, u := range fresh {
		name, err := p.in.Policy.Names.OSName(u.IAMUser)
		if err != nil {
			p.refuse(u, err)
			continue
		}
		u.Name = name
		named = append(named, u)
	}
	established := slices.Clone(p.users)
	for _, u := range named {
		others := slices.Concat(established, named)
		if why := rival(u, others); why != "" {
			p.refuse(u, u.problem(why, p.makeRoom(u)))
			continue
		}
		if why := p.in.State.taken(u, u.Name); why != "" {
			p.refuse(u, u.problem(why, "rename the IAM user, or what has its place on this host"))
			continue
		}
		p.put(u)
	}
}

// makeRoom says how a newcomer gets the place of another user. Most often that
// is the same person, whose IAM user was deleted and made again; but whether the
// files are to be the new one's, nobody knows here.
func (p *Plan) makeRoom(u User) string {
	i := slices.IndexFunc(p.users, func(o User) bool { return o.Name == u.Name })
	switch {
	case i < 0:
		return "rename one of them"
	case p.users[i].Removed:
		return fmt.Sprintf("move its home away, or let the new user have it; then delete the account: sudo chown -hR %[2]d:%[2]d ~%[1]s && sudo userdel %[1]s", u.Name, u.UID)
	}
	return "rename one of them; if the other was deleted in IAM, its account is removed first, and can then be deleted"
}

// rival says which other user has, or wants, the place of u.
func rival(u User, others []User) string {
	var names []string
	what := ""
	for _, o := range others {
		switch {
		case o.UserID == u.UserID:
			continue
		case o.Name == u.Name:
			what = "the account " + u.Name
		case o.UID == u.UID:
			what = fmt.Sprintf("uid %d", u.UID)
		default:
			continue
		}
		names = append(names, fmt.Sprintf("%q (%s)", o.IAMUser, o.UserID))
	}
	if len(names) == 0 {
		return ""
	}
	return what + " is that of IAM user " + strings.Join(names, " and ") + " too"
}

// taken says what on the host that is not the user's stands in the way of an
// account with a name.
func (s State) taken(u User, name string) string {
	if a, ok := s.byName(name); ok && a.UID != u.UID {
		return fmt.Sprintf("account %s is there with uid %d and is not this user's", name, a.UID)
	}
	if a, ok := s.byUID(u.UID); ok && a.Name != name && a.Name != u.Name {
		return fmt.Sprintf("uid %d is that of account %s", u.UID, a.Name)
	}
	if gid, ok := s.Groups[name]; ok && gid != u.UID {
		return fmt.Sprintf("group %s is there with gid %d", name, gid)
	}
	if g, ok := s.groupOf(u.UID); ok && g != name && g != u.Name {
		return fmt.Sprintf("gid %d is that of group %s", u.UID, g)
	}
	return ""
}

// rename follows users who were renamed in IAM, where the new name is free.
// The uid stays and with it the files.
func (p *Plan) rename() {
	want := map[string][]*User{} // by name
	for i := range p.users {
		u := &p.users[i]
		if u.Removed || u.IAMUser == "" {
			continue
		}
		name, err := p.in.Policy.Names.OSName(u.IAMUser)
		if err != nil {
			p.Problems = append(p.Problems, err)
			continue
		}
		want[name] = append(want[name], u)
	}
	for name, users := range want {
		for _, u := range users {
			if u.Name != name {
				p.retarget(u, name, len(users) > 1)
			}
		}
	}
	slices.SortFunc(p.Problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
}

func (p *Plan) retarget(u *User, name string, contested bool) {
	why := p.in.State.taken(*u, name)
	if slices.ContainsFunc(p.users, func(o User) bool { return o.Name == name }) || contested {
		why = "account " + name + " is that of another IAM user"
	}
	if why != "" {
		p.problem(*u, "keeps the account "+u.Name+": "+why, "")
		return
	}
	p.target[u.UserID] = name
}
