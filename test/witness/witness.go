// Package witness gives tests their outside witnesses: the tools of other
// people that must agree with Postern, such as moto and the AWS CLI. A missing
// one skips the test with its reason, or fails it where POSTERN_REQUIRE=all
// says that everything must be there. It is for tests only and asserts nothing
// about Postern itself.
package witness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// installed is where make test puts the pinned tools, below the module's root.
const installed = ".cache/venv/bin"

// Need returns the absolute path of a tool: the pinned one that make test
// installed, else the first on PATH. A missing tool skips the test, and fails
// it when POSTERN_REQUIRE is "all": continuous integration must not pass
// because its witnesses stayed away.
func Need(t testing.TB, tool string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatalf("find %s: %v", tool, err)
	}
	path, err := find(tool, here)
	if err == nil {
		return path
	}
	if os.Getenv("POSTERN_REQUIRE") == "all" {
		t.Fatalf("POSTERN_REQUIRE=all: %v", err)
	}
	t.Skip(err)
	return ""
}

// find looks for an executable among the installed tools of the module that
// holds the folder here, then on PATH.
func find(tool, here string) (string, error) {
	if root, err := moduleRoot(here); err == nil {
		if path, err := exec.LookPath(filepath.Join(root, installed, tool)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", fmt.Errorf("find %s: neither in %s nor on PATH; make tools installs it", tool, installed)
	}
	return filepath.Abs(path)
}

// moduleRoot walks up from dir, which is absolute, to the folder with go.mod:
// go test runs each test in the folder of its package.
func moduleRoot(dir string) (string, error) {
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find go.mod: %w", err)
		}
		dir = filepath.Dir(dir)
	}
}
