package catalog

// folderParam names a bucket, or a folder of one.
func folderParam(name, what string) Param {
	return Param{
		Name: name, Type: String, Max: 512, Example: "acme-deploy/shop",
		Pattern: `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.,:=@!+()'-]+)*$`,
		Summary: "bucket/folder " + what + ", without a slash at the end, up to 512 characters; a bucket alone stands for all of it",
		Wider:   "for all of a bucket name it without a folder; no level reaches more than one",
	}
}
