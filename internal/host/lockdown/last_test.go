package lockdown

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "lockdown.json")
	l := Last(path)
	if p, err := l.Policy(); p != nil || err != nil {
		t.Errorf("without a file: %v, %v", p, err)
	}
	if err := l.Forget(); err != nil {
		t.Error(err)
	}
	want := Policy{
		Allow: []uint32{0, 998}, Endpoints: []netip.Addr{netip.MustParseAddr("169.254.169.254")},
		ForwardFrom: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}, LogGroup: 77,
	}
	if err := l.Keep(want); err != nil {
		t.Fatal(err)
	}
	got, err := l.Policy()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); d != "" {
		t.Error(d)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Keep(want); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("what is known is written again: %v", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", string(good[:len(good)/2]), strings.Replace(string(good), `"version":1`, `"version":2`, 1),
		strings.Replace(string(good), `"allow"`, `"allowed"`, 1), strings.Replace(string(good), "169.254.169.254", "10.0.0.1", 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := l.Policy(); p != nil || err == nil {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	if err := l.Forget(); err != nil {
		t.Error(err)
	}
	if p, err := l.Policy(); p != nil || err != nil {
		t.Errorf("forgotten: %v, %v", p, err)
	}
}
