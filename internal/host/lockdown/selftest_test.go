package lockdown

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	const v4, v6, eks = "169.254.169.254", "fd00:ec2::254", "169.254.170.23"
	token := Result{Outcome: Answered, Status: 200, After: time.Millisecond}
	reset := Result{Outcome: Refused, After: time.Millisecond}
	tests := []struct {
		name    string
		addr    string
		allowed bool
		result  Result
		problem string
		note    string
	}{
		{name: "token", addr: v4, allowed: true, result: token},
		{name: "refusal", addr: v4, result: reset},
		{name: "stranger with a token", addr: v4, result: token, problem: "a user who is not allowed gets an answer"},
		{name: "stranger with an error page", addr: v6, result: Result{Outcome: Answered, Status: 403}, problem: "a user who is not allowed gets an answer"},
		{name: "dropped", addr: v4, result: Result{Outcome: Silent}, problem: "a user who is not allowed is left waiting instead of refused"},
		{name: "refused late", addr: v4, result: Result{Outcome: Refused, After: time.Second}, problem: "a user who is not allowed is left waiting instead of refused"},
		{name: "no IPv6 for strangers", addr: v6, result: Result{Outcome: NoRoute}, note: "the host has no route to it"},
		{name: "no IPv6 for users", addr: v6, allowed: true, result: Result{Outcome: NoRoute}, note: "nothing answers there"},
		{name: "IPv6 switched off", addr: v6, allowed: true, result: Result{Outcome: Silent}, note: "nothing answers there"},
		{name: "IPv6 refused", addr: v6, allowed: true, result: reset, problem: "an allowed user is refused"},
		{name: "refused by others", addr: v4, allowed: true, result: reset, problem: "an allowed user is refused"},
		{name: "no service", addr: v4, allowed: true, result: Result{Outcome: Silent}, problem: "an allowed user gets no answer"},
		{name: "no network", addr: v4, allowed: true, result: Result{Outcome: NoRoute}, problem: "an allowed user gets no answer"},
		{name: "switched off", addr: v4, allowed: true, result: Result{Outcome: Answered, Status: 403}, problem: "an allowed user gets no token but the status 403"},
		{name: "agent wants another path", addr: eks, allowed: true, result: Result{Outcome: Answered, Status: 404}},
		{name: "no agent", addr: eks, allowed: true, result: reset, note: "nothing answers there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Check{Probe: Probe{1, netip.MustParseAddr(tt.addr)}, Allowed: tt.allowed, Result: tt.result}
			c.judge()
			if c.Problem != tt.problem || c.Note != tt.note {
				t.Errorf("problem %q, note %q", c.Problem, c.Note)
			}
		})
	}
}

func TestSelfTestAsks(t *testing.T) {
	addr := netip.MustParseAddr("169.254.169.254")
	p := Policy{Allow: []uint32{0, 7}, Endpoints: []netip.Addr{addr}}
	var asked []uint32
	_, err := SelfTest(t.Context(), p, 65533, func(_ context.Context, probe Probe) (Result, error) {
		asked = append(asked, probe.UID)
		return Result{}, nil
	})
	if d := cmp.Diff([]uint32{0, 7, 65533}, asked); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	_, err = SelfTest(t.Context(), p, 65533, func(context.Context, Probe) (Result, error) { return Result{}, errors.New("no such program") })
	if message(err) != "ask 169.254.169.254 as uid 0: no such program" {
		t.Error(err)
	}
}

// TestBusyHost asks that one late refusal is not held against the firewall.
func TestBusyHost(t *testing.T) {
	p := Policy{Endpoints: []netip.Addr{netip.MustParseAddr("169.254.169.254")}}
	for late, problem := range map[int]string{2: "", 3: "a user who is not allowed is left waiting instead of refused"} {
		asked := 0
		checks, err := SelfTest(t.Context(), p, 1, func(context.Context, Probe) (Result, error) {
			asked++
			if asked <= late {
				return Result{Outcome: Refused, After: time.Second}, nil
			}
			return Result{Outcome: Refused}, nil
		})
		if err != nil || len(checks) != 1 || checks[0].Problem != problem {
			t.Errorf("%d late: %+v, %v", late, checks, err)
		}
	}
}

func TestStranger(t *testing.T) {
	if got := Stranger(Policy{Allow: []uint32{65533, 65531}}, map[uint32]string{65532: "app"}); got != 65530 {
		t.Error(got)
	}
}
