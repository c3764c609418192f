//go:build !linux

package lockdown

import "github.com/postern-dev/postern/internal/fault"

type live struct{}

func unsupported() error {
	return &fault.Error{What: "only Linux has nftables", Hint: "`postern host lockdown print` works everywhere, to review the rules"}
}

// Apply fails: see the one for Linux.
func Apply(Policy) error { return unsupported() }

// Remove fails: see the one for Linux.
func Remove() (bool, error) { return false, unsupported() }

// Read fails: see the one for Linux.
func Read() (*State, error) { return nil, unsupported() }

// Drift says nothing: there is no State.
func (*State) Drift(Policy) []string { return nil }
