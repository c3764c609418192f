package snippet

import (
	"strings"

	"github.com/postern-dev/postern/internal/trust"
)

// Rule is the condition of GitLab under which the job's token is trusted. A
// pipeline of a merge request has no CI_COMMIT_BRANCH.
//
// https://docs.gitlab.com/ci/jobs/job_rules/
// https://docs.gitlab.com/ci/variables/predefined_variables/
func (j job) Rule() string {
	g, ok := j.ID.(trust.GitLab)
	if !ok {
		return ""
	}
	variable := "$CI_COMMIT_BRANCH"
	switch {
	case g.PipelineSource == "merge_request_event":
		variable = "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"
	case g.RefType == "tag":
		variable = "$CI_COMMIT_TAG"
	}
	rule := variable + comparison(g.Ref)
	if g.RefProtected {
		rule += ` && $CI_COMMIT_REF_PROTECTED == "true"`
	}
	if g.PipelineSource != "" {
		rule += ` && $CI_PIPELINE_SOURCE == "` + g.PipelineSource + `"`
	}
	return rule
}

// If is the condition of Buildkite under which the step's token is trusted.
//
// https://buildkite.com/docs/pipelines/configure/conditionals
func (j job) If() string {
	b, ok := j.ID.(trust.Buildkite)
	if !ok {
		return ""
	}
	condition := "build.branch" + comparison(b.Branch)
	if b.Tag != "" {
		condition = "build.tag" + comparison(b.Tag)
	}
	return strings.ReplaceAll(condition, "$", "$$") // the upload fills in variables
}

// comparison holds for a ref of the spec: by a string, or by a pattern where a
// string cannot say it. GitLab knows no way to write a quote in a string.
func comparison(ref string) string {
	if strings.ContainsAny(ref, `*"$`) {
		return " =~ " + slashedPattern(ref)
	}
	return ` == "` + ref + `"`
}

// RefKind is the filter of CircleCI for the job's ref: "branches" or "tags".
//
// https://circleci.com/docs/configuration-reference/#filters
func (j job) RefKind() string {
	c, _ := j.ID.(trust.CircleCI)
	if strings.HasPrefix(c.VCSRef, "refs/tags/") {
		return "tags"
	}
	return "branches"
}

// Ref is what that filter lets through.
func (j job) Ref() string {
	c, _ := j.ID.(trust.CircleCI)
	ref := strings.TrimPrefix(strings.TrimPrefix(c.VCSRef, "refs/heads/"), "refs/tags/")
	if strings.Contains(ref, "*") {
		return slashedPattern(ref)
	}
	return ref
}

// Calls is the reference by which a workflow calls the reusable one. GitHub
// takes names there, without refs/heads/ and refs/tags/.
//
// https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows#calling-a-reusable-workflow
func (j job) Calls() string {
	g, ok := j.ID.(trust.GitHub)
	if !ok {
		return ""
	}
	return strings.NewReplacer("@refs/heads/", "@", "@refs/tags/", "@").Replace(g.JobWorkflowRef)
}

// Runner is where GitHub's jobs run: an Enterprise Server has no runners of
// GitHub's own.
//
// https://docs.github.com/en/enterprise-server@latest/actions/how-tos/manage-runners
func (j job) Runner() string {
	g, _ := j.ID.(trust.GitHub)
	if g.Host != "" && !strings.HasSuffix(g.Host, ".ghe.com") {
		return "self-hosted"
	}
	return "ubuntu-latest"
}

// EKS is whether EKS hands out the tokens of the cluster, and so puts them
// into the pods of an annotated service account.
func (j job) EKS() bool {
	k, ok := j.ID.(trust.Kubernetes)
	return ok && strings.HasPrefix(k.Issuer, "https://oidc.eks.")
}

// Cluster is the name of the EKS cluster.
func (j job) Cluster() string {
	p, ok := j.ID.(trust.EKSPodIdentity)
	if !ok {
		return ""
	}
	return p.ClusterARN[strings.LastIndex(p.ClusterARN, "/")+1:]
}

// Home is the region of the resource that proves the identity.
func (j job) Home() string {
	var arn string
	switch id := j.ID.(type) {
	case trust.EKSPodIdentity:
		arn = id.ClusterARN
	case trust.RolesAnywhere:
		arn = id.TrustAnchor
	}
	parts := strings.Split(arn, ":")
	if len(parts) < 4 {
		return j.Region
	}
	return parts[3]
}

// Service is the name of an AWS service without the suffix of its principal.
func (j job) Service() string {
	v, ok := j.ID.(trust.Service)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(v.Name)), ".amazonaws.com")
	return name
}
