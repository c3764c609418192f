package compile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/estate"
)

// wholeCatalogue is every policy of the catalogue's cases, and every call of
// them.
var wholeCatalogue = sync.OnceValues(func() ([]named, []catalog.Case) {
	var docs []named
	var calls []catalog.Case
	seen := map[string]bool{}
	for _, g := range catalog.All() {
		for _, c := range g.Cases() {
			calls = append(calls, c)
			args, _ := json.Marshal(c.Args)
			if key := g.Name + c.Level + string(args); !seen[key] {
				seen[key] = true
				doc, err := g.Policy(catalog.CaseScope(), c.Level, c.Args)
				if err != nil {
					panic(err)
				}
				docs = append(docs, named{g.Name, doc})
			}
		}
	}
	return docs, calls
})

// drawRole draws the documents of a role: grants, some of which end, some twice,
// and statements of its own that deny.
func drawRole(t *rapid.T) []named {
	docs, calls := wholeCatalogue()
	var out []named
	for i := range rapid.IntRange(1, 9).Draw(t, "grants") {
		d := rapid.SampledFrom(docs).Draw(t, "grant")
		statements := slices.Clone(d.doc.Statements)
		if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
			for j := range statements {
				statements[j].Conditions = append(slices.Clone(statements[j].Conditions),
					iam.Condition{Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{"2027-06-30T00:00:00Z"}})
			}
		}
		out = append(out, named{numbered(d.name, i+1), document(statements)})
	}
	var custom []iam.Statement
	for range rapid.IntRange(0, 3).Draw(t, "denials") {
		c := rapid.SampledFrom(calls).Draw(t, "denied")
		s := iam.Statement{Effect: iam.Deny, Actions: []string{c.Action}, Resources: []string{c.Resource}}
		if rapid.Bool().Draw(t, "all but") {
			s.Resources, s.NotResources = nil, s.Resources
		}
		custom = append(custom, s)
	}
	if custom != nil {
		out = append(out, named{"custom", document(custom)})
	}
	return out
}

func drawQuotas(t *rapid.T) estate.Quotas {
	q := estate.DefaultQuotas()
	q.RoleInlineSize = rapid.IntRange(200, 10240).Draw(t, "inline")
	q.ManagedPolicySize = rapid.IntRange(1500, 6144).Draw(t, "managed")
	q.AttachedPerRole = rapid.IntRange(1, 20).Draw(t, "attached")
	return q
}

// TestPackingKeepsEveryDecision packs roles of random grants under random quotas.
// Whatever fits must obey the quotas, decide every call of the catalogue's cases
// as the unpacked documents do, and allow neither more nor less by proof.
func TestPackingKeepsEveryDecision(t *testing.T) {
	fitted, shrunk := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		docs, q := drawRole(t), drawQuotas(t)
		before, _ := json.Marshal(texts(docs))
		inline, managed, misfit := fit(docs, q)
		if after, _ := json.Marshal(texts(docs)); string(after) != string(before) {
			t.Fatal("packing changed its input")
		}
		if misfit != nil {
			if misfit.what == "" || misfit.hint == "" {
				t.Errorf("%+v says too little", misfit)
			}
			return
		}
		fitted++
		packed := slices.Concat(inline, managed)
		if count(packed) < count(docs) {
			shrunk++
		}
		checkQuotas(t, inline, managed, q)
		checkDecisions(t, docs, packed)
		whole, parts := principal(docs), principal(packed)
		for _, gain := range parts.Gains(whole, reach.Facts{}) {
			t.Errorf("packing widens: %+v", gain)
		}
		for _, loss := range whole.Gains(parts, reach.Facts{}) {
			t.Errorf("packing narrows: %+v", loss)
		}
	})
	if fitted == 0 || shrunk == 0 {
		t.Errorf("%d roles fitted, %d of them in fewer statements: the test reaches too little", fitted, shrunk)
	}
}

func texts(docs []named) []string {
	var out []string
	for _, d := range docs {
		out = append(out, d.name+string(d.doc.Indented()))
	}
	return out
}

func count(docs []named) int {
	n := 0
	for _, d := range docs {
		n += len(d.doc.Statements)
	}
	return n
}

func checkQuotas(t *rapid.T, inline, managed []named, q estate.Quotas) {
	total := 0
	for _, d := range inline {
		total += d.doc.Size()
	}
	if total > q.RoleInlineSize || len(managed) > q.AttachedPerRole {
		t.Errorf("%d characters inline, %d attached; the account takes %d and %d", total, len(managed), q.RoleInlineSize, q.AttachedPerRole)
	}
	for _, d := range managed {
		if size := d.doc.Size(); size > q.ManagedPolicySize || len(d.doc.Statements) == 0 {
			t.Errorf("%s has %d characters; the account takes %d", d.name, size, q.ManagedPolicySize)
		}
	}
	for _, d := range slices.Concat(inline, managed) {
		sids := map[string]bool{}
		for _, s := range d.doc.Statements {
			if s.SID != "" && sids[s.SID] {
				t.Errorf("%s has two statements %s", d.name, s.SID)
			}
			sids[s.SID] = true
		}
		if _, err := d.doc.MarshalJSON(); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
	}
}

func checkDecisions(t *rapid.T, before, after []named) {
	a, b := layers(t, before), layers(t, after)
	_, calls := wholeCatalogue()
	for _, c := range calls {
		for _, now := range []string{"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"} {
			r := request(c, now)
			if was, is := a.Explain(r).Decision, b.Explain(r).Decision; was != is {
				t.Fatalf("%s on %s with %v at %s: %v unpacked, %v packed", c.Action, c.Resource, c.Context, now, was, is)
			}
		}
	}
}

func request(c catalog.Case, now string) *eval.Request {
	context := map[string][]string{"aws:CurrentTime": {now}}
	for key, values := range c.Context {
		context[key] = values
	}
	return &eval.Request{
		Principal: eval.Principal{
			Kind: eval.RoleSession, Account: "222222222222",
			ARN: "arn:aws:sts::222222222222:assumed-role/deploy/job", RoleARN: "arn:aws:iam::222222222222:role/deploy",
		},
		Action: c.Action, Resource: c.Resource, Context: eval.NewContext(context),
	}
}

func layers(t interface{ Fatal(args ...any) }, docs []named) *eval.Layers {
	var out eval.Layers
	for _, d := range docs {
		p, err := eval.Compile(d.name, eval.Identity, d.doc)
		if err != nil {
			t.Fatal(err)
		}
		out.Identity = append(out.Identity, p)
	}
	return &out
}

// principal holds the documents. What denies several things counts as several
// denials: the proof looks for one that covers each, and packing may have joined
// them.
func principal(docs []named) *reach.Principal {
	var out reach.Principal
	for _, d := range docs {
		var statements []iam.Statement
		for _, s := range d.doc.Statements {
			if s.Effect != iam.Deny || s.Resources == nil {
				statements = append(statements, s)
				continue
			}
			for _, a := range s.Actions {
				for _, r := range s.Resources {
					one := s
					one.SID, one.Actions, one.Resources = "", []string{a}, []string{r}
					statements = append(statements, one)
				}
			}
		}
		out.Identity = append(out.Identity, reach.Policy{Name: d.name, Document: document(statements)})
	}
	return &out
}

func TestMerged(t *testing.T) {
	here := []iam.Condition{{Operator: "StringEquals", Key: "aws:RequestedRegion", Values: []string{"eu-west-1"}}}
	allow := func(sid string, actions, resources []string, conditions ...iam.Condition) iam.Statement {
		return iam.Statement{SID: sid, Effect: iam.Allow, Actions: actions, Resources: resources, Conditions: conditions}
	}
	list := func(values ...string) []string { return values }
	for _, tt := range []struct {
		name       string
		have, want []iam.Statement
	}{
		{
			"same resources",
			[]iam.Statement{allow("A", list("s:c", "s:a"), list("r")), allow("B", list("s:b"), list("r"))},
			[]iam.Statement{allow("A", list("s:a", "s:b", "s:c"), list("r"))},
		},
		{
			"same actions",
			[]iam.Statement{allow("A", list("s:a"), list("r2")), allow("B", list("s:a"), list("r1", "r2"))},
			[]iam.Statement{allow("A", list("s:a"), list("r1", "r2"))},
		},
		{
			"one after the other",
			[]iam.Statement{allow("A", list("s:a"), list("r1")), allow("B", list("s:b"), list("r1")), allow("C", list("s:a", "s:b"), list("r2"))},
			[]iam.Statement{allow("A", list("s:a", "s:b"), list("r1", "r2"))},
		},
		{
			"again, after what became alike",
			[]iam.Statement{allow("A", list("s:a"), list("r1")), allow("B", list("s:a"), list("r2")), allow("C", list("s:b"), list("r1", "r2"))},
			[]iam.Statement{allow("A", list("s:a", "s:b"), list("r1", "r2"))},
		},
		{
			"neither: the union would allow s:a on r2",
			[]iam.Statement{allow("A", list("s:a"), list("r1")), allow("B", list("s:b"), list("r2"))},
			[]iam.Statement{allow("A", list("s:a"), list("r1")), allow("B", list("s:b"), list("r2"))},
		},
		{
			"other conditions",
			[]iam.Statement{allow("A", list("s:a"), list("r")), allow("B", list("s:b"), list("r"), here...)},
			[]iam.Statement{allow("A", list("s:a"), list("r")), allow("B", list("s:b"), list("r"), here...)},
		},
		{
			"other effect",
			[]iam.Statement{allow("A", list("s:a"), list("r")), {Effect: iam.Deny, Actions: list("s:b"), Resources: list("r")}},
			[]iam.Statement{allow("A", list("s:a"), list("r")), {Effect: iam.Deny, Actions: list("s:b"), Resources: list("r")}},
		},
		{
			"by exclusion: the union of two NotResource would allow less, or deny less",
			[]iam.Statement{{Effect: iam.Deny, Actions: list("s:a"), NotResources: list("r1")}, {Effect: iam.Deny, Actions: list("s:a"), NotResources: list("r2")}},
			[]iam.Statement{{Effect: iam.Deny, Actions: list("s:a"), NotResources: list("r1")}, {Effect: iam.Deny, Actions: list("s:a"), NotResources: list("r2")}},
		},
	} {
		if diff := cmp.Diff(tt.want, merged(document(tt.have)).Statements); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestGrantsShareManagedPolicies: what would need a policy to each grant goes
// into as few as hold it, when the account attaches no more.
func TestGrantsShareManagedPolicies(t *testing.T) {
	var docs []named
	for i := range 15 {
		docs = append(docs, named{fmt.Sprintf("grant-%02d", i), document([]iam.Statement{{
			SID: "Read", Effect: iam.Allow, Actions: []string{"s3:GetObject"}, Resources: []string{fmt.Sprintf("arn:aws:s3:::bucket-%02d/*", i), "arn:aws:s3:::shared/*"},
		}})})
	}
	q := estate.DefaultQuotas()
	q.RoleInlineSize = 0
	_, managed, misfit := fit(docs, q)
	if misfit != nil || len(managed) != 1 || managed[0].name != "grants" {
		t.Fatalf("managed %v, %+v", managed, misfit)
	}
	if got := managed[0].doc.Statements; len(got) != 1 || len(got[0].Resources) != 16 {
		t.Errorf("statements: %+v", got)
	}
	q.AttachedPerRole = 15
	if _, managed, _ = fit(docs, q); len(managed) != 15 || managed[3].name != "grant-11" {
		t.Errorf("%d managed policies, where one to a grant fits", len(managed))
	}
}

// TestWhatToSplit: beyond all quotas the error names what takes the room.
func TestWhatToSplit(t *testing.T) {
	big := func(name string, n int) named {
		var resources []string
		for i := range n {
			resources = append(resources, fmt.Sprintf("arn:aws:s3:::%s-%04d/*", name, i))
		}
		return named{name, document([]iam.Statement{{Effect: iam.Allow, Actions: []string{"s3:GetObject"}, Resources: resources}})}
	}
	_, _, misfit := fit([]named{big("small", 3), big("huge", 4000), big("large", 1000)}, estate.DefaultQuotas())
	if misfit == nil || !strings.HasPrefix(misfit.what, "needs ") {
		t.Fatalf("misfit %+v", misfit)
	}
	want := "split the role in two, each with some of the grants, or ask AWS to raise the quota; the largest: huge with 108094 characters, large with 28094 characters, small with 178 characters"
	if diff := cmp.Diff(want, misfit.hint); diff != "" {
		t.Errorf("hint (-want +got):\n%s", diff)
	}
}

// TestLongActionsAreSplit: one resource with many actions is cut by actions.
func TestLongActionsAreSplit(t *testing.T) {
	var actions []string
	for i := range 100 {
		actions = append(actions, fmt.Sprintf("service:ActionNumber%03d", i))
	}
	whole := document([]iam.Statement{{SID: "Many", Effect: iam.Allow, Actions: actions, Resources: []string{"*"}}})
	parts, ok := split(whole, 1000)
	if !ok || len(parts) < 3 {
		t.Fatalf("%d parts, %v", len(parts), ok)
	}
	var got []string
	for _, p := range parts {
		if p.Size() > 1000 {
			t.Errorf("%d characters", p.Size())
		}
		for _, s := range p.Statements {
			got = append(got, s.Actions...)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(actions, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}
