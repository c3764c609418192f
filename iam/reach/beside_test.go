package reach

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

func TestWhoCanBeside(t *testing.T) {
	const bucket, object = "arn:aws:s3:::state", "arn:aws:s3:::state/key"
	const key = "arn:aws:kms:eu-west-1:111111111111:key/k"
	read := with(readBucket)
	decrypt := with(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)
	get := func(principal string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"` + bucket + `/*"}`
	}
	noReads := map[string][][]Policy{near: {{one("rcp", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`)}}}
	tests := []struct {
		name             string
		members          []Member
		policy           string // of the bucket, or of the key; "?": not known
		rcp              map[string][][]Policy
		action, resource string // the object, if empty
		want             []string
	}{
		{name: "own policies", members: []Member{userOf(near, "u", read), userOf(near, "v", Principal{})}, policy: get(`{"Service":"x.amazonaws.com"}`), want: []string{
			"arn:aws:iam::111111111111:user/u always p/0", "x.amazonaws.com sometimes policy of arn:aws:s3:::state/0",
		}},
		{name: "named", members: []Member{userOf(near, "u", Principal{})}, policy: get(`{"AWS":"arn:aws:iam::111111111111:user/u"}`), want: []string{
			"arn:aws:iam::111111111111:user/u always policy of arn:aws:s3:::state/0",
		}},
		{name: "named, but denied", members: []Member{userOf(near, "u", with(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`))}, policy: get(`{"AWS":"arn:aws:iam::111111111111:user/u"}`)},
		{name: "a user that is named needs no leave of its boundary", members: []Member{userOf(near, "u", bounded(Principal{}, readBucket2))}, policy: get(`{"AWS":"arn:aws:iam::111111111111:user/u"}`), want: []string{
			"arn:aws:iam::111111111111:user/u always policy of arn:aws:s3:::state/0",
		}},
		{name: "a role does", members: []Member{roleOf(near, "r", trustHome, bounded(Principal{}, readBucket2))}, policy: get(`{"AWS":"arn:aws:iam::111111111111:role/r"}`)},
		{name: "but not for a session that is named", members: []Member{roleOf(near, "r", trustHome, bounded(Principal{}, readBucket2))}, policy: get(`{"AWS":"arn:aws:sts::111111111111:assumed-role/r/x"}`), want: []string{
			"arn:aws:iam::111111111111:role/r sometimes policy of arn:aws:s3:::state/0",
		}},
		{name: "the account is named", members: []Member{userOf(near, "u", Principal{}), userOf(near, "v", read)}, policy: get(`{"AWS":"111111111111"}`), want: []string{"arn:aws:iam::111111111111:user/v always p/0"}},
		{name: "across accounts both must allow", members: []Member{userOf(far, "u", read), userOf(far, "v", Principal{}), userOf(far, "w", read)}, policy: get(`{"AWS":["arn:aws:iam::222222222222:user/u","arn:aws:iam::222222222222:user/v"]}`), want: []string{
			"arn:aws:iam::222222222222:user/u always p/0",
		}},
		{name: "across accounts, by account", members: []Member{userOf(far, "u", read)}, policy: get(`{"AWS":"222222222222"}`), want: []string{"arn:aws:iam::222222222222:user/u always p/0"}},
		{name: "everyone", members: []Member{userOf(near, "u", Principal{}), userOf(far, "v", Principal{})}, policy: get(`"*"`), want: []string{
			"arn:aws:iam::111111111111:user/u always policy of arn:aws:s3:::state/0", "* sometimes policy of arn:aws:s3:::state/0",
		}},
		{name: "denied by the bucket", members: []Member{userOf(near, "u", read)}, policy: get(`"*"`) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`},
		{name: "denied to some", members: []Member{userOf(near, "u", read)}, policy: get(`"*"`) + `,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/u"},"Action":"s3:*","Resource":"*"}`, want: []string{
			"arn:aws:iam::111111111111:user/u sometimes p/0 policy of arn:aws:s3:::state/0", "* sometimes policy of arn:aws:s3:::state/0",
		}},
		{name: "a policy that is not known", members: []Member{userOf(near, "u", read), userOf(near, "v", Principal{}), userOf(far, "w", read)}, policy: "?", want: []string{
			"arn:aws:iam::111111111111:user/u sometimes p/0", "arn:aws:iam::222222222222:user/w sometimes p/0", "* sometimes policy of arn:aws:s3:::state/0?",
		}},
		{name: "an RCP", members: []Member{userOf(near, "u", read)}, policy: get(`"*"`), rcp: noReads},
		{name: "an RCP of another account", members: []Member{userOf(near, "u", read)}, policy: get(`{"AWS":"111111111111"}`), rcp: map[string][][]Policy{far: noReads[near]}, want: []string{"arn:aws:iam::111111111111:user/u always p/0"}},
		{name: "an RCP, of whose bucket nobody knows the owner", members: []Member{userOf(near, "u", with(allowAll))}, policy: get(`"*"`), rcp: noReads, resource: "arn:aws:s3:::other/key", want: []string{"arn:aws:iam::111111111111:user/u sometimes p/0"}},
		{name: "an RCP on a role", members: []Member{roleOf(near, "r", trustHome, Principal{}), userOf(near, "u", with(allowAll))}, rcp: map[string][][]Policy{near: {{one("rcp", `{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*"}`)}}}, action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r"},
		{name: "a key that leaves it to the account", members: []Member{userOf(near, "u", decrypt)}, policy: `{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"}`, action: "kms:Decrypt", resource: key, want: []string{"arn:aws:iam::111111111111:user/u always p/0"}},
		{name: "a key that does not", members: []Member{userOf(near, "u", decrypt)}, policy: `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"kms:*","Resource":"*"}`, action: "kms:Decrypt", resource: key, want: []string{"arn:aws:iam::111111111111:role/r sometimes policy of arn:aws:kms:eu-west-1:111111111111:key/k/0"}},
		{name: "root users", members: []Member{Root("aws", near, nil), Root("aws", far, nil)}, policy: get(`{"Service":"x.amazonaws.com"}`), resource: "arn:aws:sqs:eu-west-1:111111111111:q", action: "sqs:SendMessage", want: []string{"arn:aws:iam::111111111111:root always root user/0"}},
		{name: "a root user that an SCP binds", members: []Member{Root("aws", near, [][]Policy{{one("scp", `{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`)}})}, policy: get(`{"AWS":"111111111111"}`)},
		{name: "a root user assumes no role", members: []Member{Root("aws", near, nil), roleOf(near, "r", trustHome, Principal{})}, action: "sts:AssumeRole", resource: "arn:aws:iam::111111111111:role/r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := Beside{RCP: tt.rcp}
			if tt.resource == key {
				b.Resources = []Resource{{ARN: key, Account: near, Policy: one("", tt.policy).Document}}
			} else {
				b.Resources = []Resource{{ARN: bucket, Account: near}}
				if tt.policy != "?" {
					b.Resources[0].Policy = one("", tt.policy).Document
				}
			}
			action, resource := "s3:GetObject", object
			if tt.action != "" {
				action = tt.action
			}
			if tt.resource != "" {
				resource = tt.resource
			}
			got := summary(NewWorld(tt.members, Facts{Now: now}).Beside(b).WhoCan(action, resource))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const readBucket2 = `{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::else/*"}`

// TestBesideNeverMisses holds the answers against the engine's, request by
// request.
func TestBesideNeverMisses(t *testing.T) {
	listed, always := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		context, facts := drawRequest(t)
		m, layers := drawMember(t, "user0")
		if rapid.Bool().Draw(t, "role") {
			m.Who = eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::222222222222:role/user0", Account: "222222222222"}
			m.Trust = &iam.Document{}
		}
		owner := rapid.SampledFrom([]string{"222222222222", "333333333333"}).Draw(t, "owner")
		policy := drawDocument(t, func(t *rapid.T) iam.Statement {
			s := drawStatement(t, false)
			s.Principal = &iam.Principal{AWS: []string{rapid.SampledFrom([]string{
				"*", "222222222222", "arn:aws:iam::222222222222:user/user0", "arn:aws:iam::222222222222:role/user0", "arn:aws:iam::333333333333:root",
			}).Draw(t, "principal")}}
			if s.Effect == iam.Deny && rapid.Bool().Draw(t, "NotPrincipal") {
				s.Principal, s.NotPrincipal = nil, s.Principal
			}
			return s
		})
		layers.Resource = mustCompile(t, eval.Resource, policy)
		b := Beside{Resources: []Resource{{ARN: "arn:aws:s3:::a", Account: owner, Policy: policy}}}
		if rapid.Bool().Draw(t, "RCP") {
			limit := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{drawStatement(t, false)}}
			limit.Statements[0].Effect, limit.Statements[0].Principal = iam.Deny, &iam.Principal{Everyone: true}
			b.RCP = map[string][][]Policy{owner: {{{Name: "rcp", Document: limit}}}}
			layers.RCP = [][]*eval.Policy{{mustCompile(t, eval.RCP, limit)}}
		}
		action := rapid.SampledFrom([]string{"s3:Get", "s3:GetAll", "s3:Put"}).Draw(t, "action")
		resource := rapid.SampledFrom([]string{"arn:aws:s3:::a", "arn:aws:s3:::a/b"}).Draw(t, "resource")
		asks := rapid.SampledFrom(append(matching(actionPatterns, iam.MatchFold, action, true), action)).Draw(t, "asked action")
		of := rapid.SampledFrom([]string{"*", resource, "arn:aws:s3:::*"}).Draw(t, "asked resource")
		keys := maps.Clone(context)
		maps.Copy(keys, eval.PrincipalContext(m.Who))
		decision := layers.Decide(&eval.Request{Principal: m.Who, Action: action, Resource: resource, ResourceAccount: owner, Context: eval.NewContext(keys)})
		var answer Answer
		for _, a := range NewWorld([]Member{m}, facts).Beside(b).WhoCan(asks, of) {
			if a.Principal.ARN == m.Who.ARN {
				answer = a
			}
		}
		switch {
		case decision == eval.Allowed && answer.Extent == Never:
			t.Fatalf("%s may do %s on %s and is not among who can do %s on %s", m.Who.ARN, action, resource, asks, of)
		case decision != eval.Allowed && answer.Extent == Always:
			t.Fatalf("%s always can do %s on %s, and may not do %s on %s with %v", m.Who.ARN, asks, of, action, resource, keys)
		}
		if answer.Extent != Never {
			listed++
		}
		if answer.Extent == Always {
			always++
		}
	})
	if listed == 0 || always == 0 {
		t.Errorf("%d answers, %d of them always: nothing was tried", listed, always)
	}
}
