package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds on what Parse reads. AWS's largest policies are about 20 kB.
const (
	maxSource = 1 << 20 // bytes
	maxDepth  = 10      // nested objects and arrays; the grammar needs six
	maxErrors = 50      // reported at once
)

// SyntaxError is one thing wrong in a policy's text.
type SyntaxError struct {
	Pos Pos
	Msg string
}

// Error is "line:column: message".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%v: %s", e.Pos, e.Msg)
}

// SyntaxErrors are all things wrong in a policy's text, in its order.
type SyntaxErrors []*SyntaxError

// Error is one line per error.
func (es SyntaxErrors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a policy in JSON as strictly as AWS does: element names and
// effects in their exact case, no unknown or doubled element, no element
// together with its Not… twin. Where AWS takes a list it also takes a single
// string; condition values may be numbers and booleans. What depends on where
// the policy is used (whether it must have a Principal, a Resource) is not
// checked, nor are the names of versions, actions, operators and keys.
//
// The error is of type SyntaxErrors and holds everything found, up to 50.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(src []byte) (*Document, error) {
	p := &parser{src: src, dec: json.NewDecoder(bytes.NewReader(src)), line: Pos{Line: 1, Column: 1}}
	p.dec.UseNumber()
	doc := &Document{}
	if p.checkText() && p.document(doc) {
		p.done = true
		p.checkEnd()
	}
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return doc, nil
}

// parser reads tokens and keeps what it finds wrong. Its methods return false
// when the JSON itself is broken, so that nothing after it can be read.
type parser struct {
	src  []byte
	dec  *json.Decoder
	errs SyntaxErrors

	tok   json.Token // the last token read
	start int        // its offset
	done  bool       // the whole document was read

	lineOffset int // the offset that line describes; grows only
	line       Pos
}

// pos turns an offset into a position. Offsets come almost always in growing
// order, so it counts on from the last one.
func (p *parser) pos(offset int) Pos {
	if offset < p.lineOffset {
		p.lineOffset, p.line = 0, Pos{Line: 1, Column: 1}
	}
	for _, c := range p.src[p.lineOffset:min(offset, len(p.src))] {
		if c == '\n' {
			p.line.Line++
			p.line.Column = 1
		} else {
			p.line.Column++
		}
	}
	p.lineOffset = min(offset, len(p.src))
	return p.line
}

func (p *parser) errorAt(offset int, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, &SyntaxError{Pos: p.pos(offset), Msg: fmt.Sprintf(format, args...)})
	}
}

// checkText refuses what is too long or no text. encoding/json would silently
// replace bytes that are not UTF-8.
func (p *parser) checkText() bool {
	if len(p.src) > maxSource {
		p.errorAt(0, "policy of %d bytes is larger than %d", len(p.src), maxSource)
		return false
	}
	for i, n := 0, 0; i < len(p.src); i += n {
		var r rune
		if r, n = utf8.DecodeRune(p.src[i:]); r == utf8.RuneError && n == 1 {
			p.errorAt(i, "text is not UTF-8")
			return false
		}
	}
	return true
}

func (p *parser) checkEnd() {
	if p.next() {
		p.errorAt(p.start, "text after the end of the policy")
	}
}

// next reads a token. It reports false at the end of the text, which is an
// error unless the document is done.
func (p *parser) next() bool {
	p.start = int(p.dec.InputOffset())
	for p.start < len(p.src) && strings.IndexByte(" \t\r\n,:", p.src[p.start]) >= 0 {
		p.start++
	}
	var err error
	if p.tok, err = p.dec.Token(); err == nil {
		return true
	}
	switch {
	case errors.Is(err, io.EOF) && p.done:
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		p.errorAt(len(p.src), "policy ends unexpectedly")
	default:
		p.errorAt(p.start, "not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return false
}

func (p *parser) isDelim(d json.Delim) bool { return p.tok == d }

// members reads the members of an object whose brace is the last token, and
// calls read with each name; read must consume the value. Names doubled
// exactly, or by case where fold is set, are errors.
func (p *parser) members(what string, fold bool, read func(name string, at int) bool) bool {
	seen := map[string]bool{}
	for p.dec.More() {
		if !p.next() {
			return false
		}
		name, at := p.tok.(string), p.start
		id := name
		if fold {
			id = strings.ToLower(name)
		}
		if seen[id] {
			p.errorAt(at, "%s %q stands twice", what, name)
		}
		seen[id] = true
		if !read(name, at) {
			return false
		}
	}
	return p.next() // the closing brace
}

// object reads an object, or reports that what stands there is none.
func (p *parser) object(what string, fold bool, read func(name string, at int) bool) bool {
	if !p.next() {
		return false
	}
	if !p.isDelim('{') {
		return p.mismatch(what, "an object")
	}
	return p.members("element", fold, read)
}

// mismatch reports a value of the wrong type and skips it.
func (p *parser) mismatch(what, want string) bool {
	p.errorAt(p.start, "%s must be %s", what, want)
	return p.skipRest()
}

// skipRest skips the value whose first token was read.
func (p *parser) skipRest() bool {
	depth := 0
	for {
		switch p.tok {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return true
		}
		if depth > maxDepth {
			p.errorAt(p.start, "nested deeper than %d", maxDepth)
			return false
		}
		if !p.next() {
			return false
		}
	}
}

func (p *parser) skip() bool { return p.next() && p.skipRest() }

func (p *parser) text(what string, dst *string) bool {
	if !p.next() {
		return false
	}
	s, ok := p.tok.(string)
	if !ok {
		return p.mismatch(what, "a string")
	}
	*dst = s
	return true
}

// list reads a string or an array of strings. With scalars it also takes
// numbers and booleans. The result is never nil.
func (p *parser) list(what string, scalars bool, dst *[]string) bool {
	if !p.next() {
		return false
	}
	*dst = []string{}
	if !p.isDelim('[') {
		return p.item(what, scalars, dst)
	}
	for p.dec.More() {
		if !p.next() || !p.item(what, scalars, dst) {
			return false
		}
	}
	return p.next() // the closing bracket
}

func (p *parser) item(what string, scalars bool, dst *[]string) bool {
	switch v := p.tok.(type) {
	case string:
		*dst = append(*dst, v)
		return true
	case json.Number:
		if scalars {
			*dst = append(*dst, v.String())
			return true
		}
	case bool:
		if scalars {
			*dst = append(*dst, fmt.Sprint(v))
			return true
		}
	}
	if scalars {
		return p.mismatch(what, "a string, number or boolean, or a list of them")
	}
	return p.mismatch(what, "a string or a list of strings")
}
