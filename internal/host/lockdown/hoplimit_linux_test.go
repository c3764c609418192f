package lockdown

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
)

func TestHopLimit(t *testing.T) {
	w := need(t)
	addr := netip.MustParseAddr("169.254.169.254")
	for _, limit := range []int{1, 2, 64} {
		run(t, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", w.service), "sh", "-c", fmt.Sprintf("echo %d >/proc/sys/net/ipv4/ip_default_ttl", limit))
		got, err := HopLimit(t.Context(), addr, func(ctx context.Context) error {
			if r := Ask(ctx, addr); r.Status != 200 {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
		if got != limit || err != nil {
			t.Errorf("%d, %v, want %d", got, err, limit)
		}
	}
	if got, err := HopLimit(t.Context(), addr, func(context.Context) error { return nil }); got != 0 || err != nil {
		t.Errorf("without a request: %d, %v", got, err)
	}
}

func TestAskWithoutToken(t *testing.T) {
	need(t)
	for _, text := range []string{"169.254.169.254", "fd00:ec2::254"} {
		if r := AskWithoutToken(t.Context(), netip.MustParseAddr(text)); r.Outcome != Answered || r.Status != 401 {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

func TestAskOutcomes(t *testing.T) {
	need(t)
	apply(t, Policy{})
	tests := map[string]Outcome{
		"169.254.169.254": Refused, "fd00:ec2::254": Refused, "169.254.169.253": Answered,
		"203.0.113.1": NoRoute, "2001:db8::1": NoRoute, "10.0.0.77": Silent, // nobody has that address
	}
	for text, want := range tests {
		if r := Ask(t.Context(), netip.MustParseAddr(text)); r.Outcome != want {
			t.Errorf("%s: %+v, want %s", text, r, want)
		}
	}
}
