package lockdown

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// world is a host with a metadata service and a container, each in a network
// namespace of its own:
//
//	container 172.17.0.2 ── 172.17.0.1 host 10.0.0.1 ── 169.254.169.254 service
//
// The service must not be on the host itself: there a refusal is sent to the
// guarded address, and is refused too.
type world struct {
	service, container int // the processes that hold their namespaces
}

var theWorld = sync.OnceValues(makeWorld)

// need gives the world, without any firewall, or skips the test.
func need(t testing.TB) world {
	t.Helper()
	for _, tool := range []string{"ip", "nft", "curl", "nsenter", "unshare"} {
		witness.Need(t, tool)
	}
	if outside != "" {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatal("POSTERN_REQUIRE=all: " + outside)
		}
		t.Skip(outside)
	}
	w, err := theWorld()
	if err != nil {
		t.Fatal(err)
	}
	clear := func() { run(t, "nft", "flush", "ruleset") }
	clear()
	t.Cleanup(clear)
	return w
}

func makeWorld() (world, error) {
	service, err := companion("imds", "[::]:80")
	if err != nil {
		return world{}, err
	}
	container, err := companion("pause")
	if err != nil {
		return world{}, err
	}
	in := func(pid int) string { return fmt.Sprintf("nsenter --net=/proc/%d/ns/net ", pid) }
	script := []string{
		"ip link set lo up",
		fmt.Sprintf("ip link add imds0 type veth peer name eth0 netns %d", service),
		fmt.Sprintf("ip link add docker0 type veth peer name eth0 netns %d", container),
		"ip addr add 10.0.0.1/24 dev imds0",
		"ip addr add fd00:1::1/64 dev imds0 nodad",
		"ip addr add 172.17.0.1/16 dev docker0",
		"ip addr add fd00:17::1/64 dev docker0 nodad",
		"ip link set imds0 up",
		"ip link set docker0 up",
		in(service) + "ip addr add 169.254.169.254/32 dev eth0",
		in(service) + "ip addr add 169.254.169.253/32 dev eth0",
		in(service) + "ip addr add fd00:ec2::254/128 dev eth0 nodad",
		in(service) + "ip link set eth0 up",
		in(service) + "ip route add 10.0.0.1 dev eth0",
		in(service) + "ip route add 172.17.0.0/16 via 10.0.0.1 dev eth0",
		in(service) + "ip route add fd00:1::1 dev eth0",
		in(service) + "ip route add fd00:17::/64 via fd00:1::1 dev eth0",
		"ip route add 169.254.0.0/16 dev imds0 src 10.0.0.1",
		"ip route add 192.0.2.0/24 dev imds0 src 10.0.0.1",
		"ip route add fd00:ec2::/64 dev imds0 src fd00:1::1",
		in(container) + "ip addr add 172.17.0.2/16 dev eth0",
		in(container) + "ip addr add fd00:17::2/64 dev eth0 nodad",
		in(container) + "ip link set eth0 up",
		in(container) + "ip route add default via 172.17.0.1",
		in(container) + "ip route add default via fd00:17::1",
		"echo 1 >/proc/sys/net/ipv4/ip_forward",
		"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
	}
	if out, err := exec.Command("sh", "-ec", strings.Join(script, "\n")).CombinedOutput(); err != nil {
		return world{}, fmt.Errorf("make namespaces: %w\n%s", err, out)
	}
	return world{service, container}, nil
}

// companions are the standard inputs of companions. What nobody holds is closed.
var companions []io.Closer

// companion starts a part of the test binary in a network namespace of its
// own. It ends when the tests do and its standard input with them.
func companion(name string, args ...string) (int, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), part+"="+name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	companions = append(companions, in)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", name, err)
	}
	if name == "imds" {
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return 0, fmt.Errorf("start %s: %w", name, err)
		}
	}
	return cmd.Process.Pid, nil
}

// run runs a program that must succeed, and gives what it prints.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// outcome is what became of a request.
type outcome string

const (
	answered outcome = "answered"
	refused  outcome = "refused"
	hung     outcome = "hung"
)

// curlCodes are curl's exit codes. 56 is a connection that is reset later.
//
// https://curl.se/libcurl/c/libcurl-errors.html
var curlCodes = map[int]outcome{0: answered, 7: refused, 28: hung, 56: refused}

const (
	imds4 = "http://169.254.169.254/latest/api/token"
	imds6 = "http://[fd00:ec2::254]/latest/api/token"
)

// curl asks for a token as a user; before are programs to start it through.
func curl(t testing.TB, uid uint32, url string, before ...string) outcome {
	t.Helper()
	args := append(before, "curl", "-gsS", "--noproxy", "*", "-m", "2", "-o", "/dev/null", "-X", "PUT",
		"-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", url)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	o, ok := curlCodes[cmd.ProcessState.ExitCode()]
	if !ok {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return o
}

// open opens a socket for as long as the test goes on.
func open(t testing.TB) *conn {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// apply applies a policy for the default endpoints and gives it.
func apply(t testing.TB, p Policy) Policy {
	t.Helper()
	if p.Endpoints == nil {
		p.Endpoints = addresses(t, Default)
	}
	if err := open(t).apply(p); err != nil {
		t.Fatal(err)
	}
	return p
}

func addresses(t testing.TB, names ...string) []netip.Addr {
	t.Helper()
	var out []netip.Addr
	for _, n := range names {
		addrs, err := ParseEndpoint(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, addrs...)
	}
	return out
}

// state reads what stands, which must be something.
func state(t testing.TB) *State {
	t.Helper()
	s, err := open(t).read()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		t.Fatal("no table stands")
	}
	return s
}
