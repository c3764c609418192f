package action

import (
	"strings"
	"sync"
	"testing"
)

// TestBrokenArchives: a reference that is cut off or scribbled over is an error.
func TestBrokenArchives(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", "not a reference"},
		{"another format", strings.Replace(embedded, "\t1\n", "\t2\n", 1), "not a reference"},
		{"a short header", magic + "\n1\t2\n", "header"},
		{"a count that is none", strings.Replace(embedded, "\t22091\t", "\tmany\t", 1), `number "many"`},
		{"cut off in the index", embedded[:200], "bad"},
		{"cut off in a service", embedded[:len(embedded)-1], "length"},
		{"an unknown type", strings.Replace(embedded, "aws:SourceIp\tIPAddress", "aws:SourceIp\tColour", 1), "condition key"},
	} {
		if _, err := open(tt.src); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestBrokenServices(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no empty line", "Space\nspace:G\tString\n", "empty line"},
		{"a key without type", "Space\n\nspace:G\n\n\n", "condition key"},
		{"a resource type without ARNs", "Space\n\n\nship\n\n", "resource type"},
		{"an action without level", "Space\n\n\n\nFly\t\t\t\n", "action"},
		{"an action that is cut off", "Space\n\n\n\nFly\tR\n", "action"},
		{"a resource type that is not there", "Space\n\n\n\nFly\tR\t\t0\n", "resource type"},
		{"a key that is not there", "Space\n\n\n\nFly\tR\t7\t\n", "condition key"},
		{"a number too large", "Space\n\n\n\nFly\tR\t99999999999999999999\t\n", "condition key"},
	} {
		if _, err := parseService("space", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestFirstUseIsSafe decodes each service of a fresh archive from several
// goroutines at once; the race detector looks on.
func TestFirstUseIsSafe(t *testing.T) {
	a, err := open(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.services {
		var wg sync.WaitGroup
		var both [2]*Service
		for j := range both {
			wg.Go(func() { both[j] = a.services[i].load() })
		}
		wg.Wait()
		if both[0] == nil || both[0] != both[1] {
			t.Errorf("%s is decoded twice", a.services[i].prefix)
		}
	}
}

// TestOnlyWhatIsAskedIsDecoded: a question about one service pays for no other.
func TestOnlyWhatIsAskedIsDecoded(t *testing.T) {
	a, err := open(embedded)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := a.entry("S3")
	e.load()
	for i := range a.services {
		if s := &a.services[i]; (s.service != nil) != (s.prefix == "s3") {
			t.Errorf("%s is decoded: %t", s.prefix, s.service != nil)
		}
	}
}

func FuzzParseService(f *testing.F) {
	f.Add("Space\n\nspace:G\tString\n\nship\tarn:${Partition}:space:::${Id}\t0\n\nFly\tW\t0\t0!:0\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseService("space", text)
		if err != nil {
			return
		}
		for i := range s.Actions {
			s.Actions[i].Keys()
			s.Actions[i].ResourceTypes()
		}
	})
}
