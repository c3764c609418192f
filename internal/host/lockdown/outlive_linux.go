package lockdown

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/postern-dev/postern/internal/host/program"
)

// Outlive starts this program with the arguments so that it outlives this
// process, its terminal and its session. Where systemd runs, it becomes a unit
// of its own: whatever ends the unit that we are part of would end it too.
func Outlive(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil { // https://www.freedesktop.org/software/systemd/man/sd_booted.html
		cmd, err := program.Command(ctx, "systemd-run", append([]string{"--quiet", "--collect", "--", self}, args...)...)
		if err != nil {
			return err
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("systemd-run: %w %s", err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", self, err)
	}
	return cmd.Process.Release()
}
