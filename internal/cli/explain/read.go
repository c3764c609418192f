package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// Rows are read by hand: encoding/json would take keys of any case and the last
// of several, and checks what is nested again on each level. A row is checked
// once, as a whole; what follows goes by that.

// parseQuestion reads one row. The error says what is wrong with it; the id is
// then still filled in if it can be read.
func parseQuestion(src []byte) (*question, error) {
	if !utf8.Valid(src) {
		return &question{ID: rowID(src)}, errors.New("row is not UTF-8")
	}
	q := new(question)
	if err := q.parse(src); err != nil {
		return &question{ID: rowID(src)}, jsonError(err)
	}
	return q, nil
}

func (q *question) parse(src []byte) error {
	if !json.Valid(src) {
		return json.Unmarshal(src, new(json.RawMessage)) // says where
	}
	return q.read(bytes.Trim(src, space))
}

func (q *question) read(src []byte) error {
	return readObject(src, "", func(key string) any {
		switch key {
		case "id":
			return &q.ID
		case "request":
			return &q.Request
		case "organization":
			return &q.Organization
		case "identity_policies":
			return &q.Identity
		case "session_policies":
			return &q.Session
		case "permissions_boundaries":
			return &q.Boundary
		case "resource_policy":
			return &q.Resource
		case "vpc_endpoint_policies":
			return &q.Endpoint
		case "scp_levels":
			return &q.SCP
		case "rcp_levels":
			return &q.RCP
		}
		return nil
	})
}

func (r *questionRequest) read(src []byte) error {
	return readObject(src, "request", func(key string) any {
		switch key {
		case "principal":
			return &r.Principal
		case "action":
			return &r.Action
		case "resource":
			return &r.Resource
		case "resource_account":
			return &r.ResourceAccount
		case "context":
			return (*contextKeys)(&r.Context)
		}
		return nil
	})
}

func (o *organization) read(src []byte) error {
	return readObject(src, "organization", func(key string) any {
		switch key {
		case "management_account":
			return &o.Management
		case "principal_outside":
			return &o.PrincipalOutside
		case "resource_outside":
			return &o.ResourceOutside
		}
		return nil
	})
}

func (p *principalName) read(src []byte) (err error) {
	if src[0] == '"' {
		p.Name, err = readString(src)
		return err
	}
	var kind string
	member := func(key string) any {
		if key == "type" {
			return &kind
		}
		return nil
	}
	if readObject(src, "request.principal", member) != nil || !strings.EqualFold(kind, "anonymous") {
		return errors.New(`principal must be a string or {"type":"anonymous"}`)
	}
	p.Anonymous = true
	return nil
}

// contextKeys is a context whose keys come once. Case variants of a key are for
// eval to judge.
type contextKeys map[string]contextList

func (c *contextKeys) read(src []byte) error {
	switch {
	case string(src) == "null":
		return nil
	case src[0] != '{':
		return &json.UnmarshalTypeError{Value: valueKind(src), Field: "request.context"}
	}
	*c = contextKeys{}
	for key, value := range members(src) {
		if _, seen := (*c)[key]; seen {
			return fmt.Errorf("request.context has the key %q twice", key)
		}
		values, err := readContext(value)
		if err != nil {
			return err
		}
		(*c)[key] = values
	}
	return nil
}

func readContext(src []byte) (contextList, error) {
	if src[0] != '[' {
		value, err := contextValue(src)
		return contextList{value}, err
	}
	out := contextList{}
	for one := range elements(src) {
		value, err := contextValue(one)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

func contextValue(src []byte) (string, error) {
	switch {
	case src[0] == '{' || src[0] == '[' || string(src) == "null":
		return "", fmt.Errorf("context value %s is not a string, number or boolean", src)
	case src[0] != '"':
		return string(src), nil
	}
	return readString(src)
}

// readObject reads an object by the exact names of its keys, each at most once,
// into where member says that they go: nil leaves one alone. null is an object
// without keys.
func readObject(src []byte, where string, member func(key string) any) error {
	switch {
	case string(src) == "null":
		return nil
	case src[0] != '{':
		return &json.UnmarshalTypeError{Value: valueKind(src), Field: where}
	}
	seen := make([]any, 0, 10)
	for key, value := range members(src) {
		to := member(key)
		if to == nil {
			continue
		}
		for _, before := range seen {
			if before == to {
				return fmt.Errorf("%s is given twice", memberPath(where, key))
			}
		}
		seen = append(seen, to)
		if err := readValue(value, to); err != nil {
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field == "" {
				wrong.Field = memberPath(where, key)
			}
			return err
		}
	}
	return nil
}

func memberPath(where, key string) string { return strings.TrimPrefix(where+"."+key, ".") }

// readValue leaves what it reads into as it is for null.
func readValue(src []byte, to any) (err error) {
	if raw, ok := to.(*json.RawMessage); ok {
		*raw = src
		return nil
	}
	if own, ok := to.(interface{ read(src []byte) error }); ok {
		return own.read(src)
	}
	if string(src) == "null" {
		return nil
	}
	wrong := &json.UnmarshalTypeError{Value: valueKind(src)}
	switch to := to.(type) {
	case *string:
		if src[0] != '"' {
			return wrong
		}
		*to, err = readString(src)
	case *bool:
		if wrong.Value != "bool" {
			return wrong
		}
		*to = src[0] == 't'
	case *[]json.RawMessage:
		*to, err = readList(src)
	case *[][]json.RawMessage:
		if src[0] != '[' {
			return wrong
		}
		*to = [][]json.RawMessage{}
		for one := range elements(src) {
			var list []json.RawMessage
			if err := readValue(one, &list); err != nil {
				return err
			}
			*to = append(*to, list)
		}
	}
	return err
}

func readList(src []byte) ([]json.RawMessage, error) {
	if src[0] != '[' {
		return nil, &json.UnmarshalTypeError{Value: valueKind(src)}
	}
	out := []json.RawMessage{}
	for one := range elements(src) {
		out = append(out, one)
	}
	return out, nil
}

func readString(src []byte) (string, error) {
	if bytes.IndexByte(src, '\\') < 0 {
		return string(src[1 : len(src)-1]), nil
	}
	var text string
	err := json.Unmarshal(src, &text)
	return text, err
}

// valueKind is the kind of a value in the words of encoding/json.
func valueKind(src []byte) string {
	switch src[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// space is JSON's white space.
const space = " \t\r\n"

// members are the keys and values of an object, in order. The object must be
// valid.
func members(src []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := nextValue(src, 1); src[at] != '}'; at = nextValue(src, at) {
			end := valueEnd(src, at)
			key, err := readString(src[at:end])
			if err != nil {
				return // cannot be: it is valid
			}
			at = nextValue(src, end)
			end = valueEnd(src, at)
			if !yield(key, src[at:end:end]) {
				return
			}
			at = end
		}
	}
}

// elements are the values of an array, which must be valid.
func elements(src []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := nextValue(src, 1); src[at] != ']'; {
			end := valueEnd(src, at)
			if !yield(src[at:end:end]) {
				return
			}
			at = nextValue(src, end)
		}
	}
}

// nextValue is where the next value begins, or where what holds it ends.
func nextValue(src []byte, at int) int {
	for {
		switch src[at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			at++
		default:
			return at
		}
	}
}

// valueEnd is the end of the value that begins at a place.
func valueEnd(src []byte, at int) int {
	switch src[at] {
	case '"':
		return stringEnd(src, at)
	case '{', '[':
		return nestEnd(src, at)
	}
	if n := bytes.IndexAny(src[at:], space+",]}"); n >= 0 {
		return at + n
	}
	return len(src)
}

func stringEnd(src []byte, at int) int {
	for at++; src[at] != '"'; at++ {
		if src[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func nestEnd(src []byte, at int) int {
	for depth := 0; ; at++ {
		switch src[at] {
		case '"':
			at = stringEnd(src, at) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
}

// rowID is the id of a row that is broken or cut off somewhere; nil if it
// cannot be read.
func rowID(src []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(src))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil || d.InputOffset() == int64(len(src)) {
			return nil // a number may go on where the text was cut
		}
		if key == "id" {
			if !utf8.Valid(value) {
				return nil
			}
			return value
		}
	}
	return nil
}

// jsonError says what is wrong without the names of Go types.
func jsonError(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := wrong.Field
		if where == "" {
			where = "row"
		}
		return fmt.Errorf("%s is of the wrong type: %s", where, wrong.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}
