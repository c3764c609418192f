package eval_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/eval"
)

const (
	allowAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	allowSQS  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	denyS3    = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	denyAlice = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},"Action":"s3:*","Resource":"*"}]}`
)

// grants is a bucket policy that allows a principal element.
func grants(principal string) string {
	return v12(`"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"`)
}

// trusts is a trust policy that lets a principal element in.
func trusts(principal string) string {
	return v12(`"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole*"`)
}

const (
	toAlice   = `{"AWS":"arn:aws:iam::111111111111:user/alice"}`
	toRole    = `{"AWS":"arn:aws:iam::111111111111:role/team/ci"}`
	toSession = `{"AWS":"arn:aws:sts::111111111111:assumed-role/ci/run-1"}`
	toFed     = `{"AWS":"arn:aws:sts::111111111111:federated-user/bob"}`
	toAccount = `{"AWS":"111111111111"}`
	toRoot    = `{"AWS":"arn:aws:iam::111111111111:root"}`
	toAll     = `"*"`
	toAllAWS  = `{"AWS":"*"}`
	toGitHub  = `{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}`
	toSAML    = `{"Federated":"arn:aws:iam::111111111111:saml-provider/corp"}`
	toEC2     = `{"Service":"ec2.amazonaws.com"}`
)

// Rules are numbered as in our table of documented behaviour; the pages are
// of the IAM User Guide:
//
//	reference_policies_evaluation-logic.html and …_policy-eval-denyallow.html
//	reference_policies_evaluation-logic-cross-account.html
//	reference_policies_elements_principal.html
//	access_policies_boundaries.html, access_policies.html#policies_session
func TestCombination(t *testing.T) {
	for _, tc := range []struct {
		rule                          string
		who                           eval.Principal
		identity, boundary, session   string // empty: no such policy
		resource, trust               string // at most one
		owner                         string // the resource's account; empty: home
		want                          eval.Decision
		blocked                       []eval.Kind
		action                        string // default s3:GetObject, or sts:AssumeRole with a trust
		secondIdentity, secondSession string
	}{
		{rule: "1 explicit deny in the identity policy wins", who: alice, identity: allowAll, secondIdentity: denyS3, want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "1 over a direct resource grant", who: alice, identity: denyS3, resource: grants(toAlice), want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "1 in the boundary, over a direct resource grant", who: alice, boundary: denyS3, resource: grants(toAlice), want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Boundary}},
		{rule: "1 in the session policy, over a grant to the session", who: session, session: denyS3, resource: grants(toSession), want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Session}},
		{rule: "1 in the resource policy", who: alice, identity: allowAll, resource: denyAlice, want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Resource}},
		{rule: "1 in two layers", who: alice, identity: denyS3, resource: denyAlice, want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Identity, eval.Resource}},
		{rule: "1 across accounts", who: alice, identity: denyS3, resource: grants(toAlice), owner: other, want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "1 also for root, from the resource's side", who: root, resource: v12(`"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"`), want: eval.ExplicitDeny, blocked: []eval.Kind{eval.Resource}},

		{rule: "2 nothing allows", who: alice, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "2 identity allows", who: alice, identity: allowAll, want: eval.Allowed},
		{rule: "2 identity allows something else", who: alice, identity: allowSQS, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "2 root may do all in its account", who: root, want: eval.Allowed},
		{rule: "2 root of another account may not", who: root, owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Resource}},
		{rule: "2 root of another account, if the owner lets the account", who: root, resource: grants(toAccount), owner: other, want: eval.Allowed},
		{rule: "2 resource policy without a word about root", who: root, resource: grants(toAlice), want: eval.Allowed},

		{rule: "3 user named, no identity policy", who: alice, resource: grants(toAlice), want: eval.Allowed},
		{rule: "3 user named, boundary silent", who: alice, boundary: allowSQS, resource: grants(toAlice), want: eval.Allowed},
		{rule: "3 another user named", who: alice, resource: grants(`{"AWS":"arn:aws:iam::111111111111:user/bob"}`), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},

		{rule: "4 role named, no identity policy", who: session, resource: grants(toRole), want: eval.Allowed},
		{rule: "4 role named, boundary silent", who: session, boundary: allowSQS, resource: grants(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary}},
		{rule: "4 role named, session policy silent", who: session, session: allowSQS, resource: grants(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Session}},
		{rule: "4 role named, both silent", who: session, identity: allowSQS, boundary: allowSQS, session: allowSQS, resource: grants(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary, eval.Session}},
		{rule: "4 any session of the role", who: role, resource: grants(toRole), want: eval.Allowed},
		{rule: "4 any session of the role, boundary silent", who: role, boundary: allowSQS, resource: grants(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary}},

		{rule: "5 session named, all silent", who: session, identity: allowSQS, boundary: allowSQS, session: allowSQS, resource: grants(toSession), want: eval.Allowed},
		{rule: "5 federated user session named, all silent", who: fed, boundary: allowSQS, session: allowSQS, resource: grants(toFed), want: eval.Allowed},
		{rule: "5 any session of the role is not that session", who: role, resource: grants(toSession), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},

		{rule: "6 federated user, its user named, session policy silent", who: fed, session: allowSQS, resource: grants(toAlice), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Session}},
		{rule: "6 federated user, its user named, session policy allows", who: fed, session: allowAll, resource: grants(toAlice), want: eval.Allowed},
		{rule: "6 federated user, its user named, boundary silent", who: fed, boundary: allowSQS, session: allowAll, resource: grants(toAlice), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary}},
		{rule: "6 federated user without session policy", who: fed, identity: allowAll, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Session}},
		{rule: "6 federated user with session policy", who: fed, identity: allowAll, session: allowAll, want: eval.Allowed},

		{rule: "7 account id named, identity silent", who: alice, resource: grants(toAccount), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "7 root ARN named, identity silent", who: session, resource: grants(toRoot), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "7 root ARN named, identity allows", who: session, identity: allowAll, resource: grants(toRoot), want: eval.Allowed},

		{rule: "8 everyone, user without policies", who: alice, resource: grants(toAll), want: eval.Allowed},
		{rule: "8 everyone, session, all silent", who: session, boundary: allowSQS, session: allowSQS, resource: grants(toAllAWS), want: eval.Allowed},
		{rule: "8 everyone, across accounts, identity silent", who: alice, resource: grants(toAll), owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "8 everyone, across accounts, identity allows", who: alice, identity: allowAll, resource: grants(toAll), owner: other, want: eval.Allowed},
		{rule: "8 anonymous gets in", who: nobody, resource: grants(toAll), owner: other, want: eval.Allowed},
		{rule: "8 anonymous gets in by the AWS form", who: nobody, resource: grants(toAllAWS), owner: other, want: eval.Allowed},
		{rule: "8 anonymous is no account", who: nobody, resource: grants(toAccount), owner: home, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Resource}},

		{rule: "9 identity alone", who: alice, identity: allowAll, owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Resource}},
		{rule: "9 resource alone", who: alice, resource: grants(toAlice), owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "9 both", who: alice, identity: allowAll, resource: grants(toAlice), owner: other, want: eval.Allowed},
		{rule: "9 both, by account", who: alice, identity: allowAll, resource: grants(toAccount), owner: other, want: eval.Allowed},
		{rule: "9 boundary silent", who: alice, identity: allowAll, boundary: allowSQS, resource: grants(toAlice), owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary}},
		{rule: "9 session named, boundary and session silent", who: session, identity: allowAll, boundary: allowSQS, session: allowSQS, resource: grants(toSession), owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary, eval.Session}},
		{rule: "9 nothing", who: alice, owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity, eval.Resource}},

		{rule: "10 trust silent, identity allows", who: alice, identity: allowAll, trust: trusts(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "11 trust names the user", who: alice, trust: trusts(toAlice), want: eval.Allowed},
		{rule: "11 trust names the role, boundary silent", who: session, boundary: allowSQS, trust: trusts(toRole), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Boundary}},
		{rule: "11 trust names the account, identity silent", who: alice, trust: trusts(toRoot), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "11 trust names the account, identity allows", who: alice, identity: allowAll, trust: trusts(toRoot), want: eval.Allowed},
		{rule: "11 root needs the trust too", who: root, trust: trusts(toAlice), want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "9 trust of another account, identity silent", who: alice, trust: trusts(toAlice), owner: other, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "9 trust of another account, both", who: alice, identity: allowAll, trust: trusts(toAlice), owner: other, want: eval.Allowed},

		{rule: "13 session policy silent", who: session, identity: allowAll, session: allowSQS, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Session}},
		{rule: "13 identity silent", who: session, identity: allowSQS, session: allowAll, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "13 session policies union", who: session, identity: allowAll, session: allowSQS, secondSession: allowAll, want: eval.Allowed},
		{rule: "13 boundary is no grant", who: session, boundary: allowAll, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Identity}},
		{rule: "13 all three", who: session, identity: allowAll, boundary: allowAll, session: allowAll, want: eval.Allowed},

		{rule: "57 web identity needs only the trust", who: github, trust: trusts(toGitHub), action: "sts:AssumeRoleWithWebIdentity", want: eval.Allowed},
		{rule: "57 web identity, another provider", who: github, trust: trusts(toSAML), action: "sts:AssumeRoleWithWebIdentity", want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "57 web identity is not let in by its account", who: github, trust: trusts(toAccount), action: "sts:AssumeRoleWithWebIdentity", want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "57 web identity is no AWS principal", who: github, trust: trusts(toAllAWS), action: "sts:AssumeRoleWithWebIdentity", want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "57 SAML", who: saml, trust: trusts(toSAML), action: "sts:AssumeRoleWithSAML", want: eval.Allowed},
		{rule: "57 tagging the session must be trusted too", who: github, trust: trusts(toGitHub), action: "sts:TagSession", want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "25 a service", who: ec2, trust: trusts(toEC2), owner: home, want: eval.Allowed},
		{rule: "25 another service", who: ec2, trust: trusts(`{"Service":"ecs.amazonaws.com"}`), owner: home, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Trust}},
		{rule: "25 a service without resource policy", who: ec2, identity: allowAll, owner: home, want: eval.ImplicitDeny, blocked: []eval.Kind{eval.Resource}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			var l eval.Layers
			add := func(layer *[]*eval.Policy, kind eval.Kind, srcs ...string) {
				for _, src := range srcs {
					if src != "" {
						*layer = append(*layer, compile(t, kind.String(), kind, src))
					}
				}
			}
			add(&l.Identity, eval.Identity, tc.identity, tc.secondIdentity)
			add(&l.Boundary, eval.Boundary, tc.boundary)
			add(&l.Session, eval.Session, tc.session, tc.secondSession)
			r := &eval.Request{Principal: tc.who, Action: "s3:GetObject", Resource: bucket, ResourceAccount: tc.owner}
			if tc.resource != "" {
				l.Resource = compile(t, "bucket", eval.Resource, tc.resource)
			}
			if tc.trust != "" {
				l.Resource = compile(t, "trust", eval.Trust, tc.trust)
				r.Action, r.Resource = "sts:AssumeRole", roleARN
			}
			if tc.action != "" {
				r.Action = tc.action
			}
			if got := decide(t, &l, r); got != tc.want {
				t.Errorf("Decide = %v, want %v", got, tc.want)
			}
			if diff := cmp.Diff(tc.blocked, l.Explain(r).BlockedBy); diff != "" {
				t.Errorf("BlockedBy (-want +got):\n%s", diff)
			}
		})
	}
}

// Rules 21 to 31. Who is let in by, or kept out by, a Principal element.
//
//	reference_policies_elements_principal.html
//	reference_policies_elements_notprincipal.html
func TestPrincipals(t *testing.T) {
	everyone := []eval.Principal{alice, role, session, fed, root, ec2, github, saml, nobody}
	allow := func(principal string) string {
		return v12(`"Effect":"Allow","Principal":` + principal + `,"Action":"*"`)
	}
	deny := func(principal string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny",` + principal + `,"Action":"*"}]}`
	}
	for _, tc := range []struct {
		rule    string
		policy  string
		bounded bool             // with a permissions boundary that allows
		want    []eval.Principal // the allowed
		doubt   []eval.Principal // those who might be
	}{
		{rule: "21 the bare star", policy: allow(`"*"`), want: everyone},
		{rule: "21 the star of AWS", policy: allow(`{"AWS":"*"}`), want: []eval.Principal{alice, role, session, fed, root, ec2, nobody}, doubt: []eval.Principal{github, saml}},
		{rule: "22 the account takes in all who live there", policy: allow(`{"AWS":"111111111111"}`), want: []eval.Principal{alice, role, session, fed, root}},
		{rule: "22 and so does its root ARN", policy: allow(`{"AWS":["arn:aws:iam::111111111111:root","333333333333"]}`), want: []eval.Principal{alice, role, session, fed, root}},
		{rule: "22 types are alternatives", policy: allow(`{"AWS":"arn:aws:iam::111111111111:user/alice","Service":["ecs.amazonaws.com","ec2.amazonaws.com"]}`), want: []eval.Principal{alice, fed, ec2}},
		{rule: "23 a role takes in its sessions", policy: allow(toRole), want: []eval.Principal{role, session}},
		{rule: "23 a role without its path is another", policy: allow(`{"AWS":"arn:aws:iam::111111111111:role/ci"}`)},
		{rule: "23 a session is one", policy: allow(toSession), want: []eval.Principal{session}},
		{rule: "23 another session", policy: allow(`{"AWS":"arn:aws:sts::111111111111:assumed-role/ci/run-2"}`)},
		{rule: "25 federation", policy: allow(toGitHub), want: []eval.Principal{github}},
		{rule: "26 a deleted principal's id matches nobody", policy: allow(`{"AWS":"AIDAJQABLZS4A3QDU576Q"}`)},
		{rule: "25 a canonical user id allows nobody we know", policy: allow(`{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`), doubt: []eval.Principal{alice, role, session, fed, root, nobody}},
		{rule: "25 in a Deny it might be anyone of AWS", policy: deny(`"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`), want: []eval.Principal{ec2, github, saml}, doubt: []eval.Principal{alice, role, session, fed, root, nobody}},
		{rule: "21 Deny on the star of AWS", policy: deny(`"Principal":{"AWS":"*"}`), doubt: []eval.Principal{github, saml}},
		{rule: "23 Deny on the role", policy: deny(`"Principal":` + toRole), want: []eval.Principal{alice, fed, root, ec2, github, saml, nobody}},
		{rule: "27 all but a user and its account", policy: deny(`"NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/alice","111111111111"]}`), want: []eval.Principal{alice, root}},
		{rule: "27 the account must be listed", policy: deny(`"NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/alice"]}`)},
		{rule: "27 the account alone", policy: deny(`"NotPrincipal":{"AWS":["111111111111"]}`), want: []eval.Principal{root}},
		{rule: "27 a session needs account, role and session", policy: deny(`"NotPrincipal":{"AWS":["111111111111","arn:aws:iam::111111111111:role/team/ci","arn:aws:sts::111111111111:assumed-role/ci/run-1"]}`), want: []eval.Principal{role, session, root}},
		{rule: "27 a role without a session", policy: deny(`"NotPrincipal":{"AWS":["111111111111","arn:aws:iam::111111111111:role/team/ci"]}`), want: []eval.Principal{role, root}},
		{rule: "27 a session without its role", policy: deny(`"NotPrincipal":{"AWS":["111111111111","arn:aws:sts::111111111111:assumed-role/ci/run-1"]}`), want: []eval.Principal{root}},
		{rule: "27 all but a service", policy: deny(`"NotPrincipal":{"Service":"ec2.amazonaws.com"}`), want: []eval.Principal{ec2}},
		{rule: "27 all but a provider", policy: deny(`"NotPrincipal":` + toSAML), want: []eval.Principal{saml}},
		{rule: "27 all but AWS", policy: deny(`"NotPrincipal":{"AWS":"*"}`), want: []eval.Principal{alice, role, session, fed, root, nobody}},
		{rule: "27 all but everyone", policy: deny(`"NotPrincipal":"*"`), want: everyone},
		{rule: "28 who has a boundary is always denied", policy: deny(`"NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/alice","111111111111"]}`), bounded: true},
		{rule: "28 a service has none", policy: deny(`"NotPrincipal":{"Service":"ec2.amazonaws.com"}`), bounded: true, want: []eval.Principal{ec2}},
		{rule: "30 without Principal nobody", policy: v12(`"Effect":"Allow","Action":"*"`)},
		{rule: "30 also in a Deny", policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny","Action":"*"}]}`, want: everyone},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			// As a trust policy, which must allow, and with identity policies
			// that do: what is left is the Principal element. The action is one
			// that trust policies judge for principals of every kind.
			l := eval.Layers{
				Identity: []*eval.Policy{compile(t, "identity", eval.Identity, allowAll)},
				Session:  []*eval.Policy{compile(t, "session", eval.Session, allowAll)},
				Resource: compile(t, "trust", eval.Trust, tc.policy),
			}
			if tc.bounded {
				l.Boundary = []*eval.Policy{compile(t, "boundary", eval.Boundary, allowAll)}
			}
			var got, doubtful []eval.Principal
			for _, p := range everyone {
				r := &eval.Request{Principal: p, Action: "sts:TagSession", Resource: roleARN}
				if decide(t, &l, r) == eval.Allowed {
					got = append(got, p)
				} else if l.MightAllow(r) {
					doubtful = append(doubtful, p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("allowed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.doubt, doubtful); diff != "" {
				t.Errorf("might be allowed (-want +got):\n%s", diff)
			}
		})
	}
}

// A principal that leaves out what it must have is not let in by the blank.
func TestIncompletePrincipal(t *testing.T) {
	p, err := eval.Compile("bucket", eval.Resource, document(t, grants(`{"AWS":["","arn:aws:iam::111111111111:role/team/ci"],"Service":"","Federated":""}`)))
	if err == nil {
		t.Error("compiled a principal without a name")
	}
	l := eval.Layers{Resource: p}
	for _, kind := range []eval.PrincipalKind{eval.Anonymous, eval.User, eval.Role, eval.RoleSession, eval.FederatedUser, eval.Service, eval.WebIdentity, eval.SAML, 200} {
		r := &eval.Request{Principal: eval.Principal{Kind: kind}, Action: "s3:GetObject", Resource: bucket, ResourceAccount: home}
		if got := decide(t, &l, r); got != eval.ImplicitDeny {
			t.Errorf("%v: %v", kind, got)
		}
	}
}
