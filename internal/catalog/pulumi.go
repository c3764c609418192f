package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// pulumiStateS3 is Pulumi with its state in an S3 bucket, laid out by project
// (version 1 in .pulumi/meta.yaml):
//
//		.pulumi/stacks/PROJECT/STACK.json      the checkpoint; beside it .bak, .gz, .pulumi-tags
//		.pulumi/history/PROJECT/STACK/         one entry for each update
//		.pulumi/backups/PROJECT/STACK/         the checkpoint before each update
//		.pulumi/journal/PROJECT/STACK/         what an update that runs has done so far
//		.pulumi/locks/organization/PROJECT/STACK/
//
//	  - https://www.pulumi.com/docs/iac/operations/stack-management/using-a-diy-backend/
//	  - https://github.com/pulumi/pulumi/tree/master/pkg/backend/diy (store.go, lock.go, state.go)
func pulumiStateS3() *Grant {
	const word = `^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$`
	stacks := []string{"read", "stack"}
	return &Grant{
		Name:    "pulumi-state-s3",
		Area:    Infrastructure,
		Summary: "read, and above level read write and lock, Pulumi stacks in an S3 bucket",
		Never:   "create, configure or delete a bucket, delete versions of objects, write other objects of the bucket; below level project, see other stacks of the project; at level read, take or break a lock",
		Params: []Param{
			pulumiBucketParam(),
			{
				Name: "prefix", Type: String, Max: 512, Pattern: `^` + keyForm + `$`, Example: "infra",
				Summary: "folder in the bucket, as in s3://BUCKET/FOLDER, without a slash at the end; without it the bucket's root",
			},
			{
				Name: "project", Type: String, Max: 100, Pattern: word, Example: "shop", Levels: []string{"read", "stack", "project"},
				Summary: "name of the Pulumi project, up to 100 characters",
				Wider:   "for every project of the bucket use level bucket",
			},
			{
				Name: "stacks", Type: List, Max: 20, Pattern: word, Example: "production", Levels: stacks,
				Summary: "up to 20 names of stacks of the project, without organization and project",
				Wider:   "for every stack of the project use level project",
			},
			kmsKeyParam("kms_key", "that encrypts the objects of the bucket", "without it S3's own encryption is assumed"),
			kmsKeyParam("secrets_key", "of the stacks' secrets provider (awskms://…)", "without it secrets are under a passphrase; a key of the project's own, as it opens whatever else it encrypts"),
			regionParam("the bucket and the keys"),
		},
		Levels: []Level{
			{Name: "read", Summary: "preview the named stacks, and read their outputs", Needs: []string{"project", "stacks"}},
			{Name: "stack", Summary: "update the named stacks", Adds: "writing the stacks' checkpoints, history and locks, and making them", Needs: []string{"project", "stacks"}},
			{Name: "project", Summary: "update every stack of the project", Adds: "the project's other stacks, present and future", Needs: []string{"project"}},
			{Name: "bucket", Summary: "update every stack of the bucket, and begin a new one", Adds: "every other project's stacks, and the file that says how the bucket is laid out"},
		},
		Why: Why{
			"kms:Decrypt":             "pulumi: S3 decrypts a checkpoint, with kms_key; pulumi opens the stack's data key, with secrets_key",
			"kms:Encrypt":             "pulumi stack init, change-secrets-provider: encrypt the stack's data key, with secrets_key",
			"kms:GenerateDataKey":     "pulumi up: S3 encrypts a checkpoint, with kms_key",
			"s3:AbortMultipartUpload": "pulumi up: takes back the upload of a large checkpoint that failed",
			"s3:DeleteObject":         "pulumi up: removes its lock and its journal; pulumi cancel, stack rm",
			"s3:GetObject":            "pulumi login: reads meta.yaml; preview, up: read the checkpoint, tags and locks",
			"s3:ListBucket":           "pulumi: finds the checkpoint by its ending, the locks of a stack and its history",
			"s3:PutObject":            "pulumi up: takes the lock, writes checkpoint, backup and history",
		},
		Cases:      pulumiCases,
		statements: pulumiStatements,
	}
}

func pulumiBucketParam() Param {
	p := bucketParam()
	p.Summary = "name of the S3 bucket with the stacks, 3 to 63 characters"
	return p
}

// pulumi is what one rendering of the grant reaches.
type pulumi struct {
	Scope
	args   Args
	write  bool
	root   string   // ".pulumi/", after the prefix
	stacks []string // "PROJECT/STACK" or "PROJECT/*"; nil: all
}

func pulumiStatements(s Scope, level string, args Args) []iam.Statement {
	p := pulumi{Scope: s.in(args.one("region")), args: args, write: level != "read", root: ".pulumi/"}
	if prefix := args.one("prefix"); prefix != "" {
		p.root = prefix + "/" + p.root
	}
	switch project := args.one("project"); level {
	case "bucket":
	case "project":
		p.stacks = []string{project + "/*"}
	default:
		p.stacks = each(args["stacks"], func(stack string) string { return project + "/" + stack })
	}
	files := p.files()
	read := files
	if p.stacks != nil {
		read = append(slices.Clone(files), p.root+"meta.yaml")
	}
	bucket := p.s3(args.one("bucket"))
	object := func(key string) string { return bucket + "/" + key }
	out := []iam.Statement{
		allow("PulumiList", []string{"s3:ListBucket"}, []string{bucket}, when("StringLike", "s3:prefix", read...)),
		allow("PulumiRead", []string{"s3:GetObject"}, each(read, object)),
	}
	if p.write {
		out = append(out, allow("PulumiWrite", []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"}, each(files, object)))
	}
	return append(out, p.keys()...)
}

// files are patterns of the stacks' files. Pulumi finds a checkpoint by the
// beginning of its name, as it may be compressed.
func (p pulumi) files() []string {
	if p.stacks == nil {
		return []string{p.root + "*"}
	}
	folders := []string{"history/", "journal/"}
	if p.write {
		folders = append(folders, "backups/", "locks/organization/")
	}
	var out []string
	for _, stack := range p.stacks {
		folder := stack
		if strings.HasSuffix(stack, "*") {
			out = append(out, p.root+"stacks/"+stack)
		} else {
			out = append(out, p.root+"stacks/"+stack+".json*", p.root+"stacks/"+stack+".pulumi-tags")
			folder += "/*"
		}
		for _, f := range folders {
			out = append(out, p.root+f+folder)
		}
	}
	return out
}

// keys allows the bucket's key through S3 alone, and the key of the secrets
// provider, which Pulumi calls itself, through no service.
func (p pulumi) keys() []iam.Statement {
	bucket, secrets := []string{"kms:Decrypt"}, []string{"kms:Decrypt"}
	if p.write {
		bucket, secrets = append(bucket, "kms:GenerateDataKey"), append(secrets, "kms:Encrypt")
	}
	var out []iam.Statement
	if key := p.args.one("kms_key"); key != "" {
		out = append(out, p.through("s3", key, "PulumiBucketKey", bucket))
	}
	if key := p.args.one("secrets_key"); key != "" {
		arn, _ := p.kmsKey(key)
		out = append(out, allow("PulumiSecretsKey", secrets, []string{arn}, when("Null", "kms:ViaService", "true")))
	}
	return out
}

func pulumiCases() []Case {
	const (
		secretsID  = "5678abcd-12ab-34cd-56ef-1234567890ab"
		secretsKey = "arn:aws:kms:eu-west-1:222222222222:key/" + secretsID
	)
	object := func(key string, actions ...string) []call { return calls(stateBucket+"/"+key, nil, actions...) }
	list := func(prefix string) []call { return calls(stateBucket, listing(prefix), "s3:ListBucket") }
	read := func(stack string) []call {
		return flat(
			object(".pulumi/stacks/"+stack+".json", "s3:GetObject"), object(".pulumi/stacks/"+stack+".json.gz", "s3:GetObject"),
			object(".pulumi/stacks/"+stack+".pulumi-tags", "s3:GetObject"), object(".pulumi/history/"+stack+"/x.history.json", "s3:GetObject"),
			list(".pulumi/stacks/"+stack+".json"), list(".pulumi/history/"+stack+"/"))
	}
	write := func(stack string) []call {
		return flat(
			object(".pulumi/stacks/"+stack+".json", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"), object(".pulumi/stacks/"+stack+".json.bak", "s3:PutObject"),
			object(".pulumi/backups/"+stack+"/x.json", "s3:PutObject"), object(".pulumi/history/"+stack+"/x.history.json", "s3:PutObject"),
			object(".pulumi/journal/"+stack+"/1.json", "s3:PutObject", "s3:DeleteObject"),
			object(".pulumi/locks/organization/"+stack+"/x.json", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
			list(".pulumi/locks/organization/"+stack+"/"))
	}
	login := object(".pulumi/meta.yaml", "s3:GetObject")
	layout := object(".pulumi/meta.yaml", "s3:PutObject")
	decrypt := flat(calls(stateKey, viaS3(), "kms:Decrypt"), calls(secretsKey, nil, "kms:Decrypt"))
	encrypt := flat(calls(stateKey, viaS3(), "kms:GenerateDataKey"), calls(secretsKey, nil, "kms:Encrypt"))
	never := flat(
		object("other/x", "s3:GetObject", "s3:PutObject"), object("shop.json", "s3:GetObject"),
		object(".pulumi/stacks/shop/production.json", "s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:PutObjectAcl"),
		calls(stateBucket, nil, "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:CreateBucket"),
		calls(stateBucket, nil, "s3:ListBucket"), list(""), list("other/"),
		calls("arn:aws:s3:::acme-backups/.pulumi/stacks/shop/production.json", nil, "s3:GetObject"),
		calls(stateKey, nil, "kms:Decrypt"), calls(secretsKey, viaS3(), "kms:Decrypt", "kms:Encrypt"),
		calls(secretsKey, nil, "kms:ScheduleKeyDeletion", "kms:CreateGrant", "kms:GenerateDataKey"),
	)
	const live, test, next, web = "shop/production", "shop/test", "shop/production2", "web/production"
	args := func(more Args) Args {
		maps.Copy(more, Args{"bucket": {"acme-state"}, "kms_key": {stateKeyID}, "secrets_key": {secretsID}})
		return more
	}
	project, stacks := []string{"shop"}, []string{"production"}
	return flat(
		cases("", Args{"bucket": {"acme-state"}, "project": project, "stacks": stacks}, flat(login, read(live)),
			flat(never, layout, write(live), read(test), read(next), read(web), list(".pulumi/stacks/"), list(".pulumi/stacks/shop/"), decrypt)),
		cases("read", args(Args{"project": project, "stacks": stacks}), flat(login, read(live), decrypt), flat(never, write(live), encrypt)),
		cases("stack", args(Args{"project": project, "stacks": stacks}), flat(login, read(live), write(live), decrypt, encrypt),
			flat(never, layout, read(test), write(test), read(next), write(next), write(web))),
		cases("stack", Args{"bucket": {"acme-state"}, "project": project, "stacks": stacks, "prefix": {"infra"}},
			flat(object("infra/.pulumi/stacks/shop/production.json", "s3:PutObject"), list("infra/.pulumi/locks/organization/shop/production/")),
			flat(login, read(live), write(live))),
		cases("project", args(Args{"project": project}), flat(login, read(live), write(live), read(test), write(test), list(".pulumi/stacks/shop/"), decrypt, encrypt),
			flat(never, layout, read(web), write(web), write("shopping/live"))),
		cases("bucket", args(Args{}), flat(login, layout, read(live), write(live), write(web), list(".pulumi/stacks/"), decrypt, encrypt), never),
	)
}
