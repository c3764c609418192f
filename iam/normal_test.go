package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
)

func TestNormalized(t *testing.T) {
	in := &iam.Document{
		Version: iam.Version2012,
		Statements: []iam.Statement{
			{
				SID:    "Second",
				Effect: iam.Allow,
				Principal: &iam.Principal{
					AWS:     []string{"222222222222", "arn:aws-cn:iam::111111111111:root", "arn:aws-cn:iam::222222222222:root"},
					Service: []string{},
				},
				Actions:   []string{"s3:PutObject", "s3:GetObject", "s3:getobject", "s3:GetObject"},
				Resources: []string{"b", "a", "A", "a"},
				Conditions: []iam.Condition{
					{Operator: "stringequalsIFEXISTS", Key: "z", Values: []string{"2", "1", "2"}},
					{Operator: "Bool", Key: "y", Values: []string{"true"}},
					{Operator: "Bool", Key: "X", Values: []string{"true"}},
				},
			},
			{Effect: iam.Deny, NotPrincipal: &iam.Principal{Everyone: true, AWS: []string{"x"}}, NotActions: []string{}, NotResources: []string{"*"}},
		},
	}
	want := &iam.Document{
		Version: iam.Version2012,
		Statements: []iam.Statement{
			{
				SID:       "Second",
				Effect:    iam.Allow,
				Principal: &iam.Principal{AWS: []string{"arn:aws-cn:iam::111111111111:root", "arn:aws-cn:iam::222222222222:root"}},
				Actions:   []string{"s3:GetObject", "s3:PutObject"},
				Resources: []string{"A", "a", "b"},
				Conditions: []iam.Condition{
					{Operator: "Bool", Key: "X", Values: []string{"true"}},
					{Operator: "Bool", Key: "y", Values: []string{"true"}},
					{Operator: "StringEqualsIfExists", Key: "z", Values: []string{"1", "2"}},
				},
			},
			{Effect: iam.Deny, NotPrincipal: &iam.Principal{Everyone: true}, NotActions: []string{}, NotResources: []string{"*"}},
		},
	}
	before := in.Clone()
	got := in.Normalized()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Normalized (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, in); diff != "" {
		t.Errorf("Normalized changed its receiver (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(got, got.Normalized()); diff != "" {
		t.Errorf("normalizing twice differs (-once +twice):\n%s", diff)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	scribble := func(lists ...[]string) {
		for _, l := range lists {
			for i := range l {
				l[i] = "scribbled"
			}
		}
	}
	for _, copying := range []func(*iam.Document) *iam.Document{(*iam.Document).Clone, (*iam.Document).Normalized} {
		original := parse(t, fullPolicy)
		c := copying(original)
		for i := range c.Statements {
			s := &c.Statements[i]
			scribble(s.Actions, s.NotActions, s.Resources, s.NotResources)
			for j := range s.Conditions {
				scribble(s.Conditions[j].Values)
				s.Conditions[j].Key = "scribbled"
			}
			for _, p := range []*iam.Principal{s.Principal, s.NotPrincipal} {
				if p != nil {
					scribble(p.AWS, p.Service, p.Federated, p.CanonicalUser)
					p.Everyone = !p.Everyone
				}
			}
		}
		if diff := cmp.Diff(fullDocument, original); diff != "" {
			t.Errorf("changing the copy changed the original (-before +after):\n%s", diff)
		}
	}
}

func TestEqual(t *testing.T) {
	const base = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"r","Condition":{"Bool":{"aws:X":"true"}}}]}`
	for _, tc := range []struct {
		name, other string
		want        bool
	}{
		{name: "itself", other: base, want: true},
		{
			name:  "order, doubles, case of actions and keys, positions, root ARN",
			other: `{"Statement":{"Condition":{"bool":{"AWS:x":true}},"Resource":["r","r"],"Action":["A:c","a:b","a:B"],"Principal":{"AWS":"arn:aws:iam::111111111111:root"},` + "\n" + `"Effect":"Allow"},"Version":"2012-10-17"}`,
			want:  true,
		},
		{name: "effect", other: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"r","Condition":{"Bool":{"aws:X":"true"}}}]}`},
		{name: "case of resource", other: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"R","Condition":{"Bool":{"aws:X":"true"}}}]}`},
		{name: "case of value", other: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"r","Condition":{"Bool":{"aws:X":"True"}}}]}`},
		{name: "no version", other: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"r","Condition":{"Bool":{"aws:X":"true"}}}]}`},
		{name: "one statement more", other: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["a:B","a:C"],"Resource":"r","Condition":{"Bool":{"aws:X":"true"}}},{"Effect":"Deny","Action":"*"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := parse(t, base), parse(t, tc.other)
			if iam.Equal(a, b) != tc.want || iam.Equal(b, a) != tc.want {
				t.Errorf("Equal = %v and %v, want %v", iam.Equal(a, b), iam.Equal(b, a), tc.want)
			}
		})
	}
	if !iam.Equal(nil, nil) || iam.Equal(nil, &iam.Document{}) || iam.Equal(&iam.Document{}, nil) {
		t.Error("nil equals nil only")
	}
}

func parse(t *testing.T, src string) *iam.Document {
	t.Helper()
	doc, err := iam.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestARN(t *testing.T) {
	for _, tc := range []struct {
		text string
		want iam.ARN
	}{
		{text: "arn:aws:s3:::b/k:1", want: iam.ARN{Partition: "aws", Service: "s3", Resource: "b/k:1"}},
		{text: "arn:aws-cn:iam::111111111111:role/p/n", want: iam.ARN{Partition: "aws-cn", Service: "iam", Account: "111111111111", Resource: "role/p/n"}},
		{text: "arn:aws:sns:eu-west-1:111111111111:t:u", want: iam.ARN{Partition: "aws", Service: "sns", Region: "eu-west-1", Account: "111111111111", Resource: "t:u"}},
	} {
		got, err := iam.ParseARN(tc.text)
		if err != nil {
			t.Errorf("ParseARN(%q): %v", tc.text, err)
		}
		if got != tc.want {
			t.Errorf("ParseARN(%q) = %+v, want %+v", tc.text, got, tc.want)
		}
		if got.String() != tc.text {
			t.Errorf("String = %q, want %q", got.String(), tc.text)
		}
	}
	for _, bad := range []string{"", "*", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "ARN:aws:s3:::b", "x:aws:s3:::b"} {
		if got, err := iam.ParseARN(bad); err == nil {
			t.Errorf("ParseARN(%q) = %+v, want an error", bad, got)
		}
	}
}

func TestLookupPartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "aws", "us-east-1": "aws", "": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov",
	} {
		if got := iam.LookupPartition(region); got != want {
			t.Errorf("LookupPartition(%q) = %q, want %q", region, got, want)
		}
	}
}

func TestIsAccountID(t *testing.T) {
	for s, want := range map[string]bool{"012345678901": true, "12345678901": false, "1234567890123": false, "12345678901x": false, "": false} {
		if got := iam.IsAccountID(s); got != want {
			t.Errorf("IsAccountID(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestParseOperator(t *testing.T) {
	for _, tc := range []struct {
		text string
		want iam.Operator
		ok   bool
	}{
		{text: "StringEquals", want: iam.Operator{Name: "StringEquals"}, ok: true},
		{text: "forallvalues:arnnotlikeifexists", want: iam.Operator{Set: iam.ForAllValues, Name: "ArnNotLike", IfExists: true}, ok: true},
		{text: "ForAnyValue:StringLike", want: iam.Operator{Set: iam.ForAnyValue, Name: "StringLike"}, ok: true},
		{text: "Null", want: iam.Operator{Name: "Null"}, ok: true},
		{text: "NullIfExists"},
		{text: "IfExists"},
		{text: "ForSomeValues:StringLike"},
		{text: "StringLikeIgnoreCase"},
		{text: ""},
	} {
		got, ok := iam.ParseOperator(tc.text)
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("ParseOperator(%q) = %+v, %v, want %+v, %v", tc.text, got, ok, tc.want, tc.ok)
		}
	}
}
