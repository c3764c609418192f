package gateway

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

// What lies in moto before Terraform starts.
const (
	stateBucket = "acme-state"
	stateKey    = "shop/terraform.tfstate"
	stagingKey  = "env:/staging/" + stateKey
	lockTable   = "locks"
	tableARN    = "arn:aws:dynamodb:" + region + ":" + account + ":table/" + lockTable
	kmsKeyID    = "1234abcd-12ab-44cd-86ef-1234567890ab"
)

func object(key string) string { return "arn:aws:s3:::" + stateBucket + "/" + key }

func stateScenarios() []scenario {
	neighbours := []wire.Call{
		{Action: "s3:GetObject", Resource: object("web/terraform.tfstate")},
		{Action: "s3:PutObject", Resource: object("web/terraform.tfstate")},
		{Action: "s3:GetObject", Resource: object("env:/live/" + stateKey)},
		{Action: "s3:DeleteObject", Resource: object(stateKey)},
		{Action: "s3:GetObjectVersion", Resource: object(stateKey)},
		{Action: "s3:PutObjectAcl", Resource: object(stateKey)},
		{Action: "s3:ListBucket", Resource: "arn:aws:s3:::" + stateBucket},
		{Action: "s3:ListBucket", Resource: "arn:aws:s3:::" + stateBucket, Context: map[string][]string{"s3:prefix": {"web/"}}},
		{Action: "s3:PutBucketPolicy", Resource: "arn:aws:s3:::" + stateBucket},
		{Action: "s3:DeleteBucket", Resource: "arn:aws:s3:::" + stateBucket},
		{Action: "dynamodb:DeleteTable", Resource: tableARN},
		{Action: "dynamodb:Scan", Resource: tableARN},
		{Action: "dynamodb:GetItem", Resource: tableARN, Context: map[string][]string{"dynamodb:LeadingKeys": {"acme-state/web/terraform.tfstate"}}},
	}
	const encrypted = "moto encrypts nothing, and which key encrypted an object no request for it says"
	apply := func(s *stage) error {
		return s.terraform(
			"init -input=false",
			"plan -input=false -out=plan",
			"apply -input=false plan",
			"workspace new staging",
			"apply -input=false -auto-approve",
			"workspace list",
			"workspace select default",
			"output",
		)
	}
	base := catalog.Args{"bucket": {stateBucket}, "key": {stateKey}, "workspaces": {"staging"}}
	return []scenario{
		{
			name: "Terraform with a lock file", grant: "terraform-remote-state-s3", level: "key", args: base,
			tool: needTerraform, breaks: "s3:PutObject",
			prepare: func(s *stage) { s.prepareState(); s.configure(`use_lockfile = true`) },
			run:     apply, denied: neighbours,
		},
		{
			name: "Terraform meets a held lock file", grant: "terraform-remote-state-s3", level: "key", args: base,
			tool: needTerraform,
			prepare: func(s *stage) {
				s.prepareState()
				s.configure(`use_lockfile = true`)
				s.at("s3", "PUT", "/"+stateBucket+"/"+stateKey+".tflock", nil, `{"ID":"0a1b","Operation":"OperationTypePlan","Who":"someone"}`)
			},
			run: func(s *stage) error {
				err := s.terraform("init -input=false", "plan -input=false")
				if err == nil || !strings.Contains(err.Error(), "someone") {
					return fmt.Errorf("the holder of the lock is not named: %w", err)
				}
				return s.terraform("force-unlock -force 0a1b", "apply -input=false -auto-approve")
			},
		},
		{
			name: "Terraform with a lock table and a key", grant: "terraform-remote-state-s3", level: "key",
			args: catalog.Args{
				"bucket": {stateBucket}, "key": {stateKey}, "workspaces": {"staging"},
				"lockfile": {"false"}, "lock_table": {lockTable}, "kms_key": {kmsKeyID},
			},
			tool: needTerraform, breaks: "dynamodb:PutItem",
			prepare: func(s *stage) {
				s.prepareState()
				s.configure(`dynamodb_table = "`+lockTable+`"`, `encrypt = true`, `kms_key_id = "arn:aws:kms:`+region+`:`+account+`:key/`+kmsKeyID+`"`)
			},
			run: apply, denied: neighbours,
			unreached: map[string]string{
				"TerraformStateKey kms:Decrypt":                  encrypted,
				"TerraformStateLockTable dynamodb:DescribeTable": "this Terraform does not look whether the table is there; OpenTofu does",
			},
		},
		{
			name: "Terraform may read and not write", grant: "terraform-remote-state-s3", level: "read",
			args: catalog.Args{"bucket": {stateBucket}, "key": {stateKey}},
			tool: needTerraform,
			prepare: func(s *stage) {
				s.prepareState()
				s.configure(`use_lockfile = true`)
				s.at("s3", "PUT", "/"+stateBucket+"/"+stateKey, nil, `{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"0a1b","outputs":{},"resources":[]}`)
			},
			run:     func(s *stage) error { return s.terraform("init -input=false", "plan -input=false -lock=false") },
			refused: "s3:PutObject", refuses: func(s *stage) error { return s.terraform("apply -input=false -auto-approve -lock=false") },
			denied: append([]wire.Call{
				{Action: "s3:PutObject", Resource: object(stateKey)},
				{Action: "s3:PutObject", Resource: object(stateKey + ".tflock")},
				{Action: "s3:GetObject", Resource: object(stagingKey)},
			}, neighbours...),
		},
	}
}

// prepareState empties the bucket and the table, or makes them.
func (s *stage) prepareState() {
	s.bucket(stateBucket)
	for _, key := range []string{stateKey, stagingKey, stateKey + ".tflock", stagingKey + ".tflock"} {
		s.at("s3", "DELETE", "/"+stateBucket+"/"+key, nil, "")
	}
	const dynamo = "DynamoDB_20120810."
	if strings.Contains(s.json("dynamodb", dynamo+"ListTables", `{}`), lockTable) {
		s.json("dynamodb", dynamo+"DeleteTable", `{"TableName":"`+lockTable+`"}`)
	}
	s.json("dynamodb", dynamo+"CreateTable", `{"TableName":"`+lockTable+`","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"LockID","AttributeType":"S"}],"KeySchema":[{"AttributeName":"LockID","KeyType":"HASH"}]}`)
}

// bucket makes a bucket, if an earlier scenario has not.
func (s *stage) bucket(name string) {
	if strings.Contains(s.at("s3", "GET", "/", nil, ""), "<Name>"+name+"<") {
		return
	}
	s.at("s3", "PUT", "/"+name, nil, `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>`+region+`</LocationConstraint></CreateBucketConfiguration>`)
}

// configure writes a configuration whose only resource needs no provider.
func (s *stage) configure(backend ...string) {
	s.file("main.tf", `terraform {
  backend "s3" {
    bucket         = "`+stateBucket+`"
    key            = "`+stateKey+`"
    use_path_style = true
    `+strings.Join(backend, "\n    ")+`
  }
}
resource "terraform_data" "example" { input = terraform.workspace }
output "workspace" { value = terraform_data.example.output }
`)
}

// needTerraform skips where Terraform is not installed: no package registry
// has it, so that not even POSTERN_REQUIRE=all can ask for it.
func needTerraform(t testing.TB) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not on PATH, and make tools cannot install it")
	}
}

// terraform runs Terraform commands through the gateway, and ends at the first
// that fails.
func (s *stage) terraform(lines ...string) error {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	for _, line := range lines {
		s.commands = append(s.commands, "terraform "+line)
		command, rest, _ := strings.Cut(line, " ")
		cmd := exec.CommandContext(ctx, "terraform", append([]string{command}, strings.Fields(rest)...)...)
		cmd.Dir, cmd.WaitDelay = s.dir, time.Second
		cmd.Env = slices.Concat(s.env(), []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TF_CLI_ARGS=-no-color",
			"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_MAX_ATTEMPTS=1",
		})
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			// Its messages are broken into lines behind a bar.
			text := strings.Join(strings.Fields(strings.ReplaceAll(out.String(), "│", " ")), " ")
			return fmt.Errorf("terraform %s: %w: %s", line, err, text)
		}
	}
	return nil
}
