package osusers

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

const sudoersHead = "# Written by postern host ssh sync from members of IAM groups: changes here are lost.\n"

// edited stands for whatever else somebody wrote into the file. It is no
// account's name, so the next sync replaces the file.
const edited = "(edited)"

// sudoersText gives sudo to accounts by name: a line that goes takes it from
// sessions that run, which membership of a group would not. It asks for no
// password, because these accounts have none.
func sudoersText(accounts []string) string {
	var b strings.Builder
	b.WriteString(sudoersHead)
	for _, a := range accounts {
		b.WriteString(a + " ALL=(ALL:ALL) NOPASSWD: ALL\n")
	}
	return b.String()
}

// sudoers are the accounts in the file.
func (h Host) sudoers() ([]string, error) {
	data, err := os.ReadFile(h.Sudoers)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &fault.Error{What: "read sudoers", Cause: err, Hint: "run it as root"}
	}
	var accounts []string
	for line := range strings.Lines(string(data)) {
		if name, _, ok := strings.Cut(line, " "); ok && name != "#" {
			accounts = append(accounts, name)
		}
	}
	slices.Sort(accounts)
	if sudoersText(accounts) != string(data) {
		accounts = append(accounts, edited)
	}
	return accounts, nil
}

// setSudoers replaces the file once visudo has found it right: a mistake in any
// file of sudoers would take sudo from everybody. sudo does not read the
// temporary one, because its name has a dot.
func (h Host) setSudoers(ctx context.Context, accounts []string) error {
	if len(accounts) == 0 {
		if err := os.Remove(h.Sudoers); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	temp := filepath.Join(filepath.Dir(h.Sudoers), "."+filepath.Base(h.Sudoers)+".new")
	err := writeSudoers(temp, sudoersText(accounts))
	if err == nil {
		err = h.run(ctx, "visudo", "--check", "--quiet", "--file", temp)
	}
	if err == nil {
		err = os.Rename(temp, h.Sudoers)
	}
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "is sudo installed? the accounts are made without it"
		}
		err = &fault.Error{Where: h.Sudoers, What: "give sudo", Cause: err, Hint: hint}
		if lost := os.Remove(temp); !errors.Is(lost, fs.ErrNotExist) {
			err = errors.Join(err, lost)
		}
	}
	return err
}

func writeSudoers(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o440)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(0o440)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
