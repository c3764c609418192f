package sshkeys_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// keyLine is an ed25519 key with a comment.
func keyLine(n int) string {
	blob := fmt.Appendf(nil, "\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20%032d", n)
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " somebody@laptop"
}

func userID(n int) string { return fmt.Sprintf("AIDA%017d", n) }

func anIAMUser(n int, name string, groups ...string) *sshkeystest.User {
	return &sshkeystest.User{Name: name, ID: userID(n), Groups: groups, Keys: map[string]string{fmt.Sprintf("APKA%d", n): keyLine(n)}}
}

// world is a host, an IAM and the sync between them.
type world struct {
	*testing.T
	iam    *sshkeystest.IAM
	host   *sshkeystest.Host
	sync   *sshkeys.Sync
	now    time.Time
	events []sshkeys.Event
}

func newWorld(t *testing.T, users ...*sshkeystest.User) *world {
	w := &world{T: t, now: noon, host: sshkeystest.NewHost(), iam: &sshkeystest.IAM{Users: users, Groups: []string{"engineers", "ops"}}}
	w.sync = &sshkeys.Sync{
		IAM: w.iam, Host: w.host, Path: filepath.Join(folder(t), "snapshot"), GID: -1,
		Groups: sshkeys.Groups{Login: []string{"engineers"}, Sudo: []string{"ops"}},
		Policy: sshkeys.Policy{MaxStale: 24 * time.Hour, Brake: sshkeys.DefaultBrake()},
		Now:    func() time.Time { return w.now },
		Audit:  func(e sshkeys.Event) { w.events = append(w.events, e) },
	}
	return w
}

// folder is a temporary one, in memory where it can be: hundreds of snapshots
// are synced to disk otherwise.
func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "postern")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// round syncs once, ten minutes after the one before, and returns what it did.
func (w *world) round() (*sshkeys.Report, error) {
	w.Helper()
	w.now = w.now.Add(10 * time.Minute)
	w.host.Done, w.events, w.iam.Calls = nil, nil, nil
	return w.sync.Once(w.Context())
}

// clean is a round in which nothing goes wrong.
func (w *world) clean() *sshkeys.Report {
	w.Helper()
	r, err := w.round()
	if err != nil || len(r.Problems) > 0 {
		w.Fatalf("error %v, problems %v", err, r.Problems)
	}
	return r
}

// steps are what the host was told, as words.
func (w *world) steps() []string {
	var words []string
	for _, s := range w.host.Done {
		words = append(words, strings.TrimSpace(strings.Join([]string{string(s.Kind), s.Name, s.To, strings.Join(s.Members, ",")}, " ")))
	}
	return words
}

func (w *world) keys(name string) []string {
	w.Helper()
	s, err := sshkeys.Lookup(w.sync.Path, name)
	if err != nil {
		w.Fatal(err)
	}
	lines, _ := sshkeys.KeysFor(s, sshkeys.Query{Name: name, Now: w.now})
	return lines
}

func (w *world) wantSteps(want ...string) {
	w.Helper()
	if d := cmp.Diff(want, w.steps()); d != "" {
		w.Errorf("steps: -want +got:\n%s", d)
	}
}

func TestLifeOfAUser(t *testing.T) {
	alice, bob := anIAMUser(1, "Alice.Smith", "engineers", "ops"), anIAMUser(2, "bob", "engineers")
	w := newWorld(t, alice, bob, anIAMUser(3, "carol"))
	w.sync.Policy.LocalGroups = []string{"docker"}
	r := w.clean()
	w.wantSteps(
		"add-group alice_smith", "add-user alice_smith", "set-groups alice_smith  docker",
		"add-group bob", "add-user bob", "set-groups bob  docker", "sudoers   alice_smith",
	)
	if users, _ := r.Snapshot.Count(); users != 2 || !r.Complete || len(w.keys("alice_smith")) != 1 || w.keys("carol") != nil {
		t.Errorf("report %+v, keys %v, carol's %v", r, w.keys("alice_smith"), w.keys("carol"))
	}

	w.clean()
	w.wantSteps()

	// Renamed in IAM, out of ops, with another key: all of it is followed at once.
	alice.Name, alice.Groups, alice.Keys = "alicia", []string{"engineers"}, map[string]string{"APKA9": keyLine(9)}
	w.clean()
	w.wantSteps("sudoers", "rename-user alice_smith alicia", "rename-group alice_smith alicia")
	if got := w.keys("alicia"); len(got) != 1 || !strings.Contains(got[0], strings.Fields(keyLine(9))[1]) || w.keys("alice_smith") != nil {
		t.Errorf("keys %v", got)
	}
	var told []string
	for _, e := range w.events {
		if e.Account == "alicia" {
			told = append(told, string(e.Kind))
		}
	}
	if d := cmp.Diff([]string{"user-renamed", "sudo-withdrawn", "key-withdrawn", "key-added"}, told); d != "" {
		t.Errorf("events: -want +got:\n%s", d)
	}

	// Out of all groups: the first answer is not believed yet.
	alice.Groups = nil
	w.clean()
	w.wantSteps()
	if len(w.keys("alicia")) != 1 {
		t.Error("one answer took the keys")
	}
	running(w.host, "alicia")
	w.clean()
	w.wantSteps("lock alicia", "end-sessions alicia", "terminate alicia", "kill alicia")
	if w.keys("alicia") != nil {
		t.Error("a removed user has keys")
	}
	w.clean()
	w.wantSteps()

	// A job that starts something as the user is ended by the next round.
	running(w.host, "alicia")
	w.clean()
	w.wantSteps("end-sessions alicia", "terminate alicia", "kill alicia")

	alice.Groups = []string{"ops"}
	w.clean()
	w.wantSteps("restore alicia", "sudoers   alicia")
	if a := w.host.Accounts["alicia"]; a.UID != sshkeys.UID(alice.ID) || a.Access != sshkeys.Open {
		t.Errorf("account %+v", a)
	}
}

func running(h *sshkeystest.Host, name string) {
	a := h.Accounts[name]
	a.Processes = true
	h.Accounts[name] = a
}

// TestBadAnswersRemoveNobody gives five bad answers in a row, of each sort.
func TestBadAnswersRemoveNobody(t *testing.T) {
	throttled := errors.New("Throttling: Rate exceeded")
	half := func(_ string, m []sshkeys.Member) ([]sshkeys.Member, error) { return m[:len(m)/2], throttled }
	for _, test := range []struct {
		name  string
		spoil func(*world)
		fails bool // the round says that the answer has a gap
	}{
		{"throttled", func(w *world) { w.iam.Fail = func(string, string) error { return throttled } }, true},
		{"keys throttled", func(w *world) {
			w.iam.Fail = func(op, _ string) error {
				if op == "GetGroup" {
					return nil
				}
				return throttled
			}
		}, true},
		{"one group throttled", func(w *world) {
			w.iam.Fail = func(_, arg string) error {
				if arg == "ops" {
					return throttled
				}
				return nil
			}
		}, true},
		{"half a group", func(w *world) { w.iam.Answer = half }, true},
		{"empty", func(w *world) {
			w.iam.Answer = func(string, []sshkeys.Member) ([]sshkeys.Member, error) { return nil, nil }
		}, false},
		{"too many gone at once", func(w *world) {
			w.iam.Answer = func(_ string, m []sshkeys.Member) ([]sshkeys.Member, error) { return m[:len(m)/2], nil }
		}, false},
		{"reordered", func(w *world) {
			w.iam.Answer = func(_ string, m []sshkeys.Member) ([]sshkeys.Member, error) { slices.Reverse(m); return m, nil }
		}, false},
		{"each one twice", func(w *world) {
			w.iam.Answer = func(_ string, m []sshkeys.Member) ([]sshkeys.Member, error) { return slices.Concat(m, m), nil }
		}, false},
		{"without ids", func(w *world) {
			w.iam.Answer = func(_ string, m []sshkeys.Member) ([]sshkeys.Member, error) {
				for i := range m {
					m[i].UserID = ""
				}
				return m, nil
			}
		}, true},
		{"a group that is not there", func(w *world) { w.iam.Groups = []string{"engineers"} }, true},
		{"no group named", func(w *world) { w.sync.Groups = sshkeys.Groups{} }, true},
		{"a source of groups fails", func(w *world) { w.sync.Groups = sshkeys.GroupSources{w.sync.Groups, broken{throttled}} }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var users []*sshkeystest.User
			for i := range 20 {
				users = append(users, anIAMUser(i, fmt.Sprintf("user%02d", i), "engineers"))
			}
			users[0].Groups = []string{"ops"}
			w := newWorld(t, users...)
			w.clean()
			before, _ := w.host.State(t.Context())
			test.spoil(w)
			for range 5 {
				if _, err := w.round(); (err != nil) != test.fails {
					t.Fatalf("got error %v", err)
				}
				w.wantSteps()
			}
			after, _ := w.host.State(t.Context())
			if d := cmp.Diff(before, after); d != "" {
				t.Errorf("the host changed: -want +got:\n%s", d)
			}
			for _, u := range users {
				if len(w.keys(u.Name)) != 1 {
					t.Errorf("%s has no keys", u.Name)
				}
			}
		})
	}
}

type broken struct{ err error }

func (b broken) Groups(context.Context) (sshkeys.Groups, error) { return sshkeys.Groups{}, b.err }

// TestOutage drives the clock through an outage of IAM: keys are good for as
// long as was promised and not a minute longer.
func TestOutage(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers"))
	w.clean()
	start := w.now
	w.iam.Fail = func(string, string) error { return errors.New("no route to host") }
	for hours := 1; hours <= 25; hours++ {
		w.now = start.Add(time.Duration(hours)*time.Hour - 10*time.Minute)
		if _, err := w.round(); err == nil {
			t.Fatal("an outage is no error")
		}
		if got, want := len(w.keys("alice")), min(1, max(0, 24-hours)); got != want {
			t.Errorf("after %d hours: %d keys, want %d", hours, got, want)
		}
	}
	w.iam.Fail = nil
	w.clean()
	w.wantSteps()
	if len(w.keys("alice")) != 1 {
		t.Error("no keys after the outage")
	}
}

// TestClockJumps syncs before and after jumps: nothing but keys depends on the
// time, and the next answer sets them right.
func TestClockJumps(t *testing.T) {
	w := newWorld(t, anIAMUser(1, "alice", "engineers"))
	w.clean()
	for _, jump := range []time.Duration{10 * 365 * 24 * time.Hour, -20 * 365 * 24 * time.Hour, 3 * time.Hour} {
		w.now = w.now.Add(jump)
		w.clean()
		w.wantSteps()
		if len(w.keys("alice")) != 1 {
			t.Errorf("no keys after a jump of %s", jump)
		}
	}
}

func TestCalls(t *testing.T) {
	var users []*sshkeystest.User
	for i := range 500 {
		users = append(users, anIAMUser(i, fmt.Sprintf("user%03d", i), "engineers"))
	}
	w := newWorld(t, users...)
	w.clean()
	want := map[string]int{"GetGroup": 2, "ListSSHPublicKeys": 500, "GetSSHPublicKey": 500}
	if d := cmp.Diff(want, w.iam.Calls); d != "" {
		t.Errorf("first round: -want +got:\n%s", d)
	}
	users[7].Keys["APKAnew"] = keyLine(1000)
	if r := w.clean(); r.Calls != 503 {
		t.Errorf("the report counts %d calls", r.Calls)
	}
	want["GetSSHPublicKey"] = 1
	if d := cmp.Diff(want, w.iam.Calls); d != "" {
		t.Errorf("second round: -want +got:\n%s", d)
	}
	if len(w.keys("user007")) != 2 {
		t.Error("the new key is missing")
	}

	// IAM away in the middle: a round does not wait for 500 time-outs.
	w.iam.Fail = func(op, _ string) error {
		if op == "ListSSHPublicKeys" && w.iam.Calls[op] > 100 {
			return errors.New("timeout")
		}
		return nil
	}
	seen := map[string]bool{}
	for range 5 {
		w.iam.Fail = after(w.iam, 100, seen)
		if _, err := w.round(); err == nil {
			t.Error("a gap is no error")
		}
		if n := w.iam.Calls["ListSSHPublicKeys"]; n != 103 {
			t.Errorf("%d calls, want 103", n)
		}
	}
	if len(seen) != 500 {
		t.Errorf("five rounds of 100 reached %d users of 500", len(seen))
	}
}

// after makes ListSSHPublicKeys fail after n calls of a round.
func after(i *sshkeystest.IAM, n int, seen map[string]bool) func(string, string) error {
	return func(op, arg string) error {
		if op != "ListSSHPublicKeys" {
			return nil
		}
		if i.Calls[op] > n {
			return errors.New("timeout")
		}
		seen[arg] = true
		return nil
	}
}

// TestTwoHosts gives two hosts the same users in other orders and at other
// times: uids are the same on both, and on one whose disk was lost.
func TestTwoHosts(t *testing.T) {
	users := []*sshkeystest.User{anIAMUser(1, "alice", "engineers"), anIAMUser(2, "bob", "ops"), anIAMUser(3, "carol", "engineers")}
	one := newWorld(t, users...)
	one.clean()
	two := newWorld(t, users[2])
	two.clean()
	two.iam.Users = []*sshkeystest.User{users[1], users[0], users[2]}
	two.clean()
	if d := cmp.Diff(one.host.Accounts, two.host.Accounts); d != "" {
		t.Errorf("-one +two:\n%s", d)
	}
}

func TestHostileNames(t *testing.T) {
	hostile := []string{"root", "../x", strings.Repeat("a", 33), "älice", "-rf", "admin", "www-data", "ALL", "Bob.Q", "bob_q", "carol", "CAROL", "alice:0:0", "12345", "0"}
	w := newWorld(t, anIAMUser(100, "dave", "engineers"))
	w.clean()
	before, _ := w.host.State(t.Context())
	for i, name := range hostile {
		w.iam.Users = append(w.iam.Users, anIAMUser(i, name, "engineers", "ops"))
	}
	// Names that are somebody's already: an established user's, and one that
	// only an account of the administrator's has.
	w.iam.Users = append(w.iam.Users, anIAMUser(200, "Dave", "ops"), anIAMUser(201, "erin", "ops"))
	w.host.Accounts["erin"] = sshkeys.Account{Name: "erin", UID: 1001, GID: 1001, Access: sshkeys.Open}
	before.Accounts = append(before.Accounts, w.host.Accounts["erin"])
	for range 3 {
		r, err := w.round()
		if err != nil {
			t.Fatal(err)
		}
		w.wantSteps()
		said := r.Problems.Error()
		for _, u := range w.iam.Users[1:] {
			if !strings.Contains(said, fmt.Sprintf("%q", u.Name)) {
				t.Errorf("nothing is said of %q:\n%s", u.Name, said)
			}
			if w.keys(u.Name) != nil {
				t.Errorf("%q has keys", u.Name)
			}
		}
	}
	after, _ := w.host.State(t.Context())
	slices.SortFunc(before.Accounts, func(a, b sshkeys.Account) int { return strings.Compare(a.Name, b.Name) })
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("the host changed: -want +got:\n%s", d)
	}
	if len(w.keys("dave")) != 1 {
		t.Error("an established user lost the keys to a newcomer of the same name")
	}
}

// IAM's names stand in what sshd reads. One that IAM cannot have is not IAM's,
// and makes the answer one with gaps.
func TestNamesThatAreNotIAMs(t *testing.T) {
	alice := anIAMUser(1, "alice", "engineers")
	w := newWorld(t, alice, anIAMUser(2, "bob", "engineers"))
	w.clean()
	before := w.keys("alice")
	for _, bad := range []sshkeystest.User{
		{Name: "alice\n" + keyLine(9), ID: userID(1)},
		{Name: "alice", ID: userID(1) + "\nevil:x:0:0::/:/bin/sh"},
		{Name: "", ID: userID(1)},
		{Name: "alice", ID: ""},
		{Name: "alice x", ID: userID(1)},
	} {
		alice.Name, alice.ID = bad.Name, bad.ID
		r, err := w.round()
		if err == nil || !strings.Contains(err.Error(), "is no user of IAM's") || r.Complete {
			t.Errorf("%q (%q): got error %v", bad.Name, bad.ID, err)
		}
		if d := cmp.Diff(before, w.keys("alice")); d != "" {
			t.Errorf("%q (%q): keys: -want +got:\n%s", bad.Name, bad.ID, d)
		}
	}
}

// An account that useradd was killed over gets its home in the next round; a
// removed one needs none.
func TestHomeless(t *testing.T) {
	alice, bob := anIAMUser(1, "alice", "engineers"), anIAMUser(2, "bob", "engineers")
	w := newWorld(t, alice, bob)
	w.clean()
	bob.Groups = nil
	w.clean()
	w.clean()
	for _, name := range []string{"alice", "bob"} {
		w.edit(name, func(a *sshkeys.Account) { a.Homeless = true })
	}
	w.clean()
	w.wantSteps("make-home alice")
	w.clean()
	w.wantSteps()
}

// An IAM user who was deleted and made again is another one: no key of the new
// one opens the old account, and what it takes to get the name is said.
func TestMadeAgain(t *testing.T) {
	alice := anIAMUser(1, "alice", "engineers")
	w := newWorld(t, alice, anIAMUser(2, "bob", "engineers"))
	w.clean()
	alice.ID, alice.Keys = userID(9), map[string]string{"APKA9": keyLine(9)}
	hint := func() string {
		t.Helper()
		r, err := w.round()
		e, ok := errors.AsType[*fault.Error](r.Problems.Err())
		if err != nil || !ok || !strings.Contains(e.What, `the account alice is that of IAM user "alice"`) {
			t.Fatalf("error %v, problems %v", err, r.Problems)
		}
		for _, line := range w.keys("alice") {
			if strings.Contains(line, strings.Fields(keyLine(9))[1]) {
				t.Errorf("the new key opens the old account: %s", line)
			}
		}
		return e.Hint
	}
	if got := hint(); !strings.Contains(got, "its account is removed first") {
		t.Errorf("hint: %s", got)
	}
	hint() // in which it is removed
	want := fmt.Sprintf("sudo chown -hR %[1]d:%[1]d ~alice && sudo userdel alice", sshkeys.UID(userID(9)))
	if got := hint(); !strings.HasSuffix(got, want) {
		t.Errorf("hint: %s", got)
	}
	delete(w.host.Accounts, "alice")
	delete(w.host.Groups, "alice")
	w.round() //nolint:errcheck // the old one's place is given up
	w.clean()
	if got := w.host.Accounts["alice"].UID; got != sshkeys.UID(userID(9)) || len(w.keys("alice")) != 1 {
		t.Errorf("uid %d, keys %v", got, w.keys("alice"))
	}
}
