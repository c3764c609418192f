package stack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/spec"
)

// backOff are the pauses of something that is tried until it works.
type backOff struct {
	first, most time.Duration // of one pause, before jitter; it doubles
	total       time.Duration // until no further try begins
}

// showing is how long AWS is given to show what was changed. IAM's reads lag
// behind its changes by seconds, rarely by more.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
var showing = backOff{first: 400 * time.Millisecond, most: 5 * time.Second, total: 30 * time.Second}

// until calls try until it says true. After total it returns what the last try
// did. An error is a reason to try again unless AWS does not let us in.
func (b backOff) until(ctx context.Context, try func(context.Context) (bool, error)) (bool, error) {
	began := time.Now()
	for wait := b.first; ; wait = min(2*wait, b.most) {
		ok, err := try(ctx)
		if ok && err == nil || err != nil && (ctx.Err() != nil || fault.ExitCode(err) == fault.Auth) {
			return ok, err
		}
		left := b.total - time.Since(began)
		if left <= 0 {
			return false, err
		}
		pause := time.NewTimer(min(left, wait/2+rand.N(wait/2)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return false, ctx.Err()
		}
	}
}

// awaitShown reads the accounts until they stand as the spec says. What is
// proved any earlier may be what stood before.
func (t *target) awaitShown(ctx context.Context, s *spec.Spec) (*estate.Estate, error) {
	var last *proposal
	shown, err := showing.until(ctx, func(ctx context.Context) (bool, error) {
		p, err := t.propose(ctx, s)
		if err != nil {
			return false, err
		}
		last = p
		return p.plan.Empty(), nil
	})
	if err == nil && !shown {
		err = notShown(last.plan.Changes)
	}
	if err != nil {
		return nil, err
	}
	return last.observed, nil
}

// notShown says which changes AWS still does not show.
func notShown(changes []plan.Change) error {
	var list []string
	for i, c := range changes {
		if i == 5 {
			list = append(list, fmt.Sprintf("and %d more", len(changes)-i))
			break
		}
		kind, name := kindAndName(c.Entity)
		list = append(list, strings.TrimSpace(string(c.Verb)+" "+kind+" "+name+" "+changeObject(c)))
	}
	return &fault.Error{
		What: "all changes were made, but " + showing.total.String() + " later AWS does not show them all, so nothing is proved yet:\n" + strings.Join(list, "\n"),
		Hint: "run postern up again in a minute: it makes what is really missing, and proves",
	}
}
