package sshkeys_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

// names are few, and come to fewer accounts, so that users get into each
// other's way.
var names = []string{"alice", "Alice", "al.ice", "al_ice", "bob", "admin", "docker", "root", "carol", "dave"}

// model drives a sync through whatever can happen and remembers only what it
// needs to say what must never have.
type model struct {
	*world
	users   int            // made so far
	foreign map[string]any // accounts that are not Postern's, as they must stay
	missed  map[string]int // complete answers in a row that a UserID was not in
	locked  map[string]bool
	key     int // lines made so far
	crashAt int // steps to go until the process dies; below 0: never
}

func newModel(t *testing.T) *model {
	m := &model{world: newWorld(t), foreign: map[string]any{}, missed: map[string]int{}, locked: map[string]bool{}, crashAt: -1}
	for name, a := range m.host.Accounts {
		m.foreign[name] = a
	}
	m.sync.Audit = func(sshkeys.Event) { m.tick() }
	return m
}

var errCrash = errors.New("killed")

// tick counts down to the crash.
func (m *model) tick() {
	if m.crashAt == 0 {
		panic(errCrash)
	}
	m.crashAt--
}

func (m *model) pick(t *rapid.T) *sshkeystest.User {
	if len(m.iam.Users) == 0 {
		t.Skip("nobody")
	}
	return rapid.SampledFrom(m.iam.Users).Draw(t, "user")
}

func (m *model) actions() map[string]func(*rapid.T) {
	groups := rapid.SampledFrom([][]string{nil, {"engineers"}, {"ops"}, {"engineers", "ops"}})
	return map[string]func(*rapid.T){
		"create a user": func(t *rapid.T) {
			m.users++
			m.iam.Users = append(m.iam.Users, anIAMUser(m.users, rapid.SampledFrom(names).Draw(t, "name"), groups.Draw(t, "groups")...))
		},
		"delete a user": func(t *rapid.T) {
			u := m.pick(t)
			m.iam.Users = slices.DeleteFunc(m.iam.Users, func(o *sshkeystest.User) bool { return o == u })
		},
		"rename a user":   func(t *rapid.T) { m.pick(t).Name = rapid.SampledFrom(names).Draw(t, "name") },
		"change groups":   func(t *rapid.T) { m.pick(t).Groups = groups.Draw(t, "groups") },
		"change keys":     func(t *rapid.T) { m.key++; m.pick(t).Keys = map[string]string{fmt.Sprint(m.key): keyLine(m.key)} },
		"log in":          func(t *rapid.T) { running(m.host, rapid.SampledFrom(m.ours(t)).Draw(t, "account").Name) },
		"log out":         func(t *rapid.T) { m.stop(rapid.SampledFrom(m.ours(t)).Draw(t, "account").Name) },
		"a local account": m.addForeign,
		"sync":            func(t *rapid.T) { m.try(t, nil) },
		"sync, throttled": func(t *rapid.T) {
			m.try(t, func(string, string) error {
				if rapid.Bool().Draw(t, "throttled") {
					return errors.New("throttled")
				}
				return nil
			})
		},
		"sync, cut off": func(t *rapid.T) {
			m.iam.Answer = func(_ string, all []sshkeys.Member) ([]sshkeys.Member, error) {
				return rapid.Permutation(all).Draw(t, "order")[:rapid.IntRange(0, len(all)).Draw(t, "read")], errors.New("cut off")
			}
			m.try(t, nil)
			m.iam.Answer = nil
		},
		"sync, some steps fail": func(t *rapid.T) {
			m.host.Fail = func(sshkeys.Step) error {
				if rapid.Bool().Draw(t, "fails") {
					return errors.New("cannot")
				}
				return nil
			}
			m.try(t, nil)
		},
		"sync, killed": func(t *rapid.T) {
			m.crashAt = rapid.IntRange(0, 12).Draw(t, "steps")
			m.host.Fail = func(sshkeys.Step) error { m.tick(); return nil }
			m.try(t, nil)
			m.crashAt = -1
		},
		"lose the snapshot": func(*rapid.T) { m.sync.Path += "x" },
		"":                  m.check,
	}
}

// ours are the accounts that Postern made.
func (m *model) ours(t *rapid.T) []sshkeys.Account {
	var found []sshkeys.Account
	for _, name := range slices.Sorted(maps.Keys(m.host.Accounts)) {
		if _, ok := m.foreign[name]; !ok {
			found = append(found, m.host.Accounts[name])
		}
	}
	if len(found) == 0 && t != nil {
		t.Skip("no account")
	}
	return found
}

func (m *model) stop(name string) {
	a := m.host.Accounts[name]
	a.Processes = false
	m.host.Accounts[name] = a
}

func (m *model) addForeign(t *rapid.T) {
	name := rapid.SampledFrom(names).Draw(t, "name")
	if _, ok := m.host.Accounts[name]; ok {
		t.Skip("there")
	}
	uid := uint32(2000 + len(m.foreign))
	m.host.Accounts[name] = sshkeys.Account{Name: name, UID: uid, GID: uid, Access: sshkeys.Open}
	m.foreign[name] = m.host.Accounts[name]
}

// try syncs and counts, apart from the sync itself, who was in the answer.
func (m *model) try(t *rapid.T, fail func(string, string) error) {
	m.iam.Fail = fail
	defer func() {
		m.iam.Fail, m.host.Fail = nil, nil
		if r := recover(); r != nil {
			if r != any(errCrash) {
				panic(r)
			}
			m.host.Crash()
			m.count()
		}
	}()
	r, err := m.round()
	if r == nil {
		t.Fatal(err)
	}
	if r.Complete {
		m.count()
	}
}

func (m *model) count() {
	var in []string
	for _, u := range m.iam.Users {
		if len(u.Groups) > 0 {
			in = append(in, u.ID)
		}
	}
	if len(in) == 0 {
		return // says nothing
	}
	for i := range m.users {
		id := userID(i + 1)
		m.missed[id]++
		if slices.Contains(in, id) {
			m.missed[id] = 0
		}
	}
}

// check holds what must be true at all times.
func (m *model) check(t *rapid.T) {
	for name, want := range m.foreign {
		if d := cmp.Diff(want, any(m.host.Accounts[name])); d != "" {
			t.Fatalf("account %s is not Postern's and changed: -want +got:\n%s", name, d)
		}
	}
	for _, a := range m.ours(nil) {
		id := a.Comment[len("IAM user "):]
		if a.UID != sshkeys.UID(id) {
			t.Fatalf("%s has another uid than its IAM user's", a.Name)
		}
		if lockedNow := a.Access == sshkeys.Locked; lockedNow && !m.locked[id] && m.missed[id] < 2 {
			t.Fatalf("%s was locked after %d answers without it", a.Name, m.missed[id])
		}
		m.locked[id] = a.Access == sshkeys.Locked
	}
	for _, name := range m.host.Sudoers {
		if _, ok := m.foreign[name]; ok {
			t.Fatalf("%s has sudo and is not Postern's", name)
		}
	}
}

// settled holds, after three rounds in which nothing went wrong and everybody
// had logged out, that the host is what IAM says, but for those of whom a
// problem tells.
func (m *model) settled(t *rapid.T) {
	m.sync.Policy.Brake.Confirmed = m.users
	m.users++
	m.iam.Users = append(m.iam.Users, anIAMUser(m.users, "zoe", "engineers")) // an answer without anybody removes nobody
	for _, a := range m.ours(nil) {
		m.stop(a.Name)
	}
	var problems string
	for range 3 {
		r, err := m.round()
		if err != nil {
			t.Fatal(err)
		}
		m.count()
		problems = r.Problems.Error()
	}
	if steps := m.steps(); len(steps) > 0 {
		t.Fatalf("not settled: %v", steps)
	}
	m.check(t)
	standing := map[string]sshkeys.Account{}
	for _, a := range m.ours(nil) {
		standing[a.Comment[len("IAM user "):]] = a
	}
	sudo := 0
	for _, u := range m.iam.Users {
		a, ok := standing[u.ID]
		delete(standing, u.ID)
		if len(u.Groups) > 0 && !strings.Contains(problems, u.ID) && ok {
			if a.Access != sshkeys.Open || len(m.keys(a.Name)) != 1 {
				t.Fatalf("%s: %+v, keys %v", u.Name, a, m.keys(a.Name))
			}
			if slices.Contains(u.Groups, "ops") {
				sudo++
			}
		}
		if len(u.Groups) == 0 && ok && a.Access != sshkeys.Locked {
			t.Fatalf("%s is in no group and not locked", u.Name)
		}
	}
	for _, a := range standing {
		if a.Access != sshkeys.Locked || a.Processes {
			t.Fatalf("%s is deleted in IAM and not gone: %+v", a.Name, a)
		}
	}
	if len(m.host.Sudoers) < sudo {
		t.Fatalf("%d have sudo, at least %d should", len(m.host.Sudoers), sudo)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t)
		m.now = noon.Add(time.Duration(rapid.IntRange(0, 1000).Draw(rt, "start")) * time.Hour)
		rt.Repeat(m.actions())
		m.settled(rt)
	})
}
