package prove

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// global lists services whose ARNs carry no region.
var global = map[string]bool{
	"iam": true, "sts": true, "organizations": true, "route53": true, "cloudfront": true, "s3": true, "waf": true, "globalaccelerator": true,
}

// resources expands what a guard rail names: ARNs and "*" as they are, short
// forms such as "repository/shop" into the ARN in the service of the action.
// Nothing named means any resource.
func (m *model) resources(on []string, action, account string) []string {
	if len(on) == 0 {
		return []string{"*"}
	}
	var out []string
	for _, resource := range on {
		out = append(out, m.resource(resource, action, account))
	}
	return out
}

func (m *model) resource(short, action, account string) string {
	if short == "*" || strings.HasPrefix(short, "arn:") {
		return short
	}
	service, _, _ := strings.Cut(action, ":")
	arn := iam.ARN{Partition: m.Spec.Partition, Service: strings.ToLower(service), Region: m.Spec.Region, Account: account, Resource: short}
	if global[arn.Service] {
		arn.Region = ""
	}
	if arn.Service == "s3" {
		arn.Account = ""
	}
	return arn.String()
}
