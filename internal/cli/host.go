package cli

import "github.com/spf13/cobra"

func newHost(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Guard a host: who reaches its role's credentials, and who logs in",
		Long: "What an EC2 instance needs beside its role: a firewall around the address where the role's credentials can be had, and logins with the SSH keys of IAM users. " +
			"These commands run on the host itself, as root.",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLockdown(a), newSSH(a), newHostInstall(a), newHostUninstall(a))
	return cmd
}
