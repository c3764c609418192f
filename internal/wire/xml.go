package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// readXML gives the texts of the elements of an XML body under the dotted path
// below its root, each with its number among the elements of that path:
//
//	<A><B><C>x</C></B><B><C>y</C></B></A>  →  B.C.0: x, B.C.1: y
//
// It refuses what parsers disagree about: text beside elements, spaces around
// a text, comments, CDATA, entities, elements of several namespaces.
func readXML(body []byte) (map[string]string, bool) {
	x := elements{fields: map[string]string{}, count: map[string]int{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return x.fields, true
	}
	if bytes.Contains(body, []byte("<![CDATA[")) {
		return nil, false
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return x.fields, len(x.path) == 0 && x.begun && x.blank()
		}
		if err != nil || len(x.path) > maxDepth || !x.take(t) {
			return nil, false
		}
	}
}

// elements is what readXML has seen.
type elements struct {
	fields map[string]string
	count  map[string]int
	path   []string
	text   strings.Builder // since the last tag
	leaf   bool            // the last tag opened an element
	begun  bool            // the root was there
	space  string          // the root's namespace
}

func (x *elements) blank() bool { return strings.TrimSpace(x.text.String()) == "" }

// take reads one token, and returns false for what is not plain.
func (x *elements) take(t xml.Token) bool {
	switch t := t.(type) {
	case xml.StartElement:
		return x.open(t.Name)
	case xml.CharData:
		x.text.Write(t)
		return len(x.path) > 0 || x.blank()
	case xml.EndElement:
		return x.end()
	case xml.ProcInst:
		return t.Target == "xml" && !x.begun
	default: // comments and directives
		return false
	}
}

func (x *elements) open(name xml.Name) bool {
	if len(x.path) == 0 {
		if x.begun { // a second document
			return false
		}
		x.begun, x.space = true, name.Space
	}
	ok := x.blank() && name.Space == x.space
	x.path, x.leaf = append(x.path, name.Local), true
	x.text.Reset()
	return ok
}

func (x *elements) end() bool {
	text, blank := x.text.String(), x.blank()
	ok := blank || x.leaf && text == strings.TrimSpace(text)
	if blank {
		text = ""
	}
	if x.leaf && len(x.path) > 1 {
		name := strings.Join(x.path[1:], ".")
		x.fields[name+"."+strconv.Itoa(x.count[name])] = text
		x.count[name]++
	}
	x.path, x.leaf = x.path[:len(x.path)-1], false
	x.text.Reset()
	return ok
}

// writeXML makes an element of fields as readXML gives them.
func writeXML(root, namespace string, fields map[string]string) []byte {
	var b strings.Builder
	b.WriteString(xmlHead + "<" + root + " xmlns=" + strconv.Quote(namespace) + ">")
	writeElements(&b, treeOf(fields))
	b.WriteString("</" + root + ">")
	return []byte(b.String())
}

// writeElements writes the elements of a tree. Keys that are numbers repeat the
// element that they stand in.
func writeElements(b *strings.Builder, tree map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		branch, _ := tree[name].(map[string]any)
		if _, one := branch["0"]; !one {
			b.WriteString("<" + name + ">")
			writeElements(b, branch)
			b.WriteString("</" + name + ">")
			continue
		}
		for _, i := range slices.Sorted(maps.Keys(branch)) {
			v, _ := branch[i].(string)
			b.WriteString("<" + name + ">" + escape(v) + "</" + name + ">")
		}
	}
}
