package lockdown

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

// Host changes the firewall of this network namespace, one change at a time.
type Host struct {
	Dir  string // for the lock and a change that waits to be confirmed; gone after a reboot, as the table is
	Conn *Conn
}

// Change is a wish for another table.
type Change struct {
	Policy *Policy // nil: none
	// Test proves the new table. If it fails, what stood before is restored. nil: no test.
	Test func(ctx context.Context) error
	// Within is how long the change stands without Confirm; 0: for good. Watch
	// must start a process that calls Host.Await with the same id and time, and
	// outlives this one.
	Within time.Duration
	Watch  func(ctx context.Context, id string, within time.Duration) error
}

// pending is a change that waits to be confirmed.
type pending struct {
	ID     string    `json:"id"`
	Until  time.Time `json:"until"`  // for people: the process that waits does not go by it
	Before *Policy   `json:"before"` // what to restore; null: no table
}

// Make makes the change, or leaves what stands.
func (h Host) Make(ctx context.Context, c Change) error {
	if h.Conn == nil {
		conn, err := Open()
		if err != nil {
			return err
		}
		defer conn.Close()
		h.Conn = conn
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if waiting, err := h.pending(); err != nil {
		return err
	} else if waiting != nil && c.Policy != nil {
		return &fault.Error{
			What: "the last change waits to be confirmed until " + waiting.Until.Format(time.TimeOnly),
			Hint: "run `postern host lockdown confirm`, or wait until it is rolled back",
		}
	}
	before, err := h.before(c)
	if err != nil {
		return err
	}
	// Whoever is to roll back must be there before there is something to roll back.
	if c.Within > 0 {
		if err := h.arm(ctx, c, before); err != nil {
			return err
		}
	}
	if err := h.change(ctx, c, before); err != nil {
		return errors.Join(err, h.disarm())
	}
	if c.Within == 0 {
		return h.disarm()
	}
	return nil
}

func (h Host) change(ctx context.Context, c Change, before *Policy) error {
	if err := h.enforce(c.Policy); err != nil || c.Test == nil {
		return err
	}
	err := c.Test(ctx)
	if err == nil {
		return nil
	}
	if undo := h.enforce(before); undo != nil {
		return errors.Join(err, fmt.Errorf("restore what stood before: %w", undo))
	}
	return err
}

// before is the policy of the table that stands, nil for none, and for a change
// that nothing would undo.
func (h Host) before(c Change) (*Policy, error) {
	if c.Test == nil && c.Within == 0 {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	s, err := h.Conn.Read()
	if err != nil || s == nil {
		return nil, err
	}
	return &s.Policy, nil
}

func (h Host) enforce(p *Policy) error {
	if p != nil {
		return h.Conn.Apply(*p)
	}
	_, err := h.Conn.Remove()
	return err
}

func (h Host) arm(ctx context.Context, c Change, before *Policy) error {
	p := pending{ID: rand.Text(), Until: time.Now().Add(c.Within), Before: before}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write what to restore: %w", err)
	}
	if err := renameio.WriteFile(h.pendingFile(), data, 0o600); err != nil {
		return fmt.Errorf("write what to restore: %w", err)
	}
	if err := c.Watch(ctx, p.ID, c.Within); err != nil {
		return errors.Join(fmt.Errorf("start the process that rolls back: %w", err), h.disarm())
	}
	return nil
}

// disarm forgets the change that waits; none is no error.
func (h Host) disarm() error {
	if err := os.Remove(h.pendingFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what to restore: %w", err)
	}
	return nil
}

// Confirm makes the change that waits stand for good.
func (h Host) Confirm(ctx context.Context) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	waiting, err := h.pending()
	if err != nil {
		return err
	}
	if waiting == nil {
		return &fault.Error{What: "no change waits to be confirmed", Hint: "run `postern host lockdown status` to see what stands"}
	}
	return h.disarm()
}

// Await waits, by a clock that nobody sets, and then restores what stood before
// the change, unless it has been confirmed or replaced.
func (h Host) Await(ctx context.Context, id string, within time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(within):
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	waiting, err := h.pending()
	if err != nil || waiting == nil || waiting.ID != id {
		return err
	}
	if h.Conn == nil {
		conn, err := Open()
		if err != nil {
			return err
		}
		defer conn.Close()
		h.Conn = conn
	}
	if err := h.enforce(waiting.Before); err != nil {
		return err
	}
	return h.disarm()
}

// Pending tells until when a change waits to be confirmed; zero if none does.
func (h Host) Pending() (time.Time, error) {
	p, err := h.pending()
	if err != nil || p == nil {
		return time.Time{}, err
	}
	return p.Until, nil
}

func (h Host) pending() (*pending, error) {
	data, err := os.ReadFile(h.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read what waits to be confirmed: %w", err)
	}
	var p pending
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, &fault.Error{Where: h.pendingFile(), What: "is damaged", Cause: err, Hint: "remove it, and apply again"}
	}
	return &p, nil
}

func (h Host) pendingFile() string { return filepath.Join(h.Dir, "lockdown-pending.json") }

// lock waits until no other process changes the firewall.
func (h Host) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(h.Dir, 0o755); err != nil {
		return nil, unlockable("make folder for the lock", err)
	}
	f, err := os.OpenFile(filepath.Join(h.Dir, "lockdown.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unlockable("open lock", err)
	}
	for {
		taken, err := tryLock(f)
		switch {
		case err != nil:
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		case taken:
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func unlockable(what string, err error) error {
	out := &fault.Error{What: what, Cause: err}
	if errors.Is(err, fs.ErrPermission) {
		out.Code, out.Hint = fault.Auth, "run it as root"
	}
	return out
}
