package lockdown

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
)

// stands asks which users may, -1 for no table.
func stands(t *testing.T) []int {
	t.Helper()
	s, err := open(t).read()
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

func host(t *testing.T) *Host {
	t.Helper()
	return &Host{dir: t.TempDir(), conn: open(t)}
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
		{
			name: "fails over one that we would not make", change: Change{Policy: allow(2), Test: failing}, want: []int{1}, err: "does not hold",
			before: &Policy{Allow: []uint32{1}, Endpoints: endpoints, ForwardFrom: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1")}},
		},
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
