package sshkeys

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func snapshots() *rapid.Generator[*Snapshot] {
	return rapid.Custom(func(t *rapid.T) *Snapshot {
		s := aSnapshot()
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c][a-c0-9_-]{0,3}x`), 0, 9, rapid.ID).Draw(t, "names")
		slices.Sort(names)
		for i, name := range names {
			u := aUser(name, i)
			u.IAMUser = rapid.String().Draw(t, "IAM user")
			u.Keys = slices.Repeat(u.Keys, rapid.IntRange(1, 300).Draw(t, "keys"))
			u.Missing, u.Removed, u.Sudo = rapid.IntRange(0, 3).Draw(t, "missing"), rapid.Bool().Draw(t, "removed"), rapid.Bool().Draw(t, "sudo")
			if rapid.Bool().Draw(t, "late") {
				u.CheckedAt, u.AddedAt, u.LostAt = noon.Add(-time.Hour), noon.Add(-2*time.Hour), noon.Add(-3*time.Hour)
				u.Held = []Loss{LosesSudo, LosesKeys}
			}
			s.Users = append(s.Users, u)
		}
		return s
	})
}

// TestSnapshotReadsAsWritten holds both ways of reading against what was
// written, for every user and for names that are none.
func TestSnapshotReadsAsWritten(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "postern") // in memory: it is written hundreds of times
	if err != nil {
		dir = t.TempDir()
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "snapshot")
	rapid.Check(t, func(rt *rapid.T) {
		want := snapshots().Draw(rt, "snapshot")
		if err := Write(path, want, -1); err != nil {
			rt.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			rt.Fatal(err)
		}
		equal(t, want, got)
		names := []string{"", "a", "zzz", "alice root"}
		for _, u := range want.Users {
			names = append(names, u.Name, u.Name+"x", u.Name[:len(u.Name)-1])
		}
		for _, name := range names {
			one := *want
			one.Users = nil
			if u, ok := want.Find(name); ok {
				one.Users = []User{u}
			}
			got, err := Lookup(path, name)
			if err != nil {
				rt.Fatal(err)
			}
			equal(t, &one, got)
		}
	})
}

// TestEveryByteCounts changes, cuts and adds at each place of a file.
func TestEveryByteCounts(t *testing.T) {
	good, err := encode(aSnapshot(aUser("alice", 1), aUser("bob", 2)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		flipped := slices.Clone(good)
		flipped[i] ^= 1
		for name, data := range map[string][]byte{
			"changed": flipped, "cut": good[:i], "longer": slices.Insert(slices.Clone(good), i, 'x'),
		} {
			if _, err := decode(data); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatalf("%s at byte %d of %d: got error %v", name, i, len(good), err)
			}
		}
	}
}

func TestPreviousAnswers(t *testing.T) {
	old, later := aSnapshot(aUser("alice", 1)), aSnapshot(aUser("alice", 1), aUser("bob", 2))
	newer := strings.Replace(string(must(encode(later))), "snapshot 1 ", "snapshot 2 ", 1)
	for _, test := range []struct {
		name   string
		spoil  func(path string) error
		want   error
		lookup bool // whether a look-up of alice, who is in order, notices
	}{
		{"empty", func(path string) error { return os.Truncate(path, 0) }, ErrCorrupt, true},
		{"cut short", func(path string) error { return os.Truncate(path, 700) }, ErrCorrupt, true},
		{"gone", os.Remove, fs.ErrNotExist, true},
		{"of another program", func(path string) error { return os.WriteFile(path, []byte("{}\n"), 0o600) }, ErrCorrupt, true},
		{"newer", func(path string) error { return os.WriteFile(path, []byte(newer), 0o600) }, ErrNewer, true},
		{"another user's line damaged", func(path string) error {
			text := must(os.ReadFile(path))
			return os.WriteFile(path, []byte(strings.Replace(string(text), "AAAA2", "AAAB2", 1)), 0o600)
		}, ErrCorrupt, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot")
			for _, s := range []*Snapshot{old, later} {
				if err := Write(path, s, -1); err != nil {
					t.Fatal(err)
				}
			}
			if err := test.spoil(path); err != nil {
				t.Fatal(err)
			}
			got, err := Read(path)
			if _, ok := errors.AsType[*Fallback](err); !ok || !errors.Is(err, test.want) {
				t.Errorf("got error %v, want a fallback for %v", err, test.want)
			}
			equal(t, old, got)
			one, err := Lookup(path, "alice")
			if (err != nil) != test.lookup {
				t.Errorf("look-up: got error %v", err)
			}
			equal(t, old.Users, one.Users)

			// The next one written does not put the bad one in the good one's place.
			if err := Write(path, later, -1); err != nil {
				t.Fatal(err)
			}
			if got, err = readOne(previous(path)); err != nil {
				t.Error(err)
			}
			equal(t, old, got)
		})
	}
}

func TestNoSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	if got, err := Read(path); got != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := Lookup(path, "alice"); got != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	for name, s := range map[string]*Snapshot{
		"two users of one account": aSnapshot(aUser("alice", 1), aUser("alice", 2)),
		"an impossible account":    aSnapshot(aUser("a b", 1)),
		"root's account":           aSnapshot(aUser("root", 1)),
		"too many addresses":       {Login: LoginOptions{From: slices.Repeat([]string{"10.0.0.0/8"}, 10_000)}},
	} {
		if err := Write(path, s, -1); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// TestKilledWhileWriting begins from each state that a killed Write leaves
// behind: what was written before answers, and the next Write succeeds.
func TestKilledWhileWriting(t *testing.T) {
	one, two, three := aSnapshot(aUser("alice", 1)), aSnapshot(aUser("bob", 2)), aSnapshot(aUser("carol", 3))
	half := must(encode(three))[:100]
	for name, left := range map[string]map[string][]byte{
		"half of the new one":              {".new": half},
		"all of the new one":               {".new": must(encode(three))},
		"a second name for the old one":    {".new": must(encode(three)), ".prev.new": must(encode(two))},
		"the old one has become the last":  {".new": must(encode(three)), ".prev": must(encode(two))},
		"somebody's files in their places": {".new": []byte("x"), ".prev.new": []byte("y")},
	} {
		path := filepath.Join(t.TempDir(), "snapshot")
		for _, s := range []*Snapshot{one, two} {
			if err := Write(path, s, -1); err != nil {
				t.Fatal(err)
			}
		}
		for suffix, data := range left {
			if err := os.WriteFile(path+suffix, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, two, must(Read(path)))
		if err := Write(path, three, -1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, three, must(Read(path)))
		equal(t, two, must(readOne(previous(path))))
	}
}

func TestSnapshotMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	if err := Write(path, aSnapshot(), -1); err != nil {
		t.Fatal(err)
	}
	equal(t, fs.FileMode(0o640), must(os.Stat(path)).Mode())
}

// FuzzDecode holds that what is taken for a snapshot says the same when it is
// written again, and that a look-up finds in it what reading it does.
func FuzzDecode(f *testing.F) {
	f.Add(must(encode(aSnapshot(aUser("alice", 1), aUser("bob", 2)))))
	f.Add(must(encode(aSnapshot())))
	f.Add([]byte(magic + " 1 00000000 {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, lookupErr := lines{bytes.NewReader(data), int64(len(data))}.lookup("alice")
		s, err := decode(data)
		if err != nil {
			return
		}
		if lookupErr != nil {
			t.Errorf("decoded, but a look-up fails: %v", lookupErr)
		}
		if again, err := encode(s); err == nil {
			equal(t, s, must(decode(again)))
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// BenchmarkLookup is sshd's question without the start of the process.
func BenchmarkLookup(b *testing.B) {
	path := filepath.Join(b.TempDir(), "snapshot")
	if err := Write(path, fiveThousand(), -1); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		s, err := Lookup(path, fmt.Sprintf("user%04d", i%5000))
		if err != nil || len(s.Users) != 1 {
			b.Fatal(s, err)
		}
	}
}

// fiveThousand is a snapshot of 5,000 users with two RSA keys each.
func fiveThousand() *Snapshot {
	s := aSnapshot()
	for i := range 5000 {
		u := aUser(fmt.Sprintf("user%04d", i), i)
		u.Keys[0].Line = "ssh-rsa " + strings.Repeat("A", 544)
		u.Keys = slices.Repeat(u.Keys, 2)
		s.Users = append(s.Users, u)
	}
	return s
}
