package sshd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Fail Severity = "fail" // somebody cannot log in, or can who should not
	Warn Severity = "warn" // it will hurt some day
)

// Finding is something that is not as it should be.
type Finding struct {
	Check    string     `json:"check"`
	Severity Severity   `json:"severity"`
	Where    string     `json:"where,omitempty"`
	What     string     `json:"what"`
	Hint     string     `json:"hint,omitempty"`
	Fix      [][]string `json:"fix,omitempty"`  // programs with their arguments, in order
	Safe     bool       `json:"safe,omitempty"` // the fix can be made by itself: it locks nobody out and opens nothing
}

// Status is what stands.
type Status struct {
	Installed bool
	Settings  Settings  // of the install
	Drift     []Finding // what is not as install left it
}

// Read tells what stands and how it differs from what install left. Of the
// snapshot it knows nothing.
func Read(ctx context.Context, h Host) (Status, error) {
	m, err := see(ctx, h)
	if err != nil || m.rec == nil {
		return Status{}, err
	}
	st := Status{Installed: true, Settings: m.rec.Settings}
	for _, c := range driftChecks {
		st.Drift = append(st.Drift, c.named(m)...)
	}
	return st, nil
}

// machine is what is known of the machine before it is judged.
type machine struct {
	ctx    context.Context //nolint:containedctx // it lives for one command
	host   Host
	server Server
	rec    *record // nil: nothing is installed
	lines  []Line
	now    Effective // nil: sshd refuses its configuration
	broken error     // why
}

func see(ctx context.Context, h Host) (*machine, error) {
	if err := needRoot("a look at sshd"); err != nil {
		return nil, err
	}
	m := &machine{ctx: ctx, host: h}
	var err error
	if m.server, err = find(); err != nil {
		return nil, err
	}
	if m.rec, err = readRecord(); err != nil {
		return nil, err
	}
	m.now, m.broken = m.server.effective(ctx, h)
	m.lines, err = files{os.ReadFile, filepath.Glob}.parse(MainConfig)
	return m, err
}

// check looks for one kind of trouble.
type check struct {
	name string
	of   func(*machine) []Finding
}

func (c check) named(m *machine) []Finding {
	found := c.of(m)
	for i := range found {
		found[i].Check = c.name
	}
	return found
}

// driftChecks are about what install has made.
var driftChecks = []check{
	{"sshd-config", checkValid},
	{"drop-in", checkDropIn},
	{"effective", checkEffective},
	{"running", checkRunning},
	{"account", checkReader},
	{"program", checkProgramPath},
	{"units", checkUnits},
}

// again is the fix for most drift.
func (m *machine) again() string { return "run postern host ssh install again" }

func checkValid(m *machine) []Finding {
	if m.broken == nil {
		return nil
	}
	return []Finding{{Severity: Fail, Where: MainConfig, What: "sshd refuses its configuration, and will not start again: " + m.broken.Error(), Hint: "make `sshd -t` succeed"}}
}

func checkDropIn(m *machine) []Finding {
	text, err := os.ReadFile(DropIn)
	want := render(m.rec.Directives)
	f := Finding{Severity: Fail, Where: DropIn, Hint: m.again()}
	switch {
	case err != nil:
		f.What = "the file is missing"
	case !bytes.Equal(text, want):
		f.What = "the file was changed"
	default:
		return nil
	}
	return []Finding{f}
}

func checkEffective(m *machine) []Finding {
	if m.now == nil {
		return nil // another check has said so
	}
	if err := commandLineOverride(m.server); err != nil {
		return []Finding{finding(Fail, err)}
	}
	var out []Finding
	for _, err := range m.now.unlike(m.rec.Directives, m.lines) {
		out = append(out, finding(Fail, err))
	}
	return out
}

func checkProgramPath(m *machine) []Finding {
	bad, err := weak(m.rec.Settings.Program)
	if err != nil {
		return []Finding{{Severity: Fail, Where: m.rec.Settings.Program, What: "sshd cannot run it: " + err.Error(), Hint: "install postern there again"}}
	}
	var out []Finding
	for _, path := range bad {
		out = append(out, tighten(path, "sshd does not run the program: others than root can change this"))
	}
	return out
}

// tighten is the fix of sshd's manual: root's own, and writable by nobody else.
func tighten(path, what string) Finding {
	return Finding{
		Severity: Fail, Where: path, What: what,
		Fix: [][]string{{"chown", "root:root", path}, {"chmod", "go-w", path}}, Safe: true,
	}
}

func checkReader(m *machine) []Finding {
	name := m.rec.Settings.Account
	missing, err := checkAccount(name)
	switch {
	case missing:
		return []Finding{{Severity: Fail, What: "account " + name + " is missing, so sshd runs nothing", Hint: m.again()}}
	case err != nil:
		return []Finding{finding(Fail, err)}
	}
	return nil
}

func checkUnits(m *machine) []Finding {
	if !booted() {
		return nil
	}
	var out []Finding
	for path, want := range units(m.rec.Settings) {
		if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, want) {
			out = append(out, Finding{Severity: Fail, Where: path, What: "the unit is missing or was changed", Hint: m.again()})
		}
	}
	if _, err := m.host.Run(m.ctx, "systemctl", "is-active", "--quiet", Timer); err != nil {
		out = append(out, Finding{
			Severity: Fail, What: Timer + " does not run, so the snapshot grows old",
			Fix: [][]string{{"systemctl", "enable", "--now", Timer}}, Safe: true,
		})
	}
	return out
}
