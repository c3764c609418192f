package osusers

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// folders are where the programs are; a PATH that a service or sudo was
// started with may lack the first.
var folders = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// find returns the path of a program.
func find(name string) (string, error) {
	for _, dir := range folders {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &fault.Error{Where: name, What: "is not installed in " + strings.Join(folders, ", "), Hint: "install passwd or shadow-utils, and sudo for sudo groups"}
}

// run runs a program with nothing of our environment, and gives what it says
// as the error.
func run(ctx context.Context, name string, args ...string) error {
	path, err := find(name)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + strings.Join(folders, ":"), "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &fault.Error{Where: name, What: strings.Join(strings.Fields(said.String()), " "), Cause: err}
	}
	return nil
}

// nologin is the shell of who has none.
func nologin() string {
	if path, err := find("nologin"); err == nil {
		return path
	}
	return "/bin/false"
}
