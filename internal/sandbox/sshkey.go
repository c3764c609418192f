package sandbox

import (
	"crypto/md5" //nolint:gosec // the fingerprint that IAM shows is MD5
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

const sshKeysPerUser = 5

func sshKeyOperations() []operation {
	return []operation{
		{name: "UploadSSHPublicKey", run: uploadSSHKey, allow: needs("iam:UploadSSHPublicKey", userResource)},
		{name: "ListSSHPublicKeys", run: listSSHKeys, allow: needs("iam:ListSSHPublicKeys", userResource), reads: true},
		{name: "GetSSHPublicKey", run: getSSHKey, allow: needs("iam:GetSSHPublicKey", userResource), reads: true},
		{name: "UpdateSSHPublicKey", run: updateSSHKey, allow: needs("iam:UpdateSSHPublicKey", userResource)},
		{name: "DeleteSSHPublicKey", run: deleteSSHKey, allow: needs("iam:DeleteSSHPublicKey", userResource)},
	}
}

type sshKeyXML struct {
	UserName, SSHPublicKeyId string
	Fingerprint              string `xml:",omitempty"`
	SSHPublicKeyBody         string `xml:",omitempty"`
	Status, UploadDate       string
}

func fullSSHKey(u *user, k sshKey) sshKeyXML {
	return sshKeyXML{u.Name, k.ID, k.Fingerprint, k.Body, k.Status, stamp(k.Uploaded)}
}

// sshFingerprint checks the shape of an authorized_keys line: IAM takes RSA
// keys and, for SSH look-ups, any type that sshd does.
func sshFingerprint(body string) (string, bool) {
	fields := strings.Fields(body)
	if len(fields) < 2 || strings.Contains(strings.TrimSpace(body), "\n") {
		return "", false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	// The blob begins with the length and the name of the key's type.
	if err != nil || len(blob) < 4+len(fields[0]) || string(blob[4:4+len(fields[0])]) != fields[0] {
		return "", false
	}
	digest := md5.Sum(blob)
	var parts []string
	for _, b := range digest {
		parts = append(parts, hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":"), true
}

func uploadSSHKey(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	body, err := c.params.required("SSHPublicKeyBody")
	if err != nil {
		return nil, err
	}
	fingerprint, ok := sshFingerprint(body)
	switch {
	case !ok:
		return nil, &apiError{400, "InvalidPublicKey", "Invalid ssh-rsa public key"}
	case slices.ContainsFunc(u.SSHKeys, func(k sshKey) bool { return k.Fingerprint == fingerprint }):
		return nil, &apiError{400, "DuplicateSSHPublicKey", "The SSH public key is already associated with this user."}
	case len(u.SSHKeys) >= sshKeysPerUser:
		return nil, limitExceeded("Cannot exceed quota for SSHPublicKeysPerUser: %d", sshKeysPerUser)
	}
	key := sshKey{newID(sshKeyPrefix, keyLength), body, fingerprint, "Active", c.now.UTC()}
	u = u.clone()
	u.SSHKeys = append(u.SSHKeys, key)
	c.account.Users.put(u.Name, u, c.due())
	return struct{ SSHPublicKey sshKeyXML }{fullSSHKey(u, key)}, nil
}

func listSSHKeys(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	keys, next, err := page(c.params, slices.Clone(u.SSHKeys), func(k sshKey) string { return k.ID })
	if err != nil {
		return nil, err
	}
	return struct {
		SSHPublicKeys list[sshKeyXML]
		paging
	}{listOf(keys, func(k sshKey) sshKeyXML {
		return sshKeyXML{UserName: u.Name, SSHPublicKeyId: k.ID, Status: k.Status, UploadDate: stamp(k.Uploaded)}
	}), next}, nil
}

// findSSHKey returns a copy of the user and the key's index in it.
func (c *call) findSSHKey() (*user, int, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, 0, err
	}
	id, err := c.params.required("SSHPublicKeyId")
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(u.SSHKeys, func(k sshKey) bool { return k.ID == id })
	if i < 0 {
		return nil, 0, noSuchEntity("The Public Key with id %s cannot be found.", id)
	}
	return u.clone(), i, nil
}

func getSSHKey(c *call) (any, error) {
	u, i, err := c.findSSHKey()
	if err != nil {
		return nil, err
	}
	if e := c.params["Encoding"]; e != "SSH" {
		return nil, &apiError{400, "UnrecognizedPublicKeyEncoding", "The sandbox returns keys with Encoding SSH only."}
	}
	return struct{ SSHPublicKey sshKeyXML }{fullSSHKey(u, u.SSHKeys[i])}, nil
}

func updateSSHKey(c *call) (any, error) {
	u, i, err := c.findSSHKey()
	if err != nil {
		return nil, err
	}
	active, err := c.params.status()
	if err != nil {
		return nil, err
	}
	u.SSHKeys[i].Status = statusOf(active)
	c.account.Users.put(u.Name, u, c.due())
	return nil, nil
}

func deleteSSHKey(c *call) (any, error) {
	u, i, err := c.findSSHKey()
	if err != nil {
		return nil, err
	}
	u.SSHKeys = slices.Delete(u.SSHKeys, i, i+1)
	c.account.Users.put(u.Name, u, c.due())
	return nil, nil
}
