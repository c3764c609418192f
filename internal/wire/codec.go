package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// write encodes an operation with its fields.
func (s service) write(op operation, fields map[string]string) (Request, bool) {
	switch s.protocol {
	case JSON:
		tree := map[string]any{}
		for path, v := range fields {
			set(tree, strings.Split(path, "."), v)
		}
		body, err := json.Marshal(arrays(tree))
		if err != nil {
			return Request{}, false
		}
		return Request{
			Service: s.name, Method: http.MethodPost, Path: "/", Target: s.target + "." + op.operation(),
			Type: s.contentType, Body: body,
		}, true
	case RESTS3:
		return writeS3(op, fields), true
	default:
		form := url.Values{"Action": {op.operation()}, "Version": {s.version}}
		for name, v := range fields {
			form.Set(name, v)
		}
		return Request{
			Service: s.name, Method: http.MethodPost, Path: "/",
			Type: "application/x-www-form-urlencoded; charset=utf-8", Body: []byte(form.Encode()),
		}, true
	}
}

func writeS3(op operation, fields map[string]string) Request {
	path := "/" + fields["bucket"]
	if key := fields["key"]; key != "" {
		path += "/" + escapePath(key)
	}
	query, err := url.ParseQuery(op.query)
	if err != nil { // the table is constant: its test parses every query
		query = url.Values{}
	}
	for name, v := range fields {
		if name != "bucket" && name != "key" {
			query.Set(name, v)
		}
	}
	return Request{Service: "s3", Method: op.method, Path: path, Query: query.Encode()}
}

// escapePath escapes all but slashes, as S3's signatures demand; net/url would
// leave "+" alone.
func escapePath(key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	return strings.Join(parts, "/")
}

// read finds a request's operation and its fields.
func (s service) read(r Request) (operation, map[string]string, bool) {
	switch s.protocol {
	case JSON:
		target, name, _ := strings.Cut(r.Target, ".")
		op, ok := s.named(name)
		if !ok || target != s.target {
			return operation{}, nil, false
		}
		fields := map[string]string{}
		if len(bytes.TrimSpace(r.Body)) > 0 {
			var tree map[string]any
			if json.Unmarshal(r.Body, &tree) != nil {
				return operation{}, nil, false
			}
			flatten(fields, "", tree)
		}
		return op, fields, true
	case RESTS3:
		return s.readS3(r)
	default:
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return operation{}, nil, false
		}
		if form.Get("Action") == "" {
			if form, err = url.ParseQuery(r.Query); err != nil {
				return operation{}, nil, false
			}
		}
		op, ok := s.named(form.Get("Action"))
		return op, firsts(form), ok
	}
}

func (s service) readS3(r Request) (operation, map[string]string, bool) {
	path, err := url.PathUnescape(r.Path)
	query, queryErr := url.ParseQuery(r.Query)
	if err != nil || queryErr != nil {
		return operation{}, nil, false
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if bucket == "" {
		return operation{}, nil, false
	}
	fields := firsts(query)
	delete(fields, "key")
	fields["bucket"] = bucket
	if key != "" {
		fields["key"] = key
	}
	for _, op := range s.operations {
		marker, _, _ := strings.Cut(op.query, "=")
		onKey := strings.Contains(op.resource, "{key")
		if op.method == r.Method && onKey == (key != "") && (query.Has(marker) || marker == "" && plain(query)) {
			return op, fields, true
		}
	}
	return operation{}, nil, false
}

// plain says that a query selects no sub-resource, such as "cors", whose
// operation would be another one.
func plain(query url.Values) bool {
	for name := range query {
		switch name {
		case "prefix", "delimiter", "max-keys", "marker", "encoding-type", "fetch-owner", "start-after", "continuation-token", "x-id":
		default:
			if !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "response-") {
				return false
			}
		}
	}
	return true
}

func firsts(values url.Values) map[string]string {
	fields := map[string]string{}
	for name := range values {
		fields[name] = values.Get(name)
	}
	return fields
}

// reply gives an operation's empty success.
func (s service) reply(op operation, requestID string) (contentType string, body []byte) {
	switch s.protocol {
	case JSON:
		if op.reply == "" {
			return s.contentType, []byte("{}")
		}
		return s.contentType, []byte(op.reply)
	case RESTS3:
		return "application/xml", []byte(op.reply)
	case EC2:
		return "text/xml;charset=UTF-8", []byte(xmlHead + "<" + op.operation() + `Response xmlns="` + s.namespace + `"><requestId>` +
			escape(requestID) + "</requestId>" + op.reply + "</" + op.operation() + "Response>")
	default:
		return "text/xml", []byte("<" + op.operation() + `Response xmlns="` + s.namespace + `"><` + op.operation() + "Result>" + op.reply +
			"</" + op.operation() + "Result><ResponseMetadata><RequestId>" + escape(requestID) + "</RequestId></ResponseMetadata></" +
			op.operation() + "Response>")
	}
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

// flatten writes the strings of a JSON tree under dotted paths.
func flatten(into map[string]string, path string, v any) {
	join := func(step string) string {
		if path == "" {
			return step
		}
		return path + "." + step
	}
	switch v := v.(type) {
	case string:
		into[path] = v
	case map[string]any:
		for k := range v {
			flatten(into, join(k), v[k])
		}
	case []any:
		for i := range v {
			flatten(into, join(strconv.Itoa(i)), v[i])
		}
	}
}
