package reach

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func drawPlain(t *rapid.T) iam.Statement { return drawStatement(t, false) }

// drawMember returns a user, and its layers as the engine takes them. Few
// layers are drawn by chance alone: most allow everything, so that something
// is allowed.
func drawMember(t *rapid.T, name string) (Member, eval.Layers) {
	var layers eval.Layers
	list := func(kind eval.Kind, most int) (policies []Policy, compiled []*eval.Policy) {
		for i := range rapid.IntRange(1, most).Draw(t, "policies") {
			d := one("all", allowAll).Document
			if rapid.IntRange(0, 2).Draw(t, "drawn") > 0 {
				d = drawDocument(t, drawPlain)
			}
			policies = append(policies, Policy{Name: fmt.Sprint(kind, i), Document: d})
			compiled = append(compiled, mustCompile(t, kind, d))
		}
		return policies, compiled
	}
	m := userOf("222222222222", name, Principal{})
	m.Permissions.Identity, layers.Identity = list(eval.Identity, 3)
	if rapid.Bool().Draw(t, "bounded") {
		edge, compiled := list(eval.Boundary, 1)
		m.Permissions.Boundary, layers.Boundary = &edge[0], compiled
	}
	for range rapid.IntRange(0, 2).Draw(t, "levels") {
		level, compiled := list(eval.SCP, 2)
		m.Permissions.SCP, layers.SCP = append(m.Permissions.SCP, level), append(layers.SCP, compiled)
	}
	return m, layers
}

// TestWhoCanNeverMisses: whoever is allowed a request is among the answers to
// every question that the request belongs to; who always can is allowed it; and
// each is answered as if it were asked alone.
func TestWhoCanNeverMisses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		context, facts := drawRequest(t)
		var members []Member
		var layers []eval.Layers
		for i := range rapid.IntRange(1, 3).Draw(t, "members") {
			m, l := drawMember(t, fmt.Sprint("user", i))
			members, layers = append(members, m), append(layers, l)
		}
		w := NewWorld(members, facts)
		action, resource := rapid.SampledFrom(actions).Draw(t, "action"), rapid.SampledFrom(resources).Draw(t, "resource")
		asks := rapid.SampledFrom(append(matching(actionPatterns, iam.MatchFold, action, true), action)).Draw(t, "asked action")
		of := rapid.SampledFrom(append(matching(resourcePatterns, matchARN, resource, true), "*", resource)).Draw(t, "asked resource")
		found := map[string]Answer{}
		for _, a := range w.WhoCan(asks, of) {
			found[a.Principal.ARN] = a
		}
		for i, m := range members {
			keys := maps.Clone(context)
			maps.Copy(keys, eval.PrincipalContext(m.Who))
			decision := layers[i].Decide(&eval.Request{Principal: m.Who, Action: action, Resource: resource, Context: eval.NewContext(keys)})
			answer, listed := found[m.Who.ARN]
			switch {
			case decision == eval.Allowed && !listed:
				t.Fatalf("%s may do %s on %s and is not among who can do %s on %s", m.Who.ARN, action, resource, asks, of)
			case decision != eval.Allowed && listed && answer.Extent == Always:
				t.Fatalf("%s always can do %s on %s, and may not do %s on %s with %v", m.Who.ARN, asks, of, action, resource, keys)
			}
			own := Question{Action: asks, Resource: of, Facts: facts.With(contextOf(m.Who))}
			filled := m.Permissions.Filled(own.Facts)
			direct := Answer{Principal: m.Who, Extent: filled.Extent(own), Via: slices.Collect(filled.Findings(own))}
			if direct.Extent == Never {
				direct.Principal = eval.Principal{}
			}
			if diff := cmp.Diff(direct, answer, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("asked alone and among all (-alone, +among all): %s", diff)
			}
		}
	})
}

// TestAlwaysIsAllowed: what is always allowed is so in any context, what never
// is in none.
func TestAlwaysIsAllowed(t *testing.T) {
	always, never := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m, layers := drawMember(t, "user")
		action, resource := rapid.SampledFrom(actions).Draw(t, "action"), rapid.SampledFrom(resources).Draw(t, "resource")
		asks := matching(actionPatterns, iam.MatchFold, action, true)
		of := append(matching(resourcePatterns, matchARN, resource, true), resource)
		for _, pattern := range asks {
			extent := m.Permissions.Extent(Question{Action: pattern, Resource: of[0]})
			context, _ := drawRequest(t)
			maps.Copy(context, eval.PrincipalContext(m.Who))
			decision := layers.Decide(&eval.Request{Principal: m.Who, Action: action, Resource: resource, Context: eval.NewContext(context)})
			switch extent {
			case Always:
				always++
				if decision != eval.Allowed {
					t.Fatalf("%s on %s is always allowed; %s on %s with %v is not", pattern, of[0], action, resource, context)
				}
			case Never:
				never++
				if decision == eval.Allowed {
					t.Fatalf("%s on %s is never allowed; %s on %s with %v is", pattern, of[0], action, resource, context)
				}
			}
		}
	})
	if always == 0 || never == 0 {
		t.Errorf("%d proofs of always, %d of never: nothing was tried", always, never)
	}
}
