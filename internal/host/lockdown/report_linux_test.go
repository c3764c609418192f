package lockdown

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	mdl "github.com/mdlayher/netlink"
)

// listen collects reports while something is done, until there are some.
func listen(t *testing.T, group uint16, do func(), enough func([]Report) bool) []Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	log := openLog(t, group)
	reports, ended := make(chan Report, 1000), make(chan error, 1)
	go func() { ended <- log.Follow(ctx, func(r Report) { reports <- r }) }()
	do()
	var got []Report
	for !enough(got) {
		select {
		case r := <-reports:
			got = append(got, r)
		case <-ctx.Done():
			t.Fatalf("only %v", got)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return got
}

func openLog(t *testing.T, group uint16) *Log {
	t.Helper()
	log, err := OpenLog(group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func TestFollow(t *testing.T) {
	w := need(t)
	apply(t, Policy{Allow: []uint32{0}, LogGroup: 77})
	got := listen(t, 77, func() {
		curl(t, 999, imds4)
		curl(t, 1000, imds6)
		curl(t, 0, imds4)
		curl(t, 0, imds4, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", w.container))
	}, func(got []Report) bool { return len(got) == 3 })
	want := []struct {
		owned bool
		uid   uint32
		from  string
		to    string
	}{{true, 999, "10.0.0.1", "169.254.169.254:80"}, {true, 1000, "fd00:1::1", "[fd00:ec2::254]:80"}, {false, 0, "172.17.0.2", "169.254.169.254:80"}}
	for i, r := range got {
		w := want[i]
		if r.Owned != w.owned || r.Forwarded == w.owned || r.UID != w.uid || r.Protocol != "tcp" || r.To.String() != w.to || r.From.Addr().String() != w.from || r.From.Port() == 0 {
			t.Errorf("%+v, want %+v", r, w)
		}
	}
}

func TestOneLogOfAGroup(t *testing.T) {
	need(t)
	first := openLog(t, 78)
	if _, err := OpenLog(78); message(err) != "cannot listen to NFLOG group 78: another process does, or CAP_NET_ADMIN is missing" {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	openLog(t, 78)
}

func TestOwner(t *testing.T) {
	need(t)
	for _, to := range []string{"169.254.169.254:80", "[fd00:ec2::254]:80"} {
		conn, err := dialAs(t, 999, "tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		from := netip.MustParseAddrPort(conn.LocalAddr().String())
		p, ok := Owner(Report{Protocol: "tcp", From: from})
		if !ok || p.PID != os.Getpid() || p.Command == "" {
			t.Errorf("%s: %+v, %v", from, p, ok)
		}
	}
	if p, ok := Owner(Report{Protocol: "tcp", From: netip.MustParseAddrPort("10.0.0.1:1")}); ok {
		t.Errorf("found %v for nobody's address", p)
	}
}

// TestReportOfNobody reads the report of a packet that is neither forwarded nor
// any socket's, as the last ones of a connection are.
func TestReportOfNobody(t *testing.T) {
	const hookOutput = 3
	packet := append([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 169, 254, 169, 254}, 0x30, 0x39, 0, 80)
	data, err := mdl.MarshalAttributes([]mdl.Attribute{{Type: packetHeader, Data: []byte{8, 0, hookOutput, 0}}, {Type: packetPayload, Data: packet}})
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Protocol: "tcp", From: netip.MustParseAddrPort("10.0.0.1:12345"), To: netip.MustParseAddrPort("169.254.169.254:80")}
	if got, ok := parseReport(data); got != want || !ok {
		t.Errorf("%+v, %v, want %+v", got, ok, want)
	}
}
