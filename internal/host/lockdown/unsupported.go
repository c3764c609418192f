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

type conn struct{}

func dial() (*conn, error) { return nil, unsupported() }

func (*conn) close() error { return unsupported() }

func (*conn) apply(Policy) error { return unsupported() }

func (*conn) remove() (bool, error) { return false, unsupported() }

func (*conn) read() (*State, error) { return nil, unsupported() }

func (*conn) forget(uint32) error { return unsupported() }

// Drift says nothing: there is no State.
func (*State) Drift(Policy) []string { return nil }

// AskAs fails: see the one for Linux.
func AskAs(...string) Asker {
	return func(context.Context, Probe) (Result, error) { return Result{}, unsupported() }
}

func bootID() string { return "" }

func tryLock(*os.File) (bool, error) { return false, unsupported() }

// Outlive fails: see the one for Linux.
func Outlive(context.Context, ...string) error { return unsupported() }

// Log is nothing: see the one for Linux.
type Log struct{}

// OpenLog fails: see the one for Linux.
func OpenLog(uint16) (*Log, error) { return nil, unsupported() }

// Close fails: see the one for Linux.
func (*Log) Close() error { return unsupported() }

// Follow fails: see the one for Linux.
func (*Log) Follow(context.Context, func(Report)) error { return unsupported() }

// HopLimit fails: see the one for Linux.
func HopLimit(context.Context, netip.Addr, func(context.Context) error) (int, error) {
	return 0, unsupported()
}
