package lockdown

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEndpoint(t *testing.T) {
	tests := []struct {
		name string
		want []string
		err  string
	}{
		{name: "imds", want: []string{"169.254.169.254", "fd00:ec2::254"}},
		{name: "169.254.169.254", want: []string{"169.254.169.254", "fd00:ec2::254"}},
		{name: "fd00:ec2:0::254", want: []string{"169.254.169.254", "fd00:ec2::254"}},
		{name: "169.254.170.2", want: []string{"169.254.170.2"}},
		{name: "eks", want: []string{"169.254.170.23", "fd00:ec2::23"}},
		{name: "169.254.169.253", err: "169.254.169.253 is the VPC's DNS server: without it the host fails, and it gives out no credentials"},
		{name: "fd00:ec2::123", err: "fd00:ec2::123 is the time service: without it the host fails, and it gives out no credentials"},
		{name: "10.0.0.1", err: `"10.0.0.1" is no endpoint that gives out credentials`},
		{name: "", err: `"" is no endpoint that gives out credentials`},
		{name: "169.254.169.254/32", err: `"169.254.169.254/32" is no endpoint that gives out credentials`},
		{name: "::ffff:169.254.169.254", err: `"::ffff:169.254.169.254" is no endpoint that gives out credentials`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addrs, err := ParseEndpoint(tt.name)
			var got []string
			for _, a := range addrs {
				got = append(got, a.String())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if text := message(err); text != tt.err {
				t.Errorf("got %q, want %q", text, tt.err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCheck(t *testing.T) {
	imds := netip.MustParseAddr("169.254.169.254")
	tests := []struct {
		name   string
		policy Policy
		want   string
	}{
		{"right", Policy{Endpoints: []netip.Addr{imds}}, ""},
		{"no endpoint", Policy{}, "no endpoint to guard"},
		{
			"several at once",
			Policy{
				Allow: []uint32{4294967295}, Endpoints: []netip.Addr{netip.MustParseAddr("169.254.169.123")},
				ForwardFrom: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), {}},
			},
			"169.254.169.123 is the time service: without it the host fails, and it gives out no credentials\n" +
				"no user has the uid 4294967295\n0.0.0.0/0 is wider than /8: it would let strangers through\ninvalid Prefix is no network to forward from",
		},
		{"too many networks", Policy{Endpoints: []netip.Addr{imds}, ForwardFrom: slices.Repeat([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, 1001)}, "1001 networks are let through, more than 1000"},
		{"too many", Policy{Endpoints: []netip.Addr{imds}, Allow: make([]uint32, maxAllow+1)}, "10001 users are allowed, more than 10000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := message(tt.policy.Check()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want == "" {
				return
			}
			if err := new(Host).Make(t.Context(), Change{Policy: &tt.policy}); message(err) != tt.want {
				t.Errorf("make: %v", err)
			}
		})
	}
}

// TestNetworks asks which networks may be let through: what people have, and not
// what would be a mistake.
func TestNetworks(t *testing.T) {
	tests := []struct{ network, want string }{
		{"172.17.0.0/16", ""},
		{"172.17.0.2/32", ""},
		{"10.0.0.0/8", ""},
		{"100.64.0.0/10", ""},    // EKS's pods
		{"169.254.172.0/22", ""}, // ECS's tasks
		{"240.0.0.0/8", ""},      // pods where addresses are scarce
		{"fd00:17::/48", ""},
		{"2600:1f18::/56", ""},
		{"2600:1f18::/32", ""},
		{"0.0.0.0/0", "0.0.0.0/0 is wider than /8: it would let strangers through"},
		{"0.0.0.0/1", "0.0.0.0/1 is wider than /8: it would let strangers through"},
		{"128.0.0.0/7", "128.0.0.0/7 is wider than /8: it would let strangers through"},
		{"::/0", "::/0 is wider than /32: it would let strangers through"},
		{"fd00::/8", "fd00::/8 is wider than /32: it would let strangers through"},
		{"172.17.0.5/16", "172.17.0.5/16 has bits behind its mask"},
		{"10.0.0.5/0", "10.0.0.5/0 has bits behind its mask"},
		{"::ffff:172.17.0.0/112", "::ffff:172.17.0.0/112 is IPv4 written as IPv6, which no packet is from"},
		{"127.0.0.0/8", "nothing that is forwarded comes from 127.0.0.0/8"},
		{"224.0.0.0/8", "nothing that is forwarded comes from 224.0.0.0/8"},
		{"ff02::/32", "nothing that is forwarded comes from ff02::/32"},
		{"fe80::/64", "nothing that is forwarded comes from fe80::/64"},
	}
	for _, tt := range tests {
		p := Policy{Endpoints: []netip.Addr{netip.MustParseAddr("169.254.169.254")}, ForwardFrom: []netip.Prefix{netip.MustParsePrefix(tt.network)}}
		if got := message(p.Check()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.network, got, tt.want)
		}
		if got, err := ParseNetwork(tt.network); message(err) != tt.want || err == nil && got.String() != tt.network {
			t.Errorf("%s: parsed as %v, %v", tt.network, got, err)
		}
	}
	for text, want := range map[string]string{"172.17.0.2": "172.17.0.2/32", "fd00::2": "fd00::2/128"} {
		if got, err := ParseNetwork(text); err != nil || got.String() != want {
			t.Errorf("%s: parsed as %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "docker0", "172.17.0.0/33", "172.17", "fe80::1%eth0", "::ffff:172.17.0.1"} {
		if got, err := ParseNetwork(text); err == nil {
			t.Errorf("%q: parsed as %v", text, got)
		}
	}
}

func TestPrint(t *testing.T) {
	p := Policy{
		Allow: []uint32{1000, 0, 0}, LogGroup: 77,
		Endpoints:   []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("169.254.169.254")},
		ForwardFrom: []netip.Prefix{netip.MustParsePrefix("172.17.5.0/24"), netip.MustParsePrefix("172.17.0.1/16")},
	}
	text := Print(p)
	for _, want := range []string{
		"table inet postern_lockdown\ndelete table inet postern_lockdown\ntable inet postern_lockdown {\n",
		"elements = { 0, 1000 }", "elements = { 169.254.169.254 }", "elements = { fd00:ec2::254 }", "elements = { 172.17.0.0/16 }",
		"limit rate 5/second burst 10 packets log prefix \"postern-lockdown\" group 77\n\t\tmeta l4proto tcp reject with tcp reset",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "drop") {
		t.Error("drops, which leaves clients hanging")
	}
}
