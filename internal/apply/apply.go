// Package apply runs a plan: stage by stage, entities side by side, within the
// rate that AWS grants. It decides nothing that the plan did not decide, and
// reports each change that was made, failed or was not tried.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

// Changer makes one change in one account. It returns when AWS has accepted
// the call. A failure that may pass with time is wrapped in a Retryable. It is
// called from several goroutines at once.
type Changer interface {
	Change(ctx context.Context, c plan.Change) error
}

// Retryable is a failure that may pass with time, such as a principal that
// IAM does not see yet.
type Retryable struct {
	Err       error
	Throttled bool          // AWS asked for a slower pace
	Within    time.Duration // longest that waiting makes sense; 0: as long as the policy allows
}

// Error gives the cause's text.
func (r *Retryable) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Retryable) Unwrap() error { return r.Err }

// Retry bounds the repetition of one change. Zero fields take the defaults.
type Retry struct {
	First time.Duration // the first wait, before jitter; default 500 ms, then doubling
	Most  time.Duration // the longest single wait; default 10 s
	// Total is how long a change may go on failing, in attempts and pauses,
	// before it is given up; default 90 s. A throttled one is given up once the
	// account has let nothing at all through for so long.
	Total time.Duration
}

// Options tune a run. The zero value is fit for AWS.
type Options struct {
	// Concurrency is how many calls may be in flight in one account; default
	// 8. A throttled call halves it for that account, each full round of
	// unthrottled ones gives one back.
	Concurrency int
	Retry       Retry
	// Grace is how long calls in flight may go on after ctx ends; default 30 s.
	Grace time.Duration
	// Progress is told of each step, one call at a time; may be nil.
	Progress func(Event)
}

// Event is one step of a run.
type Event struct {
	Index   int // of the change in the plan
	Change  plan.Change
	Step    Step
	Attempt int           // from 1
	Wait    time.Duration // before the next attempt; for Waiting only
	Err     error         // for Waiting and Gave
}

// Step is what an Event tells.
type Step uint8

// The steps of a change.
const (
	Began   Step = iota // the first attempt begins
	Waiting             // an attempt failed, another follows
	Made                // AWS accepted the change
	Gave                // the change failed for good
)

// State is how far a change came.
type State uint8

// The states of a change after a run.
const (
	NotTried State = iota // no call was made
	Failed                // a call was made and failed: what it did shows in the next plan
	Done                  // AWS accepted it
)

// String gives the state in the words of the report.
func (s State) String() string {
	return [...]string{NotTried: "not tried", Failed: "failed", Done: "done"}[s]
}

// Result is what became of one change.
type Result struct {
	Change   plan.Change
	State    State
	Attempts int
	Err      error // nil unless Failed
}

// Report holds one result for each change, in the plan's order.
type Report struct {
	Results []Result
}

// Of returns the results in a state, in the plan's order.
func (r Report) Of(s State) []Result {
	var out []Result
	for _, res := range r.Results {
		if res.State == s {
			out = append(out, res)
		}
	}
	return out
}

// err is the run's outcome as one error: nil if every change is done. First
// comes an interruption, else the failure that ended the run: it sets the exit
// code.
func (r Report) err(ctx context.Context, cause int) error {
	var list fault.List
	done := len(r.Of(Done))
	if done < len(r.Results) && ctx.Err() != nil {
		list = append(list, &fault.Error{
			Code: fault.Interrupted,
			What: fmt.Sprintf("interrupted: %d of %d changes made", done, len(r.Results)),
			Hint: "run postern plan to see what remains, postern apply to finish it",
		})
	}
	for i, res := range r.Results {
		switch {
		case res.State != Failed:
		case i == cause && ctx.Err() == nil:
			list = slices.Insert(list, 0, located(res))
		default:
			list = append(list, located(res))
		}
	}
	return list.Err()
}

// located makes sure that a failure names what it failed on.
func located(res Result) error {
	if _, ok := errors.AsType[*fault.Error](res.Err); ok {
		return res.Err
	}
	return &fault.Error{Where: res.Change.Entity, What: string(res.Change.Verb), Cause: res.Err}
}

func (o Options) withDefaults() Options {
	setDefault(&o.Concurrency, 8)
	setDefault(&o.Grace, 30*time.Second)
	setDefault(&o.Retry.First, 500*time.Millisecond)
	setDefault(&o.Retry.Most, 10*time.Second)
	setDefault(&o.Retry.Total, 90*time.Second)
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	return o
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
