package cli

import "github.com/spf13/cobra"

func newHost(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Guard a host: who reaches its instance role's credentials",
		Long: "What an EC2 instance needs beside its role: a firewall around the address where the role's credentials can be had. " +
			"These commands run on the host itself, as root.",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLockdown(a), newHostInstall(a), newHostUninstall(a))
	return cmd
}
