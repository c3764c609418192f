package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxBytes bounds one file; a real spec is far below it.
const MaxBytes = 1 << 20

// parseYAML returns the one document in src, nil if it holds nothing but
// comments; false means that it could not be read, which is reported. The
// parser bounds nesting by itself.
func parseYAML(src Source, r *reader) (*yaml.Node, bool) {
	fail := func(line, column int, what, hint string) (*yaml.Node, bool) {
		r.fail(Pos{src.Name, max(1, line), max(1, column)}, what, hint)
		return nil, false
	}
	if len(src.Data) > MaxBytes {
		return fail(1, 1, "file is larger than 1 MiB", "is this a spec? if so, split it: a folder of files is read as one")
	}
	if line, column := firstInvalid(src.Data); line > 0 {
		return fail(line, column, "invalid UTF-8 or control character", "save the file as UTF-8 text")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src.Data))
	if err != nil {
		return fail(1, 1, fmt.Sprintf("read YAML: %v", err), "")
	}
	var docs [2]yaml.Node
	for i := range docs {
		err := loader.Load(&docs[i])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fail(syntaxError(err))
		}
	}
	if second := docs[1]; !second.IsZero() {
		return fail(second.Line, second.Column, "a second YAML document begins here", "put it into a file of its own: a folder of files is read as one")
	}
	if docs[0].IsZero() {
		return nil, true
	}
	body := docs[0].Content[0]
	if kindOf(body) != aMap {
		return fail(body.Line, body.Column, "a spec is a map, not "+string(kindOf(body)), "begin with stack: NAME")
	}
	return body, plain(r, body)
}

// firstInvalid returns the place of the first byte that cannot stand in text;
// line 0 if there is none. The parser's own message for it has no column.
func firstInvalid(data []byte) (line, column int) {
	line, column = 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && size == 1, c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			return line, column
		case c == '\n':
			line, column = line+1, 0
		}
		column++
		data = data[size:]
	}
	return 0, 0
}

func syntaxError(err error) (line, column int, what, hint string) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return 1, 1, fmt.Sprintf("read YAML: %v", err), ""
	}
	what = "YAML syntax: " + e.Message
	if e.ContextMsg != "" {
		what += " " + e.ContextMsg
	}
	if e.ContextMark.Line > 0 && e.ContextMark.Line != e.Mark.Line {
		what += fmt.Sprintf(", which begins at %d:%d", e.ContextMark.Line, e.ContextMark.Column)
	}
	switch e.ContextMsg {
	case "while scanning an alias":
		hint = `quote a "*" that is text`
	case "while scanning for the next token":
		hint = `indent with spaces, not tabs; quote text that begins with "@", "%" or a backquote`
	}
	return e.Mark.Line, e.Mark.Column, what, hint
}

// plain reports what YAML offers beyond maps, lists and scalars. A spec is read
// by people, who must see what it says where it says it; and aliases could make
// a small file say very much.
func plain(r *reader, n *yaml.Node) bool {
	ok := true
	refuse := func(what, hint string) {
		r.fail(r.pos(n), what+" are not supported", hint)
		ok = false
	}
	switch {
	case n.Kind == yaml.AliasNode:
		refuse("YAML aliases", `write the value out here; quote a "*" that is text`)
		return false
	case n.Anchor != "":
		refuse("YAML anchors", "write the value out where it is used")
	case n.ShortTag() == "!!merge":
		refuse("YAML merge keys", "write the keys out here")
	case n.Style&yaml.TaggedStyle != 0:
		refuse("YAML tags", "quote the value to make it text")
	}
	for _, child := range n.Content {
		ok = plain(r, child) && ok
	}
	return ok
}
