package eval

import "strings"

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
	case assumesRole(action):
		return Trust, true
	case isKMSKey(resource):
		return Resource, true
	}
	return Identity, false
}

// assumesRole tells the actions that a role's trust policy judges.
func assumesRole(action string) bool {
	name, ok := cutPrefixFold(action, "sts:")
	return ok && (hasPrefixFold(name, "assumerole") || strings.EqualFold(name, "TagSession") || strings.EqualFold(name, "SetSourceIdentity"))
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

// unwelcome says that AWS takes the call from no principal of this kind,
// whatever policies say: root users assume no roles, and the bearers of tokens
// do so by calls of their own, which are nobody else's.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
func (r *Request) unwelcome() bool {
	kind := r.Principal.Kind
	bearer := kind == WebIdentity || kind == SAML
	name, sts := cutPrefixFold(r.Action, "sts:")
	switch {
	case !sts:
		return false
	case strings.EqualFold(name, "AssumeRole"):
		return bearer || kind == Root || kind == Anonymous
	case strings.EqualFold(name, "AssumeRoleWithWebIdentity"):
		return kind != WebIdentity && kind != Anonymous
	case strings.EqualFold(name, "AssumeRoleWithSAML"):
		return kind != SAML && kind != Anonymous
	}
	return false
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
