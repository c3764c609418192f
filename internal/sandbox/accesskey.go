package sandbox

import (
	"slices"
	"strings"
)

const keysPerUser = 2

func keyOperations() []operation {
	return []operation{
		{name: "CreateAccessKey", run: createAccessKey, allow: needs("iam:CreateAccessKey", userResource)},
		{name: "ListAccessKeys", run: listAccessKeys, allow: needs("iam:ListAccessKeys", userResource), reads: true},
		{name: "UpdateAccessKey", run: updateAccessKey, allow: needs("iam:UpdateAccessKey", userResource)},
		{name: "DeleteAccessKey", run: deleteAccessKey, allow: needs("iam:DeleteAccessKey", userResource)},
		{name: "GetAccessKeyLastUsed", run: getAccessKeyLastUsed, allow: needs("iam:GetAccessKeyLastUsed", keyOwner), reads: true},
	}
}

// keyOwner is the user of the key that a call names.
func keyOwner(c *call) resource {
	if key, ok := c.account.Keys.get(c.params["AccessKeyId"]); ok {
		if u, ok := c.account.Users.get(key.User); ok {
			return resource{arn: c.account.arn("user", u.Path, u.Name), tags: u.Tags}
		}
	}
	return everything(c)
}

func (c *call) keysOf(user string) []*accessKey {
	keys := slices.DeleteFunc(c.account.Keys.all(), func(k *accessKey) bool { return k.User != user })
	slices.SortStableFunc(keys, func(a, b *accessKey) int { return a.Created.Compare(b.Created) })
	return keys
}

func statusOf(active bool) string {
	if active {
		return "Active"
	}
	return "Inactive"
}

// status reads the Status parameter of keys.
func (p params) status() (active bool, err error) {
	switch v := p["Status"]; v {
	case "Active":
		return true, nil
	case "Inactive":
		return false, nil
	default:
		return false, invalid("1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", v)
	}
}

type accessKeyXML struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func createAccessKey(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	if len(c.keysOf(u.Name)) >= keysPerUser {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	key := &accessKey{ID: newID(keyPrefix, keyLength), User: u.Name, Secret: newSecret(), Active: true, Created: c.now.UTC()}
	c.account.Keys.put(key.ID, key, c.due())
	return struct{ AccessKey accessKeyXML }{accessKeyXML{u.Name, key.ID, "Active", key.Secret, stamp(key.Created)}}, nil
}

func listAccessKeys(c *call) (any, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	keys, next, err := page(c.params, c.keysOf(u.Name), func(k *accessKey) string { return stamp(k.Created) + k.ID })
	if err != nil {
		return nil, err
	}
	return struct {
		UserName          string
		AccessKeyMetadata list[accessKeyXML]
		paging
	}{u.Name, listOf(keys, func(k *accessKey) accessKeyXML {
		return accessKeyXML{k.User, k.ID, statusOf(k.Active), "", stamp(k.Created)}
	}), next}, nil
}

// findKey finds the key of the user that a call names.
func (c *call) findKey() (*accessKey, error) {
	u, err := c.findUser()
	if err != nil {
		return nil, err
	}
	id, err := c.params.required("AccessKeyId")
	if err != nil {
		return nil, err
	}
	key, ok := c.account.Keys.get(id)
	if !ok || key.User != u.Name {
		return nil, noSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	return key, nil
}

func updateAccessKey(c *call) (any, error) {
	key, err := c.findKey()
	if err != nil {
		return nil, err
	}
	changed := *key
	if changed.Active, err = c.params.status(); err != nil {
		return nil, err
	}
	c.account.Keys.put(key.ID, &changed, c.due())
	return nil, nil
}

func deleteAccessKey(c *call) (any, error) {
	key, err := c.findKey()
	if err != nil {
		return nil, err
	}
	c.account.Keys.remove(key.ID, c.due())
	delete(c.account.KeyUses, key.ID)
	return nil, nil
}

type lastUsedXML struct {
	LastUsedDate        string `xml:",omitempty"`
	ServiceName, Region string
}

func getAccessKeyLastUsed(c *call) (any, error) {
	id, err := c.params.required("AccessKeyId")
	if err != nil {
		return nil, err
	}
	key, ok := c.account.Keys.get(id)
	if !ok {
		return nil, &apiError{403, "AccessDenied", "The access key with id " + id + " cannot be found in this account."}
	}
	last := lastUsedXML{ServiceName: "N/A", Region: "N/A"}
	if use, ok := c.account.KeyUses[id]; ok {
		last = lastUsedXML{stamp(use.At), use.Service, use.Region}
	}
	return struct {
		UserName          string
		AccessKeyLastUsed lastUsedXML
	}{key.User, last}, nil
}

// isKeyID reports whether s has the shape of an access key's ID.
func isKeyID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && (strings.HasPrefix(s, keyPrefix) || strings.HasPrefix(s, tempKeyPrefix))
}
