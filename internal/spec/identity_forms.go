package spec

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/trust"
)

// proofForm is one kind of identity that proves itself.
type proofForm struct {
	kind string
	form form[rawProof]
	doc  string
}

// proofForms are all kinds, as mistakes list them.
type proofForms []proofForm

func newProofForms() proofForms {
	return proofForms{
		{"github", githubForm(), "a GitHub Actions workflow, proven by its OIDC token"},
		{"gitlab", gitlabForm(), "a GitLab CI/CD job, proven by its ID token"},
		{"circleci", circleciForm(), "a CircleCI job, proven by its OIDC token"},
		{"bitbucket", bitbucketForm(), "a Bitbucket Pipelines step, proven by its OIDC token"},
		{"buildkite", buildkiteForm(), "a Buildkite job, proven by its OIDC token"},
		{"azure_devops", azureDevOpsForm(), "an Azure DevOps service connection, proven by its OIDC token"},
		{"jenkins_oidc", jenkinsForm(), "a Jenkins job, proven by a token of the plugin oidc-provider"},
		{"hcp_terraform", hcpTerraformForm(), "a run phase of a workspace of HCP Terraform or Terraform Enterprise"},
		{"pulumi_cloud", pulumiForm(), "a Pulumi ESC environment, or Pulumi Deployments of a stack"},
		{"forgejo", forgejoForm(), "a Forgejo Actions workflow, as on Codeberg, proven by its OIDC token"},
		{"spacelift", spaceliftForm(), "runs of a Spacelift stack or module, proven by their OIDC token"},
		{"kubernetes", kubernetesForm(), "a Kubernetes service account, proven by its token: EKS's IRSA"},
		{"eks_pod_identity", eksPodIdentityForm(), "a service account of an EKS cluster, by EKS Pod Identity"},
		{"oidc", oidcForm(), "one subject of any other OIDC issuer"},
		{"roles_anywhere", rolesAnywhereForm(), "a machine outside AWS, proven by its X.509 certificate: IAM Roles Anywhere"},
		{"aws_role", awsRoleForm(), "a role of any account: its ARN"},
		{"aws_account", awsAccountForm(), "another account as a whole, narrowed by external_id or org_id"},
		{"service", serviceForm(), "an AWS service that assumes the role for its own work: ec2, lambda, ecs-tasks, ..."},
	}
}

// kinds are the keys that declare a proof, with references to the definitions.
func (p proofForms) kinds() []field[rawTarget] {
	at := func(t *rawTarget) *rawProof { return &t.Proof }
	var fields []field[rawTarget]
	for _, one := range p {
		fields = append(fields, key(one.kind, one.form.ref(one.kind), at, one.doc))
	}
	return fields
}

// defs are the definitions that ref points to.
func (p proofForms) defs() map[string]any {
	defs := map[string]any{}
	for _, one := range p {
		defs[one.kind] = one.form.schema
	}
	return defs
}

// rawOf pairs the keys of an identity with their places.
type rawOf[T any] struct {
	place
	V T
}

func proof[T trust.Identity](f form[rawOf[T]]) form[rawProof] {
	return mapped(f, func(raw rawOf[T]) rawProof { return rawProof{raw.place, raw.V} })
}

func awsRoleForm() form[rawProof] {
	type raw = rawOf[trust.AWSRole]
	at := func(s *raw) *string { return &s.V.ARN }
	return proof(either(alone("arn", text(), at), object(
		key("arn", text(), at, "the role's ARN: arn:aws:iam::123456789012:role/NAME").must(),
		key("external_id", text(), func(s *raw) *string { return &s.V.ExternalID }, "what the caller must present, against the confused deputy"),
	)))
}

func awsAccountForm() form[rawProof] {
	type raw = rawOf[trust.AWSAccount]
	at := func(s *raw) *string { return &s.V.ID }
	f := object(
		key("id", digits(), at, `the account's 12 digits, quoted: "123456789012"`).must(),
		key("external_id", text(), func(s *raw) *string { return &s.V.ExternalID }, "what the caller must present, against the confused deputy"),
		key("org_id", text(), func(s *raw) *string { return &s.V.OrgID }, "only principals of this organisation: o-..."),
	)
	return proof(either(alone("id", digits(), at), f))
}

func serviceForm() form[rawProof] {
	type raw = rawOf[trust.Service]
	at := func(s *raw) *string { return &s.V.Name }
	return proof(either(alone("name", text(), at), object(
		key("name", text(), at, "ec2, lambda, ecs-tasks, ...").must(),
		key("source_arn", text(), func(s *raw) *string { return &s.V.SourceARN }, "the resource on whose behalf the service acts"),
		key("source_account", digits(), func(s *raw) *string { return &s.V.SourceAccount }, "the account on whose behalf it acts; default: the role's"),
	)))
}

// alone reads a scalar as an object of which only one key is given.
func alone[T, V any](name string, f form[V], at func(*rawOf[T]) *V) form[rawOf[T]] {
	return mapped(placed(f), func(v item[V]) rawOf[T] {
		raw := rawOf[T]{place: place{Pos: v.Pos, keys: map[string]Pos{name: v.Pos}}}
		*at(&raw) = v.V
		return raw
	})
}

// identityForm is an entry of identities.
func identityForm(proofs proofForms) form[rawIdentity] {
	accessKey := key("access_key", mapped(accessKeyForm(), func(k rawKey) *rawKey { return &k }), func(t *rawTarget) **rawKey { return &t.Key },
		"the last resort: a machine user with a long-lived key")
	return choiceForm[rawTarget, struct{}]{
		what:    "identity kind",
		kinds:   append(proofs.kinds(), accessKey),
		strange: proofs.strange,
	}.form()
}

// spellings are other names of kinds.
var spellings = map[string]string{
	"gha": "github", "github_actions": "github", "ghe": "github", "ghes": "github",
	"gitlab_ci": "gitlab", "gitlab_cicd": "gitlab",
	"circle": "circleci", "circle_ci": "circleci",
	"bitbucket_pipelines": "bitbucket",
	"build_kite":          "buildkite",
	"ado":                 "azure_devops", "azure": "azure_devops", "azure_pipelines": "azure_devops", "azuredevops": "azure_devops", "vsts": "azure_devops",
	"jenkins":         "jenkins_oidc, or aws_role if its agents run on AWS",
	"terraform_cloud": "hcp_terraform", "terraform_enterprise": "hcp_terraform", "terraform": "hcp_terraform", "tfc": "hcp_terraform", "tfe": "hcp_terraform", "hcp": "hcp_terraform",
	"pulumi": "pulumi_cloud", "pulumi_esc": "pulumi_cloud", "pulumi_deployments": "pulumi_cloud", "esc": "pulumi_cloud",
	"codeberg": "forgejo", "forgejo_actions": "forgejo",
	"k8s": "kubernetes", "irsa": "kubernetes", "service_account": "kubernetes", "eks": "kubernetes or eks_pod_identity",
	"pod_identity": "eks_pod_identity", "eks_pods": "eks_pod_identity",
	"openid": "oidc", "openid_connect": "oidc", "web_identity": "oidc", "federated": "oidc",
	"rolesanywhere": "roles_anywhere", "iam_roles_anywhere": "roles_anywhere", "x509": "roles_anywhere", "certificate": "roles_anywhere",
	"role": "aws_role", "account": "aws_account", "aws_service": "service", "user": "access_key", "iam_user": "access_key", "aws_user": "access_key",
}

const travisHint = "Travis CI issues no OIDC tokens; write access_key: { because: Travis CI issues no OIDC tokens, rotate: { every: 30d, grace: 2h }, deliver: [{ travis: { repository: OWNER/NAME } }] }"

// strange is the hint for a key that is no kind.
func (p proofForms) strange(word, beside string) string {
	if hint := otherKind(word, beside); hint != "" {
		return hint
	}
	return p.misplaced(word, beside)
}

// otherKind is the hint for a CI system that is no identity kind, or for a kind
// by another name.
func otherKind(word, beside string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	meant := spellings[word]
	switch {
	case word == "until":
		return "say it where a role trusts the identity: trust: [{ identity: NAME, until: DATE }]"
	case beside != "":
		return ""
	case word == "travis" || word == "travis_ci" || word == "travisci":
		return travisHint
	case meant != "":
		return "did you mean " + meant + "?"
	}
	return ""
}

// KindHint says what is meant by a word that is no kind of identity, such as
// the usual name of a CI system; empty if that is not known.
func KindHint(word string) string { return otherKind(word, "") }

// sinkKinds are the places that a key can be delivered to.
var sinkKinds = []string{
	"github", "gitlab", "circleci", "travis", "bitbucket", "buildkite", "jenkins", "azure_devops",
	"secrets_manager", "ssm_parameter", "vault",
}

func accessKeyForm() form[rawKey] {
	return object(
		key("account", placed(text()), func(s *rawKey) *item[string] { return &s.Account }, "the account of the machine user: a name of accounts"),
		key("because", prose(), func(s *rawKey) *string { return &s.Because }, "why nothing better than a long-lived key will do").must(),
		key("rotate", rotateForm(), func(s *rawKey) *rawRotate { return &s.Rotate }, "when the key is replaced"),
		key("deliver", listOf(sinkForm()), func(s *rawKey) *[]rawSink { return &s.Deliver }, "where the key is stored for the job"),
	)
}

const day = 24 * time.Hour

func rotateForm() form[rawRotate] {
	return object(
		key("every", placed(duration(time.Hour, 366*day)), func(s *rawRotate) *item[time.Duration] { return &s.Every },
			fmt.Sprintf("age at which the key is replaced; default %s", FormatDuration(defaultRotateEvery))),
		key("grace", placed(duration(0, 30*day)), func(s *rawRotate) *item[time.Duration] { return &s.Grace },
			fmt.Sprintf("how long the old key still works; default %s", FormatDuration(defaultRotateGrace))),
	)
}

func sinkForm() form[rawSink] {
	kinds := make([]field[settings], len(sinkKinds))
	for i, kind := range sinkKinds {
		kinds[i] = key(kind, anyKeys(text()), func(s *settings) *settings { return s }, "settings of the sink, as text; secrets as env:NAME or file:PATH")
	}
	return choiceForm[settings, struct{}]{what: "sink", kinds: kinds}.form()
}
