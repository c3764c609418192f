package lockdown

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
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
		return exec.CommandContext(ctx, "systemd-run", append([]string{"--quiet", "--collect", "--", self}, args...)...).Run()
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", self, err)
	}
	return cmd.Process.Release()
}
