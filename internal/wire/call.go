package wire

import (
	"maps"
	"slices"
	"strings"
)

// calls fills an action's resource and condition keys.
func (f filler) calls(action, resource string, context map[string]string) ([]Call, bool) {
	resources, ok := f.fill(resource)
	if !ok {
		return nil, false
	}
	keys := map[string][]string{}
	if strings.HasPrefix(action, f.service+":") { // whom a role is passed to is not told of tags
		if keys, ok = f.tags(); !ok {
			return nil, false
		}
	}
	for key, template := range context {
		values, ok := f.fill(template)
		switch {
		case ok:
			keys[key] = values
		case f.mentions(template): // given, but it says nothing that can be judged
			return nil, false
		}
	}
	if len(keys) == 0 {
		keys = nil
	}
	var out []Call
	for _, r := range resources {
		out = append(out, Call{Action: action, Resource: r, Context: keys})
	}
	return out, true
}

// mentions tells whether the request has one of a template's fields, in
// whatever shape.
func (f filler) mentions(template string) bool {
	ones, ok := f.elements(template)
	for _, one := range ones {
		for _, m := range field().FindAllStringSubmatch(one, -1) {
			if f.has(m[1]) {
				return true
			}
		}
	}
	return !ok
}

// has tells whether the request has a field, or fields below it.
func (f filler) has(name string) bool {
	if _, ok := f.fields[name]; ok || name == "" {
		return true
	}
	for given := range f.fields {
		if strings.HasPrefix(given, name+".") {
			return true
		}
	}
	return false
}

// tags are the condition keys of the tags in a request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
func (f filler) tags() (map[string][]string, bool) {
	found := map[string]string{}
	list, isList := strings.CutSuffix(f.op.tags, ".*")
	ones, ok := f.elements("{" + list + ".*.")
	switch {
	case f.op.tags == "":
		return map[string][]string{}, true
	case isList:
		for _, one := range ones {
			at := strings.TrimPrefix(one, "{")
			for _, names := range [][2]string{{"key", "value"}, {"Key", "Value"}} {
				if key, ok := f.fields[at+names[0]]; ok {
					found[key] = f.fields[at+names[1]]
				}
			}
		}
	default:
		ok = true
		for name, v := range f.fields {
			if key, ok := strings.CutPrefix(name, f.op.tags+"."); ok {
				found[showDots.Replace(key)] = v
			}
		}
	}
	keys := map[string][]string{}
	for key, v := range found {
		keys["aws:RequestTag/"+key] = []string{v}
	}
	if len(found) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(found))
	}
	return keys, ok
}
