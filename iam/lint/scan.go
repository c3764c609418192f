package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
)

// Bounds on what is read, the same as iam.Parse has.
const (
	maxSource = 1 << 20 // bytes
	maxDepth  = 10      // nested objects and arrays; the grammar needs six
)

// kind is a kind of JSON value.
type kind uint8

const (
	object kind = iota
	array
	text
	number
	boolean
	null
)

var kindNames = [...]string{"an object", "a list", "a string", "a number", "a boolean", "null"}

func (k kind) String() string { return kindNames[k] }

// node is a JSON value with its place, or the name of a member.
type node struct {
	kind       kind
	text       string // of a string, decoded; of a number or boolean, as written
	start, end int    // bytes of the source, quotes included
	parent     *node  // nil: the document
	name       string // in an object
	index      int    // in the parent
	members    []member
	items      []*node
}

// member is a name and a value of an object.
type member struct{ key, value *node }

// path is where the node stands: "Statement[0].Condition.StringEquals".
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	up := n.parent.path()
	switch {
	case n.parent.kind == array:
		return fmt.Sprintf("%s[%d]", up, n.index)
	case up == "":
		return n.name
	}
	return up + "." + n.name
}

// problem is a place of the source with what is wrong there.
type problem struct {
	node *node
	what string
}

// byteOrderMark is how some editors begin a text in UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// scanner reads JSON into nodes. Its methods return false when the text is
// broken, so that nothing after it can be read.
type scanner struct {
	src    []byte
	base   int // bytes before what dec reads
	dec    *json.Decoder
	broken *problem
}

// scan reads a JSON text. The problem is nil if it is one, or but for a byte
// order mark.
func scan(src []byte) (*node, *problem) {
	text := bytes.TrimPrefix(src, []byte(byteOrderMark))
	s := &scanner{src: src, base: len(src) - len(text), dec: json.NewDecoder(bytes.NewReader(text))}
	s.dec.UseNumber()
	if !s.checkText() {
		return nil, s.broken
	}
	root, ok := s.value(nil, 0)
	if !ok {
		return nil, s.broken
	}
	if start := s.skip(); start < len(src) {
		s.fail(start, "text after the end of the policy")
		return nil, s.broken
	}
	return root, nil
}

func (s *scanner) fail(at int, format string, args ...any) bool {
	at = min(at, len(s.src))
	s.broken = &problem{&node{start: at, end: min(at+1, len(s.src))}, fmt.Sprintf(format, args...)}
	return false
}

// checkText refuses what is too long or no text. encoding/json would silently
// replace bytes that are not UTF-8.
func (s *scanner) checkText() bool {
	switch {
	case len(s.src) > maxSource:
		return s.fail(0, "policy of %d bytes is larger than %d", len(s.src), maxSource)
	case isUTF16(s.src):
		return s.fail(0, "text is UTF-16, and policies are UTF-8")
	case len(bytes.TrimSpace(s.src[s.base:])) == 0:
		return s.fail(0, "text is empty")
	case utf8.Valid(s.src):
		return true
	}
	at := 0
	for at < len(s.src) {
		r, n := utf8.DecodeRune(s.src[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return s.fail(at, "text is not UTF-8")
}

// isUTF16 reports whether a text is in UTF-16, as PowerShell writes it: it begins
// with a mark of that, or with a character of ASCII in two bytes.
func isUTF16(src []byte) bool {
	return len(src) >= 2 && (src[0] == 0xFF && src[1] == 0xFE || src[0] == 0xFE && src[1] == 0xFF || (src[0] == 0) != (src[1] == 0))
}

// skip finds where the next token begins.
func (s *scanner) skip() int {
	at := s.base + int(s.dec.InputOffset())
	for at < len(s.src) && strings.IndexByte(" \t\r\n,:", s.src[at]) >= 0 {
		at++
	}
	return at
}

// token reads a token and says where it stands.
func (s *scanner) token() (tok json.Token, start, end int, ok bool) {
	start = s.skip()
	tok, err := s.dec.Token()
	switch {
	case err == nil:
		return tok, start, s.base + int(s.dec.InputOffset()), true
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		s.fail(len(s.src), "policy ends unexpectedly")
	default:
		s.fail(start, "not JSON: %s", s.mistake(start, err))
	}
	return nil, 0, 0, false
}

// mistake says what is wrong where a token should begin: in plain words if it is
// what people often get wrong, else in those of encoding/json.
func (s *scanner) mistake(at int, err error) string {
	before := bytes.TrimRight(s.src[:at], " \t\r\n")
	c, last := byte(0), byte(0)
	if at < len(s.src) {
		c = s.src[at]
	}
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case strings.IndexByte("}]", c) >= 0 && last == ',':
		return fmt.Sprintf("a comma stands before %q and nothing behind it", c)
	case c == '/' || c == '#':
		return "it has no comments"
	case c == '\'':
		return "strings stand in double quotes"
	case strings.IndexByte(`"{[`, c) >= 0 && strings.IndexByte(`"}]`, last) >= 0:
		return "a comma or colon is missing before this"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func (s *scanner) value(parent *node, depth int) (*node, bool) {
	tok, start, end, ok := s.token()
	if !ok {
		return nil, false
	}
	n := &node{start: start, end: end, parent: parent}
	switch v := tok.(type) {
	case json.Delim:
		if depth > maxDepth {
			return nil, s.fail(start, "nested deeper than %d", maxDepth)
		}
		if v == '{' {
			return n, s.object(n, depth)
		}
		n.kind = array
		return n, s.array(n, depth)
	case string:
		n.kind, n.text = text, v
	case json.Number:
		n.kind, n.text = number, v.String()
	case bool:
		n.kind, n.text = boolean, fmt.Sprint(v)
	default:
		n.kind = null
	}
	return n, true
}

func (s *scanner) object(n *node, depth int) bool {
	for s.dec.More() {
		tok, start, end, ok := s.token()
		if !ok {
			return false
		}
		name, _ := tok.(string)
		key := &node{kind: text, text: name, start: start, end: end, parent: n, name: name, index: len(n.members)}
		value, ok := s.value(n, depth+1)
		if !ok {
			return false
		}
		value.name, value.index = name, len(n.members)
		n.members = append(n.members, member{key, value})
	}
	return s.closing(n)
}

func (s *scanner) array(n *node, depth int) bool {
	for s.dec.More() {
		item, ok := s.value(n, depth+1)
		if !ok {
			return false
		}
		item.index = len(n.items)
		n.items = append(n.items, item)
	}
	return s.closing(n)
}

func (s *scanner) closing(n *node) bool {
	_, _, end, ok := s.token()
	n.end = end
	return ok
}

// lineStarts are the offsets at which lines begin.
func lineStarts(src []byte) []int {
	starts := []int{0}
	for i, c := range src {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// pos turns an offset into a position.
func (d *document) pos(offset int) iam.Pos {
	if d.lines == nil {
		d.lines = lineStarts(d.src)
	}
	line := sort.SearchInts(d.lines, offset+1)
	return iam.Pos{Line: line, Column: offset - d.lines[line-1] + 1}
}
