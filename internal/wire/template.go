package wire

import (
	"regexp"
	"strings"
)

// A template is an ARN, or another value, with fields of the request in braces:
//
//	{name}          one path segment
//	{name...}       the rest, slashes included
//	{name=default}  what stands there if the request does not say
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

// expand fills a template with the fields of a request. It returns false if a
// field without default is absent.
func expand(template string, op operation, fields map[string]string, at Scope) (string, bool) {
	complete := true
	out := field.ReplaceAllStringFunc(template, func(ref string) string {
		m := field.FindStringSubmatch(ref)
		switch m[1] {
		case "partition":
			return at.Partition
		case "region":
			return at.Region
		case "account":
			return at.Account
		}
		v, given := fields[m[1]]
		switch {
		case given && strings.HasPrefix(v, "arn:"):
			return nameInARN(template, m[1], v)
		case given && op.named != nil:
			return op.named(v)
		case given:
			return v
		}
		complete = complete && m[3] != ""
		return strings.TrimPrefix(m[3], "=")
	})
	return out, complete
}

// nameInARN takes a name out of an ARN that a request gives in a name's place,
// as most services allow.
func nameInARN(template, name, arn string) string {
	if fields, ok := match(template, arn); ok {
		return fields[name]
	}
	return arn[strings.LastIndexAny(arn, "/:")+1:]
}
