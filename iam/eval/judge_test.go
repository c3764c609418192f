package eval_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestJudge(t *testing.T) {
	const (
		fromVPC  = `"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`
		insecure = `"Condition":{"Bool":{"aws:SecureTransport":"false"}}`
	)
	allow := func(more string) string { return v12(`"Effect":"Allow","Action":"s3:*","Resource":"*"` + more) }
	statements := func(list ...string) string {
		return `{"Version":"2012-10-17","Statement":[{` + strings.Join(list, "},{") + `}]}`
	}
	for _, tc := range []struct {
		name                         string
		identity, boundary, resource string
		scp                          []string
		known                        map[string][]string
		absent                       []string
		closed                       bool // the known keys are all there are
		want                         eval.Outlook
		when                         string
	}{
		{name: "nothing open", identity: allowAll, want: eval.Always, when: "always"},
		{name: "nothing allows", identity: allowSQS, want: eval.Never, when: "never"},
		{name: "a condition", identity: allow("," + fromVPC), want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1"},
		{name: "a condition that is met", identity: allow("," + fromVPC), known: map[string][]string{"aws:SourceVpc": {"vpc-1"}}, want: eval.Always, when: "always"},
		{name: "a condition that is not met", identity: allow("," + fromVPC), known: map[string][]string{"aws:SourceVpc": {"vpc-2"}}, want: eval.Never, when: "never"},
		{name: "a key known to be absent", identity: allow("," + fromVPC), absent: []string{"AWS:SourceVPC"}, want: eval.Never, when: "never"},
		{name: "a closed context", identity: allow("," + fromVPC), closed: true, want: eval.Never, when: "never"},
		{name: "a deny", identity: statements(`"Effect":"Allow","Action":"*","Resource":"*"`, `"Effect":"Deny","Action":"*","Resource":"*",`+insecure), want: eval.Depends, when: "not (Bool aws:SecureTransport false)"},
		{name: "a deny for sure", identity: statements(`"Effect":"Allow","Action":"*","Resource":"*",`+fromVPC, `"Effect":"Deny","Action":"s3:*","Resource":"*"`), want: eval.Never, when: "never"},
		{name: "two layers", identity: allow("," + fromVPC), boundary: allow(`,"Condition":{"StringLike":{"aws:PrincipalTag/team":["a*","b"]}}`), want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1 and StringLike aws:PrincipalTag/team a*|b"},
		{name: "the same in two layers", identity: allow("," + fromVPC), boundary: allow("," + fromVPC), want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1"},
		{name: "one statement is enough", identity: statements(`"Effect":"Allow","Action":"*","Resource":"*",`+fromVPC, `"Effect":"Allow","Action":"s3:*","Resource":"*"`), want: eval.Always, when: "always"},
		{name: "alternatives", identity: statements(`"Effect":"Allow","Action":"*","Resource":"*",`+fromVPC, `"Effect":"Allow","Action":"s3:*","Resource":"*",`+insecure), want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1 or Bool aws:SecureTransport false"},
		{name: "the narrower alternative goes", identity: statements(
			`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"},"Bool":{"aws:SecureTransport":"false"}}`,
			`"Effect":"Allow","Action":"s3:*","Resource":"*",`+insecure), want: eval.Depends, when: "Bool aws:SecureTransport false"},
		{name: "allowed and denied by the same", identity: statements(`"Effect":"Allow","Action":"*","Resource":"*",`+fromVPC, `"Effect":"Deny","Action":"*","Resource":"*",`+fromVPC), want: eval.Never, when: "never"},
		{name: "the resource makes up", identity: allow("," + fromVPC), resource: grants(toAlice), want: eval.Always, when: "always"},
		{name: "the resource might make up", identity: allow("," + fromVPC), resource: v12(`"Effect":"Allow","Principal":` + toAlice + `,"Action":"*","Resource":"*",` + insecure), want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1 or Bool aws:SecureTransport false"},
		{name: "levels", identity: allowAll, scp: []string{allow("," + fromVPC), allow("," + insecure)}, want: eval.Depends, when: "StringEquals aws:SourceVpc vpc-1 and Bool aws:SecureTransport false"},
		{name: "a variable", identity: v12(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket/${aws:username}"`), want: eval.Depends, when: "Resource of statement 0 of identity policy identity policy matches"},
		{name: "Null either way", identity: allow(`,"Condition":{"Null":{"aws:x":["true","false"]}}`), want: eval.Always, when: "always"},
		{name: "doubt of other sorts", identity: allow(`,"Condition":{"NumericEquals":{"aws:x":"1"}}`), known: map[string][]string{"aws:x": {"one"}}, want: eval.Depends, when: "NumericEquals aws:x 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := eval.Layers{Identity: compileList(t, eval.Identity, []string{tc.identity})}
			if tc.boundary != "" {
				l.Boundary = compileList(t, eval.Boundary, []string{tc.boundary})
			}
			if tc.resource != "" {
				l.Resource = compile(t, "bucket", eval.Resource, tc.resource)
			}
			for _, src := range tc.scp {
				l.SCP = append(l.SCP, compileList(t, eval.SCP, []string{src}))
			}
			ctx := eval.NewContext(tc.known)
			if !tc.closed {
				ctx = ctx.Open(tc.absent...)
			}
			got := l.Judge(&eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: ctx})
			if got.Outlook != tc.want || got.When.String() != tc.when {
				t.Errorf("Judge = %v: %v\nwant    %v: %v", got.Outlook, got.When, tc.want, tc.when)
			}
		})
	}
}

// A key may be unknown in a context that is otherwise complete, and a policy
// that is not known may allow or deny.
func TestJudgeUnknown(t *testing.T) {
	l := eval.Layers{Identity: compileList(t, eval.Identity, []string{v12(`"Effect":"Allow","Action":"*","Resource":"*",
		"Condition":{"StringEquals":{"aws:x":"a","aws:y":"b"}}`)})}
	r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: eval.NewContext(map[string][]string{"aws:x": {"a"}}).Unknown("AWS:y")}
	if got := l.Judge(r); got.Outlook != eval.Depends || got.When.String() != "StringEquals aws:y b" {
		t.Errorf("Judge = %v: %v", got.Outlook, got.When)
	}
	if got := l.Decide(r); got != eval.ImplicitDeny || !l.MightAllow(r) {
		t.Errorf("Decide = %v, MightAllow = %v", got, l.MightAllow(r))
	}
	r.Context = r.Context.With("aws:y", "b")
	if got := l.Judge(r); got.Outlook != eval.Always {
		t.Errorf("with the key: %v: %v", got.Outlook, got.When)
	}
	l.Identity = append(l.Identity, nil)
	if got := l.Judge(r); got.Outlook != eval.Depends || got.When.String() != "not (a policy that is not known denies)" {
		t.Errorf("with an unknown policy: %v: %v", got.Outlook, got.When)
	}
	l.Identity = []*eval.Policy{nil}
	const both = "not (a policy that is not known denies) and a policy that is not known allows"
	if got := l.Judge(r); got.Outlook != eval.Depends || got.When.String() != both {
		t.Errorf("with nothing but an unknown policy: %v: %v", got.Outlook, got.When)
	}
}

// Whom a statement is for can be in doubt too.
func TestJudgePrincipal(t *testing.T) {
	l := eval.Layers{Resource: compile(t, "trust", eval.Trust, trusts(toAllAWS))}
	got := l.Judge(&eval.Request{Principal: github, Action: "sts:AssumeRoleWithWebIdentity", Resource: roleARN})
	if got.Outlook != eval.Depends || got.When.String() != "Principal of statement 0 of trust policy trust matches" {
		t.Errorf("Judge = %v: %v", got.Outlook, got.When)
	}
}

// What Judge says of a part of a context holds for every whole one: Always and
// Never are kept, and When is true exactly if Decide allows.
func TestJudgeIsSound(t *testing.T) {
	seen := map[eval.Outlook]int{}
	for seed := range uint64(6000) {
		g := generator{rand.New(rand.NewPCG(seed, 7))}
		docs := referenceLayers{identity: g.documents(eval.Identity, 3), boundary: g.documents(eval.Boundary, 1), session: g.documents(eval.Session, 1)}
		if resource := g.documents(eval.Resource, 1); len(resource) > 0 {
			docs.resource = resource[0]
		}
		l, named := compileNamed(t, docs)
		r := &eval.Request{
			Principal: []eval.Principal{alice, session}[g.IntN(2)], Action: g.pick("s3:GetObject", "s3:PutObject"),
			Resource: g.pick("arn:aws:s3:::b/a/x", "arn:aws:s3:::b/bob/x"), ResourceAccount: g.pick(home, other),
		}
		known := g.context()
		whole := map[string][]string{}
		for key, values := range g.context() {
			whole[key] = values
		}
		var absent []string
		for _, key := range []string{"aws:username", "test:word", "test:flag", "test:many", "test:gone"} {
			if _, ok := known[key]; g.IntN(2) == 0 {
				delete(known, key)
			} else if !ok {
				absent = append(absent, key)
				delete(whole, key)
			}
		}
		for key, values := range known {
			whole[key] = values
		}
		r.Context = eval.NewContext(known).Open(absent...)
		got := l.Judge(r)
		seen[got.Outlook]++
		r.Context = eval.NewContext(whole)
		allowed := l.Decide(r) == eval.Allowed
		if got.Outlook == eval.Always && !allowed || got.Outlook == eval.Never && allowed {
			t.Fatalf("seed %d: Judge = %v (%v), but with %v allowed is %v", seed, got.Outlook, got.When, whole, allowed)
		}
		if holds(t, got.When, r, named) != allowed {
			t.Fatalf("seed %d: allowed is %v with %v, but When is %v", seed, allowed, whole, got.When)
		}
	}
	for o := eval.Never; o <= eval.Always; o++ {
		if seen[o] < 100 {
			t.Errorf("only %d cases are %v", seen[o], o)
		}
	}
}

// holds evaluates an expression with a whole context, each leaf by a policy of
// that one thing.
func holds(t *testing.T, e eval.Expr, r *eval.Request, named map[string]*iam.Document) bool {
	t.Helper()
	switch e.Op {
	case eval.All:
		for _, term := range e.Terms {
			if !holds(t, term, r, named) {
				return false
			}
		}
		return true
	case eval.Any:
		for _, term := range e.Terms {
			if holds(t, term, r, named) {
				return true
			}
		}
		return false
	}
	doc := named[e.Open.Policy]
	s := doc.Statements[e.Open.Statement]
	s.Effect, s.Principal, s.NotPrincipal = iam.Allow, nil, nil
	if e.Open.Element == eval.ElementCondition {
		s = iam.Statement{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: []iam.Condition{e.Open.Condition}}
	} else {
		s.Conditions = nil
	}
	p, err := eval.Compile("leaf", eval.Identity, &iam.Document{Version: doc.Version, Statements: []iam.Statement{s}})
	if err != nil {
		t.Fatal(err)
	}
	alone := eval.Layers{Identity: []*eval.Policy{p}}
	q := &eval.Request{Principal: alice, Action: r.Action, Resource: r.Resource, Context: r.Context}
	if e.Open.Negated {
		return !alone.MightAllow(q)
	}
	return alone.Decide(q) == eval.Allowed
}

// compileNamed gives each document a name of its own.
func compileNamed(t *testing.T, docs referenceLayers) (*eval.Layers, map[string]*iam.Document) {
	t.Helper()
	named := map[string]*iam.Document{}
	each := func(kind eval.Kind, docs []*iam.Document) []*eval.Policy {
		var out []*eval.Policy
		for i, doc := range docs {
			name := kind.String() + string(rune('0'+i))
			named[name] = doc
			p, err := eval.Compile(name, kind, doc)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p)
		}
		return out
	}
	l := &eval.Layers{
		Identity: each(eval.Identity, docs.identity), Boundary: each(eval.Boundary, docs.boundary), Session: each(eval.Session, docs.session),
	}
	if docs.resource != nil {
		l.Resource = each(eval.Resource, []*iam.Document{docs.resource})[0]
	}
	return l, named
}
