package reach

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// shortStrings are all strings of at most three letters.
func shortStrings(letters string) []string {
	all, last := []string{""}, []string{""}
	for range 3 {
		var next []string
		for _, s := range last {
			for _, c := range letters {
				next = append(next, s+string(c))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// drawPattern returns a few letters and wildcards behind a prefix.
func drawPattern(t *rapid.T, prefix, letters string) string {
	return prefix + strings.Join(rapid.SliceOfN(rapid.SampledFrom(strings.Split(letters, "")), 0, 4).Draw(t, "pattern"), "")
}

// drawSmall returns a statement whose patterns are about short strings.
func drawSmall(t *rapid.T, prefix string) iam.Statement {
	s := iam.Statement{Effect: rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Allow, iam.Deny}).Draw(t, "effect")}
	list := func(draw func() string) []string {
		var out []string
		for range rapid.IntRange(1, 2).Draw(t, "patterns") {
			out = append(out, draw())
		}
		return out
	}
	actions := list(func() string { return drawPattern(t, "s3:", "aB*?") })
	resources := list(func() string {
		if rapid.IntRange(0, 4).Draw(t, "variable") == 0 {
			return prefix + "${k:one}" + drawPattern(t, "", "a*")
		}
		return drawPattern(t, prefix, "ab:*?")
	})
	if s.Actions = actions; rapid.IntRange(0, 3).Draw(t, "NotAction") == 0 {
		s.Actions, s.NotActions = nil, actions
	}
	if s.Resources = resources; rapid.IntRange(0, 3).Draw(t, "NotResource") == 0 {
		s.Resources, s.NotResources = nil, resources
	}
	if rapid.IntRange(0, 2).Draw(t, "conditional") == 0 {
		s.Conditions = []iam.Condition{{
			Operator: rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "Null"}).Draw(t, "operator"),
			Key:      rapid.SampledFrom([]string{"k:one", "k:two"}).Draw(t, "key"), Values: []string{rapid.SampledFrom([]string{"a", "${k:one}", "?"}).Draw(t, "value")},
		}}
		if s.Conditions[0].Operator == "Null" {
			s.Conditions[0].Values = []string{rapid.SampledFrom([]string{"true", "false"}).Draw(t, "absent")}
		}
	}
	return s
}

// TestSmallQuestions tries every short action, every short resource and a few
// contexts: what is never allowed is in none of them, what always is in all.
func TestSmallQuestions(t *testing.T) {
	names := shortStrings("aB")
	tails := shortStrings("ab:")
	contexts := []map[string][]string{{}, {"k:one": {"a"}}, {"k:one": {"b"}, "k:two": {"a"}}, {"k:two": {"b", "a"}}}
	count := map[Extent]int{}
	cautious := 0 // answers of sometimes where all or none are allowed
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "arn:aws:s3:::", "arn:aws:s3:a:"}).Draw(t, "prefix")
		p, layers := Principal{}, eval.Layers{}
		document := func() *iam.Document {
			return drawDocument(t, func(t *rapid.T) iam.Statement { return drawSmall(t, prefix) })
		}
		for range rapid.IntRange(1, 2).Draw(t, "policies") {
			d := document()
			p.Identity, layers.Identity = append(p.Identity, Policy{Document: d}), append(layers.Identity, mustCompile(t, eval.Identity, d))
		}
		if rapid.IntRange(0, 2).Draw(t, "bounded") == 0 {
			d := document()
			p.Boundary, layers.Boundary = &Policy{Document: d}, []*eval.Policy{mustCompile(t, eval.Boundary, d)}
		}
		q := Question{Action: drawPattern(t, "s3:", "aB*?"), Resource: drawPattern(t, prefix, "ab:*?")}
		if rapid.IntRange(0, 3).Draw(t, "leaves out") == 0 {
			q.Except = []string{drawPattern(t, prefix, "ab*?")}
		}
		known := rapid.Bool().Draw(t, "k:one is known")
		tried, allowed := 0, 0
		for _, context := range contexts {
			if _, has := context["k:one"]; known && has {
				continue
			}
			for _, name := range names {
				if !iam.MatchFold(q.Action, "s3:"+name) {
					continue
				}
				for _, tail := range tails {
					r := prefix + tail
					if !matchARN(q.Resource, r) || slices.ContainsFunc(q.Except, func(not string) bool { return iam.Match(not, r) }) {
						continue
					}
					tried++
					if layers.Decide(&eval.Request{Principal: eval.Principal{Kind: eval.User}, Action: "s3:" + name, Resource: r, Context: eval.NewContext(maps.Clone(context))}) == eval.Allowed {
						allowed++
					}
				}
			}
		}
		if known {
			q.Facts.Keys = map[string][]string{"k:one": nil}
		}
		extent := p.Extent(q)
		count[extent]++
		switch {
		case extent == Never && allowed > 0:
			t.Fatalf("%d of %d requests of %+v, which is never allowed, are", allowed, tried, q)
		case extent == Always && allowed < tried:
			t.Fatalf("%d of %d requests of %+v, which is always allowed, are not", tried-allowed, tried, q)
		case extent == Sometimes && tried > 0 && (allowed == 0 || allowed == tried):
			cautious++
		}
	})
	if count[Never] == 0 || count[Always] == 0 || count[Sometimes] == 0 {
		t.Errorf("answers: %v", count)
	}
	t.Logf("answers: %v; %d of sometimes for all or none", count, cautious)
}
