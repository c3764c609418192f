// Package units holds the systemd units that keep a host's metadata firewall
// standing through reboots, flushed rules and changes of users, and puts them
// in and out of place. It does not apply the firewall, and supports no other
// service manager.
package units

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/google/renameio/v2"

	"github.com/postern-dev/postern/internal/fault"
)

//go:embed *.service *.timer *.path nftables.service.d cloud-init.yaml
var files embed.FS

// Values are what the units name.
type Values struct {
	Program string // absolute path of postern
	Config  string // absolute path of host.yaml
}

// Unit is a file below Dir.
type Unit struct {
	Name string `json:"name"` // may be in a folder
	Text string `json:"text"`
}

// Dir is where an administrator's units lie.
const Dir = "/etc/systemd/system"

// names are the units, in the order in which they are shown, and those that are
// enabled; the refresh is started by its timer and its path.
var (
	names = []string{
		"postern-lockdown.service", "postern-lockdown-refresh.service",
		"postern-lockdown-refresh.timer", "postern-lockdown-refresh.path",
		"nftables.service.d/postern-lockdown.conf",
	}
	enabled = []string{names[0], names[2], names[3]}
)

// Make gives the units.
func Make(v Values) ([]Unit, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	var out []Unit
	for _, name := range names {
		text, err := render(name, v)
		if err != nil {
			return nil, err
		}
		out = append(out, Unit{name, text})
	}
	return out, nil
}

// CloudInit gives user data that installs them on a new instance whose image
// has the program.
func CloudInit(v Values) (string, error) {
	if err := v.check(); err != nil {
		return "", err
	}
	return render("cloud-init.yaml", v)
}

// check refuses paths that would need quoting: in a unit, a blank ends a word
// and a per cent sign begins a specifier.
func (v Values) check() error {
	for _, path := range []string{v.Program, v.Config} {
		if !filepath.IsAbs(path) || strings.ContainsAny(path, " \t\n%$\"'\\;:,[]{}#") {
			return &fault.Error{Code: fault.Usage, Where: path, What: "cannot stand in a systemd unit", Hint: "use an absolute path without blanks and special characters"}
		}
	}
	return nil
}

func render(name string, v Values) (string, error) {
	t, err := template.ParseFS(files, name)
	if err != nil {
		return "", fmt.Errorf("read template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return "", fmt.Errorf("fill template: %w", err)
	}
	return b.String(), nil
}

// Run runs a program and waits for it.
type Run func(ctx context.Context, argv ...string) error

// Install writes the units below dir and starts them. If one does not start,
// what was there before is put back.
func Install(ctx context.Context, dir string, list []Unit, run Run) error {
	before := map[string][]byte{}
	for _, u := range list {
		data, err := os.ReadFile(filepath.Join(dir, u.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read unit: %w", err)
		}
		before[u.Name] = data
	}
	err := install(ctx, dir, list, run)
	if err == nil {
		return nil
	}
	after := context.WithoutCancel(ctx)
	if before[names[0]] == nil {
		// Whether any was enabled is not known: that this fails says nothing.
		_ = run(after, append([]string{"systemctl", "disable", "--now"}, enabled...)...)
	}
	for _, u := range list {
		err = errors.Join(err, restore(dir, u.Name, before[u.Name]))
	}
	return errors.Join(err, run(after, "systemctl", "daemon-reload"))
}

func install(ctx context.Context, dir string, list []Unit, run Run) error {
	for _, u := range list {
		if err := write(dir, u.Name, []byte(u.Text)); err != nil {
			return err
		}
	}
	if err := run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	if err := run(ctx, append([]string{"systemctl", "enable", "--now"}, enabled...)...); err != nil {
		return err
	}
	// One that runs already has read the unit of before.
	return run(ctx, "systemctl", "restart", names[0])
}

func write(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = renameio.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write unit: %w", err)
	}
	return nil
}

func restore(dir, name string, data []byte) error {
	if data != nil {
		return write(dir, name, data)
	}
	return remove(dir, name)
}

// remove also removes the folder of a drop-in, if nothing else is in it.
func remove(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unit: %w", err)
	}
	if folder := filepath.Dir(name); folder != "." {
		_ = os.Remove(filepath.Join(dir, folder))
	}
	return nil
}

// Uninstall stops the units and removes them; it reports whether there were
// any. The firewall itself goes on standing.
func Uninstall(ctx context.Context, dir string, run Run) (bool, error) {
	var there []string
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			there = append(there, name)
		}
	}
	if there == nil {
		return false, nil
	}
	if list := slices.DeleteFunc(slices.Clone(there), passive); len(list) > 0 {
		if err := run(ctx, append([]string{"systemctl", "disable", "--now"}, list...)...); err != nil {
			return false, err
		}
	}
	for _, name := range there {
		if err := remove(dir, name); err != nil {
			return false, err
		}
	}
	return true, run(ctx, "systemctl", "daemon-reload")
}

func passive(name string) bool { return !slices.Contains(enabled, name) }
