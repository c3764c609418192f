package lockdown

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/program"
	"github.com/postern-dev/postern/internal/suggest"
)

// Names are users and groups as operators write them.
type Names struct {
	Users        []string // names or numeric uids
	Groups       []string // names or numeric gids
	AllowMissing bool     // leave out names that the host does not know
	File         string   // that names them; empty: flags do
}

// Resolved are the users that names stand for on this host, now.
type Resolved struct {
	UIDs    []uint32 // sorted, each once
	Missing []string // "user app", only with AllowMissing
}

// Lookup gives the lines of a database of passwd(5) or group(5) for some keys,
// for all entries if there are none. Unknown keys have no lines.
type Lookup func(ctx context.Context, database string, keys ...string) ([]byte, error)

// Getent asks the host's name service, which knows users of LDAP and the like
// too. Where there is no getent program, it reads the file below /etc.
func Getent(ctx context.Context, database string, keys ...string) ([]byte, error) {
	const someUnknown = 2 // https://man7.org/linux/man-pages/man1/getent.1.html
	cmd, err := program.Command(ctx, "getent", append([]string{"--", database}, keys...)...)
	if err != nil {
		return fileLookup("/etc")(ctx, database, keys...)
	}
	out, err := cmd.Output()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil, ended && exit.ExitCode() == someUnknown:
		return out, nil
	}
	return nil, fmt.Errorf("ask getent for %s: %w", database, err)
}

func fileLookup(dir string) Lookup {
	return func(_ context.Context, database string, keys ...string) ([]byte, error) {
		data, err := os.ReadFile(dir + "/" + database)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil || len(keys) == 0 {
			return data, err
		}
		var out []byte
		for line := range bytes.Lines(data) {
			fields := strings.Split(string(line), ":")
			if slices.Contains(keys, fields[0]) || len(fields) > 2 && slices.Contains(keys, fields[2]) {
				out = append(out, line...)
			}
		}
		return out, nil
	}
}

// account is a line of passwd.
type account struct {
	name     string
	uid, gid uint32
}

// unit is a line of group.
type unit struct {
	name    string
	gid     uint32
	members []string
}

// Resolve turns names into uids. A group is its members and the users whose
// primary group it is: nftables knows only a socket's primary group, so that a
// rule for the group itself would not match the others. All unknown names are
// reported at once.
func Resolve(ctx context.Context, names Names, lookup Lookup) (Resolved, error) {
	r := resolver{ctx: ctx, lookup: lookup}
	for _, name := range names.Users {
		r.user(name)
	}
	for _, name := range names.Groups {
		r.group(name)
	}
	out := Resolved{UIDs: sorted(r.uids, func(a, b uint32) int { return int(int64(a) - int64(b)) })}
	for _, m := range r.missing {
		out.Missing = append(out.Missing, m.kind+" "+m.name)
	}
	if r.err != nil {
		return Resolved{}, r.err
	}
	if names.AllowMissing {
		return out, nil
	}
	return out, r.unknown(names.File)
}

type resolver struct {
	ctx     context.Context //nolint:containedctx // lives as long as one Resolve
	lookup  Lookup
	uids    []uint32
	missing []missing
	err     error // the first; what follows would be guesswork
}

type missing struct{ kind, name string }

// user adds a user. A number needs no account: containers and services run as
// users that only they have a name for.
func (r *resolver) user(name string) {
	if uid, ok := number(name); ok {
		r.uids = append(r.uids, uid)
		return
	}
	found := accounts(r.lines("passwd", name))
	if len(found) == 0 {
		r.missing = append(r.missing, missing{"user", name})
		return
	}
	r.uids = append(r.uids, found[0].uid)
}

func (r *resolver) group(name string) {
	found := units(r.lines("group", name))
	if len(found) == 0 {
		r.missing = append(r.missing, missing{"group", name})
		return
	}
	g := found[0]
	// getent would take a member whose name is a number for a uid.
	if members := slices.DeleteFunc(g.members, digits); len(members) > 0 {
		for _, a := range accounts(r.lines("passwd", members...)) {
			r.uids = append(r.uids, a.uid)
		}
	}
	for _, a := range accounts(r.lines("passwd")) {
		if a.gid == g.gid {
			r.uids = append(r.uids, a.uid)
		}
	}
}

// lines asks for entries. A name that cannot stand in a line is not asked for:
// it could pass for an option or for every entry. Nor is what only getent takes
// for a number: it cuts to 32 bits and reads signs, so that 4294967296 and -0
// are root.
func (r *resolver) lines(database string, keys ...string) []byte {
	for _, k := range keys {
		_, fits := number(k)
		if k == "" || strings.ContainsAny(k, ":\n\x00") || digits(k) && !fits || r.err != nil {
			return nil
		}
	}
	out, err := r.lookup(r.ctx, database, keys...)
	if r.err == nil {
		r.err = err
	}
	return out
}

// unknown reports the names that are missing: of flags as a wrong command line,
// of a file as a mistake in it.
func (r *resolver) unknown(file string) error {
	var wrong fault.List
	for _, m := range r.missing {
		database, flag := "passwd", "--allow "
		if m.kind == "group" {
			database, flag = "group", "--allow-group "
		}
		e := &fault.Error{
			Where: file, What: fmt.Sprintf("this host has no %s %q", m.kind, m.name),
			Hint: "create it first, or leave out unknown names with --allow-missing",
		}
		if file == "" {
			e.Code = fault.Usage
		} else {
			flag = ""
		}
		if near := suggest.Nearest(m.name, firstFields(r.lines(database))); near != "" {
			e.Hint = "did you mean `" + flag + near + "`?"
		}
		wrong = append(wrong, e)
	}
	return wrong.Err()
}

func accounts(lines []byte) []account {
	var out []account
	for line := range strings.Lines(string(lines)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 4 {
			continue
		}
		uid, ok := number(f[2])
		gid, ok2 := number(f[3])
		if ok && ok2 {
			out = append(out, account{f[0], uid, gid})
		}
	}
	return out
}

func units(lines []byte) []unit {
	var out []unit
	for line := range strings.Lines(string(lines)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 4 {
			continue
		}
		if gid, ok := number(f[2]); ok {
			out = append(out, unit{f[0], gid, strings.FieldsFunc(f[3], func(c rune) bool { return c == ',' })})
		}
	}
	return out
}

func firstFields(lines []byte) []string {
	var out []string
	for line := range strings.Lines(string(lines)) {
		name, _, _ := strings.Cut(line, ":")
		out = append(out, name)
	}
	return out
}

// digits says whether getent takes a name for a number, as strtoul does.
func digits(name string) bool {
	return strings.Trim(strings.TrimLeft(name, " \t\v\f\r\n+-"), "0123456789") == ""
}

func number(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// UserNames names the uids that have an account; the first name of each. Those
// that are given are asked for one by one where the list of all lacks them: name
// services of directories tell of a user whom one asks for, and list none.
//
// https://manpages.debian.org/bookworm/sssd-common/sssd.conf.5.en.html
func UserNames(ctx context.Context, lookup Lookup, uids ...uint32) (map[uint32]string, error) {
	lines, err := lookup(ctx, "passwd")
	if err != nil {
		return nil, err
	}
	names := map[uint32]string{}
	add := func(lines []byte) {
		for _, a := range accounts(lines) {
			if _, ok := names[a.uid]; !ok {
				names[a.uid] = a.name
			}
		}
	}
	add(lines)
	var keys []string
	for _, uid := range uids {
		if _, ok := names[uid]; !ok {
			keys = append(keys, strconv.FormatUint(uint64(uid), 10))
		}
	}
	if len(keys) > 0 {
		lines, err = lookup(ctx, "passwd", keys...)
		add(lines)
	}
	return names, err
}
