package sshd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// DefaultInterval is the time between two syncs.
const DefaultInterval = 10 * time.Minute

// units are the files that make systemd run sync. Hosts that boot together
// must not ask IAM together: the timer waits between a half and one and a half
// of the interval.
func units(s Settings) map[string][]byte {
	argv := append([]string{s.Program, "host", "ssh", "sync", "--once"}, s.Sync...)
	for i, arg := range argv {
		argv[i] = unitQuote(arg)
	}
	half := max(1, int(s.Interval.Seconds()/2))
	return map[string][]byte{
		serviceDir + Service: fmt.Appendf(nil, `# Written by postern host ssh install.
[Unit]
Description=Fetch the SSH keys of IAM users
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=%s
TimeoutStartSec=15min
Nice=10
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
`, strings.Join(argv, " ")),
		serviceDir + Timer: fmt.Appendf(nil, `# Written by postern host ssh install.
[Unit]
Description=Fetch the SSH keys of IAM users every %[1]v or so

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=%[2]ds
RandomizedDelaySec=%[3]ds
AccuracySec=1s

[Install]
WantedBy=timers.target
`, s.Interval, half, int(s.Interval.Seconds())),
	}
}

// unitQuote writes an argument of ExecStart.
//
// https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
func unitQuote(arg string) string {
	arg = strings.NewReplacer("%", "%%", "$", "$$").Replace(arg)
	if arg != "" && !strings.ContainsAny(arg, " \t\n\"'\\;") {
		return arg
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(arg) + `"`
}

// booted says whether systemd runs the machine.
//
// https://www.freedesktop.org/software/systemd/man/latest/sd_booted.html
func booted() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// startTimer makes systemd know the units and start them now and at boot. The
// first sync does not wait for the timer, and nobody for the sync.
func startTimer(ctx context.Context, h Host) error {
	for _, args := range [][]string{{"daemon-reload"}, {"enable", "--now", Timer}, {"start", "--no-block", Service}} {
		if _, err := h.Run(ctx, append([]string{"systemctl"}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// stopTimer also ends a sync that is under way: it would go on without what is
// about to be taken from it.
func stopTimer(ctx context.Context, h Host) error {
	_, err := h.Run(ctx, "systemctl", "disable", "--now", Timer)
	_, running := h.Run(ctx, "systemctl", "stop", Service)
	return errors.Join(err, running)
}
