package action_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

func TestExpand(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{"s3:getobject", []string{"s3:GetObject"}},
		{"s3:Get*Acl", []string{"s3:GetBucketAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"}},
		{"S3:GET?UCKETACL", []string{"s3:GetBucketAcl"}},
		{"sts:*Identity", []string{"sts:AssumeRoleWithWebIdentity", "sts:GetCallerIdentity", "sts:SetSourceIdentity"}},
		{"s?s:*Delay*", nil},
		{"sq?:AddP*", []string{"sqs:AddPermission"}},
		{"", nil},
		{"s3", nil},
		{"s3*", nil},
		{"s3:", nil},
		{"s3:Nope", nil},
		{"nope:*", nil},
		{"s3:Get*,s3:Put*", nil},
		{" s3:Get*", nil},
	} {
		if d := cmp.Diff(tt.want, action.Expand(tt.pattern)); d != "" {
			t.Errorf("%q: %s", tt.pattern, d)
		}
	}
	for _, pattern := range []string{"*", "**", "*:*", "*:?*"} {
		if d := cmp.Diff(everyAction(), action.Expand(pattern)); d != "" {
			t.Errorf("%q does not give all actions", pattern)
		}
	}
}

func TestShrink(t *testing.T) {
	for _, tt := range []struct {
		name     string
		in, want []string
	}{
		{"nothing", nil, nil},
		{"one", []string{"S3:getobject"}, []string{"s3:GetObject"}},
		{"twice the same", []string{"s3:GetObject", "s3:getObject"}, []string{"s3:GetObject"}},
		{"a pattern that is exact already", []string{"s3:Get*Acl"}, []string{"s3:Get*Acl"}},
		{"a beginning", action.Expand("sqs:Delete*"), []string{"sqs:Delete*"}},
		{"an end", action.Expand("sqs:*Permission"), []string{"sqs:*Permission"}},
		{"a middle", action.Expand("ecr:*Layer*"), []string{"ecr:*Layer*"}},
		{"a whole service", action.Expand("sqs:*"), []string{"sqs:*"}},
		{"two services", []string{"sqs:*", "sts:GetCallerIdentity"}, []string{"sqs:*", "sts:GetCallerIdentity"}},
		{"everything", []string{"*"}, []string{"*"}},
		{"unknown ones stay", []string{"s3:Nope", "nope:*", "s3:GetObject"}, []string{"nope:*", "s3:GetObject", "s3:Nope"}},
	} {
		if d := cmp.Diff(tt.want, action.Shrink(tt.in)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// TestShrinkLeavesOneActionAlone: a star for the only action of a service would
// save nothing, and grow with the service.
func TestShrinkLeavesOneActionAlone(t *testing.T) {
	for _, s := range all(t) {
		if len(s.Actions) != 1 {
			continue
		}
		name := s.Actions[0].String()
		if d := cmp.Diff([]string{name}, action.Shrink([]string{name})); d != "" {
			t.Error(d)
		}
		return
	}
	t.Fatal("no service has a single action")
}

// TestShrinkCutsBetweenWords: a pattern such as s3:GetO* says nothing to a reader.
func TestShrinkCutsBetweenWords(t *testing.T) {
	in := []string{"s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLocation"} // no more words in common
	if d := cmp.Diff(in, action.Shrink(in)); d != "" {
		t.Error(d)
	}
}

func TestShrinkMeansTheSame(t *testing.T) {
	services := all(t)
	rapid.Check(t, func(t *rapid.T) {
		s := services[rapid.IntRange(0, len(services)-1).Draw(t, "service")]
		var in []string
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0: // whatever
			for i := range s.Actions {
				if rapid.Bool().Draw(t, "take") {
					in = append(in, s.Actions[i].String())
				}
			}
		case 1: // what people take: a level
			level := action.Level(rapid.IntRange(int(action.Read), int(action.PermissionsManagement)).Draw(t, "level"))
			for i := range s.Actions {
				if s.Actions[i].Level == level {
					in = append(in, s.Actions[i].String())
				}
			}
		default: // all but one, so that every wide pattern is wrong
			in = action.Expand(s.Prefix + ":*")
			in = slices.Delete(in, 0, 1)
		}
		checkShrink(t, in)
	})
}

// checkShrink wants a list that is no longer than in, and means the same.
func checkShrink(t interface{ Errorf(string, ...any) }, in []string) {
	got := action.Shrink(in)
	var back []string
	for _, pattern := range got {
		expanded := action.Expand(pattern)
		if len(expanded) == 0 {
			t.Errorf("pattern %s stands for nothing", pattern)
		}
		back = append(back, expanded...)
	}
	slices.Sort(back)
	want := slices.Compact(slices.Sorted(slices.Values(in)))
	if d := cmp.Diff(want, slices.Compact(back)); d != "" || len(got) > len(want) {
		t.Errorf("%d patterns %v for %d actions: %s", len(got), got, len(want), d)
	}
}

func FuzzExpand(f *testing.F) {
	for _, pattern := range []string{"*", "s3:*", "*:Get*", "s?:*et*ct", "ec2:*?nst*", "é*:x", "::"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		var want []string
		if strings.Contains(pattern, ":") || pattern != "" && strings.Trim(pattern, "*") == "" {
			for _, name := range everyAction() {
				if iam.MatchFold(pattern, name) {
					want = append(want, name)
				}
			}
		}
		if d := cmp.Diff(want, action.Expand(pattern)); d != "" {
			t.Errorf("%q: %s", pattern, d)
		}
	})
}

// FuzzShrink takes each bit for an action of one service.
func FuzzShrink(f *testing.F) {
	f.Add("s3", []byte{0xff, 0x0f, 0xf0})
	f.Add("sts", []byte{0x55, 0xaa})
	f.Fuzz(func(t *testing.T, prefix string, bits []byte) {
		s, ok := action.ServiceByPrefix(prefix)
		if !ok {
			return
		}
		var in []string
		for i := range s.Actions {
			if i/8 < len(bits) && bits[i/8]>>(i%8)&1 == 1 {
				in = append(in, s.Actions[i].String())
			}
		}
		checkShrink(t, in)
	})
}
