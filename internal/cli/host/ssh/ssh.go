// Package ssh holds the commands for logins with the SSH keys of IAM users:
// sync writes a snapshot of them, and sshd runs keys, which reads it.
package ssh

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
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
