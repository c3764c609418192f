package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a body may nest.
const maxDepth = 64

// A dot in a JSON key is not the dot between two steps of a field's path.
var (
	hideDots = strings.NewReplacer("%", "%25", ".", "%2E")
	showDots = strings.NewReplacer("%2E", ".", "%25", "%")
)

// readJSON gives the strings, numbers and booleans of a JSON object under their
// dotted paths. It refuses keys that come twice, in whatever
// letters.
func readJSON(body []byte) (map[string]string, bool) {
	fields := map[string]string{}
	if len(bytes.TrimSpace(body)) == 0 {
		return fields, true
	}
	if !utf8.Valid(body) {
		return nil, false
	}
	f := flattener{json.NewDecoder(bytes.NewReader(body)), fields}
	f.UseNumber()
	if t, err := f.Token(); err != nil || t != json.Delim('{') || !f.object("", 0) {
		return nil, false
	}
	_, err := f.Token()
	return fields, errors.Is(err, io.EOF)
}

type flattener struct {
	*json.Decoder
	fields map[string]string
}

func under(path, step string) string {
	if path == "" {
		return step
	}
	return path + "." + step
}

// object reads the rest of an object.
func (f flattener) object(path string, depth int) bool {
	seen := map[string]bool{}
	for f.More() {
		t, err := f.Token()
		key, ok := t.(string)
		lower := strings.ToLower(key)
		if err != nil || !ok || seen[lower] {
			return false
		}
		seen[lower] = true
		if !f.value(under(path, hideDots.Replace(key)), depth) {
			return false
		}
	}
	_, err := f.Token()
	return err == nil
}

// list reads the rest of an array.
func (f flattener) list(path string, depth int) bool {
	for i := 0; f.More(); i++ {
		if !f.value(under(path, strconv.Itoa(i)), depth) {
			return false
		}
	}
	_, err := f.Token()
	return err == nil
}

func (f flattener) value(path string, depth int) bool {
	t, err := f.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return f.object(path, depth+1)
		}
		return f.list(path, depth+1)
	case string:
		f.fields[path] = t
	case json.Number:
		f.fields[path] = t.String()
	case bool:
		f.fields[path] = strconv.FormatBool(t)
	}
	return true
}

// writeJSON makes an object of fields under dotted paths.
func writeJSON(fields map[string]string) ([]byte, bool) {
	body, err := json.Marshal(arrays(treeOf(fields)))
	return body, err == nil
}

func treeOf(fields map[string]string) map[string]any {
	tree := map[string]any{}
	for path, v := range fields {
		set(tree, strings.Split(path, "."), v)
	}
	return tree
}

// set writes a value into a tree of objects; arrays are objects with the keys
// "0", "1" and so on until arrays turns them.
func set(tree map[string]any, path []string, v string) {
	for _, step := range path[:len(path)-1] {
		next, ok := tree[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[step] = next
		}
		tree = next
	}
	tree[path[len(path)-1]] = v
}

func arrays(v any) any {
	tree, ok := v.(map[string]any)
	if !ok {
		return v
	}
	list := make([]any, len(tree))
	isList := len(tree) > 0
	for k := range tree {
		tree[k] = arrays(tree[k])
		if i, err := strconv.Atoi(k); isList && err == nil && i >= 0 && i < len(list) {
			list[i] = tree[k]
		} else {
			isList = false
		}
	}
	if isList {
		return list
	}
	return tree
}
