package apply

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/plan"
)

// Run makes the changes through ch: stages in order; within a stage entities
// side by side; of one entity its changes in order. After the first failure,
// or once ctx ends, no call begins any more; those in flight come to their end
// (for at most Options.Grace after ctx ended). The report has a result for
// every change. The error is nil only if all are done.
func Run(ctx context.Context, changes []plan.Change, ch Changer, o Options) (Report, error) {
	stop, halt := context.WithCancel(ctx)
	defer halt()
	// A call that was sent may have done its work: cutting it off would only
	// lose the answer.
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	r := &run{
		stop: stop, halt: halt, calls: calls, ch: ch, o: o.withDefaults(),
		results: make([]Result, len(changes)), gates: map[string]*gate{},
	}
	defer context.AfterFunc(ctx, func() {
		grace := time.AfterFunc(r.o.Grace, cut)
		context.AfterFunc(calls, func() { grace.Stop() })
	})()
	for i, c := range changes {
		r.results[i].Change = c
		if r.gates[c.Account] == nil {
			r.gates[c.Account] = newGate(r.o.Concurrency)
		}
	}
	for _, lanes := range stages(changes) {
		r.stage(lanes)
	}
	report := Report{Results: r.results}
	return report, report.err(ctx, r.cause)
}

// lane is the changes of one entity within a stage, as indexes into the plan.
type lane []int

// stages groups changes by stage and then by entity, both in plan order.
func stages(changes []plan.Change) [][]lane {
	order := make([]int, len(changes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(changes[a].Stage, changes[b].Stage) })
	type key struct {
		stage           int
		account, entity string
	}
	var out [][]lane
	at := map[key]int{}
	for n, i := range order {
		c := changes[i]
		if n == 0 || changes[order[n-1]].Stage != c.Stage {
			out = append(out, nil)
		}
		stage := &out[len(out)-1]
		k := key{c.Stage, c.Account, c.Entity}
		if _, seen := at[k]; !seen {
			at[k] = len(*stage)
			*stage = append(*stage, nil)
		}
		(*stage)[at[k]] = append((*stage)[at[k]], i)
	}
	return out
}

// run is one Run under way. Each element of results is written by the one
// lane that holds its change; gates is read-only once the first stage begins.
type run struct {
	stop    context.Context // ends when no call may begin any more
	halt    func()
	calls   context.Context // what calls in flight run under
	ch      Changer
	o       Options
	results []Result
	gates   map[string]*gate // by account
	telling sync.Mutex
	ending  sync.Once
	cause   int // the change whose failure ended the run; read once all lanes have ended
}

func (r *run) stage(lanes []lane) {
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() {
			for _, i := range l {
				if !r.change(i) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// change makes one change, again and again while its failure may pass. It
// returns whether the lane may go on.
func (r *run) change(i int) bool {
	res := &r.results[i]
	g := r.gates[res.Change.Account]
	b := budget{policy: r.o.Retry}
	for wait := r.o.Retry.First; ; wait = min(2*wait, r.o.Retry.Most) {
		took, called, err := r.attempt(i, g)
		switch {
		case !called:
			return false // Failed if there was an earlier attempt, else NotTried
		case err == nil:
			res.State, res.Err = Done, nil
			r.tell(i, Event{Step: Made})
			return true
		}
		res.State, res.Err = Failed, err
		left := b.left(err, took, g)
		if left <= 0 {
			r.ending.Do(func() { r.cause = i })
			r.halt()
			r.tell(i, Event{Step: Gave, Err: err})
			return false
		}
		pause := min(jitter(wait), left) // the last attempt is when the budget ends
		r.tell(i, Event{Step: Waiting, Err: err, Wait: pause})
		if !sleep(r.stop, pause) {
			return false
		}
		b.spent += pause
	}
}

// attempt makes one call under the account's gate and says how long it took,
// without the time in the queue. called is false if the run stopped before.
func (r *run) attempt(i int, g *gate) (took time.Duration, called bool, err error) {
	res := &r.results[i]
	ticket, ok := g.enter(r.stop.Done())
	if !ok {
		return 0, false, nil
	}
	throttled := false
	defer func() { g.leave(ticket, throttled) }()
	if r.stop.Err() != nil {
		return 0, false, nil
	}
	res.Attempts++
	if res.Attempts == 1 {
		r.tell(i, Event{Step: Began})
	}
	began := time.Now()
	err = r.ch.Change(r.calls, res.Change)
	again, retryable := errors.AsType[*Retryable](err)
	throttled = retryable && again.Throttled
	return time.Since(began), true, err
}

func (r *run) tell(i int, e Event) {
	e.Index, e.Change, e.Attempt = i, r.results[i].Change, r.results[i].Attempts
	r.telling.Lock()
	defer r.telling.Unlock()
	r.o.Progress(e)
}

// budget is how long one change has been failing in ways that may pass.
type budget struct {
	policy Retry
	since  time.Time     // the first failure; zero: none yet
	spent  time.Duration // since then, in attempts and pauses
}

// left says how long it makes sense to wait after a failure of an attempt that
// took so long; 0 or less: no longer.
//
// The time in the queue behind other entities does not count: nothing was tried
// in it. A throttled change does not fail for what it is: as long as the account
// lets others through, its turn comes.
func (b *budget) left(err error, took time.Duration, g *gate) time.Duration {
	again, ok := errors.AsType[*Retryable](err)
	if !ok {
		return 0
	}
	if b.since.IsZero() {
		b.since = time.Now()
	} else {
		b.spent += took
	}
	if again.Throttled {
		return b.policy.Total - time.Since(later(b.since, g.lastGranted()))
	}
	return patience(again, b.policy) - b.spent
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func patience(again *Retryable, policy Retry) time.Duration {
	if again.Within > 0 {
		return min(again.Within, policy.Total)
	}
	return policy.Total
}

// jitter spreads waits over [d/2, d), so that entities that failed together
// do not come back together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(max(d/2, 1))
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
