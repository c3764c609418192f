//go:build !linux

package lockdown

import (
	"context"
	"net/netip"
	"os"

	"github.com/postern-dev/postern/internal/fault"
)

type live struct{}

func unsupported() error {
	return &fault.Error{What: "only Linux has nftables", Hint: "`postern host lockdown print` works everywhere, to review the rules"}
}

// Conn is a netlink socket on Linux.
type Conn struct{}

// Open fails: see the one for Linux.
func Open() (*Conn, error) { return nil, unsupported() }

// Close does nothing.
func (*Conn) Close() error { return nil }

// Apply fails: see the one for Linux.
func (*Conn) Apply(Policy) error { return unsupported() }

// Remove fails: see the one for Linux.
func (*Conn) Remove() (bool, error) { return false, unsupported() }

// Read fails: see the one for Linux.
func (*Conn) Read() (*State, error) { return nil, unsupported() }

// Forget fails: see the one for Linux.
func (*Conn) Forget(uint32) error { return unsupported() }

// Apply fails: see the one for Linux.
func Apply(Policy) error { return unsupported() }

// Remove fails: see the one for Linux.
func Remove() (bool, error) { return false, unsupported() }

// Read fails: see the one for Linux.
func Read() (*State, error) { return nil, unsupported() }

// Forget fails: see the one for Linux.
func Forget(uint32) error { return unsupported() }

// Drift says nothing: there is no State.
func (*State) Drift(Policy) []string { return nil }

// AskAs fails: see the one for Linux.
func AskAs(...string) Asker {
	return func(context.Context, Probe) (Result, error) { return Result{}, unsupported() }
}

func tryLock(*os.File) (bool, error) { return false, unsupported() }

// Outlive fails: see the one for Linux.
func Outlive(context.Context, ...string) error { return unsupported() }

// Listen fails: see the one for Linux.
func Listen(context.Context, uint16, func(Report)) error { return unsupported() }

// HopLimit fails: see the one for Linux.
func HopLimit(context.Context, netip.Addr, func(context.Context) error) (int, error) {
	return 0, unsupported()
}
