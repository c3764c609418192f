package action

import (
	"slices"
	"sort"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Type is the type of a condition key's values, in AWS's words.
type Type string

// The types. A key of an array type has several values in one request, and its
// conditions begin with ForAllValues or ForAnyValue.
const (
	TypeString        Type = "String"
	TypeARN           Type = "ARN"
	TypeBool          Type = "Bool"
	TypeDate          Type = "Date"
	TypeNumeric       Type = "Numeric"
	TypeIPAddress     Type = "IPAddress"
	TypeBinary        Type = "Binary"
	TypeArrayOfString Type = "ArrayOfString"
	TypeArrayOfARN    Type = "ArrayOfARN"
	TypeArrayOfBool   Type = "ArrayOfBool"
)

// Types lists all types.
func Types() []Type {
	return []Type{
		TypeString, TypeARN, TypeBool, TypeDate, TypeNumeric, TypeIPAddress, TypeBinary,
		TypeArrayOfString, TypeArrayOfARN, TypeArrayOfBool,
	}
}

// IsArray reports whether a request may carry several values of the type.
func (t Type) IsArray() bool { return strings.HasPrefix(string(t), "ArrayOf") }

// Element is the type of a single value: String for ArrayOfString.
func (t Type) Element() Type { return Type(strings.TrimPrefix(string(t), "ArrayOf")) }

// Key is a condition key.
type Key struct {
	Name   string // as documented: "s3:prefix", "aws:ResourceTag/${TagKey}"
	Type   Type
	Global bool // any service's requests may carry it
	Claim  bool // a token's claim, known by rule: any issuer's "host/path:claim"
}

// GlobalKeys lists the keys that requests of all services may carry, sorted
// whatever the case. Those of tags have ${TagKey} in their name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func GlobalKeys() []Key { return slices.Clone(reference().globals) }

// ConditionKey finds the key that key, as a condition names it, is of, in any
// case: "aws:resourcetag/team" is of aws:ResourceTag/${TagKey}. It looks among
// the service's own keys, those that are global, and for sts the claims of
// OIDC tokens: "<issuer without https://>:<claim>" of any issuer whatever,
// because each identity provider brings its own.
//
// An empty service means that of the key's own prefix.
func ConditionKey(service, key string) (Key, bool) {
	own := service
	if own == "" {
		own, _, _ = strings.Cut(key, ":")
	}
	if s, ok := ServiceByPrefix(own); ok {
		if k, ok := s.ConditionKey(key); ok {
			return k, true
		}
	}
	a := reference()
	if k, ok := findKey(a.globals, a.variable, key); ok {
		return k, true
	}
	if service == "" || strings.EqualFold(service, "sts") {
		if sts, ok := ServiceByPrefix("sts"); ok && service == "" {
			if k, ok := sts.ConditionKey(key); ok {
				return k, true // a listed claim: "gitlab.com:project_id"
			}
		}
		return claim(key)
	}
	return Key{}, false
}

// ConditionKey finds the key among those that the service documents, in any case.
func (s *Service) ConditionKey(key string) (Key, bool) {
	return findKey(s.keys, s.variable, key)
}

// keyRef is a key with a variable in its name, as a pattern.
type keyRef struct {
	glob  string // "aws:ResourceTag/?*"
	index int
}

// variableKeys picks the keys with variables.
func variableKeys(keys []Key) []keyRef {
	var refs []keyRef
	for i, k := range keys {
		if strings.Contains(k.Name, "${") {
			refs = append(refs, keyRef{iam.ReplaceVariables(k.Name, "?*"), i})
		}
	}
	return refs
}

func findKey(keys []Key, variable []keyRef, key string) (Key, bool) {
	i, ok := sort.Find(len(keys), func(i int) int { return compareFold(key, keys[i].Name) })
	if ok {
		return keys[i], true
	}
	for _, v := range variable {
		if iam.MatchFold(v.glob, key) {
			return keys[v.index], true
		}
	}
	return Key{}, false
}

// claim takes key for a claim of an OIDC token if it has the form: the
// issuer's host, which has a dot, perhaps a path, a colon, and the claim.
// Only amr, the methods of authentication, is a list (RFC 8176).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func claim(key string) (Key, bool) {
	issuer, name, ok := strings.Cut(key, ":")
	host, _, _ := strings.Cut(issuer, "/")
	if !ok || name == "" || !isHost(host) || strings.ContainsAny(key, " *?") {
		return Key{}, false
	}
	k := Key{Name: key, Type: TypeString, Claim: true}
	if strings.EqualFold(name, "amr") {
		k.Type = TypeArrayOfString
	}
	return k, true
}

// isHost reports whether s has the form of a host name with a dot in it.
func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := lower(label[i]); (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return strings.Contains(s, ".")
}

// key reads a line "NAME TYPE".
func (r *lines) key(line string) Key {
	name, typ, _ := strings.Cut(line, "\t")
	if !slices.Contains(Types(), Type(typ)) {
		r.fail("condition key %q", line)
	}
	return Key{Name: name, Type: Type(typ)}
}
