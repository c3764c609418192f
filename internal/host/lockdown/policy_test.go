package lockdown

import (
	"net/netip"
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
				"no user has the uid 4294967295\nforwarding from 0.0.0.0/0 would let everybody through\ninvalid Prefix is no network to forward from",
		},
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
			if err := new(conn).apply(tt.policy); message(err) != tt.want {
				t.Errorf("apply: %v", err)
			}
		})
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
