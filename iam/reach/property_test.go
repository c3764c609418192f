package reach

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

var (
	actions          = []string{"s3:Get", "s3:GetAll", "s3:Put", "iam:Get"}
	actionPatterns   = []string{"s3:Get", "S3:get*", "*", "s3:*", "*:Put", "?am:Get", "s3:*t", "iam:Get"}
	resources        = []string{"arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::c:a", "arn:aws:iam::222222222222:role/a", "*"}
	resourcePatterns = []string{
		"arn:aws:s3:::a", "arn:aws:s3:::*", "*", "arn:aws:*:*:*:a", "arn:*:a", "arn:aws:iam::*:role/*", "arn:aws:iam::2222*",
		"arn:aws:s3:::${k:one}", "arn:aws:s3:::c${k:two, 'a'}", "arn:aws:iam::????????????:role/a", "arn:aws:s3:::?/?", "arn:aws:s3:::${*}", "arn:aws:s3:::${aws:username}",
	}
	days = []string{"2026-11-20", "2026-11-22T00:00:00Z", "2027", "1795392000", "1795305600"}
	keys = []string{"k:one", "k:two", "K:Three"}
	// keys that tell members apart
	whose = []string{"aws:PrincipalArn", "AWS:username"}
	// what a key holds and what policies compare it with
	held     = []string{"a", "b7", "c12", "arn:aws:iam::222222222222:role/a"}
	compared = []string{
		"a", "b7", "b?", "c*", "A", "*", "arn:aws:iam::*:role/a", "${k:one}", "${k:two, 'a'}", "7",
		"user0", "user?", "arn:aws:iam::222222222222:user/user1", "${aws:username}",
	}
)

func drawStatement(t *rapid.T, trust bool) iam.Statement {
	s := iam.Statement{Effect: rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Allow, iam.Deny}).Draw(t, "effect")}
	if !trust {
		list := func(from []string, label string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, label)
		}
		if rapid.IntRange(0, 4).Draw(t, "NotAction") > 0 {
			s.Actions = list(actionPatterns, "actions")
		} else {
			s.NotActions = list(actionPatterns, "not actions")
		}
		if rapid.IntRange(0, 4).Draw(t, "NotResource") > 0 {
			s.Resources = list(resourcePatterns, "resources")
		} else {
			s.NotResources = list(resourcePatterns, "not resources")
		}
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "conditions") {
		s.Conditions = append(s.Conditions, drawCondition(t))
	}
	return s
}

func drawCondition(t *rapid.T) iam.Condition {
	list := func(from []string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(from), 1, 2).Draw(t, "values")
	}
	operator := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, "operator") }
	switch rapid.IntRange(0, 4).Draw(t, "kind of condition") {
	case 0:
		return iam.Condition{
			Operator: operator("DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEqualsIfExists", "DateEquals", "DateNotEquals"),
			Key:      rapid.SampledFrom([]string{"aws:CurrentTime", "aws:EpochTime"}).Draw(t, "time"), Values: list(days),
		}
	case 1:
		return iam.Condition{Operator: "Null", Key: rapid.SampledFrom(keys).Draw(t, "key"), Values: list([]string{"true", "false"})}
	}
	return iam.Condition{
		Operator: operator("", "ForAllValues:", "ForAnyValue:") +
			operator("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "ArnLike", "ArnNotEquals") +
			operator("", "IfExists"),
		Key: rapid.SampledFrom(slices.Concat(keys, whose)).Draw(t, "key"), Values: list(compared),
	}
}

func drawDocument(t *rapid.T, statement func(*rapid.T) iam.Statement) *iam.Document {
	d := &iam.Document{Version: rapid.SampledFrom([]string{iam.Version2012, iam.Version2012, iam.Version2008}).Draw(t, "version")}
	for range rapid.IntRange(1, 3).Draw(t, "statements") {
		d.Statements = append(d.Statements, statement(t))
	}
	return d
}

// drawRequest returns the context of a request and facts that are true of it.
func drawRequest(t *rapid.T) (map[string][]string, Facts) {
	at := now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)
	context := map[string][]string{
		"aws:CurrentTime": {at.Format(time.RFC3339)}, "aws:EpochTime": {strconv.FormatInt(at.Unix(), 10)},
	}
	facts := Facts{Keys: map[string][]string{}, Like: map[string]Pattern{}, Among: map[string]string{}}
	if rapid.Bool().Draw(t, "now is known") {
		facts.Now = rapid.SampledFrom([]time.Time{now, at}).Draw(t, "now")
	}
	for _, key := range keys {
		values := rapid.SliceOfN(rapid.SampledFrom(held), 0, 2).Draw(t, key)
		if len(values) > 0 {
			context[key] = values
		}
		switch known := rapid.IntRange(0, 3).Draw(t, "known"); {
		case known == 0:
			facts.Keys[strings.ToUpper(key)] = values
		case known == 1 && len(values) == 1:
			facts.Like[key] = rapid.SampledFrom([]Pattern{
				{Text: "*"}, {Text: values[0]}, {Text: values[0][:1] + "*"}, {Text: strings.TrimRight(values[0], "0123456789") + "*", Wild: "0123456789"},
			}).Draw(t, "pattern")
		case known == 2 && len(values) > 0:
			facts.Among[key] = rapid.SampledFrom(values).Draw(t, "one of them")
		}
	}
	return context, facts
}

func matching(patterns []string, match func(pattern, s string) bool, s string, want bool) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return strings.Contains(p, "${") || match(p, s) != want
	})
}

// TestCouldNeverMisses: if a request is allowed, every question that it belongs
// to gets the answer that something could.
func TestCouldNeverMisses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statement := func(t *rapid.T) iam.Statement { return drawStatement(t, false) }
		p := Principal{}
		layers := eval.Layers{}
		for range rapid.IntRange(1, 2).Draw(t, "policies") {
			d := drawDocument(t, statement)
			p.Identity = append(p.Identity, Policy{Name: "one", Document: d})
			layers.Identity = append(layers.Identity, mustCompile(t, eval.Identity, d))
		}
		if rapid.Bool().Draw(t, "bounded") {
			d := drawDocument(t, statement)
			p.Boundary = &Policy{Name: "edge", Document: d}
			layers.Boundary = []*eval.Policy{mustCompile(t, eval.Boundary, d)}
		}
		context, facts := drawRequest(t)
		action, resource := rapid.SampledFrom(actions).Draw(t, "action"), rapid.SampledFrom(resources).Draw(t, "resource")
		q := Question{
			Action:   rapid.SampledFrom(append(matching(actionPatterns, iam.MatchFold, action, true), action)).Draw(t, "asked action"),
			Resource: rapid.SampledFrom(append(matching(resourcePatterns, matchARN, resource, true), "*")).Draw(t, "asked resource"),
			Facts:    facts,
		}
		if apart := matching(resourcePatterns, iam.Match, resource, false); len(apart) > 0 && rapid.Bool().Draw(t, "leaves out") {
			q.Except = []string{rapid.SampledFrom(apart).Draw(t, "except")}
		}
		decision := layers.Decide(&eval.Request{
			Principal: eval.Principal{Kind: eval.User, Account: "222222222222"}, Action: action, Resource: resource, Context: eval.NewContext(context),
		})
		if _, could := p.Could(q); decision == eval.Allowed && !could {
			t.Fatalf("%s on %s with %v is allowed, and could not be for %+v", action, resource, context, q)
		}
	})
}

// matchARN matches as a question does: wildcards in the first five parts of an
// ARN stay within their part.
func matchARN(pattern, s string) bool {
	if strings.Count(pattern, ":") < partsBeforeResource || strings.Count(s, ":") < partsBeforeResource {
		return iam.Match(pattern, s)
	}
	ps, ss := strings.SplitN(pattern, ":", partsBeforeResource+1), strings.SplitN(s, ":", partsBeforeResource+1)
	for i := range ps {
		if !iam.Match(ps[i], ss[i]) {
			return false
		}
	}
	return true
}

func mustCompile(t *rapid.T, kind eval.Kind, d *iam.Document) *eval.Policy {
	p, err := eval.Compile("policy", kind, d)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

var (
	trusted = []string{
		"222222222222", "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:role/ci", "arn:aws:iam::222222222222:user/bob", "*",
		"arn:aws:sts::333333333333:assumed-role/ci/build", "arn:aws:iam::222222222222:role/path/ci", "arn:aws:sts::222222222222:federated-user/bob",
		"arn:aws:sts::222222222222:assumed-role/ci/build", "AROAEXAMPLEEXAMPLE123",
	}
	callers = []eval.Principal{
		{Kind: eval.Role, ARN: "arn:aws:iam::333333333333:role/ci", Account: "333333333333"},
		{Kind: eval.Role, ARN: "arn:aws:iam::222222222222:role/path/ci", Account: "222222222222"},
		{Kind: eval.RoleSession, ARN: "arn:aws:sts::333333333333:assumed-role/ci/build", RoleARN: "arn:aws:iam::333333333333:role/ci", Account: "333333333333"},
		{Kind: eval.RoleSession, ARN: "arn:aws:sts::222222222222:assumed-role/ci/build", RoleARN: "arn:aws:iam::222222222222:role/path/ci", Account: "222222222222"},
		{Kind: eval.RoleSession, ARN: "arn:aws:sts::222222222222:assumed-role/ci/other", RoleARN: "arn:aws:iam::222222222222:role/path/ci", Account: "222222222222"},
		{Kind: eval.User, ARN: "arn:aws:iam::222222222222:user/bob", Account: "222222222222"},
		{Kind: eval.Service, ARN: "ec2.amazonaws.com"},
		{Kind: eval.WebIdentity, ARN: "arn:aws:iam::222222222222:oidc-provider/issuer", Account: "222222222222"},
	}
)

func drawTrust(t *rapid.T) iam.Statement {
	s := drawStatement(t, true)
	s.Actions = []string{rapid.SampledFrom([]string{"sts:*", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"}).Draw(t, "action")}
	p := &iam.Principal{}
	switch rapid.IntRange(0, 5).Draw(t, "kind of principal") {
	case 0:
		p.Everyone = true
	case 1:
		p.Service = []string{rapid.SampledFrom([]string{"ec2.amazonaws.com", "ecs.amazonaws.com"}).Draw(t, "service")}
	case 2:
		p.Federated = []string{"arn:aws:iam::222222222222:oidc-provider/issuer"}
	default:
		p.AWS = rapid.SliceOfN(rapid.SampledFrom(trusted), 1, 3).Draw(t, "principals")
	}
	if s.Effect == iam.Deny && rapid.Bool().Draw(t, "NotPrincipal") {
		s.NotPrincipal = p
	} else {
		s.Principal = p
	}
	return s
}

// TestAdmitsNeverMisses: whoever might assume a role is admitted, by itself,
// as a session's role, and as some principal of its account.
func TestAdmitsNeverMisses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDocument(t, drawTrust)
		r := NewRole("arn:aws:iam::222222222222:role/target", "222222222222", doc)
		who := rapid.SampledFrom(callers).Draw(t, "caller")
		context, facts := drawRequest(t)
		maps.Copy(context, eval.PrincipalContext(who))
		c := Caller{Principal: who, MayAsk: rapid.Bool().Draw(t, "may ask"), Facts: facts}
		layers := eval.Layers{Resource: mustCompile(t, eval.Trust, doc)}
		if c.MayAsk {
			layers.Identity = []*eval.Policy{nil}
		}
		allowed := layers.MightAllow(&eval.Request{
			Principal: who, Action: c.action(), Resource: r.ARN, ResourceAccount: r.Account, Context: eval.NewContext(context),
		})
		if !allowed {
			return
		}
		if !r.Admits(c) {
			t.Fatalf("%+v is not admitted by\n%s", c, doc.Indented())
		}
		if c.Principal.Kind == eval.RoleSession {
			role := c
			role.Principal = eval.Principal{Kind: eval.Role, ARN: who.RoleARN, Account: who.Account}
			if !r.Admits(role) {
				t.Fatalf("role %+v is not admitted by\n%s", role, doc.Indented())
			}
		}
		if c.MayAsk && who.Account != "" && who.Kind != eval.WebIdentity && !r.AdmitsAccount(who.Account, facts) {
			t.Fatalf("account %s is not admitted by\n%s", who.Account, doc.Indented())
		}
	})
}
