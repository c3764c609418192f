package eval_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Rules 32 to 36 and 51 to 53: which actions and resources a statement names.
//
//	reference_policies_elements_action.html, …_resource.html, …_notaction.html
//	reference_policies_variables.html, reference_policies_elements_version.html
func TestActionsAndResources(t *testing.T) {
	context := eval.NewContext(map[string][]string{
		"aws:username":         {"alice"},
		"aws:PrincipalTag/glo": {"a*"},
		"aws:PrincipalTag/two": {"x", "y"},
		"aws:PrincipalTag/nil": {""},
		"s3:prefix":            {"alice/"},
	})
	on := func(resource string) string {
		return v12(`"Effect":"Allow","Action":"s3:*","Resource":` + resource)
	}
	old := func(policy string) string { return strings.Replace(policy, "2012-10-17", "2008-10-17", 1) }
	unversioned := func(policy string) string { return strings.Replace(policy, `"Version":"2012-10-17",`, "", 1) }
	to := func(action string) string { return v12(`"Effect":"Allow",` + action + `,"Resource":"*"`) }

	for _, tc := range []struct {
		rule, policy string
		action       string // default s3:GetObject
		resource     string // default arn:aws:s3:::bucket/alice/x
		want         bool
		doubt        bool // denied, but might be allowed
	}{
		{rule: "32 exact", policy: to(`"Action":"s3:GetObject"`), want: true},
		{rule: "32 case of names and prefixes", policy: to(`"Action":"S3:getOBJECT"`), want: true},
		{rule: "32 case of a prefix pattern", policy: to(`"Action":"S3:GET*"`), want: true},
		{rule: "32 stars inside words", policy: to(`"Action":"s3:*Obj*T"`), want: true},
		{rule: "32 question mark", policy: to(`"Action":"s3:?etObject"`), want: true},
		{rule: "32 question mark is not nothing", policy: to(`"Action":"s3:GetObject?"`)},
		{rule: "32 longer name", policy: to(`"Action":"s3:GetObject"`), action: "s3:GetObjectAcl"},
		{rule: "32 shorter name", policy: to(`"Action":"s3:GetObjectA*"`)},
		{rule: "32 any", policy: to(`"Action":"*"`), want: true},
		{rule: "32 one of several", policy: to(`"Action":["sqs:*","s3:Get*"]`), want: true},
		{rule: "32 none of several", policy: to(`"Action":["sqs:*","s3:Put*"]`)},
		{rule: "32 none of none", policy: to(`"Action":[]`)},
		{rule: "33 a comma is no list", policy: to(`"Action":"s3:GetObject,s3:PutObject"`)},
		{rule: "33 white space counts", policy: to(`"Action":" s3:GetObject"`)},
		{rule: "36 all actions but", policy: to(`"NotAction":["s3:Put*","iam:*"]`), want: true},
		{rule: "36 but this", policy: to(`"NotAction":["iam:*","S3:get*"]`)},
		{rule: "53 no variables in actions", policy: to(`"Action":"s3:${s3:prefix}*"`)},

		{rule: "34 exact", policy: on(`"arn:aws:s3:::bucket/alice/x"`), want: true},
		{rule: "34 case counts", policy: on(`"arn:aws:s3:::Bucket/alice/x"`)},
		{rule: "34 star crosses slashes", policy: on(`"arn:aws:s3:::bucket/*"`), want: true},
		{rule: "34 star inside", policy: on(`"arn:aws:s3:::*/alice/?"`), want: true},
		{rule: "34 trailing star reaches past colons", policy: on(`"arn:aws:s3:*"`), want: true},
		{rule: "34 other bucket", policy: on(`"arn:aws:s3:::bucket2/*"`)},
		{rule: "34 the bucket is not its objects", policy: on(`"arn:aws:s3:::bucket"`)},
		{rule: "35 no resource, star", policy: on(`"*"`), resource: "*", want: true},
		{rule: "35 no resource, an ARN", policy: on(`"arn:aws:s3:::*"`), resource: "*"},
		{rule: "35 no resource, all but an ARN", policy: v12(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::secret/*"`), resource: "*", want: true},
		{rule: "36 all resources but", policy: v12(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::secret/*"`), want: true},
		{rule: "36 but this resource", policy: v12(`"Effect":"Allow","Action":"s3:*","NotResource":["arn:aws:s3:::secret/*","arn:aws:s3:::bucket/*"]`)},

		{rule: "51 a variable", policy: on(`"arn:aws:s3:::bucket/${aws:username}/*"`), want: true},
		{rule: "51 its key has no case", policy: on(`"arn:aws:s3:::bucket/${AWS:UserName}/*"`), want: true},
		{rule: "51 literal in the old version", policy: old(on(`"arn:aws:s3:::bucket/${aws:username}/*"`))},
		{rule: "51 literal in the old version, found", policy: old(on(`"arn:aws:s3:::bucket/${aws:username}/*"`)), resource: "arn:aws:s3:::bucket/${aws:username}/x", want: true},
		{rule: "51 literal without version", policy: unversioned(on(`"arn:aws:s3:::bucket/${aws:username}/*"`))},
		{rule: "52 literal star", policy: on(`"arn:aws:s3:::bucket/${*}"`)},
		{rule: "52 literal star, found", policy: on(`"arn:aws:s3:::bucket/${*}"`), resource: "arn:aws:s3:::bucket/*", want: true},
		{rule: "52 literal question mark and dollar", policy: on(`"arn:aws:s3:::bucket/${?}${$}*"`), resource: "arn:aws:s3:::bucket/?$x", want: true},
		{rule: "52 literal question mark is no wildcard", policy: on(`"arn:aws:s3:::bucket/${?}*"`)},
		{rule: "52 default", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/none, 'alice'}/*"`), want: true},
		{rule: "52 default with a brace and a star is literal", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/none,'}*'}"`), resource: "arn:aws:s3:::bucket/}*", want: true},
		{rule: "52 default unused", policy: on(`"arn:aws:s3:::bucket/${aws:username,'bob'}/*"`), want: true},
		{rule: "52 no value, no default", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/none}*"`)},
		{rule: "52 no value, no default, other resource", policy: on(`["arn:aws:s3:::bucket/${aws:PrincipalTag/none}*","arn:aws:s3:::bucket/*"]`), want: true},
		{rule: "52 no value must not open NotResource", policy: v12(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::bucket/${aws:PrincipalTag/none}*"`), doubt: true},
		{rule: "52 a star in a value is literal", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/glo}/x"`)},
		{rule: "52 a star in a value is literal, found", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/glo}/x"`), resource: "arn:aws:s3:::bucket/a*/x", want: true},
		{rule: "52 empty value", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/nil}alice/x"`), want: true},
		{rule: "55 a key of several values is no variable", policy: on(`"arn:aws:s3:::bucket/${aws:PrincipalTag/two}"`), resource: "arn:aws:s3:::bucket/x", doubt: true},
		{rule: "51 wildcards around two variables", policy: on(`"*:::b*/${aws:username}*${aws:username}/?"`), resource: "arn:aws:s3:::bucket/alice/and/alice/x", want: true},
		{rule: "51 variables around a retried star", policy: on(`"arn:aws:s3:::bucket/${aws:username}*/${s3:prefix}x"`), resource: "arn:aws:s3:::bucket/alice/al/alice/x", want: true},
		{rule: "51 the star before a variable is retried", policy: on(`"arn:aws:s3:::*/${aws:username}"`), resource: "arn:aws:s3:::bucket/alic/alice", want: true},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			l := eval.Layers{Identity: []*eval.Policy{compile(t, "p", eval.Identity, tc.policy)}}
			r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/alice/x", Context: context}
			if tc.action != "" {
				r.Action = tc.action
			}
			if tc.resource != "" {
				r.Resource = tc.resource
			}
			if got := decide(t, &l, r); (got == eval.Allowed) != tc.want {
				t.Errorf("Decide = %v, want allowed %v", got, tc.want)
			}
			if got := l.MightAllow(r); got != (tc.want || tc.doubt) {
				t.Errorf("MightAllow = %v", got)
			}
		})
	}
}

// A variable after a star is not tried at each character of a long resource; and
// what is found then is what trying finds.
func TestLongVariables(t *testing.T) {
	run := strings.Repeat("a", 6000)
	ctx := eval.NewContext(map[string][]string{"aws:PrincipalTag/run": {run}, "aws:PrincipalTag/star": {"*?"}})
	const on = "arn:aws:s3:::bucket/"
	for _, tc := range []struct {
		name, pattern, resource string
		want                    bool
	}{
		{"found", on + "*${aws:PrincipalTag/run}b", on + run + run + "b", true},
		{"not found", on + "*${aws:PrincipalTag/run}b", on + run + run + "c", false},
		{"not found, with many variables", on + strings.Repeat("*a?${aws:PrincipalTag/run}a?", 40) + "b", on + run + run + run, false},
		{"a star of a value", on + "*${aws:PrincipalTag/run}${aws:PrincipalTag/star}/?", on + run + run + "*?/é", true},
		{"a star of a value is a star", on + "*${aws:PrincipalTag/run}${aws:PrincipalTag/star}/?", on + run + run + "b?/x", false},
		{"a star of the text", on + "*${aws:PrincipalTag/run}${*}*b", on + run + run + "*b", true},
		{"characters that are none", on + "*${aws:PrincipalTag/run}${*}*b", on + run + run + "\uFDD0b", false},
	} {
		l := eval.Layers{Identity: []*eval.Policy{compile(t, "p", eval.Identity, v12(`"Effect":"Allow","Action":"*","Resource":"`+tc.pattern+`"`))}}
		r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: tc.resource, Context: ctx}
		if got := decide(t, &l, r) == eval.Allowed; got != tc.want {
			t.Errorf("%s: allowed %v", tc.name, got)
		}
	}
}

// A resource policy need not name the resource it is attached to (ECR's do
// not), nor does a trust policy.
func TestResourceMayBeAbsent(t *testing.T) {
	l := eval.Layers{Resource: compile(t, "repository", eval.Resource, v12(`"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"`))}
	r := &eval.Request{Principal: alice, Action: "ecr:BatchGetImage", Resource: "arn:aws:ecr:eu-west-1:111111111111:repository/shop"}
	if got := decide(t, &l, r); got != eval.Allowed {
		t.Errorf("Decide = %v, want allowed", got)
	}
}

// What cannot be evaluated is an error. The policy beside it denies in doubt:
// its Allow never matches, its Deny does whenever the rest of it does.
func TestCompileErrors(t *testing.T) {
	for _, tc := range []struct {
		name, members string
		kind          eval.Kind
		want          string // after "compile policy p: statement 0 (at 1:38): "
	}{
		{name: "unknown operator", members: `"Action":"*","Resource":"*","Condition":{"StringMatches":{"aws:x":"a"}}`, want: `condition operator "StringMatches" is unknown`},
		{name: "no values", members: `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:x":[]}}`, want: "condition StringEquals on aws:x has no values"},
		{name: "no key", members: `"Action":"*","Resource":"*","Condition":{"StringEquals":{"":"a"}}`, want: "condition StringEquals has no key"},
		{name: "number", members: `"Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:x":"1e3"}}`, want: `condition NumericEquals on aws:x: "1e3" is not a number`},
		{name: "date", members: `"Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:x":"tomorrow"}}`, want: `condition DateLessThan on aws:x: "tomorrow" is neither an ISO 8601 date nor epoch seconds`},
		{name: "address", members: `"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:x":"10.0.0"}}`, want: `condition IpAddress on aws:x: "10.0.0" is not an IP address`},
		{name: "address range", members: `"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:x":"10.0.0.0/33"}}`, want: `condition IpAddress on aws:x: "10.0.0.0/33" is not an address range`},
		{name: "boolean", members: `"Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":"yes"}}`, want: `condition Bool on aws:x: "yes" is neither true nor false`},
		{name: "null", members: `"Action":"*","Resource":"*","Condition":{"Null":{"aws:x":"yes"}}`, want: `condition Null on aws:x: "yes" is neither true nor false`},
		{name: "null of a set", members: `"Action":"*","Resource":"*","Condition":{"ForAnyValue:Null":{"aws:x":"true"}}`, want: `condition ForAnyValue:Null on aws:x: a set operator does not go with Null`},
		{name: "binary", members: `"Action":"*","Resource":"*","Condition":{"BinaryEquals":{"aws:x":"~"}}`, want: `condition BinaryEquals on aws:x: value is not base64`},
		{name: "variable without end", members: `"Action":"*","Resource":"arn:${aws:x"`, want: `variable in "arn:${aws:x": no closing brace`},
		{name: "empty variable", members: `"Action":"*","Resource":"arn:${}"`, want: `variable in "arn:${}": "" is not a condition key`},
		{name: "variable with a space", members: `"Action":"*","Resource":"arn:${aws: x}"`, want: `variable in "arn:${aws: x}": "aws: x" is not a condition key`},
		{name: "variable with a space in front", members: `"Action":"*","Resource":"arn:${ aws:x}"`, want: `variable in "arn:${ aws:x}": " aws:x" is not a condition key`},
		{name: "variable with a space behind", members: `"Action":"*","Resource":"arn:${aws:x }"`, want: `variable in "arn:${aws:x }": "aws:x " is not a condition key`},
		{name: "variable with a bare default", members: `"Action":"*","Resource":"arn:${aws:x, y}"`, want: `variable in "arn:${aws:x, y}": default must stand in single quotes`},
		{name: "variable in a condition", members: `"Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:x":"arn:aws:s3:::${x"}}`, want: `condition ArnLike on aws:x: variable in "${x": no closing brace`},
		{name: "no resource", members: `"Action":"*"`, want: "no Resource"},
		{name: "all but nothing", members: `"NotAction":[],"Resource":"*"`, want: "empty NotAction"},
		{name: "all resources but none", members: `"Action":"*","NotResource":[]`, want: "empty NotResource"},
		{name: "principal in an identity policy", members: `"Principal":"*","Action":"*","Resource":"*"`, want: "an identity policy has no Principal"},
		{name: "part of a principal", kind: eval.Trust, members: `"Principal":{"AWS":"arn:aws:iam::111111111111:role/*"},"Action":"*"`, want: `principal "arn:aws:iam::111111111111:role/*": a wildcard must stand alone`},
		{name: "variable in a principal", kind: eval.Trust, members: `"Principal":{"AWS":"arn:aws:iam::${aws:PrincipalAccount}:root"},"Action":"*"`, want: `principal "arn:aws:iam::${aws:PrincipalAccount}:root" names nobody`},
		{name: "no principal", kind: eval.Resource, members: `"Principal":{"AWS":"alice"},"Action":"*"`, want: `principal "alice" names nobody`},
		{name: "a bucket for a principal", kind: eval.Resource, members: `"Principal":{"AWS":["111111111111","arn:aws:s3:::bucket"]},"Action":"*"`, want: `principal "arn:aws:s3:::bucket" names nobody`},
		{name: "any service", kind: eval.Resource, members: `"Principal":{"Service":"*"},"Action":"*"`, want: `principal "*": a wildcard stands for no service or provider`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for effect, want := range map[string]eval.Decision{"Allow": eval.ImplicitDeny, "Deny": eval.ExplicitDeny} {
				doc := document(t, v12(`"Effect":"`+effect+`",`+tc.members))
				p, err := eval.Compile("p", tc.kind, doc)
				if want := "compile policy p: statement 0 (at 1:38): " + tc.want; err == nil || err.Error() != want {
					t.Errorf("%s: error\n%v, want\n%v", effect, err, want)
				}
				l := eval.Layers{}
				if tc.kind == eval.Identity {
					l.Identity = []*eval.Policy{p}
				} else {
					l.Resource = p
				}
				r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/x"}
				if got := decide(t, &l, r); got != want {
					t.Errorf("%s: Decide = %v, want %v", effect, got, want)
				}
				l.Identity = append(l.Identity, compile(t, "all", eval.Identity, allowSQS))
				if effect == "Allow" && !l.MightAllow(r) {
					t.Error("MightAllow takes a statement in doubt for no allow")
				}
				r.Action = "sqs:SendMessage"
				if effect == "Deny" && tc.kind != eval.Trust && !l.MightAllow(r) {
					t.Error("MightAllow takes a statement in doubt for a deny")
				}
			}
		})
	}
}

func TestCompileErrorsOfDocumentsBuiltInCode(t *testing.T) {
	full := []string{"*"}
	for _, tc := range []struct {
		name string
		doc  *iam.Document
		kind eval.Kind
		want string
		deny eval.Decision
	}{
		{name: "nothing", want: "compile policy p: no document", deny: eval.ImplicitDeny},
		{name: "version", doc: &iam.Document{Version: "2020-01-01", Statements: []iam.Statement{{Effect: iam.Allow, Actions: full, Resources: full}}}, want: `compile policy p: version "2020-01-01" is unknown`, deny: eval.ImplicitDeny},
		{name: "effect", doc: &iam.Document{Statements: []iam.Statement{{SID: "A", Effect: "allow", Actions: full, Resources: full}}}, want: `compile policy p: statement 0 (A): effect "allow" is neither Allow nor Deny`, deny: eval.ExplicitDeny},
		{name: "no action", doc: &iam.Document{Statements: []iam.Statement{{SID: "A", Effect: iam.Deny, Resources: full, Pos: iam.Pos{Line: 2, Column: 3}}}}, want: "compile policy p: statement 0 (A at 2:3): no Action", deny: eval.ExplicitDeny},
		{name: "both", doc: &iam.Document{Statements: []iam.Statement{{Effect: iam.Deny, Actions: []string{"x:y"}, NotActions: full, Resources: []string{"r"}, NotResources: full}}}, want: "compile policy p: statement 0: both Action and NotAction\nstatement 0: both Resource and NotResource", deny: eval.ExplicitDeny},
		{name: "every mistake", doc: &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Deny, Actions: full, Resources: []string{"${", "r", "${}"}}}}, want: "compile policy p: statement 0: variable in \"${\": no closing brace\nstatement 0: variable in \"${}\": \"\" is not a condition key", deny: eval.ExplicitDeny},
		{name: "both principals", kind: eval.Resource, doc: &iam.Document{Statements: []iam.Statement{{Effect: iam.Deny, Actions: full, Principal: &iam.Principal{}, NotPrincipal: &iam.Principal{Everyone: true}}}}, want: "compile policy p: statement 0: both Principal and NotPrincipal", deny: eval.ExplicitDeny},
		{name: "allow all but", kind: eval.Resource, doc: &iam.Document{Statements: []iam.Statement{{Effect: iam.Allow, Actions: full, NotPrincipal: &iam.Principal{AWS: []string{other}}}}}, want: "compile policy p: statement 0: NotPrincipal with Allow is not supported", deny: eval.ImplicitDeny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := eval.Compile("p", tc.kind, tc.doc)
			if err == nil || err.Error() != tc.want {
				t.Errorf("error\n%v, want\n%v", err, tc.want)
			}
			l := eval.Layers{Identity: []*eval.Policy{p}}
			if tc.kind == eval.Resource {
				l = eval.Layers{Resource: p}
			}
			if got := decide(t, &l, &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket}); got != tc.deny {
				t.Errorf("Decide = %v, want %v", got, tc.deny)
			}
		})
	}
}

// A boundary that did not compile must still bound.
func TestNilPolicyGrantsNothing(t *testing.T) {
	l := eval.Layers{
		Identity: []*eval.Policy{compile(t, "identity", eval.Identity, allowAll)},
		Boundary: []*eval.Policy{nil},
	}
	r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket}
	if got := decide(t, &l, r); got != eval.ImplicitDeny {
		t.Errorf("Decide = %v, want implicitly denied", got)
	}
	if !l.MightAllow(r) {
		t.Error("MightAllow takes an unknown policy for one that withholds")
	}
}

// Rule 31. AWS refuses a Resource in a trust policy; it is reported, and means
// what it says.
func TestTrustPolicyWithResource(t *testing.T) {
	for resource, want := range map[string]eval.Decision{"*": eval.Allowed, roleARN: eval.Allowed, "x": eval.ImplicitDeny} {
		p, err := eval.Compile("p", eval.Trust, document(t, v12(`"Effect":"Allow","Principal":"*","Action":"*","Resource":"`+resource+`"`)))
		if err == nil || err.Error() != "compile policy p: statement 0 (at 1:38): a trust policy has no Resource" {
			t.Errorf("%s: error %v", resource, err)
		}
		l := eval.Layers{Resource: p}
		if got := decide(t, &l, &eval.Request{Principal: alice, Action: "sts:AssumeRole", Resource: roleARN}); got != want {
			t.Errorf("%s: %v, want %v", resource, got, want)
		}
	}
}
