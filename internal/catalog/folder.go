package catalog

import "github.com/postern-dev/postern/iam"

// folderParam names a bucket, or a folder of one.
func folderParam(name, what string) Param {
	return Param{
		Name: name, Type: String, Max: 512, Example: "acme-deploy/shop",
		Pattern: `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.,:=@!+()'-]+)*$`,
		Summary: "bucket/folder " + what + ", without a slash at the end, up to 512 characters; a bucket alone stands for all of it",
		Wider:   "for all of a bucket name it without a folder; no level reaches more than one",
	}
}

// folderKeyParam names the key of the bucket of a folderParam.
func folderKeyParam(folder string) Param {
	return kmsKeyParam("kms_key", "that encrypts the bucket of "+folder, "without it S3's own encryption is assumed")
}

// inFolder allows actions on the objects of a folder, and writing and reading
// them under the key that encrypts the bucket; nothing without a folder.
func (s Scope) inFolder(sid, folder, key string, actions ...string) []iam.Statement {
	if folder == "" {
		return nil
	}
	out := []iam.Statement{allow(sid, actions, []string{s.s3(folder + "/*")})}
	if key != "" {
		out = append(out, s.through("s3", key, sid+"Key", []string{"kms:Decrypt", "kms:GenerateDataKey"}))
	}
	return out
}

// folderKey and neverFolderKey are the calls with the key of a folder's bucket
// that a grant with it allows, and some that it does not.
func folderKey() []call { return calls(stateKey, viaS3(), "kms:Decrypt", "kms:GenerateDataKey") }

func neverFolderKey() []call {
	return flat(
		calls(stateKey, nil, "kms:Decrypt", "kms:GenerateDataKey"), calls(stateKey, viaS3(), "kms:Encrypt", "kms:ScheduleKeyDeletion"),
		calls("arn:aws:kms:eu-west-1:222222222222:key/99999999-12ab-34cd-56ef-1234567890ab", viaS3(), "kms:Decrypt"),
	)
}
