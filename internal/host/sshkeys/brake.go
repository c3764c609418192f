package sshkeys

import (
	"fmt"
	"slices"
	"time"
)

// Brake bounds how many users answers of IAM may take something from within
// Window: up to Count, or Percent of all, whichever is more. A round that would
// go beyond takes nothing from anybody. IAM can be wrong and complete: a group
// emptied by a script, another account's role, no keys for anybody.
type Brake struct {
	Count, Percent int
	Window         time.Duration
	// Confirmed is how many users somebody has agreed to in this round, who has
	// seen the number; 0: nobody has. An answer that names nobody takes nothing
	// all the same.
	Confirmed int
}

// DefaultBrake lets a small team lose two in a day, a large one 30 %.
func DefaultBrake() Brake { return Brake{Count: 2, Percent: 30, Window: 24 * time.Hour} }

func (b Brake) allows(losers, users int) bool {
	return losers <= b.Count || losers*100 <= b.Percent*users
}

// Loss is what an answer takes from a user.
type Loss string

// The losses that are braked.
const (
	LosesAccount Loss = "account"
	LosesSudo    Loss = "sudo"
	LosesKeys    Loss = "keys" // the last one
)

// losses compares a user with how it was before the answer.
func losses(was, is User) []Loss {
	var out []Loss
	if !is.Removed && is.Missing >= removeAfter {
		out = append(out, LosesAccount)
	}
	if was.Sudo && !is.Sudo {
		out = append(out, LosesSudo)
	}
	if len(was.Keys) > 0 && len(is.Keys) == 0 {
		out = append(out, LosesKeys)
	}
	return out
}

// brake lets the losses of this round happen, or holds all of them back until
// there is room, IAM takes them back or somebody confirms their number. before
// are the users as they were, in the order of those of the plan.
func (p *Plan) brake(before []User) {
	due := map[int][]Loss{} // by place in users
	spent, users := 0, 0
	for i, was := range before {
		lost := p.due(i, was)
		if len(lost) > 0 {
			due[i] = lost
		}
		recent := p.recent(was.LostAt)
		if len(lost) > 0 || recent {
			spent++
		}
		// Users of today do not count: a wrong answer that names many others
		// must not make room.
		if !p.recent(was.AddedAt) && (!was.Removed || recent) {
			users++
		}
	}
	b := p.in.Policy.Brake
	confirmed := len(due) <= b.Confirmed
	if !confirmed && !b.allows(spent, users) {
		p.hold(before, due)
		p.Problems = append(p.Problems, &Braked{Due: len(due), Earlier: spent - len(due), Users: users, Brake: b})
		return
	}
	for i, lost := range due {
		p.lose(&p.users[i], lost, confirmed)
	}
}

// due is what a user would lose. That the account goes is held back for as long
// as answers say nothing about who has left.
func (p *Plan) due(i int, was User) []Loss {
	u := &p.users[i]
	lost := losses(was, *u)
	if !p.usable() && len(lost) > 0 && lost[0] == LosesAccount {
		u.Held, lost = []Loss{LosesAccount}, lost[1:]
	}
	return lost
}

// recent says whether a time is within the window. One in the future, from a
// clock that has gone back, is: begin has made it now.
func (p *Plan) recent(t time.Time) bool {
	return !t.IsZero() && p.in.Answer.At.Sub(t) < p.in.Policy.Brake.Window
}

// usable says whether an answer can show that a user has left. One without
// anybody cannot: a group emptied by mistake is more likely than a team that
// has left as a whole.
func (p *Plan) usable() bool { return p.in.Answer.Complete && len(p.in.Answer.Members) > 0 }

// hold gives back what the answer has taken. The keys keep their age, so that
// they end by themselves if IAM goes on denying them.
func (p *Plan) hold(before []User, due map[int][]Loss) {
	for i, lost := range due {
		u, was := &p.users[i], before[i]
		u.Held = append(u.Held, lost...)
		if slices.Contains(lost, LosesSudo) {
			u.Sudo = true
		}
		if slices.Contains(lost, LosesKeys) {
			u.Keys, u.CheckedAt = was.Keys, was.CheckedAt
		}
	}
}

// lose takes from a user what is due. What was confirmed leaves room for
// others.
func (p *Plan) lose(u *User, lost []Loss, confirmed bool) {
	if slices.Contains(lost, LosesAccount) {
		u.Removed, u.Keys, u.Sudo, u.Groups = true, nil, false, nil
	}
	if !confirmed {
		u.LostAt = p.in.Answer.At
	}
}

// Braked is the problem of a round in which losses were held back.
type Braked struct {
	Due     int // users who would have lost something
	Earlier int // others who did within the window
	Users   int // whose part those are
	Brake   Brake
}

// Error says how many that are.
func (b *Braked) Error() string {
	what := fmt.Sprintf("%d of %d users would lose their account, sudo or last key", b.Due, b.Users)
	if b.Earlier > 0 {
		what += fmt.Sprintf(", and %d others did in the last %v hours", b.Earlier, b.Brake.Window.Hours())
	}
	return what + fmt.Sprintf(": more than %d and more than %d %%, so all of that is held back", b.Brake.Count, b.Brake.Percent)
}
