package postern_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
)

func checkReplace(m *module) []breach {
	var found []breach
	for _, r := range m.mod.Replace {
		found = append(found, breach{"go.mod", "replaces " + r.Old.Path, "go install …@version ignores replacements, so users would build something else"})
	}
	return found
}

// direct gives the modules whose packages we import, each with the files that do.
func (m *module) direct() map[string][]source {
	by := map[string][]source{}
	for _, s := range m.sources {
		for _, imported := range s.imports {
			if _, ok := m.ours(imported); ok || standard(imported) {
				continue
			}
			by[m.moduleOf(imported)] = append(by[m.moduleOf(imported)], s)
		}
	}
	return by
}

// moduleOf gives the required module that holds a package: the longest whose
// path is a prefix, and the package's own path if none is required.
func (m *module) moduleOf(pkg string) string {
	longest := ""
	for _, r := range m.mod.Require {
		if within(pkg, []string{r.Mod.Path + "/..."}) && len(r.Mod.Path) > len(longest) {
			longest = r.Mod.Path
		}
	}
	if longest == "" {
		return pkg
	}
	return longest
}

func checkDirect(m *module) []breach {
	const why = "go.mod is where a reader sees what we depend on; go mod tidy puts it right"
	direct := m.direct()
	var found []breach
	for _, r := range m.mod.Require {
		switch _, imported := direct[r.Mod.Path]; {
		case imported && r.Indirect:
			found = append(found, breach{"go.mod", r.Mod.Path + " is marked indirect, and imported", why})
		case !imported && !r.Indirect:
			found = append(found, breach{"go.mod", r.Mod.Path + " is not marked indirect, and not imported", why})
		}
	}
	return found
}

// dependency is a row of docs/dependencies.md.
type dependency struct {
	module    string
	importers []string // patterns as of within; "tests" for _test.go files, "tool" for a Go tool
	why       string
}

const (
	dependencyDoc = "docs/dependencies.md"
	dependencyWhy = "each dependency is a decision: " + dependencyDoc + " says who may import it and why we have it"
)

var dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

func dependencies(text string) []dependency {
	var rows []dependency
	for _, cells := range dependencyRow.FindAllStringSubmatch(text, -1) {
		rows = append(rows, dependency{
			module:    cells[1],
			importers: strings.Split(strings.ReplaceAll(cells[2], "`", ""), ", "),
			why:       cells[3],
		})
	}
	return rows
}

// checkDependencies compares docs/dependencies.md with what is imported and
// with the tools of go.mod, both ways.
func checkDependencies(m *module) []breach {
	rows := dependencies(m.texts[dependencyDoc])
	used := map[string]bool{}
	var found []breach
	for _, use := range m.outsideUses() {
		i := slices.IndexFunc(rows, func(d dependency) bool { return within(use.module, []string{d.module}) })
		switch {
		case i < 0:
			found = append(found, breach{use.by, fmt.Sprintf("needs %s, which %s does not list", use.module, dependencyDoc), dependencyWhy})
			continue
		case !use.allowed(rows[i].importers):
			found = append(found, breach{use.by, fmt.Sprintf("needs %s, which is for %s", use.module, strings.Join(rows[i].importers, ", ")), rows[i].why})
		}
		used[rows[i].module] = true
	}
	for _, d := range rows {
		if !used[d.module] {
			found = append(found, breach{dependencyDoc, "lists " + d.module + ", which nothing needs", dependencyWhy})
		}
	}
	return found
}

// outsideUse is one need of another module: by a file, or as a tool.
type outsideUse struct {
	module string
	by     string // a file's name; "go.mod" for a tool
	dir    string // the folder of the importing package; "tool" for a tool
	test   bool
}

// allowed reports whether one of a row's importers covers the use. A test may
// import what its package may.
func (u outsideUse) allowed(importers []string) bool {
	return within(u.dir, importers) || u.test && slices.Contains(importers, "tests")
}

func (m *module) outsideUses() []outsideUse {
	var uses []outsideUse
	direct := m.direct()
	for _, mod := range slices.Sorted(maps.Keys(direct)) {
		for _, s := range direct[mod] {
			uses = append(uses, outsideUse{mod, s.name, s.dir, s.test})
		}
	}
	for _, tool := range m.mod.Tool {
		uses = append(uses, outsideUse{m.moduleOf(tool.Path), "go.mod", "tool", false})
	}
	return uses
}

const exitDoc = "docs/exit-codes.md"

// exitRow is "| 3 | `Findings` | …" of docs/exit-codes.md.
var exitRow = regexp.MustCompile("(?m)^\\| (\\d+) \\| `(\\w+)` \\|")

// checkExitCodes compares the constants of internal/fault with their page.
func checkExitCodes(m *module) []breach {
	const why = "scripts branch on exit codes, so each is documented, and none that is not there"
	documented := map[string]string{}
	for _, cells := range exitRow.FindAllStringSubmatch(m.texts[exitDoc], -1) {
		documented[cells[2]] = cells[1]
	}
	coded := exitCodes(m)
	var found []breach
	for _, name := range slices.Sorted(maps.Keys(coded)) {
		if documented[name] != coded[name] {
			found = append(found, breach{exitDoc, fmt.Sprintf("has %q for %s, which is %s in internal/fault", documented[name], name, coded[name]), why})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if _, ok := coded[name]; !ok {
			found = append(found, breach{exitDoc, "lists " + name + ", which internal/fault does not have", why})
		}
	}
	return found
}

// exitCodes gives the exported integer constants of internal/fault by name.
func exitCodes(m *module) map[string]string {
	codes := map[string]string{}
	for _, s := range m.shipped() {
		if s.dir != "internal/fault" {
			continue
		}
		for n := range ast.Preorder(s.syntax) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !spec.Names[0].IsExported() {
				continue
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.INT {
				codes[spec.Names[0].Name] = lit.Value
			}
		}
	}
	return codes
}
