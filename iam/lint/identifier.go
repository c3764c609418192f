package lint

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

var identifierChecks = []*check{
	{code: "INVALID_REGION", severity: Error, run: invalidRegion},
	{code: "INVALID_VPC_FORMAT", severity: Error, run: idCheck("vpc-", "aws:SourceVpc")},
	{code: "INVALID_VPCE_FORMAT", severity: Error, run: idCheck("vpce-", "aws:SourceVpce")},
	{code: "INVALID_KMS_KEY_VALUE", severity: Error, run: kmsKey},
	{code: "INVALID_SERVICE_PRINCIPAL_FORMAT", severity: Error, run: servicePrincipalFormat},
	{code: "INVALID_ACCOUNT_ID", severity: Error, run: accountID, page: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"},
}

// literals lists the values of the keys that are compared as they stand: no
// variables and, under operators that know them, no wildcards.
func (p *pass) literals(keys ...string) []*node {
	var values []*node
	for _, c := range p.conditions() {
		if !c.known || c.op.Name == "Null" || !c.is(keys...) {
			continue
		}
		for _, v := range c.values {
			if !strings.Contains(v.text, "${") && !(iam.HasWildcard(v.text) && c.like()) {
				values = append(values, v)
			}
		}
	}
	return values
}

func invalidRegion(p *pass) {
	for _, v := range p.literals("aws:RequestedRegion") {
		if !isRegion(v.text) && !iam.HasWildcard(v.text) && v.text != "aws-global" {
			p.report(v, "AWS has no region %q", v.text)
		}
	}
}

// idCheck looks at ids of EC2's form: a prefix and 8 or 17 digits.
func idCheck(prefix, key string) func(*pass) {
	return func(p *pass) {
		for _, v := range p.literals(key) {
			rest, ok := strings.CutPrefix(v.text, prefix)
			if !ok || len(rest) != 8 && len(rest) != 17 || strings.Map(alphanumeric, rest) != rest {
				p.report(v, "%q is no id of the kind of %s: %q and 8 or 17 characters", v.text, key, prefix)
			}
		}
	}
}

// kmsKey: S3 compares with the key's ARN, whatever form the request has it in.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func kmsKey(p *pass) {
	for _, v := range p.literals("s3:x-amz-server-side-encryption-aws-kms-key-id") {
		a, err := iam.ParseARN(v.text)
		if err != nil || a.Service != "kms" || !strings.HasPrefix(a.Resource, "key/") {
			p.report(v, "%q is no ARN of a KMS key", v.text).hint("write arn:aws:kms:region:account:key/id")
		}
	}
}

// serviceNames are the keys whose values are service principals.
var serviceNames = []string{
	"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "iam:PassedToService",
}

// isServicePrincipal reports whether s has the form "name.amazonaws.com", with
// as many parts before it as the service likes.
func isServicePrincipal(s string) bool {
	name, ok := strings.CutSuffix(strings.TrimSuffix(s, ".cn"), ".amazonaws.com")
	if !ok {
		name, ok = strings.CutSuffix(s, ".amazonaws.eu")
	}
	if !ok || name == "" {
		return s == "internal.amazon.com"
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func servicePrincipalFormat(p *pass) {
	bad := func(v *node) {
		if !isServicePrincipal(v.text) {
			p.report(v, "%q is no service principal: it has the form name.amazonaws.com", v.text)
		}
	}
	for _, v := range p.principalValues() {
		if v.kind == "Service" && !iam.HasWildcard(v.text) && !strings.Contains(v.text, "${") {
			bad(v.node)
		}
	}
	for _, v := range p.literals(serviceNames...) {
		bad(v)
	}
	for _, v := range p.literals("kms:ViaService") {
		if parts := strings.SplitN(v.text, ".", 3); len(parts) != 3 || !isRegion(parts[1]) || !isServicePrincipal(v.text) {
			p.report(v, "%q is no value of kms:ViaService: it has the form name.region.amazonaws.com", v.text)
		}
	}
}

// accountID looks at keys that hold account ids.
func accountID(p *pass) {
	for _, v := range p.literals("aws:PrincipalAccount", "aws:ResourceAccount", "aws:SourceAccount", "aws:SourceOwner", "aws:VpceAccount", "s3:ResourceAccount") {
		if !iam.IsAccountID(v.text) {
			p.report(v, "%q is no account: it has 12 digits", v.text)
		}
	}
}
