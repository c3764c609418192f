package sshd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settle is how long sshd is watched after a reload. It starts itself anew,
// and ends if it does not like what it reads.
const settle = 500 * time.Millisecond

// patience is how long a busy machine may take for that.
const patience = 10 * time.Second

// reload makes the running sshd read its configuration. It returns what it has
// done, in words. Sessions go on.
func (s Server) reload(ctx context.Context, h Host, e Effective) (string, error) {
	if booted() && s.Unit != "" {
		if _, err := h.Run(ctx, "systemctl", "is-active", "--quiet", s.Unit); err != nil {
			return s.Unit + " is not running; it will start with the new configuration", nil //nolint:nilerr // that is the answer
		}
		_, err := h.Run(ctx, "systemctl", "reload", s.Unit)
		return "reloaded " + s.Unit, err
	}
	pid := listener(e["pidfile"])
	if pid == 0 {
		return "no sshd is running; it will start with the new configuration", nil
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return "", fmt.Errorf("reload sshd: %w", err)
	}
	if err := comesBack(ctx, pid, e["pidfile"]); err != nil {
		return "", err
	}
	return fmt.Sprintf("reloaded sshd (process %d)", pid), nil
}

// comesBack waits until sshd has written its pid file again.
func comesBack(ctx context.Context, pid int, pidFile string) error {
	for range patience / settle {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settle):
		}
		switch {
		case listener(pidFile) == pid:
			return nil
		case commandName(pid) != "sshd":
			return errors.New("sshd ended when it was to reload")
		}
	}
	return fmt.Errorf("sshd did not come back within %v", patience)
}

// listener is the process that the pid file names, 0 if that is no sshd.
func listener(pidFile string) int {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 || commandName(pid) != "sshd" {
		return 0
	}
	return pid
}

func commandName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // gone is an answer too
	return strings.TrimSpace(string(name))
}
