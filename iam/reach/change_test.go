package reach

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func changes(list []Change) []string {
	var out []string
	for _, c := range list {
		line := fmt.Sprintf("%s: %s on %s by %s/%d", c.Principal, strings.Join(c.Actions, ","), strings.Join(c.Resources, ","), c.Via.Policy, c.Via.Index)
		if c.New {
			line = "new " + line
		}
		out = append(out, line)
	}
	return out
}

func TestWorldGains(t *testing.T) {
	trust := func(principal string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`
	}
	read := Principal{Identity: []Policy{one("read", readBucket)}}
	before := NewWorld([]Member{
		userOf(near, "same", read), userOf(near, "wider", read), userOf(near, "gone", read),
		roleOf(near, "account", trust(`{"AWS":"`+near+`"}`), Principal{}), roleOf(near, "role", trust(`{"AWS":"`+near+`"}`), Principal{}),
	}, Facts{})
	after := NewWorld([]Member{
		userOf(near, "same", read), userOf(near, "wider", Principal{Identity: []Policy{one("read", readBucket), one("all", allowAll)}}), userOf(near, "new", read),
		roleOf(near, "account", trust(`{"AWS":["arn:aws:iam::`+near+`:user/same"]}`), Principal{}),
		roleOf(near, "role", trust(`{"AWS":"`+near+`"}`)+`,`+trust(`{"AWS":"`+far+`","Service":"ec2.amazonaws.com"}`), Principal{}),
	}, Facts{})
	role, user := "arn:aws:iam::"+near+":role/role", "arn:aws:iam::"+near+":user/"
	want := []string{
		"arn:aws:iam::" + far + ":root: sts:AssumeRole on " + role + " by trust policy of " + role + "/1",
		"ec2.amazonaws.com: sts:AssumeRole on " + role + " by trust policy of " + role + "/1",
		"new " + user + "new: s3:Get* on arn:aws:s3:::state/* by read/0",
		user + "wider: * on * by all/0",
	}
	if diff := cmp.Diff(want, changes(after.Gains(before))); diff != "" {
		t.Errorf("Gains (-want +got):\n%s", diff)
	}
}

func TestPolicyGains(t *testing.T) {
	bucket := func(effect, principal string) string {
		return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	}
	alice := `{"AWS":"arn:aws:iam::` + near + `:user/alice"}`
	tests := []struct {
		name, before, after string
		want                []string
	}{
		{name: "the account has it", before: bucket("Allow", `{"AWS":"`+near+`"}`), after: bucket("Allow", alice)},
		{name: "everyone has it", before: bucket("Allow", `"*"`), after: bucket("Allow", alice)},
		{name: "one had it, now everyone", before: bucket("Allow", alice), after: bucket("Allow", `"*"`), want: []string{"*: s3:GetObject on arn:aws:s3:::b/* by p/0"}},
		{name: "a denial is lifted", before: bucket("Allow", `"*"`) + `,` + bucket("Deny", alice), after: bucket("Allow", `"*"`), want: []string{"*: s3:GetObject on arn:aws:s3:::b/* by p/0"}},
		{name: "a denial comes", before: bucket("Allow", `"*"`), after: bucket("Deny", `"*"`) + `,` + bucket("Allow", alice)},
		{name: "an identity policy", before: readBucket, after: readBucket + `,` + allowAll, want: []string{": * on * by p/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, changes(PolicyGains(one("p", tt.after), one("p", tt.before), Facts{}))); diff != "" {
				t.Errorf("PolicyGains (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	allow := func(principal, conditions string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:*","Resource":"*","Condition":{` + conditions + `}}`
	}
	github := `{"Federated":"arn:aws:iam::` + near + `:oidc-provider/token.actions.githubusercontent.com"}`
	claim := func(operator, name, value string) string {
		return allow(github, `"`+operator+`":{"token.actions.githubusercontent.com:`+name+`":"`+value+`"}`)
	}
	tests := []struct {
		name, statements string
		want             bool
	}{
		{name: "everyone", statements: allow(`"*"`, ``), want: true},
		{name: "everyone of AWS", statements: allow(`{"AWS":"*"}`, ``), want: true},
		{name: "all but one", statements: `{"Effect":"Allow","NotPrincipal":{"AWS":"` + near + `"},"Action":"s3:*","Resource":"*"}`, want: true},
		{name: "an account", statements: allow(`{"AWS":"`+near+`"}`, ``)},
		{name: "an organisation", statements: allow(`"*"`, `"StringEquals":{"aws:PrincipalOrgID":"o-1"}`)},
		{name: "another key", statements: allow(`"*"`, `"StringEquals":{"aws:RequestedRegion":"eu-west-1"}`), want: true},
		{name: "all but an organisation", statements: allow(`"*"`, `"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}`), want: true},
		{name: "an organisation, if there is one", statements: allow(`"*"`, `"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`), want: true},
		{name: "any organisation", statements: allow(`"*"`, `"StringLike":{"aws:PrincipalOrgID":"*"}`), want: true},
		{name: "a role of any account", statements: allow(`"*"`, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci"}`), want: true},
		{name: "roles of an account", statements: allow(`"*"`, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::`+near+`:role/*"}`)},
		{name: "a network", statements: allow(`"*"`, `"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`)},
		{name: "all networks", statements: allow(`"*"`, `"IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/1"]}`), want: true},
		{name: "sessions of a role", statements: allow(`"*"`, `"StringLike":{"aws:userid":"AROAEXAMPLE:*"}`)},
		{name: "denied", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`},
		{name: "all of one's own endpoints", statements: allow(`"*"`, `"StringEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}`)},
		{name: "all endpoints", statements: allow(`"*"`, `"StringLike":{"aws:SourceVpce":"vpce-*"}`), want: true},
		{name: "all organisations", statements: allow(`"*"`, `"StringLike":{"aws:PrincipalOrgID":"o-*"}`), want: true},
		{name: "a part of an organisation", statements: allow(`"*"`, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}`)},
		{name: "a part of any", statements: allow(`"*"`, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-1/*"}`), want: true},
		{name: "denied to all but an organisation", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`},
		{name: "denied to all but a network and an endpoint", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`},
		{name: "denied to all but an organisation, over plain HTTP", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"},"Bool":{"aws:SecureTransport":"false"}}}`, want: true},
		{name: "denied to all but any organisation", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalOrgID":"o-*"}}}`, want: true},
		{name: "something is denied to all but an organisation", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`, want: true},
		{name: "denied to all but an account", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","NotPrincipal":{"AWS":"` + near + `"},"Action":"s3:*","Resource":"*"}`},
		{name: "denied to an account", statements: allow(`"*"`, ``) + `,{"Effect":"Deny","Principal":{"AWS":"` + near + `"},"Action":"s3:*","Resource":"*"}`, want: true},
		{name: "any repository, but for denials", statements: allow(github, ``) + `,{"Effect":"Deny","Principal":` + github + `,"Action":"*","Resource":"*","Condition":{"StringNotLike":{"token.actions.githubusercontent.com:sub":"repo:acme/*"}}}`},
		{name: "any repository", statements: allow(github, `"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}`), want: true},
		{name: "any repository, by pattern", statements: claim("StringLike", "sub", "repo:*"), want: true},
		{name: "any repository's main branch", statements: claim("StringEquals", "ref", "refs/heads/main"), want: true},
		{name: "repositories of an owner", statements: claim("StringLike", "sub", "repo:acme/*")},
		{name: "an issuer of one's own", statements: allow(`{"Federated":"arn:aws:iam::`+near+`:oidc-provider/id.example.com"}`, ``)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Public(one("p", tt.statements), Facts{}); (len(got) > 0) != tt.want {
				t.Errorf("Public = %+v, want any: %v", got, tt.want)
			}
		})
	}
}
