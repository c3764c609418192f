package eval

import (
	"maps"
	"slices"
	"strings"
)

// Context holds a request's condition keys and their values. Keys have no
// case, also behind the slash of aws:ResourceTag/Name; values do. It is
// immutable, and the zero value is empty.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
type Context struct {
	// entries begin with an empty key if keys that are not among them may still
	// be in the request.
	entries []entry
}

// entry is one key. A resource may carry the tags "Team" and "team", and AWS
// says only that a condition matches one of them: then rivals holds the values
// of the others, and only what is true of all of them is certain.
type entry struct {
	key     string // lower case
	values  []string
	rivals  [][]string
	unknown bool // whether the request has the key, and with what values, is not known
}

// NewContext makes a context of keys and values, and keeps no reference to
// them. A key without values counts as absent.
func NewContext(keys map[string][]string) Context {
	var c Context
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		values := slices.Clone(keys[key])
		if len(values) == 0 || key == "" {
			continue
		}
		if e := c.find(strings.ToLower(key)); e != nil {
			e.rivals = append(e.rivals, values)
		} else {
			c.entries = append(c.entries, entry{key: strings.ToLower(key), values: values})
		}
	}
	return c
}

// With returns a copy in which key has these values; none removes it.
func (c Context) With(key string, values ...string) Context {
	key = strings.ToLower(key)
	entries := make([]entry, 0, len(c.entries)+1)
	for _, e := range c.entries {
		if e.key != key || key == "" {
			entries = append(entries, e)
		}
	}
	if len(values) > 0 && key != "" {
		entries = append(entries, entry{key: key, values: slices.Clone(values)})
	}
	return Context{entries: entries}
}

// Get returns the values of a key. They must not be changed.
func (c Context) Get(key string) ([]string, bool) {
	if e := c.find(strings.ToLower(key)); e != nil && len(e.values) > 0 {
		return e.values, true
	}
	return nil, false
}

// Open returns a context in which the keys that c does not hold may have any
// values, or none. Those given in absent are known to have none.
func (c Context) Open(absent ...string) Context {
	entries := make([]entry, 0, len(c.entries)+len(absent)+1)
	entries = append(entries, entry{})
	for _, e := range c.entries {
		if e.key != "" {
			entries = append(entries, e)
		}
	}
	for _, key := range absent {
		if key = strings.ToLower(key); c.find(key) == nil {
			entries = append(entries, entry{key: key})
		}
	}
	return Context{entries: entries}
}

// Unknown returns a context in which these keys may have any values, or none.
func (c Context) Unknown(keys ...string) Context {
	for _, key := range keys {
		c = c.With(key)
		c.entries = append(c.entries, entry{key: strings.ToLower(key), unknown: true})
	}
	return c
}

func (c Context) open() bool { return len(c.entries) > 0 && c.entries[0].key == "" }

// find looks up a key in lower case. Contexts hold a dozen keys: a scan that
// compares lengths first beats a map.
func (c Context) find(key string) *entry {
	for i := range c.entries {
		if c.entries[i].key == key {
			return &c.entries[i]
		}
	}
	return nil
}

// variable is the value that ${key} stands for: yes with the value, no when
// the key is absent, maybe when it has several.
func (c Context) variable(key string) (string, truth) {
	e := c.find(key)
	switch {
	case e == nil && c.open() || e != nil && e.unknown:
		return "", maybe
	case e == nil || len(e.values) == 0:
		return "", no
	case len(e.values) > 1 || len(e.rivals) > 0:
		return "", maybe
	}
	return e.values[0], yes
}

// PrincipalContext returns the condition keys that follow from who the
// principal is alone, for callers to merge into a request's context. Of
// sessions, aws:PrincipalArn is the role's ARN.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func PrincipalContext(p Principal) map[string][]string {
	out := map[string][]string{}
	set := func(key, value string) {
		if value != "" {
			out[key] = []string{value}
		}
	}
	switch p.Kind {
	case Anonymous:
		set("aws:PrincipalType", "Anonymous")
		return out
	case Service:
		set("aws:PrincipalIsAWSService", "true")
		set("aws:PrincipalServiceName", p.ARN)
		return out
	case WebIdentity, SAML: // the token's claims are the caller's to add
		return out
	case Root:
		set("aws:PrincipalType", "Account")
	case User:
		set("aws:PrincipalType", "User")
		set("aws:username", p.ARN[strings.LastIndexByte(p.ARN, '/')+1:])
	case Role, RoleSession:
		set("aws:PrincipalType", "AssumedRole")
	case FederatedUser:
		set("aws:PrincipalType", "FederatedUser")
	}
	set("aws:PrincipalIsAWSService", "false")
	set("aws:PrincipalAccount", p.Account)
	if p.Kind == RoleSession {
		set("aws:PrincipalArn", p.RoleARN)
	} else {
		set("aws:PrincipalArn", p.ARN)
	}
	return out
}
