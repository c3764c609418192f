package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/trust"
)

// proofForms are the identities that prove themselves, by kind.
type proofForms struct {
	github, awsRole, awsAccount, service form[rawProof]
}

func newProofForms() proofForms {
	return proofForms{githubForm(), awsRoleForm(), awsAccountForm(), serviceForm()}
}

// kinds are the keys that declare a proof, with references to the definitions.
func (p proofForms) kinds() []field[rawTarget] {
	at := func(t *rawTarget) *rawProof { return &t.Proof }
	return []field[rawTarget]{
		key("github", p.github.ref("github"), at, "a GitHub Actions workflow, proven by its OIDC token"),
		key("aws_role", p.awsRole.ref("aws_role"), at, "a role of any account: its ARN"),
		key("aws_account", p.awsAccount.ref("aws_account"), at, "another account as a whole, narrowed by external_id or org_id"),
		key("service", p.service.ref("service"), at, "an AWS service that assumes the role for its own work: ec2, lambda, ecs-tasks, ..."),
	}
}

// defs are the definitions that ref points to.
func (p proofForms) defs() map[string]any {
	return map[string]any{
		"github":      p.github.schema,
		"aws_role":    p.awsRole.schema,
		"aws_account": p.awsAccount.schema,
		"service":     p.service.schema,
	}
}

// rawOf pairs the keys of an identity with their places.
type rawOf[T any] struct {
	place
	V T
}

func proof[T trust.Identity](f form[rawOf[T]]) form[rawProof] {
	return mapped(f, func(raw rawOf[T]) rawProof { return rawProof{raw.place, raw.V} })
}

func githubForm() form[rawProof] {
	type raw = rawOf[trust.GitHub]
	return proof(object(
		key("repository", text(), func(s *raw) *string { return &s.V.Repository }, "OWNER/NAME, such as acme/shop").must(),
		key("repository_id", digits(), func(s *raw) *string { return &s.V.RepositoryID }, "the repository's number: survives renames, is never given to another"),
		key("owner_id", digits(), func(s *raw) *string { return &s.V.OwnerID }, "the owner's number; with repository_id the immutable subject is trusted too"),
		key("branch", text(), func(s *raw) *string { return &s.V.Branch }, "jobs of this branch, such as main; or of all whose last part begins alike: release/*"),
		key("tag", text(), func(s *raw) *string { return &s.V.Tag }, "jobs of this tag, such as v1; or of all whose last part begins alike: v*"),
		key("environment", text(), func(s *raw) *string { return &s.V.Environment }, "jobs of this environment; it can have protection rules"),
		key("pull_request", boolean(), func(s *raw) *bool { return &s.V.PullRequest }, "true: jobs of any pull request"),
	))
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
		raw := rawOf[T]{place: place{v.Pos, map[string]Pos{name: v.Pos}}}
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
		strange: otherKind,
	}.form()
}

// otherKind is the hint for a CI system that is no identity kind.
func otherKind(word, beside string) string {
	switch {
	case word == "until":
		return "say it where a role trusts the identity: trust: [{ identity: NAME, until: DATE }]"
	case beside != "":
		return ""
	case word == "travis" || word == "travis_ci":
		return "Travis CI issues no OIDC tokens; use access_key"
	case slices.Contains([]string{"gitlab", "circleci", "bitbucket", "buildkite", "jenkins", "azure_devops", "terraform_cloud"}, word):
		return "its OIDC tokens are not supported yet: use aws_role if it runs on AWS, else access_key"
	}
	return ""
}

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
