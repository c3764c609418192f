// Package lockdown is a metadata firewall: one nftables table of its own that
// lets only chosen OS users, and nothing that is forwarded, reach the address
// where an EC2 instance hands out the credentials of its role. It touches no
// other table, needs no nft program, and never drops where it can refuse. It
// does not read flags or files of settings, and prints nothing.
//
// It is no boundary against users who are root or can become root, and none
// for sockets that an allowed user has opened and handed on: the kernel knows
// the user who opened a socket, not the one who uses it.
package lockdown

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/internal/fault"
)

// Policy says who may reach which endpoints.
type Policy struct {
	Allow       []uint32       `json:"allow"`        // uids of this network namespace's user namespace
	Endpoints   []netip.Addr   `json:"endpoints"`    // the guarded addresses, of those that ParseEndpoint gives
	ForwardFrom []netip.Prefix `json:"forward_from"` // sources whose forwarded packets may pass: networks of containers
	LogGroup    uint16         `json:"log_group"`    // the NFLOG group that refusals are reported to; 0 for none
	Observe     bool           `json:"observe"`      // count and report, refuse nothing
}

// maxAllow bounds the uids: one netlink message has to carry the whole table.
const maxAllow = 10_000

// nobody is (uid_t)-1: the kernel gives it to no user.
const nobody = 1<<32 - 1

// Normalised returns the policy with sorted lists, each entry once, so that
// equal policies are equal values.
func (p Policy) Normalised() Policy {
	p.Allow = sorted(p.Allow, cmp.Compare[uint32])
	p.Endpoints = sorted(p.Endpoints, netip.Addr.Compare)
	var from []netip.Prefix
	for _, f := range p.ForwardFrom {
		from = append(from, f.Masked())
	}
	p.ForwardFrom = merged(from)
	return p
}

func sorted[T comparable](list []T, compare func(a, b T) int) []T {
	return slices.Compact(slices.SortedFunc(slices.Values(list), compare))
}

// merged sorts prefixes and leaves out those that lie within another: the
// intervals of a set must not overlap.
func merged(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
	})
	var out []netip.Prefix
	for _, p := range list {
		if len(out) == 0 || !out[len(out)-1].Overlaps(p) {
			out = append(out, p)
		}
	}
	return out
}

// Check reports everything that makes the policy unfit, all at once.
func (p Policy) Check() error {
	var wrong fault.List
	fail := func(hint, format string, args ...any) {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: fmt.Sprintf(format, args...), Hint: hint})
	}
	if len(p.Endpoints) == 0 {
		fail("name one, such as imds", "no endpoint to guard")
	}
	for _, e := range p.Endpoints {
		if !known(e) {
			wrong = append(wrong, unknownEndpoint(e.String()))
		}
	}
	if len(p.Allow) > maxAllow {
		fail("allow a group of services, not of people", "%d users are allowed, more than %d", len(p.Allow), maxAllow)
	}
	if slices.Contains(p.Allow, nobody) {
		fail("", "no user has the uid %d", uint32(nobody))
	}
	for _, f := range p.ForwardFrom {
		switch {
		case !f.IsValid() || f.Addr().Is4In6():
			fail("write it as 172.17.0.0/16", "%v is no network to forward from", f)
		case f.Bits() == 0:
			fail("name the network of the containers", "forwarding from %v would let everybody through", f)
		}
	}
	return wrong.Err()
}
