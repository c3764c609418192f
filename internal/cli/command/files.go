package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// WriteRecord writes a file that the user asked for, whole or not at all.
func WriteRecord(name string, data []byte, mode os.FileMode) error {
	err := renameio.WriteFile(name, data, mode)
	if err == nil {
		return nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err // the path is that of the temporary file
	}
	return &fault.Error{Where: name, What: "cannot be written", Cause: err}
}

// ReadFile reads a file that the user named, or in for Stdin, up to a number of
// bytes: a device or a pipe may have no end. Without in, Stdin is a file like any
// other.
func ReadFile(name string, in io.Reader, most int64) ([]byte, error) {
	if name != Stdin || in == nil {
		f, err := os.Open(name)
		if err != nil {
			return nil, Unreadable(name, err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, Unreadable(name, err)
	}
	if int64(len(data)) > most {
		return nil, &fault.Error{Where: name, What: fmt.Sprintf("larger than the %d MiB that are read of such a file", most>>20)}
	}
	return data, nil
}

// Unreadable is the error about a file that the user named.
func Unreadable(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return &fault.Error{Where: cmp.Or(name, `""`), What: "cannot be read", Cause: err}
}
