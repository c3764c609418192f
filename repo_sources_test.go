package postern_test

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkPackageComments wants one file of each package to say what the package
// holds and what it refuses to do.
func checkPackageComments(m *module) []breach {
	comments := map[string][]string{}
	for _, s := range m.sources {
		external := strings.HasSuffix(s.syntax.Name.Name, "_test") && s.dir != "."
		if external {
			continue // the package under test has said it
		}
		comments[s.dir] = append(comments[s.dir], commented(s)...)
	}
	var found []breach
	for _, dir := range slices.Sorted(maps.Keys(comments)) {
		if n := len(comments[dir]); n != 1 {
			found = append(found, breach{
				dir, fmt.Sprintf("%d package comments %v", n, comments[dir]),
				"a reader learns in one place what a package holds and what it refuses to do",
			})
		}
	}
	return found
}

// commented gives the file's name if it has a package comment. A line such as
// "//go:generate" alone is none.
func commented(s source) []string {
	if s.syntax.Doc == nil || s.syntax.Doc.Text() == "" {
		return nil
	}
	return []string{path.Base(s.name)}
}

// kinds are names that say what sort of thing a package holds, not which.
var kinds = []string{"base", "common", "helper", "helpers", "lib", "misc", "model", "models", "shared", "types", "util", "utils"}

func checkPackageNames(m *module) []breach {
	var found []breach
	for _, s := range m.sources {
		if slices.Contains(kinds, s.syntax.Name.Name) {
			found = append(found, breach{s.name, "is package " + s.syntax.Name.Name, "a package named for a kind gathers what has no place; name it for what it holds"})
		}
	}
	return found
}

func checkInit(m *module) []breach {
	var found []breach
	for _, s := range m.sources {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				found = append(found, breach{s.at(f), "has an init function", "nothing runs before main: wiring stands in one explicit list"})
			}
		}
	}
	return found
}

// length is the most lines that files of a sort may have.
type length struct {
	of  func(source) bool
	max int
	why string
}

// lengths are tried in order; the first that matches counts.
var lengths = []length{
	{func(s source) bool { return ast.IsGenerated(s.syntax) }, 1 << 20, "nobody reads generated code"},
	{func(s source) bool { return s.name == "cmd/postern/main.go" }, 20, "main hands over to the CLI and does nothing else"},
	{func(s source) bool { return s.test }, 1200, "a test that nobody reads to its end proves nothing"},
	{func(source) bool { return true }, 600, "a file is read in one sitting; 500 lines is the aim"},
}

func checkLengths(m *module) []breach {
	var found []breach
	for _, s := range m.sources {
		limit := lengths[slices.IndexFunc(lengths, func(l length) bool { return l.of(s) })]
		if n := strings.Count(m.texts[s.name], "\n"); n > limit.max {
			found = append(found, breach{s.name, fmt.Sprintf("has %d lines, more than %d", n, limit.max), limit.why})
		}
	}
	return found
}

// openEnd is a mark left for later, and a tracked one, which may stay.
var (
	openEnd = regexp.MustCompile(`\b(TODO|FIXME)\b`)
	tracked = regexp.MustCompile(`\bTODO\(#\d+\): \w`)
)

// checkOpenEnds looks at comments of Go files, and at the whole of scripts.
func checkOpenEnds(m *module) []breach {
	const why = "what is left for later is an issue, and the mark names it: (#12): and the reason"
	open := func(text string) bool { return openEnd.MatchString(tracked.ReplaceAllString(text, "")) }
	var found []breach
	for _, s := range m.sources {
		for _, group := range s.syntax.Comments {
			for _, c := range group.List {
				if open(c.Text) {
					found = append(found, breach{s.at(c), "leaves an end open", why})
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.texts)) {
		script := strings.HasPrefix(m.texts[name], "#!") || path.Base(name) == "Makefile"
		if script && open(m.texts[name]) {
			found = append(found, breach{name, "leaves an end open", why})
		}
	}
	return found
}

// machinePath finds absolute paths of somebody's home or workspace.
var machinePath = regexp.MustCompile(`(?:^|[\s"'=(:,\x60])/(?:home|root|Users|work|workspace)/\w`)

func checkMachinePaths(m *module) []breach {
	var found []breach
	for _, name := range slices.Sorted(maps.Keys(m.texts)) {
		if at := machinePath.FindString(m.texts[name]); at != "" {
			found = append(found, breach{name, fmt.Sprintf("names a path of one machine: %q", at), "it is right on one machine only; use a relative path or a temporary folder"})
		}
	}
	return found
}
