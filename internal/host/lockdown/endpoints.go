package lockdown

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// endpoint is an address where a host's AWS credentials can be had.
type endpoint struct {
	name string // what users call it
	addr string
}

// endpoints are all addresses that can be guarded.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
var endpoints = []endpoint{
	{"imds", "169.254.169.254"},
	{"imds", "fd00:ec2::254"},
	{"ecs", "169.254.170.2"},
	{"eks", "169.254.170.23"},
	{"eks", "fd00:ec2::23"},
}

// vital are link-local services of a VPC whose loss takes the host down. None
// of them gives out credentials.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html
var vital = map[string]string{
	"169.254.169.253": "the VPC's DNS server", "fd00:ec2::253": "the VPC's DNS server",
	"169.254.169.123": "the time service", "fd00:ec2::123": "the time service",
	"169.254.169.250": "Windows activation", "169.254.169.251": "Windows activation",
}

// Default names the endpoints that are guarded if nothing else is said. Those of
// ECS and EKS are opt-in: what they give out depends on a path or a token that
// cannot be guessed, and processes of other users need them by design.
const Default = "imds"

// ParseEndpoint gives the addresses that a name stands for. One of the addresses
// stands for all: who guards IPv4 alone has left the door beside it open.
func ParseEndpoint(name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil && known(addr) {
		name = endpointName(addr)
	}
	var out []netip.Addr
	for _, e := range endpoints {
		if e.name == name {
			out = append(out, netip.MustParseAddr(e.addr))
		}
	}
	if out == nil {
		return nil, unknownEndpoint(name)
	}
	return out, nil
}

// EndpointNames are the names that ParseEndpoint takes.
func EndpointNames() []string {
	var names []string
	for _, e := range endpoints {
		names = append(names, e.name)
	}
	return slices.Compact(names)
}

// endpointName is what users call an address.
func endpointName(addr netip.Addr) string {
	i := slices.IndexFunc(endpoints, func(e endpoint) bool { return e.addr == addr.String() })
	if i < 0 {
		return ""
	}
	return endpoints[i].name
}

func known(addr netip.Addr) bool { return endpointName(addr) != "" }

func unknownEndpoint(name string) error {
	if what, ok := vital[name]; ok {
		return &fault.Error{
			Code: fault.Usage, What: name + " is " + what + ": without it the host fails, and it gives out no credentials",
			Hint: "guard imds, which is 169.254.169.254 and fd00:ec2::254",
		}
	}
	return &fault.Error{
		Code: fault.Usage, What: fmt.Sprintf("%q is no endpoint that gives out credentials", name),
		Hint: "one of " + strings.Join(EndpointNames(), ", ") + ", or an address of theirs",
	}
}
