package eval

import (
	"slices"
	"strings"
)

// Rules of AWS that stand above policies, as Explanation.Rule names them.
const (
	ruleCallerIdentity = "sts:GetCallerIdentity needs no permission and cannot be denied"
	ruleSessionToken   = "sts:GetSessionToken needs no permission and cannot be denied"
	ruleCaller         = "AWS takes this call from no principal of the kind"
	ruleRoot           = "the account's root user may do everything in its account"
	ruleOwned          = "AWS owns the resource and lets no account change it"
	ruleGrant          = "a KMS grant allows it"
)

// Owned says whether the resource always has a policy that must itself allow
// the action, and of which kind: a role that is to be assumed its trust policy,
// a KMS key its key policy. Who judges such a request must give the policy, or
// an empty one; without it Layers judges the principal's side alone.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func Owned(action, resource string) (Kind, bool) {
	switch {
	case assumesRole(action, resource):
		return Trust, true
	case isKMSKey(resource):
		return Resource, true
	}
	return Identity, false
}

// assumesRole tells the requests that a role's trust policy judges. The tags of
// sts:GetFederationToken are passed on what is no role.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func assumesRole(action, resource string) bool {
	name, ok := cutPrefixFold(action, "sts:")
	return ok && (hasPrefixFold(name, "assumerole") || marksSession(name) && (resource == "*" || isRole(resource)))
}

// marksSession tells the actions of sts that go with those that make a session.
func marksSession(name string) bool {
	return strings.EqualFold(name, "TagSession") || strings.EqualFold(name, "SetSourceIdentity")
}

// isRole tells "arn:PARTITION:iam::ACCOUNT:role/NAME".
func isRole(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":iam::") && strings.Contains(arn, ":role/")
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if !hasPrefixFold(s, prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// isKMSKey tells "arn:PARTITION:kms:REGION:ACCOUNT:key/ID".
func isKMSKey(arn string) bool {
	if !strings.HasPrefix(arn, "arn:") {
		return false
	}
	_, rest, _ := strings.Cut(arn[len("arn:"):], ":")
	return strings.HasPrefix(rest, "kms:") && strings.Contains(rest, ":key/")
}

// grantable are the actions that a KMS grant can allow.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
var grantable = [...]string{
	"CreateGrant", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
	"GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetPublicKey", "ReEncryptFrom",
	"ReEncryptTo", "RetireGrant", "Sign", "Verify", "VerifyMac",
}

// granted says whether a KMS grant allows the request.
func (r *Request) granted() bool {
	if !r.Granted || !isKMSKey(r.Resource) {
		return false
	}
	name, kms := cutPrefixFold(r.Action, "kms:")
	return kms && slices.ContainsFunc(grantable[:], func(have string) bool { return strings.EqualFold(have, name) })
}

// asksWhoItIs tells sts:GetCallerIdentity, from whoever has credentials.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (r *Request) asksWhoItIs() bool {
	const action = "sts:GetCallerIdentity"
	return len(r.Action) == len(action) && strings.EqualFold(r.Action, action) && (r.Principal.Kind.isAWS() || r.Principal.Kind == Service)
}

// asksForSession tells sts:GetSessionToken, from whoever has a long-term key.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func (r *Request) asksForSession() bool {
	const action = "sts:GetSessionToken"
	return len(r.Action) == len(action) && strings.EqualFold(r.Action, action) && (r.Principal.Kind == User || r.Principal.Kind == Root)
}

// keepsBucketPolicy tells the requests that no bucket policy can deny: those of
// the bucket's own root user for that policy, so that nobody locks himself out.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
func (r *Request) keepsBucketPolicy() bool {
	if r.Principal.Kind != Root || crossAccount(r) || !strings.Contains(r.Resource, ":s3:::") || strings.Contains(r.Resource, "/") {
		return false
	}
	name, s3 := cutPrefixFold(r.Action, "s3:")
	return s3 && (strings.EqualFold(name, "GetBucketPolicy") || strings.EqualFold(name, "PutBucketPolicy") || strings.EqualFold(name, "DeleteBucketPolicy"))
}

// principalKinds is a set of kinds of principal, one bit each.
type principalKinds uint16

func (ks principalKinds) has(k PrincipalKind) bool { return ks&(1<<k) != 0 }

// callers lists from whom AWS takes the calls of sts that give credentials.
// Federated users call nothing of sts but GetCallerIdentity, root users assume
// no roles, and sessions get none of the tokens that long-term keys get.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var callers = [...]struct {
	name string
	from principalKinds
}{
	{"AssumeRole", 1<<User | 1<<Role | 1<<RoleSession | 1<<Service},
	{"AssumeRoleWithWebIdentity", 1<<WebIdentity | 1<<Anonymous},
	{"AssumeRoleWithSAML", 1<<SAML | 1<<Anonymous},
	{"GetSessionToken", 1<<User | 1<<Root},
	{"GetFederationToken", 1<<User | 1<<Root},
}

// unwelcome says that AWS takes the call from no principal of this kind,
// whatever policies say. A token signs no request: who bears one is nobody to
// AWS until the call for a session, with what marks that session.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
func (r *Request) unwelcome() bool {
	kind := r.Principal.Kind
	bearer := kind == WebIdentity || kind == SAML
	name, sts := cutPrefixFold(r.Action, "sts:")
	if !sts {
		return bearer
	}
	for i := range callers {
		if strings.EqualFold(name, callers[i].name) {
			return !callers[i].from.has(kind)
		}
	}
	return bearer && !(marksSession(name) && isRole(r.Resource))
}

// immutable lists, for the resources that AWS keeps in every account, the
// actions that no principal of the account may take on them. Actions stand in
// lower case with a space on each side.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
// https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
// https://docs.aws.amazon.com/kms/latest/developerguide/alias-about.html
var immutable = [...]struct{ part, actions string }{
	{":iam::aws:policy/", " iam:createpolicy iam:createpolicyversion iam:deletepolicy iam:deletepolicyversion" +
		" iam:setdefaultpolicyversion iam:tagpolicy iam:untagpolicy "},
	{":role/aws-service-role/", " iam:attachrolepolicy iam:createrole iam:deleterole iam:deleterolepermissionsboundary" +
		" iam:deleterolepolicy iam:detachrolepolicy iam:putrolepermissionsboundary iam:putrolepolicy" +
		" iam:updateassumerolepolicy "},
	{":role/aws-reserved/", " iam:attachrolepolicy iam:createrole iam:createservicelinkedrole iam:deleterole" +
		" iam:deleterolepermissionsboundary iam:deleterolepolicy iam:deleteservicelinkedrole iam:detachrolepolicy" +
		" iam:passrole iam:putrolepermissionsboundary iam:putrolepolicy iam:tagrole iam:untagrole" +
		" iam:updateassumerolepolicy iam:updaterole iam:updateroledescription "},
	{":alias/aws/", " kms:createalias kms:deletealias kms:updatealias "},
}

// isImmutable says whether the resource is AWS's own and the action would
// change it.
func isImmutable(action, resource string) bool {
	if !hasPrefixFold(action, "iam:") && !hasPrefixFold(action, "kms:") {
		return false
	}
	for i := range immutable {
		if strings.Contains(resource, immutable[i].part) && strings.Contains(immutable[i].actions, " "+strings.ToLower(action)+" ") {
			return true
		}
	}
	return false
}
