package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const pulumiBucket = "acme-pulumi"

// pulumiScenarios make, with the AWS CLI, the calls that Pulumi's own code makes
// of an update: https://github.com/pulumi/pulumi/tree/master/pkg/backend/diy
// (meta.go, lock.go, state.go). Pulumi itself is not run here.
func pulumiScenarios() []scenario {
	const (
		checkpoint = ".pulumi/stacks/shop/production.json"
		lock       = ".pulumi/locks/organization/shop/production/0a1b.json"
		of         = " --bucket " + pulumiBucket
	)
	object := func(key string) string { return "arn:aws:s3:::" + pulumiBucket + "/" + key }
	list := func(prefix string) string { return "s3api list-objects-v2" + of + " --prefix " + prefix }
	at := func(key string) string { return of + " --key " + key }
	return []scenario{{
		name: "AWS CLI makes the calls of pulumi up", grant: "pulumi-state-s3", level: "stack",
		args: catalog.Args{"bucket": {pulumiBucket}, "project": {"shop"}, "stacks": {"production"}},
		tool: needAWS, breaks: "s3:ListBucket",
		prepare: func(s *stage) {
			s.bucket(pulumiBucket)
			s.at("s3", "PUT", "/"+pulumiBucket+"/.pulumi/meta.yaml", nil, "version: 1\n")
			s.at("s3", "PUT", "/"+pulumiBucket+"/"+checkpoint, nil, "{}")
		},
		answers: []string{"s3:AbortMultipartUpload"}, // no upload is under way
		run: func(s *stage) error {
			body := " --body " + s.file("checkpoint.json", "{}")
			return s.aws(
				list(".pulumi/stacks/shop/production.json"),
				"s3api get-object"+at(".pulumi/meta.yaml")+" "+s.dir+"/meta.yaml",
				list(".pulumi/locks/organization/shop/production/"),
				"s3api put-object"+at(lock)+body,
				"s3api head-object"+at(checkpoint),
				"s3api get-object"+at(checkpoint)+" "+s.dir+"/read.json",
				"s3api copy-object"+at(checkpoint+".bak")+" --copy-source "+pulumiBucket+"/"+checkpoint,
				"s3api put-object"+at(checkpoint)+body,
				"s3api put-object"+at(".pulumi/backups/shop/production/production.1.json")+body,
				"s3api put-object"+at(".pulumi/history/shop/production/production-1.history.json")+body,
				"s3api copy-object"+at(".pulumi/history/shop/production/production-1.checkpoint.json")+" --copy-source "+pulumiBucket+"/"+checkpoint,
				"s3api abort-multipart-upload"+at(checkpoint)+" --upload-id 1",
				"s3api delete-object"+at(lock),
			)
		},
		refused: "s3:PutObject", refuses: func(s *stage) error {
			return s.aws("s3api put-object" + at(".pulumi/stacks/shop/test.json") + " --body " + s.file("other.json", "{}"))
		},
		denied: []wire.Call{
			{Action: "s3:GetObject", Resource: object(".pulumi/stacks/shop/test.json")},
			{Action: "s3:GetObject", Resource: object(".pulumi/stacks/web/production.json")},
			{Action: "s3:DeleteObject", Resource: object(".pulumi/locks/organization/shop/test/0a1b.json")},
			{Action: "s3:PutObject", Resource: object(".pulumi/meta.yaml")},
			{Action: "s3:DeleteObjectVersion", Resource: object(checkpoint)},
			{Action: "s3:PutBucketPolicy", Resource: "arn:aws:s3:::" + pulumiBucket},
		},
	}}
}
