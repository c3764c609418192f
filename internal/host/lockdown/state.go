package lockdown

import (
	"net/netip"
	"reflect"
	"slices"
)

// State is what stands in the kernel.
type State struct {
	Policy     Policy // read back from the sets and rules
	Denied     []Denial
	DeniedFrom []Forwarded
	Unowned    uint64 // refused packets of no socket: not part of Denied
	live       live
}

// Denial counts the refused packets of a user's sockets since the table was
// applied; a user without one for a day is forgotten. While observing they are
// those that would have been refused.
type Denial struct {
	UID     uint32
	Packets uint64
}

// Forwarded counts the refused packets that came from another machine or a container.
type Forwarded struct {
	From    netip.Addr
	Packets uint64
}

// Users are the uids that are allowed and those that were refused.
func (s *State) Users() []uint32 {
	uids := slices.Clone(s.Policy.Allow)
	for _, d := range s.Denied {
		uids = append(uids, d.UID)
	}
	return uids
}

// Is reports whether what stands says the same as a policy, as far as sets and
// rules of ours were read. Whether others have changed it, Drift tells.
func (s *State) Is(p Policy) bool { return s != nil && reflect.DeepEqual(s.Policy, p.Normalised()) }
