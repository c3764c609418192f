package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/sandbox"
)

// shop is the example that make run brings up; its accounts are hub and work.
const shop = "../../examples/shop"

// shopSandbox serves an AWS with the accounts of the shop.
func shopSandbox(t *testing.T, opt sandbox.Options) *sandbox.Server {
	t.Helper()
	opt.HomeAccount = hub
	opt.Accounts = []sandbox.AccountConfig{{ID: hub}, {ID: work, AdminRole: adminRole}}
	return startSandbox(t, opt)
}

// mutates says whether a call changes IAM.
func mutates(action string) bool {
	name, isIAM := strings.CutPrefix(action, "iam:")
	return isIAM && !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List")
}

// at is a trap for the nth change of IAM. It may be set again.
type at struct {
	mu     sync.Mutex
	left   int // changes until the trap; 0: not set
	spring func() *sandbox.Fault
	seen   int // changes since it was set
}

// disarm counts from zero again.
func (a *at) disarm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left, a.seen = 0, 0
}

// start starts a program and sets the trap for its nth change.
func (a *at) start(t *testing.T, cmd *exec.Cmd, n int, spring func() *sandbox.Fault) {
	t.Helper()
	a.mu.Lock() // no change before the trap is set
	defer a.mu.Unlock()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.left, a.spring, a.seen = n, spring, 0
}

// changes is how many there were since set.
func (a *at) changes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

func (a *at) fault(_, action string, _ int) *sandbox.Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !mutates(action) {
		return nil
	}
	a.seen++
	if a.left--; a.left != 0 {
		return nil
	}
	return a.spring()
}

// shopRun runs the program on the shop and wants an exit code.
func shopRun(t *testing.T, s *sandbox.Server, want int, args ...string) result {
	t.Helper()
	r := run(t, "", alone(t.TempDir(), s.Env()), append(args, shop)...)
	if r.code != want {
		t.Fatalf("postern %v: exit code %d, want %d\n%s%s", args, r.code, want, r.out, r.err)
	}
	return r
}

// leavesNothing destroys the shop and wants no trace of it.
func leavesNothing(t *testing.T, s *sandbox.Server) {
	t.Helper()
	shopRun(t, s, 0, "destroy", "--yes")
	says(t, shopRun(t, s, 0, "plan", "--destroy", "--detailed-exitcode").out, "no changes")
	// Whatever a fresh apply creates was not there.
	says(t, shopRun(t, s, 2, "plan", "--detailed-exitcode").out, "Plan: 7 to create, 0 to change, 0 to delete, in 14 calls")
}

// TestKilledAtEveryChange kills the program at each change that apply and
// destroy make, before and after AWS has carried it out. The next run finishes
// what the last one left.
func TestKilledAtEveryChange(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault sandbox.Fault
		twice int // changes that are asked for again
	}{
		{"before it has an effect", sandbox.Fault{DropBefore: true}, 1},
		{"after it had its effect", sandbox.Fault{DropAfter: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trap := &at{}
			s := shopSandbox(t, sandbox.Options{Faults: trap.fault})
			shopRun(t, s, 0, "apply", "--yes") // how many changes there are
			total := trap.changes()
			if total != 14 {
				t.Fatalf("applying the shop takes %d changes, want 14", total)
			}
			trap.disarm()
			leavesNothing(t, s)
			undoing := trap.changes()
			for n := 1; n <= total; n++ {
				killedAt(t, s, trap, n, &tt.fault, "apply")
				leavesNothing(t, s)
				killedAt(t, s, trap, n, &tt.fault, "apply")
				shopRun(t, s, 0, "apply", "--yes")
				if all := trap.changes(); all != total+tt.twice {
					t.Errorf("killed at change %d, and finished: %d changes, want %d", n, all, total+tt.twice)
				}
				says(t, shopRun(t, s, 0, "plan", "--detailed-exitcode").out, "no changes")
				shopRun(t, s, 0, "destroy", "--yes")
			}
			for n := 1; n <= undoing; n++ {
				shopRun(t, s, 0, "apply", "--yes")
				killedAt(t, s, trap, n, &tt.fault, "destroy")
				leavesNothing(t, s)
			}
		})
	}
}

// killedAt runs a command until its nth change, at which it dies.
func killedAt(t *testing.T, s *sandbox.Server, trap *at, n int, f *sandbox.Fault, verb string) {
	t.Helper()
	cmd := command(t, "", alone(t.TempDir(), s.Env()), verb, "--yes", shop)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	trap.start(t, cmd, n, func() *sandbox.Fault {
		_ = cmd.Process.Kill() // how it ended is looked at below
		return f
	})
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s was not killed at change %d of %d: %v\n%s", verb, n, trap.changes(), err, &out)
	}
}

// TestInterrupted sends ctrl-C in the middle of an apply: what was begun ends,
// what was not is named, and the next apply does it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			trap := &at{}
			s := shopSandbox(t, sandbox.Options{Faults: trap.fault})
			cmd := command(t, "", alone(t.TempDir(), s.Env()), "apply", "--yes", shop)
			var printed bytes.Buffer
			cmd.Stdout, cmd.Stderr = &printed, &printed
			trap.start(t, cmd, 8, func() *sandbox.Fault {
				_ = cmd.Process.Signal(signal)
				time.Sleep(200 * time.Millisecond) // the signal is there before the answer
				return nil
			})
			err, out := cmd.Wait(), printed.String()
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d, want 130: %v\n%s", code, err, out)
			}
			made := trap.changes()
			if made < 8 || made >= 14 {
				t.Errorf("%d changes, want those begun and no more", made)
			}
			says(t, out,
				fmt.Sprintf("interrupted: %d of 14 changes made", made),
				fmt.Sprintf("%d calls made, 0 failed, %d not tried", made, 14-made),
				"not tried: AddRoleToInstanceProfile instance profile shop-consul", "postern apply to finish it")
			shopRun(t, s, 0, "apply", "--yes")
			if all := trap.changes(); all != 14 {
				t.Errorf("%d changes in both runs, want 14: none twice, none missing", all)
			}
			shopRun(t, s, 0, "plan", "--detailed-exitcode")
		})
	}
}

// TestHardships are what AWS is like on a bad day. The shop comes up all the
// same, is used, and goes.
func TestHardships(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  sandbox.Options
		says string // in the progress
	}{
		{"changes take two seconds to be seen", sandbox.Options{PropagationDelay: 2 * time.Second}, "CreateRole role shop-deploy: waits"},
		{"five calls a second", sandbox.Options{Throttle: 5}, ""},
		{"every tenth answer is lost", sandbox.Options{Faults: everyTenth(&sandbox.Fault{DropAfter: true})}, ""},
		{"every tenth call fails", sandbox.Options{Faults: everyTenth(&sandbox.Fault{Code: "ServiceFailure"})}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shopSandbox(t, tt.opt)
			r := shopRun(t, s, 0, "apply", "--yes")
			says(t, r.err, tt.says, "✓ 14 calls made")
			time.Sleep(tt.opt.PropagationDelay)
			says(t, shopRun(t, s, 0, "plan", "--detailed-exitcode").out, "no changes")
			shopRun(t, s, 0, "destroy", "--yes")
			time.Sleep(tt.opt.PropagationDelay)
			says(t, shopRun(t, s, 0, "plan", "--destroy", "--detailed-exitcode").out, "no changes")
		})
	}
}

func everyTenth(f *sandbox.Fault) func(account, action string, n int) *sandbox.Fault {
	var mu sync.Mutex
	calls := 0
	return func(string, string, int) *sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%10 == 0 {
			return f
		}
		return nil
	}
}
