package cli

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

// maxPolicy bounds what is read of a policy: more than the linter takes, so that
// it is the linter who says so.
const maxPolicy = 16 << 20

// readPolicies reads the files named and those of the folders named, each once,
// and counts the JSON files of folders that are no policies.
func readPolicies(a *app, paths []string) (files []lintFile, skipped int, err error) {
	var errs fault.List
	seen := map[string]bool{}
	for _, path := range paths {
		found, others, err := readPolicy(a, path)
		if err != nil {
			errs = append(errs, err)
		}
		skipped += others
		for _, f := range found {
			if !seen[f.path] {
				seen[f.path] = true
				files = append(files, f)
			}
		}
	}
	return files, skipped, errs.Err()
}

func readPolicy(a *app, path string) ([]lintFile, int, error) {
	if path == stdin {
		src, err := readFile(stdin, a.In, maxPolicy)
		return []lintFile{{path: stdin, src: src}}, 0, err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, unreadable(path, err)
	case info.IsDir():
		return readFolder(path)
	}
	src, err := readFile(path, nil, maxPolicy)
	if err != nil {
		return nil, 0, err
	}
	return []lintFile{{path: path, src: src}}, 0, nil
}

// readFolder reads the policies of a folder and those below it, but for hidden
// ones and those of packages.
func readFolder(root string) ([]lintFile, int, error) {
	var files []lintFile
	skipped := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return unreadable(path, err)
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".json":
			return nil
		}
		src, err := readFile(path, nil, maxPolicy)
		if err != nil {
			return err
		}
		if isPolicy(src) {
			files = append(files, lintFile{path: path, src: src})
		} else {
			skipped++
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = &fault.Error{Where: root, What: errNoPolicies.Error()}
	}
	return files, skipped, err
}

// isPolicy reports whether a file of a folder is meant to be a policy: an
// object with a Statement or, broken as it may be, a text that has one.
func isPolicy(src []byte) bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(src, &members); err != nil {
		return strings.Contains(string(src), `"Statement"`)
	}
	_, ok := members["Statement"]
	return ok
}

// replaceFile writes a file anew, whole or not at all, with its permissions. A
// link stays one.
func replaceFile(path string, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		err = renameio.WriteFile(target, content, 0o644, renameio.WithExistingPermissions())
	}
	if err != nil {
		return &fault.Error{Where: path, What: "write fixed policy", Cause: err}
	}
	return nil
}
