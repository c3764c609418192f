package snippet

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/test/witness"
)

// of gives the snippets of some systems.
func of(t testing.TB, systems ...string) map[string]Snippet {
	t.Helper()
	chosen := map[string]Snippet{}
	for name, s := range every(t) {
		for _, system := range systems {
			if s.System == system {
				chosen[name] = s
			}
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("no snippet of %v", systems)
	}
	return chosen
}

// isYAML is whether a snippet is for a system that reads YAML.
func isYAML(s Snippet) bool {
	switch s.System {
	case "github", "gitlab", "circleci", "bitbucket", "buildkite", "azure_devops", "forgejo", "kubernetes", travis:
		return true
	case "pulumi_cloud":
		return !strings.Contains(s.Text, "pulumi deployment")
	}
	return false
}

func parse(t testing.TB, s Snippet) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(s.Text), &doc); err != nil {
		t.Fatalf("%s: %v\n%s", title(s), err, s.Text)
	}
	return doc
}

func TestYAML(t *testing.T) {
	parsed := 0
	for _, s := range every(t) {
		if isYAML(s) && len(parse(t, s)) > 0 {
			parsed++
		}
	}
	if parsed < 20 {
		t.Errorf("only %d snippets are YAML", parsed)
	}
}

// schemas are those of https://www.schemastore.org that check-jsonschema has
// with it.
var schemas = []struct{ system, schema string }{
	{"github", "vendor.github-workflows"},
	{"gitlab", "vendor.gitlab-ci"},
	{"circleci", "vendor.circle-ci"},
	{"bitbucket", "vendor.bitbucket-pipelines"},
	{"buildkite", "vendor.buildkite"},
	{"azure_devops", "vendor.azure-pipelines"},
	{travis, "vendor.travis"},
}

func TestSchemas(t *testing.T) {
	checker := witness.Need(t, "check-jsonschema")
	for _, tt := range schemas {
		t.Run(tt.system, func(t *testing.T) {
			t.Parallel()
			args := []string{"--builtin-schema", tt.schema}
			for _, s := range of(t, tt.system) {
				args = append(args, write(t, known(s)))
			}
			if out, err := exec.Command(checker, args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// known is the text without what its schema does not know: Azure's has
// Microsoft's own tasks alone, Bitbucket's no audiences yet.
//
// https://www.atlassian.com/blog/bitbucket/bitbucket-pipelines-oidc-now-supports-multiple-audiences
func known(s Snippet) string {
	switch s.System {
	case "azure_devops":
		text, _, _ := strings.Cut(s.Text, "\nsteps:")
		return text + "\nsteps:\n  - bash: aws sts get-caller-identity\n"
	case "bitbucket":
		return strings.Replace(s.Text, "oidc:\n            audiences: [\"sts.amazonaws.com\"]", "oidc: true", 1)
	}
	return s.Text
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snippet.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAzureTask holds the task's inputs against those that it declares.
//
// https://github.com/aws/aws-toolkit-azure-devops/blob/master/src/tasks/AWSShellScript/task.json
func TestAzureTask(t *testing.T) {
	for name, s := range of(t, "azure_devops") {
		step := at(t, parse(t, s), "steps", 0).(map[string]any)
		if step["task"] != "AWSShellScript@1" {
			t.Errorf("%s: task %v", name, step["task"])
		}
		for input, value := range step["inputs"].(map[string]any) {
			switch input {
			case "awsCredentials", "regionName", "inlineScript":
			case "scriptType":
				if value != "inline" {
					t.Errorf("%s: scriptType %v", name, value)
				}
			default:
				t.Errorf("%s: the task has no input %s", name, input)
			}
		}
	}
}

// TestActionlint runs https://github.com/rhysd/actionlint. Its version is the
// newest that compiles with our YAML library, and knows the inputs of
// configure-aws-credentials up to v4; of those here v6 has one more.
func TestActionlint(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range of(t, "github") {
		text := strings.Replace(s.Text, "configure-aws-credentials@v6", "configure-aws-credentials@v4", 1)
		text = strings.Replace(text, `          allowed-account-ids: "222222222222"`+"\n", "", 1)
		found, err := linter.Lint("workflow.yml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			t.Errorf("%s:%d: %s\n%s", name, e.Line, e.Message, text)
		}
	}
}

// scripts are the shell scripts in a document of YAML.
func scripts(v any) []string {
	var found []string
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			found = append(found, scripts(one)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) { // before_script before script
			one := v[key]
			switch key {
			case "script", "before_script", "commands", "command", "run", "inlineScript":
				found = append(found, lines(one)...)
			default:
				found = append(found, scripts(one)...)
			}
		}
	}
	return found
}

// lines are those of a script, or of a step that has one.
func lines(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, lines(one)...)
		}
		return []string{strings.Join(all, "\n")}
	}
	return scripts(v)
}

func TestShell(t *testing.T) {
	bash := witness.Need(t, "bash")
	checked := map[string]bool{}
	for name, s := range every(t) {
		var all []string
		switch {
		case isYAML(s):
			all = scripts(parse(t, s))
		case strings.HasPrefix(s.Text, "# ") && !strings.Contains(s.Text, "\n[profile") && !strings.Contains(s.Text, "{\n"):
			all = []string{s.Text}
		}
		for _, script := range all {
			script = strings.ReplaceAll(script, "$$", "$") // of Buildkite
			cmd := exec.Command(bash, "-n")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s\n%s", name, err, out, script)
			}
			checked[s.System] = true
		}
	}
	for _, system := range []string{"github", "gitlab", "circleci", "bitbucket", "buildkite", "azure_devops", "forgejo", "eks_pod_identity", "pulumi_cloud", "service", accessKey, travis} {
		if !checked[system] {
			t.Errorf("no script of %s was checked", system)
		}
	}
}

func TestTerraform(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	for name, s := range of(t, "hcp_terraform", "spacelift") {
		cmd := exec.Command(terraform, "fmt", "-check", "-diff", "-")
		cmd.Stdin = strings.NewReader(s.Text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
