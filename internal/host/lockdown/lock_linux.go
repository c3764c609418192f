package lockdown

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// tryLock takes the file's lock, which ends with the file or the process.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// bootID is a name that each start of the system has for itself; empty where
// the kernel does not tell.
//
// https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}
