package action_test

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/iam/action"
)

func TestScratch(t *testing.T) {
	fmt.Println(action.About(), action.Version())
	a, ok := action.Lookup("s3:getobject")
	fmt.Println(a, ok, a.Level, a.Resources, a.Keys())
	fmt.Println(action.Expand("s3:Get*Acl"), len(action.Expand("*")), len(action.Expand("*:Describe*")))
	for _, k := range []string{"aws:resourcetag/Team", "aws:PrincipalTag/x", "s3:prefix", "token.actions.githubusercontent.com:sub", "gitlab.com:project_id", "oidc.eks.eu-west-1.amazonaws.com/id/AB:aud", "aws:Foo", "saml:aud", "ec2:ResourceTag/a"} {
		fmt.Println(k)
		fmt.Println(action.ConditionKey("", k))
		fmt.Println(action.ConditionKey("s3", k))
	}
	for _, r := range []string{"arn:aws:s3:::b/k/x", "arn:aws:s3:::b", "arn:aws:iam::111111111111:role/a/b", "arn:aws:ec2:eu-west-1:111111111111:instance/i-1"} {
		for _, x := range action.ResourceTypesFor(r) {
			fmt.Println(r, x.Service, x.Name)
		}
	}
	fmt.Println(action.Shrink(action.Expand("s3:Get*")))
	var rd []string
	for _, n := range action.Expand("ec2:*") {
		if a, _ := action.Lookup(n); a.Level == action.Write {
			rd = append(rd, n)
		}
	}
	x := action.Shrink(rd)
	fmt.Println(len(rd), len(x), x)
}
