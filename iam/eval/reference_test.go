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

// reference is a second evaluator, written from AWS's pages for reading, not
// for speed: no compilation, no shortcuts, one sentence of the documentation
// after the other. It knows a part of the language; the generator below stays
// within it.
type reference struct {
	request *eval.Request
	context map[string][]string // keys in lower case
}

type referenceLayers struct {
	identity, boundary, session []*iam.Document
	resource                    *iam.Document
	trust                       bool
}

func (ref reference) decide(l referenceLayers) eval.Decision {
	all := slices.Concat(l.identity, l.boundary, l.session)
	if l.resource != nil {
		all = append(all, l.resource)
	}
	for _, doc := range all {
		for _, s := range doc.Statements {
			if s.Effect == iam.Deny && ref.matches(doc, s) {
				return eval.ExplicitDeny
			}
		}
	}
	crossAccount := ref.request.ResourceAccount != home
	identity := ref.allowed(l.identity)
	boundary := len(l.boundary) == 0 || ref.allowed(l.boundary)
	session := len(l.session) == 0 || ref.allowed(l.session)
	toPrincipal, toRole, toAccount := ref.granted(l.resource)

	ownSide := identity && boundary && session
	var ok bool
	switch {
	case crossAccount:
		ok = ownSide && (toPrincipal || toRole || toAccount)
	case toPrincipal:
		ok = true
	case toRole:
		ok = boundary && session
	case l.trust:
		ok = ownSide && toAccount
	default:
		ok = ownSide
	}
	if ok {
		return eval.Allowed
	}
	return eval.ImplicitDeny
}

func (ref reference) allowed(docs []*iam.Document) bool {
	for _, doc := range docs {
		for _, s := range doc.Statements {
			if s.Effect == iam.Allow && ref.matches(doc, s) {
				return true
			}
		}
	}
	return false
}

// granted tells how the resource policy names a user or a role session.
func (ref reference) granted(doc *iam.Document) (toPrincipal, toRole, toAccount bool) {
	if doc == nil {
		return false, false, false
	}
	p := ref.request.Principal
	for _, s := range doc.Statements {
		if s.Effect != iam.Allow || !ref.matches(doc, s) {
			continue
		}
		toPrincipal = toPrincipal || s.Principal.Everyone || slices.Contains(s.Principal.AWS, "*") || slices.Contains(s.Principal.AWS, p.ARN)
		toRole = toRole || p.RoleARN != "" && slices.Contains(s.Principal.AWS, p.RoleARN)
		toAccount = toAccount || slices.Contains(s.Principal.AWS, p.Account)
	}
	return toPrincipal, toRole, toAccount
}

func (ref reference) matches(doc *iam.Document, s iam.Statement) bool {
	action := func(pattern string) bool {
		return slowMatch(plainPattern(strings.ToLower(pattern)), []rune(strings.ToLower(ref.request.Action)))
	}
	// Doubt denies: a variable without a value must not open NotResource in an
	// Allow, nor lift a Deny.
	unset := s.NotResources != nil && s.Effect == iam.Allow
	resource := func(pattern string) bool {
		return ref.textMatches(doc, pattern, ref.request.Resource, true, unset)
	}
	p := ref.request.Principal
	switch {
	case s.Actions != nil && !slices.ContainsFunc(s.Actions, action):
		return false
	case s.NotActions != nil && slices.ContainsFunc(s.NotActions, action):
		return false
	case s.Resources != nil && !slices.ContainsFunc(s.Resources, resource):
		return false
	case s.NotResources != nil && slices.ContainsFunc(s.NotResources, resource):
		return false
	case s.Principal != nil && !s.Principal.Everyone &&
		!slices.ContainsFunc(s.Principal.AWS, func(name string) bool {
			return name == "*" || name == p.ARN || name == p.Account || p.RoleARN != "" && name == p.RoleARN
		}):
		return false
	}
	for _, c := range s.Conditions {
		if !ref.holds(doc, s.Effect, c) {
			return false
		}
	}
	return true
}

func (ref reference) holds(doc *iam.Document, effect iam.Effect, c iam.Condition) bool {
	values, present := ref.context[strings.ToLower(c.Key)]
	set, name, hasSet := strings.Cut(c.Operator, ":")
	if !hasSet {
		set, name = "", c.Operator
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	name, negated := strings.CutPrefix(strings.Replace(name, "StringNot", "NotString", 1), "Not")
	if name == "Null" {
		return (c.Values[0] == "true") != present
	}
	unset := negated && effect == iam.Allow
	one := func(value string) bool {
		return negated != slices.ContainsFunc(c.Values, func(pattern string) bool {
			switch name {
			case "StringEquals":
				return ref.textMatches(doc, pattern, value, false, unset)
			case "StringLike":
				return ref.textMatches(doc, pattern, value, true, unset)
			case "Bool":
				return strings.EqualFold(pattern, value)
			}
			panic(name)
		})
	}
	switch {
	case set == "ForAllValues":
		return !slices.ContainsFunc(values, func(v string) bool { return !one(v) })
	case set == "ForAnyValue":
		return slices.ContainsFunc(values, one)
	case !present:
		return ifExists || negated
	}
	return one(values[0])
}

// The wildcards of a pattern, apart from the characters of the same look.
const (
	starRune rune = -1
	markRune rune = -2
)

func plainPattern(pattern string) []rune {
	out := []rune(pattern)
	for i, r := range out {
		switch r {
		case '*':
			out[i] = starRune
		case '?':
			out[i] = markRune
		}
	}
	return out
}

// textMatches substitutes variables from left to right; what comes out of one
// is literal. unset is the answer when a variable has no value.
func (ref reference) textMatches(doc *iam.Document, pattern, s string, wild, unset bool) bool {
	var out []rune
	for pattern != "" {
		if body, rest, ok := strings.Cut(strings.TrimPrefix(pattern, "${"), "}"); ok && doc.Version == iam.Version2012 && strings.HasPrefix(pattern, "${") {
			pattern = rest
			key, fallback, hasDefault := strings.Cut(body, ", ")
			values, present := ref.context[strings.ToLower(key)]
			switch {
			case body == "*" || body == "?" || body == "$":
				out = append(out, []rune(body)...)
			case present:
				out = append(out, []rune(values[0])...)
			case hasDefault:
				out = append(out, []rune(strings.Trim(fallback, "'"))...)
			default:
				return unset
			}
			continue
		}
		r := []rune(pattern)[0]
		pattern = pattern[len(string(r)):]
		if wild {
			out = append(out, plainPattern(string(r))...)
		} else {
			out = append(out, r)
		}
	}
	return slowMatch(out, []rune(s))
}

func slowMatch(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == starRune:
		return slowMatch(pattern[1:], s) || len(s) > 0 && slowMatch(pattern, s[1:])
	case len(s) == 0:
		return false
	}
	return (pattern[0] == markRune || pattern[0] == s[0]) && slowMatch(pattern[1:], s[1:])
}

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
	if g.IntN(6) == 0 {
		s.Effect = iam.Deny
	}
	actions := g.some("*", "s3:*", "S3:get*", "s3:GetObject", "s3:?etObject", "*:Put*", "s3:GetObject*", "s3:*Object", "sqs:Send")
	if g.IntN(5) == 0 {
		s.NotActions = actions
	} else {
		s.Actions = actions
	}
	if kind != eval.Trust {
		resources := g.some("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${test:none, 'a*'}/x", "arn:*:x",
			"arn:aws:s3:::b/a${*}/x", "arn:aws:s3:::?/*/x", "arn:aws:s3:::b/*${test:word}*", "arn:aws:s3:::b/a/x")
		if g.IntN(5) == 0 {
			s.NotResources = resources
		} else {
			s.Resources = resources
		}
	}
	if kind == eval.Resource || kind == eval.Trust {
		s.Principal = &iam.Principal{AWS: g.some(home, other, "*", alice.ARN, roleARN, session.ARN, "arn:aws:sts::111111111111:assumed-role/ci/run-2")}
		if g.IntN(8) == 0 {
			s.Principal = &iam.Principal{Everyone: true}
		}
	}
	for g.IntN(3) == 0 {
		s.Conditions = append(s.Conditions, g.condition())
	}
	return s
}

func (g generator) condition() iam.Condition {
	key := g.pick("aws:username", "AWS:UserName", "test:word", "test:flag", "test:gone", "test:many")
	operator := g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "Bool", "Null")
	switch operator {
	case "Null":
		return iam.Condition{Operator: operator, Key: key, Values: []string{g.pick("true", "false")}}
	case "Bool":
		return iam.Condition{Operator: operator + g.pick("", "IfExists"), Key: "test:flag", Values: []string{g.pick("true", "false", "True")}}
	}
	// Several values and no set operator is undefined.
	set := g.pick("ForAllValues:", "ForAnyValue:")
	if key != "test:many" {
		set = g.pick("", "", "", set)
	}
	ifExists := ""
	if set == "" {
		ifExists = g.pick("", "IfExists")
	}
	values := g.some("a", "b*", "bob", "*", "a${test:word}", "${aws:username}", "b?", "${test:gone, 'bob'}", "${test:gone}")
	return iam.Condition{Operator: set + operator + ifExists, Key: key, Values: values}
}

func (g generator) documents(kind eval.Kind, most int) []*iam.Document {
	var out []*iam.Document
	for range g.IntN(most + 1) {
		doc := &iam.Document{Version: g.pick(iam.Version2012, iam.Version2012, iam.Version2008)}
		for range 1 + g.IntN(3) {
			doc.Statements = append(doc.Statements, g.statement(kind))
		}
		out = append(out, doc)
	}
	return out
}

func (g generator) context() map[string][]string {
	out := map[string][]string{}
	for key, values := range map[string][]string{
		"aws:username": {"bob", "a", "a*"}, "test:word": {"b", "a", "*", "?"}, "test:flag": {"true", "false"},
	} {
		if g.IntN(4) > 0 {
			out[key] = []string{g.pick(values...)}
		}
	}
	if g.IntN(2) == 0 {
		out["test:many"] = g.some("a", "b", "bob", "bc")
	}
	return out
}

func TestAgainstReference(t *testing.T) {
	seen := map[eval.Decision]int{}
	for seed := range uint64(20_000) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		docs := referenceLayers{
			identity: g.documents(eval.Identity, 3), boundary: g.documents(eval.Boundary, 1), session: g.documents(eval.Session, 2),
			trust: g.IntN(4) == 0,
		}
		kind := eval.Resource
		if docs.trust {
			kind = eval.Trust
		}
		if resource := g.documents(kind, 1); len(resource) > 0 {
			docs.resource = resource[0]
		} else {
			docs.trust = false
		}
		context := g.context()
		r := &eval.Request{
			Principal:       []eval.Principal{alice, session}[g.IntN(2)],
			Action:          g.pick("s3:GetObject", "S3:getobject", "s3:PutObject", "s3:GetObjectAcl", "sqs:Send"),
			Resource:        g.pick("arn:aws:s3:::b/a/x", "arn:aws:s3:::b/bob/x", "arn:aws:s3:::b/a*/x", "arn:aws:s3:::c/x", "*"),
			ResourceAccount: g.pick(home, home, other),
			Context:         eval.NewContext(context),
		}
		want := reference{request: r, context: context}.decide(docs)
		seen[want]++
		l := compileAll(t, docs, kind)
		if got := decide(t, l, r); got != want {
			text, _ := json.MarshalIndent(map[string]any{
				"identity": docs.identity, "boundary": docs.boundary, "session": docs.session, "resource": docs.resource, "trust": docs.trust,
				"principal": r.Principal, "action": r.Action, "on": r.Resource, "owner": r.ResourceAccount, "context": context,
			}, "", "  ")
			t.Fatalf("seed %d: Decide = %v, want %v\n%s", seed, got, want, text)
		}
	}
	for d := eval.ImplicitDeny; d <= eval.Allowed; d++ {
		if seen[d] < 1000 {
			t.Errorf("only %d cases are %v", seen[d], d)
		}
	}
}

func compileAll(t *testing.T, docs referenceLayers, kind eval.Kind) *eval.Layers {
	t.Helper()
	each := func(kind eval.Kind, docs []*iam.Document) []*eval.Policy {
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
	l := &eval.Layers{
		Identity: each(eval.Identity, docs.identity), Boundary: each(eval.Boundary, docs.boundary), Session: each(eval.Session, docs.session),
	}
	if docs.resource != nil {
		l.Resource = each(kind, []*iam.Document{docs.resource})[0]
	}
	return l
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
