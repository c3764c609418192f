package reach

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestGains(t *testing.T) {
	const (
		getState = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::state/*"}`
		home     = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:username}/*"}`
		noIAM    = `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`
	)
	when := func(conditions string) string {
		return `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{` + conditions + `}}`
	}
	older := func(statements string) Policy {
		p := one("own", statements)
		p.Document.Version = iam.Version2008
		return p
	}
	bounded := func(statements, edge string) Principal {
		boundary := one("edge", edge)
		return Principal{Identity: []Policy{one("own", statements)}, Boundary: &boundary}
	}
	own := func(statements string) Principal { return Principal{Identity: []Policy{one("own", statements)}} }
	tests := []struct {
		name          string
		before, after Principal
		want          []string
	}{
		{name: "the same", before: own(readBucket), after: own(readBucket)},
		{name: "narrower", before: own(readBucket), after: own(getState)},
		{name: "other resources", before: own(getState), after: own(strings.ReplaceAll(getState, "state", "other")), want: []string{"s3:GetObject on arn:aws:s3:::other/*"}},
		{name: "another action", before: own(getState), after: own(getState + `,{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::state/*"}`), want: []string{"s3:PutObject on arn:aws:s3:::state/*"}},
		{
			name:   "a pattern, of which some was allowed",
			before: own(`{"Effect":"Allow","Action":["sqs:DeleteMessage"],"Resource":"*"}`), after: own(`{"Effect":"Allow","Action":"sqs:DeleteM*","Resource":"*"}`),
			want: []string{"sqs:DeleteM* on * later"},
		},
		{
			name:   "a pattern, of which some is new",
			before: own(`{"Effect":"Allow","Action":"sqs:DeleteMessage","Resource":"*"}`), after: own(`{"Effect":"Allow","Action":"sqs:Delete*","Resource":"*"}`),
			want: []string{"sqs:DeleteQueue on *"},
		},
		{
			name: "a denial is lifted", before: own(allowAll + `,` + noIAM), after: own(allowAll),
			want: []string{"iam:* on *"},
		},
		{name: "a denial stays, in other words", before: own(allowAll + `,` + noIAM), after: own(allowAll + `,{"Effect":"Deny","Action":["sts:*","iam:*"],"Resource":"*"}`)},
		{name: "a denial becomes a complement", before: own(allowAll + `,` + noIAM), after: own(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`)},
		{name: "a denial narrows", before: own(getState + `,{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::state/x*"}`), after: own(getState + `,{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::state/xy*"}`), want: []string{"s3:GetObject on arn:aws:s3:::state/*"}},
		{name: "a boundary is lifted", before: bounded(readBucket, `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`), after: own(getState), want: []string{"s3:GetObject on arn:aws:s3:::state/*"}},
		{name: "a boundary stays", before: bounded(allowAll, getState), after: bounded(`{"Effect":"Allow","Action":"*","Resource":"*"},`+readBucket, getState)},
		{name: "a condition goes", before: own(when(`"StringEquals":{"aws:username":"a"}`)), after: own(when(``)), want: []string{"s3:GetObject on *"}},
		{name: "a condition comes", before: own(when(``)), after: own(when(`"StringEquals":{"aws:username":"a"}`))},
		{name: "a value comes", before: own(when(`"StringEquals":{"aws:username":"a"}`)), after: own(when(`"StringEquals":{"aws:username":["a","b"]}`)), want: []string{"s3:GetObject on *"}},
		{name: "a negated value comes", before: own(when(`"StringNotEquals":{"aws:username":"a"}`)), after: own(when(`"StringNotEquals":{"aws:username":["a","b"]}`))},
		{name: "a value within a pattern", before: own(when(`"StringLike":{"aws:username":"a*"}`)), after: own(when(`"StringEquals":{"aws:username":"ab"}`))},
		{name: "variables", before: own(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*"}`), after: own(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:username}/*"}`)},
		{name: "IfExists comes", before: own(when(`"StringEquals":{"aws:username":"a"}`)), after: own(when(`"StringEqualsIfExists":{"aws:username":"a"}`)), want: []string{"s3:GetObject on *"}},
		{name: "IfExists goes", before: own(when(`"StringEqualsIfExists":{"aws:username":"a"}`)), after: own(when(`"StringEquals":{"aws:username":"a"}`))},
		{name: "variables were none by the version", before: Principal{Identity: []Policy{older(home)}}, after: own(home), want: []string{"s3:GetObject on arn:aws:s3:::${aws:username}/*"}},
		{name: "variables are none by the version", before: own(home), after: Principal{Identity: []Policy{older(home)}}, want: []string{"s3:GetObject on arn:aws:s3:::${aws:username}/*"}},
		{name: "a policy that is not known", before: own(getState), after: Principal{Identity: []Policy{{Name: "gone"}}}, want: []string{"gone ?"}},
		{name: "a policy that was not known either", before: Principal{Identity: []Policy{{Name: "gone"}}}, after: Principal{Identity: []Policy{{Name: "gone"}, one("own", getState)}}, want: []string{"s3:GetObject on arn:aws:s3:::state/*"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, g := range tt.after.Gains(&tt.before, Facts{}) {
				line := fmt.Sprintf("%s on %s", strings.Join(g.Actions, ","), strings.Join(g.Resources, ","))
				if g.Via.Unknown {
					line = g.Via.Policy + " ?"
				}
				if g.Later {
					line += " later"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Gains (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGainsMissNothing: where no gain is reported, what is allowed now was
// allowed before.
func TestGainsMissNothing(t *testing.T) {
	proofs := 0
	rapid.Check(t, func(t *rapid.T) {
		before, layersBefore := drawMember(t, "user")
		after, layersAfter := drawMember(t, "user")
		if rapid.Bool().Draw(t, "one policy changes") { // else little is ever without gain
			after.Permissions, layersAfter = before.Permissions, layersBefore
			d := drawDocument(t, drawPlain)
			after.Permissions.Identity = []Policy{{Name: "new", Document: d}}
			layersAfter.Identity = []*eval.Policy{mustCompile(t, eval.Identity, d)}
		}
		gains := after.Permissions.Gains(&before.Permissions, Facts{})
		if len(gains) == 0 {
			proofs++
		}
		action := rapid.SampledFrom([]string{"s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "iam:PutUserPolicy", "iam:ListUsers"}).Draw(t, "action")
		resource := rapid.SampledFrom(resources).Draw(t, "resource")
		for _, g := range gains {
			for _, a := range g.Actions {
				if iam.MatchFold(a, action) {
					return
				}
			}
		}
		context, _ := drawRequest(t)
		maps.Copy(context, eval.PrincipalContext(after.Who))
		r := eval.Request{Principal: after.Who, Action: action, Resource: resource, Context: eval.NewContext(context)}
		if layersAfter.Decide(&r) == eval.Allowed && layersBefore.Decide(&r) != eval.Allowed {
			t.Fatalf("%s on %s with %v is new and not reported", action, resource, context)
		}
	})
	if proofs == 0 {
		t.Error("there always was a gain: nothing was tried")
	}
}
