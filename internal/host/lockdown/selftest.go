package lockdown

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Probe is a request that somebody makes.
type Probe struct {
	UID  uint32
	Addr netip.Addr
}

// Asker makes a request as its user and tells what that user saw. An error
// means that the request could not be made.
type Asker func(ctx context.Context, p Probe) (Result, error)

// Check is one thing that a self-test has tried.
type Check struct {
	Probe   Probe
	Allowed bool // what the policy says
	Result  Result
	Problem string // what is wrong; empty if nothing is
	Note    string // why the result says little; may be empty
}

// promptly is how soon a refusal must come: a user who is refused slowly waits
// for each retry.
const promptly = 200 * time.Millisecond

// mostProbed bounds the allowed users that are tried, in a group of hundreds.
const mostProbed = 8

// SelfTest tries each endpoint as the allowed users and as a stranger, who must
// be a user that is not allowed.
func SelfTest(ctx context.Context, p Policy, stranger uint32, ask Asker) ([]Check, error) {
	var checks []Check
	for _, addr := range p.Normalised().Endpoints {
		for _, uid := range p.Allow[:min(len(p.Allow), mostProbed)] {
			checks = append(checks, Check{Probe: Probe{uid, addr}, Allowed: true})
		}
		checks = append(checks, Check{Probe: Probe{stranger, addr}, Allowed: p.Observe})
	}
	for i := range checks {
		if err := checks[i].run(ctx, ask); err != nil {
			return nil, err
		}
	}
	return checks, nil
}

// run asks once, and again for a refusal that came late: on a host that is
// busy booting, that may be its own slowness.
func (c *Check) run(ctx context.Context, ask Asker) error {
	const tries = 3
	for range tries {
		var err error
		if c.Result, err = ask(ctx, c.Probe); err != nil {
			return fmt.Errorf("ask %s as uid %d: %w", c.Probe.Addr, c.Probe.UID, err)
		}
		if c.Result.Outcome != Refused || c.Result.After <= promptly {
			break
		}
	}
	c.judge()
	return nil
}

func (c *Check) judge() {
	r := c.Result
	switch {
	case !c.Allowed && r.Outcome == NoRoute:
		c.Note = "the host has no route to it"
	case !c.Allowed && r.Outcome == Answered:
		c.Problem = "a user who is not allowed gets an answer"
	case !c.Allowed && (r.Outcome == Silent || r.After > promptly):
		c.Problem = "a user who is not allowed is left waiting instead of refused"
	case !c.Allowed:
		return
	case r.Outcome == Answered && (r.Status == 200 || !c.isIMDS()):
		return
	case r.Outcome == Answered:
		c.Problem = fmt.Sprintf("an allowed user gets no token but the status %d", r.Status)
	case r.Outcome == Refused && (c.isIMDS() || c.Probe.Addr.Is6()):
		c.Problem = "an allowed user is refused"
	case c.isIMDS() && c.Probe.Addr.Is4():
		c.Problem = "an allowed user gets no answer"
	default:
		// IPv6 is off unless the instance's metadata options switch it on, and
		// the agents of ECS and EKS run on few hosts.
		c.Note = "nothing answers there"
	}
}

func (c *Check) isIMDS() bool { return endpointName(c.Probe.Addr) == Default }

// Stranger picks a uid that is neither allowed nor anybody's.
func Stranger(p Policy, taken map[uint32]string) uint32 {
	allowed := map[uint32]bool{}
	for _, uid := range p.Allow {
		allowed[uid] = true
	}
	// Below 65534, the overflow uid, so that it also exists in the usual user namespace.
	uid := uint32(65533)
	for allowed[uid] || taken[uid] != "" {
		uid--
	}
	return uid
}
