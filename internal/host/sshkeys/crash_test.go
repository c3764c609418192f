package sshkeys_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// busyRound is a world in which the next round has something of everything to
// do: alice goes, bob is renamed, carol comes, dave comes back, with sudo.
func busyRound(t *testing.T) *world {
	alice, bob, carol, dave := anIAMUser(1, "alice", "ops"), anIAMUser(2, "bob", "engineers"), anIAMUser(3, "carol"), anIAMUser(4, "dave", "engineers")
	w := newWorld(t, alice, bob, carol, dave)
	w.sync.Policy.LocalGroups = []string{"docker"}
	w.clean()
	dave.Groups = nil
	w.clean()
	w.clean()
	alice.Groups = nil
	w.clean()
	running(w.host, "alice")
	bob.Name, carol.Groups, dave.Groups = "robert", []string{"engineers", "ops"}, []string{"ops"}
	return w
}

// TestCrashAtEachStep kills a busy round before each thing that it does, and
// expects the rounds that follow to get where it would have got.
func TestCrashAtEachStep(t *testing.T) {
	whole := busyRound(t)
	whole.clean()
	want, _ := whole.host.State(t.Context())
	total := len(whole.host.Done) + len(whole.events)
	if total < 20 {
		t.Fatalf("only %d steps and events", total)
	}
	for at := range total {
		w := busyRound(t)
		crash(w, at)
		w.clean()
		w.clean()
		got, _ := w.host.State(t.Context())
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("killed before step %d: -want +got:\n%s", at, d)
		}
		for _, name := range []string{"robert", "carol", "dave"} {
			if len(w.keys(name)) != 1 {
				t.Errorf("killed before step %d: %s has no key", at, name)
			}
		}
		if w.keys("alice") != nil || w.keys("bob") != nil {
			t.Errorf("killed before step %d: keys of accounts that are gone", at)
		}
		w.clean()
		w.wantSteps()
	}
}

// crash runs a round that dies before it does the given thing.
func crash(w *world, at int) {
	tick := func() {
		if at--; at < 0 {
			panic(errCrash)
		}
	}
	audit := w.sync.Audit
	w.sync.Audit = func(sshkeys.Event) { tick() }
	w.host.Fail = func(sshkeys.Step) error { tick(); return nil }
	defer func() {
		if r := recover(); r != any(errCrash) {
			panic(r)
		}
		w.host.Crash()
		w.host.Fail, w.sync.Audit = nil, audit
	}()
	w.round() //nolint:errcheck // it does not return
}
