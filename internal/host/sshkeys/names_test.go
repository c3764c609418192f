package sshkeys

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOSName(t *testing.T) {
	names := Names{Domains: []string{"Example.com"}}
	long := strings.Repeat("a", 32)
	for _, test := range []struct{ iam, want, why string }{
		{iam: "alice", want: "alice"},
		{iam: "Alice.Smith", want: "alice_smith"},
		{iam: "alice@example.com", want: "alice"},
		{iam: "Alice@EXAMPLE.com", want: "alice"},
		{iam: "alice@other.org", want: "alice_other_org"},
		{iam: "a+b=c,d", want: "a_b_c_d"},
		{iam: "build-7", want: "build-7"},
		{iam: long, want: long},
		{iam: long + "a", why: "at most 32"},
		{iam: "root", why: "reserved"},
		{iam: "ROOT", why: "reserved"},
		{iam: "root@example.com", why: "reserved"},
		{iam: "www-data", why: "reserved"},
		{iam: "systemd-oom", why: "reserved"},
		{iam: "ALL", why: "reserved"}, // sudoers' word for everybody
		{iam: "-rf", why: "begins with a letter"},
		{iam: "_apt", why: "begins with a letter"},
		{iam: ".hidden", why: "begins with a letter"},
		{iam: "0", why: "for a uid"},
		{iam: "12345", why: "for a uid"},
		{iam: "12345@example.com", why: "for a uid"},
		{iam: "1up", why: "begins with a letter"},
		{iam: "", why: "empty"},
		{iam: "@example.com", why: "empty"},
		{iam: "../x", why: "begins with a letter"},
		{iam: "a/../x", why: "letters of ASCII"},
		{iam: "älice", why: "begins with a letter"},
		{iam: "alicе", why: "letters of ASCII"},           // Cyrillic е
		{iam: "\u212Aelvin", why: "begins with a letter"}, // the Kelvin sign, which has a small k
		{iam: "alice:0:0", why: "letters of ASCII"},
		{iam: "alice\nroot", why: "letters of ASCII"},
		{iam: "alice ALL=(ALL)", why: "letters of ASCII"},
		{iam: "a%wheel", why: "letters of ASCII"},
	} {
		got, err := names.OSName(test.iam)
		if (err != nil) != (test.why != "") || err != nil && !strings.Contains(err.Error(), test.why) || got != test.want {
			t.Errorf("OSName(%q) = %q, %v; want %q, error with %q", test.iam, got, err, test.want, test.why)
		}
	}
}

// TestUID pins uids, as computed with Python's hashlib: with another algorithm
// every user would lose their files.
func TestUID(t *testing.T) {
	for id, want := range map[string]uint32{
		"AIDAJQABLZS4A3QDU576Q": 2136337771,
		"AIDACKCEVSQ6C2EXAMPLE": 1903645303,
		"":                      1984306196,
	} {
		equal(t, want, UID(id))
	}
}

func TestUIDRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		uid := UID(rapid.String().Draw(t, "id"))
		if uid <= 1879048191 || uid >= 2147352576 || !OwnUID(uid) {
			t.Errorf("uid %d is in a range of systemd's", uid)
		}
	})
	for _, uid := range []uint32{0, 1000, 65534, 1879048191, 2147352576, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		if OwnUID(uid) {
			t.Errorf("%d counts as Postern's", uid)
		}
	}
}
