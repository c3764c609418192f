package eval

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// ParsePrincipal tells from a name who makes a request: an ARN of IAM or STS,
// an account id (its root user), the name of a service or the ARN of an origin
// access identity, which is taken for one, or the name of one of the identity
// providers that AWS knows without an ARN. Of a role session it
// leaves RoleARN empty, of a federated user UserARN: the names do not say them.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func ParsePrincipal(name string) (Principal, error) {
	switch {
	case iam.IsAccountID(name):
		return Principal{Kind: Root, ARN: "arn:aws:iam::" + name + ":root", Account: name}, nil
	case isWebProvider(name):
		return Principal{Kind: WebIdentity, ARN: name}, nil
	case isServiceName(name), isOriginAccess(name):
		return Principal{Kind: Service, ARN: name}, nil
	}
	arn, err := iam.ParseARN(name)
	if err != nil || iam.HasWildcard(name) || !iam.IsAccountID(arn.Account) {
		return Principal{}, fmt.Errorf("principal %q is neither an ARN of IAM or STS, an account, a service nor an identity provider", name)
	}
	kind, ok := principalKind(arn)
	if !ok {
		return Principal{}, fmt.Errorf("principal %q: nobody makes requests under such an ARN", name)
	}
	return Principal{Kind: kind, ARN: name, Account: arn.Account}, nil
}

func principalKind(arn iam.ARN) (PrincipalKind, bool) {
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	switch arn.Service + " " + kind {
	case "iam root":
		return Root, rest == ""
	case "iam user":
		return User, rest != ""
	case "iam role":
		return Role, rest != ""
	case "iam oidc-provider":
		return WebIdentity, rest != ""
	case "iam saml-provider":
		return SAML, rest != ""
	case "sts federated-user":
		return FederatedUser, rest != ""
	case "sts assumed-role":
		role, session, _ := strings.Cut(rest, "/")
		return RoleSession, role != "" && session != ""
	}
	return Anonymous, false
}

// isWebProvider tells the providers of web identities that need no ARN.
func isWebProvider(name string) bool {
	switch name {
	case "accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com":
		return true
	}
	return false
}

// isServiceName tells "ec2.amazonaws.com", "logs.eu-west-1.amazonaws.com" and
// "ec2.amazonaws.com.cn".
func isServiceName(name string) bool {
	if strings.ContainsAny(name, ":/*? ") {
		return false
	}
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".aws.internal", ".amazon.com"} {
		if len(name) > len(domain) && strings.HasSuffix(name, domain) {
			return true
		}
	}
	return false
}

// isOriginAccess tells the identity by which CloudFront reads a bucket. Like a
// service it has no policies of its own.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
func isOriginAccess(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":iam::cloudfront:user/")
}

// WithRole fills in a session's role from the condition key aws:PrincipalArn,
// where that is the ARN of the role. Other principals stay as they are.
func (p Principal) WithRole(ctx Context) Principal {
	if p.Kind != RoleSession || p.RoleARN != "" {
		return p
	}
	if values, ok := ctx.Get("aws:PrincipalArn"); ok && len(values) == 1 && isRoleOf(values[0], p.ARN) {
		p.RoleARN = values[0]
	}
	return p
}
