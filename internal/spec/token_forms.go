package spec

import "github.com/postern-dev/postern/internal/trust"

func githubForm() form[rawProof] {
	type raw = rawOf[trust.GitHub]
	return proof(object(
		key("repository", text(), func(s *raw) *string { return &s.V.Repository }, "OWNER/NAME, such as acme/shop").must(),
		key("repository_id", digits(), func(s *raw) *string { return &s.V.RepositoryID }, "the repository's number: survives renames, is never given to another"),
		key("owner_id", digits(), func(s *raw) *string { return &s.V.OwnerID }, "the owner's number; with repository_id the immutable subject is trusted too"),
		key("branch", text(), func(s *raw) *string { return &s.V.Branch }, "jobs of this branch, such as main; or of all whose last part begins alike: release/*"),
		key("tag", text(), func(s *raw) *string { return &s.V.Tag }, "jobs of this tag, such as v1; or of all whose last part begins alike: v*"),
		key("environment", text(), func(s *raw) *string { return &s.V.Environment }, "jobs of this environment, which can have protection rules; branch or tag may stand beside it"),
		key("pull_request", boolean(), func(s *raw) *bool { return &s.V.PullRequest }, "true: jobs of any pull request"),
		key("job_workflow_ref", text(), func(s *raw) *string { return &s.V.JobWorkflowRef }, "the reusable workflow that must define the job: OWNER/NAME/.github/workflows/FILE.yml@refs/heads/BRANCH"),
		key("enterprise", text(), func(s *raw) *string { return &s.V.Enterprise }, "slug of an enterprise whose tokens have an issuer of their own on github.com"),
		key("host", text(), func(s *raw) *string { return &s.V.Host }, "SUBDOMAIN.ghe.com or an Enterprise Server; default github.com"),
	))
}

func gitlabForm() form[rawProof] {
	type raw = rawOf[trust.GitLab]
	return proof(object(
		key("project_path", text(), func(s *raw) *string { return &s.V.ProjectPath }, "GROUP/PROJECT, with any subgroups between").must(),
		key("project_id", digits(), func(s *raw) *string { return &s.V.ProjectID }, "the project's number: survives renames, is never given to another; on a GitLab of your own the subject must begin with it"),
		key("ref", text(), func(s *raw) *string { return &s.V.Ref }, "the branch or tag, such as main; or all whose last part begins alike: release/*").must(),
		key("ref_type", text(), func(s *raw) *string { return &s.V.RefType }, "branch (default) or tag"),
		key("ref_protected", boolean(), func(s *raw) *bool { return &s.V.RefProtected }, "true: only if the branch or tag is protected; gitlab.com only"),
		key("pipeline_source", text(), func(s *raw) *string { return &s.V.PipelineSource }, "what started the pipeline: push, web, schedule, ...; gitlab.com only"),
		key("environment_protected", boolean(), func(s *raw) *bool { return &s.V.EnvironmentProtected }, "true: only in a protected environment; needs ci_id_token_sub_claim_components"),
		key("deployment_tier", text(), func(s *raw) *string { return &s.V.DeploymentTier }, "only in an environment of this tier: production, ...; needs ci_id_token_sub_claim_components"),
		key("host", text(), func(s *raw) *string { return &s.V.Host }, "a GitLab of your own; default gitlab.com"),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "aud of the job's id_tokens; default sts.amazonaws.com"),
	))
}

func circleciForm() form[rawProof] {
	type raw = rawOf[trust.CircleCI]
	return proof(object(
		key("organization_id", text(), func(s *raw) *string { return &s.V.OrganizationID }, "the organisation's UUID").must(),
		key("project_id", text(), func(s *raw) *string { return &s.V.ProjectID }, "the project's UUID").must(),
		key("vcs_origin", text(), func(s *raw) *string { return &s.V.VCSOrigin }, "where the code is: github.com/OWNER/NAME"),
		key("vcs_ref", text(), func(s *raw) *string { return &s.V.VCSRef }, "jobs of this ref, such as refs/heads/main, by CIRCLE_OIDC_TOKEN_V2"),
		key("any_ref", boolean(), func(s *raw) *bool { return &s.V.AnyRef }, "true: jobs of any branch, by CIRCLE_OIDC_TOKEN"),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "the tokens' aud; default the organisation's UUID"),
	))
}

func bitbucketForm() form[rawProof] {
	type raw = rawOf[trust.Bitbucket]
	return proof(object(
		key("workspace", text(), func(s *raw) *string { return &s.V.Workspace }, "the id of the workspace: what follows bitbucket.org/ in its address").must(),
		key("workspace_uuid", text(), func(s *raw) *string { return &s.V.WorkspaceUUID }, "the workspace's UUID; it makes the default audience"),
		key("repository_uuid", text(), func(s *raw) *string { return &s.V.RepositoryUUID }, "the repository's UUID").must(),
		key("environment_uuid", text(), func(s *raw) *string { return &s.V.EnvironmentUUID }, "the UUID of a deployment environment, which admins can restrict to a branch"),
		key("any_branch", boolean(), func(s *raw) *bool { return &s.V.AnyBranch }, "true: steps without environment, of any branch"),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "the tokens' aud; default the workspace's"),
	))
}

func buildkiteForm() form[rawProof] {
	type raw = rawOf[trust.Buildkite]
	return proof(object(
		key("organization", text(), func(s *raw) *string { return &s.V.Organization }, "the organisation's slug").must(),
		key("pipeline", text(), func(s *raw) *string { return &s.V.Pipeline }, "the pipeline's slug").must(),
		key("branch", text(), func(s *raw) *string { return &s.V.Branch }, "builds of this branch; or of all whose last part begins alike: release/*"),
		key("tag", text(), func(s *raw) *string { return &s.V.Tag }, "builds of this tag; or of all whose last part begins alike: v*"),
		key("step", text(), func(s *raw) *string { return &s.V.Step }, "the key of the step; default any"),
		key("organization_id", text(), func(s *raw) *string { return &s.V.OrganizationID }, "the organisation's UUID; the job must ask for the claim"),
		key("pipeline_id", text(), func(s *raw) *string { return &s.V.PipelineID }, "the pipeline's UUID; the job must ask for the claim"),
		key("session_tags", oneOrMany(text()), func(s *raw) *[]string { return &s.V.SessionTags }, "claims that the session must have as tags: organization_id, pipeline_slug, ..."),
	))
}

func azureDevOpsForm() form[rawProof] {
	type raw = rawOf[trust.AzureDevOps]
	return proof(object(
		key("organization", text(), func(s *raw) *string { return &s.V.Organization }, "the organisation's name").must(),
		key("organization_id", text(), func(s *raw) *string { return &s.V.OrganizationID }, "the organisation's UUID").must(),
		key("project", text(), func(s *raw) *string { return &s.V.Project }, "the project's name").must(),
		key("service_connection", text(), func(s *raw) *string { return &s.V.ServiceConnection }, "the service connection's name").must(),
	))
}

func jenkinsForm() form[rawProof] {
	type raw = rawOf[trust.JenkinsOIDC]
	return proof(object(
		key("issuer", text(), func(s *raw) *string { return &s.V.Issuer }, "https://JENKINS/oidc, or the public host of its keys").must(),
		key("job_url", text(), func(s *raw) *string { return &s.V.JobURL }, "the address of the job, with / at its end").must(),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "aud of the id token credential; default sts.amazonaws.com"),
	))
}

func hcpTerraformForm() form[rawProof] {
	type raw = rawOf[trust.HCPTerraform]
	return proof(object(
		key("organization", text(), func(s *raw) *string { return &s.V.Organization }, "the organisation's name").must(),
		key("project", text(), func(s *raw) *string { return &s.V.Project }, "the project's name").must(),
		key("workspace", text(), func(s *raw) *string { return &s.V.Workspace }, "the workspace's name").must(),
		key("run_phase", text(), func(s *raw) *string { return &s.V.RunPhase }, "plan or apply").must(),
		key("host", text(), func(s *raw) *string { return &s.V.Host }, "a Terraform Enterprise of your own; default HCP Terraform"),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "TFC_AWS_WORKLOAD_IDENTITY_AUDIENCE; default aws.workload.identity"),
	))
}

func pulumiForm() form[rawProof] {
	type raw = rawOf[trust.PulumiCloud]
	return proof(object(
		key("organization", text(), func(s *raw) *string { return &s.V.Organization }, "the organisation's name").must(),
		key("environment", text(), func(s *raw) *string { return &s.V.Environment }, "Pulumi ESC: PROJECT/ENVIRONMENT"),
		key("project", text(), func(s *raw) *string { return &s.V.Project }, "Pulumi Deployments: the project of the stack"),
		key("stack", text(), func(s *raw) *string { return &s.V.Stack }, "Pulumi Deployments: the stack"),
		key("operations", oneOrMany(text()), func(s *raw) *[]string { return &s.V.Operations }, "Pulumi Deployments: some of preview, update, refresh, destroy"),
	))
}

func forgejoForm() form[rawProof] {
	type raw = rawOf[trust.Forgejo]
	return proof(object(
		key("host", text(), func(s *raw) *string { return &s.V.Host }, "the instance, such as codeberg.org").must(),
		key("repository", text(), func(s *raw) *string { return &s.V.Repository }, "OWNER/NAME, such as acme/shop").must(),
		key("repository_id", digits(), func(s *raw) *string { return &s.V.RepositoryID }, "the repository's number, which subjects of new repositories hold"),
		key("owner_id", digits(), func(s *raw) *string { return &s.V.OwnerID }, "the owner's number, which subjects of new repositories hold"),
		key("branch", text(), func(s *raw) *string { return &s.V.Branch }, "jobs of this branch; or of all whose last part begins alike: release/*"),
		key("tag", text(), func(s *raw) *string { return &s.V.Tag }, "jobs of this tag; or of all whose last part begins alike: v*"),
		key("pull_request", boolean(), func(s *raw) *bool { return &s.V.PullRequest }, "true: jobs of any pull request"),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "the tokens' aud; default sts.amazonaws.com"),
	))
}

func spaceliftForm() form[rawProof] {
	type raw = rawOf[trust.Spacelift]
	return proof(object(
		key("host", text(), func(s *raw) *string { return &s.V.Host }, "the account: ACCOUNT.app.spacelift.io").must(),
		key("space", text(), func(s *raw) *string { return &s.V.Space }, "the space's id").must(),
		key("stack", text(), func(s *raw) *string { return &s.V.Stack }, "the stack's id"),
		key("module", text(), func(s *raw) *string { return &s.V.Module }, "the module's id, in place of a stack's"),
		key("run_type", text(), func(s *raw) *string { return &s.V.RunType }, "TRACKED, PROPOSED, TASK, TESTING, DESTROY or DEPENDENCY_GRAPH").must(),
		key("scope", text(), func(s *raw) *string { return &s.V.Scope }, "read (planning) or write (applying)").must(),
	))
}
