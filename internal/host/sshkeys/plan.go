package sshkeys

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

// Policy is what the administrator of a host has decided.
type Policy struct {
	Names       Names
	LocalGroups []string // OS groups that every user is put into
	MaxStale    time.Duration
	Login       LoginOptions
	Brake       Brake
}

// removeAfter is in how many complete answers in a row a user must be missing.
const removeAfter = 2

// Input is all that a plan is made of.
type Input struct {
	Previous *Snapshot // nil: none
	Answer   Answer
	State    State
	Policy   Policy
}

// Plan is what to do about an answer, in three parts: the steps Before, then
// the snapshot and the steps that Settle returns. So nobody's keys are good
// before the account stands, and nobody is locked whose keys still are.
type Plan struct {
	Before   []Step
	Problems fault.List // what was refused or put off

	in      Input
	users   []User            // as they should be; names as they are
	index   map[string]int    // UserID to the place in users, until these are sorted
	removed map[string]bool   // UserIDs that were removed before
	target  map[string]string // UserID to the name that the account should have
}

// Make plans. Whatever order the answer comes in, the plan is the same.
func Make(in Input) *Plan {
	p := &Plan{in: in, index: map[string]int{}, removed: map[string]bool{}, target: map[string]string{}}
	before := p.begin()
	fresh := p.answered()
	p.missing()
	p.brake(before)
	p.add(fresh)
	p.rename()
	slices.SortFunc(p.users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	p.before()
	return p
}

func (p *Plan) problem(u User, what, hint string) {
	p.Problems = append(p.Problems, u.problem(what, hint))
}

func (u User) problem(what, hint string) error {
	return &fault.Error{Where: fmt.Sprintf("IAM user %q (%s)", u.IAMUser, u.UserID), What: what, Hint: hint}
}

// Refusal is the problem of an IAM user who is in the groups and gets no account.
type Refusal struct {
	IAMUser, UserID string
	Why             error
}

// Error names the user and says why.
func (r *Refusal) Error() string { return r.Why.Error() }

// Unwrap gives the error with its hint.
func (r *Refusal) Unwrap() error { return r.Why }

func (p *Plan) refuse(u User, why error) {
	p.Problems = append(p.Problems, &Refusal{u.IAMUser, u.UserID, why})
}

// begin takes the users of the previous snapshot, and those whose accounts
// prove to be Postern's though no snapshot has them: it was lost, or the
// process ended between making an account and writing it down. It returns them
// as they are before the answer.
func (p *Plan) begin() []User {
	if p.in.Previous != nil {
		for _, u := range p.in.Previous.Users {
			u.CheckedAt, u.Held = p.in.Previous.checked(u), nil
			u.AddedAt, u.LostAt = p.past(u.AddedAt), p.past(u.LostAt)
			p.put(u)
		}
	}
	for _, a := range p.in.State.Accounts {
		id, ok := a.owner()
		if !ok {
			continue
		}
		if u := p.find(id); u != nil {
			u.Name = a.Name // it was renamed
			continue
		}
		p.put(User{
			UserID: id, Name: a.Name, UID: a.UID, Removed: a.Access == Locked, Sudo: slices.Contains(p.in.State.Sudoers, a.Name),
		})
	}
	for _, u := range p.users {
		p.removed[u.UserID] = u.Removed
	}
	return slices.Clone(p.users)
}

// past is a time, or now if a clock that has gone back since makes it one to
// come.
func (p *Plan) past(t time.Time) time.Time {
	if t.After(p.in.Answer.At) {
		return p.in.Answer.At
	}
	return t
}

func (p *Plan) put(u User) {
	p.index[u.UserID] = len(p.users)
	p.users = append(p.users, u)
}

func (p *Plan) find(userID string) *User {
	if i, ok := p.index[userID]; ok {
		return &p.users[i]
	}
	return nil
}

// answered updates the users whom the answer confirms and returns those whom
// it names for the first time.
func (p *Plan) answered() (fresh []User) {
	var added time.Time
	if len(p.users) > 0 {
		added = p.in.Answer.At
	}
	members := slices.SortedFunc(slices.Values(p.in.Answer.Members), func(a, b Member) int { return strings.Compare(a.UserID, b.UserID) })
	members = slices.CompactFunc(members, func(a, b Member) bool { return a.UserID == b.UserID })
	for _, m := range members {
		if u := p.find(m.UserID); u != nil {
			*u = p.confirm(*u, m)
			continue
		}
		fresh = append(fresh, p.confirm(User{UserID: m.UserID, UID: UID(m.UserID), AddedAt: added}, m))
	}
	return fresh
}

// confirm takes over what IAM says of a user. Only a complete answer takes
// rights away: in another one the group that gives them may be missing.
func (p *Plan) confirm(u User, m Member) User {
	old := u
	u.IAMUser, u.Missing, u.Removed = m.IAMUser, 0, false
	u.Groups, u.Sudo = union(m.Groups, nil), m.Sudo
	if !p.in.Answer.Complete {
		u.Groups, u.Sudo = union(m.Groups, old.Groups), m.Sudo || old.Sudo
	}
	if m.KeysRead {
		u.CheckedAt = p.in.Answer.At
		u.Keys = slices.SortedFunc(slices.Values(m.Keys), func(a, b Key) int { return strings.Compare(a.ID, b.ID) })
	}
	return u
}

// missing counts in how many complete answers in a row users were not.
func (p *Plan) missing() {
	if p.in.Answer.Complete && !p.usable() {
		p.Problems = append(p.Problems, &fault.Error{
			What: "IAM says that the groups have no members: nobody is removed for that",
			Hint: fmt.Sprintf("keys end by themselves, %v after IAM last confirmed them; accounts end once the groups have a member again", p.in.Policy.MaxStale),
		})
	}
	if !p.usable() {
		return
	}
	seen := map[string]bool{}
	for _, m := range p.in.Answer.Members {
		seen[m.UserID] = true
	}
	for i := range p.users {
		if u := &p.users[i]; !seen[u.UserID] {
			u.Missing = min(u.Missing+1, removeAfter)
		}
	}
}
