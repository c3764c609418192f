package lockdown

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

// Last is a file with the policy that a host's settings stood for when they
// could last be used. Unlike the table it outlives a reboot: settings that are
// damaged since then must not leave the host open.
type Last string

// lastVersion is that of the file. Another one is refused.
const lastVersion = 1

type last struct {
	Version int    `json:"version"`
	Policy  Policy `json:"policy"`
}

// Keep writes the policy down, if the file does not say so already: at boot it
// may be too early to write.
func (l Last) Keep(p Policy) error {
	data, err := json.Marshal(last{lastVersion, p.Normalised()})
	if err != nil {
		return fmt.Errorf("write down what stands: %w", err)
	}
	if is, err := os.ReadFile(string(l)); err == nil && bytes.Equal(is, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(string(l)), 0o755); err != nil {
		return fmt.Errorf("write down what stands: %w", err)
	}
	if err := renameio.WriteFile(string(l), data, 0o600); err != nil {
		return fmt.Errorf("write down what stands: %w", err)
	}
	return nil
}

// Policy is what was kept; nil if nothing was.
func (l Last) Policy() (*Policy, error) {
	data, err := os.ReadFile(string(l))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read what stood last: %w", err)
	}
	var is last
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&is)
	if err == nil && is.Version != lastVersion {
		err = fmt.Errorf("version %d", is.Version)
	}
	if err == nil {
		err = is.Policy.Check()
	}
	if err != nil {
		return nil, &fault.Error{Where: string(l), What: "what stood last cannot be read", Cause: err, Hint: "correct the settings, and it is written anew"}
	}
	return &is.Policy, nil
}

// Forget removes the file; none is no error.
func (l Last) Forget() error {
	if err := os.Remove(string(l)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what stood last: %w", err)
	}
	return nil
}
