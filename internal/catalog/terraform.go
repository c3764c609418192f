package catalog

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// terraformRemoteStateS3 is what the S3 backend of Terraform and OpenTofu
// needs, and nothing of what the code that it runs needs.
//
// https://developer.hashicorp.com/terraform/language/backend/s3#permissions-required
func terraformRemoteStateS3() *Grant {
	return &Grant{
		Name:    "terraform-remote-state-s3",
		Area:    Infrastructure,
		Summary: "read, and above level read write and lock, Terraform states in an S3 bucket",
		Never:   "delete a state or an old version of one, create or configure a bucket or a table, write at level read",
		Params: slices.Concat([]Param{
			bucketParam(),
			keyParam("for every state of a folder use level prefix, for all of the bucket level bucket", "read", "key"),
			prefixParam("prefix"),
		}, workspaceParams("for every workspace use level bucket", "read", "key", "prefix"), stateParams([]string{"key", "prefix", "bucket"})),
		Levels: []Level{
			{Name: "read", Summary: "read one state and nothing else: plan -lock=false, terraform_remote_state; the default, so that a job which applies must say level: key", Needs: []string{"key"}},
			{Name: "key", Summary: "read, write and lock one state: plan and apply", Adds: "writing the state, taking and releasing its lock", Needs: []string{"key"}},
			{Name: "prefix", Summary: "read, write and lock every state of a folder", Adds: "the folder's other states, present and future", Needs: []string{"prefix"}},
			{Name: "bucket", Summary: "read, write and lock every state of the bucket", Adds: "every other object of the bucket"},
		},
		Why: Why{
			"dynamodb:DeleteItem":    "terraform plan, apply: release the lock in the table",
			"dynamodb:DescribeTable": "terraform: asked for by the documentation of the backend, beside the items",
			"dynamodb:GetItem":       "terraform: reads the digest of the state, and who holds the lock",
			"dynamodb:PutItem":       "terraform plan, apply: take the lock, write the digest of the state",
			"kms:Decrypt":            "terraform: reads a state that the key encrypts",
			"kms:GenerateDataKey":    "terraform apply: writes a state that the key encrypts",
			"s3:DeleteObject":        "terraform plan, apply: remove the lock file (use_lockfile)",
			"s3:GetObject":           "terraform init, plan, apply: read the state, and who holds the lock file",
			"s3:ListBucket":          "terraform init: lists the workspaces; a state that is not there yet is then told from one that is forbidden",
			"s3:PutObject":           "terraform apply: writes the state; plan, apply: write the lock file",
		},
		Cases:      terraformCases,
		statements: terraformStatements,
	}
}

func terraformStatements(s Scope, level string, args Args) []iam.Statement {
	t := newState(s, "TerraformState", args)
	t.write = level != "read"
	switch level {
	case "read", "key":
		t.objects = []string{args.one("key")}
	case "prefix":
		t.objects = []string{args.one("prefix") + "/*"}
		t.listed = []string{args.one("prefix")}
	default:
		t.objects = []string{"*"}
		return t.statements()
	}
	t.inWorkspaces(args)
	return t.statements()
}
