package spec_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
)

var update = flag.Bool("update", false, "write what is seen into testdata and the schema")

// TestBad gives every archive in testdata/bad to Parse and compares all errors,
// with their hints, to the archive's file "want".
func TestBad(t *testing.T) {
	archives, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources, want := split(archive)
			s, err := spec.Parse(sources...)
			if s != nil || err == nil {
				t.Fatalf("got a spec: %+v, %v", s, err)
			}
			got := report(t, err)
			if *update {
				setWant(archive, got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// split returns the archive's specs and its expected errors.
func split(archive *txtar.Archive) (sources []spec.Source, want string) {
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = string(f.Data)
		} else {
			sources = append(sources, spec.Source{Name: f.Name, Data: f.Data})
		}
	}
	return sources, want
}

func setWant(archive *txtar.Archive, want string) {
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(want)
			return
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
}

// report writes every error as a user would see it, the hint below.
func report(t *testing.T, err error) string {
	t.Helper()
	list, ok := err.(fault.List)
	if !ok {
		t.Fatalf("the error is a %T, not a fault.List: %v", err, err)
	}
	var b strings.Builder
	for _, err := range list {
		e, ok := err.(*fault.Error)
		if !ok {
			t.Fatalf("the list holds a %T: %v", err, err)
		}
		b.WriteString(e.Error() + "\n")
		if e.Hint != "" {
			b.WriteString("\t" + e.Hint + "\n")
		}
	}
	return b.String()
}
