package spec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// Source is one file as it was read.
type Source struct {
	Name string // how mistakes name it
	Data []byte
}

// Load reads a spec: a file, or a folder, of which all *.yaml and *.yml files
// together are one spec. Folders below it and hidden files are not read. Errors
// are *fault.Error, several of them a fault.List in source order.
func Load(path string) (*Spec, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, readError(path, err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filesOf(path); err != nil {
			return nil, err
		}
	}
	var sources []Source
	for _, file := range files {
		data, err := readFile(file)
		if err != nil {
			return nil, readError(file, err)
		}
		sources = append(sources, Source{file, data})
	}
	return Parse(sources...)
}

// filesOf returns the spec files of a folder by name.
func filesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, readError(dir, err)
	}
	var files []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &fault.Error{Where: dir, What: "no *.yaml or *.yml file is in this folder", Hint: "name the file or the folder of your spec"}
	}
	return files, nil
}

// readFile reads a regular file, one byte beyond what Parse takes at most. To
// open a pipe would wait for who writes into it.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}

func readError(path string, err error) error {
	e := &fault.Error{Where: path, What: "read spec", Cause: err}
	if os.IsNotExist(err) {
		e.What, e.Cause, e.Hint = "there is no such file or folder", nil, "name the file or the folder of your spec"
	}
	return e
}

// Parse reads the files as one spec. Maps of several files are merged, lists
// appended in the order of the files; what stands twice is an error that names
// both places. Every mistake of all files is in the error, a fault.List in
// source order, except that a file with a syntax error reports only that. It
// does not touch the file system.
func Parse(files ...Source) (*Spec, error) {
	rep := &report{}
	for _, f := range files {
		rep.files = append(rep.files, f.Name)
	}
	whole, readable := rawSpec{}, true
	f := specForm(newProofForms())
	for _, src := range files {
		r := &reader{src.Name, rep}
		body, ok := parseYAML(src, r)
		readable = readable && ok
		if body == nil || !ok {
			continue
		}
		findSecrets(r, body)
		one, _ := f.read(r, body) // its mistakes are in rep
		merge(&whole, one, rep)
	}
	if !readable { // what is missing here may stand in the file that has no syntax
		return nil, rep.err()
	}
	s := resolve(whole, rep)
	if err := rep.err(); err != nil {
		return nil, err
	}
	s.Files = rep.files
	return s, nil
}

// merge adds one file to the whole.
func merge(whole *rawSpec, one rawSpec, rep *report) {
	mergeOnce(&whole.Stack, one.Stack, "stack", rep)
	mergeOnce(&whole.Region, one.Region, "region", rep)
	whole.Accounts = mergePairs(whole.Accounts, one.Accounts, "account", rep)
	whole.Identities = mergePairs(whole.Identities, one.Identities, "identity", rep)
	whole.Roles = mergePairs(whole.Roles, one.Roles, "role", rep)
	whole.Never = append(whole.Never, one.Never...)
	whole.Expect = append(whole.Expect, one.Expect...)
	if whole.keys == nil {
		whole.keys = map[string]Pos{}
	}
	for k, pos := range one.keys {
		whole.keys[k] = pos
	}
}

func mergeOnce(whole *item[string], one item[string], what string, rep *report) {
	if whole.Pos.known() && one.Pos.known() {
		rep.add(one.Pos, fmt.Sprintf("%s is already at %s", what, whole.Pos), "keep one of them: the files of a folder are one spec")
		return
	}
	if one.Pos.known() {
		*whole = one
	}
}

func mergePairs[T any](whole, one []pair[T], what string, rep *report) []pair[T] {
	there := map[string]Pos{}
	for _, p := range whole {
		there[p.Key] = p.KeyPos
	}
	for _, p := range one {
		if first, twice := there[p.Key]; twice {
			rep.add(p.KeyPos, fmt.Sprintf("%s %q is already at %s", what, p.Key, first), "keep one of them: the files of a folder are one spec")
			continue
		}
		whole = append(whole, p)
	}
	return whole
}
