package wire

// What storing and copying ask for besides s3:PutObject. Which key an object
// that is read was encrypted with no request says.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func s3Needs() (storing, copying []need) {
	const (
		object = "arn:{partition}:s3:::{bucket}/{key...}"
		copied = "arn:{partition}:s3:::{header:x-amz-copy-source...}"
	)
	storing = []need{{
		action: "kms:GenerateDataKey", resource: "arn:{partition}:kms:{region}:{account}:key/{header:x-amz-server-side-encryption-aws-kms-key-id}",
		context: map[string]string{"kms:ViaService": "s3.{region}.amazonaws.com"},
	}}
	for _, of := range []struct{ header, action string }{
		{"x-amz-acl", "PutObjectAcl"},
		{"x-amz-grant-full-control", "PutObjectAcl"},
		{"x-amz-grant-read", "PutObjectAcl"},
		{"x-amz-grant-read-acp", "PutObjectAcl"},
		{"x-amz-grant-write-acp", "PutObjectAcl"},
		{"x-amz-tagging", "PutObjectTagging"},
		{"x-amz-object-lock-mode", "PutObjectRetention"},
		{"x-amz-object-lock-legal-hold", "PutObjectLegalHold"},
	} {
		storing = append(storing, need{action: "s3:" + of.action, resource: object, given: header + of.header})
	}
	return storing, []need{
		{action: "s3:GetObject", resource: copied},
		{action: "s3:GetObjectVersion", resource: copied, given: copyVersion},
	}
}

// s3NewBucket is what the settings of a new bucket ask for.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func s3NewBucket() []need {
	var out []need
	for _, of := range []struct{ header, action string }{
		{"x-amz-acl", "PutBucketAcl"},
		{"x-amz-grant-full-control", "PutBucketAcl"},
		{"x-amz-grant-read", "PutBucketAcl"},
		{"x-amz-grant-read-acp", "PutBucketAcl"},
		{"x-amz-grant-write", "PutBucketAcl"},
		{"x-amz-grant-write-acp", "PutBucketAcl"},
		{"x-amz-object-ownership", "PutBucketOwnershipControls"},
		{"x-amz-bucket-object-lock-enabled", "PutBucketObjectLockConfiguration"},
		{"x-amz-bucket-object-lock-enabled", "PutBucketVersioning"},
	} {
		out = append(out, need{action: "s3:" + of.action, resource: "arn:{partition}:s3:::{bucket}", given: header + of.header})
	}
	return out
}

func s3() service {
	const (
		bucket = "arn:{partition}:s3:::{bucket}"
		object = bucket + "/{key...}"
		source = header + "x-amz-copy-source"
		bypass = header + "x-amz-bypass-governance-retention"
		list   = `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>`
	)
	storing, copying := s3Needs()
	listed := map[string]string{"s3:prefix": "{prefix...}", "s3:delimiter": "{delimiter...}", "s3:max-keys": "{max-keys...}"}
	stored := map[string]string{
		"s3:x-amz-acl":                                   "{header:x-amz-acl...}",
		"s3:x-amz-copy-source":                           "{header:x-amz-copy-source...}",
		"s3:x-amz-storage-class":                         "{header:x-amz-storage-class...}",
		"s3:x-amz-server-side-encryption":                "{header:x-amz-server-side-encryption...}",
		"s3:x-amz-server-side-encryption-aws-kms-key-id": "{header:x-amz-server-side-encryption-aws-kms-key-id...}",
	}
	return service{
		name: "s3", protocol: RESTS3,
		// Operations with a marker in the query stand before those without.
		operations: append(bucketReads(), []operation{
			{action: "ListBucket", name: "ListObjectsV2", resource: bucket, method: "GET", query: "list-type=2", context: listed, reply: list},
			{action: "GetBucketVersioning", resource: bucket, method: "GET", query: "versioning=", reply: `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutBucketVersioning", resource: bucket, method: "PUT", query: "versioning="},
			{action: "GetBucketLocation", resource: bucket, method: "GET", query: "location=", reply: `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "GetBucketPolicy", resource: bucket, method: "GET", query: "policy=", reply: `{}`},
			{action: "PutBucketPolicy", resource: bucket, method: "PUT", query: "policy="},
			{action: "DeleteBucketPolicy", resource: bucket, method: "DELETE", query: "policy="},
			{action: "GetBucketPublicAccessBlock", resource: bucket, method: "GET", query: "publicAccessBlock=", reply: `<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutBucketPublicAccessBlock", resource: bucket, method: "PUT", query: "publicAccessBlock="},
			{action: "GetEncryptionConfiguration", resource: bucket, method: "GET", query: "encryption=", reply: `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`},
			{action: "PutEncryptionConfiguration", resource: bucket, method: "PUT", query: "encryption="},
			{action: "PutLifecycleConfiguration", resource: bucket, method: "PUT", query: "lifecycle="},
			{action: "PutBucketTagging", resource: bucket, method: "PUT", query: "tagging="},
			{action: "PutBucketAcl", resource: bucket, method: "PUT", query: "acl="},
			{action: "PutBucketOwnershipControls", resource: bucket, method: "PUT", query: "ownershipControls="},
			{action: "ListBucketMultipartUploads", name: "ListMultipartUploads", resource: bucket, method: "GET", query: "uploads="},
			{action: "ListBucketVersions", name: "ListObjectVersions", resource: bucket, method: "GET", query: "versions=", context: listed},
			{
				action: "DeleteObject", name: "DeleteObjects", resource: bucket + "/{Object.Key.*...}", method: "POST", query: "delete=", reads: true,
				needs: []need{
					{action: "s3:DeleteObjectVersion", resource: bucket + "/{Object.Key.*...}", given: "Object.VersionId"},
					{action: "s3:BypassGovernanceRetention", resource: bucket + "/{Object.Key.*...}", given: bypass},
				},
				reply: `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`,
			},
			{action: "ListBucket", name: "HeadBucket", resource: bucket, method: "HEAD"},
			{action: "ListBucket", name: "ListObjects", resource: bucket, method: "GET", context: listed, reply: list},
			{action: "CreateBucket", resource: bucket, method: "PUT", needs: s3NewBucket()},
			{action: "DeleteBucket", resource: bucket, method: "DELETE"},
			{action: "GetObjectVersion", name: "GetObject", resource: object, method: "GET", query: "versionId=null"},
			{action: "GetObjectVersion", name: "HeadObject", resource: object, method: "HEAD", query: "versionId=null"},
			{action: "PutObjectAcl", resource: object, method: "PUT", query: "acl="},
			{action: "GetObjectAcl", resource: object, method: "GET", query: "acl="},
			{action: "GetObjectTagging", resource: object, method: "GET", query: "tagging=", reply: `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet/></Tagging>`},
			{action: "PutObjectTagging", resource: object, method: "PUT", query: "tagging="},
			{action: "DeleteObjectVersion", name: "DeleteObject", resource: object, method: "DELETE", query: "versionId=null", needs: []need{{action: "s3:BypassGovernanceRetention", resource: object, given: bypass}}},
			{action: "AbortMultipartUpload", resource: object, method: "DELETE", query: "uploadId=postern"},
			{action: "ListMultipartUploadParts", name: "ListParts", resource: object, method: "GET", query: "uploadId=postern"},
			{action: "PutObject", name: "CreateMultipartUpload", resource: object, method: "POST", query: "uploads=", context: stored, needs: storing},
			{action: "PutObject", name: "CompleteMultipartUpload", resource: object, method: "POST", query: "uploadId=postern"},
			{action: "PutObject", name: "UploadPartCopy", resource: object, method: "PUT", query: "partNumber=1&uploadId=postern", header: source, needs: copying},
			{action: "PutObject", name: "UploadPart", resource: object, method: "PUT", query: "partNumber=1&uploadId=postern"},
			{action: "PutObject", name: "CopyObject", resource: object, method: "PUT", header: source, context: stored, needs: append(copying, storing...)},
			{action: "GetObject", resource: object, method: "GET"},
			{action: "GetObject", name: "HeadObject", resource: object, method: "HEAD"},
			{action: "PutObject", resource: object, method: "PUT", context: stored, needs: storing},
			{action: "DeleteObject", resource: object, method: "DELETE"},
		}...),
	}
}

// bucketReads are the settings of a bucket, each a sub-resource.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
func bucketReads() []operation {
	var out []operation
	for _, of := range []struct{ query, action string }{
		{"accelerate", "GetAccelerateConfiguration"},
		{"acl", "GetBucketAcl"},
		{"cors", "GetBucketCORS"},
		{"lifecycle", "GetLifecycleConfiguration"},
		{"logging", "GetBucketLogging"},
		{"notification", "GetBucketNotification"},
		{"object-lock", "GetBucketObjectLockConfiguration"},
		{"ownershipControls", "GetBucketOwnershipControls"},
		{"replication", "GetReplicationConfiguration"},
		{"requestPayment", "GetBucketRequestPayment"},
		{"tagging", "GetBucketTagging"},
		{"website", "GetBucketWebsite"},
	} {
		out = append(out, operation{action: of.action, resource: "arn:{partition}:s3:::{bucket}", method: "GET", query: of.query + "="})
	}
	return out
}
