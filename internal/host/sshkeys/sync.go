package sshkeys

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

// Host changes the accounts of a machine.
type Host interface {
	// Lock keeps other syncs out until it is released.
	Lock(ctx context.Context) (release func() error, err error)
	// State reads what stands now.
	State(ctx context.Context) (State, error)
	// Do takes a step. One that is taken already is no error.
	Do(ctx context.Context, s Step) error
}

// Sync brings a host in line with IAM.
type Sync struct {
	IAM     IAM // by Readers at once
	Host    Host
	Groups  GroupSource
	TagKey  string // of the IAM users' tag with an ed25519 key; empty: none is read
	Readers int    // how many users' keys are read at once; 0: one
	Path    string // of the snapshot
	GID     int    // of those who may read it; -1: root alone
	Policy  Policy
	Now     func() time.Time
	Audit   func(Event)
}

// Report is what one round did.
type Report struct {
	At       time.Time
	Complete bool // IAM answered without a gap
	Calls    int  // to IAM, pages of groups counted as one
	Done     []Step
	Changes  []Event    // of users and keys
	Snapshot *Snapshot  // as it stands now; nil: none was read, nor written
	Problems fault.List // what was refused, put off or went wrong; nobody else was kept waiting for it
}

// Once runs one round. The error is about the round as a whole: IAM did not
// answer fully, the host could not be read, the snapshot not written. What
// concerns single users is in the report.
func (s *Sync) Once(ctx context.Context) (*Report, error) {
	release, err := s.Host.Lock(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{At: s.Now()}
	err = s.round(ctx, r)
	return r, errors.Join(err, release())
}

func (s *Sync) round(ctx context.Context, r *Report) error {
	previous := s.previous(r)
	answer, gap := s.ask(ctx, previous, r)
	r.Complete = answer.Complete
	if err := ctx.Err(); err != nil {
		return err
	}
	state, err := s.Host.State(ctx)
	if err != nil {
		return errors.Join(gap, err)
	}
	plan := Make(Input{Previous: previous, Answer: answer, State: state, Policy: s.Policy})
	r.Problems = append(r.Problems, plan.Problems...)
	if len(plan.Before) > 0 {
		s.take(ctx, plan.Before, r)
		if state, err = s.Host.State(ctx); err != nil {
			return errors.Join(gap, err)
		}
	}
	next, after := plan.Settle(state)
	// Before the snapshot: events are rather told twice than lost.
	r.Changes = changes(previous, next, r.At)
	for _, e := range r.Changes {
		s.Audit(e)
	}
	if err := Write(s.Path, next, s.GID); err != nil {
		return errors.Join(gap, err)
	}
	r.Snapshot = next
	s.take(ctx, after, r)
	return errors.Join(gap, ctx.Err())
}

// previous reads the last snapshot. Without a good one the marks on the
// accounts still say which are Postern's.
func (s *Sync) previous(r *Report) *Snapshot {
	previous, err := Read(s.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Problems = append(r.Problems, err)
	}
	r.Snapshot = previous
	return previous
}

// take takes steps. After one that fails, the same user's others wait for the
// next round; other users do not.
func (s *Sync) take(ctx context.Context, steps []Step, r *Report) {
	failed := map[uint32]bool{}
	for _, step := range steps {
		if ctx.Err() != nil {
			return
		}
		if failed[step.UID] {
			continue
		}
		if err := s.Host.Do(ctx, step); err != nil {
			failed[step.UID] = step.UID != 0
			r.Problems = append(r.Problems, &fault.Error{Where: "account " + step.Name, What: string(step.Kind), Cause: err})
			continue
		}
		r.Done = append(r.Done, step)
		s.Audit(Event{At: s.Now(), Kind: AccountChanged, Account: step.Name, UID: step.UID, Detail: step.text()})
	}
}

// Run syncs every interval, give or take half of it, so that a fleet that
// starts at once does not ask at once. After failures it waits longer, but
// never so long that keys grow stale. It returns when ctx ends. Each round is
// handed to done.
func (s *Sync) Run(ctx context.Context, interval time.Duration, done func(*Report, error)) error {
	for failures := 0; ; {
		r, err := s.Once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		done(r, err)
		if failures++; err == nil {
			failures = 0
		}
		wait := time.NewTimer(jitter(backOff(interval, s.Policy.MaxStale, failures)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// backOff doubles the interval with each failure in a row, up to eight times
// and to a sixth of the time after which keys are stale.
func backOff(interval, maxStale time.Duration, failures int) time.Duration {
	return max(interval, min(interval<<min(failures, 3), maxStale/6))
}

// jitter is a time between half and one and a half times d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+1) //nolint:gosec // it spreads load, it keeps no secret
}
