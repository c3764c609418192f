package sandbox

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds and patterns of IAM's names.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxNameUser = 64
	maxNameLong = 128
	maxPath     = 512
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
	maxComment  = 1000

	defaultPage = 100
	maxPage     = 1000
)

// lazily compiles a regular expression when it is first used: every command of
// postern would pay for them at its start.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	namePattern = lazily(`^[\w+=,.@-]+$`)
	pathPattern = lazily(`^(/|/[\x21-\x7e]+/)$`)
	tagPattern  = lazily(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// required returns a parameter that must be there.
func (p params) required(name string) (string, error) {
	if v := p[name]; v != "" {
		return v, nil
	}
	field := lowerFirst(name)
	if p.has(name) {
		return "", invalid("1 validation error detected: Value '' at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", field)
	}
	return "", invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
}

// name returns a required parameter that must be an IAM name.
func (p params) name(param string, longest int) (string, error) {
	v, err := p.required(param)
	if err != nil {
		return "", err
	}
	field := lowerFirst(param)
	if len(v) > longest {
		return "", invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", v, field, longest)
	}
	if !namePattern().MatchString(v) {
		return "", invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", field)
	}
	return v, nil
}

// path returns the Path parameter, "/" if it is absent.
func (p params) path() (string, error) {
	if !p.has("Path") {
		return "/", nil
	}
	v := p["Path"]
	if len(v) > maxPath || !pathPattern().MatchString(v) {
		return "", invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return v, nil
}

// description returns the Description parameter.
func (p params) description() (string, error) {
	v := p["Description"]
	if utf8.RuneCountInString(v) > maxComment {
		return "", invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxComment)
	}
	return v, nil
}

// tags reads Tags.member.N.Key and .Value.
func (p params) tags() (map[string]string, error) {
	tags := map[string]string{}
	for _, m := range p.members("Tags") {
		key, v := m["Key"], m["Value"]
		if err := checkTag(key, v); err != nil {
			return nil, err
		}
		for have := range tags {
			if strings.EqualFold(have, key) {
				return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
			}
		}
		tags[key] = v
	}
	return tags, tooManyTags(tags)
}

func checkTag(key, v string) error {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey || !tagPattern().MatchString(key):
		return invalid("1 validation error detected: Value '%s' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+", key)
	case utf8.RuneCountInString(v) > maxTagValue || !tagPattern().MatchString(v):
		return invalid("1 validation error detected: Value '%s' at 'tags.1.member.value' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", v)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return invalidInput("Tag keys starting with 'aws:' are reserved for system use.")
	}
	return nil
}

func tooManyTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return limitExceeded("The number of tags has reached the maximum limit.")
	}
	return nil
}

// withTags returns have with more added. A key that differs in case only
// replaces the one it differs from.
func withTags(have, more map[string]string) (map[string]string, error) {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]string{}
	}
	for key, v := range more {
		maps.DeleteFunc(out, func(k, _ string) bool { return strings.EqualFold(k, key) })
		out[key] = v
	}
	return out, tooManyTags(out)
}

func withoutTags(have map[string]string, keys []string) map[string]string {
	out := maps.Clone(have)
	maps.DeleteFunc(out, func(k, _ string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(k, key) })
	})
	return out
}

// stamp writes a time as the query protocol does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// list is a list in an answer. Unlike a plain slice it leaves its element in
// the XML when it is empty, as AWS does.
type list[T any] struct {
	Member []T `xml:"member"`
}

func listOf[T, U any](items []T, convert func(T) U) list[U] {
	var l list[U]
	for _, item := range items {
		l.Member = append(l.Member, convert(item))
	}
	return l
}

// paging is the end of every answer that comes in pages.
type paging struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// page cuts the page out of items that the request asks for. Items are ordered
// by key, so that a marker stays good when the list changes between pages.
func page[T any](p params, items []T, key func(T) string) ([]T, paging, error) {
	size, err := p.integer("MaxItems", defaultPage, 1, maxPage)
	if err != nil {
		return nil, paging{}, err
	}
	slices.SortStableFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if p.has("Marker") {
		after, err := base64.RawURLEncoding.DecodeString(p["Marker"])
		if err != nil {
			return nil, paging{}, invalid("Invalid Marker.")
		}
		i := slices.IndexFunc(items, func(item T) bool { return key(item) > string(after) })
		if i < 0 {
			i = len(items)
		}
		items = items[i:]
	}
	if len(items) <= size {
		return items, paging{}, nil
	}
	last := key(items[size-1])
	return items[:size], paging{IsTruncated: true, Marker: base64.RawURLEncoding.EncodeToString([]byte(last))}, nil
}

// under keeps the items whose path begins with the request's PathPrefix.
func under[T any](p params, items []T, path func(T) string) []T {
	prefix := p["PathPrefix"]
	return slices.DeleteFunc(items, func(item T) bool { return !strings.HasPrefix(path(item), prefix) })
}

type tagXML struct{ Key, Value string }

func tagList(tags map[string]string) list[tagXML] {
	return listOf(slices.Sorted(maps.Keys(tags)), func(key string) tagXML { return tagXML{key, tags[key]} })
}

// tagsOrNone leaves the Tags element out of an answer without tags, as the
// calls that describe one entity do.
func tagsOrNone(tags map[string]string) *list[tagXML] {
	if len(tags) == 0 {
		return nil
	}
	l := tagList(tags)
	return &l
}
