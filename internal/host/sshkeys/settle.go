package sshkeys

import (
	"slices"
	"strings"
	"time"
)

// before plans what comes before the snapshot: sudo is taken away, accounts
// are made, renamed, restored and put into their groups.
func (p *Plan) before() {
	state := p.in.State
	var sudoers []string
	for i := range p.users {
		u := &p.users[i]
		a, stands := p.accountOf(*u, state)
		if u.Sudo && stands {
			sudoers = append(sudoers, a.Name)
		}
		if u.Removed {
			continue
		}
		if !stands {
			if why := state.taken(*u, u.Name); why != "" {
				p.refuse(*u, u.problem(why, "rename or remove what has its place on this host"))
				continue
			}
			p.make(*u)
			a = Account{Name: u.Name, Access: Open}
		}
		p.open(*u, a)
		p.groups(u, a)
		p.follow(*u, a)
	}
	sudoers = common(union(sudoers, nil), state.Sudoers)
	if !slices.Equal(sudoers, state.Sudoers) {
		p.Before = slices.Insert(p.Before, 0, Step{Kind: Sudoers, Members: sudoers})
	}
}

// accountOf finds a user's account: the one with its uid, if it also has its
// name or its mark.
func (p *Plan) accountOf(u User, s State) (Account, bool) {
	a, ok := s.byUID(u.UID)
	id, marked := a.owner()
	ours := a.Name == u.Name || a.Name == p.target[u.UserID] || marked && id == u.UserID
	return a, ok && ours
}

func (p *Plan) step(s Step) { p.Before = append(p.Before, s) }

func (p *Plan) make(u User) {
	if _, ok := p.in.State.groupOf(u.UID); !ok {
		p.step(Step{Kind: AddGroup, Name: u.Name, UID: u.UID})
	}
	p.step(Step{Kind: AddUser, Name: u.Name, UID: u.UID, Comment: Comment(u.UserID)})
}

// open undoes a lock of ours, and finishes what is half made. Another lock is
// the administrator's.
func (p *Plan) open(u User, a Account) {
	switch {
	case a.Access == Locked || a.Access == Barred && p.removed[u.UserID]:
		p.step(Step{Kind: Restore, Name: a.Name, UID: u.UID})
	case a.Access == Barred:
		p.problem(u, "account "+a.Name+" is locked, expired or without a shell, and not by Postern: it stays so", "")
	}
	if a.Homeless { // useradd writes the account first, and was killed before its home
		p.step(Step{Kind: MakeHome, Name: a.Name, UID: u.UID})
	}
}

// groups puts the user into the local groups, and out of those that the
// policy gave before and does not any more.
func (p *Plan) groups(u *User, a Account) {
	var wanted []string
	for _, g := range union(p.in.Policy.LocalGroups, nil) {
		if _, ok := p.in.State.Groups[g]; !ok {
			p.problem(*u, "there is no group "+g+" to put it into", "groupadd "+g)
			continue
		}
		wanted = append(wanted, g)
	}
	others := without(a.Groups, u.LocalGroups)
	u.LocalGroups = without(wanted, others)
	if target := union(others, wanted); !slices.Equal(target, union(a.Groups, nil)) {
		p.step(Step{Kind: SetGroups, Name: a.Name, UID: u.UID, Members: target})
	}
}

// follow renames, last: the steps before name the account as it was.
func (p *Plan) follow(u User, a Account) {
	name := a.Name
	if to, ok := p.target[u.UserID]; ok && a.Name != to {
		p.step(Step{Kind: RenameUser, Name: a.Name, UID: u.UID, To: to})
		name = to
	}
	if g, ok := p.in.State.groupOf(u.UID); ok && g != name {
		p.step(Step{Kind: RenameGroup, Name: g, UID: u.UID, To: name})
	}
}

// Settle returns the snapshot for the accounts that really stand after the
// steps Before, and the steps that follow it. Keys are only for those.
func (p *Plan) Settle(state State) (*Snapshot, []Step) {
	next := &Snapshot{Version: Version, MaxStale: p.in.Policy.MaxStale, Login: p.in.Policy.Login}
	if p.in.Previous != nil {
		next.FetchedAt, next.CompleteAt = p.in.Previous.FetchedAt, p.in.Previous.CompleteAt
	}
	if a := p.in.Answer; a.Complete {
		next.FetchedAt, next.CompleteAt = a.At, a.At
	} else if len(a.Members) > 0 {
		next.FetchedAt = a.At
	}
	var sudoers []string
	var after []Step
	for _, u := range p.users {
		a, stands := p.accountOf(u, state)
		if !stands {
			if _, known := p.removed[u.UserID]; !known || u.Removed {
				continue
			}
			u.Keys, u.Sudo = nil, false
		} else {
			u.Name = a.Name
			if p.removed[u.UserID] && a.Access != Open {
				u.Removed, u.Keys, u.Sudo = true, nil, false // it could not be restored
			}
			after = append(after, end(u, a)...)
		}
		if u.Sudo {
			sudoers = append(sudoers, u.Name)
		}
		if !u.CheckedAt.Before(next.FetchedAt) {
			u.CheckedAt = time.Time{}
		}
		next.Users = append(next.Users, u)
	}
	slices.SortFunc(next.Users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(sudoers)
	if !slices.Equal(sudoers, state.Sudoers) {
		after = slices.Insert(after, 0, Step{Kind: Sudoers, Members: sudoers})
	}
	return next, after
}

// end is how a removed user goes, as far as it is not gone: first no way in,
// then no session, then no process. Home and uid stay.
func end(u User, a Account) []Step {
	if !u.Removed || a.Access == Locked && !a.Processes {
		return nil
	}
	var steps []Step
	kinds := []Kind{Lock, EndSessions, Terminate, Kill}
	if a.Access == Locked {
		kinds = kinds[1:]
	}
	for _, k := range kinds {
		steps = append(steps, Step{Kind: k, Name: a.Name, UID: a.UID})
	}
	return steps
}

// union returns the sorted elements of both, each once; nil for none.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// common returns the elements of a that are in b.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}
