package prove

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// patterns are the resources that a guard rail names, for one that is about
// all of them: short forms such as "repository/shop" stand for every region and
// account. Nothing named means any resource.
func (m *model) patterns(on []string) []named {
	if len(on) == 0 {
		return []named{{"*", "*"}}
	}
	var out []named
	for _, short := range on {
		out = append(out, named{short, m.pattern(short)})
	}
	return out
}

// named is a resource as the spec has it and as IAM does.
type named struct{ short, resource string }

func (m *model) pattern(short string) string {
	if isWhole(short) {
		return short
	}
	return iam.ARN{Partition: m.Spec.Partition, Service: "*", Region: "*", Account: "*", Resource: short}.String()
}

// isWhole tells ARNs and "*" from short forms.
func isWhole(resource string) bool { return resource == "*" || strings.HasPrefix(resource, "arn:") }

// beyond reports whether a guard rail is also about resources of accounts that
// are not looked at.
func (m *model) beyond(on []string) bool {
	if len(on) == 0 {
		return true
	}
	return slices.ContainsFunc(on, func(resource string) bool {
		return !slices.Contains(m.accountIDs(), accountOf(resource))
	})
}

// one is the resource that a call of the action is about, of which the spec
// names the short form: in the stack's region and the role's account.
func (m *model) one(short, action, account string) string {
	if isWhole(short) {
		return short
	}
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	arn := iam.ARN{Partition: m.Spec.Partition, Service: service, Region: m.Spec.Region, Account: account, Resource: short}
	if service == "sts" { // its actions are about IAM's roles and users
		arn.Service = "iam"
	}
	form := arnForms[arn.Service]
	if form.noRegion {
		arn.Region = ""
	}
	if form.noAccount {
		arn.Account = ""
	}
	return arn.String()
}

// arnForms lists the services whose ARNs leave out a part, by the prefix of
// their actions.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var arnForms = map[string]struct{ noRegion, noAccount bool }{
	"apigateway":        {noAccount: true},
	"cloudfront":        {noRegion: true},
	"globalaccelerator": {noRegion: true},
	"iam":               {noRegion: true},
	"organizations":     {noRegion: true},
	"route53":           {noRegion: true, noAccount: true},
	"s3":                {noRegion: true, noAccount: true},
	"shield":            {noRegion: true},
	"waf":               {noRegion: true},
}

func accountOf(arn string) string {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return ""
	}
	return a.Account
}
