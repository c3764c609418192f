package cli

import (
	"errors"
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
