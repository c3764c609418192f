package lockdown

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// uidElements are in the byte order of the host, as the kernel loads a uid.
func uidElements(uids []uint32) []element {
	var out []element
	for _, uid := range uids {
		out = append(out, element{text: strconv.FormatUint(uint64(uid), 10), from: uidKeyOf(uid)})
	}
	return out
}

func uidKeyOf(uid uint32) []byte { return binary.NativeEndian.AppendUint32(nil, uid) }

func addrElements(addrs []netip.Addr, is4 bool) []element {
	var out []element
	for _, a := range addrs {
		if a.Is4() == is4 {
			out = append(out, element{text: a.String(), from: a.AsSlice()})
		}
	}
	return out
}

func prefixElements(prefixes []netip.Prefix, is4 bool) []element {
	var out []element
	for _, p := range prefixes {
		if p.Addr().Is4() == is4 {
			out = append(out, element{text: prefixText(p), from: p.Addr().AsSlice(), end: behind(p)})
		}
	}
	return out
}

// prefixText writes one address as nft lists it.
func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// behind is the first address after a prefix; nil if there is none.
func behind(p netip.Prefix) []byte {
	last := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(last)
	return addr.Next().AsSlice() // nil for the address after the very last
}
