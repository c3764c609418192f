package action

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMatches: the parts around a star do not overlap.
func TestMatches(t *testing.T) {
	names := []string{"getobjectacl", "getobjectobjectacl", "getobjecttheobjectacl"}
	all := bitset{0b111}
	for _, tt := range []struct {
		pattern string
		wanted  bitset
		want    bitset
		ok      bool
	}{
		{"GetObject*ObjectAcl", all, bitset{0b110}, true},
		{"*Object*", all, bitset{0b111}, true},
		{"*Object*", bitset{0b011}, nil, false}, // one is not wanted
		{"*The*", all, bitset{0b100}, false},    // a single one
		{"*Acl", all, bitset{0b111}, true},
		{"GetObjectT*", all, bitset{0b100}, false},
	} {
		got, ok := matches(tt.pattern, names, tt.wanted)
		if d := cmp.Diff(tt.want, got); d != "" || ok != tt.ok {
			t.Errorf("%s of %v: %v %s", tt.pattern, tt.wanted, ok, d)
		}
	}
}

// TestNeeded: what came first and later turned out to be covered goes.
func TestNeeded(t *testing.T) {
	chosen := []cover{{"wide", bitset{0b0111_1000}}, {"left", bitset{0b1110_0000}}, {"right", bitset{0b0001_1111}}, {"one", bitset{0b0000_0001}}}
	want := []cover{{"left", bitset{0b1110_0000}}, {"right", bitset{0b0001_1111}}}
	if d := cmp.Diff(want, needed(chosen), cmp.AllowUnexported(cover{})); d != "" {
		t.Error(d)
	}
}

func TestWordBorders(t *testing.T) {
	for name, want := range map[string][]int{
		"":                     {0, 0},
		"GetObject":            {0, 3, 9},
		"DescribeDBInstances":  {0, 8, 10, 19},
		"AssumeRoleWithSAML":   {0, 6, 10, 14, 18},
		"PutBucketCORS2Config": {0, 3, 9, 14, 20},
		"GET":                  {0, 3},
	} {
		if d := cmp.Diff(want, wordBorders(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
