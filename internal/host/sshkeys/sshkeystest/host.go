// Package sshkeystest holds twins of what sshkeys asks of a host and of IAM, and
// the suite that a host has to pass, the twin as the real one.
package sshkeystest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// Host is a machine in memory that is as strict as useradd and its siblings.
type Host struct {
	Accounts map[string]sshkeys.Account // by name
	Groups   map[string]uint32          // gids by name
	Sudoers  []string
	Done     []sshkeys.Step           // what was asked for, in order
	Fail     func(sshkeys.Step) error // before a step; nil: nothing fails

	busy sync.Mutex
}

// NewHost is a machine with the accounts that each one has.
func NewHost() *Host {
	return &Host{
		Accounts: map[string]sshkeys.Account{
			"root":     {Name: "root", Access: sshkeys.Open, Processes: true},
			"www-data": {Name: "www-data", UID: 33, GID: 33, Access: sshkeys.Barred},
			"admin":    {Name: "admin", UID: 1000, GID: 1000, Groups: []string{"sudo"}, Access: sshkeys.Open, Processes: true},
		},
		Groups: map[string]uint32{"root": 0, "www-data": 33, "sudo": 27, "docker": 999, "admin": 1000},
	}
}

// Lock waits for its turn.
func (h *Host) Lock(context.Context) (func() error, error) {
	h.busy.Lock()
	return func() error { h.busy.Unlock(); return nil }, nil
}

// Crash is what is left when the process dies: the machine without the lock.
func (h *Host) Crash() {
	h.busy.TryLock()
	h.busy.Unlock()
}

// State copies what stands.
func (h *Host) State(context.Context) (sshkeys.State, error) {
	s := sshkeys.State{Groups: maps.Clone(h.Groups), Sudoers: slices.Clone(h.Sudoers)}
	for _, name := range slices.Sorted(maps.Keys(h.Accounts)) {
		a := h.Accounts[name]
		a.Groups = slices.Clone(a.Groups)
		s.Accounts = append(s.Accounts, a)
	}
	return s, nil
}

// Do takes a step.
func (h *Host) Do(_ context.Context, s sshkeys.Step) error {
	if h.Fail != nil {
		if err := h.Fail(s); err != nil {
			return err
		}
	}
	h.Done = append(h.Done, s)
	if s.Kind != sshkeys.Sudoers && s.UID == 0 {
		return errors.New("root is not touched")
	}
	switch s.Kind {
	case sshkeys.Sudoers:
		h.Sudoers = slices.Clone(s.Members)
		return nil
	case sshkeys.AddGroup:
		return h.addGroup(s)
	case sshkeys.AddUser:
		return h.addUser(s)
	case sshkeys.RenameUser:
		return h.renameUser(s)
	case sshkeys.RenameGroup:
		return h.renameGroup(s)
	case sshkeys.Restore:
		return h.edit(s, func(a *sshkeys.Account) { a.Access = sshkeys.Open })
	case sshkeys.MakeHome:
		return h.edit(s, func(a *sshkeys.Account) { a.Homeless = false })
	case sshkeys.SetGroups:
		return h.edit(s, func(a *sshkeys.Account) { a.Groups = slices.Clone(s.Members) })
	case sshkeys.Lock:
		return h.edit(s, func(a *sshkeys.Account) { a.Access = sshkeys.Locked })
	case sshkeys.EndSessions, sshkeys.Terminate:
		return h.edit(s, func(*sshkeys.Account) {})
	case sshkeys.Kill:
		return h.edit(s, func(a *sshkeys.Account) { a.Processes = false })
	}
	return fmt.Errorf("no step %q", s.Kind)
}

// edit changes an account if it is the one that is meant.
func (h *Host) edit(s sshkeys.Step, change func(*sshkeys.Account)) error {
	a, ok := h.Accounts[s.Name]
	if !ok || a.UID != s.UID {
		return fmt.Errorf("no account %s with uid %d", s.Name, s.UID)
	}
	change(&a)
	h.Accounts[s.Name] = a
	return nil
}

func (h *Host) addGroup(s sshkeys.Step) error {
	if gid, ok := h.Groups[s.Name]; ok && gid == s.UID {
		return nil
	}
	for name, gid := range h.Groups {
		if name == s.Name || gid == s.UID {
			return fmt.Errorf("group %s (%d) is there", name, gid)
		}
	}
	h.Groups[s.Name] = s.UID
	return nil
}

func (h *Host) addUser(s sshkeys.Step) error {
	if strings.ContainsAny(s.Name, "/: \n") || strings.HasPrefix(s.Name, "-") {
		return errors.New("invalid user name " + s.Name)
	}
	if a, ok := h.Accounts[s.Name]; ok && a.UID == s.UID {
		return nil
	}
	for _, a := range h.Accounts {
		if a.Name == s.Name || a.UID == s.UID {
			return fmt.Errorf("account %s (%d) is there", a.Name, a.UID)
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(h.Groups)), s.UID) {
		return fmt.Errorf("no group %d", s.UID)
	}
	h.Accounts[s.Name] = sshkeys.Account{Name: s.Name, UID: s.UID, GID: s.UID, Comment: s.Comment, Access: sshkeys.Open}
	return nil
}

func (h *Host) renameUser(s sshkeys.Step) error {
	a, ok := h.Accounts[s.Name]
	_, taken := h.Accounts[s.To]
	switch {
	case !ok || a.UID != s.UID:
		return fmt.Errorf("no account %s with uid %d", s.Name, s.UID)
	case taken:
		return fmt.Errorf("account %s is there", s.To)
	case a.Processes:
		return fmt.Errorf("account %s has processes", s.Name)
	}
	delete(h.Accounts, s.Name)
	a.Name = s.To
	h.Accounts[s.To] = a
	return nil
}

func (h *Host) renameGroup(s sshkeys.Step) error {
	gid, ok := h.Groups[s.Name]
	if _, taken := h.Groups[s.To]; !ok || gid != s.UID || taken {
		return fmt.Errorf("group %s cannot become %s", s.Name, s.To)
	}
	delete(h.Groups, s.Name)
	h.Groups[s.To] = gid
	return nil
}
