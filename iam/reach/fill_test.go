package reach

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestFilled(t *testing.T) {
	facts := Facts{
		Keys: map[string][]string{"aws:username": {"alice"}, "k:none": nil, "k:many": {"a", "b"}, "k:star": {"a*"}},
		Like: map[string]Pattern{"k:like": {Text: "a*"}},
	}
	for _, test := range []struct {
		name, pattern string
		want          []string // nil: the pattern stays as it is
		not           []string // the same of NotResource
	}{
		{name: "no variable", pattern: "arn:aws:s3:::a/*"},
		{name: "a value", pattern: "home/${aws:username}/*", want: []string{"home/alice/*"}, not: []string{"home/alice/*"}},
		{name: "in any case", pattern: "${AWS:UserName}", want: []string{"alice"}, not: []string{"alice"}},
		{name: "twice", pattern: "${aws:username}-${aws:username}", want: []string{"alice-alice"}, not: []string{"alice-alice"}},
		{name: "a value beside one that is not known", pattern: "${aws:username}/${k:other}", want: []string{"alice/${k:other}"}, not: []string{"alice/${k:other}"}},
		{name: "no value", pattern: "home/${k:none}", want: []string{}},
		{name: "no value and a default", pattern: "home/${k:none, 'all'}", want: []string{"home/all"}, not: []string{"home/all"}},
		{name: "a value and a default", pattern: "${aws:username, 'all'}", want: []string{"alice"}, not: []string{"alice"}},
		{name: "a default that would be a wildcard", pattern: "${k:none, '*'}"},
		{name: "a default with a brace", pattern: "home/${k:none, 'a}b'}/x", want: []string{"home/a}b/x"}, not: []string{"home/a}b/x"}},
		{name: "a default with a brace that is not needed", pattern: "home/${k:other, 'a}b'}/${aws:username}", want: []string{"home/${k:other, 'a}b'}/alice"}, not: []string{"home/${k:other, 'a}b'}/alice"}},
		{name: "a default without quotes", pattern: "${k:none, all}"},
		{name: "a default that begins a quote alone", pattern: "${k:none, 'all}"},
		{name: "a blank before the key", pattern: "${ aws:username}"},
		{name: "a value that would be a wildcard", pattern: "${k:star}"},
		{name: "several values", pattern: "${k:many}"},
		{name: "a pattern alone is known", pattern: "${k:like}"},
		{name: "a literal star", pattern: "${*}"},
		{name: "not closed", pattern: "a${aws:username"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Resources: []string{test.pattern}}, {NotResources: []string{test.pattern}}}}
			old := &iam.Document{Version: iam.Version2008, Statements: d.Statements}
			got := Principal{Identity: []Policy{{Document: d}, {Document: old}, {}}, Boundary: &Policy{Document: d}, SCP: [][]Policy{{{Document: d}}}}.Filled(facts)
			want, not := []string{test.pattern}, []string{test.pattern}
			if test.want != nil {
				want = test.want
			}
			if test.not != nil {
				not = test.not
			}
			filled := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Resources: want}, {NotResources: not}}}
			all := Principal{Identity: []Policy{{Document: filled}, {Document: old}, {}}, Boundary: &Policy{Document: filled}, SCP: [][]Policy{{{Document: filled}}}}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if d.Statements[0].Resources[0] != test.pattern {
				t.Errorf("the document itself was changed: %v", d.Statements)
			}
		})
	}
}

// TestFilledDecidesAlike: the engine, which fills variables in by itself, decides
// on what is filled as on what is not.
func TestFilledDecidesAlike(t *testing.T) {
	filled := 0
	rapid.Check(t, func(t *rapid.T) {
		m, _ := drawMember(t, fmt.Sprint("user", rapid.IntRange(0, 1).Draw(t, "user")))
		context, facts := drawRequest(t)
		maps.Copy(context, eval.PrincipalContext(m.Who))
		request := eval.Request{
			Principal: m.Who, Action: rapid.SampledFrom(actions).Draw(t, "action"), Resource: rapid.SampledFrom(resources).Draw(t, "resource"),
			Context: eval.NewContext(context),
		}
		after := m.Permissions.Filled(facts.With(contextOf(m.Who)))
		before, got := layersOf(t, m.Permissions).Decide(&request), layersOf(t, after).Decide(&request)
		if before != got {
			t.Fatalf("%v, and filled in %v, for %+v", before, got, request)
		}
		for i, policy := range after.Identity {
			if policy.Document != m.Permissions.Identity[i].Document {
				filled++
			}
		}
	})
	if filled == 0 {
		t.Error("nothing was filled in: nothing was tried")
	}
}

func layersOf(t *rapid.T, p Principal) *eval.Layers {
	compile := func(kind eval.Kind, list []Policy) (out []*eval.Policy) {
		for _, policy := range list {
			out = append(out, mustCompile(t, kind, policy.Document))
		}
		return out
	}
	layers := &eval.Layers{Identity: compile(eval.Identity, p.Identity)}
	if p.Boundary != nil {
		layers.Boundary = compile(eval.Boundary, []Policy{*p.Boundary})
	}
	for _, level := range p.SCP {
		layers.SCP = append(layers.SCP, compile(eval.SCP, level))
	}
	return layers
}

// TestSelfService: who may change itself alone can change nobody else, by
// whichever of the two usual policies.
func TestSelfService(t *testing.T) {
	self := `"arn:aws:iam::*:user/${aws:username}"`
	allow := one("allow", `{"Effect":"Allow","Action":"iam:*SSHPublicKey","Resource":`+self+`}`)
	deny := one("deny", `{"Effect":"Allow","Action":"iam:*SSHPublicKey","Resource":"*"},{"Effect":"Deny","Action":"iam:*","NotResource":`+self+`}`)
	w := NewWorld([]Member{
		userOf(near, "alice", Principal{Identity: []Policy{allow}}), userOf(near, "bob", Principal{Identity: []Policy{allow}}), userOf(near, "carol", Principal{Identity: []Policy{deny}}),
		roleOf(near, "job", "", Principal{Identity: []Policy{allow}}),
	}, Facts{})
	for _, test := range []struct{ target, want string }{
		{target: "alice", want: "alice"}, {target: "bob", want: "bob"}, {target: "carol", want: "carol"}, {target: "dave"},
	} {
		var want []string
		if test.want != "" {
			want = []string{fmt.Sprintf("arn:aws:iam::%s:user/%s always %s/0", near, test.want, map[bool]string{true: "deny", false: "allow"}[test.want == "carol"])}
		}
		if diff := cmp.Diff(want, summary(w.WhoCan("iam:UploadSSHPublicKey", "arn:aws:iam::"+near+":user/"+test.target))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.target, diff)
		}
	}
}
