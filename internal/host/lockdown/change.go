package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

// Host is the firewall of the network namespace that it is opened in. It is
// not for several goroutines at once.
type Host struct {
	dir  string
	conn *conn
}

// Open opens the firewall, for which no right is needed. The folder is for the
// lock of changes and for one that waits to be confirmed; it should be gone
// after a reboot, as the firewall is.
func Open(dir string) (*Host, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	return &Host{dir: dir, conn: conn}, nil
}

// Close waits, after a change, some milliseconds for the kernel to free the
// former table. The new one guards already: do first what else there is to do.
func (h *Host) Close() error { return h.conn.close() }

// Read returns what stands, nil if our table is not there. Users can see
// neither that nor anything else of it without CAP_NET_ADMIN.
func (h *Host) Read() (*State, error) { return h.conn.read() }

// Forget strikes a user from the count of refusals.
func (h *Host) Forget(uid uint32) error { return h.conn.forget(uid) }

// Change is a wish for another table.
type Change struct {
	Policy *Policy // nil: none
	// May looks at what stands when it is this change's turn, nil for no table;
	// its error stops the change. nil: whatever stands is replaced.
	May func(stands *State) error
	// Test proves the new table. If it fails, what stood before is restored. nil: no test.
	Test func(ctx context.Context) error
	// Within is how long the change stands without Confirm; 0: for good. Watch
	// must start a process that calls Host.Await with the same id and time, and
	// outlives this one.
	Within time.Duration
	Watch  func(ctx context.Context, id string, within time.Duration) error
}

// Make makes the change, or leaves what stands. A change that waits to be
// confirmed is not replaced, but for one that nobody waits for any more: what
// stood before that is then restored if this one fails.
func (h *Host) Make(ctx context.Context, c Change) error {
	if c.Policy != nil {
		if err := c.Policy.Check(); err != nil {
			return err
		}
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	waiting, err := h.pending()
	if err != nil {
		return err
	}
	if waiting != nil && waiting.watched && c.Policy != nil {
		return &fault.Error{
			What: "the last change waits to be confirmed until " + waiting.Until.Format(time.TimeOnly),
			Hint: "run `postern host lockdown confirm`, or wait until it is rolled back",
		}
	}
	before, err := h.before(c, waiting)
	if err != nil {
		return err
	}
	// Whoever is to roll back must be there before there is something to roll back.
	if c.Within > 0 {
		if err := h.arm(ctx, c, before); err != nil {
			return err
		}
	}
	if err := h.enforce(c.Policy); err != nil {
		if waiting == nil {
			err = errors.Join(err, h.disarm())
		}
		return err // what stood stands, and waits if it did
	}
	if c.Test != nil {
		if err := c.Test(ctx); err != nil {
			return h.undo(err, before)
		}
	}
	if c.Within > 0 {
		return nil
	}
	return h.disarm()
}

// before is the policy to restore if the change fails, nil for no table: the
// last that was confirmed. Where nothing needs to know, nothing is read.
func (h *Host) before(c Change, waiting *pending) (*Policy, error) {
	if c.May == nil && (c.Test == nil && c.Within == 0 || waiting != nil) {
		return waiting.before(), nil
	}
	s, err := h.conn.read()
	if err != nil {
		return nil, err
	}
	if c.May != nil {
		if err := c.May(s); err != nil {
			return nil, err
		}
	}
	if waiting != nil || s == nil {
		return waiting.before(), nil
	}
	return &s.Policy, nil
}

func (h *Host) enforce(p *Policy) error {
	if p != nil {
		return h.conn.apply(*p)
	}
	_, err := h.conn.remove()
	return err
}

// undo restores what stood before. If that fails, whoever waits will try again.
func (h *Host) undo(why error, before *Policy) error {
	if err := h.enforce(before); err != nil {
		return errors.Join(why, fmt.Errorf("restore what stood before: %w", err))
	}
	return errors.Join(why, h.disarm())
}

// lock waits until no other process changes the firewall.
func (h *Host) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return nil, unlockable("make folder for the lock", err)
	}
	f, err := os.OpenFile(filepath.Join(h.dir, "lockdown.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unlockable("open lock", err)
	}
	if err := waitLock(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// waitLock takes the file's lock, which ends with the file or the process.
func waitLock(ctx context.Context, f *os.File) error {
	for {
		taken, err := tryLock(f)
		switch {
		case err != nil:
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		case taken:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
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
