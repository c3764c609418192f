package eval_test

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// outcome tells what a condition comes to, as far as one can see from outside:
// "yes" makes an Allow and a Deny match, "no" neither, "maybe" the Deny only.
func outcome(t *testing.T, ctx eval.Context, version string, cs ...iam.Condition) string {
	t.Helper()
	might := map[iam.Effect]bool{}
	all := compile(t, "all", eval.Identity, allowAll)
	matches := func(effect iam.Effect) bool {
		p, err := eval.Compile("p", eval.Identity, &iam.Document{Version: version, Statements: []iam.Statement{{
			Effect: effect, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: cs,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		l := eval.Layers{Identity: []*eval.Policy{p}}
		if effect == iam.Deny {
			l.Identity = append(l.Identity, all)
		}
		want := map[iam.Effect]eval.Decision{iam.Allow: eval.Allowed, iam.Deny: eval.ExplicitDeny}[effect]
		r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket, Context: ctx}
		might[effect] = l.MightAllow(r)
		return decide(t, &l, r) == want
	}
	allow, deny := matches(iam.Allow), matches(iam.Deny)
	if might[iam.Allow] != deny || might[iam.Deny] == allow {
		t.Errorf("MightAllow is %v; an Allow matches: %v, a Deny matches: %v", might, allow, deny)
	}
	switch {
	case allow && deny:
		return "yes"
	case deny:
		return "maybe"
	case allow:
		t.Error("an Allow matches where a Deny does not")
	}
	return "no"
}

var opposite = map[string]string{"yes": "no", "maybe": "maybe", "no": "yes"}

var negations = map[string]string{
	"StringEquals": "StringNotEquals", "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase", "StringLike": "StringNotLike",
	"NumericEquals": "NumericNotEquals", "DateEquals": "DateNotEquals", "IpAddress": "NotIpAddress",
	"ArnEquals": "ArnNotEquals", "ArnLike": "ArnNotLike",
}

// Rules 38 and 45 to 53: one value of the request against the values of the
// policy. Every row is also held against the operator's negation.
//
//	reference_policies_elements_condition_operators.html
func TestOperators(t *testing.T) {
	const arn = "arn:aws:sns:eu-west-1:111111111111:topic:sub"
	for _, tc := range []struct {
		rule, operator string
		policy         []string
		request        string
		want           string
		unsetNegation  string // what the negation comes to, if not the opposite
	}{
		{rule: "38 values are alternatives", operator: "StringEquals", policy: []string{"a", "b"}, request: "b", want: "yes"},
		{rule: "38 none", operator: "StringEquals", policy: []string{"a", "b"}, request: "c", want: "no"},
		{rule: "45 case", operator: "StringEquals", policy: []string{"a"}, request: "A", want: "no"},
		{rule: "45 no wildcards", operator: "StringEquals", policy: []string{"a*"}, request: "ab", want: "no"},
		{rule: "45 a literal star", operator: "StringEquals", policy: []string{"a*"}, request: "a*", want: "yes"},
		{rule: "45 ignoring case", operator: "StringEqualsIgnoreCase", policy: []string{"straßE É"}, request: "STRAßE é", want: "yes"},
		{rule: "45 ignoring case, no wildcards", operator: "StringEqualsIgnoreCase", policy: []string{"a*"}, request: "ab", want: "no"},
		{rule: "45 like", operator: "StringLike", policy: []string{"repo:acme/*:ref:refs/heads/?ain"}, request: "repo:acme/shop:ref:refs/heads/main", want: "yes"},
		{rule: "45 like, case", operator: "StringLike", policy: []string{"A*"}, request: "ab", want: "no"},
		{rule: "45 like crosses colons", operator: "StringLike", policy: []string{"arn:*:sub"}, request: arn, want: "yes"},
		{rule: "45 empty", operator: "StringEquals", policy: []string{""}, request: "", want: "yes"},

		{rule: "46 equals", operator: "ArnEquals", policy: []string{arn}, request: arn, want: "yes"},
		{rule: "46 equals takes wildcards", operator: "ArnEquals", policy: []string{"arn:aws:sns:*:111111111111:topic:*"}, request: arn, want: "yes"},
		{rule: "46 part by part", operator: "ArnLike", policy: []string{"arn:aws:sns:*:top?c:sub"}, request: arn, want: "no"},
		{rule: "46 part by part, equals", operator: "ArnEquals", policy: []string{"arn:aws:sns:*:top?c:sub"}, request: arn, want: "no"},
		{rule: "46 the last part has colons of its own", operator: "ArnLike", policy: []string{"arn:aws:sns:*:*:*"}, request: arn, want: "yes"},
		{rule: "46 any partition", operator: "ArnLike", policy: []string{"arn:*:iam::111111111111:role/*"}, request: "arn:aws-cn:iam::111111111111:role/a/b", want: "yes"},
		{rule: "46 other account", operator: "ArnLike", policy: []string{"arn:aws:iam::222222222222:role/*"}, request: "arn:aws:iam::111111111111:role/a", want: "no"},
		{rule: "46 no ARN in the request", operator: "ArnLike", policy: []string{"arn:*:*:*:*:*"}, request: "arn", want: "no"},
		{rule: "46 whatever it is, in fewer parts", operator: "ArnLike", policy: []string{"*"}, request: arn, want: "maybe"},
		{rule: "46 a pattern cut short", operator: "ArnLike", policy: []string{"arn:aws:sns:*"}, request: arn, want: "maybe"},
		{rule: "46 a pattern cut short, not even as text", operator: "ArnLike", policy: []string{"arn:aws:sqs:*"}, request: arn, want: "no"},

		{rule: "47 decimals", operator: "NumericEquals", policy: []string{"3.50"}, request: "3.5", want: "yes"},
		{rule: "47 leading zeros and signs", operator: "NumericEquals", policy: []string{"-007.0"}, request: "-7", want: "yes"},
		{rule: "47 minus zero", operator: "NumericEquals", policy: []string{"0"}, request: "-0.00", want: "yes"},
		{rule: "47 long integers are exact", operator: "NumericEquals", policy: []string{"90071992547409930"}, request: "90071992547409931", want: "no"},
		{rule: "47 not a number", operator: "NumericEquals", policy: []string{"1"}, request: "one", want: "maybe"},
		{rule: "47 less", operator: "NumericLessThan", policy: []string{"10"}, request: "9.99", want: "yes"},
		{rule: "47 not less", operator: "NumericLessThan", policy: []string{"10"}, request: "10", want: "no"},
		{rule: "47 less is no text", operator: "NumericLessThan", policy: []string{"9"}, request: "10", want: "no"},
		{rule: "47 negative", operator: "NumericLessThan", policy: []string{"-1"}, request: "-2", want: "yes"},
		{rule: "47 negative and positive", operator: "NumericGreaterThan", policy: []string{"-1"}, request: "1", want: "yes"},
		{rule: "47 less or equal", operator: "NumericLessThanEquals", policy: []string{"10"}, request: "10.0", want: "yes"},
		{rule: "47 greater", operator: "NumericGreaterThan", policy: []string{"10"}, request: "10", want: "no"},
		{rule: "47 greater or equal", operator: "NumericGreaterThanEquals", policy: []string{"10"}, request: "10", want: "yes"},
		{rule: "47 greater than one of them", operator: "NumericGreaterThan", policy: []string{"100", "5"}, request: "10", want: "yes"},

		{rule: "48 seconds and date", operator: "DateEquals", policy: []string{"2026-01-01T00:00:00Z"}, request: "1767225600", want: "yes"},
		{rule: "48 zones", operator: "DateEquals", policy: []string{"2026-01-01T01:30+01:30"}, request: "2025-12-31T23:00:00-01:00", want: "yes"},
		{rule: "48 fraction", operator: "DateLessThan", policy: []string{"2026-01-01T00:00:00.5Z"}, request: "2026-01-01T00:00:00.499Z", want: "yes"},
		{rule: "48 a day", operator: "DateEquals", policy: []string{"2026-01-01"}, request: "2026-01-01T00:00:00Z", want: "yes"},
		{rule: "48 a month, a year", operator: "DateEquals", policy: []string{"2026-01"}, request: "2026", want: "yes"},
		{rule: "48 until", operator: "DateLessThan", policy: []string{"2027-06-30T00:00:00Z"}, request: "2027-06-29T23:59:59Z", want: "yes"},
		{rule: "48 until, at that instant", operator: "DateLessThan", policy: []string{"2027-06-30T00:00:00Z"}, request: "2027-06-30T00:00:00Z", want: "no"},
		{rule: "48 until or at", operator: "DateLessThanEquals", policy: []string{"2027-06-30T00:00:00Z"}, request: "2027-06-30T00:00:00Z", want: "yes"},
		{rule: "48 after", operator: "DateGreaterThan", policy: []string{"2027-06-30T00:00:00Z"}, request: "2027-06-30T00:00:01Z", want: "yes"},
		{rule: "48 after or at", operator: "DateGreaterThanEquals", policy: []string{"2027-06-30T00:00:00Z"}, request: "2027-06-29T00:00:00Z", want: "no"},
		{rule: "48 no date", operator: "DateEquals", policy: []string{"2026-01-01"}, request: "2026-02-30", want: "maybe"},

		{rule: "49 range", operator: "IpAddress", policy: []string{"10.0.0.0/8"}, request: "10.1.2.3", want: "yes"},
		{rule: "49 range with host bits", operator: "IpAddress", policy: []string{"10.9.9.9/8"}, request: "10.1.2.3", want: "yes"},
		{rule: "49 outside", operator: "IpAddress", policy: []string{"10.0.0.0/8"}, request: "11.1.2.3", want: "no"},
		{rule: "49 one address", operator: "IpAddress", policy: []string{"203.0.113.7"}, request: "203.0.113.7", want: "yes"},
		{rule: "49 one address, its neighbour", operator: "IpAddress", policy: []string{"203.0.113.7"}, request: "203.0.113.6", want: "no"},
		{rule: "49 IPv6", operator: "IpAddress", policy: []string{"2001:db8:1234:5678::/64"}, request: "2001:DB8:1234:5678:0::1", want: "yes"},
		{rule: "49 IPv6 address", operator: "IpAddress", policy: []string{"2001:db8::1"}, request: "2001:db8::2", want: "no"},
		{rule: "49 families", operator: "IpAddress", policy: []string{"0.0.0.0/0"}, request: "2001:db8::1", want: "no"},
		{rule: "49 no address", operator: "IpAddress", policy: []string{"0.0.0.0/0"}, request: "cloudformation.amazonaws.com", want: "maybe"},

		{rule: "50 case of booleans", operator: "Bool", policy: []string{"True"}, request: "tRUE", want: "yes"},
		{rule: "50 other boolean", operator: "Bool", policy: []string{"true"}, request: "false", want: "no"},
		{rule: "50 binary", operator: "BinaryEquals", policy: []string{"aGk="}, request: "aGk=", want: "yes"},
		{rule: "50 other binary", operator: "BinaryEquals", policy: []string{"aGk="}, request: "aGo=", want: "no"},
		{rule: "50 no binary", operator: "BinaryEquals", policy: []string{"aGk="}, request: "~", want: "maybe"},

		{rule: "53 variable in a string", operator: "StringEquals", policy: []string{"home/${aws:username}"}, request: "home/alice", want: "yes"},
		{rule: "53 variable, wildcards are text", operator: "StringEquals", policy: []string{"*/${aws:username}"}, request: "*/alice", want: "yes"},
		{rule: "53 variable, wildcards match nothing", operator: "StringEquals", policy: []string{"*/${aws:username}"}, request: "home/alice", want: "no"},
		{rule: "53 variable with wildcards", operator: "StringLike", policy: []string{"home/${aws:username}/*"}, request: "home/alice/x", want: "yes"},
		{rule: "53 variable ignoring case", operator: "StringEqualsIgnoreCase", policy: []string{"HOME/${aws:username}"}, request: "home/ALICE", want: "yes"},
		{rule: "53 variable in an ARN", operator: "ArnLike", policy: []string{"arn:aws:iam::${aws:PrincipalAccount}:role/*"}, request: "arn:aws:iam::111111111111:role/a", want: "yes"},
		{rule: "53 variable that is an ARN", operator: "ArnEquals", policy: []string{"${aws:PrincipalArn}"}, request: "arn:aws:iam::111111111111:role/a:b", want: "yes"},
		{rule: "53 variable that is another ARN", operator: "ArnEquals", policy: []string{"${aws:PrincipalArn}"}, request: "arn:aws:iam::111111111111:role/a", want: "no"},
		{rule: "53 variable that begins an ARN", operator: "ArnLike", policy: []string{"${aws:PrincipalArn}/*"}, request: "arn:aws:iam::111111111111:role/a:b/c:d", want: "yes"},
		{rule: "53 star before a variable stays in its part", operator: "ArnLike", policy: []string{"arn:*${aws:tail}"}, request: "arn:aws:iam::111111111111:role/a", want: "yes"},
		{rule: "53 star before a variable does not reach the next", operator: "ArnLike", policy: []string{"arn:*${aws:tail}"}, request: "arn:aws:iam:aws:iam::111111111111:role/a", want: "no"},
		{rule: "53 star in an ARN of a variable is a star", operator: "ArnLike", policy: []string{"${aws:any-role}"}, request: "arn:aws:iam::111111111111:role/a", want: "no"},
		{rule: "53 variable that is an ARN, of no ARN", operator: "ArnLike", policy: []string{"${aws:PrincipalArn}"}, request: "arn:aws:iam", want: "no"},
		{rule: "53 variable that is no ARN", operator: "ArnEquals", policy: []string{"${aws:username}"}, request: "alice", want: "maybe"},
		{rule: "53 variable that is no ARN, another", operator: "ArnEquals", policy: []string{"${aws:username}"}, request: "bob", want: "no"},
		{rule: "52 variable without value for an ARN", operator: "ArnEquals", policy: []string{"${aws:none}"}, request: "arn:aws:s3:::x", want: "no", unsetNegation: "maybe"},
		{rule: "53 variable stays in its part", operator: "ArnLike", policy: []string{"arn:aws:${aws:two-parts}::role/a:b"}, request: "arn:aws:iam::111111111111:role/a", want: "no"},
		{rule: "53 variable in a boolean", operator: "Bool", policy: []string{"${aws:MultiFactorAuthPresent}"}, request: "TRUE", want: "yes"},
		{rule: "52 variable without value", operator: "StringLike", policy: []string{"*${aws:none}"}, request: "x", want: "no", unsetNegation: "maybe"},
		{rule: "52 variable without value, no case", operator: "StringEqualsIgnoreCase", policy: []string{"${aws:none}"}, request: "x", want: "no", unsetNegation: "maybe"},
		{rule: "52 variable without value in an ARN", operator: "ArnLike", policy: []string{"arn:aws:s3:::${aws:none}"}, request: "arn:aws:s3:::x", want: "no", unsetNegation: "maybe"},
		{rule: "52 default", operator: "StringEquals", policy: []string{"${aws:none, 'x'}"}, request: "x", want: "yes"},
		{rule: "52 a star in a value", operator: "StringLike", policy: []string{"${aws:star}"}, request: "anything", want: "no"},
		{rule: "55 variable of several values", operator: "StringEquals", policy: []string{"${aws:many}"}, request: "x", want: "maybe"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			ctx := eval.NewContext(map[string][]string{
				"test:key": {tc.request}, "aws:username": {"alice"}, "aws:PrincipalAccount": {home}, "aws:two-parts": {"iam::111111111111"},
				"aws:PrincipalArn": {"arn:aws:iam::111111111111:role/a:b"}, "aws:tail": {"aws:iam::111111111111:role/a"}, "aws:any-role": {"arn:aws:iam::111111111111:role/*"},
				"aws:MultiFactorAuthPresent": {"true"}, "aws:star": {"*"}, "aws:many": {"x", "y"},
			})
			check := func(operator, want string) {
				if got := outcome(t, ctx, iam.Version2012, iam.Condition{Operator: operator, Key: "test:key", Values: tc.policy}); got != want {
					t.Errorf("%s %v on %q = %s, want %s", operator, tc.policy, tc.request, got, want)
				}
			}
			check(tc.operator, tc.want)
			check(tc.operator+"IfExists", tc.want)
			check("ForAllValues:"+tc.operator, orWhenEmpty(tc.request, "yes", tc.want))
			check("ForAnyValue:"+tc.operator, orWhenEmpty(tc.request, "no", tc.want))
			if negation := negations[tc.operator]; negation != "" {
				want := opposite[tc.want]
				if tc.unsetNegation != "" {
					want = tc.unsetNegation
				}
				check(negation, want)
				check("ForAnyValue:"+negation, orWhenEmpty(tc.request, "no", want))
			}
		})
	}
}

// The set operators take an empty string for no value.
func orWhenEmpty(request, empty, otherwise string) string {
	if request == "" {
		return empty
	}
	return otherwise
}

// Rules 39 to 43: what an absent key comes to.
//
//	reference_policies_elements_condition_operators.html#Conditions_IfExists
//	reference_policies_condition-single-vs-multi-valued-context-keys.html
func TestMissingKey(t *testing.T) {
	values := map[string]string{
		"Numeric": "1", "Date": "2026-01-01", "IpAddress": "10.0.0.0/8", "NotIpAddress": "10.0.0.0/8", "BinaryEquals": "aGk=", "Bool": "true",
	}
	for _, name := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
	} {
		plain := "no"
		for _, negation := range negations {
			if name == negation {
				plain = "yes"
			}
		}
		value := "arn:aws:s3:::x"
		for prefix, v := range values {
			if len(name) >= len(prefix) && name[:len(prefix)] == prefix {
				value = v
			}
		}
		for _, tc := range []struct{ operator, want string }{
			{operator: name, want: plain},
			{operator: name + "IfExists", want: "yes"},
			{operator: "ForAllValues:" + name, want: "yes"},
			{operator: "ForAllValues:" + name + "IfExists", want: "yes"},
			{operator: "ForAnyValue:" + name, want: "no"},
			{operator: "ForAnyValue:" + name + "IfExists", want: "maybe"}, // AWS's pages contradict each other
		} {
			c := iam.Condition{Operator: tc.operator, Key: "test:key", Values: []string{value}}
			for _, ctx := range []eval.Context{{}, eval.NewContext(map[string][]string{"test:key": {}, "test:other": {value}})} {
				if got := outcome(t, ctx, iam.Version2012, c); got != tc.want {
					t.Errorf("%s on an absent key = %s, want %s", tc.operator, got, tc.want)
				}
			}
		}
	}
}

func TestNull(t *testing.T) {
	present := eval.NewContext(map[string][]string{"test:key": {"x"}})
	for _, tc := range []struct {
		rule   string
		ctx    eval.Context
		values []string
		want   string
	}{
		{rule: "40 absent, must be", values: []string{"true"}, want: "yes"},
		{rule: "40 absent, must not be", values: []string{"false"}, want: "no"},
		{rule: "40 present, must not be", ctx: present, values: []string{"True"}, want: "no"},
		{rule: "40 present, must be", ctx: present, values: []string{"False"}, want: "yes"},
		{rule: "38 either", ctx: present, values: []string{"true", "false"}, want: "yes"},
		{rule: "38 either, absent", values: []string{"true", "false"}, want: "yes"},
	} {
		if got := outcome(t, tc.ctx, iam.Version2012, iam.Condition{Operator: "Null", Key: "test:key", Values: tc.values}); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.rule, got, tc.want)
		}
	}
}

// Rules 42, 43 and 55: keys of several values.
func TestSets(t *testing.T) {
	for _, tc := range []struct {
		rule, operator  string
		policy, request []string
		want            string
	}{
		{rule: "42 all", operator: "ForAllValues:StringEquals", policy: []string{"a", "b"}, request: []string{"b", "a", "a"}, want: "yes"},
		{rule: "42 not all", operator: "ForAllValues:StringEquals", policy: []string{"a", "b"}, request: []string{"a", "c"}, want: "no"},
		{rule: "42 any", operator: "ForAnyValue:StringLike", policy: []string{"b*"}, request: []string{"a", "bc"}, want: "yes"},
		{rule: "42 not any", operator: "ForAnyValue:StringLike", policy: []string{"b*"}, request: []string{"a", "c"}, want: "no"},
		{rule: "43 all of none", operator: "ForAllValues:StringNotEquals", policy: []string{"a", "b"}, request: []string{"c", "d"}, want: "yes"},
		{rule: "43 all of none, but one", operator: "ForAllValues:StringNotEquals", policy: []string{"a", "b"}, request: []string{"c", "b"}, want: "no"},
		{rule: "43 any that is none", operator: "ForAnyValue:StringNotEquals", policy: []string{"a", "b"}, request: []string{"a", "c"}, want: "yes"},
		{rule: "43 any that is none, but all are", operator: "ForAnyValue:StringNotEquals", policy: []string{"a", "b"}, request: []string{"a", "b"}, want: "no"},
		{rule: "55 several values agree", operator: "StringLike", policy: []string{"a*"}, request: []string{"aa", "ab"}, want: "yes"},
		{rule: "55 several values agree on no", operator: "StringLike", policy: []string{"a*"}, request: []string{"ba", "bb"}, want: "no"},
		{rule: "55 several values disagree", operator: "StringLike", policy: []string{"a*"}, request: []string{"ab", "ba"}, want: "maybe"},
		{rule: "55 several values disagree, negated", operator: "StringNotLike", policy: []string{"a*"}, request: []string{"ab", "ba"}, want: "maybe"},
	} {
		ctx := eval.NewContext(map[string][]string{"test:key": tc.request})
		if got := outcome(t, ctx, iam.Version2012, iam.Condition{Operator: tc.operator, Key: "test:key", Values: tc.policy}); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.rule, got, tc.want)
		}
	}
}

func TestConditionsCombine(t *testing.T) {
	ctx := eval.NewContext(map[string][]string{"aws:a": {"1"}, "aws:b": {"2"}, "aws:bad": {"x"}})
	c := func(operator, key, value string) iam.Condition {
		return iam.Condition{Operator: operator, Key: key, Values: []string{value}}
	}
	for _, tc := range []struct {
		rule, version string
		conditions    []iam.Condition
		want          string
	}{
		{rule: "none", want: "yes"},
		{rule: "38 all", conditions: []iam.Condition{c("StringEquals", "aws:a", "1"), c("Bool", "aws:b", "false"), c("NumericEquals", "aws:b", "2")}, want: "no"},
		{rule: "38 both", conditions: []iam.Condition{c("StringEquals", "aws:a", "1"), c("NumericEquals", "aws:b", "2")}, want: "yes"},
		{rule: "44 keys have no case", conditions: []iam.Condition{c("stringequals", "AWS:A", "1")}, want: "yes"},
		{rule: "38 doubt and yes", conditions: []iam.Condition{c("StringEquals", "aws:a", "1"), c("NumericEquals", "aws:bad", "2")}, want: "maybe"},
		{rule: "38 doubt and no", conditions: []iam.Condition{c("NumericEquals", "aws:bad", "2"), c("StringEquals", "aws:a", "2")}, want: "no"},
		{rule: "51 variables are text in the old version", version: iam.Version2008, conditions: []iam.Condition{c("StringEquals", "aws:a", "${aws:a}")}, want: "no"},
		{rule: "51 and work in the new one", conditions: []iam.Condition{c("StringEquals", "aws:a", "${aws:a}")}, want: "yes"},
	} {
		if tc.version == "" {
			tc.version = iam.Version2012
		}
		if got := outcome(t, ctx, tc.version, tc.conditions...); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.rule, got, tc.want)
		}
	}
}

// Rule 44. Of tags that differ by case a condition matches one, AWS does not
// say which.
//
//	access_tags.html
func TestTagsThatDifferByCase(t *testing.T) {
	for _, tc := range []struct {
		tags map[string][]string
		want string
	}{
		{tags: map[string][]string{"aws:RequestTag/team": {"a"}}, want: "yes"},
		{tags: map[string][]string{"aws:requesttag/TEAM": {"a"}}, want: "yes"},
		{tags: map[string][]string{"aws:RequestTag/team": {"A"}}, want: "no"},
		{tags: map[string][]string{"aws:RequestTag/team": {"a"}, "aws:RequestTag/Team": {"b"}}, want: "maybe"},
		{tags: map[string][]string{"aws:RequestTag/team": {"b"}, "aws:RequestTag/Team": {"a"}, "aws:RequestTag/TEAM": {"a"}}, want: "maybe"},
		{tags: map[string][]string{"aws:RequestTag/team": {"a"}, "aws:RequestTag/Team": {"a"}}, want: "yes"},
		{tags: map[string][]string{"aws:RequestTag/team": {"c"}, "aws:RequestTag/Team": {"b"}}, want: "no"},
	} {
		c := iam.Condition{Operator: "StringEquals", Key: "aws:RequestTag/Team", Values: []string{"a"}}
		if got := outcome(t, eval.NewContext(tc.tags), iam.Version2012, c); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.tags, got, tc.want)
		}
	}
}

func TestDates(t *testing.T) {
	valid := []string{
		"2026", "2026-02", "2026-02-28", "2024-02-29", "2026-02-28T23:59Z", "2026-02-28T23:59:59Z", "2026-02-28T23:59:59.123456789Z",
		"2026-02-28T00:00+14:00", "2026-02-28T00:00:00-12:30", "0", "202", "1767225600", "999999999999999",
	}
	invalid := []string{
		"", "-", "T", "-1", "1767225600.5", "9999999999999999", "2026-", "2026-13", "2026-00", "2026-2", "2026-02-29", "2026-02-28T",
		"2026-02-28T24:00Z", "2026-02-28T23:60Z", "2026-02-28T23:59:60Z", "2026-02-28T23:59", "2026-02-28T23Z", "2026-02-28T23:59:59.Z",
		"2026-02-28T23:59:59", "2026-02-28T23:59:59z", "2026-02-28T23:59:59+1:00", "2026-02-28T23:59:59+24:00", "2026-02-28 23:59:59Z",
		"2026-02-28T23:59:59Z ", " 2026", "*",
	}
	compiles := func(value string) bool {
		_, err := eval.Compile("p", eval.Identity, &iam.Document{Statements: []iam.Statement{{
			Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"},
			Conditions: []iam.Condition{{Operator: "DateEquals", Key: "aws:CurrentTime", Values: []string{value}}},
		}}})
		return err == nil
	}
	for _, v := range valid {
		if !compiles(v) {
			t.Errorf("%q is refused", v)
		}
	}
	for _, v := range invalid {
		if compiles(v) {
			t.Errorf("%q is taken", v)
		}
	}
}

func TestNumbers(t *testing.T) {
	ascending := []string{"-1000000000000000000000", "-10", "-9.5", "-1", "-0.5", "-.25", "0", "+0.05", "0.5", "1", "1.01", "1.1", "9", "10.", "1000000000000000000000"}
	for i, a := range ascending {
		for j, b := range ascending {
			ctx := eval.NewContext(map[string][]string{"test:key": {a}})
			for operator, want := range map[string]bool{
				"NumericLessThan": i < j, "NumericEquals": i == j, "NumericGreaterThan": i > j, "NumericLessThanEquals": i <= j, "NumericGreaterThanEquals": i >= j,
			} {
				got := outcome(t, ctx, iam.Version2012, iam.Condition{Operator: operator, Key: "test:key", Values: []string{b}})
				if (got == "yes") != want || got == "maybe" {
					t.Errorf("%s %s %s = %s", a, operator, b, got)
				}
			}
		}
	}
	for _, bad := range []string{"", ".", "-", "+-1", "1e3", "0x1", "1,0", "1 ", "١", "1.2.3", "NaN", "Infinity"} {
		ctx := eval.NewContext(map[string][]string{"test:key": {bad}})
		if got := outcome(t, ctx, iam.Version2012, iam.Condition{Operator: "NumericLessThan", Key: "test:key", Values: []string{"5"}}); got != "maybe" {
			t.Errorf("%q < 5 = %s, want maybe", bad, got)
		}
	}
}

func ExampleDecision() {
	fmt.Println(eval.Allowed, "|", eval.ImplicitDeny, "|", eval.ExplicitDeny, "|", eval.Boundary)
	// Output: allowed | implicitly denied | explicitly denied | permissions boundary
}
