// Package ssh holds the commands for logins with the SSH keys of IAM users:
// sync writes a snapshot of them, and sshd runs keys, which reads it.
package ssh

import (
	"io"
	"log/slog"
	"log/syslog"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// New makes the command host ssh.
func New(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh COMMAND",
		Short: "Let members of IAM groups log in with their IAM users' SSH keys",
		Long: "sync writes who may log in, and with which keys, to a snapshot on this host, and makes their accounts; sshd asks keys, which reads " +
			"the snapshot and nothing else. Logins go on while IAM is away, until the snapshot is too old. install sets up both.",
		Args: command.UnknownCommand,
		Example: `
sudo postern host ssh install --group engineers --sudo-group operators --break-glass ec2-user
sudo postern host ssh status
sudo postern host ssh doctor --fix`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	below := command.List{
		{"install", newInstall},
		{"uninstall", newUninstall},
		{"status", newStatus},
		{"doctor", newDoctor},
		{"sync", newSync},
		{"keys", newKeys},
		{"audit", newAudit},
	}
	below.AddTo(cmd, a)
	return cmd
}

// systemLog is where sync and keys report: the system's log, or w without one. The
// lines are JSON, so that a log collector can tell who came in by which key.
func systemLog(w io.Writer) *slog.Logger {
	if s, err := syslog.New(syslog.LOG_AUTHPRIV|syslog.LOG_INFO, "postern-ssh"); err == nil {
		w = s
	}
	withoutTime := func(groups []string, attr slog.Attr) slog.Attr {
		if len(groups) == 0 && attr.Key == slog.TimeKey {
			return slog.Attr{} // the log has its own, an event says when it was
		}
		return attr
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
}

// eventAttrs is an event as one group of a line's fields.
func eventAttrs(e sshkeys.Event) []slog.Attr {
	return append([]slog.Attr{slog.String("event", string(e.Kind))}, e.Attrs()...)
}
