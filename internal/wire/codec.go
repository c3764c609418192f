package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// write encodes an operation with its fields.
func (s service) write(op operation, fields map[string]string) (Request, bool) {
	switch s.protocol {
	case JSON:
		body, ok := writeJSON(fields)
		return Request{
			Service: s.name, Method: http.MethodPost, Path: "/", Target: s.target + "." + op.operation(),
			Type: s.contentType, Body: body,
		}, ok
	case RESTS3, RESTJSON, RESTXML:
		return s.writeREST(op, fields)
	default:
		form := url.Values{"Action": {op.operation()}, "Version": {s.version}}
		for name, v := range fields {
			form.Set(name, v)
		}
		return Request{
			Service: s.name, Method: http.MethodPost, Path: "/",
			Type: formType + "; charset=utf-8", Body: []byte(form.Encode()),
		}, true
	}
}

// read finds a request's operation and its fields. It refuses what two readers
// could understand in two ways.
func (s service) read(r Request) (operation, map[string]string, bool) {
	if !s.clear(r) {
		return operation{}, nil, false
	}
	switch s.protocol {
	case JSON:
		target, name, _ := strings.Cut(r.Target, ".")
		op, ok := s.named(name)
		if !ok || target != s.target || r.Method != http.MethodPost || r.Path != "/" || r.Query != "" {
			return operation{}, nil, false
		}
		fields, ok := readJSON(r.Body)
		return op, fields, ok
	case RESTS3, RESTJSON, RESTXML:
		return s.readREST(r)
	default:
		return s.readQuery(r)
	}
}

// readQuery reads the parameters of a body that is posted or, without one, of
// the query. They name the version: load balancers of old have another API.
func (s service) readQuery(r Request) (operation, map[string]string, bool) {
	encoded := string(r.Body)
	if encoded == "" {
		encoded = r.Query
	} else if r.Query != "" || r.Method != http.MethodPost {
		return operation{}, nil, false
	}
	fields, ok := readForm(encoded)
	if !ok || r.Path != "/" || fields["Version"] != s.version || r.Method != http.MethodPost && r.Method != http.MethodGet {
		return operation{}, nil, false
	}
	op, ok := s.named(fields["Action"])
	return op, fields, ok
}

// readForm reads form-encoded fields, none of them given twice, in whatever
// letters.
func readForm(encoded string) (map[string]string, bool) {
	form, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, false
	}
	fields, seen := map[string]string{}, map[string]bool{}
	for name, values := range form {
		lower := strings.ToLower(name)
		if len(values) != 1 || seen[lower] {
			return nil, false
		}
		fields[name], seen[lower] = values[0], true
	}
	return fields, true
}

// reply gives an operation's empty success.
func (s service) reply(op operation, requestID string) (contentType string, body []byte) {
	switch s.protocol {
	case JSON, RESTJSON:
		contentType = s.contentType
		if contentType == "" {
			contentType = "application/json"
		}
		if op.reply == "" {
			return contentType, []byte("{}")
		}
		return contentType, []byte(op.reply)
	case RESTS3, RESTXML:
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
