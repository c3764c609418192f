package hostfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/fault"
)

// Read reads and parses the file at path. That it is not there is an error with
// fs.ErrNotExist in its tree.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return Parse(path, data)
}

// Trust refuses a file that others than root and the user who asks may write:
// who does decides who gets the host's credentials and who logs in. It must be a
// regular file, and neither it nor a folder on the way there, by all symbolic
// links, may belong to or be written by anybody else, as sshd asks of its files.
// Whoever acts on what the file says asks this first.
//
// https://man.openbsd.org/sshd_config#StrictModes
func Trust(path string) error {
	at, err := filepath.Abs(path)
	if err == nil {
		_, err = trusted("/", at)
	}
	if err != nil {
		return unreadable(path, err)
	}
	return nil
}

func unreadable(path string, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &fault.Error{Where: path, What: "cannot be read", Cause: err}
}

// mostLinks is how many symbolic links the kernel follows in one path.
//
// https://man7.org/linux/man-pages/man7/path_resolution.7.html
const mostLinks = 40

// trusted follows an absolute path step by step, and gives the one without links
// that it leads to: nobody who is not trusted can change a step of it. For paths
// root is what chroot(2) would make it.
func trusted(root, path string) (string, error) {
	at, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		if err := check(filepath.Join(root, at)); err != nil {
			return "", err
		}
		part := rest[0]
		rest = rest[1:]
		if part == ".." || part == "." || part == "" {
			at = filepath.Join(at, part)
			continue
		}
		to, err := os.Readlink(filepath.Join(root, at, part))
		switch {
		case errors.Is(err, syscall.EINVAL): // no link
			at = filepath.Join(at, part)
			continue
		case err != nil:
			return "", err
		}
		if links++; links > mostLinks {
			return "", syscall.ELOOP
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	at = filepath.Join(root, at)
	info, err := os.Lstat(at)
	if err == nil && !info.Mode().IsRegular() {
		err = &fault.Error{Where: at, What: "is no regular file", Hint: "settings are read from files alone"}
	}
	if err != nil {
		return "", err
	}
	return at, check(at)
}

// check refuses what others may write. A group counts as others, also root's: an
// ACL that lets somebody write shows as the group's permission.
func check(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid //nolint:forcetypeassert // so it is on every Unix
	what, fix := "", ""
	switch {
	case !mayOwn(owner):
		what, fix = fmt.Sprintf("belongs to uid %d", owner), "chown root:root "
	case info.Mode().Perm()&0o022 != 0:
		what, fix = "may be written by others than its owner", "chmod go-w "
	default:
		return nil
	}
	hint := "run `" + fix + path + "`"
	if !strings.HasPrefix(Path, path) {
		hint += ", or put the settings into " + Path
	}
	return &fault.Error{Where: path, What: what + ", and settings decide who gets this host's credentials and who logs in", Hint: hint}
}

// mayOwn reports whether an owner is root or ourselves. In a user namespace the
// overflow uid stands for all who are not in it, root of the host among them.
func mayOwn(uid uint32) bool {
	const overflow = 65534
	return uid == 0 || uid == uint32(os.Geteuid()) || uid == overflow && inUserNamespace()
}

// inUserNamespace reports whether not all users are in ours.
//
// https://man7.org/linux/man-pages/man7/user_namespaces.7.html
func inUserNamespace() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}
