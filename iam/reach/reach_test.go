package reach

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func document(t *testing.T, statements string) *iam.Document {
	t.Helper()
	d, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCould(t *testing.T) {
	const boundary = `{"Effect":"Allow","Action":["s3:*","ecr:Get*"],"Resource":["arn:aws:s3:::acme/*","arn:aws:ecr:*:*:*"]}`
	known := Facts{Now: now, Keys: map[string][]string{"aws:PrincipalArn": {"arn:aws:iam::222222222222:role/ci"}, "aws:MultiFactorAuthAge": nil}}
	tests := []struct {
		name             string
		policy, boundary string
		action, resource string
		except           []string
		want             *Finding // nil: it could not
	}{
		{name: "the same", policy: `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme/x"}`, action: "s3:getobject", resource: "arn:aws:s3:::acme/x", want: &Finding{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::acme/x"}}},
		{name: "patterns that meet", policy: `{"Effect":"Allow","Action":["s3:*Object","iam:*"],"Resource":["arn:aws:s3:::a*","arn:aws:s3:::b*"]}`, action: "s3:Put*", resource: "arn:aws:s3:::*z", want: &Finding{Actions: []string{"s3:*Object"}, Resources: []string{"arn:aws:s3:::a*", "arn:aws:s3:::b*"}}},
		{name: "another action", policy: `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, action: "s3:Put*", resource: "*"},
		{name: "another resource", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::acme/*"}`, action: "s3:*", resource: "arn:aws:s3:::other/*"},
		{name: "a variable may be anything", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::acme/${aws:username}/*"}`, action: "s3:*", resource: "arn:aws:s3:::acme/bob/x", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::acme/*/*"}}},
		{name: "NotAction", policy: `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},
		{name: "all of it in NotAction", policy: `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, action: "iam:Create*", resource: "*"},
		{name: "some of it in NotAction", policy: `{"Effect":"Allow","NotAction":"iam:CreateUser","Resource":"*"}`, action: "iam:Create*", resource: "*", want: &Finding{Actions: []string{"iam:Create*"}, Resources: []string{"*"}}},
		{name: "a variable in NotResource", policy: `{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::${aws:username}"}`, action: "s3:*", resource: "arn:aws:s3:::bob", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::bob"}}},
		{name: "left out of the question", policy: `{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::acme/*","arn:aws:s3:::b/*"]}`, action: "s3:*", resource: "*", except: []string{"arn:aws:s3:::a*"}, want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b/*"}}},
		{name: "denied but for what is left out", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::acme/*"}`, action: "s3:*", resource: "*", except: []string{"arn:aws:s3:::a*"}},
		{name: "denied but for some", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::acme/*"}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},

		{name: "denied", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}`, action: "s3:Put*", resource: "*"},
		{name: "denied in part", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`, action: "s3:Put*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},
		{name: "what the statement has of it is denied", policy: `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`, action: "s3:*", resource: "*"},
		{name: "denied by a variable", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::acme"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::acme"}}},

		{name: "a boundary admits", policy: `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`, boundary: boundary, action: "ecr:*", resource: "*", want: &Finding{Actions: []string{"ecr:*"}, Resources: []string{"*"}}},
		{name: "a boundary withholds the action", policy: `{"Effect":"Allow","Action":"*","Resource":"*"}`, boundary: boundary, action: "iam:*", resource: "*"},
		{name: "a boundary withholds the resource", policy: `{"Effect":"Allow","Action":"*","Resource":"*"}`, boundary: boundary, action: "s3:*", resource: "arn:aws:s3:::other/*"},
		{name: "a boundary denies", policy: `{"Effect":"Allow","Action":"*","Resource":"*"}`, boundary: boundary + `,{"Effect":"Deny","Action":"s3:*","Resource":"*"}`, action: "s3:*", resource: "arn:aws:s3:::acme/*"},
		{name: "a boundary for a while", policy: `{"Effect":"Allow","Action":"*","Resource":"*"}`, boundary: `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}}`, action: "s3:*", resource: "*"},

		{name: "an open condition", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"},"ArnLike":{"aws:PrincipalArn":"*:role/ci"}}}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}, Open: []iam.Condition{
			{Operator: "StringEquals", Key: "aws:SourceVpc", Values: []string{"vpc-1"}}, {Operator: "ArnLike", Key: "aws:PrincipalArn", Values: []string{"*:role/ci"}},
		}}},
		{name: "a condition that holds", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"AWS:principalARN":"*:role/ci"}}}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},
		{name: "a condition that fails", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalArn":"*:role/ci"}}}`, action: "s3:*", resource: "*"},
		{name: "a key that is absent", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}}`, action: "s3:*", resource: "*"},
		{name: "a denial for others", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"*:role/people/*"}}}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},
		{name: "a denial for all but others", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalArn":"*:role/people/*"}}}`, action: "s3:*", resource: "*"},
		{name: "a denial under an open condition", policy: `{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, action: "s3:*", resource: "*", want: &Finding{Actions: []string{"s3:*"}, Resources: []string{"*"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Principal{Identity: []Policy{{Name: "one", Document: document(t, tt.policy)}}}
			if tt.boundary != "" {
				p.Boundary = &Policy{Name: "edge", Document: document(t, tt.boundary)}
			}
			got, could := p.Could(Question{Action: tt.action, Resource: tt.resource, Except: tt.except, Facts: known})
			want := Finding{}
			if tt.want != nil {
				want = *tt.want
				want.Policy, want.Statement = "one", p.Identity[0].Document.Statements[0]
			}
			sorted := cmpopts.SortSlices(func(a, b iam.Condition) bool { return a.Key > b.Key })
			if diff := cmp.Diff(want, got, sorted, cmpopts.EquateEmpty()); diff != "" || could != (tt.want != nil) {
				t.Errorf("could: %v (-want +got):\n%s", could, diff)
			}
		})
	}
}

// TestUnknownContent: a policy that cannot be read is no proof, unless what is
// known rules everything out.
func TestUnknownContent(t *testing.T) {
	unknown := Policy{Name: "unread"}
	question := Question{Action: "s3:*", Resource: "*"}
	p := Principal{Identity: []Policy{unknown}}
	if got, could := p.Could(question); !could || !got.Unknown || got.Policy != "unread" {
		t.Errorf("an unknown policy: %+v, %v", got, could)
	}
	p.Identity = append(p.Identity, Policy{Name: "stop", Document: document(t, `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)})
	if got, could := p.Could(question); could {
		t.Errorf("denied by another: %+v", got)
	}
	p = Principal{Identity: []Policy{unknown}, Boundary: &Policy{Name: "edge", Document: document(t, `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)}}
	if got, could := p.Could(question); could {
		t.Errorf("beyond the boundary: %+v", got)
	}
	p = Principal{Identity: []Policy{{Name: "all", Document: document(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)}}, Boundary: &unknown}
	if _, could := p.Could(question); !could {
		t.Error("an unknown boundary is taken to withhold")
	}
}

func TestOverlapsARN(t *testing.T) {
	tests := []struct {
		question, pattern string
		want              bool
	}{
		{"arn:aws:*:*:*:repository/shop", "arn:aws:ecr:eu-west-1:222222222222:repository/shop", true},
		{"arn:aws:*:*:*:repository/shop", "arn:aws:ecr:*:repository/*", true},
		{"arn:aws:*:*:*:repository/shop", "*", true},
		{"arn:aws:*:*:*:repository/shop", "arn:aws:ecr:eu-west-1:222222222222:repository/other", false},
		{"arn:aws:*:*:*:acme/x", "arn:aws:s3:::acme/*", true},
		{"arn:aws:*:*:*:acme/x", "arn:aws:s3:::other/*", false}, // though an object may be called "a:acme/x"
		{"arn:aws:s3:::other/*:acme/x", "arn:aws:s3:::other/*", true},
		{"arn:aws:iam::????????????:role/*", "arn:aws:iam::222222222222:role/x", true},
		{"arn:aws:iam::????????????:role/*", "arn:aws:iam:::role/x", false},
		{"arn:aws:iam::????????????:role/*", "arn:aws:iam::*", true},
		{"arn:aws:iam::?:role/x", "arn:aws:iam::é:role/x", true}, // one character, two bytes
		{"*:role/x", "arn:aws:iam::222222222222:role/x", true},   // not all parts: no ARN is meant
		{"arn:aws:s3:::acme", "arn:aws:s3:::ac*", true},
	}
	for _, tt := range tests {
		if got := overlapsARN(tt.question, tt.pattern); got != tt.want {
			t.Errorf("%s, %s: %v", tt.question, tt.pattern, got)
		}
	}
}
