package sshkeystest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// Conform walks an account through its life on a host on which nobody else
// changes anything: what each step leaves behind, that it can be taken twice,
// and that no step touches an account whose uid is not the one it names.
//
// The host has to have the groups named, and an account root.
func Conform(t *testing.T, h sshkeys.Host, groups []string) {
	t.Helper()
	const id = "AIDACKCEVSQ6C2EXAMPLE"
	uid := sshkeys.UID(id)
	before := others(t, h, uid)
	account := sshkeys.Account{Name: "zoe", UID: uid, GID: uid, Comment: sshkeys.Comment(id), Access: sshkeys.Open}
	for _, s := range []struct {
		step sshkeys.Step
		want func()
	}{
		{sshkeys.Step{Kind: sshkeys.AddGroup, Name: "zoe", UID: uid}, nil},
		{sshkeys.Step{Kind: sshkeys.AddUser, Name: "zoe", UID: uid, Comment: sshkeys.Comment(id)}, func() {}},
		{sshkeys.Step{Kind: sshkeys.MakeHome, Name: "zoe", UID: uid}, func() {}},
		{sshkeys.Step{Kind: sshkeys.SetGroups, Name: "zoe", UID: uid, Members: groups}, func() { account.Groups = groups }},
		{sshkeys.Step{Kind: sshkeys.SetGroups, Name: "zoe", UID: uid, Members: groups[:1]}, func() { account.Groups = groups[:1] }},
		{sshkeys.Step{Kind: sshkeys.Sudoers, Members: []string{"zoe"}}, func() {}},
		{sshkeys.Step{Kind: sshkeys.Lock, Name: "zoe", UID: uid}, func() { account.Access = sshkeys.Locked }},
		{sshkeys.Step{Kind: sshkeys.EndSessions, Name: "zoe", UID: uid}, func() {}},
		{sshkeys.Step{Kind: sshkeys.Terminate, Name: "zoe", UID: uid}, func() {}},
		{sshkeys.Step{Kind: sshkeys.Kill, Name: "zoe", UID: uid}, func() {}},
		{sshkeys.Step{Kind: sshkeys.Restore, Name: "zoe", UID: uid}, func() { account.Access = sshkeys.Open }},
	} {
		for range 2 {
			if err := h.Do(t.Context(), s.step); err != nil {
				t.Fatalf("%+v: %v", s.step, err)
			}
		}
		if s.want != nil {
			s.want()
			stands(t, h, s.step, account)
		}
	}
	if s := state(t, h); !slices.Equal(s.Sudoers, []string{"zoe"}) {
		t.Errorf("sudoers: got %v", s.Sudoers)
	}
	rename(t, h, account)
	for _, kind := range []sshkeys.Kind{
		sshkeys.AddUser, sshkeys.AddGroup, sshkeys.RenameUser, sshkeys.RenameGroup, sshkeys.Restore, sshkeys.MakeHome, sshkeys.SetGroups,
		sshkeys.Lock, sshkeys.EndSessions, sshkeys.Terminate, sshkeys.Kill,
	} {
		if err := h.Do(t.Context(), sshkeys.Step{Kind: kind, Name: "root", UID: uid + 1, To: "toor", Members: groups}); err == nil {
			t.Errorf("%s of root with another uid is done", kind)
		}
		if err := h.Do(t.Context(), sshkeys.Step{Kind: kind, Name: "root", UID: 0, To: "toor", Members: groups}); err == nil {
			t.Errorf("%s of root is done", kind)
		}
	}
	if after := others(t, h, uid); !reflect.DeepEqual(before, after) {
		t.Errorf("other accounts changed: before %+v, after %+v", before, after)
	}
}

func rename(t *testing.T, h sshkeys.Host, account sshkeys.Account) {
	t.Helper()
	for _, step := range []sshkeys.Step{
		{Kind: sshkeys.RenameUser, Name: "zoe", UID: account.UID, To: "zoey"},
		{Kind: sshkeys.RenameGroup, Name: "zoe", UID: account.UID, To: "zoey"},
	} {
		if err := h.Do(t.Context(), step); err != nil {
			t.Fatalf("%+v: %v", step, err)
		}
		account.Name = "zoey"
		stands(t, h, step, account)
	}
	if gid := state(t, h).Groups["zoey"]; gid != account.UID {
		t.Errorf("group zoey has gid %d", gid)
	}
}

func stands(t *testing.T, h sshkeys.Host, after sshkeys.Step, want sshkeys.Account) {
	t.Helper()
	for _, a := range state(t, h).Accounts {
		if a.UID == want.UID {
			if !reflect.DeepEqual(want, a) {
				t.Fatalf("after %+v: got %+v, want %+v", after, a, want)
			}
			return
		}
	}
	t.Fatalf("after %+v: no account with uid %d", after, want.UID)
}

func state(t *testing.T, h sshkeys.Host) sshkeys.State {
	t.Helper()
	s, err := h.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// others are the accounts but one.
func others(t *testing.T, h sshkeys.Host, uid uint32) []sshkeys.Account {
	t.Helper()
	return slices.DeleteFunc(state(t, h).Accounts, func(a sshkeys.Account) bool { return a.UID == uid })
}
