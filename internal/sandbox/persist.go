package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// stateFormat is the version of the data file.
const stateFormat = 1

// saveDelay gathers the changes of a burst into one write.
const saveDelay = 200 * time.Millisecond

// load reads a data file; a missing one, or no name, is an empty state.
func load(name string) (*state, error) {
	s := &state{Format: stateFormat, Accounts: map[string]*account{}, Sessions: map[string]*session{}}
	if name == "" {
		return s, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load state: %w", err)
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("load state from %s: %w", name, err)
	}
	if s.Format != stateFormat {
		return nil, fmt.Errorf("load state from %s: format %d is not %d, the one that this version writes", name, s.Format, stateFormat)
	}
	return s, s.complete(name)
}

// complete makes the parts that JSON leaves nil.
func (s *state) complete(name string) error {
	if s.Accounts == nil {
		s.Accounts = map[string]*account{}
	}
	if s.Sessions == nil {
		s.Sessions = map[string]*session{}
	}
	for id, a := range s.Accounts {
		if a == nil || a.ID != id {
			return fmt.Errorf("load state from %s: account %q is not what its key says", name, id)
		}
		a.calls = map[string]int{}
		if a.KeyUses == nil {
			a.KeyUses = map[string]keyUse{}
		}
		if a.RoleUses == nil {
			a.RoleUses = map[string]keyUse{}
		}
	}
	for id, session := range s.Sessions {
		if session == nil {
			return fmt.Errorf("load state from %s: session %q is null", name, id)
		}
	}
	return nil
}

// changed notes that the state must be saved. The caller holds the lock.
func (s *Server) changed() {
	s.dirty = true
	select {
	case s.saveSignal <- struct{}{}:
	default: // a save is due already
	}
}

// saveLoop saves a little after each change, until the server stops.
func (s *Server) saveLoop() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.saveSignal:
		}
		select {
		case <-s.stop: // Close saves
			return
		case <-time.After(saveDelay):
		}
		if err := s.save(); err != nil {
			s.log.Error("state not saved", "error", err)
		}
	}
}

// save writes the state if it changed since the last time.
func (s *Server) save() error {
	if s.opt.DataFile == "" {
		return nil
	}
	s.mu.Lock()
	if !s.dirty {
		s.mu.Unlock()
		return nil
	}
	s.state.prune(s.opt.Clock())
	data, err := json.Marshal(s.state)
	s.dirty = false
	s.mu.Unlock()
	if err == nil {
		err = renameio.WriteFile(s.opt.DataFile, data, 0o600)
	}
	if err != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}
