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
		keys = f.tags()
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

// mentions tells whether the request has one of a template's fields.
func (f filler) mentions(template string) bool {
	for _, one := range f.elements(template) {
		for _, m := range field.FindAllStringSubmatch(one, -1) {
			if _, given := f.fields[m[1]]; given {
				return true
			}
		}
	}
	return false
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
func (f filler) tags() map[string][]string {
	found := map[string]string{}
	list, isList := strings.CutSuffix(f.op.tags, ".*")
	switch {
	case f.op.tags == "":
	case isList:
		for _, one := range f.elements("{" + list + ".*.") {
			at := strings.TrimPrefix(one, "{")
			for _, names := range [][2]string{{"key", "value"}, {"Key", "Value"}} {
				if key, ok := f.fields[at+names[0]]; ok {
					found[key] = f.fields[at+names[1]]
				}
			}
		}
	default:
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
	return keys
}
