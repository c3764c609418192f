package wire

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A template is an ARN, or another value, with fields of the request in braces:
//
//	{name}          one path segment
//	{name...}       the rest, slashes included
//	{name=default}  what stands there if the request does not say
//	{list.*.name}   each element of a list: the template stands for several values
//
// partition, region and account come from the Scope. The field "_" stands in
// no request: it is read as its default and built from anything. {name...=} is
// a path that ends in a slash or is empty.
var field = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{([^{}=.]+(?:\.[^{}=.]+)*)(\.\.\.)?(=[^{}]*)?\}`)
})

// match takes the fields of a template out of a value.
func match(template, value string) (map[string]string, bool) {
	var pattern strings.Builder
	pattern.WriteString("^")
	var names []string
	rest := template
	for rest != "" {
		m := field().FindStringSubmatchIndex(rest)
		if m == nil {
			pattern.WriteString(regexp.QuoteMeta(rest))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[:m[0]]))
		name := rest[m[2]:m[3]]
		names = append(names, name)
		switch {
		case m[4] >= 0 && m[7]-m[6] == 1:
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
	ones, ok := f.elements(template)
	var out []string
	for _, one := range ones {
		v, filled := f.one(one)
		out, ok = append(out, v), ok && filled
	}
	return out, ok
}

// elements replaces the star of a template's list by each index that the
// request has. Without an element it stays, as the name of an absent field. It
// returns false if the request has something else in the list's place: "01" is
// an index to some.
func (f filler) elements(template string) (out []string, ok bool) {
	star := strings.Index(template, ".*")
	if star < 0 {
		return []string{template}, true
	}
	list := template[strings.LastIndexByte(template[:star], '{')+1 : star]
	indices := map[int]bool{}
	for name := range f.fields {
		rest, below := strings.CutPrefix(name, list+".")
		digits, _, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(digits)
		if name == list || below && (err != nil || strconv.Itoa(i) != digits) {
			return nil, false
		}
		if below {
			indices[i] = true
		}
	}
	if len(indices) == 0 {
		return []string{template}, true
	}
	for _, i := range slices.Sorted(maps.Keys(indices)) {
		out = append(out, strings.ReplaceAll(template, "{"+list+".*", "{"+list+"."+strconv.Itoa(i)))
	}
	return out, true
}

// one fills a template without stars. Many services take an ARN in a name's
// place. It says where the resource lies, whatever the request was sent to; one
// that contradicts the rest of the request says nothing.
func (f filler) one(template string) (string, bool) {
	at, values, ok := f.at, map[string]string{}, true
	var arns []string
	refs, whole := field().FindAllStringSubmatch(template, -1), strings.HasPrefix(template, "arn:")
	for _, m := range refs {
		values[m[1]] = strings.TrimPrefix(m[3], "=")
	}
	for _, m := range refs {
		v, given := f.fields[m[1]]
		if place[m[1]] || m[1] == "_" {
			continue
		}
		if !given { // a list or an object in its place is no absence
			ok = ok && m[3] != "" && !f.has(m[1])
			continue
		}
		if f.op.named != nil {
			v = f.op.named(v)
		}
		values[m[1]] = v
		if whole && strings.HasPrefix(v, "arn:") {
			found, known := inARN(template, m[1], v, &at)
			values[m[1]], ok, arns = found[m[1]], ok && known, append(arns, v)
			if open, matched := found["_"]; matched {
				values["_"] = open
			}
		}
		ok = ok && legible(v) && (!whole || m[2] != "" || isName(values[m[1]]))
	}
	values["partition"], values["region"], values["account"] = at.Partition, at.Region, at.Account
	out := field().ReplaceAllStringFunc(template, func(ref string) string {
		return values[field().FindStringSubmatch(ref)[1]]
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
	// "cluster/prod", but not "function:prod:live", which is neither of them.
	end := strings.IndexAny(parts[5], "/:")
	kind, of := parts[5][:max(end, 0)], parts[5][end+1:]
	if kind == "" || !isName(of) || !strings.Contains(strings.ToLower(name), strings.ToLower(kind)) {
		return nil, false
	}
	return map[string]string{name: of}, true
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
