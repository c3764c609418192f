package catalog

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// state is access to Terraform states in one bucket, with their locks.
//
// https://developer.hashicorp.com/terraform/language/backend/s3#permissions-required
type state struct {
	Scope
	prefix   string   // of the statement ids
	bucket   string   // name
	objects  []string // keys of states, or patterns of keys
	listed   []string // prefixes that may be listed, or patterns; nil: any
	write    bool     // write states; with it goes taking locks in the table
	locks    bool     // take locks in the table without writing states
	lockfile bool     // take the lock that lies beside the state (use_lockfile); never at a level that only reads
	table    string   // DynamoDB table with the locks; empty: none
	key      string   // KMS key id or ARN; empty: none
}

// lockSuffix is what Terraform and OpenTofu append to a state's key for its
// lock file, digestSuffix what they append to its lock's id for its digest.
const (
	lockSuffix   = ".tflock"
	digestSuffix = "-md5"
)

func (t *state) statements() []iam.Statement {
	out := []iam.Statement{t.list(), t.read()}
	if t.write {
		out = append(out, allow(t.prefix+"Write", []string{"s3:PutObject"}, t.arns("")))
	}
	if t.lockfile {
		out = append(out, allow(t.prefix+"LockFile", t.lockFileActions(), t.arns(lockSuffix)))
	}
	if t.table != "" {
		out = append(out, t.lockTable()...)
	}
	if t.key != "" {
		out = append(out, t.encryption())
	}
	return out
}

// lockFileActions are those that are still to be allowed: a pattern of states
// that may be read and written takes in the lock files beside them.
func (t *state) lockFileActions() []string {
	isPattern := func(key string) bool { return strings.HasSuffix(key, "*") }
	if t.write && !slices.ContainsFunc(t.objects, func(key string) bool { return !isPattern(key) }) {
		return []string{"s3:DeleteObject"}
	}
	return []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
}

// arns are the objects, each key with a suffix.
func (t *state) arns(suffix string) []string {
	return each(t.objects, func(key string) string { return t.s3(t.bucket + "/" + key + suffix) })
}

// list lets S3 answer "not found" instead of "forbidden" for a state that does
// not exist yet, and Terraform list workspaces.
func (t *state) list() iam.Statement {
	list := allow(t.prefix+"List", []string{"s3:ListBucket"}, []string{t.s3(t.bucket)})
	if t.listed != nil {
		list.Conditions = []iam.Condition{when("StringLike", "s3:prefix", t.listed...)}
	}
	return list
}

func (t *state) read() iam.Statement {
	return allow(t.prefix+"Read", []string{"s3:GetObject"}, t.arns(""))
}

// lockTable bounds the items as the objects are bounded: Terraform names a
// lock BUCKET/KEY, and the digest that it keeps of a state alike. Who only takes
// locks changes no digest: a wrong one stops every later run.
func (t *state) lockTable() []iam.Statement {
	table := []string{t.arn("dynamodb", "table/"+t.table)}
	var locks, items []string
	for _, key := range t.objects {
		locks = append(locks, t.bucket+"/"+key)
		items = append(items, t.bucket+"/"+key)
		if !strings.HasSuffix(key, "*") {
			items = append(items, t.bucket+"/"+key+digestSuffix)
		}
	}
	// ForAllValues alone would hold for a call without keys.
	on := func(sid string, actions, keys []string) iam.Statement {
		return allow(t.prefix+sid, actions, table,
			when("ForAllValues:StringLike", "dynamodb:LeadingKeys", keys...), when("Null", "dynamodb:LeadingKeys", "false"))
	}
	actions := []string{"dynamodb:GetItem"}
	if t.write {
		actions = []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"}
	}
	out := []iam.Statement{allow(t.prefix+"LockTable", []string{"dynamodb:DescribeTable"}, table), on("LockItems", actions, items)}
	if t.locks {
		out = append(out, on("Lock", []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}, locks))
	}
	return out
}

// inWorkspaces adds the states of the workspaces to the one of the default, and
// bounds what may be listed.
func (t *state) inWorkspaces(args Args) {
	folder, state := args.one("workspace_prefix"), t.objects[0]
	for _, name := range args["workspaces"] {
		t.objects = append(t.objects, folder+"/"+name+"/"+state)
	}
	for _, object := range t.objects {
		t.listed = append(t.listed, object)
		if t.lockfile && !strings.HasSuffix(object, "*") {
			t.listed = append(t.listed, object+lockSuffix)
		}
	}
	// Every init looks for workspaces by listing their folder, and fails if it
	// may not (Terraform forgives that only for the default folder, and not in
	// every version). The names of workspaces show, their states do not open.
	t.listed = append(t.listed, folder+"/")
}

// encryption allows the KMS key through S3 only: not to decrypt a copy.
func (t *state) encryption() iam.Statement {
	actions := []string{"kms:Decrypt"}
	if t.write || t.lockfile {
		actions = append(actions, "kms:GenerateDataKey")
	}
	return t.through("s3", t.key, t.prefix+"Key", actions)
}

// newState reads the parameters of stateParams; the caller adds the objects.
func newState(s Scope, prefix string, args Args) *state {
	return &state{
		Scope:    s.in(args.one("region")),
		prefix:   prefix,
		bucket:   args.one("bucket"),
		lockfile: args.on("lockfile"),
		table:    args.one("lock_table"),
		key:      args.one("kms_key"),
	}
}

// keyForm is an object key of characters that mean nothing to a policy. S3
// itself takes any.
const keyForm = `[A-Za-z0-9_.,:=@!+()'-]+(/[A-Za-z0-9_.,:=@!+()'-]+)*`

// stateParams are the parameters of every grant for states, after bucket and
// those that name the states.
func stateParams(writing []string) []Param {
	return []Param{
		{
			Name: "lockfile", Type: Bool, Default: "true", Example: "false", Levels: writing,
			Summary: "also create and remove the lock file beside a state (use_lockfile); false if only the table locks",
		},
		{
			Name: "lock_table", Type: String, Max: 255, Pattern: `^[A-Za-z0-9_.-]{3,255}$`, Example: "terraform-locks",
			Summary: "name of the DynamoDB table with the locks, 3 to 255 characters; without it no table is used",
		},
		kmsKeyParam("kms_key", "that encrypts the states", "without it S3's own encryption is assumed"),
		regionParam("the bucket, the table and the key"),
	}
}

// bucketParam names the bucket.
func bucketParam() Param {
	return Param{
		Name: "bucket", Type: String, Required: true, Max: 63, Pattern: bucketForm, Example: "acme-state",
		Summary: "name of the S3 bucket with the states, 3 to 63 characters",
		Wider:   "no level reaches more than one bucket: use the grant once for each",
	}
}

// keyParam names one state.
func keyParam(wider string, levels ...string) Param {
	return Param{
		Name: "key", Type: String, Max: 900, Pattern: `^` + keyForm + `$`, Example: "shop/terraform.tfstate", Levels: levels,
		Summary: "object key of the state, up to 900 characters",
		Wider:   wider,
	}
}

// workspaceParams name workspaces and where the backend keeps them.
func workspaceParams(wider string, levels ...string) []Param {
	return []Param{
		{
			Name: "workspaces", Type: List, Max: 20, Pattern: `^[A-Za-z0-9_.~-]{1,90}$`, Example: "staging", Levels: levels,
			Summary: "up to 20 workspaces besides the default one",
			Wider:   wider,
		},
		{
			Name: "workspace_prefix", Type: String, Max: 100, Default: "env:", Pattern: `^` + keyForm + `$`, Example: "env:", Levels: levels,
			Summary: "the backend's workspace_key_prefix, up to 100 characters; every init lists what is in it, so that names of workspaces show",
			Wider:   wider,
		},
	}
}

// prefixParam names a folder of states.
func prefixParam(levels ...string) Param {
	return Param{
		Name: "prefix", Type: String, Max: 512, Pattern: `^` + keyForm + `$`, Example: "shop", Levels: levels,
		Summary: "folder of the states, without a slash at the end, up to 512 characters; shop stands for every key shop/…",
		Wider:   "for every state of the bucket use level bucket",
	}
}
