//go:build !unix

package osusers

import (
	"errors"
	"io/fs"
	"os"
)

var errUnsupported = errors.New("accounts are kept on Linux only")

func tryLock(*os.File) (bool, error) { return false, errUnsupported }

func terminate(int) error { return errUnsupported }

func killed(int) error { return errUnsupported }

func owner(fs.FileInfo) (uint32, bool) { return 0, false }
