package lockdown

import (
	"encoding/binary"
	"net/netip"
)

// Report is one refused packet, or while observing one that would have been.
// The kernel limits how many are reported; the counts of State are complete.
type Report struct {
	UID       uint32 // whose socket sent it, if Owned
	Owned     bool
	Forwarded bool   // from a container or another machine; neither: the kernel sent it for a socket that is gone
	Protocol  string // tcp, udp, icmp or other
	From, To  netip.AddrPort
}

// parsePacket reads the addresses of an IP packet, and its ports if it has some.
// Extension headers of IPv6 are not followed.
func parsePacket(p []byte) (r Report, ok bool) {
	const least4, least6 = 20, 40
	var protocol byte
	var rest []byte
	switch {
	case len(p) >= least4 && p[0]>>4 == 4:
		length := int(p[0]&0xf) * 4
		if length < least4 || length > len(p) {
			return r, false
		}
		protocol, rest = p[9], p[length:]
		r.From, r.To = addrPort(p[12:16]), addrPort(p[16:20])
	case len(p) >= least6 && p[0]>>4 == 6:
		protocol, rest = p[6], p[least6:]
		r.From, r.To = addrPort(p[8:24]), addrPort(p[24:40])
	default:
		return r, false
	}
	r.Protocol = protocolName(protocol)
	if len(rest) >= 4 && (r.Protocol == "tcp" || r.Protocol == "udp") {
		r.From = netip.AddrPortFrom(r.From.Addr(), binary.BigEndian.Uint16(rest))
		r.To = netip.AddrPortFrom(r.To.Addr(), binary.BigEndian.Uint16(rest[2:]))
	}
	return r, true
}

func addrPort(addr []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(addr)
	return netip.AddrPortFrom(a, 0)
}

func protocolName(number byte) string {
	switch number {
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 1, 58:
		return "icmp"
	}
	return "other"
}
