package lockdown

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

// Pending is a change that has not been confirmed.
type Pending struct {
	Until time.Time // when it is rolled back, for people: nobody goes by this clock
	// Orphaned: the process that was to roll it back is gone, and nobody else
	// will.
	Orphaned bool
}

// pending is the record of a change that waits to be confirmed. The process
// that will roll it back holds the file's lock for as long as it lives.
type pending struct {
	ID     string    `json:"id"`
	Boot   string    `json:"boot"`   // the system's start that it is of
	Until  time.Time `json:"until"`  // for people
	Before *Policy   `json:"before"` // what to restore; null: no table
	After  *Policy   `json:"after"`  // what is being tried

	watched bool // somebody holds the lock
}

// before is what to restore; nil: no table, or no change that waits.
func (p *pending) before() *Policy {
	if p == nil {
		return nil
	}
	return p.Before
}

// lookEvery is how soon the process that rolls back notes that it need not.
const lookEvery = time.Second

// startTime bounds how long the process that rolls back takes to begin.
const startTime = 10 * time.Second

// arm writes down what to restore, starts the process that does, and waits until
// it is there.
func (h *Host) arm(ctx context.Context, c Change, before *Policy) error {
	p := pending{ID: rand.Text(), Boot: bootID(), Until: time.Now().Add(c.Within), Before: before, After: c.Policy}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write what to restore: %w", err)
	}
	if err := renameio.WriteFile(h.pendingFile(), data, 0o600); err != nil {
		return fmt.Errorf("write what to restore: %w", err)
	}
	err = c.Watch(ctx, p.ID, c.Within)
	if err == nil {
		err = h.met(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("start the process that rolls back: %w", err), h.disarm())
	}
	return nil
}

// met waits for the process that rolls back.
func (h *Host) met(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it has not begun within %v", startTime))
	defer cancel()
	for {
		p, err := h.pending()
		if err != nil || p != nil && p.watched {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// disarm forgets the change that waits; none is no error.
func (h *Host) disarm() error {
	if err := os.Remove(h.pendingFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what to restore: %w", err)
	}
	return nil
}

// Confirm makes the change that waits stand for good, also where others have
// flushed or changed its table meanwhile.
func (h *Host) Confirm(ctx context.Context) error {
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
	if err := h.putRight(waiting.After); err != nil {
		return err
	}
	return h.disarm()
}

// Hold reports whether a change waits that somebody will roll back. It keeps it
// standing, where others have flushed or changed its table meanwhile.
func (h *Host) Hold(ctx context.Context) (bool, error) {
	if p, err := h.pending(); err != nil || p == nil || !p.watched {
		return false, err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	waiting, err := h.pending() // it may have been over before we had the lock
	if err != nil || waiting == nil || !waiting.watched {
		return false, err
	}
	return true, h.putRight(waiting.After)
}

// putRight applies a policy, unless it stands as it should.
func (h *Host) putRight(p *Policy) error {
	state, err := h.conn.read()
	if err != nil || p == nil || state != nil && len(state.Drift(*p)) == 0 {
		return err
	}
	return h.enforce(p)
}

// Await waits, by a clock that nobody sets, and then restores what stood before
// the change, unless it has been confirmed or replaced. If the context ends
// before that, it does so then: nobody would be left to do it later.
func (h *Host) Await(ctx context.Context, id string, within time.Duration) error {
	f, err := h.keepWatch(ctx, id)
	if err != nil || f == nil {
		return err
	}
	defer f.Close()
	if !h.waits(ctx, id, within) {
		return nil
	}
	for range rollBackTries {
		if err = h.rollBack(context.WithoutCancel(ctx), id); err == nil {
			return nil
		}
		select {
		case <-ctx.Done(): // nobody else will do it, so the rest of the tries come at once
		case <-time.After(lookEvery):
		}
		if fresh, dialled := dial(); dialled == nil {
			_ = h.conn.close() // it may still hold answers to what has failed
			h.conn = fresh
		}
	}
	return err
}

// rollBackTries is how often the process that rolls back tries to, since what a
// kernel refuses for lack of memory it may grant in a second.
const rollBackTries = 10

// rollBack restores what stood before a change, if it still waits.
func (h *Host) rollBack(ctx context.Context, id string) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	waiting, err := h.pending()
	if err != nil || waiting == nil || waiting.ID != id {
		return err
	}
	if err := h.enforce(waiting.Before); err != nil {
		return err
	}
	return h.disarm()
}

// waits passes the time, and reports whether the change still waits then.
func (h *Host) waits(ctx context.Context, id string, within time.Duration) bool {
	over := time.After(within)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case <-over:
			return true
		case <-look.C:
			if p, err := h.pending(); err == nil && (p == nil || p.ID != id) {
				return false
			}
		}
	}
}

// keepWatch takes the lock of a change's record, until the file is closed; nil:
// that change waits no more.
func (h *Host) keepWatch(ctx context.Context, id string) (*os.File, error) {
	f, err := os.Open(h.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, unlockable("open what to restore", err)
	}
	p, err := h.readPending(f)
	if err == nil && p.ID == id {
		err = waitLock(ctx, f) // who looks whether it is taken has it for a moment
	}
	if err != nil || p.ID != id {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Pending tells of a change that has not been confirmed; nil if there is none.
func (h *Host) Pending() (*Pending, error) {
	p, err := h.pending()
	if err != nil || p == nil {
		return nil, err
	}
	return &Pending{Until: p.Until, Orphaned: !p.watched}, nil
}

func (h *Host) pending() (*pending, error) {
	f, err := os.Open(h.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, unlockable("open what waits to be confirmed", err)
	}
	defer f.Close()
	p, err := h.readPending(f)
	if err != nil || p.Boot != bootID() {
		return nil, err // its table has gone with the system that it was of
	}
	free, err := tryLock(f)
	p.watched = !free
	return p, err
}

func (h *Host) readPending(f *os.File) (*pending, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read what waits to be confirmed: %w", err)
	}
	var p pending
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, &fault.Error{Where: h.pendingFile(), What: "is damaged", Cause: err, Hint: "remove it, and apply again"}
	}
	return &p, nil
}

func (h *Host) pendingFile() string { return filepath.Join(h.dir, "lockdown-pending.json") }
