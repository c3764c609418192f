package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
)

// awsService is a file of AWS's service reference, version 1.
// https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html
type awsService struct {
	Name    string
	Actions []struct {
		Name                string
		ActionConditionKeys []string
		Annotations         struct {
			Properties awsProperties
		}
		Resources []struct {
			Name          string
			ConditionKeys []string
		}
	}
	Resources []struct {
		Name          string
		ARNFormats    []string
		ConditionKeys []string
	}
	ConditionKeys []struct {
		Name  string
		Types []string
	}
}

type awsProperties struct {
	IsList, IsPermissionManagement, IsTaggingOnly, IsWrite bool
}

func (p awsProperties) level() action.Level {
	switch {
	case p.IsPermissionManagement:
		return action.PermissionsManagement
	case p.IsTaggingOnly:
		return action.Tagging
	case p.IsWrite:
		return action.Write
	case p.IsList:
		return action.List
	}
	return action.Read
}

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// renew replaces the services that dir has files of. Those files say nothing of
// a service's title, of resource control policies, nor which resource types an
// action requires: titles and policies stay as they were, and so does what is
// known to be required. Of a new action, a single resource type is taken for
// required, one of several for optional.
func (m *model) renew(dir fs.FS, date string) error {
	if !day.MatchString(date) {
		return errors.New("-from needs -date, the day on which the files were fetched, such as 2026-11-21")
	}
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return err
	}
	renewed := 0
	for _, name := range names {
		src, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		if src = []byte(strings.TrimSpace(string(src))); len(src) > 0 && src[0] == '[' {
			continue // the list of services
		}
		var from awsService
		if err := json.Unmarshal(src, &from); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if from.Name == "" || len(from.Actions) == 0 {
			return fmt.Errorf("%s: not a service's reference: no Name or no Actions", name)
		}
		m.replace(from)
		renewed++
	}
	if renewed == 0 {
		return errors.New("no service's file found")
	}
	base, _, _ := strings.Cut(m.version, "+")
	m.version, m.date = base+"+aws."+strings.ReplaceAll(date, "-", ""), date
	return m.tidy()
}

// replace puts AWS's service in the place of the known one of its prefix.
func (m *model) replace(from awsService) {
	i := slices.IndexFunc(m.services, func(s *service) bool { return s.prefix == from.Name })
	old := &service{prefix: from.Name, name: from.Name}
	if i >= 0 {
		old = m.services[i]
	}
	s := &service{prefix: old.prefix, name: old.name, rcp: old.rcp}
	for _, k := range from.ConditionKeys {
		s.keys = append(s.keys, key{k.Name, awsType(k.Types)})
	}
	for _, t := range from.Resources {
		s.types = append(s.types, resourceType{t.Name, t.ARNFormats, t.ConditionKeys})
	}
	for _, a := range from.Actions {
		b := act{name: a.Name, level: a.Annotations.Properties.level(), keys: a.ActionConditionKeys}
		for _, r := range a.Resources {
			required, known := old.requires(a.Name, r.Name)
			if !known {
				required = len(a.Resources) == 1
			}
			b.resources = append(b.resources, actResource{r.Name, required, r.ConditionKeys})
		}
		s.actions = append(s.actions, b)
	}
	s.nameMissingKeys(m.globals)
	if i >= 0 {
		m.services[i] = s
	} else {
		m.services = append(m.services, s)
	}
}

// requires says whether an action needs a resource type, as far as known.
func (s *service) requires(name, typ string) (required, known bool) {
	for _, a := range s.actions {
		for _, r := range a.resources {
			if a.name == name && strings.EqualFold(r.name, typ) {
				return r.required, true
			}
		}
	}
	return false, false
}

// nameMissingKeys adds the global keys that actions and types refer to, which
// AWS's file of a service need not list.
func (s *service) nameMissingKeys(globals []key) {
	var used []string
	for _, t := range s.types {
		used = append(used, t.keys...)
	}
	for _, a := range s.actions {
		used = append(used, a.keys...)
		for _, r := range a.resources {
			used = append(used, r.keys...)
		}
	}
	has := func(keys []key, name string) int {
		return slices.IndexFunc(keys, func(k key) bool { return strings.EqualFold(k.name, name) })
	}
	for _, name := range used {
		if g := has(globals, name); g >= 0 && has(s.keys, name) < 0 {
			s.keys = append(s.keys, globals[g])
		}
	}
}

// awsType is the first of a key's types, in the words of package action.
func awsType(types []string) action.Type {
	if len(types) == 0 {
		return action.TypeString
	}
	switch types[0] {
	case "Long", "Integer", "ArrayOfLong":
		return action.TypeNumeric
	case "Boolean":
		return action.TypeBool
	}
	return action.Type(types[0])
}
