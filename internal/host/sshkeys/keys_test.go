package sshkeys

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestKeysFor(t *testing.T) {
	alice := aUser("alice", 1)
	removed, stray := aUser("removed", 2), aUser("stray", 3)
	removed.Removed = true
	stray.UID = 1000
	late := aUser("late", 4)
	late.CheckedAt = noon.Add(-20 * time.Hour)
	early := aUser("early", 5)
	early.CheckedAt = noon.Add(time.Hour)
	s := aSnapshot(alice, early, late, removed, stray)
	line := func(expires string, n string) []string {
		return []string{`expiry-time="` + expires + `",restrict,pty ssh-rsa AAAA` + n + " iam:"}
	}
	hours := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	for _, test := range []struct {
		name string
		q    Query
		want []string
		err  error
	}{
		{"a user", Query{Name: "alice", Now: noon}, line("20261122120000", "1"), nil},
		{"with the uid that the account has", Query{"alice", alice.UID, noon}, line("20261122120000", "1"), nil},
		{"with another account's uid", Query{"alice", 1000, noon}, nil, ErrOther},
		{"nobody's", Query{Name: "root", Now: noon}, nil, ErrUnknown},
		{"no name", Query{Now: noon}, nil, ErrUnknown},
		{"removed", Query{Name: "removed", Now: noon}, nil, ErrRemoved},
		{"a uid that is not the user's", Query{Name: "stray", Now: noon}, nil, ErrOther},
		{"an outage of 23 hours", Query{Name: "alice", Now: hours(23)}, line("20261122120000", "1"), nil},
		{"an outage of 24 hours", Query{Name: "alice", Now: hours(24)}, nil, ErrStale},
		{"an outage of 25 hours", Query{Name: "alice", Now: hours(25)}, nil, ErrStale},
		{"checked before the others", Query{Name: "late", Now: noon}, line("20261121160000", "4"), nil},
		{"checked before the others, an outage of 5 hours", Query{Name: "late", Now: hours(5)}, nil, ErrStale},
		{"checked after the others", Query{Name: "early", Now: noon}, line("20261122120000", "5"), nil},
		{"a clock gone back a day", Query{Name: "alice", Now: hours(-24)}, line("20261122120000", "1"), nil},
		{"a clock gone back more than a day", Query{Name: "alice", Now: hours(-25)}, nil, ErrClock},
		{"a clock gone forward", Query{Name: "alice", Now: noon.AddDate(10, 0, 0)}, nil, ErrStale},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := KeysFor(s, test.q)
			if !errors.Is(err, test.err) {
				t.Fatalf("got error %v, want %v", err, test.err)
			}
			for i := range test.want {
				test.want[i] += test.q.Name
			}
			equal(t, test.want, got)
		})
	}
}

func TestLoginOptions(t *testing.T) {
	s := aSnapshot(aUser("alice", 1))
	s.Login = LoginOptions{Allow: []string{"agent-forwarding", "X11-forwarding"}, From: []string{"10.0.0.0/8", "2001:db8::1"}}
	got, err := KeysFor(s, Query{Name: "alice", Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, []string{`expiry-time="20261122120000",restrict,pty,agent-forwarding,X11-forwarding,from="10.0.0.0/8,2001:db8::1" ssh-rsa AAAA1 iam:alice`}, got)
}

// TestExpiryAsCReadsIt asks mktime, which sshd uses, with tm_isdst 0 as sshd
// does: what it reads may be earlier than meant, in no zone and season later.
func TestExpiryAsCReadsIt(t *testing.T) {
	const mktime = `import os, sys, time
for zone, s in zip(sys.argv[1::2], sys.argv[2::2]):
    os.environ["TZ"] = zone
    time.tzset()
    print(int(time.mktime((int(s[:4]), int(s[4:6]), int(s[6:8]), int(s[8:10]), int(s[10:12]), int(s[12:14]), 0, 0, 0))))`
	args := []string{"-c", mktime}
	var meant []time.Time
	for _, zone := range []string{"UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"} {
		loc := must(time.LoadLocation(zone))
		for _, at := range []string{
			"2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z",
			"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", // in Berlin half past two, twice
			"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", // in New York half past one, twice
			"2026-03-29T01:30:00Z",
		} {
			want := must(time.Parse(time.RFC3339, at)).In(loc)
			meant, args = append(meant, want), append(args, zone, sshdTime(want))
		}
	}
	out, err := exec.Command(need(t, "python3"), args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Fields(string(out)) {
		read := time.Unix(must(strconv.ParseInt(line, 10, 64)), 0)
		if early := meant[i].Sub(read); early < 0 || early > time.Hour {
			t.Errorf("%s: sshd reads %s, %s early", meant[i], read.UTC(), early)
		}
	}
}
