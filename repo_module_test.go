package postern_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/modfile"
)

// module is the repository as the rules see it. It is read from the sources, not
// from go list, so that files for every platform count and a package that does
// not compile still does.
type module struct {
	mod     *modfile.File
	sources []source          // Go files, by name
	texts   map[string]string // every text file, Go too, by its name from the root
}

// source is one Go file.
type source struct {
	name    string // "internal/plan/plan.go"
	dir     string // "internal/plan"; "." for the root
	test    bool   // named _test.go
	imports []string
	fset    *token.FileSet
	syntax  *ast.File
}

// unread are folders that hold nothing of ours; .git is a file in a worktree.
var unread = []string{".git", ".cache", "bin", "node_modules"}

// load reads the module at the root of fsys.
func load(fsys fs.FS) (*module, error) {
	m := &module{texts: map[string]string{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(unread, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular(), d.Name() == ".git":
			return nil
		}
		return m.read(fsys, name)
	})
	if err != nil {
		return nil, err
	}
	m.mod, err = modfile.Parse("go.mod", []byte(m.texts["go.mod"]), nil)
	return m, err
}

// read adds one file; binary ones are passed over.
func (m *module) read(fsys fs.FS, name string) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if !utf8.Valid(data) {
		return nil
	}
	m.texts[name] = string(data)
	if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
		return nil
	}
	s, err := parse(name, data)
	m.sources = append(m.sources, s)
	return err
}

func parse(name string, data []byte) (source, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, fmt.Errorf("parse Go file: %w", err)
	}
	s := source{
		name: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		fset: fset, syntax: syntax,
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, fmt.Errorf("parse import in %s: %w", name, err)
		}
		s.imports = append(s.imports, imported)
	}
	return s, nil
}

// at gives "file:line" of a node.
func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// called gives the names by which the file calls a package: none if it does not
// import it.
func (s source) called(pkg string) []string {
	var names []string
	for i, imported := range s.imports {
		switch spec := s.syntax.Imports[i]; {
		case imported != pkg:
		case spec.Name != nil:
			names = append(names, spec.Name.Name)
		default:
			names = append(names, path.Base(pkg))
		}
	}
	return names
}

// shipped are the files that go into a binary.
func (m *module) shipped() []source {
	return slices.DeleteFunc(slices.Clone(m.sources), func(s source) bool { return s.test })
}

// ours gives the folder of a package of this module, and whether it is one.
func (m *module) ours(imported string) (dir string, ok bool) {
	if imported == m.mod.Module.Mod.Path {
		return ".", true
	}
	return strings.CutPrefix(imported, m.mod.Module.Mod.Path+"/")
}

// standard reports whether an import is of the standard library: no dot in its
// first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within reports whether dir matches any of the patterns, in which "x/..."
// stands for x and all below it.
func within(dir string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		above, deep := strings.CutSuffix(p, "/...")
		return dir == above || deep && strings.HasPrefix(dir, above+"/")
	})
}
