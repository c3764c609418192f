package lockdown

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/witness"
)

// become makes the calling goroutine's thread act for a user. The goroutine
// must be locked to its thread.
func become(uid uint32) error {
	const same = ^uintptr(0)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, uintptr(uid), same); errno != 0 {
		return errno
	}
	return nil
}

// as does something as a user, on a thread that ends with it.
func as(t *testing.T, uid uint32, do func()) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else gets this thread
		err := become(uid)
		if err == nil {
			do()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func dialAs(t *testing.T, uid uint32, network, address string) (conn net.Conn, err error) {
	t.Helper()
	as(t, uid, func() { conn, err = net.DialTimeout(network, address, 2*time.Second) })
	if err == nil {
		t.Cleanup(func() { conn.Close() })
		err = conn.SetDeadline(time.Now().Add(2 * time.Second))
	}
	return conn, err
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func say(conn net.Conn) error {
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 4096))
	return err
}

// TestOpenFlow asks that a connection from before is cut, not left alone.
func TestOpenFlow(t *testing.T) {
	need(t)
	apply(t, Policy{Allow: []uint32{999}}) // so that conntrack knows the flow
	conn, err := dialAs(t, 999, "tcp", "169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	if err := say(conn); err != nil {
		t.Fatal(err)
	}
	apply(t, Policy{Allow: []uint32{0}})
	if err := say(conn); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection opened before: %v", err)
	}
}

// TestHandedOn shows a limit that the documentation states: a socket stays its
// opener's, whoever uses it.
func TestHandedOn(t *testing.T) {
	need(t)
	apply(t, Policy{Allow: []uint32{0}})
	conn, err := dialAs(t, 0, "tcp", "169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	as(t, 999, func() { err = say(conn) })
	if err != nil {
		t.Error(err)
	}
}

func TestOtherProtocols(t *testing.T) {
	need(t)
	apply(t, Policy{Allow: []uint32{0}})
	t.Run("UDP", func(t *testing.T) {
		for _, to := range []string{"169.254.169.254:80", "[fd00:ec2::254]:80"} {
			conn, err := dialAs(t, 999, "udp", to)
			if err != nil {
				t.Fatal(err)
			}
			if err := say(conn); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", to, err)
			}
		}
	})
	t.Run("multipath TCP", func(t *testing.T) {
		var err error
		as(t, 999, func() {
			var fd int
			if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 262); err != nil { // IPPROTO_MPTCP
				return
			}
			defer syscall.Close(fd)
			err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: 80, Addr: [4]byte{169, 254, 169, 254}})
		})
		if errors.Is(err, syscall.EPROTONOSUPPORT) {
			t.Skip("the kernel has no multipath TCP")
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
	})
}

// TestFullSet fills the set that remembers users: the next one is refused
// all the same.
func TestFullSet(t *testing.T) {
	need(t)
	apply(t, Policy{Allow: []uint32{64_000}}) // so that conntrack knows the flow
	conn, err := dialAs(t, 64_000, "tcp", "169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	if err := say(conn); err != nil {
		t.Fatal(err)
	}
	apply(t, Policy{Allow: []uint32{0}})
	as(t, 0, func() {
		for uid := range uint32(deniedSize + 10) {
			if err = become(uid + 1); err != nil {
				return
			}
			if c, dialErr := net.Dial("udp", "169.254.169.254:80"); dialErr == nil {
				_, _ = c.Write([]byte{0})
				c.Close()
			}
			if err = become(0); err != nil {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(state(t).Denied); n < deniedSize*9/10 || n > deniedSize {
		t.Errorf("%d users are remembered", n)
	}
	if got := curl(t, 64_001, imds4); got != refused {
		t.Errorf("a user who is not remembered: %s", got)
	}
	if err := say(conn); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection opened before by a user who is not remembered: %v", err)
	}
}

// TestClients asks with AWS's own clients.
func TestClients(t *testing.T) {
	need(t)
	aws := witness.Need(t, "aws")
	clients := []struct {
		name string
		argv []string
		part string
	}{
		{"SDK for Go, IPv4", []string{"/proc/self/exe", "http://169.254.169.254"}, "sdk"},
		{"SDK for Go, IPv6", []string{"/proc/self/exe", "http://[fd00:ec2::254]"}, "sdk"},
		{"AWS CLI", []string{"sh", "-c", `"$1" configure list | grep iam-role`, "-", aws}, ""},
	}
	apply(t, Policy{Allow: []uint32{0, 998}})
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			for uid, want := range map[uint32]bool{998: true, 999: false} {
				cmd := exec.Command(c.argv[0], c.argv[1:]...)
				cmd.SysProcAttr = &syscall.SysProcAttr{
					Credential:  &syscall.Credential{Uid: uid, Gid: uid},
					AmbientCaps: []uintptr{1}, // CAP_DAC_OVERRIDE, had once a program runs: clients may lie in private folders
				}
				cmd.Env = []string{part + "=" + c.part, "HOME=/nonexistent", "AWS_REGION=eu-west-1", "PATH=" + os.Getenv("PATH")}
				cmd.Dir = "/"
				out, err := cmd.CombinedOutput()
				if got := err == nil; got != want {
					t.Errorf("uid %d: %v\n%s", uid, err, out)
				}
			}
		})
	}
}
