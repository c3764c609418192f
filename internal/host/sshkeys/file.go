package sshkeys

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/postern-dev/postern/internal/fault"
)

// previous is where the last good snapshot is kept.
func previous(path string) string { return path + ".prev" }

// Write replaces the snapshot at path whole or not at all, readable by root
// and the group gid alone (-1: as it comes). The one that stood there is kept
// beside it with .prev, if it was good. One process at a time may write.
func Write(path string, s *Snapshot, gid int) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	temp := path + ".new"
	err = writeNew(temp, data, gid)
	if err == nil {
		err = keepPrevious(path)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		// What is left of it would only take up the disk.
		return &fault.Error{
			Where: path, What: "write snapshot", Cause: errors.Join(err, ignoreAbsent(os.Remove(temp))),
			Hint: "the snapshot of before still answers; see df " + filepath.Dir(path),
		}
	}
	return syncDir(filepath.Dir(path))
}

func writeNew(path string, data []byte, gid int) error {
	if err := ignoreAbsent(os.Remove(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(f, data, gid), f.Close())
}

func fill(f *os.File, data []byte, gid int) error {
	if err := f.Chown(-1, gid); err != nil {
		return err
	}
	if err := f.Chmod(0o640); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// keepPrevious puts a good snapshot at .prev as well. A bad one must not
// replace the good one that is there.
func keepPrevious(path string) error {
	if _, err := readOne(path); err != nil {
		return nil //nolint:nilerr // what cannot be read is not worth keeping
	}
	next := previous(path) + ".new"
	if err := ignoreAbsent(os.Remove(next)); err != nil {
		return err
	}
	if err := os.Link(path, next); err != nil {
		return err
	}
	return os.Rename(next, previous(path))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Fallback is a snapshot that could not be used while the previous one could.
type Fallback struct{ Cause error }

// Error says that the previous one answers.
func (f *Fallback) Error() string { return f.Cause.Error() + "; the previous one answers" }

// Unwrap returns why.
func (f *Fallback) Unwrap() error { return f.Cause }

// Read returns the whole snapshot at path. If it cannot be used, it returns
// the previous one and a *Fallback; if neither can, nil and an error. Without
// any, the error is fs.ErrNotExist.
func Read(path string) (*Snapshot, error) { return withPrevious(path, readOne) }

// Lookup is Read of the one account: the snapshot has that user, or none. It
// reads a few blocks of the file and checks only these.
func Lookup(path, name string) (*Snapshot, error) {
	return withPrevious(path, func(path string) (*Snapshot, error) { return lookupOne(path, name) })
}

func withPrevious(path string, read func(string) (*Snapshot, error)) (*Snapshot, error) {
	s, err := read(path)
	if err == nil {
		return s, nil
	}
	err = &fault.Error{Where: path, What: "read snapshot", Cause: err, Hint: "postern host ssh sync --once writes a new one"}
	s, worse := read(previous(path))
	if worse != nil {
		return nil, err
	}
	return s, &Fallback{err}
}

func readOne(path string) (*Snapshot, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decode(data)
}

func lookupOne(path, name string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return lines{f, info.Size()}.lookup(name)
}

// lines is a file of sorted lines.
type lines struct {
	io.ReaderAt
	size int64
}

// lookup reads the first line and the one of a user.
func (l lines) lookup(name string) (*Snapshot, error) {
	_, first, err := l.around(0, nil)
	if err != nil {
		return nil, err
	}
	s, h, err := decodeHead(first)
	if err != nil {
		return nil, err
	}
	body := int64(len(first)) + 1
	if h.Bytes != l.size-body {
		return nil, corrupt("%d bytes of users, not %d", l.size-body, h.Bytes)
	}
	line, err := l.search(body, name)
	if err != nil || line == nil {
		return s, err
	}
	u, err := decodeUser(line)
	if err != nil {
		return nil, err
	}
	s.Users = []User{u}
	return s, nil
}

// search finds the line that begins with a word, from an offset at which a
// line begins; nil if there is none.
func (l lines) search(from int64, word string) ([]byte, error) {
	lo, hi := from, l.size // both where lines begin
	block := make([]byte, 2*window)
	for lo < hi {
		start, line, err := l.around(lo+(hi-lo)/2, block)
		if err != nil {
			return nil, err
		}
		switch found := firstWords(line, 1); {
		case start < lo || start >= hi:
			return nil, corrupt("lines overlap")
		case found == word:
			return line, nil
		case found < word:
			lo = start + int64(len(line)) + 1
		default:
			hi = start
		}
	}
	return nil, nil
}

// window is how far around an offset a line is looked for at first.
const window = 4 << 10

// around returns the line that covers an offset, without its end, and where it
// begins. It reads into block, if that is large enough: the memory of a process
// that has just begun costs more than the reading.
func (l lines) around(at int64, block []byte) (int64, []byte, error) {
	for n := int64(window); ; n *= 2 {
		from, to := max(0, at-n), min(l.size, at+n)
		block = slices.Grow(block[:0], int(to-from))[:to-from]
		if _, err := l.ReadAt(block, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, nil, fmt.Errorf("read snapshot: %w", err)
		}
		start := bytes.LastIndexByte(block[:at-from], '\n') + 1
		end := bytes.IndexByte(block[at-from:], '\n')
		whole := (start > 0 || from == 0) && end >= 0
		switch {
		case whole:
			return from + int64(start), block[start : at-from+int64(end)], nil
		case from == 0 && to == l.size:
			return 0, nil, corrupt("the last line has no end")
		}
	}
}
