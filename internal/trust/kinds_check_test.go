package trust

import "testing"

// TestEveryKindRefuses goes through the mistakes that guides and habit lead to.
func TestEveryKindRefuses(t *testing.T) {
	gitlab := func(change func(*GitLab)) GitLab {
		g := GitLab{ProjectPath: "acme/shop", Ref: "main"}
		change(&g)
		return g
	}
	circle := func(change func(*CircleCI)) CircleCI {
		c := CircleCI{OrganizationID: uuidA, ProjectID: uuidB, VCSOrigin: "github.com/acme/shop", VCSRef: "refs/heads/main"}
		change(&c)
		return c
	}
	bitbucket := func(change func(*Bitbucket)) Bitbucket {
		b := Bitbucket{Workspace: "acme", WorkspaceUUID: uuidA, RepositoryUUID: uuidB, EnvironmentUUID: uuidC}
		change(&b)
		return b
	}
	buildkite := func(change func(*Buildkite)) Buildkite {
		b := Buildkite{Organization: "acme", Pipeline: "shop", Branch: "main"}
		change(&b)
		return b
	}
	azure := func(change func(*AzureDevOps)) AzureDevOps {
		a := AzureDevOps{Organization: "acme", OrganizationID: uuidA, Project: "shop", ServiceConnection: "aws"}
		change(&a)
		return a
	}
	forgejo := func(change func(*Forgejo)) Forgejo {
		f := Forgejo{Host: "codeberg.org", Repository: "acme/shop", Branch: "main"}
		change(&f)
		return f
	}
	spacelift := func(change func(*Spacelift)) Spacelift {
		l := Spacelift{Host: "acme.app.spacelift.io", Space: "legacy", Stack: "shop", RunType: "TRACKED", Scope: "write"}
		change(&l)
		return l
	}
	pod := func(change func(*EKSPodIdentity)) EKSPodIdentity {
		p := EKSPodIdentity{ClusterARN: "arn:aws:eks:eu-west-1:222222222222:cluster/prod", Namespace: "shop", ServiceAccount: "api"}
		change(&p)
		return p
	}
	oidc := func(change func(*OIDC)) OIDC {
		o := OIDC{Issuer: "https://issuer.example.com", Audience: "aws", Subject: "shop"}
		change(&o)
		return o
	}
	const anchor = "arn:aws:rolesanywhere:eu-west-1:222222222222:trust-anchor/" + uuidA
	hcp := HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop"}

	for _, test := range []struct {
		name string
		id   Identity
		want []finding
	}{
		{"gitlab no project", gitlab(func(g *GitLab) { g.ProjectPath = "" }), []finding{{"project_path", "is missing", "GROUP/PROJECT"}}},
		{"gitlab group", gitlab(func(g *GitLab) { g.ProjectPath = "acme/*" }), []finding{{"project_path", "wildcard", "one identity per project"}}},
		{"gitlab address", gitlab(func(g *GitLab) { g.ProjectPath = "https://gitlab.com/acme/shop" }), []finding{{"project_path", "not the path", "without the host"}}},
		{"gitlab colon", gitlab(func(g *GitLab) { g.ProjectPath = "acme/shop:ref_type:tag" }), []finding{{"project_path", "not the path", ""}}},
		{"gitlab host in path", gitlab(func(g *GitLab) { g.ProjectPath = "gitlab.com/acme/shop" }), []finding{{"project_path", "not the path", "without the host"}}},
		{"gitlab group named like another host", gitlab(func(g *GitLab) { g.ProjectPath, g.Host = "gitlab.com/shop", "gitlab.example.com" }), nil},
		{"gitlab .git", gitlab(func(g *GitLab) { g.ProjectPath = "acme/shop.git" }), []finding{{"project_path", "ends in .git", "write acme/shop"}}},
		{"gitlab audience", gitlab(func(g *GitLab) { g.Audience = "https://*" }), []finding{{"audience", "wildcard", "each audience"}}},
		{"gitlab no ref", gitlab(func(g *GitLab) { g.Ref = "" }), []finding{{"ref", "any branch", "ref: main"}}},
		{"gitlab any ref", gitlab(func(g *GitLab) { g.Ref = "*" }), []finding{{"ref", "begins with a wildcard", "release/*"}}},
		{"gitlab full ref", gitlab(func(g *GitLab) { g.Ref = "refs/heads/main" }), []finding{{"ref", "full ref", ""}}},
		{"gitlab ref type", gitlab(func(g *GitLab) { g.RefType = "heads" }), []finding{{"ref_type", `"heads" is not known`, "branch, tag"}}},
		{"gitlab id of its own host", gitlab(func(g *GitLab) { g.Host, g.ProjectID = "gitlab.example.com", "7" }), nil},
		{"gitlab protection on its own host", gitlab(func(g *GitLab) { g.Host, g.RefProtected = "gitlab.example.com", true }), []finding{{"ref_protected", "no condition key", ""}}},
		{"gitlab tier", gitlab(func(g *GitLab) { g.DeploymentTier = "prod" }), []finding{{"deployment_tier", `"prod" is not known`, "production"}}},
		{"gitlab wildcard before the tier", gitlab(func(g *GitLab) { g.Ref, g.DeploymentTier = "release/*", "production" }), []finding{{"ref", "more of the subject follows", "each branch"}}},

		{"circleci slug", circle(func(c *CircleCI) { c.ProjectID = "shop" }), []finding{{"project_id", "not a UUID", "Project Settings"}}},
		{"circleci no project", circle(func(c *CircleCI) { c.ProjectID = "" }), []finding{{"project_id", "is missing", "Project Settings"}}},
		{"circleci no ref", circle(func(c *CircleCI) { c.VCSRef, c.VCSOrigin = "", "" }), []finding{{"vcs_ref", "every branch", "any_ref: true"}}},
		{"circleci short ref", circle(func(c *CircleCI) { c.VCSRef = "main" }), []finding{{"vcs_ref", "not a full ref", "refs/heads/BRANCH"}}},
		{"circleci any branch by wildcard", circle(func(c *CircleCI) { c.VCSRef = "refs/heads/*" }), []finding{{"vcs_ref", "begins with a wildcard", ""}}},
		{"circleci ref and any", circle(func(c *CircleCI) { c.AnyRef = true }), []finding{{"any_ref", "excludes vcs_origin", "remove it"}}},
		{"circleci origin address", circle(func(c *CircleCI) { c.VCSOrigin = "https://github.com/acme/shop" }), []finding{{"vcs_origin", "not host, owner and name", "without https://"}}},
		{"circleci origin without host", circle(func(c *CircleCI) { c.VCSOrigin = "acme/shop" }), []finding{{"vcs_origin", "not host, owner and name", "github.com/OWNER/NAME"}}},
		{"circleci origin .git", circle(func(c *CircleCI) { c.VCSOrigin += ".git" }), []finding{{"vcs_origin", "not host, owner and name", ".git"}}},
		{"circleci audience", circle(func(c *CircleCI) { c.Audience = "aws*" }), []finding{{"audience", "wildcard", ""}}},
		{"circleci no origin", circle(func(c *CircleCI) { c.VCSOrigin = "" }), []finding{{"vcs_origin", "is missing", "github.com/OWNER/NAME"}}},

		{"bitbucket name", bitbucket(func(b *Bitbucket) { b.RepositoryUUID = "shop" }), []finding{{"repository_uuid", "not a UUID", "Repository settings"}}},
		{"bitbucket nothing chosen", bitbucket(func(b *Bitbucket) { b.EnvironmentUUID = "" }), []finding{{"environment_uuid", "every branch", "any_branch: true"}}},
		{"bitbucket both", bitbucket(func(b *Bitbucket) { b.AnyBranch = true }), []finding{{"any_branch", "excludes environment_uuid", ""}}},
		{"bitbucket no audience", bitbucket(func(b *Bitbucket) { b.WorkspaceUUID = "" }), []finding{{"workspace_uuid", "is missing", "Repository settings"}}},
		{"bitbucket address", bitbucket(func(b *Bitbucket) { b.Workspace = "bitbucket.org/acme" }), []finding{{"workspace", "not the id", "bitbucket.org/"}}},

		{"buildkite no ref", buildkite(func(b *Buildkite) { b.Branch = "" }), []finding{{"branch", "any branch", "branch or tag"}}},
		{"buildkite two refs", buildkite(func(b *Buildkite) { b.Tag = "v1" }), []finding{{"tag", "exclude each other", "one identity for each"}}},
		{"buildkite pipeline address", buildkite(func(b *Buildkite) { b.Pipeline = "acme/shop" }), []finding{{"pipeline", "separate the parts", "slug"}}},
		{"buildkite step after a wildcard", buildkite(func(b *Buildkite) { b.Branch, b.Step = "release/*", "deploy" }), []finding{{"step", "follows a ref with a wildcard", "leave step out"}}},
		{"buildkite one id", buildkite(func(b *Buildkite) { b.PipelineID = uuidA }), []finding{{"organization_id", "is missing", "--claim pipeline_id"}}},
		{"buildkite tag without value", buildkite(func(b *Buildkite) { b.SessionTags = []string{"organization_id"} }), []finding{{"session_tags", "has no value", "add it"}}},
		{"buildkite unknown tag", buildkite(func(b *Buildkite) { b.SessionTags = []string{"team"} }), []finding{{"session_tags", `"team" is not a claim`, "pipeline_slug"}}},
		{"buildkite tag twice", buildkite(func(b *Buildkite) { b.SessionTags = []string{"pipeline_slug", "pipeline_slug"} }), []finding{{"session_tags", "stands twice", ""}}},

		{"azure wildcard", azure(func(a *AzureDevOps) { a.ServiceConnection = "*" }), []finding{{"service_connection", "wildcard", ""}}},
		{"azure slash", azure(func(a *AzureDevOps) { a.Project = "shop/aws" }), []finding{{"project", "separate the parts", ""}}},
		{"azure name for id", azure(func(a *AzureDevOps) { a.OrganizationID = "acme" }), []finding{{"organization_id", "not a UUID", "connectionData"}}},
		{"azure upper case", azure(func(a *AzureDevOps) { a.OrganizationID = "0A1B2C3D-0000-4000-8000-00000000000A" }), []finding{{"organization_id", "upper-case", "write 0a1b2c3d"}}},

		{"jenkins no job", JenkinsOIDC{Issuer: "https://jenkins.example.com/oidc"}, []finding{{"job_url", "every job", "/job/shop/"}}},
		{"jenkins name", JenkinsOIDC{Issuer: "https://jenkins.example.com/oidc", JobURL: "shop"}, []finding{{"job_url", "not the address", "/job/shop/"}}},
		{"jenkins folder", JenkinsOIDC{Issuer: "https://jenkins.example.com/oidc", JobURL: "https://jenkins.example.com/job/team/*"}, []finding{{"job_url", "wildcard", "each job"}}},
		{"jenkins branch", JenkinsOIDC{Issuer: "https://jenkins.example.com/oidc", JobURL: "https://jenkins.example.com/job/shop/job/feature/x/"}, []finding{{"job_url", "not the address", "%252F"}}},
		{"jenkins http", JenkinsOIDC{Issuer: "http://jenkins/oidc", JobURL: "https://jenkins.example.com/job/shop/"}, []finding{{"issuer", "https address", "https://jenkins.example.com/oidc"}}},

		{"hcp no phase", hcp, []finding{{"run_phase", "is missing", "TFC_AWS_PLAN_ROLE_ARN"}}},
		{"hcp any phase", HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop", RunPhase: "*"}, []finding{{"run_phase", `"*" is not known`, "plan, apply"}}},
		{"hcp any workspace", HCPTerraform{Organization: "acme", Project: "*", Workspace: "shop-*", RunPhase: "plan"}, []finding{{"project", "wildcard", ""}, {"workspace", "wildcard", ""}}},
		{"hcp colon", HCPTerraform{Organization: "acme", Project: "x:workspace:y", Workspace: "shop", RunPhase: "plan"}, []finding{{"project", "separate the parts", ""}}},
		{"hcp address", HCPTerraform{Organization: "acme", Project: "shop", Workspace: "shop", RunPhase: "plan", Host: "https://tfe.example.com"}, []finding{{"host", "not the name of a host", ""}}},

		{"pulumi nothing chosen", PulumiCloud{Organization: "acme"}, []finding{{"", "all of it", "environment"}}},
		{"pulumi both", PulumiCloud{Organization: "acme", Environment: "shop/prod", Stack: "prod"}, []finding{{"environment", "excludes", "two identities"}}},
		{"pulumi no operation", PulumiCloud{Organization: "acme", Project: "shop", Stack: "prod"}, []finding{{"operations", "preview", "update"}}},
		{"pulumi unknown operation", PulumiCloud{Organization: "acme", Project: "shop", Stack: "prod", Operations: []string{"up"}}, []finding{{"operations", `"up" is not known`, "update"}}},
		{"pulumi any environment", PulumiCloud{Organization: "acme", Environment: "shop/*"}, []finding{{"environment", "wildcard", ""}}},
		{"pulumi environment without project", PulumiCloud{Organization: "acme", Environment: "prod"}, []finding{{"environment", `"prod" names no project`, "PROJECT/ENVIRONMENT"}}},
		{"pulumi default project", PulumiCloud{Organization: "acme", Environment: "default/prod"}, []finding{{"environment", "another audience", "project of its own"}}},

		{"forgejo no host", forgejo(func(f *Forgejo) { f.Host = "" }), []finding{{"host", "is missing", "codeberg.org"}}},
		{"forgejo one id", forgejo(func(f *Forgejo) { f.OwnerID = "1" }), []finding{{"repository_id", "belongs together", "api/v1"}}},
		{"forgejo owner", forgejo(func(f *Forgejo) { f.Repository = "acme/*" }), []finding{{"repository", "wildcard", "one identity per repository"}}},
		{"forgejo like ids", forgejo(func(f *Forgejo) { f.Repository = "acme-1/shop-2" }), []finding{{"repository", "reads like the subject", "off and on"}}},
		{"forgejo like ids, with its own", forgejo(func(f *Forgejo) { f.Repository, f.OwnerID, f.RepositoryID = "acme-1/shop-2", "3", "4" }), nil},
		{"forgejo nothing chosen", forgejo(func(f *Forgejo) { f.Branch = "" }), []finding{{"", "nothing of the repository", ""}}},

		{"spacelift no host", spacelift(func(l *Spacelift) { l.Host = "" }), []finding{{"host", "is missing", "acme.app.spacelift.io"}}},
		{"spacelift two", spacelift(func(l *Spacelift) { l.Module = "vpc" }), []finding{{"module", "exclude each other", "one identity for each"}}},
		{"spacelift any run", spacelift(func(l *Spacelift) { l.RunType, l.Scope = "", "*" }), []finding{{"run_type", "is missing", "TRACKED"}, {"scope", `"*" is not known`, "read, write"}}},
		{"spacelift no stack", spacelift(func(l *Spacelift) { l.Stack = "" }), []finding{{"stack", "is missing", "settings"}}},

		{"kubernetes any account", Kubernetes{Issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/A", Namespace: "shop", ServiceAccount: "*"}, []finding{{"service_account", "wildcard", "one identity for each"}}},
		{"kubernetes no namespace", Kubernetes{Issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/A", ServiceAccount: "api"}, []finding{{"namespace", "any of the cluster", ""}}},
		{"kubernetes upper case", Kubernetes{Issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/A", Namespace: "Shop", ServiceAccount: "api"}, []finding{{"namespace", "not a name", "lower case"}}},
		{"kubernetes no issuer", Kubernetes{Namespace: "shop", ServiceAccount: "api"}, []finding{{"issuer", "is missing", "describe-cluster"}}},

		{"pod no cluster", pod(func(p *EKSPodIdentity) { p.ClusterARN = "" }), []finding{{"cluster_arn", "every cluster", "arn:aws:eks"}}},
		{"pod any cluster", pod(func(p *EKSPodIdentity) { p.ClusterARN = "arn:aws:eks:*:222222222222:cluster/prod" }), []finding{{"cluster_arn", "wildcard", "each cluster"}}},
		{"pod name", pod(func(p *EKSPodIdentity) { p.ClusterARN = "prod" }), []finding{{"cluster_arn", "not the ARN", "arn:aws:eks"}}},
		{"pod service", Service{Name: "pods.eks.amazonaws.com"}, []finding{{"name", "alone would trust everyone", "eks_pod_identity"}}},

		{"oidc of Google", oidc(func(o *OIDC) { o.Issuer = "https://accounts.google.com" }), []finding{{"issuer", "built into AWS", "azp"}}},
		{"oidc of Cognito", oidc(func(o *OIDC) { o.Issuer = "https://cognito-identity.amazonaws.com" }), []finding{{"issuer", "built into AWS", "without provider"}}},
		{"oidc no subject", oidc(func(o *OIDC) { o.Subject = "" }), []finding{{"subject", "is missing", "every user"}}},
		{"oidc wide subject", oidc(func(o *OIDC) { o.Subject = "shop*" }), []finding{{"subject", "wildcard", ""}}},
		{"oidc github", oidc(func(o *OIDC) { o.Issuer = "https://token.actions.githubusercontent.com/acme" }), []finding{{"issuer", "a kind of its own", "declare github"}}},
		{"oidc gitlab", oidc(func(o *OIDC) { o.Issuer = "https://gitlab.com" }), []finding{{"issuer", "a kind of its own", "declare gitlab"}}},
		{"oidc named like gitlab", oidc(func(o *OIDC) { o.Issuer = "https://gitlab.company.com" }), nil},
		{"oidc claim", oidc(func(o *OIDC) { o.Claims = map[string]string{"group": "x"} }), []finding{{"claims", "no condition key of group", "into sub"}}},
		{"oidc aud as claim", oidc(func(o *OIDC) { o.Claims = map[string]string{"aud": "x"} }), []finding{{"claims", "key of its own", "audience"}}},
		{"oidc query", oidc(func(o *OIDC) { o.Issuer = "https://issuer.example.com?x" }), []finding{{"issuer", "not an issuer that AWS takes", ""}}},

		{"anywhere anchor alone", RolesAnywhere{TrustAnchor: anchor, Organization: "acme"}, []finding{{"common_name", "every certificate", "uri or dns"}}},
		{"anywhere no anchor", RolesAnywhere{CommonName: "a"}, []finding{{"trust_anchor", "every CA", "list-trust-anchors"}}},
		{"anywhere any name", RolesAnywhere{TrustAnchor: anchor, CommonName: "build-*"}, []finding{{"common_name", "wildcard", ""}}},
		{"anywhere profile", RolesAnywhere{TrustAnchor: "arn:aws:rolesanywhere:eu-west-1:222222222222:profile/" + uuidA, CommonName: "a"}, []finding{{"trust_anchor", "not the ARN of a trust anchor", ""}}},
		{"anywhere service", Service{Name: "rolesanywhere"}, []finding{{"name", "alone would trust everyone", "roles_anywhere"}}},
	} {
		t.Run(test.name, func(t *testing.T) { checkFindings(t, test.id.Check(), test.want...) })
	}
}

// TestHomeOfResources: what must be of the role's own account and partition.
func TestHomeOfResources(t *testing.T) {
	s := Scope{Partition: "aws", Region: "eu-west-1", Account: "111111111111"}
	for _, id := range []Identity{
		EKSPodIdentity{ClusterARN: "arn:aws:eks:eu-west-1:222222222222:cluster/prod", Namespace: "shop", ServiceAccount: "api"},
		RolesAnywhere{TrustAnchor: "arn:aws:rolesanywhere:eu-west-1:222222222222:trust-anchor/" + uuidA, CommonName: "a"},
	} {
		field := map[string]string{"eks_pod_identity": "cluster_arn", "roles_anywhere": "trust_anchor"}[id.Kind()]
		checkFindings(t, CheckIn(s, id), finding{field, "is of account 222222222222, but the role is of 111111111111", "own account"})
		checkFindings(t, CheckIn(Scope{Partition: "aws-cn", Account: "222222222222"}, id), finding{field, "across partitions", ""})
		s := s
		s.Account = "222222222222"
		checkFindings(t, CheckIn(s, id))
	}
}
