package lockdown

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/nftables"
	mdl "github.com/mdlayher/netlink"
)

// watcher starts Await as a process of its own would, and gives what it ends with.
func watcher(t *testing.T, h *Host, ended chan<- error) func(context.Context, string, time.Duration) error {
	return func(_ context.Context, id string, within time.Duration) error {
		other := &Host{dir: h.dir, conn: open(t)}
		go func() { ended <- other.Await(t.Context(), id, within) }()
		return nil
	}
}

// only allows one user.
func only(t *testing.T, uid uint32) *Policy {
	t.Helper()
	return &Policy{Allow: []uint32{uid}, Endpoints: addresses(t, Default)}
}

// TestConfirm drives a change with a dead man's switch.
func TestConfirm(t *testing.T) {
	need(t)
	const soon, late = 200 * time.Millisecond, time.Hour
	tests := []struct {
		name    string
		within  time.Duration
		confirm bool
		test    error
		watch   error
		want    []int
		err     string
	}{
		{name: "confirmed", within: late, confirm: true, want: []int{2}},
		{name: "not confirmed", within: soon, want: []int{1}},
		{name: "does not hold", within: late, test: errors.New("does not hold"), want: []int{1}, err: "does not hold"},
		{name: "nobody to roll back", within: late, watch: errors.New("no memory"), want: []int{1}, err: "start the process that rolls back: no memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host(t)
			before := apply(t, Policy{Allow: []uint32{1}, LogGroup: 5, ForwardFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
			ended := make(chan error, 1)
			watch := watcher(t, h, ended)
			if tt.watch != nil {
				watch = func(context.Context, string, time.Duration) error { return tt.watch }
			}
			test := func(context.Context) error { return tt.test }
			err := h.Make(t.Context(), Change{Policy: only(t, 2), Within: tt.within, Test: test, Watch: watch})
			if message(err) != tt.err {
				t.Fatalf("got %q, want %q", message(err), tt.err)
			}
			if tt.confirm {
				if err := h.Confirm(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if tt.watch == nil { // else nobody has begun
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(tt.want, stands(t)); d != "" {
				t.Error(d)
			}
			if tt.want[0] == 1 {
				if d := cmp.Diff(before.Normalised(), state(t).Policy, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); d != "" {
					t.Errorf("restored otherwise: %s", d)
				}
			}
			if p, err := h.Pending(); p != nil || err != nil {
				t.Errorf("still pending: %v, %v", p, err)
			}
			if err := h.Confirm(t.Context()); err == nil {
				t.Error("confirmed what does not wait")
			}
		})
	}
}

// TestWaits asks what holds while a change waits.
func TestWaits(t *testing.T) {
	need(t)
	h := host(t)
	apply(t, *only(t, 1))
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	watch := func(_ context.Context, id string, within time.Duration) error {
		other := &Host{dir: h.dir, conn: open(t)}
		go func() { ended <- other.Await(ctx, id, within) }()
		return nil
	}
	if err := h.Make(t.Context(), Change{Policy: only(t, 2), Within: time.Hour, Watch: watch}); err != nil {
		t.Fatal(err)
	}
	p, err := h.Pending()
	if err != nil || p == nil || p.Orphaned || time.Until(p.Until) < 59*time.Minute {
		t.Errorf("pending: %v, %v", p, err)
	}
	if err := h.Make(t.Context(), Change{Policy: only(t, 3)}); err == nil {
		t.Error("another change replaced one that waits")
	}
	if err := h.Await(t.Context(), "that of another change", 0); err != nil {
		t.Error(err)
	}
	// A clock that jumps decides nothing.
	rewrite(t, h, func(p *pending) { p.Until = time.Unix(0, 0) })
	if err := h.Make(t.Context(), Change{Policy: only(t, 3)}); err == nil {
		t.Error("another change replaced one that waits, since the clock says that it should not")
	}
	if d := cmp.Diff([]int{2}, stands(t)); d != "" {
		t.Error(d)
	}
	// Who is told to end rolls back, since nobody else will.
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]int{1}, stands(t)); d != "" {
		t.Error(d)
	}
}

// rewrite changes the record in place: its lock is kept.
func rewrite(t *testing.T, h *Host, change func(*pending)) {
	t.Helper()
	p, err := h.pending()
	if err != nil || p == nil {
		t.Fatalf("%v, %v", p, err)
	}
	change(p)
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.pendingFile(), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOrphan asks what becomes of an unconfirmed change, from user 1 to 2, whose
// process to roll it back has been killed.
func TestOrphan(t *testing.T) {
	need(t)
	fails := func(context.Context) error { return errors.New("does not hold") }
	tests := []struct {
		name    string
		do      func(h *Host) error
		want    []int
		err     string
		pending *Pending
	}{
		{name: "nothing", do: func(*Host) error { return nil }, want: []int{2}, pending: &Pending{Orphaned: true}},
		{name: "confirmed", do: func(h *Host) error { return h.Confirm(t.Context()) }, want: []int{2}},
		{name: "replaced", do: func(h *Host) error { return h.Make(t.Context(), Change{Policy: only(t, 3)}) }, want: []int{3}},
		{name: "removed", do: func(h *Host) error { return h.Make(t.Context(), Change{}) }, want: []int{-1}},
		{
			name: "the next fails too", want: []int{1}, err: "does not hold",
			do: func(h *Host) error { return h.Make(t.Context(), Change{Policy: only(t, 3), Test: fails}) },
		},
		{
			name: "the next cannot be applied", want: []int{2}, err: "apply table postern_lockdown: netlink receive: recvmsg: no buffer space available", pending: &Pending{Orphaned: true},
			do: func(h *Host) error {
				return (&Host{dir: h.dir, conn: failing(t)}).Make(t.Context(), Change{Policy: only(t, 3)})
			},
		},
		{
			name: "the next is not confirmed either", want: []int{1},
			do: func(h *Host) error {
				ended := make(chan error, 1)
				err := h.Make(t.Context(), Change{Policy: only(t, 3), Within: 100 * time.Millisecond, Watch: watcher(t, h, ended)})
				return errors.Join(err, <-ended)
			},
		},
		{
			name: "of an earlier boot", want: []int{2}, err: "no change waits to be confirmed",
			do: func(h *Host) error {
				rewrite(t, h, func(p *pending) { p.Boot = "another" })
				return h.Confirm(t.Context())
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host(t)
			apply(t, *only(t, 1))
			var killed *os.File
			watch := func(ctx context.Context, id string, _ time.Duration) (err error) {
				killed, err = h.keepWatch(ctx, id)
				return err
			}
			if err := h.Make(t.Context(), Change{Policy: only(t, 2), Within: time.Hour, Watch: watch}); err != nil {
				t.Fatal(err)
			}
			killed.Close()
			if err := tt.do(h); message(err) != tt.err {
				t.Errorf("got %q, want %q", message(err), tt.err)
			}
			if d := cmp.Diff(tt.want, stands(t)); d != "" {
				t.Error(d)
			}
			p, err := h.Pending()
			if d := cmp.Diff(tt.pending, p, cmpopts.IgnoreFields(Pending{}, "Until")); d != "" || err != nil {
				t.Error(d, err)
			}
		})
	}
}

// TestRollsBackAgain asks that one failure of the kernel's does not leave an
// unconfirmed change standing.
func TestRollsBackAgain(t *testing.T) {
	need(t)
	h := host(t)
	apply(t, *only(t, 1))
	ended := make(chan error, 1)
	watch := func(_ context.Context, id string, within time.Duration) error {
		other := &Host{dir: h.dir, conn: failing(t)}
		go func() { ended <- other.Await(t.Context(), id, within) }()
		return nil
	}
	if err := h.Make(t.Context(), Change{Policy: only(t, 2), Within: 100 * time.Millisecond, Watch: watch}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]int{1}, stands(t)); d != "" {
		t.Error(d)
	}
}

// failing is a socket on which the kernel has no memory for anything.
func failing(t *testing.T) *conn {
	t.Helper()
	full := func([]mdl.Message) ([]mdl.Message, error) { return nil, syscall.ENOBUFS }
	nft, err := nftables.New(nftables.WithTestDial(full))
	if err != nil {
		t.Fatal(err)
	}
	return &conn{nft: nft}
}

// TestNobodyBegins asks that nothing changes where the process that is to roll
// back has been started, and does not come.
func TestNobodyBegins(t *testing.T) {
	need(t)
	h := host(t)
	apply(t, *only(t, 1))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	watch := func(context.Context, string, time.Duration) error { return nil }
	err := h.Make(ctx, Change{Policy: only(t, 2), Within: time.Hour, Watch: watch})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if d := cmp.Diff([]int{1}, stands(t)); d != "" {
		t.Error(d)
	}
	if p, err := h.Pending(); p != nil || err != nil {
		t.Errorf("pending: %v, %v", p, err)
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
	h := &Host{dir: dir, conn: open(t)}
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
