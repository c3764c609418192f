// Package sshd makes an OpenSSH server ask Postern for keys, and undoes it. It
// changes sshd's configuration by one file of its own, tried before sshd reads
// it and taken back if sshd does not do what it says; it looks for what breaks
// logins on real machines and names the fix. It knows nothing of IAM, and
// nothing of who may log in: internal/host/sshkeys does.
package sshd

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/program"
)

// Where things are. sshd insists that all of the way to the program that it
// asks for keys belongs to root.
const (
	MainConfig = "/etc/ssh/sshd_config"
	DropIn     = "/etc/ssh/sshd_config.d/10-postern.conf"
	BreakGlass = "/etc/ssh/breakglass" // one file of authorized_keys per account, root's
	StateDir   = "/var/lib/postern/ssh"
	Snapshot   = StateDir + "/snapshot"
	recordFile = StateDir + "/install.json"
	serviceDir = "/etc/systemd/system/"
	Service    = "postern-ssh-sync.service"
	Timer      = "postern-ssh-sync.timer"
	Account    = "postern-ssh" // runs the program that sshd asks
)

// Settings are what install was told.
type Settings struct {
	Program       string        `json:"program"`             // absolute path of the postern to run
	Sync          []string      `json:"sync"`                // arguments of `postern host ssh sync`
	Interval      time.Duration `json:"interval"`            // between two syncs, in nanoseconds
	KeepPasswords bool          `json:"keep_passwords"`      // leave password logins as they are
	Account       string        `json:"account"`             // runs Program for sshd
	Emergency     []string      `json:"emergency,omitempty"` // accounts whose own authorized_keys go on working
}

// Host is the machine, as far as this package touches it by other means than
// files.
type Host struct {
	// Run runs a program of the system, without a shell, and returns its standard
	// output. What it says on standard error is in the error.
	Run func(ctx context.Context, argv ...string) (string, error)
}

// System is the machine that the process runs on.
func System() Host { return Host{Run: run} }

// programTimeout bounds every program that is run: sshd -T resolves names.
const programTimeout = 30 * time.Second

func run(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	cmd, err := program.Command(ctx, argv[0], argv[1:]...)
	if err != nil {
		return "", err
	}
	cmd.WaitDelay = time.Second
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// needRoot refuses before anything is half done.
func needRoot(what string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return &fault.Error{What: what + " needs root: it reads and writes sshd's configuration", Hint: "run it with sudo"}
}
