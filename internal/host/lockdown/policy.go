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

// Bounds of networks to forward from: real networks of containers are no wider,
// and a wider one is a mistake that would let strangers through. The widest of
// IPv4 is 10.0.0.0/8; in IPv6 a VPC has a /56, and a site its own /48.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
// https://datatracker.ietf.org/doc/html/rfc4193#section-3.1
const (
	widest4      = 8
	widest6      = 32
	mostNetworks = 1000
)

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
	if len(p.ForwardFrom) > mostNetworks {
		fail("name the networks that hold them", "%d networks are let through, more than %d", len(p.ForwardFrom), mostNetworks)
	}
	for _, f := range p.ForwardFrom {
		if what, hint := networkProblem(f); what != "" {
			fail(hint, "%s", what)
		}
	}
	return wrong.Err()
}

// ParseNetwork reads a network to forward from, or one address.
func ParseNetwork(text string) (netip.Prefix, error) {
	fail := func(what, hint string) (netip.Prefix, error) {
		return netip.Prefix{}, &fault.Error{Code: fault.Usage, What: what, Hint: hint}
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		text += fmt.Sprintf("/%d", addr.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return fail(fmt.Sprintf("%q is no network", text), "write it as 172.17.0.0/16")
	}
	if what, hint := networkProblem(p); what != "" {
		return fail(what, hint)
	}
	return p, nil
}

// networkProblem says what keeps a network from being let through; empty if
// nothing does.
func networkProblem(f netip.Prefix) (what, hint string) {
	addr := f.Addr()
	switch {
	case !f.IsValid():
		return fmt.Sprintf("%v is no network to forward from", f), "write it as 172.17.0.0/16"
	case addr.Is4In6():
		return fmt.Sprintf("%v is IPv4 written as IPv6, which no packet is from", f), "write it as IPv4, such as " + addr.Unmap().String() + "/16"
	case f != f.Masked():
		return fmt.Sprintf("%v has bits behind its mask", f), fmt.Sprintf("write %v, or %v for that address alone", f.Masked(), addr)
	case addr.Is4() && f.Bits() < widest4, addr.Is6() && f.Bits() < widest6:
		widest := map[bool]int{true: widest4, false: widest6}[addr.Is4()]
		return fmt.Sprintf("%v is wider than /%d: it would let strangers through", f, widest), "name the network of the containers, such as `docker network inspect bridge` tells"
	case addr.IsMulticast(), addr.IsLoopback(), addr.Is6() && addr.IsLinkLocalUnicast():
		return fmt.Sprintf("nothing that is forwarded comes from %v", f), "name the network of the containers"
	}
	return "", ""
}
