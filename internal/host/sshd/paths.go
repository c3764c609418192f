package sshd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/fault"
)

// weak are the parts of the way to a file that somebody but root could change.
// sshd refuses to run a program at the end of such a way. Some distributions
// let a group's write permission pass; we do not.
func weak(path string) ([]string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for p := real; ; p = filepath.Dir(p) {
		info, err := os.Lstat(p)
		if err != nil {
			return nil, err
		}
		if owner(info) != 0 || info.Mode().Perm()&0o022 != 0 {
			out = append(out, p)
		}
		if p == "/" {
			return out, nil
		}
	}
}

func owner(info fs.FileInfo) uint32 {
	return info.Sys().(*syscall.Stat_t).Uid //nolint:forcetypeassert // so it is on every Unix
}

// checkProgram refuses a program that sshd would not run, or not as it stands.
func checkProgram(path string) error {
	hint := "put it where only root can change it: install -o root -g root -m 0755 " + path + " /usr/local/bin/postern, and run install from there"
	if strings.ContainsAny(path, " \t\r\n\"'\\$#") || !filepath.IsAbs(path) {
		return &fault.Error{Where: path, What: "sshd_config cannot name a program with such a path", Hint: hint}
	}
	bad, err := weak(path)
	if err != nil {
		return &fault.Error{Where: path, What: "look at the program that sshd is to run", Cause: err}
	}
	if len(bad) > 0 {
		return &fault.Error{Where: path, What: fmt.Sprintf("sshd would not run it: others than root can change %s", strings.Join(bad, ", ")), Hint: hint}
	}
	return nil
}
