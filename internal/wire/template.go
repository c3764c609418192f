package wire

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A template is an ARN, or another value, with fields of the request in braces:
//
//	{name}          one path segment
//	{name...}       the rest, slashes included
//	{name=default}  what stands there if the request does not say
//	{list.*.name}   each element of a list: the template stands for several values
//
// partition, region and account come from the Scope. The field "_" stands in
// no request: it is read as its default and built from anything, "_..." from a
// path that ends in a slash or is empty.
var field = regexp.MustCompile(`\{([^{}=.]+(?:\.[^{}=.]+)*)(\.\.\.)?(=[^{}]*)?\}`)

// match takes the fields of a template out of a value.
func match(template, value string) (map[string]string, bool) {
	var pattern strings.Builder
	pattern.WriteString("^")
	var names []string
	rest := template
	for rest != "" {
		m := field.FindStringSubmatchIndex(rest)
		if m == nil {
			pattern.WriteString(regexp.QuoteMeta(rest))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[:m[0]]))
		name := rest[m[2]:m[3]]
		names = append(names, name)
		switch {
		case name == "_" && m[4] >= 0:
			pattern.WriteString(`((?:.*/)?)`)
		case m[4] >= 0:
			pattern.WriteString(`(.+)`)
		case name == "region" || name == "account": // empty in some ARNs
			pattern.WriteString(`([^/:]*)`)
		default:
			pattern.WriteString(`([^/:]+)`)
		}
		rest = rest[m[1]:]
	}
	found := regexp.MustCompile(pattern.String() + "$").FindStringSubmatch(value)
	if found == nil {
		return nil, false
	}
	fields := map[string]string{}
	for i, name := range names {
		fields[name] = found[i+1]
	}
	return fields, true
}

// filler fills templates with the fields of one request.
type filler struct {
	service string
	op      operation
	fields  map[string]string
	at      Scope
}

// fill gives the values that a template stands for: one, or one for each
// element of its list. It returns false if a field without default is absent, and
// if the fields contradict one another.
func (f filler) fill(template string) ([]string, bool) {
	var out []string
	for _, one := range f.elements(template) {
		v, ok := f.one(one)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// elements replaces the star of a template's list by each index that the
// request has. Without an element it stays, as the name of an absent field.
func (f filler) elements(template string) []string {
	star := strings.Index(template, ".*")
	if star < 0 {
		return []string{template}
	}
	list := template[strings.LastIndexByte(template[:star], '{')+1 : star]
	indices := map[int]bool{}
	for name := range f.fields {
		rest, ok := strings.CutPrefix(name, list+".")
		digits, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(digits); ok && err == nil {
			indices[i] = true
		}
	}
	if len(indices) == 0 {
		return []string{template}
	}
	var out []string
	for _, i := range slices.Sorted(maps.Keys(indices)) {
		out = append(out, strings.ReplaceAll(template, "{"+list+".*", "{"+list+"."+strconv.Itoa(i)))
	}
	return out
}

// one fills a template without stars. Many services take an ARN in a name's
// place. It says where the resource lies, whatever the request was sent to; one
// that contradicts the rest of the request says nothing.
func (f filler) one(template string) (string, bool) {
	at, names, ok := f.at, map[string]string{}, true
	var arns []string
	refs := field.FindAllStringSubmatch(template, -1)
	for _, m := range refs {
		names[m[1]] = strings.TrimPrefix(m[3], "=")
	}
	for _, m := range refs {
		v, given := f.fields[m[1]]
		switch {
		case place[m[1]] || m[1] == "_":
		case !given:
			ok = ok && m[3] != ""
		case strings.HasPrefix(v, "arn:") && strings.HasPrefix(template, "arn:"):
			found, known := inARN(template, m[1], v, &at)
			names[m[1]], ok, arns = found[m[1]], ok && known, append(arns, v)
			if open, matched := found["_"]; matched {
				names["_"] = open
			}
		case f.op.named != nil:
			names[m[1]] = f.op.named(v)
		default:
			names[m[1]] = v
		}
	}
	names["partition"], names["region"], names["account"] = at.Partition, at.Region, at.Account
	out := field.ReplaceAllStringFunc(template, func(ref string) string {
		return names[field.FindStringSubmatch(ref)[1]]
	})
	for _, arn := range arns {
		ok = ok && agree(template, out, arn)
	}
	return out, ok
}

// place are the fields that come from the Scope.
var place = map[string]bool{"partition": true, "region": true, "account": true}

// inARN takes a field, and where it lies, out of an ARN. The ARN is that of the
// template's own resource, whose other fields come along, or of one that the
// field is named for, such as a cluster.
func inARN(template, name, arn string, at *Scope) (fields map[string]string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return nil, false
	}
	for i, to := range map[int]*string{1: &at.Partition, 3: &at.Region, 4: &at.Account} {
		if parts[i] != "" {
			*to = parts[i]
		}
	}
	if fields, ok := match(template, arn); ok {
		return fields, true
	}
	end := strings.LastIndexAny(parts[5], "/:")
	kind := parts[5][:max(strings.IndexAny(parts[5], "/:"), 0)]
	if end < 0 || kind == "" || !strings.Contains(strings.ToLower(name), strings.ToLower(kind)) {
		return nil, false
	}
	return map[string]string{name: parts[5][end+1:]}, true
}

// agree tells whether what a template was filled to is what the ARN in one of
// its fields says: the same service, place and, if it is the same kind of
// resource, the same one.
func agree(template, out, arn string) bool {
	if _, same := match(template, arn); same {
		return out == arn
	}
	head := func(s string) string { return s[:len(s)-len(strings.SplitN(s, ":", 6)[5])] }
	return strings.Count(out, ":") >= 5 && head(out) == head(arn)
}
