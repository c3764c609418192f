package catalog

// The places in which the cases of the grants for states play.
const (
	stateBucket = "arn:aws:s3:::acme-state"
	lockTable   = "arn:aws:dynamodb:eu-west-1:222222222222:table/locks"
	stateKeyID  = "1234abcd-12ab-34cd-56ef-1234567890ab"
	stateKey    = "arn:aws:kms:eu-west-1:222222222222:key/" + stateKeyID
)

// item is the context of a DynamoDB call on one item of the lock table.
func item(key string) map[string][]string {
	return map[string][]string{"dynamodb:LeadingKeys": {key}}
}

func listing(prefix string) map[string][]string {
	return map[string][]string{"s3:prefix": {prefix}}
}

func viaS3() map[string][]string {
	return map[string][]string{"kms:ViaService": {"s3.eu-west-1.amazonaws.com"}}
}

// readState and writeState are the calls on one state of the bucket.
func readState(key string) []call {
	return flat(
		calls(stateBucket+"/"+key, nil, "s3:GetObject"),
		calls(lockTable, item("acme-state/"+key+digestSuffix), "dynamodb:GetItem"),
	)
}

func writeState(key string) []call {
	lock := item("acme-state/" + key)
	return flat(
		calls(stateBucket+"/"+key, nil, "s3:PutObject"),
		calls(stateBucket+"/"+key+lockSuffix, nil, "s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
		calls(lockTable, lock, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
	)
}

// neverState are the calls that no level of a grant for states allows.
func neverState(key string) []call {
	return flat(
		calls(stateBucket+"/"+key, nil, "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:GetObjectVersion"),
		calls(stateBucket, nil, "s3:DeleteBucket", "s3:PutBucketAcl", "s3:PutLifecycleConfiguration", "s3:DeleteBucketPolicy"),
		calls("arn:aws:s3:::acme-backups/"+key, nil, "s3:GetObject", "s3:PutObject"),
		calls("arn:aws:s3:::acme-backups", listing(key), "s3:ListBucket"),
		calls(lockTable, nil, "dynamodb:DeleteTable", "dynamodb:Scan", "dynamodb:PutItem"),
		calls("arn:aws:dynamodb:eu-west-1:222222222222:table/orders", item("acme-state/"+key), "dynamodb:GetItem"),
		calls(stateKey, nil, "kms:Decrypt", "kms:GenerateDataKey"),
		calls(stateKey, viaS3(), "kms:ScheduleKeyDeletion", "kms:CreateGrant"),
		calls("arn:aws:kms:eu-west-1:222222222222:key/99999999-12ab-34cd-56ef-1234567890ab", viaS3(), "kms:Decrypt"),
		calls("arn:aws:iam::222222222222:role/admin", nil, "iam:PassRole", "sts:AssumeRole"),
	)
}

// configureBucket are the calls that prepare a bucket for states.
func configureBucket() []call {
	return calls(stateBucket, nil, "s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
		"s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:TagResource")
}

func createTable() []call {
	return calls(lockTable, nil, "dynamodb:CreateTable", "dynamodb:TagResource")
}

// stateArgs adds the lock table and the key to the arguments.
func stateArgs(args Args) Args {
	args["bucket"] = []string{"acme-state"}
	args["lock_table"] = []string{"locks"}
	args["kms_key"] = []string{stateKeyID}
	return args
}

func terraformCases() []Case {
	const (
		shop    = "shop/terraform.tfstate"
		staging = "env:/staging/shop/terraform.tfstate"
		other   = "web/terraform.tfstate"
	)
	list := func(prefix string) []call { return calls(stateBucket, listing(prefix), "s3:ListBucket") }
	decrypt := calls(stateKey, viaS3(), "kms:Decrypt")
	encrypt := calls(stateKey, viaS3(), "kms:GenerateDataKey")
	describe := calls(lockTable, nil, "dynamodb:DescribeTable")
	never := flat(neverState(shop), configureBucket(), createTable())
	plain := Args{"bucket": {"acme-state"}, "key": {shop}}

	return flat(
		cases("", plain,
			flat(list(shop), list("env:/"), calls(stateBucket+"/"+shop, nil, "s3:GetObject")),
			flat(never, writeState(shop), readState(other), readState(staging), list(""), list("shop/"), decrypt, describe,
				calls(stateBucket+"/"+shop+lockSuffix, nil, "s3:GetObject"))),
		cases("read", Args{"bucket": {"acme-state"}, "key": {shop}, "workspace_prefix": {"teams"}},
			flat(list(shop), list("teams/"), calls(stateBucket+"/"+shop, nil, "s3:GetObject")),
			flat(list("env:/"), list("teams/staging/"), calls(stateBucket+"/teams/staging/"+shop, nil, "s3:GetObject"))),
		cases("read", stateArgs(Args{"key": {shop}, "workspaces": {"staging"}}),
			flat(list(shop), list("env:/"), list(staging), readState(shop), readState(staging), decrypt, describe),
			flat(never, writeOnly(shop), writeOnly(staging), readState(other), readState("env:/live/"+shop), encrypt)),
		cases("key", plain,
			flat(list(shop), list(shop+lockSuffix), list("env:/"), calls(stateBucket+"/"+shop, nil, "s3:GetObject", "s3:PutObject"),
				calls(stateBucket+"/"+shop+lockSuffix, nil, "s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
			flat(never, readState(other), writeState(other), list(""))),
		cases("key", Args{"bucket": {"acme-state"}, "key": {shop}, "lockfile": {"false"}},
			calls(stateBucket+"/"+shop, nil, "s3:PutObject"),
			calls(stateBucket+"/"+shop+lockSuffix, nil, "s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
		cases("key", stateArgs(Args{"key": {shop}, "workspaces": {"staging"}}),
			flat(list("env:/"), list(staging), list(staging+lockSuffix), readState(shop), writeState(shop), readState(staging), writeState(staging), decrypt, encrypt, describe),
			flat(never, readState(other), writeState(other), writeState("env:/live/"+shop), list("env:/live/"+shop))),
		cases("prefix", stateArgs(Args{"prefix": {"shop"}, "workspaces": {"staging"}}),
			flat(list("shop/"), list("env:/"), list(staging), readState(shop), writeState(shop), writeState("shop/eu/dns.tfstate"), writeState(staging), decrypt, encrypt, describe),
			flat(never, readState(other), writeState(other), writeState("shopping/terraform.tfstate"), list(""))),
		cases("bucket", stateArgs(Args{}),
			flat(list(""), calls(stateBucket, nil, "s3:ListBucket"), readState(shop), writeState(shop), writeState(other), decrypt, encrypt, describe),
			never),
	)
}

// writeOnly are the calls of writeState that change something.
func writeOnly(key string) []call {
	lock := item("acme-state/" + key)
	return flat(
		calls(stateBucket+"/"+key, nil, "s3:PutObject"),
		calls(stateBucket+"/"+key+lockSuffix, nil, "s3:PutObject", "s3:DeleteObject"),
		calls(lockTable, lock, "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"),
	)
}

func terragruntCases() []Case {
	const (
		shop  = "shop/vpc/terraform.tfstate"
		other = "web/vpc/terraform.tfstate"
	)
	look := calls(stateBucket, nil, "s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketPolicy",
		"s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration")
	decrypt := calls(stateKey, viaS3(), "kms:Decrypt")
	encrypt := calls(stateKey, viaS3(), "kms:GenerateDataKey")
	describe := calls(lockTable, nil, "dynamodb:DescribeTable")
	never := flat(neverState(shop), configureBucket(), createTable())
	use := flat(look, readState(shop), writeState(shop), decrypt, encrypt, describe)

	return flat(
		cases("", stateArgs(Args{"prefix": {"shop"}}),
			flat(look, readState(shop), decrypt, describe),
			flat(never, writeOnly(shop), readState(other), encrypt)),
		cases("prefix", stateArgs(Args{"prefix": {"shop"}}), use, flat(never, readState(other), writeState(other))),
		cases("prefix", Args{"bucket": {"acme-state"}, "prefix": {"shop"}},
			flat(look, calls(stateBucket+"/"+shop, nil, "s3:GetObject", "s3:PutObject")),
			flat(never, describe, decrypt, calls(lockTable, item("acme-state/"+shop), "dynamodb:PutItem"))),
		cases("bucket", stateArgs(Args{}), flat(use, readState(other), writeState(other)), never),
		cases("bootstrap", stateArgs(Args{}), flat(use, configureBucket(), createTable()),
			flat(neverState(shop), calls("arn:aws:s3:::acme-backups", nil, "s3:CreateBucket", "s3:PutBucketPolicy"),
				calls("arn:aws:dynamodb:eu-west-1:222222222222:table/orders", nil, "dynamodb:CreateTable"))),
	)
}
