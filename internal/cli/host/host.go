// Package host holds the commands that guard the machine they run on. Each
// group of them is a package of its own below this one.
package host

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/host/lockdown"
	"github.com/postern-dev/postern/internal/cli/host/ssh"
)

// New makes the command host.
func New(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Guard a host: who reaches its role's credentials, and who logs in",
		Long: "What an EC2 instance needs beside its role: a firewall around the address where the role's credentials can be had, and logins with the SSH keys of IAM users. " +
			"These commands run on the host itself, as root.",
		Args: command.UnknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	below := command.List{
		{"lockdown", lockdown.New},
		{"ssh", ssh.New},
		{"install", newInstall},
		{"uninstall", newUninstall},
	}
	below.AddTo(cmd, a)
	return cmd
}
