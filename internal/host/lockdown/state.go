package lockdown

import (
	"net/netip"
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
