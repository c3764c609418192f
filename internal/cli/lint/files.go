package lint

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/fault"
)

// maxPolicy bounds what is read of a policy: more than the linter takes, so that
// it is the linter who says so.
const maxPolicy = 16 << 20

// lintSources is what is to be looked at.
type lintSources struct {
	files   []lintFile
	skipped []skippedFile // JSON of folders
	lost    fault.List    // what could not be read
	seen    map[string]bool
}

// skippedFile is a JSON file of a folder that is no policy.
type skippedFile struct {
	path string
	what string // what it is instead
}

// readPolicies reads the files named and those of the folders named, each once.
func readPolicies(a *command.App, paths []string) lintSources {
	sources := lintSources{seen: map[string]bool{}}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == command.Stdin:
			sources.read(path, a.In)
		case err != nil:
			sources.lost = append(sources.lost, command.Unreadable(path, err))
		case info.IsDir():
			sources.readFolder(path)
		default:
			sources.read(path, nil)
		}
	}
	return sources
}

// read adds a file, unless it is there already.
func (s *lintSources) read(path string, in io.Reader) {
	if src, ok := s.text(path, in); ok {
		s.files = append(s.files, lintFile{path: path, src: src})
	}
}

// text reads a file that was not read before.
func (s *lintSources) text(path string, in io.Reader) ([]byte, bool) {
	clean := filepath.Clean(path)
	if s.seen[clean] {
		return nil, false
	}
	s.seen[clean] = true
	src, err := command.ReadFile(path, in, maxPolicy)
	if err != nil {
		s.lost = append(s.lost, err)
	}
	return src, err == nil
}

// readFolder adds the policies of a folder and those below it, but for hidden
// ones and those of packages.
func (s *lintSources) readFolder(root string) {
	before := len(s.files) + len(s.lost)
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.lost = append(s.lost, command.Unreadable(path, err))
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return fs.SkipDir
		case !entry.IsDir() && filepath.Ext(path) == ".json":
			s.readOther(path)
		}
		return nil
	})
	if len(s.files)+len(s.lost) == before {
		s.lost = append(s.lost, &fault.Error{Where: root, What: "no JSON file that is a policy"})
	}
}

// readOther adds a file of a folder if it is meant to be a policy.
func (s *lintSources) readOther(path string) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		s.skipped = append(s.skipped, skippedFile{path, "no file"})
		return
	}
	src, ok := s.text(path, nil)
	if !ok {
		return
	}
	if is, other := lint.Candidate(src); is {
		s.files = append(s.files, lintFile{path: path, src: src})
	} else {
		s.skipped = append(s.skipped, skippedFile{path, other})
	}
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
