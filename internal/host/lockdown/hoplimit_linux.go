package lockdown

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// HopLimit makes a request and tells how many hops its answer could go, 0 if
// no answer was seen. EC2 sends the answer to a token request with the
// instance's HttpPutResponseHopLimit as its time to live, and no router lies
// between: so it can be read off without a permission to ask AWS. IPv4 only.
// It needs CAP_NET_RAW.
//
// https://aws.amazon.com/blogs/security/defense-in-depth-open-firewalls-reverse-proxies-ssrf-vulnerabilities-ec2-instance-metadata-service/
func HopLimit(ctx context.Context, addr netip.Addr, request func(context.Context) error) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.IPPROTO_TCP)
	if err != nil {
		return 0, fmt.Errorf("open raw socket: %w", err)
	}
	defer syscall.Close(fd)
	if err := request(ctx); err != nil {
		return 0, err
	}
	// The request has ended: what came for it lies in the socket's buffer.
	wait := syscall.NsecToTimeval((10 * time.Millisecond).Nanoseconds())
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait); err != nil {
		return 0, fmt.Errorf("bound raw socket: %w", err)
	}
	packet := make([]byte, 1<<16)
	for {
		n, _, err := syscall.Recvfrom(fd, packet, 0)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("read raw socket: %w", err)
		default:
			if ttl := answerTTL(packet[:n], addr); ttl > 0 {
				return ttl, nil
			}
		}
	}
}

// answerTTL is the time to live of a TCP packet with content that comes from
// port 80 of addr; 0 for others. What carries no content, the answer to SYN for
// one, may have the usual time to live.
func answerTTL(p []byte, addr netip.Addr) int {
	const ip, tcp = 20, 20
	r, ok := parsePacket(p)
	if !ok || len(p) < ip+tcp || r.From != netip.AddrPortFrom(addr, 80) {
		return 0
	}
	header := int(p[0]&0xf) * 4
	if len(p) < header+tcp {
		return 0
	}
	offset := int(p[header+12]>>4) * 4
	if total := int(binary.BigEndian.Uint16(p[2:])); total <= header+offset {
		return 0
	}
	return int(p[8])
}
