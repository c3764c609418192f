package sshkeys_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// said are the problems of a round, without their hints.
func (w *world) said() string {
	w.Helper()
	r, err := w.round()
	if err != nil {
		w.Fatal(err)
	}
	return r.Problems.Error()
}

func (w *world) edit(name string, change func(*sshkeys.Account)) {
	a := w.host.Accounts[name]
	change(&a)
	w.host.Accounts[name] = a
}

// TestLocalGroups: what the policy gave and gives no more is taken back, what
// the administrator gave stays.
func TestLocalGroups(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers"))
	w.sync.Policy.LocalGroups = []string{"docker"}
	w.clean()
	w.edit("alice", func(a *sshkeys.Account) { a.Groups = append(a.Groups, "www-data") })
	w.clean()
	w.wantSteps()
	w.sync.Policy.LocalGroups = []string{"sudo", "www-data"}
	w.clean()
	w.wantSteps("set-groups alice  sudo,www-data")
	w.sync.Policy.LocalGroups = nil
	w.clean()
	w.wantSteps("set-groups alice  www-data")
	w.sync.Policy.LocalGroups = []string{"missing"}
	if got := w.said(); !strings.Contains(got, "no group missing") {
		t.Errorf("got %q", got)
	}
	w.wantSteps()
}

// TestAdministratorsLock: an account that somebody has locked by hand stays so.
func TestAdministratorsLock(t *testing.T) {
	alice := anIAMUser(1, "alice", "engineers")
	w := newWorld(t, alice)
	w.clean()
	w.edit("alice", func(a *sshkeys.Account) { a.Access = sshkeys.Barred })
	if got := w.said(); !strings.Contains(got, "not by Postern") {
		t.Errorf("got %q", got)
	}
	w.wantSteps()

	// Once it has left and is locked by Postern, a return opens it, even if
	// the first try fails half-way.
	w.edit("alice", func(a *sshkeys.Account) { a.Access = sshkeys.Open })
	w.iam.Users = append(w.iam.Users, anIAMUser(2, "bob", "engineers")) // an answer without anybody removes nobody
	w.clean()
	alice.Groups = nil
	w.clean()
	w.clean()
	w.wantSteps("lock alice", "end-sessions alice", "terminate alice", "kill alice")
	alice.Groups = []string{"engineers"}
	w.host.Fail = func(s sshkeys.Step) error {
		if s.Kind != sshkeys.Restore {
			return nil
		}
		w.edit("alice", func(a *sshkeys.Account) { a.Access = sshkeys.Barred })
		return errors.New("killed")
	}
	if got := w.said(); !strings.Contains(got, "restore") || w.keys("alice") != nil {
		t.Errorf("got %q, keys %v", got, w.keys("alice"))
	}
	w.host.Fail = nil
	w.edit("alice", func(a *sshkeys.Account) { a.Access = sshkeys.Barred }) // as if killed there
	w.clean()
	w.wantSteps("restore alice")
	if a := w.host.Accounts["alice"]; a.Access != sshkeys.Open || len(w.keys("alice")) != 1 {
		t.Errorf("account %+v, keys %v", a, w.keys("alice"))
	}
}

// TestDeletedByHand makes an account anew, with its uid, unless its name is
// somebody else's now: those never get the keys.
func TestDeletedByHand(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers", "ops"), anIAMUser(2, "bob", "ops"))
	w.clean()
	delete(w.host.Accounts, "alice")
	w.clean()
	w.wantSteps("sudoers   bob", "add-user alice", "sudoers   alice,bob")

	w.host.Accounts["alice"] = sshkeys.Account{Name: "alice", UID: 1001, GID: 1001, Access: sshkeys.Open}
	for range 2 {
		if got := w.said(); !strings.Contains(got, "account alice is there with uid 1001") {
			t.Errorf("got %q", got)
		}
		if w.keys("alice") != nil {
			t.Error("another account of the name has the keys")
		}
	}
	if d := cmp.Diff([]string{"bob"}, w.host.Sudoers); d != "" {
		t.Errorf("sudoers: -want +got:\n%s", d)
	}

	// A newcomer whose name an established user has is refused even while that
	// one has no account.
	delete(w.host.Accounts, "alice")
	w.host.Fail = func(s sshkeys.Step) error {
		if s.Kind == sshkeys.AddUser {
			return errors.New("no space left")
		}
		return nil
	}
	w.iam.Users = append(w.iam.Users, anIAMUser(3, "Alice", "ops"))
	if got := w.said(); !strings.Contains(got, "the account alice is that of IAM user") {
		t.Errorf("got %q", got)
	}
	w.host.Fail = nil
	w.round() //nolint:errcheck // what comes of it is looked at
	if a := w.host.Accounts["alice"]; a.UID != sshkeys.UID(userID(1)) {
		t.Errorf("account %+v", a)
	}
}

// TestFailedUser: with one user's account in trouble, the others' are made, and
// of the one nothing more is tried and nothing kept.
func TestFailedUser(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers"), anIAMUser(2, "bob", "engineers"))
	w.sync.Policy.LocalGroups = []string{"docker"}
	w.host.Fail = func(s sshkeys.Step) error {
		if s.Name == "alice" && s.Kind == sshkeys.AddUser {
			return errors.New("no space left")
		}
		return nil
	}
	if got := w.said(); got != "account alice: add-user: no space left" {
		t.Errorf("got %q", got)
	}
	w.wantSteps("add-group alice", "add-group bob", "add-user bob", "set-groups bob  docker")
	s, err := sshkeys.Read(w.sync.Path)
	if _, ok := s.Find("alice"); err != nil || ok {
		t.Errorf("error %v, alice in the snapshot: %v", err, ok)
	}
	w.host.Fail = nil
	w.clean()
	w.wantSteps("add-user alice", "set-groups alice  docker")
}

// TestRenames follows renames where it can, and says where it cannot.
func TestRenames(t *testing.T) {
	alice, bob := anIAMUser(1, "alice", "engineers"), anIAMUser(2, "bob", "engineers")
	w := newWorld(t, alice, bob)
	w.clean()
	alice.Name, bob.Name = "bob", "alice"
	if got := w.said(); strings.Count(got, "keeps the account") != 2 || len(w.keys("alice")) != 1 {
		t.Errorf("got %q", got)
	}
	alice.Name, bob.Name = "carol", "carol"
	if got := w.said(); strings.Count(got, "keeps the account") != 2 {
		t.Errorf("got %q", got)
	}
	w.wantSteps()
	// Nor is a name free whose user has lost the account.
	alice.Name, bob.Name = "bob", "bob_q"
	delete(w.host.Accounts, "bob")
	delete(w.host.Groups, "bob")
	w.host.Fail = func(s sshkeys.Step) error { return errors.New(string(s.Kind)) }
	if got := w.said(); !strings.Contains(got, "keeps the account alice") {
		t.Errorf("got %q", got)
	}
	w.host.Fail = nil
	alice.Name, bob.Name = "carol", "bob"
	running(w.host, "alice")
	if got := w.said(); !strings.Contains(got, "account alice: rename-user") || len(w.keys("alice")) != 1 || w.keys("carol") != nil {
		t.Errorf("got %q, keys %v", got, w.keys("alice"))
	}
	w.edit("alice", func(a *sshkeys.Account) { a.Processes = false })
	w.clean()
	w.wantSteps("rename-user alice carol", "rename-group alice carol")

	// An administrator's name for it is found by the mark, and put right.
	if err := w.host.Do(t.Context(), sshkeys.Step{Kind: sshkeys.RenameUser, Name: "carol", UID: sshkeys.UID(alice.ID), To: "caz"}); err != nil {
		t.Fatal(err)
	}
	w.clean()
	w.wantSteps("rename-user caz carol")
	alice.Name = "root"
	if got := w.said(); !strings.Contains(got, "reserved") || len(w.keys("carol")) != 1 {
		t.Errorf("got %q", got)
	}
}

// TestSnapshotLost finds its accounts by their marks, whatever users have added
// to these, and still removes only after two answers.
func TestSnapshotLost(t *testing.T) {
	alice, bob := anIAMUser(1, "alice", "engineers"), anIAMUser(2, "bob", "ops")
	w := newWorld(t, alice, bob, anIAMUser(3, "carol", "engineers"))
	w.clean()
	w.edit("alice", func(a *sshkeys.Account) { a.Comment += ",Room 7,555-0100" })
	w.host.Accounts["mallory"] = sshkeys.Account{Name: "mallory", UID: 1001, Comment: sshkeys.Comment(userID(99)), Access: sshkeys.Open}
	w.sync.Path += "-lost"
	alice.Groups = nil
	w.clean()
	w.wantSteps()
	if len(w.keys("bob")) != 1 || w.keys("alice") != nil {
		t.Errorf("keys of bob %v, of alice %v", w.keys("bob"), w.keys("alice"))
	}
	w.clean()
	w.wantSteps("lock alice", "end-sessions alice", "terminate alice", "kill alice")
}

// TestRightsInAGap: a group that could not be read takes nothing from anybody.
func TestRightsInAGap(t *testing.T) {
	alice := anIAMUser(1, "alice", "engineers", "ops")
	w := newWorld(t, alice)
	w.clean()
	w.iam.Fail = func(_, arg string) error {
		if arg == "ops" {
			return errors.New("throttled")
		}
		return nil
	}
	if _, err := w.round(); err == nil {
		t.Error("a gap is no error")
	}
	w.wantSteps()
	w.iam.Fail = nil
	alice.Groups = []string{"engineers"}
	w.clean()
	w.wantSteps("sudoers")
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	alice := anIAMUser(1, "alice", "engineers")
	alice.Keys["APKAbad"] = "ssh-dss AAAA"
	alice.Tags = map[string]string{"ssh": keyLine(7)}
	w := newWorld(t, alice)
	w.sync.TagKey = "ssh"
	if got := w.said(); !strings.Contains(got, `key APKAbad of IAM user "alice"`) || len(w.keys("alice")) != 2 {
		t.Errorf("got %q, keys %v", got, w.keys("alice"))
	}
	alice.Tags["ssh"] = "ssh-rsa AAAA"
	if got := w.said(); !strings.Contains(got, "key ssh of IAM user") || len(w.keys("alice")) != 1 {
		t.Errorf("got %q, keys %v", got, w.keys("alice"))
	}
}

// TestRun watches the times of rounds: apart by half to one and a half
// intervals, longer after failures, never so long that keys grow stale.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, anIAMUser(1, "alice", "engineers"))
		w.sync.Now = time.Now
		var at []time.Time
		ctx, cancel := context.WithCancel(t.Context())
		run := make(chan error)
		go func() {
			run <- w.sync.Run(ctx, 10*time.Minute, func(r *sshkeys.Report, err error) {
				at = append(at, time.Now())
				switch len(at) {
				case 100:
					w.iam.Fail = func(string, string) error { return errors.New("timeout") }
				case 200:
					w.iam.Fail = nil
				case 300:
					cancel()
				}
			})
		}()
		if err := <-run; !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v", err)
		}
		gaps := func(from, to int) (least, most time.Duration) {
			least = time.Hour * 1000
			for i := from; i < to; i++ {
				gap := at[i+1].Sub(at[i])
				least, most = min(least, gap), max(most, gap)
			}
			return least, most
		}
		for _, test := range []struct {
			name        string
			from, to    int
			least, most time.Duration
		}{
			{"well", 0, 99, 5 * time.Minute, 15 * time.Minute},
			{"failing", 110, 199, 40 * time.Minute, 120 * time.Minute},
			{"well again", 202, 299, 5 * time.Minute, 15 * time.Minute},
		} {
			least, most := gaps(test.from, test.to)
			spread := test.most - test.least
			if least < test.least || most > test.most || most-least < spread/2 {
				t.Errorf("%s: gaps from %s to %s, want them all over %s to %s", test.name, least, most, test.least, test.most)
			}
		}
	})
}

// TestCancelled ends a round in the middle without writing anything.
func TestCancelled(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers"))
	ctx, cancel := context.WithCancel(t.Context())
	w.iam.Fail = func(op, _ string) error {
		if op == "ListSSHPublicKeys" {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	if _, err := w.sync.Once(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	w.wantSteps()
	if _, err := sshkeys.Read(w.sync.Path); err == nil {
		t.Error("a snapshot was written")
	}
}

func BenchmarkPlan(b *testing.B) {
	in := sshkeys.Input{Answer: sshkeys.Answer{At: noon, Complete: true}}
	for i := range 5000 {
		id := userID(i)
		m := sshkeys.Member{IAMUser: fmt.Sprintf("user%04d", i), UserID: id, KeysRead: true}
		in.Answer.Members = append(in.Answer.Members, m)
		in.State.Accounts = append(in.State.Accounts, sshkeys.Account{
			Name: m.IAMUser, UID: sshkeys.UID(id), GID: sshkeys.UID(id), Comment: sshkeys.Comment(id), Access: sshkeys.Open,
		})
	}
	for b.Loop() {
		p := sshkeys.Make(in)
		in.Previous, _ = p.Settle(in.State)
	}
}
