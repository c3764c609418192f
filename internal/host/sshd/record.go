package sshd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/postern-dev/postern/internal/fault"
)

// recordVersion is that of install.json. A newer one is refused.
const recordVersion = 1

// record is what install did, written before it does it, so that uninstall can
// undo it and status can tell drift.
type record struct {
	Version     int               `json:"version"`
	Settings    Settings          `json:"settings"`
	Directives  []Directive       `json:"directives"`
	Before      map[string]before `json:"before"` // files as they stood before the first install
	MadeAccount bool              `json:"made_account"`
	Include     bool              `json:"include"` // we put an Include into the main file
}

// readRecord returns nil if nothing is installed.
func readRecord() (*record, error) {
	text, err := os.ReadFile(recordFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read what was installed: %w", err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, &fault.Error{Where: recordFile, What: "what was installed cannot be read", Cause: err, Hint: "move the file away, and run install again"}
	}
	if r.Version > recordVersion {
		return nil, &fault.Error{Where: recordFile, What: fmt.Sprintf("version %d is of a newer postern", r.Version), Hint: "use the postern that installed it"}
	}
	return &r, nil
}

// write is durable before it returns: what follows can be undone by it.
func (r *record) write(c *change) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return c.write(recordFile, append(text, '\n'), 0o600)
}

// remember adds what stands in a file's place, the first time.
func (r *record) remember(path string) error {
	if _, known := r.Before[path]; known {
		return nil
	}
	was, err := look(path)
	if err != nil {
		return err
	}
	r.Before[path] = was
	return nil
}
