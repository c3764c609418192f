package eval_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// generator makes small random cases in which most elements have a chance to
// match.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) some(from ...string) []string {
	out := []string{g.pick(from...)}
	for g.IntN(3) == 0 {
		out = append(out, g.pick(from...))
	}
	return out
}

func (g generator) statement(kind eval.Kind) iam.Statement {
	s := iam.Statement{Effect: iam.Allow}
	if g.IntN(6) == 0 || kind == eval.RCP {
		s.Effect = iam.Deny
	}
	actions := g.some("*", "s3:*", "S3:get*", "s3:GetObject", "s3:?etObject", "*:Put*", "s3:GetObject*", "s3:*Object", "ec2:Run*", "sts:*", "sts:?agSession", "sts:AssumeRole*")
	if g.IntN(5) == 0 {
		s.NotActions = actions
	} else {
		s.Actions = actions
	}
	if kind != eval.Trust {
		resources := g.some("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${test:none, 'a*'}/x", "arn:*:x",
			"arn:aws:s3:::b/a${*}/x", "arn:aws:s3:::?/*/x", "arn:aws:s3:::b/*${test:word}*", "arn:aws:s3:::b/a/x", "arn:aws:iam::*")
		if g.IntN(5) == 0 {
			s.NotResources = resources
		} else {
			s.Resources = resources
		}
	}
	g.principal(kind, &s)
	for g.IntN(3) == 0 {
		s.Conditions = append(s.Conditions, g.condition())
	}
	return s
}

func (g generator) principal(kind eval.Kind, s *iam.Statement) {
	switch kind {
	case eval.Resource, eval.Trust, eval.Endpoint:
	case eval.RCP:
		s.Principal = &iam.Principal{Everyone: true}
		return
	default:
		return
	}
	element := &iam.Principal{AWS: g.some(home, other, root.ARN, "*", alice.ARN, roleARN, session.ARN, fed.ARN, linkedARN, "arn:aws:sts::111111111111:assumed-role/ci/run-2")}
	if g.IntN(3) == 0 {
		element.Service = g.some(ec2.ARN, "ecs.amazonaws.com")
	}
	if g.IntN(3) == 0 {
		element.Federated = g.some(github.ARN, saml.ARN)
	}
	if g.IntN(8) == 0 {
		element = &iam.Principal{Everyone: true}
	}
	if s.Effect == iam.Deny && g.IntN(3) == 0 {
		if !element.Everyone { // so that somebody is passed by
			element.AWS = append(element.AWS, home, g.pick(roleARN, alice.ARN), session.ARN)
		}
		s.NotPrincipal = element
	} else {
		s.Principal = element
	}
}

func (g generator) condition() iam.Condition {
	key := g.pick("aws:username", "AWS:UserName", "test:word", "test:flag", "test:gone", "test:many")
	switch g.IntN(8) {
	case 0:
		return iam.Condition{Operator: "Null", Key: key, Values: []string{g.pick("true", "false")}}
	case 1:
		return iam.Condition{Operator: "Bool" + g.pick("", "IfExists"), Key: "test:flag", Values: []string{g.pick("true", "false", "True")}}
	case 2:
		operator := g.pick("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals")
		return g.affixed(operator, "test:number", g.some("1", "1.50", "-2", "007", "10"))
	case 3:
		operator := g.pick("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals")
		return g.affixed(operator, "test:date", g.some("2026-01-01", "2026-01-01T01:00:00+01:00", "1767225600", "2026", "2026-01-01T00:00:00.5Z"))
	case 4:
		return g.affixed(g.pick("IpAddress", "NotIpAddress"), "test:address", g.some("10.0.0.0/8", "10.1.2.3", "::/0", "2001:db8::/32", "0.0.0.0/0"))
	case 5:
		return g.affixed(g.pick("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), "test:arn",
			g.some("arn:aws:sns:*:111111111111:t*", "arn:aws:sns:eu-west-1:111111111111:topic:sub", "arn:*:*:*:*:*", "arn:aws:s?s::*:*c",
				"*", "arn:aws:sns:*", "${test:peer}", "${test:peer}:sub", "${test:peer}*", "arn:aws:s*:${test:word}*:${test:account}:?*", "${test:gone}"))
	case 6:
		return g.affixed("BinaryEquals", "test:binary", g.some("aGk=", "aG8="))
	}
	return g.text(key)
}

// affixed adds set operators and IfExists to an operator.
func (g generator) affixed(operator, key string, values []string) iam.Condition {
	return iam.Condition{
		Operator: g.pick("", "", "", "ForAllValues:", "ForAnyValue:") + operator + g.pick("", "", "IfExists"),
		Key:      key, Values: values,
	}
}

func (g generator) text(key string) iam.Condition {
	operator := g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
	set := ""
	if key == "test:many" || g.IntN(4) == 0 {
		set = g.pick("ForAllValues:", "ForAnyValue:", "ForAllValues:", "ForAnyValue:", "")
	}
	values := g.some("a", "b*", "bob", "BOB", "*", "a${test:word}", "${aws:username}", "b?", "${test:gone, 'bob'}", "${test:gone}", "")
	return iam.Condition{Operator: set + operator + g.pick("", "IfExists"), Key: key, Values: values}
}

func (g generator) documents(kind eval.Kind, most int) []*iam.Document {
	var out []*iam.Document
	for range g.IntN(most + 1) {
		out = append(out, g.document(kind))
	}
	return out
}

func (g generator) document(kind eval.Kind) *iam.Document {
	doc := &iam.Document{Version: g.pick(iam.Version2012, iam.Version2012, iam.Version2008)}
	for range 1 + g.IntN(3) {
		doc.Statements = append(doc.Statements, g.statement(kind))
	}
	return doc
}

// levels are those of an organisation; mostly they allow all.
func (g generator) levels(kind eval.Kind) [][]*iam.Document {
	var out [][]*iam.Document
	for range max(0, g.IntN(6)-3) {
		level := g.documents(kind, 2)
		if g.IntN(4) > 0 && kind == eval.SCP {
			level = append(level, &iam.Document{Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}}}})
		}
		out = append(out, level)
	}
	return out
}

// layers is a case with every layer.
func (g generator) layers() referenceLayers {
	l := referenceLayers{
		identity: g.documents(eval.Identity, 3), boundary: g.documents(eval.Boundary, 1), session: g.documents(eval.Session, 2),
		scp: g.levels(eval.SCP), rcp: g.levels(eval.RCP),
	}
	if g.IntN(4) == 0 {
		l.endpoint = g.documents(eval.Endpoint, 2)
	}
	if g.IntN(2) == 0 {
		kind := eval.Resource
		if l.trust = g.IntN(4) == 0; l.trust {
			kind = eval.Trust
		}
		l.resource = g.document(kind)
	}
	l.org = eval.Organization{Management: g.pick("", "", home, other), PrincipalOutside: g.IntN(8) == 0, ResourceOutside: g.IntN(8) == 0}
	return l
}

func (g generator) request() *eval.Request {
	r := &eval.Request{
		Principal:       []eval.Principal{alice, session, alice, session, role, fed, root, ec2, github, saml, nobody, linked, linkedSession}[g.IntN(13)],
		Action:          g.pick("s3:GetObject", "S3:getobject", "s3:PutObject", "s3:GetObjectAcl", "ec2:RunInstances"),
		Resource:        g.pick("arn:aws:s3:::b/a/x", "arn:aws:s3:::b/bob/x", "arn:aws:s3:::b/a*/x", "arn:aws:s3:::c/x", "*"),
		ResourceAccount: g.pick("", home, home, other),
	}
	switch kind := r.Principal.Kind; {
	case kind == eval.WebIdentity || kind == eval.SAML: // mostly their own calls
		r.Action = g.pick("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "STS:TagSession", "s3:GetObject")
		r.Resource = g.pick(roleARN, roleARN, roleARN, fed.ARN)
	case g.IntN(12) == 0:
		r.Action, r.Resource = g.pick("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), g.pick(roleARN, fed.ARN)
	}
	return r
}

func (g generator) context() map[string][]string {
	out := map[string][]string{}
	values := map[string][]string{
		"aws:username": {"bob", "a", "a*", "Bob"}, "test:word": {"b", "a", "*", "?", ""}, "test:flag": {"true", "false", "TRUE"},
		"test:number": {"1", "1.5", "-2.0", "10", "7", "x", "1e1"}, "test:address": {"10.1.2.3", "11.0.0.1", "2001:db8::1", "x"},
		"test:date":   {"2026-01-01T00:00:00Z", "1767225600", "2025", "2026-01-01T00:00Z", "x"},
		"test:arn":    {"arn:aws:sns:eu-west-1:111111111111:topic", "arn:aws:sns:eu-west-1:111111111111:topic:sub", "x", "arn:aws:sqs::2:c"},
		"test:binary": {"aGk=", "aGg=", "~"}, "test:account": {"111111111111", "2"},
		"test:peer": {"arn:aws:sns:eu-west-1:111111111111:topic", "arn:aws:sns:eu-west-1:", "arn:aws:sns:*:111111111111:topic", "x"},
	}
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for key := range values {
			if !yield(key) {
				return
			}
		}
	}) {
		if g.IntN(4) > 0 {
			out[key] = []string{g.pick(values[key]...)}
		}
	}
	if g.IntN(2) == 0 {
		out["test:many"] = g.some("a", "b", "bob", "bc", "")
	}
	return out
}

func TestAgainstReference(t *testing.T) {
	seen := map[eval.Decision]int{}
	for seed := range uint64(40_000) {
		against(t, seed, seen)
		if t.Failed() {
			return
		}
	}
	for d := eval.ImplicitDeny; d <= eval.Allowed; d++ {
		if seen[d] < 1000 {
			t.Errorf("only %d cases are %v", seen[d], d)
		}
	}
}

// against compares one case of the compiled evaluator with the reference.
func against(t *testing.T, seed uint64, seen map[eval.Decision]int) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	docs, r, context := g.layers(), g.request(), g.context()
	r.Context = eval.NewContext(context)
	want := reference{request: r, context: context}.decide(docs)
	seen[want]++
	if got := decide(t, compileAll(t, docs), r); got != want {
		text, _ := json.MarshalIndent(map[string]any{
			"identity": docs.identity, "boundary": docs.boundary, "session": docs.session, "resource": docs.resource, "trust": docs.trust,
			"scp": docs.scp, "rcp": docs.rcp, "endpoint": docs.endpoint, "org": docs.org,
			"principal": r.Principal, "action": r.Action, "on": r.Resource, "owner": r.ResourceAccount, "context": context,
		}, "", "  ")
		t.Errorf("seed %d: Decide = %v, want %v\n%s", seed, got, want, text)
	}
}

// FuzzReference looks for seeds on which the two evaluators differ.
func FuzzReference(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { against(t, seed, map[eval.Decision]int{}) })
}

func compileDocuments(t *testing.T, kind eval.Kind, docs []*iam.Document) []*eval.Policy {
	t.Helper()
	var out []*eval.Policy
	for _, doc := range docs {
		p, err := eval.Compile("p", kind, doc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func compileAll(t *testing.T, docs referenceLayers) *eval.Layers {
	t.Helper()
	l := &eval.Layers{
		Identity: compileDocuments(t, eval.Identity, docs.identity), Boundary: compileDocuments(t, eval.Boundary, docs.boundary),
		Session: compileDocuments(t, eval.Session, docs.session), Endpoint: compileDocuments(t, eval.Endpoint, docs.endpoint), Org: docs.org,
	}
	for _, level := range docs.scp {
		l.SCP = append(l.SCP, compileDocuments(t, eval.SCP, level))
	}
	for _, level := range docs.rcp {
		l.RCP = append(l.RCP, compileDocuments(t, eval.RCP, level))
	}
	if docs.resource != nil {
		kind := eval.Resource
		if docs.trust {
			kind = eval.Trust
		}
		l.Resource = compileDocuments(t, kind, []*iam.Document{docs.resource})[0]
	}
	return l
}

// randomCase is a compiled case of the generator, with every layer.
func randomCase(t *testing.T, seed uint64) (*eval.Layers, *eval.Request) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 3))}
	l, r := compileAll(t, g.layers()), g.request()
	r.Context = eval.NewContext(g.context())
	return l, r
}

// One request must not leave anything behind for the next: what bob may do
// does not depend on alice having asked. Run with -race.
func TestPoliciesAreShared(t *testing.T) {
	l := eval.Layers{
		Identity: []*eval.Policy{compile(t, "home", eval.Identity, v12(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::homes/${aws:username}/*",
			"Condition":{"StringEqualsIgnoreCase":{"aws:PrincipalTag/name":"${aws:username}"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"}}`))},
		Boundary: []*eval.Policy{compile(t, "boundary", eval.Boundary, allowAll)},
	}
	var wait sync.WaitGroup
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		wait.Go(func() {
			for _, owner := range []string{"alice", "bob", "carol", "dave", "eve"} {
				for range 200 {
					p := eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::111111111111:user/" + name, Account: home}
					ctx := eval.NewContext(eval.PrincipalContext(p)).With("aws:PrincipalTag/Name", strings.ToUpper(name))
					r := &eval.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::homes/" + owner + "/x", Context: ctx}
					if got := decide(t, &l, r) == eval.Allowed; got != (name == owner) {
						t.Errorf("%s on %s's home: allowed %v", name, owner, got)
						return
					}
				}
			}
		})
	}
	wait.Wait()
}
