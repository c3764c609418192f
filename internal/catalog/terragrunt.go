package catalog

import "github.com/postern-dev/postern/iam"

// terragrunt is what Terragrunt itself needs beside the code that it runs:
// its states, their locks, and a look at the bucket. That it asks who it is
// (sts:GetCallerIdentity) needs no permission. Since 0.87 Terragrunt makes and
// changes the bucket only if it is told to: terragrunt backend bootstrap, or
// --backend-bootstrap (https://github.com/gruntwork-io/terragrunt/releases/tag/v0.87.0).
//
// https://terragrunt.gruntwork.io/docs/features/aws-authentication/
func terragrunt() *Grant {
	return &Grant{
		Name:    "terragrunt",
		Area:    Infrastructure,
		Summary: "run Terragrunt on states in an S3 bucket; only at level bootstrap create the bucket and the lock table",
		Never:   "delete a state, a bucket or a table; below level bootstrap change the bucket, its policy or its encryption",
		Params: append([]Param{
			bucketParam(),
			prefixParam("read", "prefix"),
		}, stateParams([]string{"prefix", "bucket", "bootstrap"})...),
		Levels: []Level{
			{Name: "read", Summary: "read the states of a folder: plan -lock=false", Needs: []string{"prefix"}},
			{Name: "prefix", Summary: "read, write and lock the states of a folder: plan and apply", Adds: "writing the states, taking and releasing their locks", Needs: []string{"prefix"}},
			{Name: "bucket", Summary: "read, write and lock every state of the bucket", Adds: "every other object of the bucket"},
			{Name: "bootstrap", Summary: "create and configure the bucket and, if named, the lock table: terragrunt backend bootstrap, once, by a role of its own", Adds: "creating the bucket and the table, and changing the bucket's policy, versioning, encryption, tags and ownership"},
		},
		Why: Why{
			"dynamodb:CreateTable":          "terragrunt backend bootstrap: makes the lock table",
			"dynamodb:DeleteItem":           "terraform plan, apply: release the lock in the table",
			"dynamodb:DescribeTable":        "terragrunt: looks whether the lock table is there and active",
			"dynamodb:GetItem":              "terraform: reads the digest of the state, and who holds the lock",
			"dynamodb:PutItem":              "terraform plan, apply: take the lock, write the digest of the state",
			"dynamodb:TagResource":          "terragrunt backend bootstrap: tags the table that it makes (dynamodb_table_tags)",
			"kms:Decrypt":                   "terraform: reads a state that the key encrypts",
			"kms:GenerateDataKey":           "terraform apply: writes a state that the key encrypts",
			"s3:CreateBucket":               "terragrunt backend bootstrap: makes the bucket",
			"s3:DeleteObject":               "terraform plan, apply: remove the lock file (use_lockfile)",
			"s3:GetBucketLocation":          "terragrunt: finds the region of the bucket",
			"s3:GetBucketPolicy":            "terragrunt: looks whether the bucket demands TLS and denies other callers",
			"s3:GetBucketPublicAccessBlock": "terragrunt: looks whether the bucket is closed to the public",
			"s3:GetBucketVersioning":        "terragrunt: warns if the bucket keeps no versions",
			"s3:GetEncryptionConfiguration": "terragrunt: looks whether the bucket encrypts as configured",
			"s3:GetObject":                  "terraform init, plan, apply: read the state, and who holds the lock file",
			"s3:ListBucket":                 "terragrunt: begins with HeadBucket; terraform: lists workspaces",
			"s3:PutBucketOwnershipControls": "terragrunt backend bootstrap: turns ACLs off",
			"s3:PutBucketPolicy":            "terragrunt backend bootstrap: demands TLS",
			"s3:PutBucketPublicAccessBlock": "terragrunt backend bootstrap: closes the bucket to the public",
			"s3:PutBucketTagging":           "terragrunt backend bootstrap: tags the bucket (s3_bucket_tags)",
			"s3:PutBucketVersioning":        "terragrunt backend bootstrap: keeps old versions of states",
			"s3:PutEncryptionConfiguration": "terragrunt backend bootstrap: sets the default encryption",
			"s3:PutObject":                  "terraform apply: writes the state; plan, apply: write the lock file",
			"s3:TagResource":                "terragrunt backend bootstrap: tags the bucket, for S3's newer tagging call",
		},
		Cases:      terragruntCases,
		statements: terragruntStatements,
	}
}

func terragruntStatements(s Scope, level string, args Args) []iam.Statement {
	t := newState(s, "Terragrunt", args)
	t.write = level != "read"
	t.objects = []string{"*"}
	if prefix := args.one("prefix"); prefix != "" {
		t.objects = []string{prefix + "/*"}
	}
	// Terragrunt begins with HeadBucket, which is s3:ListBucket without a
	// prefix: a condition on the prefix would deny it. Key names show, states
	// do not open.
	bucket := []string{t.s3(t.bucket)}
	out := append(t.statements(), allow("TerragruntLookAtBucket", []string{
		"s3:GetBucketLocation",
		"s3:GetBucketPolicy",
		"s3:GetBucketPublicAccessBlock",
		"s3:GetBucketVersioning",
		"s3:GetEncryptionConfiguration",
	}, bucket))
	if level != "bootstrap" {
		return out
	}
	out = append(out, allow("TerragruntCreateBucket", []string{
		"s3:CreateBucket",
		"s3:PutBucketOwnershipControls",
		"s3:PutBucketPolicy",
		"s3:PutBucketPublicAccessBlock",
		"s3:PutBucketTagging",
		"s3:PutBucketVersioning",
		"s3:PutEncryptionConfiguration",
		"s3:TagResource",
	}, bucket))
	if t.table != "" {
		out = append(out, allow("TerragruntCreateTable",
			[]string{"dynamodb:CreateTable", "dynamodb:TagResource"}, []string{t.arn("dynamodb", "table/"+t.table)}))
	}
	return out
}
