package snippet

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// form is one template and where what it makes belongs.
type form struct {
	system   string
	template string // file in templates
	file     string // NAME stands for the job's; empty for commands and settings
}

// forms are the systems, by the kind of identity. Each template names the page
// that its syntax is from.
var forms = []form{
	{"github", "github.yml", ".github/workflows/NAME.yml"},
	{"gitlab", "gitlab.yml", ".gitlab-ci.yml"},
	{"circleci", "circleci.yml", ".circleci/config.yml"},
	{"bitbucket", "bitbucket.yml", "bitbucket-pipelines.yml"},
	{"buildkite", "buildkite.yml", ".buildkite/pipeline.yml"},
	{"azure_devops", "azure_devops.yml", "azure-pipelines.yml"},
	{"jenkins_oidc", "Jenkinsfile", "Jenkinsfile"},
	{"forgejo", "forgejo.yml", ".forgejo/workflows/NAME.yml"},
	{"hcp_terraform", "hcp_terraform.tf", "NAME.tf"},
	{"pulumi_cloud", "pulumi_esc.yml", ""},
	{"spacelift", "spacelift.tf", "providers.tf"},
	{"kubernetes", "kubernetes.yml", "NAME.yml"},
	{"eks_pod_identity", "eks_pod_identity.sh", ""},
	{"oidc", "oidc.ini", "~/.aws/config"},
	{"roles_anywhere", "roles_anywhere.ini", "~/.aws/config"},
	{"aws_role", "aws.ini", "~/.aws/config"},
	{"aws_account", "aws.ini", "~/.aws/config"},
	{"service", "service.sh", ""},
}

// Of those that a key proves.
const (
	accessKey = "access_key"
	travis    = "travis"
)

// Systems are the names that System can have.
func Systems() []string {
	names := []string{accessKey, travis}
	for _, f := range forms {
		names = append(names, f.system)
	}
	slices.Sort(names)
	return names
}

// formsOf are the forms of an identity: one, and two where a reusable workflow
// has to stand between.
func formsOf(id trust.Identity) []form {
	i := slices.IndexFunc(forms, func(f form) bool { return f.system == id.Kind() })
	if i < 0 {
		return nil
	}
	f := forms[i]
	switch id := id.(type) {
	case trust.GitHub:
		if path, _, reusable := strings.Cut(id.JobWorkflowRef, "@"); reusable {
			return []form{{f.system, "github_caller.yml", f.file}, {f.system, f.template, path}}
		}
	case trust.PulumiCloud:
		if id.Environment == "" {
			return []form{{f.system, "pulumi_deployments.sh", ""}}
		}
	}
	return []form{f}
}

// formsOfKey are a form for each kind of place that the key is delivered to.
func formsOfKey(key *spec.AccessKey) []form {
	at := func(kind string) bool {
		return slices.ContainsFunc(key.Deliver, func(s spec.Sink) bool { return s.Kind == kind })
	}
	var all []form
	if at(travis) {
		all = append(all, form{travis, "travis.yml", ".travis.yml"})
	}
	if len(key.Deliver) == 0 || slices.ContainsFunc(key.Deliver, func(s spec.Sink) bool { return s.Kind != travis }) {
		all = append(all, form{accessKey, "access_key.sh", ""})
	}
	return all
}

//go:embed templates
var files embed.FS

// templates are parsed when the first is used. Their delimiters are [[ and ]]:
// several systems have {{ and }} of their own.
var templates = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").Delims("[[", "]]").Option("missingkey=error").Funcs(quoting).ParseFS(files, "templates/*")
})

func (f form) snippet(j job) (Snippet, error) {
	all, err := templates()
	if err != nil {
		return Snippet{}, err
	}
	j.File = strings.ReplaceAll(f.file, "NAME", j.Name)
	var text strings.Builder
	if err := all.ExecuteTemplate(&text, f.template, j); err != nil {
		return Snippet{}, fmt.Errorf("write snippet for %s: %w", f.system, err)
	}
	return Snippet{System: f.system, Identity: j.Identity, Role: j.Role, File: j.File, Text: text.String()}, nil
}
