package trust

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

const (
	uuidA = "0a1b2c3d-0000-4000-8000-00000000000a"
	uuidB = "0a1b2c3d-0000-4000-8000-00000000000b"
	uuidC = "0a1b2c3d-0000-4000-8000-00000000000c"
)

// kinds are identities of every kind, each in its variants, for a role in s.
func kinds(s Scope) []Identity {
	arn := func(service, region, account, resource string) string {
		return iam.ARN{Partition: s.Partition, Service: service, Region: region, Account: account, Resource: resource}.String()
	}
	all := []Identity{
		GitHub{Repository: "acme/shop", Environment: "production", Branch: "main"},
		GitHub{Repository: "acme/shop", Environment: "production", Tag: "v*", RepositoryID: "2", OwnerID: "1"},
		GitHub{Repository: "acme/shop", Branch: "main", JobWorkflowRef: "acme/shared/.github/workflows/deploy.yml@refs/heads/main"},
		GitHub{Repository: "acme/shop", Branch: "main", Enterprise: "acme-inc", RepositoryID: "2", OwnerID: "1"},
		GitHub{Repository: "acme/shop", Environment: "production", Branch: "main", Host: "acme.ghe.com", RepositoryID: "2", OwnerID: "1"},
		GitHub{Repository: "acme/shop", Environment: "production", Host: "github.example.com"},
		GitLab{ProjectPath: "acme/shop", Ref: "main"},
		GitLab{ProjectPath: "acme/team/shop", ProjectID: "7", Ref: "release/*", RefProtected: true},
		GitLab{ProjectPath: "acme/shop", Ref: "v*", RefType: "tag", PipelineSource: "push"},
		GitLab{ProjectPath: "acme/shop", Ref: "main", EnvironmentProtected: true, DeploymentTier: "production", Audience: "https://gitlab.com/acme"},
		GitLab{ProjectPath: "acme/shop", Ref: "main", Host: "gitlab.example.com"},
		GitLab{ProjectPath: "acme/shop", ProjectID: "7", Ref: "v*", RefType: "tag", Host: "gitlab.example.com"},
		GitLab{ProjectPath: "acme/shop", ProjectID: "7", Ref: "main", EnvironmentProtected: true, Host: "gitlab.example.com"},
		CircleCI{OrganizationID: uuidA, ProjectID: uuidB, VCSOrigin: "github.com/acme/shop", VCSRef: "refs/heads/main"},
		CircleCI{OrganizationID: uuidA, ProjectID: uuidB, VCSOrigin: "github.com/acme/shop", VCSRef: "refs/heads/release/*"},
		CircleCI{OrganizationID: uuidA, ProjectID: uuidB, AnyRef: true, Audience: "sts.amazonaws.com"},
		Bitbucket{Workspace: "acme", WorkspaceUUID: "{" + uuidA + "}", RepositoryUUID: "{" + uuidB + "}", EnvironmentUUID: "{" + uuidC + "}"},
		Bitbucket{Workspace: "acme", RepositoryUUID: uuidB, AnyBranch: true, Audience: "sts.amazonaws.com"},
		Buildkite{Organization: "acme", Pipeline: "shop", Branch: "main"},
		Buildkite{Organization: "acme", Pipeline: "shop", Branch: "release/*", OrganizationID: uuidA, PipelineID: uuidB, SessionTags: []string{"organization_id", "pipeline_slug", "build_branch"}},
		Buildkite{Organization: "acme", Pipeline: "shop", Tag: "v1", Step: "deploy"},
		AzureDevOps{Organization: "acme", OrganizationID: uuidA, Project: "The Shop", ServiceConnection: "aws-production"},
		JenkinsOIDC{Issuer: "https://jenkins.example.com/oidc", JobURL: "https://jenkins.example.com/job/shop/"},
		JenkinsOIDC{Issuer: "https://keys.example.com", JobURL: "http://jenkins.internal:8080/job/team/job/shop/", Audience: "aws"},
		HCPTerraform{Organization: "acme", Project: "Default Project", Workspace: "shop", RunPhase: "plan"},
		HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop-prod", RunPhase: "apply", Host: "terraform.example.com", Audience: "sts.amazonaws.com"},
		PulumiCloud{Organization: "acme", Environment: "shop/production"},
		PulumiCloud{Organization: "acme", Project: "shop", Stack: "production", Operations: []string{"update", "refresh"}},
		Forgejo{Host: "codeberg.org", Repository: "acme/shop", Branch: "main"},
		Forgejo{Host: "codeberg.org", Repository: "acme/shop", RepositoryID: "2", OwnerID: "1", Tag: "v*"},
		Forgejo{Host: "git.example.com", Repository: "acme/shop", PullRequest: true, Audience: "aws"},
		Spacelift{Host: "acme.app.spacelift.io", Space: "legacy", Stack: "shop", RunType: "TRACKED", Scope: "write"},
		Spacelift{Host: "acme.app.spacelift.io", Space: "root", Module: "vpc", RunType: "PROPOSED", Scope: "read"},
		Kubernetes{Issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF", Namespace: "shop", ServiceAccount: "api"},
		Kubernetes{Issuer: "https://k8s.example.com/cluster", Namespace: "shop", ServiceAccount: "api.v2", Audience: "aws"},
		EKSPodIdentity{ClusterARN: arn("eks", s.Region, s.Account, "cluster/prod"), Namespace: "shop", ServiceAccount: "api"},
		OIDC{Issuer: "https://issuer.example.com/tenant", Audience: "aws", Subject: "client/shop"},
		OIDC{Issuer: "https://idcs-0a1b2c.identity.oraclecloud.com", Audience: "aws", Subject: "ocid1.instance.oc1.shop", Claims: map[string]string{"rpst_id": "ocid1.compartment.oc1.shop"}},
		RolesAnywhere{TrustAnchor: arn("rolesanywhere", s.Region, s.Account, "trust-anchor/"+uuidA), CommonName: "build-1", OrganizationalUnit: "ci"},
		RolesAnywhere{TrustAnchor: arn("rolesanywhere", s.Region, s.Account, "trust-anchor/"+uuidA), URI: "spiffe://acme/build", IssuerCommonName: "acme CI CA"},
		Service{Name: "ec2"},
		Service{Name: "codebuild", SourceARN: arn("codebuild", s.Region, s.Account, "project/shop")},
		Service{Name: "eks"},
		Service{Name: "scheduler"},
		AWSRole{ARN: arn("iam", "", "333333333333", "role/ci/jenkins")},
		AWSRole{ARN: arn("iam", "", s.Account, "role/jenkins"), ExternalID: "ticket/42"},
		AWSUser{ARN: arn("iam", "", "333333333333", "user/postern/shop/travis")},
		AWSAccount{ID: "444444444444", ExternalID: "ticket/42"},
		AWSAccount{ID: "444444444444", OrgID: "o-abcdefghij"},
	}
	for _, g := range variants() {
		all = append(all, g)
	}
	return all
}

func TestEveryKindAdmitsItselfAndNoAttacker(t *testing.T) {
	for _, s := range attackScopes {
		for _, id := range kinds(s) {
			doc, err := Policy(s, []Entry{{Name: "x", Identity: id}})
			if err != nil {
				t.Errorf("%s in %s: %v", id.Describe(), s.Partition, err)
				continue
			}
			if !admits(doc, s, id.Caller(s)) {
				t.Errorf("%s is refused in %s: %+v\n%s", id.Describe(), s.Partition, id.Caller(s), doc.Indented())
			}
			for _, attack := range id.Attackers(s) {
				if admits(doc, s, attack.Caller) {
					t.Errorf("%s admits %s: %+v\n%s", id.Describe(), attack.Name, attack.Caller, doc.Indented())
				}
			}
		}
	}
}

// TestEachConditionKeepsSomebodyOut drops each condition in turn: somebody must
// then get in, or the condition proves nothing.
func TestEachConditionKeepsSomebodyOut(t *testing.T) {
	s := attackScopes[0]
	for _, id := range kinds(s) {
		whole := id.statement(s)
		for i, dropped := range whole.Conditions {
			if singleAudience(id) && strings.HasSuffix(dropped.Key, ":aud") || dropped.Key == "aws:SourceAccount" && id.(Service).SourceARN != "" {
				continue // the ARN names the account too; AWS advises to ask for both
			}
			st := whole
			st.Conditions = slices.Delete(slices.Clone(whole.Conditions), i, i+1)
			doc := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{st}}
			if !slices.ContainsFunc(id.Attackers(s), func(a Attack) bool { return admits(doc, s, a.Caller) }) {
				t.Errorf("%s: without %s %s nobody gets in", id.Describe(), dropped.Operator, dropped.Key)
			}
		}
	}
}

// singleAudience reports kinds whose issuer makes tokens for one audience only.
func singleAudience(id Identity) bool {
	return slices.Contains([]string{"azure_devops", "spacelift"}, id.Kind())
}

// TestAttackersCouldComeIn: each attacker gets into a role that trusts, without
// condition, whom it comes from.
func TestAttackersCouldComeIn(t *testing.T) {
	s := attackScopes[0]
	for _, id := range kinds(s) {
		seen := map[string]bool{}
		for _, a := range id.Attackers(s) {
			st := iam.Statement{Effect: iam.Allow, Actions: []string{"sts:*"}, Principal: &iam.Principal{AWS: []string{a.Principal.ARN}}}
			switch a.Principal.Kind {
			case eval.WebIdentity:
				st.Principal = &iam.Principal{Federated: []string{a.Principal.ARN}}
			case eval.Service:
				st.Principal = &iam.Principal{Service: []string{a.Principal.ARN}}
			}
			if !admits(&iam.Document{Version: iam.Version2012, Statements: []iam.Statement{st}}, s, a.Caller) {
				t.Errorf("%s: %s fails against an open door: %+v", id.Describe(), a.Name, a.Caller)
			}
			if a.Why == "" || seen[a.Name] {
				t.Errorf("%s: %q has no why, or stands twice", id.Describe(), a.Name)
			}
			seen[a.Name] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s has %d attackers", id.Describe(), len(seen))
		}
	}
}

// TestEveryKindKnowsItself: what is known of an identity's requests is true of
// them.
func TestEveryKindKnowsItself(t *testing.T) {
	for _, s := range attackScopes {
		for _, id := range kinds(s) {
			keys := id.Caller(s).Keys
			if !slices.ContainsFunc(KnownOf(id, s).Forms, func(form map[string]string) bool {
				for key, pattern := range form {
					if have := keys[key]; len(have) != 1 || !iam.Match(pattern, have[0]) {
						return len(have) == 0 && strings.HasSuffix(key, ":environment")
					}
				}
				return true
			}) {
				t.Errorf("%s: no form of %v is true of %v", id.Describe(), KnownOf(id, s), keys)
			}
		}
	}
}

// TestPinsAreKeys: a condition on a claim that AWS makes no key of never holds.
func TestPinsAreKeys(t *testing.T) {
	s := attackScopes[0]
	for _, id := range kinds(s) {
		tokens, _ := TokensOf(id, s)
		for _, pin := range tokens.Pins {
			if !Offered(tokens.Issuer, pin.Name) {
				t.Errorf("%s asks for %s, which is no key of %s", id.Describe(), pin.Name, tokens.Issuer)
			}
		}
	}
}

func TestStrangersAreNoneWhomAnotherEntryMeans(t *testing.T) {
	s := attackScopes[0]
	names := func(entries []Entry, i int) []string {
		var names []string
		for _, a := range Strangers(s, entries, i) {
			names = append(names, a.Name)
		}
		return names
	}
	plan := Entry{Name: "plan", Identity: HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop", RunPhase: "plan"}}
	apply := Entry{Name: "apply", Identity: HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop", RunPhase: "apply"}}
	alone, both := names([]Entry{plan}, 0), names([]Entry{plan, apply}, 0)
	want := slices.DeleteFunc(slices.Clone(alone), func(name string) bool { return name == "the other run phase" })
	if diff := cmp.Diff(want, both); diff != "" || len(want) == len(alone) {
		t.Errorf("strangers beside apply (-want +got):\n%s", diff)
	}
	vendor := Entry{Name: "vendor", Identity: AWSRole{ARN: "arn:aws:iam::333333333333:role/vendor"}, ExternalID: "ours"}
	if got := names([]Entry{vendor}, 0); !slices.Contains(got, "the right caller without external id") {
		t.Errorf("strangers to an entry with external id: %v", got)
	}
}
