package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

const account = "111111111111"

// fake is a Changer whose calls take a second, those to entity b half of one,
// and answer what script says.
type fake struct {
	script func(c plan.Change, attempt int) error // nil: every call succeeds
	takes  time.Duration                          // default 1 s

	mu    sync.Mutex
	tries map[string]int
	began []string // VERB ENTITY in order of call
	ended []string
	busy  int
	peak  int
	peaks map[time.Time]int // most calls side by side as they began at an instant
}

func (f *fake) Change(ctx context.Context, c plan.Change) error {
	id := string(c.Verb) + " " + c.Entity
	f.mu.Lock()
	if f.tries == nil {
		f.tries, f.peaks = map[string]int{}, map[time.Time]int{}
	}
	f.tries[id]++
	attempt := f.tries[id]
	f.began = append(f.began, id)
	f.busy++
	f.peak = max(f.peak, f.busy)
	f.peaks[time.Now()] = max(f.peaks[time.Now()], f.busy)
	f.mu.Unlock()

	takes := f.takes
	if takes == 0 {
		takes = time.Second
	}
	if c.Entity == "b" {
		takes /= 2
	}
	var err error
	select {
	case <-time.After(takes):
		if f.script != nil {
			err = f.script(c, attempt)
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
	f.ended = append(f.ended, id)
	return err
}

func change(stage int, entity string, verb plan.Verb) plan.Change {
	return plan.Change{Account: account, Stage: stage, Entity: entity, Verb: verb}
}

// small is a plan of two stages: roles a and b, then a's detachment.
var small = []plan.Change{
	change(0, "a", plan.CreateRole), change(0, "a", plan.PutRolePolicy), change(0, "b", plan.CreateRole),
	change(1, "a", plan.DetachRolePolicy),
}

func states(r Report) []string {
	var out []string
	for _, res := range r.Results {
		out = append(out, fmt.Sprintf("%s %s: %s after %d", res.Change.Verb, res.Change.Entity, res.State, res.Attempts))
	}
	return out
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestRunMakesAllInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		began := time.Now()
		report, err := Run(t.Context(), small, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, states(report), []string{
			"CreateRole a: done after 1", "PutRolePolicy a: done after 1", "CreateRole b: done after 1",
			"DetachRolePolicy a: done after 1",
		})
		// a and b run side by side, a's second call after its first, then stage 1.
		equal(t, time.Since(began), 3*time.Second)
	})
}

func TestRunBoundsConcurrencyPerAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []plan.Change
		for i := range 40 {
			changes = append(changes, change(0, fmt.Sprint(i), plan.CreateRole))
		}
		f := &fake{}
		if _, err := Run(t.Context(), changes, f, Options{Concurrency: 5}); err != nil {
			t.Fatal(err)
		}
		equal(t, f.peak, 5)

		for i := range changes[:20] {
			changes[i].Account = "222222222222"
		}
		f = &fake{}
		if _, err := Run(t.Context(), changes, f, Options{Concurrency: 5}); err != nil {
			t.Fatal(err)
		}
		equal(t, f.peak, 10)
	})
}

func TestRunStopsAtAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		f := &fake{script: func(c plan.Change, _ int) error {
			if c.Verb == plan.CreateRole && c.Entity == "b" {
				return boom
			}
			return nil
		}}
		report, err := Run(t.Context(), small, f, Options{})
		// a's first call was in flight: it ends. Its second is not begun.
		equal(t, states(report), []string{
			"CreateRole a: done after 1", "PutRolePolicy a: not tried after 0", "CreateRole b: failed after 1",
			"DetachRolePolicy a: not tried after 0",
		})
		if !errors.Is(err, boom) || err.Error() != "b: CreateRole: boom" || fault.ExitCode(err) != fault.General {
			t.Errorf("error %q, exit code %d", err, fault.ExitCode(err))
		}
		equal(t, len(report.Of(NotTried)), 2)
	})
}

func TestRunFailureEndsAnothersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lag := &Retryable{Err: errors.New("not visible yet")}
		f := &fake{script: func(c plan.Change, attempt int) error {
			if c.Entity == "a" {
				return lag
			}
			if attempt < 3 {
				return lag
			}
			return &fault.Error{Code: fault.Auth, Where: "b", What: "access denied"}
		}}
		began := time.Now()
		report, err := Run(t.Context(), small, f, Options{Retry: Retry{Total: time.Hour}})
		if time.Since(began) > 20*time.Second {
			t.Errorf("went on for %s after the failure", time.Since(began))
		}
		equal(t, len(report.Of(Failed)), 2)
		// What ended the run comes first and gives the exit code.
		equal(t, err.Error(), "b: access denied\na: CreateRole: not visible yet")
		equal(t, report.Results[0].Err.Error(), "not visible yet")
		equal(t, fault.ExitCode(err), fault.Auth)
	})
}

func TestRunRetries(t *testing.T) {
	lag := func(within time.Duration) error {
		return fmt.Errorf("create role: %w", &Retryable{Err: errors.New("invalid principal"), Within: within})
	}
	one := []plan.Change{change(0, "a", plan.CreateRole)}
	tests := []struct {
		name          string
		script        func(plan.Change, int) error
		retry         Retry
		state         State
		attempts      int // exactly; 0: not checked
		least, longer time.Duration
	}{
		{
			name: "passes at the third attempt", state: Done, attempts: 3,
			script: func(_ plan.Change, attempt int) error {
				if attempt < 3 {
					return lag(0)
				}
				return nil
			},
			least: 3*time.Second + 750*time.Millisecond, longer: 3*time.Second + 1500*time.Millisecond,
		},
		{
			name: "gives up after the total", state: Failed,
			script: func(plan.Change, int) error { return lag(0) },
			least:  91 * time.Second, longer: 92 * time.Second,
		},
		{
			name: "gives up earlier if the failure says so", state: Failed,
			script: func(plan.Change, int) error { return lag(15 * time.Second) },
			least:  16 * time.Second, longer: 17 * time.Second,
		},
		{
			name: "the policy bounds what the failure asks", state: Failed,
			script: func(plan.Change, int) error { return lag(time.Hour) }, retry: Retry{Total: 4 * time.Second},
			least: 5 * time.Second, longer: 6 * time.Second,
		},
		{
			name: "never repeats what is not retryable", state: Failed, attempts: 1,
			script: func(plan.Change, int) error { return errors.New("malformed") },
			least:  time.Second, longer: time.Second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				report, err := Run(t.Context(), one, &fake{script: tt.script}, Options{Retry: tt.retry})
				took := time.Since(began)
				res := report.Results[0]
				if res.State != tt.state || (err == nil) != (tt.state == Done) || (res.Err == nil) != (tt.state == Done) {
					t.Errorf("state %s, error %v, result's error %v", res.State, err, res.Err)
				}
				if tt.attempts != 0 && res.Attempts != tt.attempts {
					t.Errorf("%d attempts, want %d", res.Attempts, tt.attempts)
				}
				if took < tt.least || took > tt.longer {
					t.Errorf("took %s, want %s to %s", took, tt.least, tt.longer)
				}
			})
		})
	}
}

func TestRunInterrupted(t *testing.T) {
	tests := []struct {
		name   string
		takes  time.Duration
		script func(plan.Change, int) error
		want   []string
		took   time.Duration
		err    string
	}{
		{
			name: "calls in flight come to their end", takes: time.Second,
			want: []string{
				"CreateRole a: done after 1", "PutRolePolicy a: not tried after 0", "CreateRole b: done after 1",
				"DetachRolePolicy a: not tried after 0",
			},
			took: time.Second, err: "interrupted: 2 of 4 changes made",
		},
		{
			name: "but not for ever", takes: time.Hour,
			want: []string{
				"CreateRole a: failed after 1", "PutRolePolicy a: not tried after 0", "CreateRole b: failed after 1",
				"DetachRolePolicy a: not tried after 0",
			},
			took: 30*time.Second + 300*time.Millisecond,
			err:  "interrupted: 0 of 4 changes made\na: CreateRole: context canceled\nb: CreateRole: context canceled",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(300*time.Millisecond, cancel)
				began := time.Now()
				report, err := Run(ctx, small, &fake{takes: tt.takes, script: tt.script}, Options{})
				equal(t, time.Since(began), tt.took)
				equal(t, states(report), tt.want)
				equal(t, err.Error(), tt.err)
				equal(t, fault.ExitCode(err), fault.Interrupted)
			})
		})
	}
}

func TestRunInterruptedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{script: func(plan.Change, int) error { return &Retryable{Err: errors.New("not yet")} }}
		time.AfterFunc(20*time.Second, cancel)
		began := time.Now()
		report, err := Run(ctx, small[:1], f, Options{})
		if took := time.Since(began); took > 21*time.Second {
			t.Errorf("took %s", took)
		}
		equal(t, report.Results[0].State, Failed)
		equal(t, fault.ExitCode(err), fault.Interrupted)
	})
}

func TestRunNotBegun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &fake{}
	report, err := Run(ctx, small, f, Options{})
	equal(t, len(f.began), 0)
	equal(t, len(report.Of(NotTried)), len(small))
	equal(t, fault.ExitCode(err), fault.Interrupted)

	if report, err := Run(ctx, nil, f, Options{}); err != nil || len(report.Results) != 0 {
		t.Errorf("an empty plan is done, whatever else: %v, %v", report, err)
	}
}

func TestThrottlingLowersThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []plan.Change
		for i := range 64 {
			changes = append(changes, change(0, fmt.Sprint(i), plan.CreateRole))
		}
		began := time.Now()
		f := &fake{script: func(plan.Change, int) error {
			if time.Since(began) == time.Second { // the whole first round
				return &Retryable{Err: errors.New("slow down"), Throttled: true}
			}
			return nil
		}}
		if _, err := Run(t.Context(), changes, f, Options{}); err != nil {
			t.Fatal(err)
		}
		equal(t, f.peaks[began], 8)
		equal(t, f.peaks[began.Add(time.Second)], 4)
		equal(t, f.peaks[began.Add(2*time.Second)], 5)
	})
}

func TestThrottlingNeverStopsARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{script: func(_ plan.Change, attempt int) error {
			if attempt < 4 {
				return &Retryable{Err: errors.New("slow down"), Throttled: true}
			}
			return nil
		}}
		if _, err := Run(t.Context(), small, f, Options{Concurrency: 1}); err != nil {
			t.Fatal(err)
		}
	})
}

// narrow is an account that lets rate calls per second through, in bursts of
// as many.
type narrow struct {
	rate   float64
	tokens float64
	last   time.Time
	calls  int
}

func (n *narrow) allow(now time.Time) bool {
	n.tokens = min(n.rate, n.tokens+n.rate*now.Sub(n.last).Seconds())
	n.last = now
	n.calls++
	if n.tokens < 1 {
		return false
	}
	n.tokens--
	return true
}

// TestThrottlingAtScale is about an account so slow that most changes spend
// minutes in the queue.
func TestThrottlingAtScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []plan.Change
		for i := range 1000 {
			changes = append(changes, change(0, fmt.Sprint(i), plan.CreateRole))
		}
		var mu sync.Mutex
		account := &narrow{rate: 5}
		began := time.Now()
		report, err := Run(t.Context(), changes, &fake{takes: 100 * time.Millisecond, script: func(plan.Change, int) error {
			mu.Lock()
			defer mu.Unlock()
			if account.allow(time.Now()) {
				return nil
			}
			return &Retryable{Err: errors.New("slow down"), Throttled: true}
		}}, Options{})
		if err != nil {
			t.Errorf("%d done: %.200s", len(report.Of(Done)), err)
		}
		// At best it takes 200 s.
		if took := time.Since(began); took > 250*time.Second {
			t.Errorf("took %s with %d calls", took, account.calls)
		}
	})
}

func TestThrottlingForEverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []plan.Change
		for i := range 1000 {
			changes = append(changes, change(0, fmt.Sprint(i), plan.CreateRole))
		}
		began := time.Now()
		_, err := Run(t.Context(), changes, &fake{takes: 100 * time.Millisecond, script: func(plan.Change, int) error {
			return &Retryable{Err: errors.New("slow down"), Throttled: true}
		}}, Options{})
		if err == nil {
			t.Error("no error")
		}
		if took := time.Since(began); took < 90*time.Second || took > 4*time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

// TestQueueingIsNotWaiting is about a change whose failure passes with its own
// second attempt, while others keep it in the queue for longer than its
// patience.
func TestQueueingIsNotWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := []plan.Change{change(0, "late", plan.CreateRole)}
		for i := range 60 {
			changes = append(changes, change(0, fmt.Sprint(i), plan.CreateRole))
		}
		f := &fake{script: func(c plan.Change, attempt int) error {
			if c.Entity == "late" && attempt < 3 {
				return &Retryable{Err: errors.New("not visible yet"), Within: 20 * time.Second}
			}
			return nil
		}}
		if _, err := Run(t.Context(), changes, f, Options{Concurrency: 1}); err != nil {
			t.Error(err)
		}
	})
}

func TestRunSortsStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		mixed := []plan.Change{change(2, "a", plan.DeleteRolePolicy), change(0, "a", plan.CreateRole), change(1, "c", plan.TagRole), change(0, "a", plan.PutRolePolicy)}
		report, err := Run(t.Context(), mixed, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, f.began, []string{"CreateRole a", "PutRolePolicy a", "TagRole c", "DeleteRolePolicy a"})
		for i, res := range report.Results {
			equal(t, res.Change, mixed[i])
		}
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{script: func(_ plan.Change, attempt int) error {
			if attempt == 1 {
				return &Retryable{Err: errors.New("not yet")}
			}
			return errors.New("no")
		}}
		var got []string
		_, err := Run(t.Context(), small[:1], f, Options{Progress: func(e Event) {
			got = append(got, fmt.Sprintf("%d %s step %d attempt %d waits %v: %v", e.Index, e.Change.Verb, e.Step, e.Attempt, e.Wait > 0, e.Err))
		}})
		if err == nil {
			t.Error("no error")
		}
		equal(t, got, []string{
			"0 CreateRole step 0 attempt 1 waits false: <nil>",
			"0 CreateRole step 1 attempt 1 waits true: not yet",
			"0 CreateRole step 3 attempt 2 waits false: no",
		})
	})
}

// TestRunKeepsOrder draws plans and failures and checks what must hold of any
// run: order within an entity and between stages, the bound on concurrency,
// and a report that agrees with what the Changer saw.
func TestRunKeepsOrder(t *testing.T) {
	verbs := []plan.Verb{plan.CreateRole, plan.PutRolePolicy, plan.TagRole, plan.DeleteRolePolicy, plan.UpdateRole}
	rapid.Check(t, func(rt *rapid.T) {
		var changes []plan.Change
		for stage := range rapid.IntRange(0, 3).Draw(rt, "stages") {
			for e := range rapid.IntRange(1, 6).Draw(rt, "entities") {
				for v := range rapid.IntRange(1, len(verbs)).Draw(rt, "changes") {
					changes = append(changes, change(stage, fmt.Sprintf("%d/%d", stage, e), verbs[v]))
				}
			}
		}
		bad := rapid.IntRange(-1, max(0, len(changes)-1)).Draw(rt, "fails")
		crash := rapid.IntRange(0, 30).Draw(rt, "interrupted after")
		width := rapid.IntRange(1, 4).Draw(rt, "concurrency")
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(time.Duration(crash)*time.Second+time.Millisecond, cancel)
			f := &fake{script: func(c plan.Change, attempt int) error {
				switch {
				case bad >= 0 && bad < len(changes) && cmp.Equal(c, changes[bad]):
					return errors.New("bad")
				case attempt == 1 && c.Verb == plan.TagRole:
					return &Retryable{Err: errors.New("later"), Throttled: true}
				}
				return nil
			}}
			report, err := Run(ctx, changes, f, Options{Concurrency: width})
			checkRun(rt, changes, f, report, err, width)
		})
	})
}

func checkRun(rt *rapid.T, changes []plan.Change, f *fake, report Report, err error, width int) {
	if f.peak > width {
		rt.Errorf("%d calls side by side, bound %d", f.peak, width)
	}
	if !slices.Equal(f.sorted(f.began), f.sorted(f.ended)) {
		rt.Error("a call was left behind")
	}
	undone := map[string]bool{} // entities with a change that is not done
	stage, whole := 0, true     // whether all earlier stages are done
	for i, c := range changes {
		res := report.Results[i]
		id := string(c.Verb) + " " + c.Entity
		if res.Attempts != f.tries[id] || (res.State == NotTried) != (res.Attempts == 0) {
			rt.Errorf("%s: %s after %d attempts, but the changer saw %d", id, res.State, res.Attempts, f.tries[id])
		}
		if c.Stage != stage {
			whole = whole && len(undone) == 0
			stage = c.Stage
		}
		if res.State != NotTried && (undone[c.Entity] || !whole) {
			rt.Errorf("%s: %s although something before it is not done", id, res.State)
		}
		if res.State != Done {
			undone[c.Entity] = true
		}
	}
	if (err == nil) != (len(undone) == 0) {
		rt.Errorf("error %v with %d entities undone", err, len(undone))
	}
}

func (f *fake) sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
