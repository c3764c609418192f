package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

// terragruntScenarios make, with the AWS CLI, the calls that Terragrunt's own
// code makes of a bucket before it starts Terraform, and those that Terraform
// makes of a state: https://github.com/gruntwork-io/terragrunt (internal/
// remotestate/backend/s3/client.go). Terragrunt itself is not run here.
func terragruntScenarios() []scenario {
	const (
		state = "shop/terraform.tfstate"
		of    = " --bucket " + stateBucket
		item  = " --table-name " + lockTable + ` --key {"LockID":{"S":"` + stateBucket + "/" + state + `"}}`
	)
	return []scenario{{
		name: "AWS CLI makes the calls of terragrunt apply", grant: "terragrunt", level: "prefix",
		args: catalog.Args{"bucket": {stateBucket}, "prefix": {"shop"}, "lock_table": {lockTable}},
		tool: needAWS, breaks: "s3:GetBucketVersioning",
		prepare: func(s *stage) {
			s.prepareState()
			s.at("s3", "PUT", "/"+stateBucket+"/"+state, nil, "{}")
		},
		// moto answers for settings that a bucket lacks with an error.
		answers: []string{"s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"},
		run: func(s *stage) error {
			s.commands = append(s.commands, "terraform init", "terraform plan", "terraform apply")
			body := " --body " + s.file("state.json", "{}")
			at := func(key string) string { return of + " --key " + key }
			return s.aws(
				"s3api head-bucket"+of,
				"s3api get-bucket-location"+of,
				"s3api get-bucket-versioning"+of,
				"s3api get-bucket-encryption"+of,
				"s3api get-bucket-policy"+of,
				"s3api get-public-access-block"+of,
				"dynamodb describe-table --table-name "+lockTable,
				"s3api put-object"+at(state+".tflock")+body,
				"s3api get-object"+at(state+".tflock")+" "+s.dir+"/lock",
				"dynamodb put-item --table-name "+lockTable+` --item {"LockID":{"S":"`+stateBucket+"/"+state+`"}}`,
				"dynamodb get-item"+item,
				"s3api get-object"+at(state)+" "+s.dir+"/read",
				"s3api put-object"+at(state)+body,
				"dynamodb delete-item"+item,
				"s3api delete-object"+at(state+".tflock"),
			)
		},
		refused: "dynamodb:GetItem", refuses: func(s *stage) error {
			return s.aws("dynamodb get-item --table-name " + lockTable + ` --key {"LockID":{"S":"` + stateBucket + `/web/terraform.tfstate"}}`)
		},
		denied: []wire.Call{
			{Action: "s3:GetObject", Resource: object("web/terraform.tfstate")},
			{Action: "s3:DeleteObject", Resource: object(state)},
			{Action: "s3:PutBucketVersioning", Resource: "arn:aws:s3:::" + stateBucket},
			{Action: "s3:PutBucketPolicy", Resource: "arn:aws:s3:::" + stateBucket},
			{Action: "s3:CreateBucket", Resource: "arn:aws:s3:::" + stateBucket},
			{Action: "dynamodb:GetItem", Resource: tableARN},
			{Action: "dynamodb:Query", Resource: tableARN},
			{Action: "dynamodb:DeleteTable", Resource: tableARN},
		},
	}}
}
