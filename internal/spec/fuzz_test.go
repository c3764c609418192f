package spec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
)

var where = regexp.MustCompile(`^postern\.yaml:([1-9][0-9]*):([1-9][0-9]*)$`)

// FuzzParse holds Parse to this: it never panics; every mistake has a place in
// the file, and they are in order; and what it takes the schema takes too.
func FuzzParse(f *testing.F) {
	seed(f)
	schema := witness(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: data})
		if (s == nil) == (err == nil) {
			t.Fatalf("spec %v, error %v", s, err)
		}
		if err == nil {
			if err := schema.Validate(asJSON(t, data)); err != nil {
				t.Errorf("Parse takes it, the schema does not: %v", err)
			}
			return
		}
		list, ok := err.(fault.List)
		if !ok {
			t.Fatalf("the error is a %T", err)
		}
		checkPlaces(t, list, bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+1)
	})
}

func checkPlaces(t *testing.T, list fault.List, lines int) {
	last := 0
	for _, err := range list {
		e, ok := err.(*fault.Error)
		if !ok {
			t.Fatalf("the list holds a %T", err)
		}
		m := where.FindStringSubmatch(e.Where)
		if m == nil {
			t.Fatalf("no place: %v", err)
		}
		line, _ := strconv.Atoi(m[1])
		// A text without an end is missed in the line after the last.
		if line > lines+1 || line < last {
			t.Errorf("line %d of %d after line %d: %v", line, lines, last, err)
		}
		if e.What == "" {
			t.Errorf("nothing said at %s", e.Where)
		}
		last = line
	}
}

func seed(f *testing.F) {
	examples, _ := filepath.Glob("../../examples/*/*.yaml")
	for _, path := range examples {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	archives, _ := filepath.Glob("testdata/bad/*.txtar")
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		sources, _ := split(archive)
		for _, src := range sources {
			f.Add(src.Data)
		}
	}
}
