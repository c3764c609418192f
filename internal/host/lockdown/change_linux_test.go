package lockdown

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/internal/fault"
)

// stands asks which users may, -1 for no table.
func stands(t *testing.T) []int {
	t.Helper()
	s, err := open(t).Read()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		return []int{-1}
	}
	var out []int
	for _, uid := range s.Policy.Allow {
		out = append(out, int(uid))
	}
	return out
}

func host(t *testing.T) Host {
	t.Helper()
	return Host{Dir: t.TempDir(), Conn: open(t)}
}

func TestMake(t *testing.T) {
	need(t)
	endpoints := addresses(t, Default)
	allow := func(uid uint32) *Policy { return &Policy{Allow: []uint32{uid}, Endpoints: endpoints} }
	failing := func(context.Context) error { return errors.New("does not hold") }
	passing := func(context.Context) error { return nil }
	tests := []struct {
		name   string
		before *Policy
		change Change
		want   []int
		err    string
	}{
		{name: "first", change: Change{Policy: allow(1), Test: passing}, want: []int{1}},
		{name: "replaced", before: allow(1), change: Change{Policy: allow(2)}, want: []int{2}},
		{name: "removed", before: allow(1), change: Change{}, want: []int{-1}},
		{name: "fails over nothing", change: Change{Policy: allow(1), Test: failing}, want: []int{-1}, err: "does not hold"},
		{name: "fails over another", before: allow(1), change: Change{Policy: allow(2), Test: failing}, want: []int{1}, err: "does not hold"},
		{name: "cannot be applied", before: allow(1), change: Change{Policy: &Policy{}}, want: []int{1}, err: "no endpoint to guard"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host(t)
			if err := h.enforce(tt.before); err != nil {
				t.Fatal(err)
			}
			if err := h.Make(t.Context(), tt.change); message(err) != tt.err {
				t.Errorf("got %q, want %q", message(err), tt.err)
			}
			if d := cmp.Diff(tt.want, stands(t)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestConfirm drives a change with a dead man's switch.
func TestConfirm(t *testing.T) {
	need(t)
	endpoints := addresses(t, Default)
	const soon = 50 * time.Millisecond
	tests := []struct {
		name    string
		confirm bool
		test    error
		watch   error
		want    []int
		err     string
	}{
		{name: "confirmed", confirm: true, want: []int{2}},
		{name: "not confirmed", want: []int{1}},
		{name: "does not hold", test: errors.New("does not hold"), want: []int{1}, err: "does not hold"},
		{name: "nobody to roll back", watch: errors.New("no memory"), want: []int{1}, err: "start the process that rolls back: no memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host(t)
			before := apply(t, Policy{Allow: []uint32{1}, LogGroup: 5, ForwardFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
			var id string
			err := h.Make(t.Context(), Change{
				Policy: &Policy{Allow: []uint32{2}, Endpoints: endpoints}, Within: soon,
				Test: func(context.Context) error { return tt.test },
				Watch: func(_ context.Context, given string, _ time.Duration) error {
					id = given
					return tt.watch
				},
			})
			if message(err) != tt.err {
				t.Fatalf("got %q, want %q", message(err), tt.err)
			}
			if tt.err == "" {
				if until, err := h.Pending(); err != nil || until.IsZero() {
					t.Errorf("pending until %v, %v", until, err)
				}
				second := h.Make(t.Context(), Change{Policy: &Policy{Allow: []uint32{3}, Endpoints: endpoints}})
				if second == nil {
					t.Error("another change replaced one that waits")
				}
			}
			if err := h.Await(t.Context(), "that of another change", 0); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(map[bool][]int{true: {2}, false: {1}}[tt.err == ""], stands(t)); d != "" {
				t.Errorf("somebody else's process: %s", d)
			}
			if tt.confirm {
				if err := h.Confirm(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.Await(t.Context(), id, soon); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, stands(t)); d != "" {
				t.Error(d)
			}
			if tt.want[0] == 1 {
				if d := cmp.Diff(before.Normalised(), state(t).Policy, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); d != "" {
					t.Errorf("restored otherwise: %s", d)
				}
			}
			if until, err := h.Pending(); err != nil || !until.IsZero() {
				t.Errorf("still pending until %v, %v", until, err)
			}
			if err := h.Confirm(t.Context()); err == nil {
				t.Error("confirmed what does not wait")
			}
		})
	}
}

// TestLock asks that a change waits for another, and for no longer than it may.
func TestLock(t *testing.T) {
	need(t)
	h := host(t)
	unlock, err := h.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := h.Make(ctx, Change{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside another change: %v", err)
	}
	unlock()
	if err := h.Make(t.Context(), Change{}); err != nil {
		t.Error(err)
	}
}

func TestDamagedRecord(t *testing.T) {
	need(t)
	h := host(t)
	if err := os.WriteFile(h.pendingFile(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(t, Policy{Allow: []uint32{1}})
	if err := h.Make(t.Context(), Change{}); err == nil {
		t.Error("changed although nobody knows what to restore")
	}
	if d := cmp.Diff([]int{1}, stands(t)); d != "" {
		t.Error(d)
	}
}

// TestFullDisk asks that nothing changes where nobody could roll it back.
func TestFullDisk(t *testing.T) {
	need(t)
	dir := t.TempDir()
	run(t, "mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", dir)
	t.Cleanup(func() { run(t, "umount", dir) })
	h := Host{Dir: dir, Conn: open(t)}
	unlock, err := h.lock(t.Context()) // the lock's file is there from before
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := os.WriteFile(dir+"/full", make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	before := apply(t, Policy{Allow: []uint32{1}})
	err = h.Make(t.Context(), Change{
		Policy: &Policy{Allow: []uint32{2}, Endpoints: before.Endpoints}, Within: time.Minute,
		Watch: func(context.Context, string, time.Duration) error { return nil },
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	if d := cmp.Diff([]int{1}, stands(t)); d != "" {
		t.Error(d)
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{nil, ""},
		{syscall.EPERM, "apply: not permitted: CAP_NET_ADMIN is missing"},
		{syscall.EPROTONOSUPPORT, "apply: the kernel has no nf_tables, or one that is too old: protocol not supported"},
		{fmt.Errorf("conn.Receive: %w", syscall.ENOENT), "apply: the kernel lacks a part of nf_tables: conn.Receive: no such file or directory"},
		{syscall.ENOBUFS, "apply: no buffer space available"},
	}
	for _, tt := range tests {
		if got := message(explain("apply", tt.err)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// Who may not take the lock is told who may.
func TestLockNeedsRoot(t *testing.T) {
	want := &fault.Error{Code: fault.Auth, What: "open lock", Cause: syscall.EACCES, Hint: "run it as root"}
	if got := unlockable("open lock", syscall.EACCES); !reflect.DeepEqual(got, error(want)) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}
