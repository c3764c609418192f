package sshkeys_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

// brakeModel gives a team any answers at all, and looks at what becomes of the
// host: who is locked, who is in sudoers, who has keys.
type brakeModel struct {
	*world
	team  []*sshkeystest.User
	added map[string]time.Time // by account; the team's are not in it
	lost  map[string]time.Time // by account: when it last lost something
}

// rights are what an account has on the host.
type rights struct{ open, sudo, keys bool }

func (m *brakeModel) rights() map[string]rights {
	s, err := sshkeys.Read(m.sync.Path)
	if err != nil {
		m.Fatal(err)
	}
	all := map[string]rights{}
	for _, u := range s.Users {
		all[u.Name] = rights{m.host.Accounts[u.Name].Access == sshkeys.Open, slices.Contains(m.host.Sudoers, u.Name), len(u.Keys) > 0}
	}
	return all
}

// answer makes IAM answer something for a round.
func (m *brakeModel) answer(t *rapid.T) {
	groups := rapid.SampledFrom([][]string{nil, nil, {"engineers"}, {"engineers", "ops"}})
	for _, u := range m.team {
		if rapid.IntRange(0, 3).Draw(t, "changes") == 0 {
			u.Groups = groups.Draw(t, "groups")
			u.Keys = map[string]string{}
			for k := range rapid.IntRange(0, 2).Draw(t, "keys") {
				u.Keys[fmt.Sprint(k)] = keyLine(k)
			}
		}
	}
	kind := rapid.SampledFrom([]string{"complete", "complete", "complete", "partial", "empty", "no keys", "no sudo", "strangers"}).Draw(t, "answer")
	m.iam.Answer = func(group string, all []sshkeys.Member) ([]sshkeys.Member, error) {
		all = rapid.Permutation(all).Draw(t, "order")
		switch {
		case kind == "empty", kind == "no sudo" && group == "ops":
			return nil, nil
		case kind == "partial":
			return all[:rapid.IntRange(0, len(all)).Draw(t, "read")], errors.New("cut off")
		case kind == "strangers":
			for i := range 20 {
				all = append(all, sshkeys.Member{IAMUser: fmt.Sprintf("stranger%02d", i), UserID: userID(1000 + i)})
			}
		}
		return all, nil
	}
	m.iam.Fail = func(op, _ string) error {
		if op == "ListSSHPublicKeys" && kind == "partial" && rapid.Bool().Draw(t, "throttled") {
			return errors.New("throttled")
		}
		return nil
	}
	if kind == "no keys" {
		loseKeys(m.team...)
	}
}

// step is a round, between minutes and hours after the one before.
func (m *brakeModel) step(t *rapid.T) {
	m.answer(t)
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
	before := m.rights()
	if r, err := m.round(); r == nil {
		t.Fatal(err)
	}
	after := m.rights()
	for name, is := range after {
		was, known := before[name]
		if !known {
			m.added[name] = m.now
		}
		if was.open && !is.open || was.sudo && !is.sudo || was.keys && !is.keys {
			m.lost[name] = m.now
		}
	}
	m.check(t, before)
}

// check counts who lost something within a day, and whom there was to lose it:
// all who were there a day ago.
func (m *brakeModel) check(t *rapid.T, before map[string]rights) {
	today := func(at time.Time, ok bool) bool { return ok && m.now.Sub(at) < 24*time.Hour }
	var losers []string
	there := 0
	for name, was := range before {
		at, ok := m.lost[name]
		lost := today(at, ok)
		if lost {
			losers = append(losers, name)
		}
		at, ok = m.added[name]
		if (was.open || lost) && !today(at, ok) {
			there++
		}
	}
	if len(losers) > 2 && len(losers)*100 > 30*there {
		slices.Sort(losers)
		t.Fatalf("%d of %d lost something within a day: %v", len(losers), there, losers)
	}
}

// TestBrakeModel holds that no sequence of answers, whatever is in them, takes
// something from more users in a day than the brake allows.
func TestBrakeModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, users := team(t, rapid.IntRange(1, 15).Draw(rt, "users"))
		m := &brakeModel{world: w, team: users, added: map[string]time.Time{}, lost: map[string]time.Time{}}
		for range rapid.IntRange(1, 20).Draw(rt, "rounds") {
			m.step(rt)
		}
	})
}
