package lint

import (
	"net/netip"
	"strings"
)

var addressChecks = []*check{
	{code: "TYPE_MISMATCH_IP_RANGE", severity: Error, run: notAddress},
	{code: "IMPROVE_IP_RANGE", severity: Suggestion, run: maskedBits},
	{code: "PRIVATE_IP_ADDRESS", severity: Error, run: privateAddress("IpAddress", true)},
	{code: "PRIVATE_NOT_IP_ADDRESS", severity: Error, run: privateAddress("NotIpAddress", true)},
	{code: "PRIVATE_IP_ADDRESS_SUBSET", severity: Suggestion, run: privateAddress("IpAddress", false)},
	{code: "PRIVATE_NOT_IP_ADDRESS_SUBSET", severity: Suggestion, run: privateAddress("NotIpAddress", false)},
}

// prefix reads a CIDR range or a single address.
func prefix(s string) (netip.Prefix, bool) {
	if r, err := netip.ParsePrefix(s); err == nil {
		return r, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func notAddress(p *pass) {
	for _, v := range p.compared("IpAddress", "NotIpAddress") {
		if _, ok := prefix(v.text); !ok {
			p.report(v, "%q is no range of addresses", v.text).hint("write it as in 203.0.113.0/24 or 2001:db8::/32")
		}
	}
}

func maskedBits(p *pass) {
	for _, v := range p.compared("IpAddress", "NotIpAddress") {
		if r, ok := prefix(v.text); ok && r != r.Masked() {
			masked := r.Masked().String()
			p.report(v, "%s is %s: the bits behind the mask do not count", v.text, masked).fix("write "+masked, replace(v, masked))
		}
	}
}

// private are the ranges that no public network has: RFC 1918, RFC 4193 and
// the link-local and loopback ones.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

func isPrivate(r netip.Prefix) bool {
	for _, p := range private {
		if p.Bits() <= r.Bits() && p.Contains(r.Addr()) {
			return true
		}
	}
	return false
}

// privateAddress reports private addresses in aws:SourceIp, which holds public
// ones: all of them or, if not all, some.
func privateAddress(operator string, all bool) func(*pass) {
	return func(p *pass) {
		for _, c := range p.conditions() {
			if !c.known || c.op.Name != operator || !c.is("aws:SourceIp") {
				continue
			}
			var hits []string
			for _, v := range c.values {
				if r, ok := prefix(v.text); ok && isPrivate(r) {
					hits = append(hits, v.text)
				}
			}
			switch {
			case len(hits) == 0 || all != (len(hits) == len(c.values)):
			case all:
				p.report(c.value, "aws:SourceIp is a public address, never one of these").hint("private ones are aws:VpcSourceIp")
			default:
				p.report(c.value, "aws:SourceIp is a public address, never one of %s", strings.Join(hits, ", ")).
					hint("private ones are aws:VpcSourceIp")
			}
		}
	}
}
