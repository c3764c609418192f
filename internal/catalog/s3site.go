package catalog

import "github.com/postern-dev/postern/iam"

// s3StaticSite publishes files: aws s3 sync, and CloudFront told to fetch anew.
//
// https://docs.aws.amazon.com/cli/latest/reference/s3/sync.html
func s3StaticSite() *Grant {
	return &Grant{
		Name:    "s3-static-site",
		Area:    Applications,
		Summary: "publish a folder to an S3 bucket with aws s3 sync, and invalidate it in CloudFront",
		Never:   "read what is in the bucket, change its policy, its website settings or who may see an object, delete old versions, change a distribution",
		Params: []Param{
			{
				Name: "bucket", Type: String, Required: true, Max: 63, Pattern: bucketForm, Example: "acme-www",
				Summary: "name of the S3 bucket that is published, 3 to 63 characters",
				Wider:   "no level reaches more than one bucket: use the grant once for each",
			},
			{
				Name: "prefix", Type: String, Max: 512, Pattern: `^` + keyForm + `$`, Example: "shop", Levels: []string{"prefix"},
				Summary: "folder of the site, without a slash at the end, up to 512 characters",
				Wider:   "for all of the bucket use level bucket",
			},
			{
				Name: "distributions", Type: List, Max: 10, Pattern: `^E[A-Z0-9]{7,20}$`, Example: "E2EXAMPLE1ABCD",
				Summary: "up to 10 ids of CloudFront distributions to invalidate",
				Wider:   "no level invalidates distributions that are not named",
			},
			{Name: "delete", Type: Bool, Default: "false", Example: "true", Summary: "also remove what is no longer in the source: sync --delete"},
			kmsKeyParam("kms_key", "that encrypts the bucket", "without it S3's own encryption is assumed"),
		},
		Levels: []Level{
			{Name: "prefix", Summary: "publish to a folder of the bucket", Needs: []string{"prefix"}},
			{Name: "bucket", Summary: "publish to the whole bucket", Adds: "every other object of the bucket"},
		},
		Why: Why{
			"cloudfront:CreateInvalidation": "aws cloudfront create-invalidation: makes the edges fetch the files anew",
			"cloudfront:GetInvalidation":    "aws cloudfront wait invalidation-completed: waits for the edges",
			"kms:Decrypt":                   "aws s3 sync: uploads large files in parts to a bucket with a KMS key",
			"kms:GenerateDataKey":           "aws s3 sync: uploads to a bucket with a KMS key",
			"s3:AbortMultipartUpload":       "aws s3 sync: gives up a large upload that failed, so that its parts cost nothing",
			"s3:DeleteObject":               "aws s3 sync --delete: removes what is gone from the source",
			"s3:ListBucket":                 "aws s3 sync: compares sizes and dates with what is there",
			"s3:PutObject":                  "aws s3 sync: uploads what is new or changed",
		},
		Cases:      siteCases,
		statements: siteStatements,
	}
}

func siteStatements(s Scope, _ string, args Args) []iam.Statement {
	bucket, objects := s.s3(args.one("bucket")), args.one("bucket")+"/*"
	var listed []iam.Condition
	if prefix := args.one("prefix"); prefix != "" {
		objects = args.one("bucket") + "/" + prefix + "/*"
		listed = append(listed, when("StringLike", "s3:prefix", prefix+"/*"))
	}
	write := []string{"s3:AbortMultipartUpload", "s3:PutObject"}
	if args.on("delete") {
		write = append(write, "s3:DeleteObject")
	}
	out := []iam.Statement{
		allow("SiteList", []string{"s3:ListBucket"}, []string{bucket}, listed...),
		allow("SiteWrite", write, []string{s.s3(objects)}),
	}
	if key := args.one("kms_key"); key != "" {
		out = append(out, s.through("s3", key, "SiteKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}))
	}
	if ids := args["distributions"]; len(ids) > 0 {
		distribution := func(id string) string { return s.arnIn("cloudfront", "", s.Account, "distribution/"+id) }
		out = append(out, allow("SiteInvalidate", []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}, each(ids, distribution)))
	}
	return out
}

func siteCases() []Case {
	const (
		bucket = "arn:aws:s3:::acme-www"
		shop   = bucket + "/shop/index.html"
		web    = bucket + "/index.html"
		edge   = "arn:aws:cloudfront::222222222222:distribution/"
	)
	put := func(object string) []call { return calls(object, nil, "s3:PutObject", "s3:AbortMultipartUpload") }
	list := func(prefix string) []call { return calls(bucket, listing(prefix), "s3:ListBucket") }
	remove := calls(shop, nil, "s3:DeleteObject")
	invalidate := calls(edge+"E2EXAMPLE1ABCD", nil, "cloudfront:CreateInvalidation", "cloudfront:GetInvalidation")
	key := calls(stateKey, viaS3(), "kms:GenerateDataKey", "kms:Decrypt")
	never := flat(
		calls(shop, nil, "s3:GetObject", "s3:PutObjectAcl", "s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:BypassGovernanceRetention"),
		calls(bucket, nil, "s3:PutBucketPolicy", "s3:PutBucketWebsite", "s3:PutBucketAcl", "s3:DeleteBucket", "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration"),
		put("arn:aws:s3:::acme-www2/shop/index.html"), put("arn:aws:s3:::acme/shop/index.html"),
		calls("arn:aws:s3:::acme-backups", listing("shop/"), "s3:ListBucket"),
		calls(edge+"E2EXAMPLE1ABCD", nil, "cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution", "cloudfront:GetDistributionConfig"),
		calls(edge+"E2OTHERONE", nil, "cloudfront:CreateInvalidation"),
		calls("arn:aws:cloudfront::333333333333:distribution/E2EXAMPLE1ABCD", nil, "cloudfront:CreateInvalidation"),
		calls(stateKey, nil, "kms:GenerateDataKey"),
	)
	shops := Args{"bucket": {"acme-www"}, "prefix": {"shop"}}
	full := Args{"bucket": {"acme-www"}, "prefix": {"shop"}, "delete": {"true"}, "distributions": {"E2EXAMPLE1ABCD"}, "kms_key": {stateKeyID}}
	all := Args{"bucket": {"acme-www"}, "delete": {"true"}, "distributions": {"E2EXAMPLE1ABCD"}, "kms_key": {stateKeyID}}
	return flat(
		cases("", shops, flat(put(shop), list("shop/")),
			flat(never, remove, invalidate, key, put(web), put(bucket+"/shopping/index.html"), put(bucket+"/shop"), list(""), list("shop"), list("shopping/"))),
		cases("prefix", full, flat(put(shop), list("shop/"), remove, invalidate, key), flat(never, put(web))),
		cases("bucket", all, flat(put(shop), put(web), list(""), list("shop/"), calls(bucket, nil, "s3:ListBucket"), remove, invalidate, key), never),
	)
}
