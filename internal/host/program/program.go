// Package program runs programs of the system for commands that run as root:
// useradd, systemctl, getent and the like. It finds them in folders that are
// root's alone and never by the caller's PATH, in which anybody may have put a
// program of the same name first. What they are run for is its callers'.
package program

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// folders are where distributions put programs. Not /usr/local: on Debian a
// group other than root may write there.
//
// https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch04s10.html
var folders = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// Find returns the path of a program of the system; an absolute path is one
// already. The error is a *fault.Error with exec.ErrNotFound in its tree.
func Find(name string) (string, error) { return find(name, folders) }

func find(name string, folders []string) (string, error) {
	if filepath.IsAbs(name) && runs(name) {
		return name, nil
	}
	for _, dir := range folders {
		if path := filepath.Join(dir, name); filepath.Base(name) == name && runs(path) {
			return path, nil
		}
	}
	return "", &fault.Error{
		Where: name, What: "this program is not in " + strings.Join(folders, ", "), Cause: exec.ErrNotFound,
		Hint: "install the package that has it; programs in other folders are not run as root",
	}
}

func runs(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Command prepares a run of a program of the system. It hands on nothing of
// our environment, which the caller of sudo may have set: the program speaks
// English and finds others where we do.
func Command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := Find(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + strings.Join(folders, ":"), "LC_ALL=C"}
	return cmd, nil
}
