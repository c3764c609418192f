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
func readXML(body []byte) (map[string]string, bool) {
	fields := map[string]string{}
	if len(bytes.TrimSpace(body)) == 0 {
		return fields, true
	}
	count := map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	var text strings.Builder
	leaf := false
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return fields, len(path) == 0
		}
		if err != nil || len(path) > maxDepth {
			return nil, false
		}
		switch t := t.(type) {
		case xml.StartElement:
			path, leaf = append(path, t.Name.Local), true
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if leaf && len(path) > 1 {
				name := strings.Join(path[1:], ".")
				fields[name+"."+strconv.Itoa(count[name])] = text.String()
				count[name]++
			}
			path, leaf = path[:len(path)-1], false
		}
	}
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
