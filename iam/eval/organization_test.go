package eval_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/eval"
)

const (
	denyS3Everyone = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	allowFromVPC   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	linkedARN      = "arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
)

var (
	linked        = eval.Principal{Kind: eval.Role, ARN: linkedARN, Account: home}
	linkedSession = eval.Principal{Kind: eval.RoleSession, ARN: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForECS/x", RoleARN: linkedARN, Account: home}
)

// limitCase is a request under the policies of organisations and endpoints.
type limitCase struct {
	rule               string
	who                eval.Principal
	identity, resource string
	scp, rcp           [][]string // policies by level, root first
	endpoint           []string
	org                eval.Organization
	owner              string
	action, on         string // default s3:GetObject on the bucket
	awsKey, granted    bool
	want               eval.Decision
	blocked            []eval.Kind
}

// Rules 12 and 14 to 18.
//
//	https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
//	https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
//	https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
//	https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func TestLimits(t *testing.T) {
	scp, rcp, endpoint := []eval.Kind{eval.SCP}, []eval.Kind{eval.RCP}, []eval.Kind{eval.Endpoint}
	all, none, denies := []string{allowAll}, []string{}, []string{allowAll, denyS3}
	const key = "arn:aws:kms:eu-west-1:111111111111:key/1234"
	keyPolicy := func(principal string) string {
		return v12(`"Effect":"Allow","Principal":` + principal + `,"Action":"kms:*","Resource":"*"`)
	}
	for _, tc := range []limitCase{
		{rule: "14 every level allows", who: alice, identity: allowAll, scp: [][]string{all, all, all}, want: eval.Allowed},
		{rule: "14 the root is silent", who: alice, identity: allowAll, scp: [][]string{{allowSQS}, all, all}, blocked: scp},
		{rule: "14 a unit in the middle is silent", who: alice, identity: allowAll, scp: [][]string{all, {allowSQS}, all}, blocked: scp},
		{rule: "14 the account is silent", who: alice, identity: allowAll, scp: [][]string{all, all, {allowSQS}}, blocked: scp},
		{rule: "14 a level without policies", who: alice, identity: allowAll, scp: [][]string{none, all}, blocked: scp},
		{rule: "14 two policies of one level union", who: alice, identity: allowAll, scp: [][]string{{allowSQS, allowAll}}, want: eval.Allowed},
		{rule: "14 an SCP is no grant", who: alice, scp: [][]string{all}, blocked: []eval.Kind{eval.Identity}},
		{rule: "14 a deny at the root", who: alice, identity: allowAll, scp: [][]string{denies, all}, want: eval.ExplicitDeny, blocked: scp},
		{rule: "14 a deny at the account", who: alice, identity: allowAll, scp: [][]string{all, denies}, want: eval.ExplicitDeny, blocked: scp},
		{rule: "14 a resource policy does not make up for it", who: alice, resource: grants(toAlice), scp: [][]string{{allowSQS}}, blocked: scp},
		{rule: "14 nor a grant to the session", who: session, resource: grants(toSession), scp: [][]string{{allowSQS}}, blocked: scp},
		{rule: "14 across accounts", who: alice, identity: allowAll, resource: grants(toAlice), owner: other, scp: [][]string{{allowSQS}}, blocked: scp},

		{rule: "15 root of a member account is bound", who: root, scp: [][]string{{allowSQS}}, blocked: scp},
		{rule: "15 root of a member account, all allow", who: root, scp: [][]string{all}, want: eval.Allowed},
		{rule: "15 the management account is free", who: alice, identity: allowAll, scp: [][]string{denies, none}, org: eval.Organization{Management: home}, want: eval.Allowed},
		{rule: "15 another management account frees nobody", who: alice, identity: allowAll, scp: [][]string{denies}, org: eval.Organization{Management: other}, want: eval.ExplicitDeny, blocked: scp},
		{rule: "15 service-linked roles are free", who: linked, identity: allowAll, scp: [][]string{denies}, want: eval.Allowed},
		{rule: "15 and their sessions", who: linkedSession, identity: allowAll, scp: [][]string{denies}, want: eval.Allowed},
		{rule: "15 who is not of the organisation is free", who: alice, identity: allowAll, scp: [][]string{denies}, org: eval.Organization{PrincipalOutside: true}, want: eval.Allowed},
		{rule: "15 services are free", who: ec2, resource: grants(toEC2), scp: [][]string{denies}, want: eval.Allowed},
		{rule: "15 who has no AWS account yet is free", who: nobody, resource: grants(toAll), scp: [][]string{denies}, want: eval.Allowed},

		{rule: "16 the full access of RCPs need not be named", who: alice, identity: allowAll, rcp: [][]string{none, none}, want: eval.Allowed},
		{rule: "16 an RCP that denies something else", who: alice, identity: allowAll, rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"`)}}, want: eval.Allowed},
		{rule: "16 an RCP denies", who: alice, identity: allowAll, rcp: [][]string{none, {denyS3Everyone}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "16 the full access spelt out", who: alice, identity: allowAll, rcp: [][]string{{allowFromVPC}}, want: eval.Allowed},

		{rule: "17 whoever calls: another account", who: alice, identity: allowAll, resource: grants(toAlice), owner: other, rcp: [][]string{{denyS3Everyone}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 whoever calls: nobody", who: nobody, resource: grants(toAll), owner: home, rcp: [][]string{{denyS3Everyone}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 whoever calls: a service", who: ec2, resource: grants(toEC2), owner: home, rcp: [][]string{{denyS3Everyone}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 whoever calls: root", who: root, rcp: [][]string{{denyS3Everyone}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 resources of the management account are free", who: alice, identity: allowAll, rcp: [][]string{{denyS3Everyone}}, org: eval.Organization{Management: home}, want: eval.Allowed},
		{rule: "17 the caller's being the management account frees nothing", who: alice, identity: allowAll, resource: grants(toAlice), owner: other, rcp: [][]string{{denyS3Everyone}}, org: eval.Organization{Management: home}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 resources outside are free", who: alice, identity: allowAll, rcp: [][]string{{denyS3Everyone}}, org: eval.Organization{ResourceOutside: true}, want: eval.Allowed},
		{rule: "17 service-linked roles are free", who: linkedSession, identity: allowAll, rcp: [][]string{{denyS3Everyone}}, want: eval.Allowed},
		{rule: "17 services that RCPs do not know", who: alice, identity: allowAll, action: "ec2:RunInstances", on: "*", rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"ec2:*","Resource":"*"`)}}, want: eval.Allowed},
		{rule: "17 the list is a setting", who: alice, identity: allowAll, action: "EC2:RunInstances", on: "*", rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"ec2:*","Resource":"*"`)}}, org: eval.Organization{RCPServices: []string{"ec2"}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 a customer's key is bound", who: alice, identity: allowAll, resource: keyPolicy(toRoot), action: "kms:Decrypt", on: key, rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"`)}}, want: eval.ExplicitDeny, blocked: rcp},
		{rule: "17 a key of AWS is free", who: alice, identity: allowAll, resource: keyPolicy(toRoot), action: "kms:Decrypt", on: key, awsKey: true, rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"`)}}, want: eval.Allowed},
		{rule: "17 retiring a grant is free", who: alice, identity: allowAll, resource: keyPolicy(toRoot), action: "kms:RetireGrant", on: key, rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"`)}}, want: eval.Allowed},
		{rule: "57 RCPs bind who comes with a token", who: github, resource: trusts(toGitHub), action: "sts:AssumeRoleWithWebIdentity", on: roleARN, owner: home, rcp: [][]string{{v12(`"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*"`)}}, want: eval.ExplicitDeny, blocked: rcp},

		{rule: "18 the endpoint allows", who: alice, identity: allowAll, endpoint: []string{allowFromVPC}, want: eval.Allowed},
		{rule: "18 the endpoint is silent", who: alice, identity: allowAll, endpoint: []string{v12(`"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"`)}, blocked: endpoint},
		{rule: "18 a resource policy does not make up for it", who: alice, resource: grants(toAlice), endpoint: []string{v12(`"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"`)}, blocked: endpoint},
		{rule: "18 the endpoint denies", who: alice, identity: allowAll, endpoint: []string{allowFromVPC, denyS3Everyone}, want: eval.ExplicitDeny, blocked: endpoint},
		{rule: "18 the endpoint lets another in", who: session, identity: allowAll, endpoint: []string{v12(`"Effect":"Allow","Principal":` + toAlice + `,"Action":"*","Resource":"*"`)}, blocked: endpoint},
		{rule: "18 root too", who: root, endpoint: []string{v12(`"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"`)}, blocked: endpoint},
		{rule: "18 nobody too", who: nobody, resource: grants(toAll), endpoint: []string{v12(`"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"`)}, blocked: endpoint},

		{rule: "10 the key policy is silent", who: alice, identity: allowAll, resource: keyPolicy(toRole), action: "kms:Decrypt", on: key, blocked: []eval.Kind{eval.Resource}},
		{rule: "12 the key trusts its account", who: alice, identity: allowAll, resource: keyPolicy(toRoot), action: "kms:Decrypt", on: key, want: eval.Allowed},
		{rule: "12 the key trusts its account, identity silent", who: alice, identity: allowSQS, resource: keyPolicy(toRoot), action: "kms:Decrypt", on: key, blocked: []eval.Kind{eval.Identity}},
		{rule: "12 the key trusts the user", who: alice, resource: keyPolicy(toAlice), action: "kms:Decrypt", on: key, want: eval.Allowed},
		{rule: "12 root is not above the key policy", who: root, resource: keyPolicy(toAlice), action: "kms:Decrypt", on: key, blocked: []eval.Kind{eval.Resource}},
		{rule: "12 a grant", who: alice, resource: keyPolicy(toRole), action: "kms:Decrypt", on: key, granted: true, want: eval.Allowed},
		{rule: "12 a grant gives no other action", who: alice, resource: keyPolicy(toRole), action: "kms:PutKeyPolicy", on: key, granted: true, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity, eval.Resource}},
		{rule: "12 a grant is for keys", who: alice, action: "kms:Decrypt", on: "arn:aws:kms:eu-west-1:111111111111:alias/a", granted: true, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "12 a grant does not outweigh a deny", who: alice, identity: v12(`"Effect":"Deny","Action":"kms:*","Resource":"*"`), resource: keyPolicy(toRole), action: "kms:Decrypt", on: key, granted: true, want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "12 an alias is no key", who: alice, identity: allowAll, resource: keyPolicy(toRole), action: "kms:CreateAlias", on: "arn:aws:kms:eu-west-1:111111111111:alias/mine", want: eval.Allowed},
	} {
		t.Run(tc.rule, func(t *testing.T) { checkLimits(t, tc) })
	}
}

func checkLimits(t *testing.T, tc limitCase) {
	t.Helper()
	l := eval.Layers{Org: tc.org, Endpoint: compileList(t, eval.Endpoint, tc.endpoint)}
	if tc.identity != "" {
		l.Identity = compileList(t, eval.Identity, []string{tc.identity})
	}
	for _, level := range tc.scp {
		l.SCP = append(l.SCP, compileList(t, eval.SCP, level))
	}
	for _, level := range tc.rcp {
		l.RCP = append(l.RCP, compileList(t, eval.RCP, level))
	}
	r := &eval.Request{
		Principal: tc.who, Action: "s3:GetObject", Resource: bucket, ResourceAccount: tc.owner,
		AWSManagedKey: tc.awsKey, Granted: tc.granted,
	}
	if tc.action != "" {
		r.Action, r.Resource = tc.action, tc.on
	}
	if tc.resource != "" {
		kind, owned := eval.Owned(r.Action, r.Resource)
		if !owned {
			kind = eval.Resource
		}
		l.Resource = compile(t, "resource", kind, tc.resource)
	}
	if got := decide(t, &l, r); got != tc.want {
		t.Errorf("Decide = %v, want %v", got, tc.want)
	}
	if diff := cmp.Diff(tc.blocked, l.Explain(r).BlockedBy); diff != "" {
		t.Errorf("BlockedBy (-want +got):\n%s", diff)
	}
}

// Rules 10, 12 and 57: which resources always have a policy that must allow.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
//	https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func TestOwned(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:111111111111:key/1234"
	for _, tc := range []struct {
		rule, action, on string
		want             eval.Kind
		owned            bool
	}{
		{rule: "10 a role to assume", action: "STS:assumeRole", on: roleARN, want: eval.Trust, owned: true},
		{rule: "10 a role to change", action: "iam:UpdateRole", on: roleARN},
		{rule: "57 a role whose session gets tags", action: "sts:TagSession", on: roleARN, want: eval.Trust, owned: true},
		{rule: "57 or a source identity", action: "sts:SetSourceIdentity", on: "arn:aws-cn:iam::111111111111:role/a/b", want: eval.Trust, owned: true},
		{rule: "57 whatever it is", action: "sts:TagSession", on: "*", want: eval.Trust, owned: true},
		{rule: "57 a federated user has no policy", action: "sts:TagSession", on: fed.ARN},
		{rule: "57 nor has a user", action: "sts:SetSourceIdentity", on: alice.ARN},
		{rule: "12 a key", action: "kms:Decrypt", on: key, want: eval.Resource, owned: true},
		{rule: "12 an alias", action: "kms:CreateAlias", on: "arn:aws:kms:eu-west-1:111111111111:alias/a"},
	} {
		if got, owned := eval.Owned(tc.action, tc.on); got != tc.want || owned != tc.owned {
			t.Errorf("%s: %v %v, want %v %v", tc.rule, got, owned, tc.want, tc.owned)
		}
	}
	l := eval.Layers{Identity: compileList(t, eval.Identity, []string{allowAll})}
	if got := decide(t, &l, &eval.Request{Principal: alice, Action: "sts:TagSession", Resource: fed.ARN}); got != eval.Allowed {
		t.Errorf("57 tags of a federated user: %v", got)
	}
}

func compileList(t *testing.T, kind eval.Kind, srcs []string) []*eval.Policy {
	t.Helper()
	var out []*eval.Policy
	for _, src := range srcs {
		out = append(out, compile(t, kind.String(), kind, src))
	}
	return out
}

// Rules 19 and 20: what no policy can change.
//
//	https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
func TestAboveThePolicies(t *testing.T) {
	const (
		managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
		sso     = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_1"
		alias   = "arn:aws:kms:eu-west-1:111111111111:alias/aws/s3"
	)
	resourceSide := []eval.Kind{eval.Resource}
	for _, tc := range []struct {
		rule, action, on string
		who              eval.Principal
		identity         string
		resource         string
		want             eval.Explanation // without reasons
	}{
		{rule: "19 without permission", action: "sts:GetCallerIdentity", on: "*", who: alice, want: eval.Explanation{Decision: eval.Allowed, Rule: "sts:GetCallerIdentity needs no permission and cannot be denied"}},
		{rule: "19 despite a deny", action: "STS:getcalleridentity", on: "*", who: session, identity: v12(`"Effect":"Deny","Action":"*","Resource":"*"`), want: eval.Explanation{Decision: eval.Allowed, Rule: "sts:GetCallerIdentity needs no permission and cannot be denied"}},
		{rule: "19 services too", action: "sts:GetCallerIdentity", on: "*", who: ec2, want: eval.Explanation{Decision: eval.Allowed, Rule: "sts:GetCallerIdentity needs no permission and cannot be denied"}},
		{rule: "19 but not without credentials", action: "sts:GetCallerIdentity", on: "*", who: nobody, want: eval.Explanation{BlockedBy: resourceSide}},
		{rule: "20 a managed policy of AWS", action: "iam:CreatePolicyVersion", on: managed, who: alice, identity: allowAll, want: eval.Explanation{Rule: "AWS owns the resource and lets no account change it", BlockedBy: resourceSide}},
		{rule: "20 it may be read", action: "iam:GetPolicy", on: managed, who: alice, identity: allowAll, want: eval.Explanation{Decision: eval.Allowed}},
		{rule: "20 and attached", action: "iam:AttachRolePolicy", on: roleARN, who: alice, identity: allowAll, want: eval.Explanation{Decision: eval.Allowed}},
		{rule: "20 a service-linked role", action: "iam:PutRolePolicy", on: linkedARN, who: alice, identity: allowAll, want: eval.Explanation{Rule: "AWS owns the resource and lets no account change it", BlockedBy: resourceSide}},
		{rule: "20 it may be made and described", action: "iam:CreateServiceLinkedRole", on: linkedARN, who: alice, identity: allowAll, want: eval.Explanation{Decision: eval.Allowed}},
		{rule: "20 a role of Identity Center", action: "iam:UpdateAssumeRolePolicy", on: sso, who: root, want: eval.Explanation{Rule: "AWS owns the resource and lets no account change it", BlockedBy: resourceSide}},
		{rule: "20 an alias of AWS", action: "kms:UpdateAlias", on: alias, who: alice, identity: allowAll, want: eval.Explanation{Rule: "AWS owns the resource and lets no account change it", BlockedBy: resourceSide}},
		{rule: "20 a deny stays a deny", action: "kms:UpdateAlias", on: alias, who: alice, identity: v12(`"Effect":"Deny","Action":"*","Resource":"*"`), want: eval.Explanation{Decision: eval.ExplicitDeny, BlockedBy: []eval.Kind{eval.Identity}}},
		{rule: "2 root and the policy of its bucket", action: "s3:DeleteBucketPolicy", on: "arn:aws:s3:::b", who: root, resource: denyS3Everyone, want: eval.Explanation{Decision: eval.Allowed, Rule: "the account's root user may do everything in its account"}},
		{rule: "2 root and another call", action: "s3:DeleteBucket", on: "arn:aws:s3:::b", who: root, resource: denyS3Everyone, want: eval.Explanation{Decision: eval.ExplicitDeny, BlockedBy: resourceSide}},
		{rule: "2 a user and the policy of a bucket", action: "s3:DeleteBucketPolicy", on: "arn:aws:s3:::b", who: alice, identity: allowAll, resource: denyS3Everyone, want: eval.Explanation{Decision: eval.ExplicitDeny, BlockedBy: resourceSide}},
		{rule: "2 root", action: "s3:GetObject", on: bucket, who: root, want: eval.Explanation{Decision: eval.Allowed, Rule: "the account's root user may do everything in its account"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			var l eval.Layers
			if tc.identity != "" {
				l.Identity = compileList(t, eval.Identity, []string{tc.identity})
			}
			if tc.resource != "" {
				l.Resource = compileList(t, eval.Resource, []string{tc.resource})[0]
			}
			r := &eval.Request{Principal: tc.who, Action: tc.action, Resource: tc.on}
			decide(t, &l, r)
			got := l.Explain(r)
			got.Reasons = nil
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Explain (-want +got):\n%s", diff)
			}
		})
	}
}

// What is not known of an RCP denies in doubt, and only then.
func TestUnknownLimits(t *testing.T) {
	identity := compileList(t, eval.Identity, []string{allowAll})
	r := &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket}
	for name, l := range map[string]eval.Layers{
		"SCP": {Identity: identity, SCP: [][]*eval.Policy{{nil}}},
		"RCP": {Identity: identity, RCP: [][]*eval.Policy{{nil}}},
	} {
		if l.Decide(r) != eval.ImplicitDeny || !l.MightAllow(r) {
			t.Errorf("an unknown %s: %v, might allow %v", name, l.Decide(r), l.MightAllow(r))
		}
	}
}

// Level counts from the organisation's root.
func TestExplainNamesTheLevel(t *testing.T) {
	l := eval.Layers{
		Identity: compileList(t, eval.Identity, []string{allowAll}),
		SCP:      [][]*eval.Policy{compileList(t, eval.SCP, []string{allowAll}), compileList(t, eval.SCP, []string{denyS3})},
	}
	got := l.Explain(&eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket}).Reasons
	if len(got) != 1 || got[0].Kind != eval.SCP || got[0].Level != 1 {
		t.Errorf("Reasons = %+v, want one of the SCP at level 1", got)
	}
}

// Policies that must say whom they are for allow nobody without, and deny
// everybody.
func TestLimitsWithoutPrincipal(t *testing.T) {
	for kind, name := range map[eval.Kind]string{eval.Endpoint: "a VPC endpoint policy", eval.RCP: "a resource control policy"} {
		for effect, want := range map[string]eval.Decision{"Allow": eval.ImplicitDeny, "Deny": eval.ExplicitDeny} {
			p, err := eval.Compile("p", kind, document(t, v12(`"Effect":"`+effect+`","Action":"*","Resource":"*"`)))
			if text := "compile policy p: statement 0 (at 1:38): " + name + " needs a Principal"; err == nil || err.Error() != text {
				t.Errorf("%v: error %v, want %s", kind, err, text)
			}
			l := eval.Layers{Identity: compileList(t, eval.Identity, []string{allowAll}), Endpoint: []*eval.Policy{p}}
			if kind == eval.RCP {
				l.Endpoint, l.RCP = nil, [][]*eval.Policy{{p}}
			}
			if kind == eval.RCP && effect == "Allow" {
				want = eval.Allowed // what is not denied is allowed
			}
			if got := decide(t, &l, &eval.Request{Principal: alice, Action: "s3:GetObject", Resource: bucket}); got != want {
				t.Errorf("%s on %v: %v, want %v", effect, kind, got, want)
			}
		}
	}
	if _, err := eval.Compile("p", eval.RCP, document(t, v12(`"Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*"`))); err == nil {
		t.Error("an RCP with NotPrincipal compiles")
	}
}

// Rules 19 and 57: root and federated users assume no roles; the bearers of
// tokens do it by calls of their own and can do nothing else; only who has a
// long-term key gets tokens for it.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
//	https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
//	https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func TestWhoMayCall(t *testing.T) {
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}`
	everyone := []eval.Principal{alice, role, session, fed, root, ec2, github, saml, nobody}
	signers := []eval.Principal{alice, role, session, fed, root, ec2, nobody}
	for _, tc := range []struct {
		rule, action, on string
		want             []eval.Principal
	}{
		{rule: "57 roles by users, sessions and services", action: "sts:AssumeRole", on: roleARN, want: []eval.Principal{alice, role, session, ec2}},
		{rule: "57 roles by web identities", action: "STS:assumerolewithwebidentity", on: roleARN, want: []eval.Principal{github, nobody}},
		{rule: "57 roles by SAML", action: "sts:AssumeRoleWithSAML", on: roleARN, want: []eval.Principal{saml, nobody}},
		{rule: "57 tags go with any of these", action: "sts:TagSession", on: roleARN, want: everyone},
		{rule: "57 so does the source identity", action: "sts:setsourceidentity", on: roleARN, want: everyone},
		{rule: "57 tokens tag no federated user", action: "sts:TagSession", on: fed.ARN, want: signers},
		{rule: "57 tokens ask nothing else of sts", action: "sts:DecodeAuthorizationMessage", on: "*", want: signers},
		{rule: "57 tokens read no bucket that is open to everyone", action: "s3:GetObject", on: bucket, want: signers},
		{rule: "57 tokens do not say who they are", action: "sts:GetCallerIdentity", on: "*", want: signers},
		{rule: "19 sessions of who has a key", action: "sts:GetSessionToken", on: "*", want: []eval.Principal{alice, root}},
		{rule: "19 federated users of who has a key", action: "sts:GetFederationToken", on: fed.ARN, want: []eval.Principal{alice, root}},
	} {
		l := eval.Layers{
			Identity: []*eval.Policy{compile(t, "identity", eval.Identity, allowAll)},
			Session:  []*eval.Policy{compile(t, "session", eval.Session, allowAll)},
			Resource: compile(t, "resource", eval.Resource, open),
		}
		var got, might []eval.Principal
		for _, p := range everyone {
			r := &eval.Request{Principal: p, Action: tc.action, Resource: tc.on}
			if decide(t, &l, r) == eval.Allowed {
				got = append(got, p)
			}
			if l.MightAllow(r) {
				might = append(might, p)
			}
			if judged := l.Judge(r).Outlook == eval.Always; judged != (decide(t, &l, r) == eval.Allowed) {
				t.Errorf("%s: %v: Judge says always: %v", tc.rule, p, judged)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.rule, diff)
		}
		if diff := cmp.Diff(tc.want, might); diff != "" {
			t.Errorf("%s, in doubt (-want +got):\n%s", tc.rule, diff)
		}
	}
	denied := eval.Layers{Identity: []*eval.Policy{compile(t, "identity", eval.Identity, v12(`"Effect":"Deny","Action":"*","Resource":"*"`))}}
	for _, p := range everyone {
		want := eval.ExplicitDeny
		if p.Kind == eval.User || p.Kind == eval.Root {
			want = eval.Allowed
		}
		if got := decide(t, &denied, &eval.Request{Principal: p, Action: "sts:GetSessionToken", Resource: "*"}); (got == eval.Allowed) != (want == eval.Allowed) {
			t.Errorf("sts:GetSessionToken by %v: %v", p, got)
		}
	}
}
