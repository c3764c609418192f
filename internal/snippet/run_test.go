package snippet

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// run is a job of a system, as far as the AWS CLI can tell: what the system
// sets, and the commands that it has.
type run struct {
	system, identity string
	env              map[string]string
	commands         map[string]string // name of a program: its script
	edit             *strings.Replacer // what is filled in by hand, or by the system
	session          string            // what it must be called; empty: the helper that it is a stand-in for would know
}

// runs have a token that says nothing: moto looks at none.
var runs = []run{
	{
		system: "gitlab", identity: "gitlab", session: "gitlab-77",
		env: map[string]string{"AWS_ID_TOKEN": "e30.e30.e30", "CI_JOB_ID": "77"},
	},
	{
		system: "circleci", identity: "circleci", session: "circleci-77",
		env: map[string]string{"CIRCLE_OIDC_TOKEN_V2": "e30.e30.e30", "CIRCLE_BUILD_NUM": "77"},
	},
	{
		system: "circleci", identity: "circleci-tags", session: "circleci-tags-77",
		env:      map[string]string{"CIRCLE_BUILD_NUM": "77"},
		commands: map[string]string{"circleci": `[ "$*" = "run oidc get --claims {\"aud\":\"it's aws\"}" ] && echo e30.e30.e30`},
	},
	{
		system: "bitbucket", identity: "bitbucket", session: "bitbucket-77",
		env: map[string]string{"BITBUCKET_STEP_OIDC_TOKEN": "e30.e30.e30", "BITBUCKET_BUILD_NUMBER": "77"},
	},
	{
		system: "buildkite", identity: "buildkite", session: "buildkite-77",
		env: map[string]string{"BUILDKITE_BUILD_NUMBER": "77"},
		commands: map[string]string{"buildkite-agent": `[ "$*" = "oidc request-token --audience sts.amazonaws.com --claim organization_id --claim pipeline_id` +
			` --aws-session-tag organization_id --aws-session-tag pipeline_id" ] && echo e30.e30.e30`},
		edit: strings.NewReplacer("$$", "$"),
	},
	{
		system: "forgejo", identity: "forgejo", session: "forgejo-77",
		env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "https://codeberg.org/idtoken?placeholder=true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request"},
		commands: map[string]string{
			"curl": `[ "$*" = "--fail --silent --show-error -H Authorization: bearer request https://codeberg.org/idtoken?placeholder=true&audience=sts.amazonaws.com" ] && echo '{"value":"e30.e30.e30"}'`,
			"jq":   `[ "$*" = "-j .value" ] && grep -o 'e30[.e0-9]*'`,
		},
		edit: strings.NewReplacer("${{ github.run_id }}", "77"),
	},
	{
		system: travis, identity: "travis", session: "travis-77",
		env: map[string]string{"TRAVIS_BUILD_NUMBER": "77", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
	},
	{
		system: accessKey, identity: "key", session: "key",
		env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
	},
	{
		system: "oidc", identity: "other", session: "other",
		edit: strings.NewReplacer("TOKEN_FILE", "token"),
	},
	{
		system: "aws_role", identity: "partner-role", session: "partner-role",
		env:  map[string]string{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
		edit: strings.NewReplacer("Ec2InstanceMetadata", "Environment"),
	},
	{
		system: "aws_account", identity: "partner", session: "partner",
		env:  map[string]string{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
		edit: strings.NewReplacer("Ec2InstanceMetadata", "Environment"),
	},
	{
		system: "roles_anywhere", identity: "machine",
		edit: strings.NewReplacer("CERTIFICATE", "cert.pem", "PRIVATE_KEY", "key.pem", "PROFILE_ARN", "arn:profile"),
		commands: map[string]string{"aws_signing_helper": `[ "$*" = "credential-process --certificate cert.pem --private-key key.pem` +
			` --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:222222222222:trust-anchor/7f2b6a30-8c4f-4d0a-9b5e-3c1d2e4f5a6b` +
			` --profile-arn arn:profile --role-arn arn:aws:iam::222222222222:role/postern/identities/identities-machines" ] &&` +
			` echo '{"Version":1,"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"secret","SessionToken":"token"}'`},
	},
}

// TestRuns has the AWS CLI do what each job would, against moto: the job becomes
// the role, under the name that CloudTrail would show.
func TestRuns(t *testing.T) {
	bash, aws, moto := witness.Need(t, "bash"), witness.Need(t, "aws"), witness.Moto(t)
	all := every(t)
	for _, r := range runs {
		t.Run(r.identity, func(t *testing.T) {
			t.Parallel()
			s := r.snippet(t, all)
			bin := t.TempDir()
			for name, script := range r.commands {
				if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			script, env := r.job(t, s)
			cmd := exec.Command(bash, "-e", "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Env = append(env, "PATH="+strings.Join([]string{bin, filepath.Dir(aws), os.Getenv("PATH")}, ":"),
				"HOME="+t.TempDir(), "TMPDIR="+t.TempDir(), "AWS_ENDPOINT_URL="+moto, "AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=us-east-1", "AWS_DEFAULT_OUTPUT=json")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, script)
			}
			if want := "assumed-role/" + roleName(t, s) + "/" + r.session; r.session != "" && !strings.Contains(string(out), want) {
				t.Errorf("is not %s:\n%s", want, out)
			}
		})
	}
}

func (r run) snippet(t *testing.T, all map[string]Snippet) Snippet {
	t.Helper()
	for _, s := range all {
		if s.System == r.system && s.Identity == r.identity {
			return s
		}
	}
	t.Fatalf("no snippet of %s for %s", r.system, r.identity)
	return Snippet{}
}

// job is all scripts of a snippet as one, and the variables that it declares; or
// a call with the profile that it is.
func (r run) job(t *testing.T, s Snippet) (script string, env []string) {
	t.Helper()
	vars := map[string]string{}
	maps.Copy(vars, r.env)
	if r.edit != nil {
		s.Text = r.edit.Replace(s.Text)
	}
	all := []string{s.Text}
	if isYAML(s) {
		doc := parse(t, s)
		declared(doc, vars)
		all = scripts(doc)
	} else if _, profile, ok := strings.Cut(s.Text, "[profile "); ok {
		profile, _, _ = strings.Cut(profile, "]")
		vars["AWS_CONFIG_FILE"] = write(t, s.Text)
		all = []string{"echo e30.e30.e30 > token; aws sts get-caller-identity --profile " + profile}
	}
	// CircleCI reads the file that BASH_ENV names before each step, Forgejo that
	// of GITHUB_ENV.
	vars["BASH_ENV"], vars["GITHUB_ENV"] = write(t, ""), write(t, "")
	for i := range all {
		all[i] = "set -a; . $BASH_ENV; . $GITHUB_ENV; set +a\n" + all[i]
	}
	for name, value := range vars {
		env = append(env, name+"="+os.Expand(value, func(of string) string { return vars[of] }))
	}
	slices.Sort(env)
	return strings.Join(all, "\n"), env
}

// declared adds the variables of a document.
func declared(v any, vars map[string]string) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			declared(one, vars)
		}
	case string:
		for _, word := range strings.Fields(v) {
			if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(v, "AWS_") {
				vars[name] = value
			}
		}
	case map[string]any:
		for key, one := range v {
			if strings.HasPrefix(key, "AWS_") {
				if text, ok := one.(string); ok {
					vars[key] = text
				}
				continue
			}
			declared(one, vars)
		}
	}
}

func roleName(t *testing.T, s Snippet) string {
	t.Helper()
	stack := "identities"
	if strings.Contains(s.Text, "role/postern/variants/") {
		stack = "variants"
	}
	return fmt.Sprintf("%s-%s", stack, s.Role)
}
