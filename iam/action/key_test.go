package action_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/action"
)

func TestConditionKey(t *testing.T) {
	for _, tt := range []struct {
		service, key string
		want         action.Key // zero: unknown
	}{
		{"s3", "S3:PREFIX", action.Key{Name: "s3:prefix", Type: action.TypeString}},
		{"glacier", "glacier:ResourceTag/team", action.Key{Name: "glacier:ResourceTag/${TagKey}", Type: action.TypeString}},
		{"ssm", "ssm:ResourceTag/team", action.Key{Name: "ssm:resourceTag/${TagKey}", Type: action.TypeString}},
		{"s3", "s3:ExistingObjectTag/team", action.Key{Name: "s3:ExistingObjectTag/${TagKey}", Type: action.TypeString}},
		{"s3", "aws:SourceIp", action.Key{Name: "aws:SourceIp", Type: action.TypeIPAddress, Global: true}},
		{"nope", "aws:SourceIp", action.Key{Name: "aws:SourceIp", Type: action.TypeIPAddress, Global: true}},
		{"ec2", "aws:principaltag/Team", action.Key{Name: "aws:PrincipalTag/${TagKey}", Type: action.TypeString, Global: true}},
		{"ec2", "aws:PrincipalTag/", action.Key{}}, // no tag
		{"ec2", "aws:PrincipalTag", action.Key{}},
		{"ec2", "aws:TagKeys", action.Key{Name: "aws:TagKeys", Type: action.TypeArrayOfString}},
		{"s3", "ec2:SourceInstanceARN", action.Key{Name: "ec2:SourceInstanceArn", Type: action.TypeARN, Global: true}},
		{"s3", "ec2:Region", action.Key{}}, // another service's
		{"", "ec2:Region", action.Key{Name: "ec2:Region", Type: action.TypeString}},
		{"", "aws:MultiFactorAuthAge", action.Key{Name: "aws:MultiFactorAuthAge", Type: action.TypeNumeric, Global: true}},
		{"s3", "aws:SourceVpcArn", action.Key{Name: "aws:SourceVpcArn", Type: action.TypeARN, Global: true}},
		{"s3", "aws:Nope", action.Key{}},
		{"s3", "", action.Key{}},
		{"", "", action.Key{}},

		{"sts", "sts:ExternalId", action.Key{Name: "sts:ExternalId", Type: action.TypeString}},
		{"sts", "saml:aud", action.Key{Name: "saml:aud", Type: action.TypeString}},
		{"", "saml:aud", action.Key{Name: "saml:aud", Type: action.TypeString}},
		{
			"sts", "token.actions.githubusercontent.com:job_workflow_ref",
			action.Key{Name: "token.actions.githubusercontent.com:job_workflow_ref", Type: action.TypeString},
		},
		{
			"STS", "token.actions.githubusercontent.com:sub",
			action.Key{Name: "token.actions.githubusercontent.com:sub", Type: action.TypeString, Claim: true},
		},
		{"s3", "token.actions.githubusercontent.com:sub", action.Key{}}, // only when a role is assumed
		{
			"", "token.actions.acme.ghe.com:environment",
			action.Key{Name: "token.actions.${Domain}.ghe.com:environment", Type: action.TypeString},
		},
		{
			"sts", "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:aud",
			action.Key{Name: "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:aud", Type: action.TypeString, Claim: true},
		},
		{
			"sts", "gitlab.example.org/path:amr",
			action.Key{Name: "gitlab.example.org/path:amr", Type: action.TypeArrayOfString, Claim: true},
		},
		{
			"sts", "cognito-identity.amazonaws.com:amr",
			action.Key{Name: "cognito-identity.amazonaws.com:amr", Type: action.TypeArrayOfString},
		},
		{"sts", "gitlab:sub", action.Key{}}, // no host
		{"sts", "gitlab.com:", action.Key{}},
		{"sts", "gitlab.com:s*", action.Key{}},
		{"sts", "gitlab.com/a b:sub", action.Key{}},
		{"sts", "git lab.com:sub", action.Key{}},
		{"sts", ".com:sub", action.Key{}},
		{"sts", "-a.com:sub", action.Key{}},
		{"sts", "*.com:sub", action.Key{}},
		{"sts", "https://gitlab.com:sub", action.Key{}},
	} {
		got, ok := action.ConditionKey(tt.service, tt.key)
		if d := cmp.Diff(tt.want, got); d != "" || ok != (tt.want.Name != "") {
			t.Errorf("%q for %q: %v %s", tt.key, tt.service, ok, d)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, typ := range action.Types() {
		array := strings.Contains(string(typ), "Array")
		if typ.IsArray() != array || !slices.Contains(action.Types(), typ.Element()) || typ.Element().IsArray() {
			t.Errorf("%s: array %v of %s", typ, typ.IsArray(), typ.Element())
		}
	}
}

func FuzzConditionKey(f *testing.F) {
	f.Add("s3", "aws:ResourceTag/a")
	f.Add("", "gitlab.com/a:sub")
	f.Add("sts", "a.b:c:d")
	f.Fuzz(func(t *testing.T, service, key string) {
		got, ok := action.ConditionKey(service, key)
		if ok != (got.Name != "") || got.Claim && got.Name != key {
			t.Errorf("%q for %q: %v, %v", key, service, got, ok)
		}
		again, okAgain := action.ConditionKey(strings.ToUpper(service), key)
		if again != got || okAgain != ok {
			t.Errorf("%q for %q: %v; in capitals %v", key, service, got, again)
		}
	})
}
