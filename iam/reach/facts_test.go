package reach

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/iam"
)

// TestSettle judges the conditions of one statement over all requests of which
// something is known.
func TestSettle(t *testing.T) {
	known := Facts{
		Now:  now,
		Keys: map[string][]string{"k:Name": {"bob"}, "k:none": nil, "k:many": {"a", "b"}},
		Like: map[string]Pattern{
			"k:sub": {Text: "repo:acme@*/shop@*:main", Wild: "0123456789"}, "k:arn": {Text: "arn:*:222222222222:*"}, "k:any": {Text: "*"},
		},
		Among: map[string]string{"k:Tags": "ssh"},
	}
	cond := func(operator, key string, values ...string) iam.Condition {
		return iam.Condition{Operator: operator, Key: key, Values: values}
	}
	tests := []struct {
		name  string
		facts *Facts // nil: known
		list  []iam.Condition
		want  outcome
	}{
		{name: "none", want: holds},
		{name: "a known value", list: []iam.Condition{cond("StringEquals", "K:NAME", "bob")}, want: holds},
		{name: "another value", list: []iam.Condition{cond("StringEquals", "k:name", "alice")}, want: fails},
		{name: "a key not known", list: []iam.Condition{cond("StringEquals", "k:other", "bob")}, want: depends},
		{name: "a key known to be absent", list: []iam.Condition{cond("StringEquals", "k:none", "bob")}, want: fails},
		{name: "absent, if it exists", list: []iam.Condition{cond("StringEqualsIfExists", "k:none", "bob")}, want: holds},
		{name: "values that disagree", list: []iam.Condition{cond("StringEquals", "k:many", "a")}, want: depends},
		{name: "one of several", list: []iam.Condition{cond("ForAnyValue:StringEquals", "k:many", "a")}, want: holds},
		{name: "an operator that is none", list: []iam.Condition{cond("StringIsLike", "k:name", "bob")}, want: depends},
		{name: "one holds, one is open", list: []iam.Condition{cond("StringEquals", "k:name", "bob"), cond("Bool", "k:other", "true")}, want: depends},
		{name: "one fails, one is open", list: []iam.Condition{cond("Bool", "k:other", "true"), cond("StringEquals", "k:name", "al")}, want: fails},
		{name: "an unknown variable", list: []iam.Condition{cond("StringLike", "k:name", "${k:other}*")}, want: depends},
		{name: "an unknown variable with a default", list: []iam.Condition{cond("StringLike", "k:name", "${k:other, 'alice'}")}, want: depends},
		{name: "a known variable", list: []iam.Condition{cond("StringLike", "k:name", "${K:name}")}, want: holds},
		{name: "a literal star", list: []iam.Condition{cond("StringLike", "k:name", "${*}")}, want: fails},
		{name: "the time as a variable", list: []iam.Condition{cond("StringLike", "k:name", "${aws:CurrentTime}")}, want: depends},

		{name: "a pattern that may match", list: []iam.Condition{cond("StringEquals", "k:sub", "repo:acme@1/shop@2:main")}, want: depends},
		{name: "not, and it may match", list: []iam.Condition{cond("StringNotEquals", "k:sub", "repo:acme@1/shop@2:main")}, want: depends},
		{name: "a pattern that cannot", list: []iam.Condition{cond("StringEquals", "k:sub", "repo:acme@1/other@2:main")}, want: fails},
		{name: "not, and it cannot", list: []iam.Condition{cond("StringNotEquals", "k:sub", "repo:acme@1/other@2:main")}, want: holds},
		{name: "wildcards that meet in other characters", list: []iam.Condition{cond("StringLike", "k:sub", "repo:acme@1/other@*:*")}, want: fails},
		{name: "wildcards that meet", list: []iam.Condition{cond("StringLike", "k:sub", "repo:acme@?/*")}, want: depends},
		{name: "a star after a star", list: []iam.Condition{cond("StringLike", "k:sub", "repo:acme@*1/shop@*")}, want: depends},
		{name: "a wider pattern", list: []iam.Condition{cond("StringLike", "k:sub", "repo:acme@*")}, want: holds},
		{name: "not a wider pattern", list: []iam.Condition{cond("StringNotLike", "k:sub", "repo:acme@*")}, want: fails},
		{name: "in another case", list: []iam.Condition{cond("StringEquals", "k:sub", "repo:Acme@1/shop@2:main")}, want: fails},
		{name: "in any case", list: []iam.Condition{cond("StringEqualsIgnoreCase", "k:sub", "repo:Acme@1/shop@2:main")}, want: depends},
		{name: "other letters in any case", list: []iam.Condition{cond("StringEqualsIgnoreCase", "k:sub", "repo:Acme@1/shop@2:dev")}, want: fails},
		{name: "an ARN that may match", list: []iam.Condition{cond("ArnLike", "k:arn", "arn:aws:iam::*:role/ci")}, want: depends},
		{name: "an ARN that cannot", list: []iam.Condition{cond("ArnEquals", "k:arn", "arn:aws:iam::333333333333:role/ci")}, want: fails},
		{name: "there", list: []iam.Condition{cond("Null", "k:any", "false")}, want: holds},
		{name: "not there", list: []iam.Condition{cond("Null", "k:any", "true")}, want: fails},
		{name: "a number", list: []iam.Condition{cond("NumericEquals", "k:any", "1")}, want: depends},
		{name: "a variable against a pattern", list: []iam.Condition{cond("StringEquals", "k:sub", "${k:name}")}, want: depends},

		{name: "any is the one", list: []iam.Condition{cond("ForAnyValue:StringEquals", "k:tags", "team", "ssh")}, want: holds},
		{name: "any is like the one", list: []iam.Condition{cond("ForAnyValue:StringLike", "k:tags", "s*")}, want: holds},
		{name: "any is another", list: []iam.Condition{cond("ForAnyValue:StringEquals", "k:tags", "team")}, want: depends},
		{name: "any is not another", list: []iam.Condition{cond("ForAnyValue:StringNotEquals", "k:tags", "team")}, want: holds},
		{name: "any is not the one", list: []iam.Condition{cond("ForAnyValue:StringNotEquals", "k:tags", "ssh")}, want: depends},
		{name: "all are others", list: []iam.Condition{cond("ForAllValues:StringEquals", "k:tags", "team", "cost")}, want: fails},
		{name: "all are like others", list: []iam.Condition{cond("ForAllValues:StringLike", "k:tags", "t*")}, want: fails},
		{name: "all are the one", list: []iam.Condition{cond("ForAllValues:StringEquals", "k:tags", "ssh")}, want: depends},
		{name: "none is the one", list: []iam.Condition{cond("ForAllValues:StringNotEquals", "k:tags", "ssh")}, want: fails},
		{name: "none is another", list: []iam.Condition{cond("ForAllValues:StringNotEquals", "k:tags", "team")}, want: depends},
		{name: "in another case of letters", list: []iam.Condition{cond("ForAllValues:StringEquals", "k:tags", "SSH")}, want: fails},
		{name: "in any case of letters", list: []iam.Condition{cond("ForAnyValue:StringEqualsIgnoreCase", "k:tags", "SSH")}, want: holds},
		{name: "several values, compared as one", list: []iam.Condition{cond("StringEquals", "k:tags", "ssh")}, want: depends},
		{name: "another of several, compared as one", list: []iam.Condition{cond("StringEquals", "k:tags", "team")}, want: depends},
		{name: "several are there", list: []iam.Condition{cond("Null", "k:tags", "false")}, want: holds},
		{name: "several are not there", list: []iam.Condition{cond("Null", "k:tags", "true")}, want: fails},
		{name: "any is a known variable", list: []iam.Condition{cond("ForAllValues:StringEquals", "k:tags", "${k:name}")}, want: fails},
		{name: "any is an unknown variable", list: []iam.Condition{cond("ForAllValues:StringEquals", "k:tags", "${k:other}")}, want: depends},

		{name: "from long ago on", list: []iam.Condition{cond("DateGreaterThan", "aws:CurrentTime", "2020-01-01")}, want: holds},
		{name: "from later on", list: []iam.Condition{cond("DateGreaterThan", "aws:CurrentTime", "2030-01-01")}, want: depends},
		{name: "until later", list: []iam.Condition{cond("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00Z")}, want: depends},
		{name: "until long ago", list: []iam.Condition{cond("DateLessThan", "AWS:currenttime", "2020")}, want: fails},
		{name: "until now", list: []iam.Condition{cond("DateLessThan", "aws:CurrentTime", now.Format(time.RFC3339))}, want: fails},
		{name: "until and with now", list: []iam.Condition{cond("DateLessThanEquals", "aws:CurrentTime", now.Format(time.RFC3339))}, want: depends},
		{name: "at one instant to come", list: []iam.Condition{cond("DateEquals", "aws:CurrentTime", "2030-01-01T00:00:00.5Z")}, want: depends},
		{name: "at one instant gone by", list: []iam.Condition{cond("DateEquals", "aws:CurrentTime", "2020-01-01")}, want: fails},
		{name: "at all but one gone by", list: []iam.Condition{cond("DateNotEquals", "aws:CurrentTime", "2020-01-01")}, want: holds},
		{name: "at all but one to come", list: []iam.Condition{cond("DateNotEquals", "aws:CurrentTime", "2030-01-01")}, want: depends},
		{name: "between two instants", list: []iam.Condition{cond("DateGreaterThan", "aws:CurrentTime", "2030-01-01"), cond("NumericLessThan", "aws:EpochTime", "1893456010")}, want: depends},
		{name: "after the end", list: []iam.Condition{cond("DateGreaterThan", "aws:CurrentTime", "2030-01-01"), cond("DateLessThan", "aws:CurrentTime", "2029-01-01")}, want: fails},
		{name: "no instant", list: []iam.Condition{cond("DateLessThan", "aws:CurrentTime", "soon")}, want: depends},
		{name: "now not known", facts: &Facts{}, list: []iam.Condition{cond("DateLessThan", "aws:CurrentTime", "2020-01-01")}, want: depends},
		{name: "a known time", facts: &Facts{Now: now, Keys: map[string][]string{"aws:CurrentTime": {"2019-01-01T00:00:00Z"}}}, list: []iam.Condition{cond("DateLessThan", "aws:CurrentTime", "2020-01-01")}, want: holds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := tt.facts
			if facts == nil {
				facts = &known
			}
			open, alive := facts.settle(iam.Version2012, tt.list)
			got := outcomeOf(alive, alive && len(open) == 0)
			if got != tt.want {
				t.Errorf("%d, want %d (alive %v, open %v)", got, tt.want, alive, open)
			}
		})
	}
}
