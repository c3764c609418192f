//go:build unix

package osusers

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// tryLock takes an advisory lock, which ends with the process, whatever ends that.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func terminate(pid int) error { return send(pid, syscall.SIGTERM) }

func killed(pid int) error { return send(pid, syscall.SIGKILL) }

func send(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// owner is the uid of a file.
func owner(info fs.FileInfo) (uint32, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}
