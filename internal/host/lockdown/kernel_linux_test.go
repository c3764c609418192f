package lockdown

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/nftables"
)

var policies = []struct {
	name   string
	policy Policy
}{
	{"one user", Policy{Allow: []uint32{0}, LogGroup: 77}},
	{"many users", Policy{Allow: []uint32{0, 999, 1000, 1001, 65534}, LogGroup: 77}},
	{"nobody", Policy{}},
	{"networks", Policy{Allow: []uint32{0}, ForwardFrom: []netip.Prefix{
		netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("10.1.2.3/32"),
		netip.MustParsePrefix("172.18.0.0/16"), netip.MustParsePrefix("fd00:17::/64"), netip.MustParsePrefix("255.0.0.0/8"), netip.MustParsePrefix("ff00::/8"),
	}}},
	{"observing", Policy{Allow: []uint32{0}, LogGroup: 5, Observe: true}},
}

// TestPrintIsWhatIsApplied holds our messages against nft's reading of our text.
func TestPrintIsWhatIsApplied(t *testing.T) {
	need(t)
	for _, tt := range policies {
		t.Run(tt.name, func(t *testing.T) {
			p := apply(t, tt.policy)
			ours := listing(t)
			file := filepath.Join(t.TempDir(), "lockdown.nft")
			if err := os.WriteFile(file, []byte(Print(p)), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "nft", "-c", "-f", file)
			run(t, "nft", "flush", "ruleset")
			run(t, "nft", "-f", file)
			if d := cmp.Diff(listing(t), ours); d != "" {
				t.Error(d)
			}
			s := state(t)
			if drift := s.Drift(p); drift != nil {
				t.Errorf("what nft has made is taken for drift: %q", drift)
			}
			if d := cmp.Diff(p.Normalised(), s.Policy, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("read back: %s", d)
			}
		})
	}
}

// listing is nft's own list of our table, without the numbers that the kernel gives out.
func listing(t *testing.T) []any {
	t.Helper()
	var list struct {
		Nftables []any `json:"nftables"`
	}
	if err := json.Unmarshal([]byte(run(t, "nft", "-j", "list", "table", "inet", Table)), &list); err != nil {
		t.Fatal(err)
	}
	for _, entry := range list.Nftables {
		for _, object := range entry.(map[string]any) {
			delete(object.(map[string]any), "handle")
		}
	}
	return list.Nftables
}

// TestGuard tries each way to an endpoint.
func TestGuard(t *testing.T) {
	w := need(t)
	inContainer := []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", w.container)}
	ecs := addresses(t, "imds", "ecs")
	tests := []struct {
		name    string
		policy  Policy
		foreign string // rules of others, for nft
		uid     uint32
		url     string
		through []string
		want    outcome
	}{
		{name: "allowed user, IPv4", policy: Policy{Allow: []uint32{999}}, uid: 999, url: imds4, want: answered},
		{name: "allowed user, IPv6", policy: Policy{Allow: []uint32{999}}, uid: 999, url: imds6, want: answered},
		{name: "root is not allowed by being root", policy: Policy{Allow: []uint32{999}}, uid: 0, url: imds4, want: refused},
		{name: "other user, IPv4", policy: Policy{Allow: []uint32{0}}, uid: 999, url: imds4, want: refused},
		{name: "other user, IPv6", policy: Policy{Allow: []uint32{0}}, uid: 999, url: imds6, want: refused},
		{name: "nobody is allowed", policy: Policy{}, uid: 0, url: imds4, want: refused},
		{name: "decimal address", policy: Policy{Allow: []uint32{0}}, uid: 999, url: "http://2852039166/", want: refused},
		{name: "octal address", policy: Policy{Allow: []uint32{0}}, uid: 999, url: "http://0251.0376.0251.0376/", want: refused},
		{name: "IPv4 in IPv6", policy: Policy{Allow: []uint32{0}}, uid: 999, url: "http://[::ffff:169.254.169.254]/", want: refused},
		{name: "other port", policy: Policy{Allow: []uint32{0}}, uid: 999, url: "http://169.254.169.254:8080/", want: refused},
		{name: "root of a user namespace", policy: Policy{Allow: []uint32{0}}, uid: 999, url: imds4, through: []string{"unshare", "-Ur"}, want: refused},
		{name: "allowed user in a user namespace", policy: Policy{Allow: []uint32{999}}, uid: 999, url: imds4, through: []string{"unshare", "-Ur"}, want: answered},
		{name: "the DNS server stays open", policy: Policy{Allow: []uint32{0}}, uid: 999, url: "http://169.254.169.253/", want: answered},

		{name: "container, without us", policy: Policy{Observe: true}, url: imds4, through: inContainer, want: answered},
		{name: "container, IPv4", policy: Policy{Allow: []uint32{0}}, url: imds4, through: inContainer, want: refused},
		{name: "container, IPv6", policy: Policy{Allow: []uint32{0}}, url: imds6, through: inContainer, want: refused},
		{name: "container that may, IPv4", policy: Policy{ForwardFrom: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}}, url: imds4, through: inContainer, want: answered},
		{name: "container that may, IPv6", policy: Policy{ForwardFrom: []netip.Prefix{netip.MustParsePrefix("fd00:17::2/128")}}, url: imds6, through: inContainer, want: answered},
		{name: "container of another network", policy: Policy{ForwardFrom: []netip.Prefix{netip.MustParsePrefix("172.18.0.0/16")}}, url: imds4, through: inContainer, want: refused},

		{name: "ECS address that its agent rewrites", policy: Policy{Allow: []uint32{0}, Endpoints: ecs}, foreign: rewritten("169.254.170.2", "169.254.169.253"), uid: 999, url: "http://169.254.170.2/", want: refused},
		{name: "ECS address, allowed", policy: Policy{Allow: []uint32{0}, Endpoints: ecs}, foreign: rewritten("169.254.170.2", "169.254.169.253"), uid: 0, url: "http://169.254.170.2/", want: answered},
		{name: "ECS address, not guarded", policy: Policy{Allow: []uint32{0}}, foreign: rewritten("169.254.170.2", "169.254.169.253"), uid: 999, url: "http://169.254.170.2/", want: answered},
		{name: "address rewritten into the endpoint", policy: Policy{Allow: []uint32{0}}, foreign: rewritten("192.0.2.1", "169.254.169.254"), uid: 999, url: "http://192.0.2.1/", want: refused},
		{name: "others accept everything before us", policy: Policy{Allow: []uint32{0}}, foreign: "table ip early { chain o { type filter hook output priority -500; accept; }; }", uid: 999, url: imds4, want: refused},
		{name: "observing", policy: Policy{Allow: []uint32{0}, Observe: true}, uid: 999, url: imds4, want: answered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run(t, "nft", "flush", "ruleset")
			if tt.foreign != "" {
				run(t, "nft", tt.foreign)
			}
			p := apply(t, tt.policy)
			if got := curl(t, tt.uid, tt.url, tt.through...); got != tt.want {
				t.Errorf("uid %d: %s, want %s\n%s", tt.uid, got, tt.want, run(t, "nft", "list", "ruleset"))
			}
			if drift := state(t).Drift(p); drift != nil {
				t.Errorf("use is taken for drift: %q", drift)
			}
		})
	}
}

// rewritten is a rule that changes a destination, as the ECS agent sets it.
func rewritten(from, to string) string {
	return fmt.Sprintf("table ip agent { chain o { type nat hook output priority -100; ip daddr %s tcp dport 80 dnat to %s; }; }", from, to)
}

func TestWithoutUs(t *testing.T) {
	need(t)
	for _, url := range []string{imds4, imds6} {
		if got := curl(t, 999, url); got != answered {
			t.Fatalf("%s: %s: the tests would prove nothing", url, got)
		}
	}
	if s, err := open(t).read(); s != nil || err != nil {
		t.Errorf("a table where none is: %v, %v", s, err)
	}
	if was, err := open(t).remove(); was || err != nil {
		t.Errorf("removed %v where nothing is: %v", was, err)
	}
}

// TestCounts asks that only true refusals are counted. The naive rule counts
// the last packets of allowed connections too.
func TestCounts(t *testing.T) {
	w := need(t)
	unowned := uint64(1)
	for range 3 { // a connection of an earlier test, without us, may end meanwhile
		if unowned == 0 {
			break
		}
		apply(t, Policy{Allow: []uint32{0}})
		for range 50 {
			if got := curl(t, 0, imds4); got != answered {
				t.Fatal(got)
			}
		}
		unowned = state(t).Unowned
	}
	if unowned != 0 {
		t.Errorf("%d packets without a socket were refused after requests of users who may", unowned)
	}
	for range 3 {
		curl(t, 999, imds4)
	}
	curl(t, 1000, imds6)
	curl(t, 0, imds4, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", w.container))
	s := state(t)
	want := []Denial{{999, 3}, {1000, 1}}
	if d := cmp.Diff(want, s.Denied); d != "" {
		t.Error(d)
	}
	from := []Forwarded{{netip.MustParseAddr("172.17.0.2"), 1}}
	if d := cmp.Diff(from, s.DeniedFrom, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
}

// TestObservedOnce asks that both hooks together count a packet once.
func TestObservedOnce(t *testing.T) {
	need(t)
	apply(t, Policy{Observe: true})
	curl(t, 999, imds4)
	once := state(t).Denied
	if len(once) != 1 || once[0].UID != 999 || once[0].Packets > 8 { // a request is a handful of packets
		t.Errorf("%v", once)
	}
}

func TestDriftOf(t *testing.T) {
	need(t)
	tests := []struct {
		name string
		nft  string
		want []string
	}{
		{"none", "", nil},
		{"a user more", "add element inet postern_lockdown allow_uid { 4711 }", []string{"set allow_uid also has 4711"}},
		{"a user less", "delete element inet postern_lockdown allow_uid { 0 }", []string{"set allow_uid lacks 0"}},
		{"an endpoint less", "delete element inet postern_lockdown endpoint6 { fd00:ec2::254 }", []string{"set endpoint6 lacks fd00:ec2::254"}},
		{"everybody", "add element inet postern_lockdown allow_uid { * }", []string{"set allow_uid also has * (everything)"}},
		{"a rule before ours", "insert rule inet postern_lockdown guard accept", []string{"chain guard has 6 rules, not 5"}},
		{"no rules", "flush chain inet postern_lockdown forward", []string{"chain forward has 0 rules, not 6"}},
		{"another verdict", "replace rule inet postern_lockdown guard handle $HANDLE accept", []string{"rule 5 of chain guard is another one"}},
		{"a chain more", "add chain inet postern_lockdown mine", []string{"chain mine is not of our making"}},
		{"asleep", "add table inet postern_lockdown { flags dormant; }", []string{"the table has flags that we do not set: a dormant table guards nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run(t, "nft", "flush", "ruleset")
			p := apply(t, Policy{Allow: []uint32{0}})
			if tt.nft != "" {
				run(t, "nft", strings.ReplaceAll(tt.nft, "$HANDLE", lastHandle(t, "guard")))
			}
			if d := cmp.Diff(tt.want, state(t).Drift(p)); d != "" {
				t.Error(d)
			}
			apply(t, p)
			if drift := state(t).Drift(p); drift != nil {
				t.Errorf("after a second apply: %q", drift)
			}
		})
	}
	run(t, "nft", "flush", "ruleset")
	if s, err := open(t).read(); s != nil || err != nil {
		t.Errorf("after a foreign flush: %v, %v", s, err)
	}
}

// TestDriftOfText changes our text line by line, and asks that what it makes is
// drift.
func TestDriftOfText(t *testing.T) {
	need(t)
	tests := []struct{ name, from, to, want string }{
		{"an endpoint that expires", "elements = { 169.254.169.254 }", "flags timeout; elements = { 169.254.169.254 timeout 1h }", "the elements of set endpoint4 expire otherwise"},
		{"a user who expires", "elements = { 0 }", "flags timeout; elements = { 0 timeout 1h }", "the elements of set allow_uid expire otherwise"},
		{"refusals forgotten soon", "timeout 86400s", "timeout 5s", "the elements of set denied_uid expire otherwise"},
		{"refusals forgotten at once", "{ meta skuid }", "{ meta skuid timeout 1s }", "rule 2 of chain guard is another one"},
		{"few refusals", "size 4096", "size 16", "set denied_uid is of another kind"},
		{"refusals uncounted", "\t\tcounter\n", "", "set denied_uid does not count"},
		{"a priority", "priority -150", "priority -149", "chain output_early is hooked elsewhere"},
		{"another refusal", "admin-prohibited", "port-unreachable", "rule 2 of chain deny is another one"},
		{"new connections", "established,related", "established,related,new", "rule 4 of chain guard is another one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := *only(t, 0)
			text := strings.Replace(Print(p), tt.from, tt.to, 1)
			if text == Print(p) {
				t.Fatal("nothing to change")
			}
			file := filepath.Join(t.TempDir(), "lockdown.nft")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "nft", "-f", file)
			curl(t, 999, imds4)
			if d := cmp.Diff([]string{tt.want}, state(t).Drift(p)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestForeignTable asks that a table of our name that others have made, of
// whatever shape, is drift, and can be replaced and removed.
func TestForeignTable(t *testing.T) {
	need(t)
	tests := []struct{ name, nft string }{
		{"empty", "table inet postern_lockdown {}"},
		{"keys of one byte", "table inet postern_lockdown { set allow_uid { type inet_proto; elements = { 6 }; }; set denied_uid { type inet_proto; elements = { 6 }; }; }"},
		{"keys of two bytes", "table inet postern_lockdown { set endpoint4 { type inet_service; elements = { 7 }; }; set denied_from6 { type inet_service; elements = { 7 }; }; }"},
		{"ranges of other keys", "table inet postern_lockdown { set forward4 { type ether_addr; flags interval; elements = { 00:11:22:33:44:55-00:11:22:33:44:66 }; }; }"},
		{"a map, rules of other kinds", "table inet postern_lockdown { map endpoint6 { type ipv4_addr : verdict; elements = { 192.0.2.1 : accept }; }; chain guard { tcp dport vmap { 1 : accept }; }; chain deny { jhash ip saddr mod 2 0; }; }"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run(t, "nft", "flush", "ruleset")
			run(t, "nft", tt.nft)
			p := Policy{Allow: []uint32{0}, Endpoints: addresses(t, Default)}
			if state(t).Drift(p) == nil {
				t.Error("no drift")
			}
			if err := host(t).Make(t.Context(), Change{Policy: &p, Test: func(context.Context) error { return nil }}); err != nil {
				t.Error(err)
			}
			if drift := state(t).Drift(p); drift != nil {
				t.Errorf("after apply: %q", drift)
			}
		})
	}
}

// TestOwnedTable asks that root is not told to become root where a process keeps
// the table to itself.
func TestOwnedTable(t *testing.T) {
	need(t)
	nft := exec.Command("nft", "-i")
	in, err := nft.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := nft.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nft.Wait() }()
	defer in.Close()
	fmt.Fprintln(in, "add table inet postern_lockdown { flags owner; }")
	for !strings.Contains(run(t, "nft", "list", "tables"), Table) {
		time.Sleep(time.Millisecond)
	}
	const owned = " table postern_lockdown: it belongs to a process that made it with nft's flag `owner`"
	if err := open(t).apply(*only(t, 0)); message(err) != "apply"+owned {
		t.Error(err)
	}
	if _, err := open(t).remove(); message(err) != "remove"+owned {
		t.Error(err)
	}
}

// lastHandle is the number of the last rule of a chain.
func lastHandle(t *testing.T, chain string) string {
	t.Helper()
	text := run(t, "nft", "-a", "list", "chain", "inet", Table, chain)
	return strings.TrimSpace(strings.Split(text[strings.LastIndex(text[:strings.LastIndex(text, "}\n}")], "# handle ")+9:], "\n")[0])
}

func TestManyUsers(t *testing.T) {
	need(t)
	var p Policy
	for uid := range uint32(maxAllow) {
		p.Allow = append(p.Allow, uid*3)
	}
	p = apply(t, p)
	if drift := state(t).Drift(p); drift != nil {
		t.Error(drift)
	}
}

// TestConcurrentApply asks that of many at once the last one stands whole, and
// that meanwhile nobody slips through.
func TestConcurrentApply(t *testing.T) {
	need(t)
	a := apply(t, Policy{Allow: []uint32{0}})
	b := Policy{Allow: []uint32{0, 1000}, Endpoints: a.Endpoints, LogGroup: 9}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			p := a
			if i%2 == 0 {
				p = b
			}
			if err := open(t).apply(p); err != nil {
				t.Error(err)
			}
		})
	}
	for range 10 {
		if got := curl(t, 999, imds4); got != refused {
			t.Errorf("between two tables: %s", got)
		}
	}
	wg.Wait()
	if s := state(t); s.Drift(a) != nil && s.Drift(b) != nil {
		t.Errorf("a mixture stands: %v, %q or %q", s.Policy, s.Drift(a), s.Drift(b))
	}
}

// TestReadWhileOthersApply asks for one table, not a mixture of two, while ours
// is replaced and others change theirs.
func TestReadWhileOthersApply(t *testing.T) {
	need(t)
	a := apply(t, Policy{Allow: []uint32{0}})
	b := Policy{Allow: []uint32{0, 1000}, Endpoints: a.Endpoints, LogGroup: 9}
	ours, theirs, reader := open(t), open(t), open(t)
	done := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(done)
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
			if err := ours.apply([]Policy{a, b}[i%2]); err != nil {
				t.Error(err)
				return
			}
			theirs.nft.AddTable(&nftables.Table{Name: fmt.Sprint("theirs", i), Family: nftables.TableFamilyIPv4})
			if err := theirs.nft.Flush(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 50 {
		s, err := reader.read()
		if err != nil || s == nil {
			t.Fatalf("%v, %v", s, err)
		}
		if s.Drift(a) != nil && s.Drift(b) != nil {
			t.Errorf("a mixture of two tables: %v, %q or %q", s.Policy, s.Drift(a), s.Drift(b))
		}
	}
}

// applyForever applies two policies in turns until it is killed.
func applyForever([]string) error {
	endpoints, err := ParseEndpoint(Default)
	if err != nil {
		return err
	}
	conn, err := dial()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		if err := conn.apply(Policy{Allow: []uint32{uint32(i % 2)}, Endpoints: endpoints}); err != nil {
			return err
		}
	}
}

// TestKilled kills a process at any point of applying: one of its tables stands.
func TestKilled(t *testing.T) {
	need(t)
	endpoints := addresses(t, Default)
	for i := range 10 {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), part+"=apply")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20*time.Millisecond + time.Duration(i)*317*time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		s := state(t)
		if s.Drift(Policy{Allow: []uint32{0}, Endpoints: endpoints}) != nil && s.Drift(Policy{Allow: []uint32{1}, Endpoints: endpoints}) != nil {
			t.Errorf("half a table: %v", s.Policy)
		}
	}
}
