package sshkeys_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

// team is a world of users who are all in both groups, and in the snapshot.
func team(t *testing.T, n int) (*world, []*sshkeystest.User) {
	var users []*sshkeystest.User
	for i := range n {
		users = append(users, anIAMUser(i, fmt.Sprintf("user%02d", i), "engineers", "ops"))
	}
	w := newWorld(t, users...)
	w.clean()
	return w, users
}

func leave(users ...*sshkeystest.User) {
	for _, u := range users {
		u.Groups = nil
	}
}

func loseSudo(users ...*sshkeystest.User) {
	for _, u := range users {
		u.Groups = []string{"engineers"}
	}
}

func loseKeys(users ...*sshkeystest.User) {
	for _, u := range users {
		u.Keys = nil
	}
}

// held are the accounts from which something is held back, with what.
func (w *world) held() []string {
	w.Helper()
	s, err := sshkeys.Read(w.sync.Path)
	if err != nil {
		w.Fatal(err)
	}
	var found []string
	for _, u := range s.Users {
		if len(u.Held) > 0 {
			found = append(found, fmt.Sprint(u.Name, u.Held))
		}
	}
	return found
}

func TestBrake(t *testing.T) {
	for _, test := range []struct {
		name     string
		users    int
		happens  func(w *world, users []*sshkeystest.User)
		want     []string // held back after three more rounds
		problems string
	}{
		{name: "two of three leave", users: 3, happens: func(_ *world, u []*sshkeystest.User) { leave(u[:2]...) }},
		{
			name: "three of four leave", users: 4, happens: func(_ *world, u []*sshkeystest.User) { leave(u[:3]...) },
			want:     []string{"user00[account]", "user01[account]", "user02[account]"},
			problems: "3 of 4 users would lose their account, sudo or last key: more than 2 and more than 30 %, so all of that is held back",
		},
		{name: "30 %", users: 10, happens: func(_ *world, u []*sshkeystest.User) { leave(u[0]); loseSudo(u[1]); loseKeys(u[2]) }},
		{name: "who loses twice counts once", users: 4, happens: func(_ *world, u []*sshkeystest.User) { loseSudo(u[:2]...); loseKeys(u[:2]...) }},
		{
			name: "more than 30 %", users: 10, happens: func(_ *world, u []*sshkeystest.User) {
				leave(u[0])
				loseSudo(u[1])
				loseKeys(u[2:4]...)
				loseSudo(u[3])
			},
			want:     []string{"user00[account]"}, // the others' losses are not due a second time, as that of an account is
			problems: "1 of 10 users would lose their account, sudo or last key, and 3 others did in the last 24 hours: more than 2",
		},
		{name: "a complete answer without any key", users: 4, happens: func(_ *world, u []*sshkeystest.User) { loseKeys(u...) }, want: []string{"user00[keys]", "user01[keys]", "user02[keys]", "user03[keys]"}, problems: "4 of 4"},
		{name: "a complete answer without operators", users: 4, happens: func(_ *world, u []*sshkeystest.User) { loseSudo(u...) }, want: []string{"user00[sudo]", "user01[sudo]", "user02[sudo]", "user03[sudo]"}, problems: "4 of 4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, users := team(t, test.users)
			test.happens(w, users)
			var said string
			for range 3 {
				said = w.said()
			}
			if d := cmp.Diff(test.want, w.held()); d != "" || !strings.Contains(said, test.problems) || test.problems == "" && said != "" {
				t.Errorf("%s\n-want +got:\n%s", said, d)
			}
		})
	}
}

// TestBrakeOverADay has somebody leave with each round: within a day, no more
// go than the brake allows, and who is held back goes when there is room.
func TestBrakeOverADay(t *testing.T) {
	w, users := team(t, 10)
	for _, u := range users[:9] {
		leave(u)
		w.said()
	}
	w.said()
	removed := func() []string {
		var gone []string
		for _, u := range users {
			if w.host.Accounts[u.Name].Access == sshkeys.Locked {
				gone = append(gone, u.Name)
			}
		}
		return gone
	}
	if d := cmp.Diff([]string{"user00", "user01", "user02"}, removed()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, u := range users[5:] {
		u.Groups = []string{"engineers", "ops"}
	}
	w.said()
	if d := cmp.Diff([]string{"user03[account]", "user04[account]"}, w.held()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.clean()
	if d := cmp.Diff([]string{"user00", "user01", "user02", "user03", "user04"}, removed()); d != "" || w.held() != nil {
		t.Errorf("held %v, -want +got:\n%s", w.held(), d)
	}
}

// TestBrakeConfirmed needs the number that was shown, or more, in one round,
// and what is confirmed takes no room from others.
func TestBrakeConfirmed(t *testing.T) {
	w, users := team(t, 10)
	leave(users[:6]...)
	w.clean()
	w.said()
	w.sync.Policy.Brake.Confirmed = 5
	if got := w.said(); !strings.Contains(got, "6 of 10") {
		t.Errorf("got %q", got)
	}
	w.sync.Policy.Brake.Confirmed = 6
	if _, removed := w.clean().Snapshot.Count(); removed != 6 || w.held() != nil {
		t.Errorf("%d removed, held %v", removed, w.held())
	}
	w.sync.Policy.Brake.Confirmed = 0
	loseSudo(users[6:8]...)
	w.clean()
	w.wantSteps("sudoers   user08,user09")
}

// TestEmptyAnswer removes nobody, whatever was confirmed; the keys end by
// themselves.
func TestEmptyAnswer(t *testing.T) {
	w, users := team(t, 2)
	last := w.now
	leave(users...)
	w.sync.Policy.Brake.Confirmed = 100
	for w.now.Before(last.Add(24*time.Hour - 20*time.Minute)) {
		if got := w.said(); got != "IAM says that the groups have no members: nobody is removed for that" {
			t.Fatalf("got %q", got)
		}
		w.wantSteps()
		if len(w.keys("user00")) != 1 {
			t.Fatalf("no keys %v after IAM has confirmed them", w.now.Sub(last))
		}
	}
	w.now = last.Add(24 * time.Hour)
	w.said()
	if w.keys("user00") != nil {
		t.Error("keys that IAM has not confirmed for a day are good")
	}
}

// TestHeldKeysEnd: what is held back gains time to look, not more.
func TestHeldKeysEnd(t *testing.T) {
	w, users := team(t, 4)
	last := w.now
	loseKeys(users...)
	w.now = last.Add(23 * time.Hour)
	w.said()
	if len(w.keys("user00")) != 1 {
		t.Error("a complete answer without any key took them all")
	}
	w.now = last.Add(24 * time.Hour)
	w.said()
	if w.keys("user00") != nil {
		t.Error("held keys have no end")
	}
	for i, u := range users {
		u.Keys = map[string]string{"APKAnew": keyLine(i)}
	}
	w.clean()
	if w.held() != nil || len(w.keys("user00")) != 1 {
		t.Errorf("held %v, keys %v", w.held(), w.keys("user00"))
	}
}

// TestStrangersMakeNoRoom answers with the users of another account.
func TestStrangersMakeNoRoom(t *testing.T) {
	w, users := team(t, 5)
	for i := range 40 {
		w.iam.Users = append(w.iam.Users, anIAMUser(100+i, fmt.Sprintf("stranger%02d", i), "engineers"))
	}
	leave(users...)
	for range 20 {
		w.round() //nolint:errcheck // what comes of it is looked at
	}
	for _, u := range users {
		if w.host.Accounts[u.Name].Access != sshkeys.Open || len(w.keys(u.Name)) != 1 {
			t.Errorf("%s is gone", u.Name)
		}
	}
}

// TestBrakeAndClock: a clock that goes back neither frees the brake nor blocks
// it for years.
func TestBrakeAndClock(t *testing.T) {
	w, users := team(t, 5)
	loseSudo(users[:2]...)
	w.clean()
	w.now = w.now.Add(-20 * 365 * 24 * time.Hour)
	loseSudo(users[2])
	if got := w.said(); !strings.Contains(got, "1 of 5") || !strings.Contains(got, "2 others did") {
		t.Errorf("got %q", got)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.clean()
	w.wantSteps("sudoers   user03,user04")
}

// TestGapKeepsHeld: a user who is missing for good stays as long as IAM answers
// with gaps, even when there is room again.
func TestGapKeepsHeld(t *testing.T) {
	w, users := team(t, 10)
	leave(users[:4]...)
	w.clean()
	w.said()
	w.sync.Policy.Brake.Confirmed = 4
	w.iam.Fail = func(op, arg string) error {
		if op == "GetGroup" && arg == "ops" {
			return errors.New("throttled")
		}
		return nil
	}
	if _, err := w.round(); err == nil {
		t.Error("a gap is no error")
	}
	w.wantSteps()
	if len(w.held()) != 4 {
		t.Errorf("held %v", w.held())
	}
	w.iam.Fail = nil
	if _, removed := w.clean().Snapshot.Count(); removed != 4 {
		t.Errorf("%d removed", removed)
	}
}

// TestHeldBackIsTold once, in the audit trail.
func TestHeldBackIsTold(t *testing.T) {
	w, users := team(t, 4)
	loseSudo(users[:3]...)
	told := func() []string {
		w.said()
		var lines []string
		for _, e := range w.events {
			if e.Kind == sshkeys.HeldBack {
				lines = append(lines, e.Account+" "+e.Detail)
			}
		}
		return lines
	}
	if d := cmp.Diff([]string{"user00 sudo", "user01 sudo", "user02 sudo"}, told()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if again := told(); again != nil {
		t.Errorf("told again: %v", again)
	}
}

// TestSudoWithoutSnapshot: who has sudo is not forgotten with the snapshot.
func TestSudoWithoutSnapshot(t *testing.T) {
	w, users := team(t, 4)
	w.sync.Path += "-lost"
	loseSudo(users...)
	if got := w.said(); !strings.Contains(got, "4 of 4") {
		t.Errorf("got %q", got)
	}
	if d := cmp.Diff([]string{"user00", "user01", "user02", "user03"}, slices.Sorted(slices.Values(w.host.Sudoers))); d != "" {
		t.Errorf("sudoers: -want +got:\n%s", d)
	}
}
