// Package action is AWS's service authorization reference as data: which
// actions each service has, how far each reaches (its level), the resource
// types and condition keys it knows, and the keys that every request carries.
// It is embedded, compressed, and decoded a service at a time on first use, so
// a program that asks about s3 pays for s3 only.
//
// It says what AWS documents on the day of Date. It judges no policy, reads no
// file and asks no network. All values are shared and must not be changed; all
// functions may be called from several goroutines.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
package action

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/postern-dev/postern/iam"
)

//go:generate gen/generate

// Level is how far an action reaches, as AWS classifies it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html
type Level uint8

// The levels. Each action has exactly one.
const (
	Read Level = iota + 1
	List
	Write
	Tagging
	PermissionsManagement
)

var levelNames = [...]string{"", "Read", "List", "Write", "Tagging", "Permissions management"}

// String is the level in AWS's words: "Permissions management".
func (l Level) String() string {
	if int(l) >= len(levelNames) {
		return ""
	}
	return levelNames[l]
}

// MarshalText writes the level in AWS's words.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Service is all that is known of one service.
type Service struct {
	Prefix        string          // of its actions: "s3"
	Name          string          // "Amazon S3"
	Actions       []Action        // sorted by name, whatever the case
	ResourceTypes []ResourceType  // sorted by name, whatever the case
	ConditionKeys map[string]Type // keys that the service documents, some of them with ${TagKey}
	RCP           bool            // resource control policies apply to its resources

	keys     []Key    // ConditionKeys sorted by folded name
	variable []keyRef // those with a variable in their name
}

// Action is one thing that a policy can allow.
type Action struct {
	Service       string // prefix: "s3"
	Name          string // "GetObject"
	Level         Level
	Resources     []ActionResource // resource types, sorted by name; none: only "*" matches
	ConditionKeys []string         // keys that any request for it may carry, beside the global ones
	WildcardOnly  bool             // knows no resource type: Resource must be "*"

	of *Service
}

// ActionResource is a resource type that an action works on.
type ActionResource struct {
	Type          string   // name of a ResourceType of the same service
	Required      bool     // every call names one; otherwise some calls do
	ConditionKeys []string // keys that come with the action only for this type
}

// ResourceType is a kind of resource with the shape of its ARNs.
type ResourceType struct {
	Service       string // prefix of the service that documents it
	Name          string
	ARNs          []string // templates: "arn:${Partition}:s3:::${BucketName}"
	ConditionKeys []string // keys that come with it in actions on it
}

// String is the action as policies write it: "s3:GetObject".
func (a *Action) String() string { return a.Service + ":" + a.Name }

// Keys lists all condition keys that a request for the action may carry beside
// the global ones: its own, those of its resource types, and those that it has
// for one type only. Sorted; names with a variable as documented.
func (a *Action) Keys() []string {
	keys := slices.Clone(a.ConditionKeys)
	for _, r := range a.Resources {
		keys = append(keys, r.ConditionKeys...)
		if t, ok := a.of.ResourceType(r.Type); ok {
			keys = append(keys, t.ConditionKeys...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// ResourceTypes are the types of Resources with their ARN templates.
func (a *Action) ResourceTypes() []*ResourceType {
	types := make([]*ResourceType, 0, len(a.Resources))
	for _, r := range a.Resources {
		if t, ok := a.of.ResourceType(r.Type); ok {
			types = append(types, t)
		}
	}
	return types
}

// Services lists the prefixes of all services, sorted.
func Services() []string {
	a := reference()
	prefixes := make([]string, len(a.services))
	for i := range a.services {
		prefixes[i] = a.services[i].prefix
	}
	return prefixes
}

// ServiceByPrefix finds a service by the prefix of its actions, in any case.
func ServiceByPrefix(prefix string) (*Service, bool) {
	e, ok := reference().entry(prefix)
	if !ok {
		return nil, false
	}
	return e.load(), true
}

// Lookup finds an action by its name in a policy, in any case: "s3:GetObject".
// Wildcards are not expanded here: see Expand.
func Lookup(action string) (*Action, bool) {
	prefix, name, _ := strings.Cut(action, ":")
	s, ok := ServiceByPrefix(prefix)
	if !ok {
		return nil, false
	}
	return s.Action(name)
}

// Action finds one of the service's actions by name, in any case.
func (s *Service) Action(name string) (*Action, bool) {
	i, ok := sort.Find(len(s.Actions), func(i int) int { return compareFold(name, s.Actions[i].Name) })
	if !ok {
		return nil, false
	}
	return &s.Actions[i], true
}

// ResourceType finds one of the service's resource types by name, in any case.
func (s *Service) ResourceType(name string) (*ResourceType, bool) {
	i, ok := sort.Find(len(s.ResourceTypes), func(i int) int { return compareFold(name, s.ResourceTypes[i].Name) })
	if !ok {
		return nil, false
	}
	return &s.ResourceTypes[i], true
}

// RCPServices lists the prefixes of the services whose resources resource
// control policies apply to, sorted.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func RCPServices() []string {
	var prefixes []string
	a := reference()
	for i := range a.services {
		if e := &a.services[i]; e.rcp {
			prefixes = append(prefixes, e.prefix)
		}
	}
	return prefixes
}

// compareFold orders strings by their bytes without regard to the case of ASCII
// letters, which is all that names in the reference have.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// Expand lists the actions that a pattern of a policy's Action stands for,
// sorted: "*", "s3:Get*", "*:Describe*", in any case. An action without wildcards
// gives itself as AWS writes it. What AWS does not know gives nothing.
func Expand(pattern string) []string {
	prefix, name, ok := strings.Cut(pattern, ":")
	if !ok {
		if pattern == "" || strings.Trim(pattern, "*") != "" {
			return nil // only stars may stand without a service
		}
		prefix, name = "*", "*"
	}
	if !iam.HasWildcard(prefix + name) {
		if a, ok := Lookup(pattern); ok {
			return []string{a.String()}
		}
		return nil
	}
	var actions []string
	for _, e := range reference().matching(prefix) {
		for _, a := range e.load().Actions {
			if iam.MatchFold(name, a.Name) {
				actions = append(actions, a.String())
			}
		}
	}
	slices.Sort(actions)
	return actions
}
