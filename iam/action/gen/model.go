package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
)

// model is the reference between reading and writing.
type model struct {
	version, date string
	services      []*service
	globals       []key
}

type service struct {
	prefix, name string
	rcp          bool
	keys         []key
	types        []resourceType
	actions      []act
}

type key struct {
	name string
	typ  action.Type
}

type resourceType struct {
	name string
	arns []string
	keys []string
}

type act struct {
	name      string
	level     action.Level
	keys      []string
	resources []actResource
}

type actResource struct {
	name     string
	required bool
	keys     []string
}

// corrected are types that the npm package has otherwise than AWS's pages:
//   - the VPC's ARN: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcevpcarn
//   - the methods of authentication, always tested with ForAnyValue: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
var corrected = map[string]action.Type{
	"aws:SourceVpcArn":                   action.TypeARN,
	"cognito-identity.amazonaws.com:amr": action.TypeArrayOfString,
}

// titles are those of services whose prefix several of AWS's pages share: the
// npm package has the title of the last one.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var titles = map[string]string{
	"apigateway":           "Amazon API Gateway Management",
	"aws-marketplace":      "AWS Marketplace",
	"cloudformation":       "AWS CloudFormation",
	"elasticloadbalancing": "AWS Elastic Load Balancing",
	"greengrass":           "AWS IoT Greengrass",
	"kinesisanalytics":     "Amazon Kinesis Analytics",
	"lex":                  "Amazon Lex",
	"ses":                  "Amazon SES",
}

// variable are ways in which AWS's pages write that a tag's key follows, each on
// some: s3:ExistingObjectTag/<key>, ssm:resourceTag/tag-key, and
// glacier:ResourceTag/ with nothing behind it. All others, and this archive,
// write ${TagKey}.
var variable = regexp.MustCompile(`/(?:<\w+>|tag-key)?$`)

// spell is a key's name as the archive writes it.
func spell(name string) string { return variable.ReplaceAllLiteralString(name, "/${TagKey}") }

// tidy puts everything into the order of the archive, merges what is listed
// twice, writes each key as its service does, and checks that all names are
// known.
func (m *model) tidy() error {
	slices.SortFunc(m.services, func(a, b *service) int { return strings.Compare(a.prefix, b.prefix) })
	m.globals = tidyKeys(m.globals)
	for _, s := range m.services {
		s.name = cmp.Or(titles[s.prefix], s.name)
		if err := s.tidy(); err != nil {
			return fmt.Errorf("service %s: %w", s.prefix, err)
		}
	}
	return nil
}

func (s *service) tidy() error {
	s.keys = tidyKeys(s.keys)
	if err := checkTypes(s.keys); err != nil {
		return err
	}
	slices.SortFunc(s.types, func(a, b resourceType) int { return byFold(a.name, b.name) })
	slices.SortFunc(s.actions, func(a, b act) int { return byFold(a.name, b.name) })
	var err error
	for i := range s.types {
		t := &s.types[i]
		if t.keys, err = s.canonical(t.keys); err != nil {
			return fmt.Errorf("resource type %s: %w", t.name, err)
		}
	}
	for i := range s.actions {
		a := &s.actions[i]
		if a.keys, err = s.canonical(a.keys); err == nil {
			a.resources, err = s.mergeResources(a.resources)
		}
		if err != nil {
			return fmt.Errorf("action %s: %w", a.name, err)
		}
	}
	return nil
}

// mergeResources makes one of the entries for a type: AWS's tables have a row
// per way to call the action.
func (s *service) mergeResources(list []actResource) ([]actResource, error) {
	var merged []actResource
	for _, r := range list {
		i := s.typeIndex(r.name)
		if i < 0 {
			return nil, fmt.Errorf("unknown resource type %s", r.name)
		}
		r.name = s.types[i].name
		j := slices.IndexFunc(merged, func(m actResource) bool { return m.name == r.name })
		if j < 0 {
			merged = append(merged, r)
			continue
		}
		merged[j].required = merged[j].required || r.required
		merged[j].keys = slices.Concat(merged[j].keys, r.keys)
	}
	slices.SortFunc(merged, func(a, b actResource) int { return byFold(a.name, b.name) })
	var err error
	for i := range merged {
		if merged[i].keys, err = s.canonical(merged[i].keys); err != nil {
			return nil, fmt.Errorf("resource type %s: %w", merged[i].name, err)
		}
	}
	return merged, nil
}

func (s *service) typeIndex(name string) int {
	return slices.IndexFunc(s.types, func(t resourceType) bool { return strings.EqualFold(t.name, name) })
}

func (s *service) keyIndex(name string) int {
	i, ok := slices.BinarySearchFunc(s.keys, name, func(k key, name string) int { return byFold(k.name, name) })
	if !ok {
		return -1
	}
	return i
}

// canonical sorts names of keys, drops doubles and writes each as s.keys does.
func (s *service) canonical(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		i := s.keyIndex(spell(name))
		if i < 0 {
			return nil, fmt.Errorf("unknown condition key %s", name)
		}
		out = append(out, s.keys[i].name)
	}
	slices.SortFunc(out, byFold)
	return slices.Compact(out), nil
}

func tidyKeys(keys []key) []key {
	for i, k := range keys {
		keys[i].name = spell(k.name)
		if typ, ok := corrected[k.name]; ok {
			keys[i].typ = typ
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return byFold(a.name, b.name) })
	return slices.CompactFunc(keys, func(a, b key) bool { return strings.EqualFold(a.name, b.name) })
}

func checkTypes(keys []key) error {
	for _, k := range keys {
		if !slices.Contains(action.Types(), k.typ) {
			return fmt.Errorf("condition key %s has the unknown type %q", k.name, k.typ)
		}
	}
	return nil
}

// byFold is the order of the archive.
func byFold(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }

// embedded is the reference that the package has now.
func embedded() *model {
	m := &model{version: action.Version(), date: action.Date()}
	for _, k := range action.GlobalKeys() {
		m.globals = append(m.globals, key{k.Name, k.Type})
	}
	for _, prefix := range action.Services() {
		have, _ := action.ServiceByPrefix(prefix)
		s := &service{prefix: prefix, name: have.Name, rcp: have.RCP}
		for name, typ := range have.ConditionKeys {
			s.keys = append(s.keys, key{name, typ})
		}
		for _, t := range have.ResourceTypes {
			s.types = append(s.types, resourceType{t.Name, t.ARNs, t.ConditionKeys})
		}
		for _, a := range have.Actions {
			b := act{name: a.Name, level: a.Level, keys: a.ConditionKeys}
			for _, r := range a.Resources {
				b.resources = append(b.resources, actResource{r.Type, r.Required, r.ConditionKeys})
			}
			s.actions = append(s.actions, b)
		}
		m.services = append(m.services, s)
	}
	return m
}
