package sshd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// before is what stood in a file's place.
type before struct {
	Absent  bool        `json:"absent,omitempty"`
	Content []byte      `json:"content,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"`
}

// change is a series of changes to files that can be taken back.
type change struct {
	undo []func() error // the last one first
}

// look reads what stands.
func look(path string) (before, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return before{Absent: true}, nil
	}
	if err != nil {
		return before{}, err
	}
	content, err := os.ReadFile(path)
	return before{Content: content, Mode: info.Mode().Perm()}, err
}

// put makes a file what it was.
func (b before) put(path string) error {
	if b.Absent {
		return absent(os.Remove(path))
	}
	return renameio.WriteFile(path, b.Content, b.Mode, renameio.WithStaticPermissions(b.Mode))
}

func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// write replaces a file whole or not at all.
func (c *change) write(path string, content []byte, mode fs.FileMode) error {
	return c.to(path, before{Content: content, Mode: mode})
}

// to brings a file into a state, and remembers the one before.
func (c *change) to(path string, next before) error {
	was, err := look(path)
	if err != nil {
		return err
	}
	if err := next.put(path); err != nil { // then it stands as it stood
		return fmt.Errorf("write %s: %w", path, err)
	}
	c.undo = append(c.undo, func() error { return was.put(path) })
	return nil
}

// dir makes a folder of root's with those above it. On the way back it stays
// if something is in it.
func (c *change) dir(path string, mode fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := c.dir(parent, 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	c.undo = append(c.undo, func() error { _ = os.Remove(path); return nil })
	return os.Chmod(path, mode) // whatever the umask
}

// back takes everything back, as far as it goes.
func (c *change) back() error {
	var errs []error
	for i := len(c.undo) - 1; i >= 0; i-- {
		errs = append(errs, c.undo[i]())
	}
	return errors.Join(errs...)
}
