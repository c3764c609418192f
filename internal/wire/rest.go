package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// header marks the fields that come from a request's headers. No query and no
// body may have a field of such a name.
const header = "header:"

// copyVersion is the field with the version of the object that S3 copies.
const copyVersion = header + "x-amz-copy-source-version-id"

// readREST finds the operation by method, path, query and header.
func (s service) readREST(r Request) (operation, map[string]string, bool) {
	outside, selectors, ok := readHead(r)
	if !ok {
		return operation{}, nil, false
	}
	for _, op := range s.operations {
		labels, ok := op.labels(s.protocol, r.Path)
		if !ok || op.method != r.Method || !op.selected(s.protocol, selectors) {
			continue
		}
		if _, given := outside[op.header]; op.header != "" && !given {
			continue
		}
		fields, ok := op.body(s.protocol, r)
		return op, fields, ok && join(fields, outside, labels)
	}
	return operation{}, nil, false
}

// join adds fields, none of which may be there already.
func join(into map[string]string, more ...map[string]string) bool {
	for _, fields := range more {
		for name, v := range fields {
			if _, twice := into[name]; twice {
				return false
			}
			into[name] = v
		}
	}
	return true
}

// readHead gives the fields of a request's query and headers, and the names in
// its query that may select an operation. S3 lets the query of a presigned URL
// carry headers.
func readHead(r Request) (fields map[string]string, selectors map[string]bool, ok bool) {
	query, ok := readForm(r.Query)
	fields, selectors = map[string]string{}, map[string]bool{}
	for name, values := range r.Header {
		fields[header+strings.ToLower(name)] = strings.Join(values, ",")
	}
	for name, v := range query {
		lower := strings.ToLower(name)
		switch {
		case signing[lower]:
		case strings.HasPrefix(lower, "x-amz-"):
			ok = ok && join(fields, map[string]string{header + lower: v})
		default:
			ok = ok && !strings.HasPrefix(lower, header) && join(fields, map[string]string{name: v})
			selectors[name] = true
		}
	}
	return fields, selectors, ok && readCopySource(fields)
}

// signing are the parameters of a presigned URL that sign it.
var signing = map[string]bool{
	"x-amz-algorithm": true, "x-amz-credential": true, "x-amz-date": true, "x-amz-expires": true, "x-amz-signedheaders": true,
	"x-amz-signature": true, "x-amz-security-token": true, "x-amz-content-sha256": true,
}

// readCopySource turns the header of a copy, an escaped "/BUCKET/KEY" with an
// optional "?versionId=", into the field with "BUCKET/KEY" and that of the
// version.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func readCopySource(fields map[string]string) bool {
	const name = header + "x-amz-copy-source"
	source, given := fields[name]
	if !given {
		return true
	}
	source, version, versioned := strings.Cut(source, "?versionId=")
	path, err := url.PathUnescape(source)
	path = strings.TrimPrefix(path, "/")
	if versioned {
		fields[copyVersion] = version
	}
	fields[name] = path
	bucket, key, _ := strings.Cut(path, "/")
	// A plus could be a space, the others end a path for some.
	return err == nil && !strings.ContainsAny(source, "?#;+") && !strings.ContainsAny(version, "?#;+&%") &&
		bucketName().MatchString(bucket) && key != "" && straight(key)
}

// labels are the fields in a request's path.
func (o operation) labels(p Protocol, path string) (map[string]string, bool) {
	if p == RESTS3 {
		return o.bucketAndKey(path)
	}
	want, got := strings.Split(o.path, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	labels := map[string]string{}
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range want {
		name, isLabel := strings.CutPrefix(segment, "{")
		v, err := url.PathUnescape(got[i])
		if err != nil || v == "" && segment != "" || !isLabel && segment != got[i] {
			return nil, false
		}
		if strings.ContainsAny(v, "/%") || !straight(v) { // another path to whoever decodes twice
			return nil, false
		}
		if isLabel {
			labels[strings.TrimSuffix(name, "}")] = v
		}
	}
	return labels, true
}

func (o operation) bucketAndKey(path string) (map[string]string, bool) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	key, err := url.PathUnescape(key)
	if err != nil || !bucketName().MatchString(bucket) || o.onKey() != (key != "") || !straight(key) {
		return nil, false
	}
	labels := map[string]string{"bucket": bucket}
	if key != "" {
		labels["key"] = key
	}
	return labels, true
}

func (o operation) onKey() bool { return strings.Contains(o.resource, "{key") }

// selected tells whether a query selects this operation: its names are there,
// and no other that would select another one.
func (o operation) selected(p Protocol, selectors map[string]bool) bool {
	markers := map[string]bool{}
	for pair := range strings.SplitSeq(o.query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name != "" && !selectors[name] {
			return false
		}
		markers[name] = true
	}
	for name := range selectors {
		// Lambda's Qualifier selects another ARN, an Action another call of an emulator.
		selects := p == RESTS3 && !plain(name) || name == "Qualifier" || strings.EqualFold(name, "Action")
		if selects && !markers[name] || name == "bucket" || name == "key" {
			return false
		}
	}
	return true
}

// plain tells of S3's query parameters that select no sub-resource.
func plain(name string) bool {
	switch name {
	case "prefix", "delimiter", "max-keys", "marker", "encoding-type", "fetch-owner", "start-after", "continuation-token", "x-id",
		"key-marker", "version-id-marker", "upload-id-marker", "max-uploads", "max-parts", "part-number-marker":
		return true
	}
	return strings.HasPrefix(name, "response-")
}

// body reads the fields of a request's body. What S3 stores is nobody's field.
func (o operation) body(p Protocol, r Request) (fields map[string]string, ok bool) {
	switch {
	case p == RESTJSON:
		fields, ok = readJSON(r.Body)
	case p == RESTXML || o.reads && unframed(r.Header):
		fields, ok = readXML(r.Body)
	case o.reads:
		return nil, false
	default:
		return map[string]string{}, true
	}
	for name := range fields {
		ok = ok && !strings.HasPrefix(name, header)
	}
	return fields, ok
}

// writeREST puts fields into the path, the rest into the body, the headers or,
// where there is no body, the query.
func (s service) writeREST(op operation, fields map[string]string) (Request, bool) {
	r := Request{Service: s.name, Method: op.method, Path: op.path}
	query, err := url.ParseQuery(op.query)
	if s.protocol == RESTS3 {
		r.Path = "/" + fields["bucket"]
		if key := fields["key"]; key != "" {
			r.Path += "/" + escapePath(key)
		}
	}
	bodied := s.protocol != RESTS3 && (op.method == http.MethodPost || op.method == http.MethodPut) || op.reads
	rest := map[string]string{}
	for name, v := range fields {
		label := "{" + name + "}"
		switch {
		case s.protocol == RESTS3 && (name == "bucket" || name == "key"):
		case strings.Contains(r.Path, label):
			r.Path = strings.ReplaceAll(r.Path, label, url.PathEscape(v))
		case strings.HasPrefix(name, header):
			if r.Header == nil {
				r.Header = http.Header{}
			}
			r.Header.Set(strings.TrimPrefix(name, header), v)
		case query.Has(name) || !bodied:
			query.Set(name, v)
		default:
			rest[name] = v
		}
	}
	r.Query = query.Encode()
	ok := true
	switch {
	case s.protocol == RESTJSON && bodied:
		r.Type = "application/json"
		r.Body, ok = writeJSON(rest)
	case bodied:
		r.Type, r.Body = "application/xml", writeXML(op.operation()+"Request", s.namespace, rest)
	}
	return r, ok && err == nil
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
