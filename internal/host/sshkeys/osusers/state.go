package osusers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// fields is how many a line of each file has at least, as far as we read it.
var fields = map[string]int{"passwd": 7, "group": 4, "shadow": 8}

// entries reads a file of /etc: lines of fields between colons. Lines with too
// few of them, as NIS's "+", are not for us.
func (h Host) entries(file string) ([][]string, error) {
	data, err := os.ReadFile(filepath.Join(h.Etc, file))
	if err != nil {
		return nil, &fault.Error{What: "read accounts", Cause: err, Hint: "run it as root"}
	}
	var found [][]string
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1) // a group's line has all its members
	for lines.Scan() {
		if f := strings.Split(lines.Text(), ":"); len(f) >= fields[file] {
			found = append(found, f)
		}
	}
	return found, lines.Err()
}

// State reads what stands now.
func (h Host) State(context.Context) (sshkeys.State, error) {
	users, err := h.entries("passwd")
	if err != nil {
		return sshkeys.State{}, err
	}
	groups, err := h.entries("group")
	if err != nil {
		return sshkeys.State{}, err
	}
	shadow, err := h.entries("shadow")
	if err != nil {
		return sshkeys.State{}, err
	}
	busy, err := running()
	if err != nil {
		return sshkeys.State{}, err
	}
	s := sshkeys.State{Groups: map[string]uint32{}}
	if s.Sudoers, err = h.sudoers(); err != nil {
		return sshkeys.State{}, err
	}
	members := map[string][]string{} // groups by user
	for _, g := range groups {
		s.Groups[g[0]] = number(g[2])
		for _, name := range strings.Split(g[3], ",") {
			members[name] = append(members[name], g[0])
		}
	}
	secrets := map[string][]string{}
	for _, e := range shadow {
		secrets[e[0]] = e
	}
	for _, u := range users {
		a := sshkeys.Account{Name: u[0], UID: number(u[2]), GID: number(u[3]), Comment: u[4], Access: access(u, secrets[u[0]])}
		a.Groups = slices.Compact(slices.Sorted(slices.Values(members[a.Name])))
		a.Processes = busy[a.UID]
		a.Homeless = sshkeys.OwnUID(a.UID) && !there(u[5])
		s.Accounts = append(s.Accounts, a)
	}
	return s, nil
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// number is of a field; one that is none becomes nobody's.
func number(field string) uint32 {
	n, err := strconv.ParseUint(field, 10, 32)
	if err != nil {
		return 65534
	}
	return uint32(n)
}

// access reads the three things that a Lock step does: it takes the shell,
// locks the password and expires the account.
//
// https://man7.org/linux/man-pages/man5/shadow.5.html
func access(user, shadow []string) sshkeys.Access {
	shell := filepath.Base(user[6])
	locked := []bool{shell == "nologin" || shell == "false", false, false}
	if shadow != nil {
		locked[1] = strings.HasPrefix(shadow[1], "!")
		day, err := strconv.ParseInt(shadow[7], 10, 64)
		locked[2] = err == nil && day <= time.Now().Unix()/(24*60*60)
	}
	switch {
	case !slices.Contains(locked, true):
		return sshkeys.Open
	case !slices.Contains(locked, false) && shadow[7] == expired:
		return sshkeys.Locked
	}
	return sshkeys.Barred
}
