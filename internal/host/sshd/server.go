package sshd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
)

// unitDirs are where systemd looks for units, the most important first.
//
// https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// Server is the OpenSSH server of a machine.
type Server struct {
	Program string   // of sshd
	Unit    string   // ssh.service or sshd.service; empty without systemd
	Options []string // of its command line, as its unit says
	Source  string   // the file that says so; empty without
}

// programs are the places of sshd.
var programs = []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"}

// find looks for sshd and for the way in which systemd starts it.
func find() (Server, error) {
	i := slices.IndexFunc(programs, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
	})
	if i < 0 {
		return Server{}, &fault.Error{What: "there is no sshd here", Hint: "install it: apt-get install openssh-server, or dnf install openssh-server"}
	}
	if _, err := os.Stat(MainConfig); err != nil {
		return Server{}, &fault.Error{Where: MainConfig, What: "sshd is there but its configuration is not", Cause: err, Hint: "install the package of openssh-server anew"}
	}
	s := Server{Program: programs[i]}
	for _, name := range []string{"ssh.service", "sshd.service"} {
		u, err := readUnit(name)
		if err != nil {
			return Server{}, err
		}
		if u == nil {
			continue
		}
		s.Unit, s.Source, s.Options = name, u.execFrom, options(u.expand())
		break
	}
	return s, nil
}

// options leaves of a command line of sshd what changes its configuration.
func options(argv []string) []string {
	var out []string
	for i := 1; i < len(argv); i++ {
		arg := argv[i]
		if len(arg) < 2 || arg[0] != '-' || !strings.Contains("ofCcghpu", arg[1:2]) {
			continue // -D, -e, -4 and the like
		}
		keep := strings.Contains("of", arg[1:2])
		if len(arg) == 2 && i+1 < len(argv) {
			i++
			arg += argv[i]
		}
		if keep {
			out = append(out, arg[:2], arg[2:])
		}
	}
	return out
}

// ask runs sshd in one of its test modes. sshd wants a folder that is there
// only while it runs, if its unit makes it.
func (s Server) ask(ctx context.Context, h Host, args ...string) (string, error) {
	argv := slices.Concat([]string{s.Program}, s.Options, args)
	out, err := h.Run(ctx, argv...)
	if err != nil && strings.Contains(err.Error(), "Missing privilege separation directory") {
		_, dir, _ := strings.Cut(err.Error(), "directory: ")
		if err := os.MkdirAll(strings.TrimSpace(dir), 0o755); err != nil {
			return "", err
		}
		out, err = h.Run(ctx, argv...)
	}
	return out, err
}

// effective is what holds for those whom no Match block knows.
func (s Server) effective(ctx context.Context, h Host) (Effective, error) {
	out, err := s.ask(ctx, h, "-T", "-C", "user=postern-nobody,host=localhost,addr=127.0.0.1")
	if err != nil {
		return nil, &fault.Error{Where: MainConfig, What: "sshd does not accept its configuration", Cause: err, Hint: "make `sshd -t` succeed first; nothing was changed"}
	}
	return parseEffective(out), nil
}

// unit is what systemd makes of a service and its drop-ins, as far as we need it.
type unit struct {
	exec     string   // the last ExecStart
	execFrom string   // the file that has it
	envFiles []string // of EnvironmentFile
	env      map[string]string
}

// readUnit returns nil if there is no such unit.
func readUnit(name string) (*unit, error) {
	u := &unit{env: map[string]string{}}
	i := slices.IndexFunc(unitDirs, func(dir string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil })
	if i < 0 {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	for _, file := range append([]string{filepath.Join(unitDirs[i], name)}, unitDropIns(name)...) {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read unit: %w", err)
		}
		u.read(file, string(text))
	}
	return u, nil
}

// unitDropIns are a unit's drop-ins in the order of their names. Of two with
// one name the more important folder's counts; a link to /dev/null masks.
func unitDropIns(name string) []string {
	seen := map[string]bool{}
	var out []string
	for _, dir := range unitDirs {
		list, _ := filepath.Glob(filepath.Join(dir, name+".d", "*.conf")) // the pattern is ours
		for _, file := range list {
			if base := filepath.Base(file); !seen[base] {
				seen[base] = true
				out = append(out, file)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	return out
}

func (u *unit) read(file, text string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch strings.TrimSpace(key) {
		case "ExecStart":
			if value != "" { // an empty one clears the list
				u.exec, u.execFrom = value, file
			}
		case "EnvironmentFile":
			u.envFiles = append(u.envFiles, strings.TrimPrefix(value, "-"))
		case "Environment":
			u.set(value)
		}
	}
}

func (u *unit) set(assignments string) {
	for _, w := range words(assignments) {
		if name, value, ok := strings.Cut(w, "="); ok {
			u.env[name] = value
		}
	}
}

// expand is the command line with $VARIABLES as separate words, as systemd
// splits them, and without %% of unit files.
func (u *unit) expand() []string {
	for _, file := range u.envFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // optional ones mostly are not there
		}
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && name[:min(1, len(name))] != "#" {
				u.env[name] = strings.Trim(value, `"'`)
			}
		}
	}
	var argv []string
	for _, w := range words(strings.TrimLeft(u.exec, "@-:+!")) {
		if name, ok := strings.CutPrefix(w, "$"); ok {
			argv = append(argv, words(u.env[strings.Trim(name, "{}")])...)
			continue
		}
		argv = append(argv, strings.ReplaceAll(w, "%%", "%"))
	}
	return argv
}
