package sandbox

import (
	"strings"
	"time"
)

// awsManagedTexts are the AWS managed policies that the sandbox knows, by name:
// those small enough to be certain of. Others do not exist in it.
//
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var awsManagedTexts = map[string]string{
	"AdministratorAccess":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	"AWSDenyAll":            `{"Version":"2012-10-17","Statement":[{"Sid":"DenyAll","Effect":"Deny","Action":["*"],"Resource":"*"}]}`,
	"PowerUserAccess":       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["account:GetAccountInformation","account:GetGovCloudAccountInformation","account:GetPrimaryEmail","account:ListRegions","iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeEffectivePolicy","organizations:DescribeOrganization"],"Resource":"*"}]}`,
	"IAMFullAccess":         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}]}`,
	"IAMReadOnlyAccess":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}`,
	"AmazonS3FullAccess":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}`,
	"AmazonEC2FullAccess":   `{"Version":"2012-10-17","Statement":[{"Action":"ec2:*","Effect":"Allow","Resource":"*"},{"Effect":"Allow","Action":"elasticloadbalancing:*","Resource":"*"},{"Effect":"Allow","Action":"cloudwatch:*","Resource":"*"},{"Effect":"Allow","Action":"autoscaling:*","Resource":"*"},{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["autoscaling.amazonaws.com","ec2scheduled.amazonaws.com","elasticloadbalancing.amazonaws.com","spot.amazonaws.com","spotfleet.amazonaws.com","transitgateway.amazonaws.com"]}}}]}`,
	"IAMUserSSHKeys":        `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:DeleteSSHPublicKey","iam:GetSSHPublicKey","iam:ListSSHPublicKeys","iam:UpdateSSHPublicKey","iam:UploadSSHPublicKey"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`,
	"IAMUserChangePassword": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword"],"Resource":["arn:aws:iam::*:user/${aws:username}"]},{"Effect":"Allow","Action":["iam:GetAccountPasswordPolicy"],"Resource":"*"}]}`,
}

// awsManaged finds one of AWS's own policies.
func awsManaged(partition, arn string) (*policy, bool) {
	name, ok := strings.CutPrefix(arn, "arn:"+partition+":iam::aws:policy/")
	if !ok {
		return nil, false
	}
	text, ok := awsManagedTexts[name]
	if !ok {
		return nil, false
	}
	return awsManagedPolicy(name, text), true
}

func awsManagedPolicy(name, text string) *policy {
	// IAM's managed policies began on that day; the ID is made from the name.
	born := time.Date(2015, time.February, 6, 18, 39, 46, 0, time.UTC)
	id := strings.ToUpper(strings.ReplaceAll(name, "-", "")) + strings.Repeat("A", idLength)
	return &policy{
		Name: name, Path: "/", ID: policyPrefix + id[:idLength-len(policyPrefix)], Created: born, Updated: born,
		Versions: []policyVersion{{"v1", text, born}}, Default: "v1", LastVersion: 1, AWSManaged: true,
	}
}

func awsManagedPolicies() []*policy {
	var out []*policy
	for name, text := range awsManagedTexts {
		out = append(out, awsManagedPolicy(name, text))
	}
	return out
}
