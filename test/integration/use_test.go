package integration

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

const (
	deployRole  = "arn:aws:iam::" + work + ":role/postern/shop/shop-deploy"
	previewRole = "arn:aws:iam::" + work + ":role/postern/shop/shop-preview"
)

// jobs are what asks for a role of the shop with a token of GitHub's.
var jobs = []struct {
	name, subject, audience, role string
	refused                       string // by STS, in part; empty: let in
}{
	{"the release", "repo:acme/shop:environment:production", "sts.amazonaws.com", deployRole, ""},
	{"a pull request", "repo:acme/shop:pull_request", "sts.amazonaws.com", previewRole, ""},
	{"a pull request that wants to deploy", "repo:acme/shop:pull_request", "sts.amazonaws.com", deployRole, "AccessDenied"},
	{"another repository", "repo:acme/blog:environment:production", "sts.amazonaws.com", deployRole, "AccessDenied"},
	{"another owner", "repo:mallory/shop:environment:production", "sts.amazonaws.com", deployRole, "AccessDenied"},
	{"another environment", "repo:acme/shop:environment:staging", "sts.amazonaws.com", deployRole, "AccessDenied"},
	{"the branch itself", "repo:acme/shop:ref:refs/heads/main", "sts.amazonaws.com", deployRole, "AccessDenied"},
	{"a token for somebody else", "repo:acme/shop:environment:production", "https://vault.example", deployRole, "Incorrect token audience"},
}

// TestTokensOpenTheirRoles comes in as GitHub's jobs do, with the AWS CLI and
// a token from an endpoint like GitHub's, and nothing else.
func TestTokensOpenTheirRoles(t *testing.T) {
	t.Parallel()
	s := shopSandbox(t, sandbox.Options{})
	shopRun(t, s, 0, "apply", "--yes")
	for _, job := range jobs {
		t.Run(job.name, func(t *testing.T) {
			t.Parallel()
			token := jobToken(t, s, job.subject, job.audience)
			out, err := witness.AWS(t, region(s), "sts", "assume-role-with-web-identity",
				"--role-arn", job.role, "--role-session-name", "job", "--web-identity-token", token)
			switch {
			case job.refused == "" && err != nil:
				t.Error(err)
			case job.refused == "":
				says(t, out, `"SubjectFromWebIdentityToken": "`+job.subject+`"`)
			case err == nil || !strings.Contains(err.Error(), job.refused):
				t.Errorf("%v, want %s", err, job.refused)
			}
		})
	}
}

// TestRolesDoTheirWorkOnly makes calls of other services with the sessions.
func TestRolesDoTheirWorkOnly(t *testing.T) {
	t.Parallel()
	s := shopSandbox(t, sandbox.Options{})
	shopRun(t, s, 0, "apply", "--yes")
	for _, tt := range []struct {
		subject, role   string
		allowed, denied []string // calls
	}{
		{
			"repo:acme/shop:environment:production", deployRole,
			[]string{
				"ecr get-authorization-token",
				"ecr describe-images --repository-name shop",
				"ecs describe-services --cluster prod --services shop",
			},
			[]string{
				"ecr describe-images --repository-name blog",
				"ecs describe-services --cluster prod --services blog",
				"ec2 describe-instances",
				"iam list-users",
				"s3api list-objects-v2 --bucket acme-state --prefix shop/terraform.tfstate",
			},
		},
		{
			"repo:acme/shop:pull_request", previewRole,
			[]string{"s3api list-objects-v2 --bucket acme-state --prefix shop/terraform.tfstate"},
			[]string{
				"s3api list-objects-v2 --bucket acme-state",
				"s3api put-object --bucket acme-state --key shop/terraform.tfstate",
				"ecr get-authorization-token",
			},
		},
	} {
		token := jobToken(t, s, tt.subject, "sts.amazonaws.com")
		answer, err := witness.AWS(t, region(s), "sts", "assume-role-with-web-identity",
			"--role-arn", tt.role, "--role-session-name", "job", "--web-identity-token", token)
		if err != nil {
			t.Fatal(err)
		}
		env := append(region(s), sessionEnv(t, answer)...)
		for _, call := range tt.allowed {
			if _, err := witness.AWS(t, env, strings.Fields(call)...); err != nil {
				t.Errorf("%s: %v", tt.subject, err)
			}
		}
		for _, call := range tt.denied {
			_, err := witness.AWS(t, env, strings.Fields(call)...)
			if _, refused := errors.AsType[*exec.ExitError](err); !refused || !isDenial(err.Error()) {
				t.Errorf("%s: aws %s: %v, want a refusal", tt.subject, call, err)
			}
		}
	}
}

// isDenial finds IAM's refusal in the CLI's message: EC2 has a code of its own.
func isDenial(message string) bool {
	return strings.Contains(message, "AccessDenied") || strings.Contains(message, "UnauthorizedOperation")
}

// region is an environment without credentials.
func region(s *sandbox.Server) []string {
	return []string{"AWS_ENDPOINT_URL=" + s.URL(), "AWS_DEFAULT_REGION=eu-west-1"}
}

// jobToken asks for a token as a job of GitHub's does.
// https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
func jobToken(t *testing.T, s *sandbox.Server, subject, audience string) string {
	t.Helper()
	from, bearer := s.Job(map[string]any{"sub": subject})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, from+"&audience="+url.QueryEscape(audience), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "bearer "+bearer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	body, err := io.ReadAll(response.Body)
	var token struct{ Value string }
	if err := errors.Join(err, json.Unmarshal(body, &token)); err != nil || token.Value == "" {
		t.Fatalf("%s: %v\n%s", response.Status, err, body)
	}
	return token.Value
}
