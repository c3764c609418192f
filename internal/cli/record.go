package cli

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

// writeRecord writes a file that the user asked for, whole or not at all.
func writeRecord(name string, data []byte, mode os.FileMode) error {
	err := renameio.WriteFile(name, data, mode)
	if err == nil {
		return nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err // the path is that of the temporary file
	}
	return &fault.Error{Where: name, What: "cannot be written", Cause: err}
}

// The most that is read of a file, in bytes.
const (
	maxPolicyFile   = 1 << 20 // as iam.Parse takes
	maxSnapshotFile = 1 << 30 // an account of a hundred thousand roles stays below it
)

// readFile reads a file that the user named, or stdin for "-", up to a bound:
// a device or a pipe may have no end.
func readFile(name string, stdin io.Reader, most int64) ([]byte, error) {
	in := stdin
	if name != "-" || stdin == nil {
		f, err := os.Open(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if int64(len(data)) > most {
		return nil, &fault.Error{Where: name, What: fmt.Sprintf("larger than the %d MiB that are read of such a file", most>>20)}
	}
	return data, nil
}

func unreadable(name string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return &fault.Error{Where: cmp.Or(name, `""`), What: "cannot be read", Cause: err}
}
